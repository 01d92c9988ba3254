//! NULL as the other side sees it, with and without an authenticator.

use zmtp_mech_null::Null;
use zmtp_wire::{
    Credentials, Error, Event, Mechanism, Properties, Refused, Session, SessionConfig, SocketType,
    Step, Time, Verdict,
};

const NOW: Time = Time::from_millis(0);
const READY: &[u8] = b"\x04\x1a\x05READY\x0bSocket-Type\x00\x00\x00\x04PULL";
const ERROR_400: &[u8] = b"\x04\x0a\x05ERROR\x03400";
const ERROR_500: &[u8] = b"\x04\x0a\x05ERROR\x03500";

fn greeting() -> Vec<u8> {
    let mut octets = b"\xff\0\0\0\0\0\0\0\x01\x7f\x03\x01NULL".to_vec();
    octets.resize(64, 0);
    octets
}

/// A PUSH that asks its owner, after the greeting.
fn asked() -> Session {
    let mechanism = Null::new().with_authentication(true);
    let mut session = Session::new(
        SessionConfig::new(SocketType::Push),
        Box::new(mechanism),
        NOW,
    );
    let event = session.handle_input(NOW, &mut &greeting()[..]).unwrap();
    assert_eq!(event, Some(Event::Authenticate(Credentials::Null)));
    assert_eq!(said(&mut session).len(), 64, "READY waits for the verdict");
    session
}

fn said(session: &mut Session) -> Vec<u8> {
    let octets: Vec<u8> = session.output_chunks().flatten().copied().collect();
    session.output_written(octets.len());
    octets
}

// spec: 27/null-credentials, 37/null-traffic-after-ready
#[test]
fn an_accepted_peer_gets_ready_and_its_user_id() {
    let mut session = asked();
    let vouched = Properties::from_iter([("User-Id", "joe")]);
    assert_eq!(
        session.handle_verdict(Verdict::Accept(vouched), NOW),
        Ok(None)
    );
    assert!(said(&mut session).starts_with(b"\x04\x1a\x05READY"));
    let event = session.handle_input(NOW, &mut &READY[..]).unwrap();
    let Some(Event::Ready(peer)) = event else {
        panic!("{event:?}")
    };
    let properties: Vec<_> = peer
        .properties
        .iter()
        .map(|(name, value)| (name, &value[..]))
        .collect();
    assert_eq!(
        properties,
        [("Socket-Type", &b"PULL"[..]), ("User-Id", b"joe")]
    );
}

#[test]
fn a_peer_cannot_say_what_is_said_about_it() {
    let forged = b"\x04\x3b\x05READY\x0bSocket-Type\x00\x00\x00\x04PULL\x07USER-ID\x00\x00\x00\x05admin\x06X-Role\x00\x00\x00\x05admin";
    for vouched in [
        Properties::new(),
        Properties::from_iter([("User-Id", "joe"), ("x-role", "guest")]),
    ] {
        let mut session = asked();
        assert_eq!(
            session.handle_verdict(Verdict::Accept(vouched.clone()), NOW),
            Ok(None)
        );
        let Ok(Some(Event::Ready(peer))) = session.handle_input(NOW, &mut &forged[..]) else {
            panic!("no READY")
        };
        assert_eq!(peer.properties.get("User-Id"), vouched.get("User-Id"));
        let role = vouched.get("X-Role").map_or(&b"admin"[..], |role| role);
        assert_eq!(peer.properties.get("X-Role").unwrap(), role);
    }
}

#[test]
fn a_ready_that_came_before_the_verdict_counts_after_it() {
    let mut session = asked();
    assert_eq!(session.handle_input(NOW, &mut &READY[..]), Ok(None));
    assert_eq!(session.handle_verdict(Verdict::accept(), NOW), Ok(None));
    assert!(matches!(
        session.handle_input(NOW, &mut &[][..]),
        Ok(Some(Event::Ready(_)))
    ));
}

// spec: 27/status-200
#[test]
fn only_an_accepted_peer_ever_sees_ready() {
    for (status, told) in [
        (300, &b""[..]),
        (400, ERROR_400),
        (500, ERROR_500),
        (0, ERROR_500),
        (200, ERROR_500),
    ] {
        let mut session = asked();
        let refused = Error::Refused(Refused::ByVerdict(status));
        assert_eq!(
            session.handle_verdict(Verdict::Refuse(status), NOW),
            Err(refused)
        );
        assert_eq!(said(&mut session), told, "status {status}");
        assert_eq!(session.handle_input(NOW, &mut &READY[..]), Err(refused));
        assert_eq!(refused.is_transient(), status == 300);
    }
}

#[test]
fn a_verdict_nobody_asked_for_changes_nothing() {
    let mut session = Session::new(
        SessionConfig::new(SocketType::Push),
        Box::new(Null::new()),
        NOW,
    );
    assert_eq!(session.handle_verdict(Verdict::Refuse(400), NOW), Ok(None));
    let octets = [&greeting()[..], READY].concat();
    assert!(matches!(
        session.handle_input(NOW, &mut &octets[..]),
        Ok(Some(Event::Ready(_)))
    ));
}

#[test]
fn the_handshake_timer_runs_while_the_verdict_is_awaited() {
    let mut session = asked();
    assert_eq!(session.poll_timeout(), Some(Time::from_millis(30_000)));
    assert_eq!(
        session.handle_timeout(Time::from_millis(30_000)),
        Err(Error::HandshakeTimeout)
    );
    assert_eq!(
        session.handle_verdict(Verdict::accept(), NOW),
        Err(Error::HandshakeTimeout)
    );
}

#[test]
fn two_readys_are_one_too_many() {
    let mut null = Null::new();
    null.start(b"");
    assert!(matches!(null.poll(&mut Vec::new()), Step::Command));
    assert!(null.handle_command(b"\x05READY").is_ok());
    assert!(null.handle_command(b"\x05READY").is_err());
    assert!(Null::new().handle_command(b"\x05HELLO").is_err());
    assert!(Null::new().handle_command(b"").is_err());
}
