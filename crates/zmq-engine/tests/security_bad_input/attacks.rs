//! What strangers do wrong at secured sockets, and what it is called.

use zmq_engine::curve::{KeyPair, SecretKey};
use zmq_engine::wire::{Error, Incompatible, Misbehaved};
use zmq_engine::{CloseReason, Security};
use zmq_testkit::octets::{command, frame, greeting, header, message, opening};
use zmq_testkit::script::TcpPeer;

use crate::hall::{Hall, hall, plain};
use crate::support::stranger::{Sealed, client_keys, greet, metadata, plain_hello, server_keys};
use crate::support::{PATIENCE, until_connected};

type Judge = fn(&CloseReason) -> bool;

macro_rules! is {
    ($pattern:pat) => {
        |reason: &CloseReason| matches!(reason, CloseReason::Protocol($pattern))
    };
}

/// What a stranger does, and how it has to end.
type Attack = (&'static str, fn(&mut TcpPeer), Judge);

/// Against a server of either mechanism.
const ANY: [Attack; 5] = [
    (
        "NULL",
        |peer| peer.say(&opening("PUSH")),
        is!(Error::Incompatible(Incompatible::Mechanism { .. })),
    ),
    (
        "another mechanism",
        |peer| peer.say(&greeting(1, "GSSAPI", false)),
        is!(Error::Incompatible(Incompatible::Mechanism { .. })),
    ),
    (
        "ZMTP 2.0",
        |peer| peer.say(b"\xFF\0\0\0\0\0\0\0\x01\x7F\x01\x08\x00\x00"),
        is!(Error::Incompatible(_)),
    ),
    (
        "ZMTP 1.0",
        |peer| peer.say(b"\x01\x00\x03\x00hi"),
        is!(Error::Incompatible(_)),
    ),
    (
        "http",
        |peer| peer.say(b"GET / HTTP/1.1\r\n\r\n"),
        is!(Error::Incompatible(_)),
    ),
];

fn say_after(peer: &mut TcpPeer, mechanism: &str, octets: &[u8]) {
    greet(peer, mechanism);
    peer.say(octets);
}

const PLAIN: [Attack; 9] = [
    (
        "INITIATE first",
        |peer| say_after(peer, "PLAIN", &command("INITIATE", &metadata("PUSH", 0))),
        is!(Error::Misbehaved(_)),
    ),
    (
        "READY first",
        |peer| say_after(peer, "PLAIN", &command("READY", &metadata("PUSH", 0))),
        is!(Error::Misbehaved(_)),
    ),
    (
        "a message first",
        |peer| say_after(peer, "PLAIN", &message(b"let me in")),
        is!(Error::Misbehaved(_)),
    ),
    (
        "WELCOME to the server",
        |peer| say_after(peer, "PLAIN", &command("WELCOME", b"")),
        is!(Error::Misbehaved(_)),
    ),
    (
        "a HELLO without a password",
        |peer| say_after(peer, "PLAIN", &command("HELLO", b"\x03eve")),
        is!(Error::Misbehaved(Misbehaved::Malformed(_))),
    ),
    (
        "a HELLO with a length beyond its end",
        |peer| say_after(peer, "PLAIN", &command("HELLO", b"\x03eve\xFFx")),
        is!(Error::Misbehaved(Misbehaved::Malformed(_))),
    ),
    (
        "a HELLO with more behind it",
        |peer| say_after(peer, "PLAIN", &command("HELLO", b"\x01e\x01pmore")),
        is!(Error::Misbehaved(Misbehaved::Malformed(_))),
    ),
    (
        "a command that is too large",
        |peer| say_after(peer, "PLAIN", &header(4, 8 * 1024 + 1)),
        is!(Error::Misbehaved(Misbehaved::CommandTooLarge(8_193))),
    ),
    (
        "too much before the verdict",
        |peer| {
            say_after(peer, "PLAIN", &plain_hello(b"eve", b"guess"));
            peer.say(&[b'x'; 8_300]);
        },
        is!(Error::Misbehaved(Misbehaved::TooEager(_))),
    ),
];

fn sealed() -> Sealed {
    Sealed::new(client_keys(), server_keys().public(), &metadata("PUSH", 0))
}

/// The last octet of a frame, spoilt.
fn spoilt(mut octets: Vec<u8>) -> Vec<u8> {
    if let Some(last) = octets.last_mut() {
        *last ^= 1;
    }
    octets
}

const FORGED: Judge = is!(Error::Misbehaved(Misbehaved::Cryptographic));

const CURVE: [Attack; 10] = [
    (
        "a HELLO for another key",
        |peer| {
            let other = KeyPair::new(SecretKey::from_octets([9; 32]));
            let mut client = Sealed::new(client_keys(), other.public(), b"");
            say_after(peer, "CURVE", &client.next());
        },
        |reason| *reason == CloseReason::OtherServerKey,
    ),
    (
        "a spoilt HELLO",
        |peer| say_after(peer, "CURVE", &spoilt(sealed().next())),
        |reason| *reason == CloseReason::OtherServerKey,
    ),
    (
        "a HELLO with a key of low order",
        |peer| {
            let mut hello = sealed().next();
            hello[82..114].fill(0);
            say_after(peer, "CURVE", &hello);
        },
        |reason| *reason == CloseReason::OtherServerKey,
    ),
    (
        "a short HELLO",
        |peer| {
            let hello = sealed().next();
            say_after(peer, "CURVE", &frame(4, &hello[2..201]));
        },
        is!(Error::Misbehaved(Misbehaved::Malformed(_))),
    ),
    (
        "a second HELLO",
        |peer| {
            greet(peer, "CURVE");
            sealed().hello(peer);
            peer.say(&sealed().next());
        },
        is!(Error::Misbehaved(_)),
    ),
    (
        "an INITIATE of another connection",
        |peer| {
            greet(peer, "CURVE");
            let mut one = sealed();
            let hello = one.next();
            peer.say(&hello);
            one.hear(peer);
            let mut initiate = one.next();
            // Another cookie is another connection's.
            initiate[20] ^= 1;
            peer.say(&initiate);
        },
        FORGED,
    ),
    (
        "a spoilt INITIATE",
        |peer| {
            greet(peer, "CURVE");
            let mut client = sealed();
            client.hello(peer);
            peer.say(&spoilt(client.next()));
        },
        FORGED,
    ),
    (
        "a message in the clear after WELCOME",
        |peer| {
            greet(peer, "CURVE");
            sealed().hello(peer);
            peer.say(&message(b"let me in"));
        },
        is!(Error::Misbehaved(_)),
    ),
    (
        "an INITIATE that is too large",
        |peer| {
            greet(peer, "CURVE");
            sealed().hello(peer);
            peer.say(&header(4, 8 * 1024 + 1));
        },
        is!(Error::Misbehaved(Misbehaved::CommandTooLarge(8_193))),
    ),
    (
        "a message in the clear first",
        |peer| say_after(peer, "CURVE", &message(b"let me in")),
        is!(Error::Misbehaved(_)),
    ),
];

fn try_all(hall: &Hall, attacks: &[Attack]) {
    let mut faults = Vec::new();
    for (name, act, judge) in attacks {
        let mut stranger = hall.stranger();
        act(&mut stranger);
        let reason = hall.ends();
        stranger.until_end();
        if !judge(&reason) {
            faults.push(format!("{name}: {reason:?}"));
        }
        hall.assert_unharmed();
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn whatever_is_wrong_at_a_plain_server_ends_that_connection_only() {
    let hall = plain();
    try_all(&hall, &ANY);
    try_all(&hall, &PLAIN);
}

#[test]
fn whatever_is_wrong_at_a_curve_server_ends_that_connection_only() {
    let hall = hall(Security::curve_server(server_keys()), PATIENCE);
    try_all(&hall, &ANY);
    try_all(&hall, &CURVE);
}

#[test]
fn what_was_said_on_one_connection_opens_no_other() {
    let hall = hall(Security::curve_server(server_keys()), PATIENCE);
    let mut victim = hall.stranger();
    greet(&mut victim, "CURVE");
    let mut client = sealed();
    let hello = client.next();
    victim.say(&hello);
    client.hear(&mut victim);
    let initiate = client.next();
    // Whoever recorded both says them again, before the victim does.
    let mut thief = hall.stranger();
    greet(&mut thief, "CURVE");
    thief.say(&hello);
    thief.frame().expect("a WELCOME the thief cannot open");
    thief.say(&initiate);
    assert!(FORGED(&hall.ends()));
    thief.until_end();
    hall.assert_unharmed();
    victim.say(&initiate);
    let question = hall.asked();
    hall.answer(&question, question.number, "200");
    client.hear(&mut victim);
    until_connected(&hall.server, 1);
}

#[test]
fn a_type_that_does_not_fit_is_refused_behind_a_mechanism_too() {
    let hall = plain();
    let mut stranger = hall.asking();
    let question = hall.asked();
    hall.answer(&question, question.number, "200");
    stranger.frame().expect("WELCOME");
    stranger.say(&command("INITIATE", &metadata("PUB", 0)));
    let reason = hall.ends();
    assert!(
        is!(Error::Incompatible(Incompatible::SocketType(_)))(&reason),
        "{reason:?}"
    );
    hall.assert_unharmed();
}
