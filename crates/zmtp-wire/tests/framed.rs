//! Sessions over transports that keep the boundaries of frames (RFC 45).

mod scripted;

use scripted::*;
use zmtp_mech_null::Null;
use zmtp_wire::{
    Error, Event, Message, Misbehaved, Session, SessionConfig, SocketType, Verdict, Version,
};

fn units(session: &mut Session) -> Vec<String> {
    std::iter::from_fn(|| session.poll_unit())
        .map(|unit| hex(&unit))
        .collect()
}

fn ready_unit(socket_type: &str) -> Vec<u8> {
    [&[2][..], &ready(socket_type)[2..]].concat()
}

// spec: 45/frames
#[test]
fn the_handshake_starts_without_a_greeting() {
    let config = SessionConfig::new(SocketType::Sub);
    let mut session = Session::framed(config, Box::new(Null::new()), at(0));
    assert_eq!(units(&mut session), [hex(&ready_unit("SUB"))]);
    let event = session.handle_unit(at(0), &ready_unit("PUB")).unwrap();
    assert!(matches!(event, Some(Event::Ready(peer)) if peer.socket_type == Some(SocketType::Pub)));
    // libzmq's publisher understands only this form of subscriptions over WebSocket.
    session.subscribe(b"A");
    session.cancel(b"A");
    session.send(&message(&[b"a", b"b"]));
    assert_eq!(
        units(&mut session),
        ["00 01 41", "00 00 41", "01 61", "00 62"]
    );
    assert_eq!(session.handle_unit(at(0), &wire("01 'a'")).unwrap(), None);
    assert_eq!(
        session.handle_unit(at(0), &wire("00 'b'")).unwrap(),
        Some(Event::Message(message(&[b"a", b"b"])))
    );
    assert_eq!(
        session.handle_unit(at(0), b""),
        Err(Misbehaved::EmptyUnit.into())
    );
}

#[test]
fn without_a_mechanism_the_routing_id_comes_first() {
    let config = SessionConfig {
        routing_id: "ME".into(),
        ..SessionConfig::new(SocketType::Dealer)
    };
    let mut session = Session::framed_bare(config, at(0));
    assert_eq!(units(&mut session), ["00 4d 45"]);
    let event = session.handle_unit(at(0), &wire("00 'BOB'")).unwrap();
    assert!(
        matches!(event, Some(Event::Ready(peer)) if peer.routing_id == "BOB" && peer.version == Version::V2)
    );
    assert_eq!(
        session.handle_unit(at(0), &wire("00 'hi'")).unwrap(),
        Some(Event::Message(Message::from("hi")))
    );
}

#[test]
fn units_before_the_verdict_wait_for_it() {
    let config = SessionConfig::new(SocketType::Pull);
    let mechanism = Null::new().with_authentication(true);
    let mut session = Session::framed(config, Box::new(mechanism), at(0));
    let mut nothing = &[][..];
    assert!(matches!(
        session.handle_input(at(0), &mut nothing),
        Ok(Some(Event::Authenticate(_)))
    ));
    assert_eq!(session.handle_unit(at(0), &ready_unit("PUSH")), Ok(None));
    assert_eq!(session.handle_unit(at(0), &wire("00 'hi'")), Ok(None));
    assert!(units(&mut session).is_empty());
    assert_eq!(session.handle_verdict(Verdict::accept(), at(0)), Ok(None));
    assert_eq!(units(&mut session).len(), 1);
    assert!(matches!(
        session.handle_input(at(0), &mut nothing),
        Ok(Some(Event::Ready(_)))
    ));
    assert_eq!(
        session.handle_input(at(0), &mut nothing),
        Ok(Some(Event::Message(Message::from("hi"))))
    );
    assert_eq!(session.handle_input(at(0), &mut nothing), Ok(None));
}

#[test]
fn units_keep_their_order_when_some_have_waited() {
    let mechanism = Null::new().with_authentication(true);
    let mut session = Session::framed(
        SessionConfig::new(SocketType::Pull),
        Box::new(mechanism),
        at(0),
    );
    let mut nothing = &[][..];
    assert!(session.handle_input(at(0), &mut nothing).unwrap().is_some());
    session.handle_unit(at(0), &ready_unit("PUSH")).unwrap();
    session.handle_unit(at(0), &wire("00 '1'")).unwrap();
    session.handle_verdict(Verdict::accept(), at(0)).unwrap();
    assert!(matches!(
        session.handle_unit(at(0), &wire("00 '2'")),
        Ok(Some(Event::Ready(_)))
    ));
    assert_eq!(
        session.handle_unit(at(0), &wire("00 '3'")),
        Ok(Some(Event::Message(Message::from("1"))))
    );
    for body in ["2", "3"] {
        assert_eq!(
            session.handle_input(at(0), &mut nothing),
            Ok(Some(Event::Message(Message::from(body))))
        );
    }
}

#[test]
fn the_handshake_timer_runs_here_too() {
    let mut session = Session::framed(
        SessionConfig::new(SocketType::Pull),
        Box::new(Null::new()),
        at(0),
    );
    assert_eq!(
        session.handle_timeout(at(30_000)),
        Err(Error::HandshakeTimeout)
    );
}
