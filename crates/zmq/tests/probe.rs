//! What a probe says about peers of every kind, and that it leaves them as they were.
#![cfg(feature = "curve")]

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::time::Duration;

use zmq::monitor::Happening;
use zmq::probe::{Finding, Foreign, Report, probe};
use zmq::{Auth, Context, Security, blocking};
use zmq_testkit::speaker::{
    self, curve_server, keys, plain_server, saying, secured, serve, speak, speaking,
};
use zmtp_mech_null::Null;
use zmtp_wire::{Session, SessionConfig, SocketType, Time, Verdict, Version};

/// Long enough that nothing is missed.
const PATIENCE: Duration = Duration::from_secs(20);
/// For those who never answer.
const SHORT: Duration = Duration::from_millis(200);

fn nobody() -> Security {
    Security::none()
}

fn plain(user: &str, password: &str) -> Security {
    Security::plain_client(user, password)
}

fn curve(server: u8) -> Security {
    Security::curve_client(keys(server).public(), keys(2))
}

fn look(endpoint: &str, security: &Security) -> Report {
    probe(endpoint, security, PATIENCE).unwrap()
}

#[track_caller]
fn finds(endpoint: &str, security: &Security, finding: Finding) -> Report {
    let report = look(endpoint, security);
    assert_eq!(report.finding, finding, "{report:?}");
    report
}

#[test]
fn every_socket_type_is_known_by_name() {
    let context = &Context::new();
    macro_rules! each {
        ($($socket:ident $name:literal)+) => {$(
            let socket = blocking::$socket::new(context);
            let endpoint = socket.bind("tcp://127.0.0.1:0").unwrap();
            let report = finds(endpoint.as_str(), &nobody(), Finding::Zmtp);
            assert_eq!(report.socket_type.as_deref(), Some($name));
            assert_eq!(report.version, Some((3, 1)));
            assert_eq!(report.mechanism.as_deref(), Some("NULL"));
            assert_eq!(report.as_server, Some(false));
            assert_eq!(report.detail, None);
        )+};
    }
    each!(Push "PUSH" Pull "PULL" Pub "PUB" Sub "SUB" XPub "XPUB" XSub "XSUB" Req "REQ" Rep "REP"
          Dealer "DEALER" Router "ROUTER" Pair "PAIR");
}

#[test]
fn a_socket_gains_no_peer_by_being_probed() {
    let context = &Context::new();
    let push = blocking::Push::new(context);
    let endpoint = push.bind("tcp://127.0.0.1:0").unwrap();
    let mut monitor = push.monitor().unwrap();
    finds(endpoint.as_str(), &nobody(), Finding::Zmtp);
    loop {
        let event = monitor.next_timeout(PATIENCE).expect("it sees us leave");
        assert!(!matches!(event.what, Happening::Ready { .. }), "{event:?}");
        if matches!(event.what, Happening::Closed { .. }) {
            break;
        }
    }
    let pull = blocking::Pull::new(context);
    pull.connect(&endpoint).unwrap();
    push.send_timeout("precious", PATIENCE).unwrap();
    assert_eq!(
        pull.recv_timeout(PATIENCE).unwrap(),
        zmq::Message::from("precious")
    );
}

#[test]
fn a_peer_behind_a_path_is_found() {
    let path = std::env::temp_dir().join(format!("zmq-probe-{}.sock", std::process::id()));
    let endpoint = format!("ipc://{}", path.display());
    finds(&endpoint, &nobody(), Finding::NothingListens);
    let context = &Context::new();
    let pull = blocking::Pull::new(context);
    pull.bind(&endpoint).unwrap();
    let report = finds(&endpoint, &nobody(), Finding::Zmtp);
    assert_eq!(report.socket_type.as_deref(), Some("PULL"));
}

#[test]
fn older_versions_are_recognised() {
    let mut config = SessionConfig::new(SocketType::Pub);
    config.max_version = Version::V3_0;
    let endpoint = speaking(config, None, || Box::new(Null::new()));
    let report = finds(&endpoint, &nobody(), Finding::Zmtp);
    assert_eq!(report.version, Some((3, 0)));
    assert_eq!(report.socket_type.as_deref(), Some("PUB"));

    let v2 = saying(b"\xff\0\0\0\0\0\0\0\x01\x7f\x01\x07\0\0");
    let report = finds(&v2, &nobody(), Finding::Zmtp);
    assert_eq!(report.version, Some((2, 0)));
    assert_eq!(report.socket_type.as_deref(), Some("PULL"));

    let v1 = saying(b"\x01\0");
    let report = finds(&v1, &nobody(), Finding::Zmtp);
    assert_eq!(report.version, Some((1, 0)));
    assert_eq!((report.mechanism, report.socket_type), (None, None));

    for endpoint in [v2, v1] {
        finds(&endpoint, &curve(1), Finding::OtherMechanism);
    }
}

#[test]
fn an_old_peer_is_not_told_enough_to_take_us_for_a_peer() {
    for (greeting, most) in [
        (&b"\xff\0\0\0\0\0\0\0\x01\x7f\x01\x07\0\0"[..], 11),
        (b"\x01\0", 10),
    ] {
        let (tell, told) = std::sync::mpsc::channel();
        let endpoint = serve(move |mut stream| {
            stream.write_all(greeting).unwrap();
            let mut heard = Vec::new();
            let _ = stream.read_to_end(&mut heard);
            let _ = tell.send(heard.len());
        });
        finds(&endpoint, &nobody(), Finding::Zmtp);
        let heard = told.recv_timeout(PATIENCE).unwrap();
        assert!(heard <= most, "{heard} octets");
    }
}

#[test]
fn other_protocols_are_named() {
    for (said, foreign) in [
        (&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], Foreign::Http),
        (b"SSH-2.0-OpenSSH_9.2\r\n", Foreign::Ssh),
        (b"\x15\x03\x03\0\x02\x02\x46", Foreign::Tls),
        (b"220 mail.example.org ESMTP\r\n", Foreign::Smtp),
    ] {
        let report = finds(&saying(said), &nobody(), Finding::Foreign(foreign));
        assert_eq!(report.version, None);
    }
}

#[test]
fn silence_and_hanging_up_are_told_apart() {
    let report = probe(&saying(b""), &nobody(), SHORT).unwrap();
    assert_eq!(report.finding, Finding::Silent);
    let report = probe(&saying(b"\xff\0\0\0"), &nobody(), SHORT).unwrap();
    assert_eq!(report.finding, Finding::Silent);
    finds(&serve(drop), &nobody(), Finding::Closed);
    let partial = serve(|mut stream| stream.write_all(b"\xff\0\0").unwrap());
    finds(&partial, &nobody(), Finding::Closed);
}

#[test]
fn where_nobody_is_that_is_told() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("tcp://{}", listener.local_addr().unwrap());
    drop(listener);
    let report = finds(&endpoint, &nobody(), Finding::NothingListens);
    let target = endpoint.strip_prefix("tcp://");
    assert_eq!(report.target.as_deref(), target);
    assert!(report.detail.is_some());
    let unknown = "tcp://no-such-host.invalid:5555";
    finds(unknown, &nobody(), Finding::NotResolved);
}

#[test]
fn a_peer_that_breaks_the_rules_is_told_with_the_rule() {
    let said = [&greeting(b"NULL")[..], b"\x04\x06\x05HELLO"].concat();
    let report = finds(&saying(said), &nobody(), Finding::Broken);
    assert!(report.detail.unwrap().contains("broke the protocol"));
}

#[test]
fn a_secured_peer_tells_its_mechanism_to_anybody() {
    let endpoint = curve_server(SocketType::Rep, None);
    let report = finds(&endpoint, &nobody(), Finding::Zmtp);
    assert_eq!(report.mechanism.as_deref(), Some("CURVE"));
    assert_eq!(report.as_server, Some(true));
    assert_eq!(report.socket_type, None);
    finds(&endpoint, &plain("a", "b"), Finding::OtherMechanism);
    let report = finds(&plain_server(None), &curve(1), Finding::OtherMechanism);
    assert_eq!(report.mechanism.as_deref(), Some("PLAIN"));
}

fn greeting(mechanism: &[u8]) -> Vec<u8> {
    let mut greeting = b"\xff\0\0\0\0\0\0\0\x01\x7f\x03\x01".to_vec();
    greeting.extend(mechanism);
    greeting.resize(64, 0);
    greeting
}

/// libzmq reads our mechanism, closes, and has never told its own, unless it was given time to.
#[test]
fn a_peer_that_closes_at_another_mechanism_can_tell_its_own_first() {
    let endpoint = serve(|mut stream| {
        stream.write_all(&greeting(b"CURVE")[..11]).unwrap();
        let mut heard = [0; 64];
        stream.read_exact(&mut heard[..10]).unwrap();
        if stream.read(&mut heard).unwrap() == 1 {
            stream.write_all(&greeting(b"CURVE")[11..]).unwrap();
            let _ = stream.read_to_end(&mut Vec::new());
        }
    });
    let report = finds(&endpoint, &nobody(), Finding::Zmtp);
    assert_eq!(report.mechanism.as_deref(), Some("CURVE"));
    finds(&endpoint, &plain("a", "b"), Finding::OtherMechanism);
}

#[test]
fn a_peer_that_waits_for_all_of_our_greeting_gets_it() {
    let endpoint = serve(|mut stream| {
        stream.write_all(&greeting(b"CURVE")[..11]).unwrap();
        stream.read_exact(&mut [0; 64]).unwrap();
        stream.write_all(&greeting(b"CURVE")[11..]).unwrap();
        let _ = stream.read_to_end(&mut Vec::new());
    });
    let report = finds(&endpoint, &nobody(), Finding::Zmtp);
    assert_eq!(report.mechanism.as_deref(), Some("CURVE"));
}

#[test]
fn what_plain_says_of_credentials_is_told() {
    let ann = &plain("ann", "xyzzy");
    finds(
        &plain_server(Some(Verdict::accept())),
        ann,
        Finding::Admitted,
    );
    for status in [400, 500] {
        let endpoint = plain_server(Some(Verdict::Refuse(status)));
        finds(&endpoint, ann, Finding::Denied(Some(status)));
    }
    let report = probe(&plain_server(None), ann, SHORT).unwrap();
    assert_eq!(report.finding, Finding::Unanswered);
    finds(
        &plain_server(Some(Verdict::Refuse(300))),
        ann,
        Finding::RejectedHello,
    );
    let client = speaking(secured(SocketType::Rep), None, || {
        Box::new(zmtp_mech_plain::Client::new(b"bob", b"").unwrap())
    });
    finds(&client, ann, Finding::AlsoClient);
}

#[test]
fn what_curve_says_of_keys_is_told() {
    for (kind, name) in [
        (SocketType::Rep, "REP"),
        (SocketType::Router, "ROUTER"),
        (SocketType::Pull, "PULL"),
        (SocketType::Pub, "PUB"),
        (SocketType::XSub, "XSUB"),
    ] {
        let endpoint = curve_server(kind, Some(Verdict::accept()));
        let report = finds(&endpoint, &curve(1), Finding::Admitted);
        assert_eq!(report.socket_type.as_deref(), Some(name));
        assert_eq!(report.mechanism.as_deref(), Some("CURVE"));
    }
    let endpoint = curve_server(SocketType::Pull, Some(Verdict::accept()));
    finds(&endpoint, &curve(9), Finding::RejectedHello);
    for status in [400, 500] {
        let endpoint = curve_server(SocketType::Rep, Some(Verdict::Refuse(status)));
        finds(&endpoint, &curve(1), Finding::Denied(Some(status)));
    }
    let report = probe(&curve_server(SocketType::Rep, None), &curve(1), SHORT).unwrap();
    assert_eq!(report.finding, Finding::Unanswered);
}

/// libzmq looks at the socket type before it asks anybody, and closes; ours looks when the keys are found good.
#[test]
fn no_socket_that_would_send_us_messages_is_made_a_peer() {
    for kind in [
        SocketType::Push,
        SocketType::Dealer,
        SocketType::Req,
        SocketType::Pair,
    ] {
        let (tell, told) = std::sync::mpsc::channel();
        let endpoint = serve(move |stream| {
            let session = Session::new(secured(kind), speaker::curve(), Time::from_millis(0));
            let _ = tell.send(speak(stream, session, Some(&Verdict::accept())));
        });
        let report = finds(&endpoint, &curve(1), Finding::Admitted);
        assert_eq!(report.socket_type.as_deref(), Some(kind.name()));
        let made_a_peer = told.recv_timeout(PATIENCE).unwrap();
        assert!(!made_a_peer, "{kind:?}");
    }
}

#[test]
fn a_curve_server_that_hangs_up_on_every_type_is_told() {
    // Without a word, as with status 300.
    let endpoint = curve_server(SocketType::Push, Some(Verdict::Refuse(300)));
    finds(&endpoint, &curve(1), Finding::RejectedInitiate);
}

#[test]
fn what_cannot_be_probed_is_an_error() {
    for endpoint in ["5555", "inproc://a", "tcp://127.0.0.1:*", "quic://a:1"] {
        let error = probe(endpoint, &nobody(), PATIENCE).unwrap_err();
        assert!(error.to_string().contains(endpoint), "{error}");
    }
    let server = Security::plain_server(Auth::handler());
    let error = probe("tcp://127.0.0.1:1", &server, PATIENCE).unwrap_err();
    assert!(error.to_string().contains("PLAIN, as server"), "{error}");
}
