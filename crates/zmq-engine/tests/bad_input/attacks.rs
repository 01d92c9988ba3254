//! What is wrong in a known way, and what it is called.

use std::time::Duration;

use zmq_engine::wire::{CommandName, Error, Foreign, Incompatible, Misbehaved};
use zmq_engine::{CloseReason, Context, Happening, MonitorItem, Socket, SocketType};
use zmq_testkit::octets::{command, frame, greeting, header, message, opening, ping, property};
use zmq_testkit::script::TcpPeer;

use crate::hall::{Hall, PATIENCE, TYPES, narrow, partner};

/// A type that does not.
fn misfit(kind: SocketType) -> SocketType {
    match kind {
        SocketType::Pull | SocketType::Push => SocketType::Pub,
        _ => SocketType::Pull,
    }
}

type Judge = fn(&CloseReason) -> bool;

/// Something a stranger says, and how the connection has to end.
struct Attack {
    name: &'static str,
    octets: Vec<u8>,
    /// Whether the stranger says no more afterwards.
    finishes: bool,
    judge: Judge,
}

fn attack(name: &'static str, octets: impl Into<Vec<u8>>, judge: Judge) -> Attack {
    Attack {
        name,
        octets: octets.into(),
        finishes: false,
        judge,
    }
}

macro_rules! is {
    ($pattern:pat) => {
        |reason| matches!(reason, CloseReason::Protocol($pattern))
    };
}

/// What is wrong before the handshake ends, against a socket that speaks to `friend`.
fn openings(kind: SocketType) -> Vec<Attack> {
    let greeting = || greeting(1, "NULL", false);
    let after_greeting = |octets: Vec<u8>| [greeting(), octets].concat();
    let many: Vec<u8> = (0..300)
        .flat_map(|index| property(&format!("X-{index}"), b""))
        .collect();
    let typed = |name: &str| property("Socket-Type", name.as_bytes());
    let friend = partner(kind).name();
    vec![
        attack(
            "http",
            "GET /index.html HTTP/1.1\r\nHost: example\r\n\r\n",
            is!(Error::Incompatible(Incompatible::LooksLike(Foreign::Http))),
        ),
        attack(
            "tls",
            &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03abcdefgh"[..],
            is!(Error::Incompatible(Incompatible::LooksLike(Foreign::Tls))),
        ),
        attack(
            "ssh",
            "SSH-2.0-OpenSSH_9.6\r\n",
            is!(Error::Incompatible(Incompatible::LooksLike(Foreign::Ssh))),
        ),
        attack(
            "another mechanism",
            greeting_of("PLAIN"),
            is!(Error::Incompatible(Incompatible::Mechanism { .. })),
        ),
        attack(
            "an unknown mechanism",
            greeting_of("DOUBLE-ROT13"),
            is!(Error::Incompatible(Incompatible::Mechanism { .. })),
        ),
        attack(
            "an incompatible type",
            opening(misfit(kind).name()),
            is!(Error::Incompatible(Incompatible::SocketType(Some(_)))),
        ),
        attack(
            "an unknown type",
            opening("PUSHPULL"),
            is!(Error::Incompatible(Incompatible::SocketType(None))),
        ),
        attack(
            "a message before READY",
            after_greeting(message(b"let me in")),
            is!(Error::Misbehaved(_)),
        ),
        attack(
            "a command that is not READY",
            after_greeting(command("HELLO", b"world")),
            is!(Error::Misbehaved(_)),
        ),
        attack(
            "a large command",
            after_greeting(header(4, 9_000)),
            is!(Error::Misbehaved(Misbehaved::CommandTooLarge(9_000))),
        ),
        attack(
            "an absurd command",
            after_greeting([&[6][..], &[0xFF; 8]].concat()),
            is!(Error::Misbehaved(_)),
        ),
        attack(
            "too many properties",
            after_greeting(command("READY", &[typed(friend), many].concat())),
            is!(Error::Misbehaved(Misbehaved::TooManyProperties(_))),
        ),
        attack(
            "a routing id that is too long",
            after_greeting(command(
                "READY",
                &[typed(friend), property("Identity", &[1; 256])].concat(),
            )),
            is!(Error::Misbehaved(Misbehaved::RoutingId { length: 256 })),
        ),
        attack(
            "a type told twice",
            after_greeting(command("READY", &[typed(friend), typed(friend)].concat())),
            is!(Error::Misbehaved(_)),
        ),
        attack(
            "a nameless command",
            after_greeting(frame(4, b"")),
            is!(Error::Misbehaved(_)),
        ),
        attack(
            "PING before READY",
            after_greeting(ping(0, b"")),
            is!(Error::Misbehaved(_)),
        ),
    ]
}

fn greeting_of(mechanism: &str) -> Vec<u8> {
    greeting(1, mechanism, false)
}

/// What is wrong after a good handshake.
fn traffic(kind: SocketType) -> Vec<Attack> {
    let after = |octets: Vec<u8>| [opening(partner(kind).name()), octets].concat();
    vec![
        attack(
            "a frame of 2^63 octets",
            after([&[2][..], &[0x80, 0, 0, 0, 0, 0, 0, 0]].concat()),
            is!(Error::Misbehaved(Misbehaved::FrameLength(_))),
        ),
        attack(
            "a frame beyond the limit",
            after(header(0, 5_001)),
            is!(Error::Misbehaved(Misbehaved::FrameTooLarge(5_001))),
        ),
        attack(
            "a message beyond the limit",
            after(frame(1, &[7; 4_000]).repeat(6)),
            is!(Error::Misbehaved(Misbehaved::MessageTooLarge(_))),
        ),
        attack(
            "more parts than the limit",
            after(frame(1, b"x").repeat(70)),
            is!(Error::Misbehaved(Misbehaved::TooManyParts(_))),
        ),
        attack(
            "a command with more to follow",
            after({
                let mut octets = ping(0, b"");
                octets[0] |= 1;
                octets
            }),
            is!(Error::Misbehaved(Misbehaved::CommandWithMore)),
        ),
        attack(
            "a large command",
            after(header(4, 100_000)),
            is!(Error::Misbehaved(_)),
        ),
        attack(
            "PING without its time to live",
            after(command("PING", b"\x00")),
            is!(Error::Misbehaved(Misbehaved::Malformed(CommandName::Ping))),
        ),
    ]
}

/// Each stranger in turn; all that is wrong, over all of them.
fn try_all(hall: &Hall, attacks: Vec<Attack>) -> Vec<String> {
    let mut faults = Vec::new();
    for attack in attacks {
        let mut stranger = hall.stranger();
        stranger.say(&attack.octets);
        if attack.finishes {
            stranger.finish();
        }
        let (_, reason) = hall.end(attack.name);
        stranger.until_end();
        if !(attack.judge)(&reason) {
            let kind = hall.kind.name();
            faults.push(format!("{} against {kind}: {reason:?}", attack.name));
        }
    }
    faults
}

// spec: 37/greeting
#[test]
fn whatever_is_wrong_in_a_handshake_ends_that_connection_only() {
    let mut faults = Vec::new();
    for kind in TYPES {
        let mut hall = Hall::open(kind, narrow());
        faults.extend(try_all(&hall, openings(kind)));
        hall.assert_unharmed();
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn whatever_is_wrong_in_traffic_ends_that_connection_only() {
    let mut faults = Vec::new();
    for kind in TYPES {
        if kind == SocketType::Pair {
            // It has its one peer.
            continue;
        }
        let mut hall = Hall::open(kind, narrow());
        faults.extend(try_all(&hall, traffic(kind)));
        hall.assert_unharmed();
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn a_second_peer_of_a_pair_is_turned_away() {
    let mut hall = Hall::open(SocketType::Pair, narrow());
    let mut stranger = hall.stranger();
    stranger.say(&[opening("PAIR"), message(b"me too")].concat());
    let (was_ready, reason) = hall.end("a second peer");
    assert!(!was_ready);
    assert!(matches!(reason, CloseReason::Pattern(_)), "{reason:?}");
    stranger.until_end();
    hall.assert_unharmed();
}

#[test]
fn what_the_other_end_of_a_dialer_says_wrong_ends_that_attempt() {
    // The same strangers, as servers.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let endpoint = format!("tcp://{}", listener.local_addr().expect("an address"));
    let mut faults = Vec::new();
    for kind in TYPES {
        let attacks = openings(kind);
        let context = Context::new().expect("a context");
        for attack in attacks {
            let socket = Socket::open(&context, kind, narrow()).expect("a socket");
            let monitor = socket.monitor().expect("a monitor");
            socket.connect(&endpoint).expect("a good endpoint");
            let (stream, _) = listener.accept().expect("it dials");
            let mut stranger = TcpPeer::from_stream(stream).expect("a stream");
            stranger.say(&attack.octets);
            let reason = loop {
                match monitor.next_timeout(Some(PATIENCE)) {
                    MonitorItem::Event(event) => {
                        if let Happening::Closed { reason, .. } = event.what {
                            break reason;
                        }
                    }
                    other => panic!("{}: {other:?}", attack.name),
                }
            };
            if !(attack.judge)(&reason) {
                faults.push(format!("{} to {}: {reason:?}", attack.name, kind.name()));
            }
            stranger.until_end();
            assert_eq!(socket.counters().arrived, 0);
            socket.close(Some(Duration::ZERO));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
