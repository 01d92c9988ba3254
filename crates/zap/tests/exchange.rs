//! Requests and replies frame by frame, as captured from libzmq.

use zap::{Claim, Envelope, Reply, ReplyError, Request, RequestError, Status};
use zmtp_wire::{Credentials, Frame, Message, Properties, Verdict};

fn frames(octets: &[&[u8]]) -> Vec<Frame> {
    octets.iter().copied().map(Frame::from).collect()
}

fn request(credentials: impl Into<Claim>) -> Request {
    Request {
        id: "1".into(),
        domain: "test".into(),
        address: "127.0.0.1".into(),
        identity: "SRV".into(),
        credentials: credentials.into(),
    }
}

const KEY: [u8; 32] = [7; 32];
const HELLO: &[u8] = b"\x05Hello\0\0\0\x05World";

/// A reply that lets in, to be spoilt.
const GOOD: [&[u8]; 6] = [b"1.0", b"1", b"200", b"OK", b"joe", HELLO];

// spec: 27/request, 27/null-credentials, 27/plain-credentials, 27/curve-credentials
#[test]
fn requests_of_every_mechanism_go_as_libzmq_sends_them() {
    let plain = Credentials::Plain {
        username: b"admin".to_vec(),
        password: b"secret".to_vec(),
    };
    let gssapi = Credentials::Gssapi {
        principal: b"joe@EXAMPLE".to_vec(),
    };
    let other = Claim::Other {
        mechanism: "NOISE".into(),
        credentials: vec!["a".into(), "".into()],
    };
    let cases: [(Claim, &[&[u8]]); 5] = [
        (Credentials::Null.into(), &[b"NULL"]),
        (plain.into(), &[b"PLAIN", b"admin", b"secret"]),
        (
            Credentials::Curve { public_key: KEY }.into(),
            &[b"CURVE", &KEY],
        ),
        (gssapi.into(), &[b"GSSAPI", b"joe@EXAMPLE"]),
        (other, &[b"NOISE", b"a", b""]),
    ];
    for (claim, tail) in cases {
        let request = request(claim);
        let message = request.to_message();
        let head: [&[u8]; 5] = [b"1.0", b"1", b"test", b"127.0.0.1", b"SRV"];
        assert_eq!(message.frames(), frames(&[&head, tail].concat()));
        assert_eq!(Request::parse(message.frames()), Ok(request));
    }
}

#[test]
fn a_request_with_frames_lost_added_or_changed_is_none() {
    let long = [b'x'; 256];
    let cases: [(&[&[u8]], RequestError); 10] = [
        (&[], RequestError::Frames(0)),
        (
            &[b"1.0", b"1", b"", b"127.0.0.1", b""],
            RequestError::Frames(5),
        ),
        (
            &[b"1.1", b"1", b"", b"", b"", b"NULL"],
            RequestError::Version,
        ),
        (&[b"", b"1", b"", b"", b"", b"NULL"], RequestError::Version),
        (
            &[b"1.0", b"1", b"", b"", b"", b"NULL", b""],
            RequestError::Credentials,
        ),
        (
            &[b"1.0", b"1", b"", b"", b"", b"PLAIN", b"u"],
            RequestError::Credentials,
        ),
        (
            &[b"1.0", b"1", b"", b"", b"", b"CURVE", b"short"],
            RequestError::Credentials,
        ),
        (
            &[b"1.0", b"1", b"", b"", b"", b"CURVE", &KEY, b""],
            RequestError::Credentials,
        ),
        (
            &[b"1.0", b"1", b"", b"", b"", b"GSSAPI"],
            RequestError::Credentials,
        ),
        (
            &[b"1.0", b"1", &long, b"", b"", b"NULL"],
            RequestError::TooLong(256),
        ),
    ];
    for (octets, error) in cases {
        assert_eq!(Request::parse(&frames(octets)), Err(error), "{octets:?}");
    }
}

#[test]
fn secrets_are_not_printed() {
    let plain = Credentials::Plain {
        username: b"admin".to_vec(),
        password: b"secret".to_vec(),
    };
    let other = Claim::Other {
        mechanism: "TOKEN".into(),
        credentials: vec!["secret".into()],
    };
    let printed = format!("{:?} {:?}", request(plain), request(other));
    assert!(printed.contains("admin") && printed.contains("TOKEN"));
    assert!(!printed.contains("secret"), "{printed}");
}

// spec: 27/reply, 27/status-200, 27/metadata
#[test]
fn a_good_reply_lets_in_with_user_id_and_metadata() {
    let reply = Reply::parse(&frames(&GOOD), b"1").unwrap();
    assert_eq!(
        (reply.status, &reply.user_id[..]),
        (Status::Success, &b"joe"[..])
    );
    assert_eq!(reply.to_message().frames(), frames(&GOOD));
    let expected = Properties::from_iter([("User-Id", "joe"), ("Hello", "World")]);
    assert_eq!(reply.into_verdict(), Verdict::Accept(expected));

    let nobody = [GOOD[0], GOOD[1], GOOD[2], b"", b"", b""];
    let verdict = Reply::parse(&frames(&nobody), b"1").unwrap().into_verdict();
    assert_eq!(
        verdict,
        Verdict::Accept(Properties::from_iter([("User-Id", "")]))
    );
}

// spec: 27/status-300, 27/status-400, 27/status-500
#[test]
fn every_other_status_keeps_out_and_tells_nobody_who_it_was() {
    for (digits, status) in [
        ("300", Status::Temporary),
        ("400", Status::Denied),
        ("500", Status::Internal),
    ] {
        let mut octets = GOOD;
        octets[2] = digits.as_bytes();
        let reply = Reply::parse(&frames(&octets), b"1").unwrap();
        assert_eq!(reply.status, status);
        let written = reply.to_message();
        assert_eq!(written.frames()[4..], frames(&[b"", b""]));
        assert_eq!(reply.into_verdict(), Verdict::Refuse(status.code()));

        let refusal = Reply::refuse(&request(Credentials::Null), status, "no").to_message();
        let expected: [&[u8]; 6] = [b"1.0", b"1", digits.as_bytes(), b"no", b"", b""];
        assert_eq!(refusal.frames(), frames(&expected));
    }
}

// spec: 27/malformed-reply, 27/request-id
#[test]
fn a_reply_spoilt_in_any_way_lets_nobody_in() {
    let long = [b'x'; 256];
    let huge = {
        let mut octets = b"\x01x\0\x01\0\0".to_vec();
        octets.resize(6 + 65_536, 0);
        octets
    };
    let spoilt: [(usize, &[&[u8]], ReplyError); 6] = [
        (0, &[b"1.1", b"", b"1.00", b"1"], ReplyError::Version),
        (1, &[b"2", b"", b"11"], ReplyError::RequestId),
        (
            2,
            &[
                b"", b"20", b"2000", b"299", b"200x", b"600", b"100", b" 200", b"\0\xc8",
            ],
            ReplyError::Status,
        ),
        (3, &[&long], ReplyError::Metadata),
        (4, &[&long], ReplyError::Metadata),
        (
            5,
            &[&HELLO[..14], b"\0", b"\x01x\xff\xff\xff\xff", &huge],
            ReplyError::Metadata,
        ),
    ];
    for (at, values, error) in spoilt {
        for value in values {
            let mut octets = GOOD;
            octets[at] = value;
            let met = Reply::parse(&frames(&octets), b"1");
            assert_eq!(
                met,
                Err(error),
                "frame {at}: {}",
                value[..value.len().min(9)].escape_ascii()
            );
        }
    }
    for count in 0..6 {
        let cut = Reply::parse(&frames(&GOOD[..count]), b"1");
        assert_eq!(cut, Err(ReplyError::Frames(count)));
    }
    let longer = [&GOOD[..], &[b""]].concat();
    let longer = frames(&longer);
    assert_eq!(Reply::parse(&longer, b"1"), Err(ReplyError::Frames(7)));
}

#[test]
fn a_delimited_reply_needs_its_delimiter() {
    let delimited = [&[&b""[..]], &GOOD[..]].concat();
    assert!(Reply::parse_delimited(&frames(&delimited), b"1").is_ok());
    let cases = [
        (frames(&GOOD), ReplyError::Frames(6)),
        (
            frames(&[&[&b"x"[..]], &GOOD[..]].concat()),
            ReplyError::Delimiter,
        ),
        (
            frames(&[&delimited[..], &[b""]].concat()),
            ReplyError::Frames(8),
        ),
        (frames(&[]), ReplyError::Frames(0)),
    ];
    for (frames, error) in cases {
        assert_eq!(Reply::parse_delimited(&frames, b"1"), Err(error));
    }
}

#[test]
fn errors_have_the_numbers_of_libzmq() {
    let errors = [
        ReplyError::Delimiter,
        ReplyError::Frames(1),
        ReplyError::RequestId,
        ReplyError::Version,
        ReplyError::Status,
        ReplyError::Metadata,
    ];
    for (number, error) in (0x2000_0000..).zip(errors) {
        assert_eq!(error.protocol_code(), number);
    }
}

#[test]
fn a_handler_cannot_change_what_the_protocol_knows_of_a_peer() {
    let mut reply = Reply::accept(&request(Credentials::Null), "joe");
    reply.metadata = Properties::from_iter([
        ("socket-type", "PUB"),
        ("Identity", "x"),
        ("USER-ID", "root"),
        ("Peer-Address", "x"),
        ("X-Role", "guest"),
    ]);
    let expected = Properties::from_iter([("User-Id", "joe"), ("X-Role", "guest")]);
    assert_eq!(reply.into_verdict(), Verdict::Accept(expected));
}

#[test]
fn a_router_answers_several_askers_each_by_its_own_id() {
    let ask = |router: &str, id: &str| {
        let asked = Request {
            id: id.to_owned().into(),
            ..request(Credentials::Null)
        };
        let mut message = Envelope::delimiter().wrap(asked.to_message());
        message.push_front(Frame::from(router));
        message
    };
    for (router, id) in [("a", "1"), ("b", "2")] {
        let message: Message = ask(router, id);
        let (envelope, content) = Envelope::split(&message).unwrap();
        let request = Request::parse(content).unwrap();
        let mut answer = envelope.wrap(Reply::accept(&request, "").to_message());
        assert_eq!(answer.pop_front().unwrap(), router);
        assert_eq!(Reply::id_of(&answer.frames()[1..]).unwrap(), id);
        assert!(Reply::parse_delimited(answer.frames(), id.as_bytes()).is_ok());
        assert!(Reply::parse_delimited(answer.frames(), b"3").is_err());
    }
}
