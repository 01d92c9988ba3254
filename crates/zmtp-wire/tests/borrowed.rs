//! The session without an allocator.

mod scripted;

use scripted::*;
use zmtp_mech_null::BorrowedNull;
use zmtp_wire::borrowed::{Buffers, Config, Event, Session};
use zmtp_wire::{
    Error, Foreign, Heartbeat, Incompatible, Misbehaved, NoRoom, Refused, SocketType, Version,
};

type Null<'b> = Session<'b, BorrowedNull>;

fn session<'b>(kind: SocketType, input: &'b mut [u8], output: &'b mut [u8]) -> Null<'b> {
    Session::new(
        Config::new(kind),
        BorrowedNull::new(),
        Buffers { input, output },
        at(0),
    )
}

/// What the session says now.
fn said(session: &mut Null<'_>) -> String {
    let text = hex(session.output());
    session.output_written(usize::MAX);
    text
}

/// Says these octets; each event as text.
fn say(session: &mut Null<'_>, octets: &[u8]) -> Result<Vec<String>, Error> {
    let (mut rest, mut seen) = (octets, Vec::new());
    while let Some(event) = session.handle_input(at(0), &mut rest)? {
        seen.push(match event {
            Event::Ready(peer) => format!(
                "{:?} {:?} {}",
                peer.version,
                peer.socket_type,
                hex(peer.routing_id)
            ),
            Event::Frame { body, more } => {
                format!("{}{}", hex(body), if more { " .." } else { "" })
            }
            Event::Subscribe(topic) => format!("+{}", hex(topic)),
            Event::Cancel(topic) => format!("-{}", hex(topic)),
            _ => "?".into(),
        });
    }
    assert!(rest.is_empty());
    Ok(seen)
}

#[test]
fn it_says_what_the_larger_session_says() {
    let (mut input, mut output) = ([0; 256], [0; 256]);
    let mut small = session(SocketType::Dealer, &mut input, &mut output);
    let mut large = Script::of(SocketType::Dealer);
    for part in [&greeting(1)[..10], &greeting(1)[10..11], &greeting(1)[11..]] {
        assert_eq!(said(&mut small), hex(&large.heard()));
        say(&mut small, part).unwrap();
        large.say(part);
    }
    assert_eq!(said(&mut small), hex(&large.heard()));
    let ready = ready_with(&[("Socket-Type", b"ROUTER"), ("Identity", b"BOB")]);
    assert_eq!(
        say(&mut small, &ready).unwrap(),
        ["V3_1 Some(Router) 42 4f 42"]
    );
    large.say(&ready);
    small.send(b"", true).unwrap();
    small.send(b"hi", false).unwrap();
    large.send(&[b"", b"hi"]);
    assert_eq!(said(&mut small), hex(&large.heard()));
    assert_eq!(
        say(&mut small, &wire("01 00 00 02 'hi'")).unwrap(),
        [" ..", "68 69"]
    );
}

#[test]
fn subscriptions_follow_the_version_of_the_peer() {
    for (minor, expected) in [
        (1, wire("04 0b 09 'SUBSCRIBEA' 04 08 06 'CANCELA'")),
        (0, wire("00 02 01 'A' 00 02 00 'A'")),
    ] {
        let (mut input, mut output) = ([0; 256], [0; 256]);
        let mut sub = session(SocketType::Sub, &mut input, &mut output);
        say(&mut sub, &[greeting(minor), ready("PUB")].concat()).unwrap();
        said(&mut sub);
        sub.subscribe(b"A").unwrap();
        sub.cancel(b"A").unwrap();
        assert_eq!(said(&mut sub), hex(&expected));
        let (mut input, mut output) = ([0; 256], [0; 256]);
        let mut publisher = session(SocketType::Pub, &mut input, &mut output);
        let seen = say(
            &mut publisher,
            &[greeting(minor), ready("SUB"), expected].concat(),
        )
        .unwrap();
        assert_eq!(seen[1..], ["+41", "-41"]);
    }
}

#[test]
fn what_does_not_fit_is_refused_and_leaves_no_trace() {
    let (mut input, mut output) = ([0; 64], [0; 128]);
    let mut pair = session(SocketType::Pair, &mut input, &mut output);
    assert_eq!(pair.send(b"early", false), Err(NoRoom));
    say(&mut pair, &[greeting(1), ready("PAIR")].concat()).unwrap();
    said(&mut pair);
    assert_eq!(pair.send(&[7; 127], false), Err(NoRoom));
    assert_eq!(said(&mut pair), "");
    pair.send(&[7; 126], false).unwrap();
    assert_eq!(pair.send(b"", false), Err(NoRoom));
    assert_eq!(pair.output().len(), 128);
    assert_eq!(
        say(&mut pair, &frame(0, &[1; 65])),
        Err(Misbehaved::FrameTooLarge(65).into())
    );
}

#[test]
fn a_flood_of_pings_leaves_one_answer_waiting() {
    let (mut input, mut output) = ([0; 256], [0; 256]);
    let mut pair = session(SocketType::Pair, &mut input, &mut output);
    say(&mut pair, &[greeting(1), ready("PAIR")].concat()).unwrap();
    said(&mut pair);
    for _ in 0..5 {
        say(&mut pair, &wire("04 0a 04 'PING' 00 00 'ctx'")).unwrap();
    }
    assert_eq!(said(&mut pair), hex(&wire("04 08 04 'PONGctx'")));
    say(&mut pair, &wire("04 07 04 'PING' 00 03")).unwrap();
    assert_eq!(said(&mut pair), hex(&wire("04 05 04 'PONG'")));
    assert_eq!(pair.poll_timeout(), Some(at(300)));
    assert_eq!(pair.handle_timeout(at(300)), Err(Error::TtlExpired));
}

#[test]
fn heartbeats_are_sent_and_missed() {
    let (mut input, mut output) = ([0; 256], [0; 256]);
    let heartbeat = Some(Heartbeat {
        interval_ms: 100,
        timeout_ms: 50,
        ttl_ms: 1000,
    });
    let config = Config {
        heartbeat,
        ..Config::new(SocketType::Pair)
    };
    let buffers = Buffers {
        input: &mut input,
        output: &mut output,
    };
    let mut pair = Session::new(config, BorrowedNull::new(), buffers, at(0));
    say(&mut pair, &[greeting(1), ready("PAIR")].concat()).unwrap();
    said(&mut pair);
    pair.handle_timeout(at(100)).unwrap();
    assert_eq!(said(&mut pair), hex(&wire("04 07 04 'PING' 00 0a")));
    pair.handle_timeout(at(100)).unwrap();
    assert_eq!(pair.poll_timeout(), Some(at(150)));
    assert_eq!(pair.handle_timeout(at(150)), Err(Error::HeartbeatTimeout));
}

#[test]
fn peers_that_do_not_fit_are_turned_away() {
    let cases: &[(Vec<u8>, Error)] = &[
        (
            [greeting(1), ready("PUB")].concat(),
            Incompatible::SocketType(Some(SocketType::Pub)).into(),
        ),
        (
            [greeting(1), command(b"\x05ERROR\x03400")].concat(),
            Refused::ByPeer(Some(400)).into(),
        ),
        (
            [greeting(1), command(&[7; 257])].concat(),
            Misbehaved::CommandTooLarge(257).into(),
        ),
        (
            b"GET / HTTP/1.1".to_vec(),
            Incompatible::LooksLike(Foreign::Http).into(),
        ),
        (wire("01 00"), Incompatible::Version(Version::V1).into()),
    ];
    for (octets, error) in cases {
        let (mut input, mut output) = ([0; 256], [0; 256]);
        let mut pair = session(SocketType::Pair, &mut input, &mut output);
        assert_eq!(say(&mut pair, octets), Err(*error));
        assert_eq!(say(&mut pair, b"x"), Err(*error), "the end is final");
    }
    let (mut input, mut output) = ([0; 256], [0; 256]);
    let mut pair = session(SocketType::Pair, &mut input, &mut output);
    assert_eq!(
        pair.handle_timeout(at(30_000)),
        Err(Error::HandshakeTimeout)
    );
}
