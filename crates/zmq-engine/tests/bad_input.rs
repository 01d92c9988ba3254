//! Strangers over tcp, against every type of socket: their connection ends with a reason in the monitor, others do not notice,
//! and nothing of theirs is delivered.

use std::time::Duration;

use zmq_engine::wire::{CommandName, Error, Foreign, Incompatible, Misbehaved};
use zmq_engine::{
    CloseReason, Context, Happening, Limits, Message, Monitor, MonitorItem, Socket, SocketOptions,
    SocketType, Version,
};
use zmq_testkit::Dice;
use zmq_testkit::octets::{
    GREETING, command, frame, greeting, header, message, opening, ping, property, ready,
};
use zmq_testkit::script::TcpPeer;

const PATIENCE: Duration = Duration::from_secs(20);

const TYPES: [SocketType; 11] = [
    SocketType::Pair,
    SocketType::Pub,
    SocketType::Sub,
    SocketType::Req,
    SocketType::Rep,
    SocketType::Dealer,
    SocketType::Router,
    SocketType::Pull,
    SocketType::Push,
    SocketType::XPub,
    SocketType::XSub,
];

/// A type that talks to this one.
fn partner(kind: SocketType) -> SocketType {
    match kind {
        SocketType::Pub => SocketType::Sub,
        SocketType::Sub => SocketType::Pub,
        SocketType::Req => SocketType::Rep,
        SocketType::Rep => SocketType::Req,
        SocketType::Router => SocketType::Dealer,
        SocketType::Pull => SocketType::Push,
        SocketType::Push => SocketType::Pull,
        SocketType::XPub => SocketType::XSub,
        SocketType::XSub => SocketType::XPub,
        other => other,
    }
}

/// A type that does not.
fn misfit(kind: SocketType) -> SocketType {
    match kind {
        SocketType::Pull | SocketType::Push => SocketType::Pub,
        _ => SocketType::Pull,
    }
}

/// A bound socket, and an honest peer of it.
struct Hall {
    kind: SocketType,
    socket: Socket,
    monitor: Monitor,
    endpoint: String,
    honest: Socket,
    /// What the honest peer has sent.
    sent: u64,
    _context: Context,
}

fn wait_until(socket: &Socket, mut done: impl FnMut(&Socket) -> bool) {
    let waiter = socket.waiter();
    while !done(socket) {
        let fd = waiter.descriptor();
        let mut fds = [rustix::event::PollFd::new(
            &fd,
            rustix::event::PollFlags::IN,
        )];
        let limit = rustix::event::Timespec {
            tv_sec: 20,
            tv_nsec: 0,
        };
        let found = rustix::event::poll(&mut fds, Some(&limit)).expect("poll");
        assert!(found > 0, "nothing happens any more");
        let _ = socket.events();
    }
}

impl Hall {
    fn open(kind: SocketType, options: SocketOptions) -> Hall {
        let context = Context::new().expect("a context");
        let socket = Socket::open(&context, kind, options).expect("a socket");
        let monitor = socket.monitor().expect("a monitor");
        let endpoint = socket.bind("tcp://127.0.0.1:0").expect("a free port");
        let honest = Socket::open(&context, partner(kind), SocketOptions::default());
        let honest = honest.expect("a socket");
        for one in [&socket, &honest] {
            if matches!(one.socket_type(), SocketType::Sub | SocketType::XSub) {
                one.subscribe(b"").expect("it subscribes");
            }
        }
        honest.connect(&endpoint).expect("a good endpoint");
        wait_until(&honest, |honest| honest.connected_peers() == 1);
        wait_until(&socket, |socket| socket.connected_peers() == 1);
        let hall = Hall {
            kind,
            socket,
            monitor,
            endpoint,
            honest,
            sent: 0,
            _context: context,
        };
        hall.await_subscriptions();
        hall
    }

    fn await_subscriptions(&self) {
        for one in [&self.socket, &self.honest] {
            if matches!(one.socket_type(), SocketType::Pub | SocketType::XPub) {
                wait_until(one, |one| one.subscriber_count() == 1);
            }
        }
    }

    fn stranger(&self) -> TcpPeer {
        TcpPeer::dial(&self.endpoint).expect("the socket accepts")
    }

    /// Waits for the end of a connection, and says whether it was ready, and why it ended.
    fn end(&self, what: &str) -> (bool, CloseReason) {
        loop {
            match self.monitor.next_timeout(Some(PATIENCE)) {
                MonitorItem::Event(event) => {
                    if let Happening::Closed {
                        reason, was_ready, ..
                    } = event.what
                    {
                        return (was_ready, reason);
                    }
                }
                other => panic!("{what} against {}: {other:?}", self.kind.name()),
            }
        }
    }

    /// Everything still works for the honest peer, and nothing else was delivered.
    fn assert_unharmed(&mut self) {
        let what = self.kind.name();
        wait_until(&self.socket, |socket| socket.connected_peers() == 1);
        let (from, to) = match self.kind {
            SocketType::Push | SocketType::Pub | SocketType::XPub | SocketType::Req => {
                (&self.socket, &self.honest)
            }
            _ => (&self.honest, &self.socket),
        };
        from.send("a good word".into(), Some(PATIENCE)).expect(what);
        let mut met = to.recv(Some(PATIENCE)).expect(what);
        while to.socket_type() == SocketType::XPub {
            met = to.recv(Some(PATIENCE)).expect(what);
        }
        assert_eq!(last(&met), b"a good word", "{what}");
        if matches!(to.socket_type(), SocketType::Rep) {
            to.send("and a good answer".into(), Some(PATIENCE))
                .expect(what);
            let answer = from.recv(Some(PATIENCE)).expect(what);
            assert_eq!(last(&answer), b"and a good answer", "{what}");
        }
        self.sent += u64::from(!std::ptr::eq(from, &raw const self.socket));
        let extra = u64::from(self.kind == SocketType::Req);
        let counters = self.socket.counters();
        assert_eq!(counters.arrived, self.sent + extra, "{what}: {counters:?}");
    }
}

fn last(message: &Message) -> &[u8] {
    message.frames().last().map_or(&[], |frame| frame)
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

fn narrow() -> SocketOptions {
    let mut options = SocketOptions::default();
    options.limits = Limits {
        max_frame: Some(5_000),
        max_message: 20_000,
        max_parts: 64,
        ..Limits::default()
    };
    options
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
fn garbage_is_never_delivered() {
    for kind in TYPES {
        // The old versions have no magic: almost anything could be one of their greetings.
        let mut options = narrow();
        options.min_version = Version::V3_0;
        let mut hall = Hall::open(kind, options);
        for seed in 0..20 {
            let mut dice = Dice::new(seed);
            let length = dice.up_to(2_000);
            let octets: Vec<u8> = (0..length)
                .map(|_| u8::try_from(dice.below(256)).expect("an octet"))
                .collect();
            let mut stranger = hall.stranger();
            stranger.say(&octets);
            stranger.finish();
            let (was_ready, _) = hall.end("garbage");
            assert!(!was_ready, "seed {seed}");
            stranger.until_end();
        }
        hall.assert_unharmed();
    }
}

#[test]
fn garbage_behind_a_good_greeting_is_never_delivered() {
    for kind in TYPES {
        let mut hall = Hall::open(kind, narrow());
        for seed in 0..20 {
            let mut dice = Dice::new(seed);
            let mut octets = greeting(1, "NULL", false);
            // Bits, so that flags are met that make sense.
            octets.extend((0..400).map(|_| u8::try_from(dice.below(9)).expect("an octet")));
            let mut stranger = hall.stranger();
            stranger.say(&octets);
            stranger.finish();
            let (was_ready, _) = hall.end("garbage");
            assert!(!was_ready, "seed {seed}");
            stranger.until_end();
        }
        hall.assert_unharmed();
    }
}

#[test]
fn an_opening_that_stops_at_any_octet_ends_with_the_stream() {
    for kind in [SocketType::Pull, SocketType::Router, SocketType::Sub] {
        let mut hall = Hall::open(kind, narrow());
        let whole = opening(partner(kind).name());
        for length in 0..whole.len() {
            let mut stranger = hall.stranger();
            stranger.say(&whole[..length]);
            stranger.finish();
            let (was_ready, reason) = hall.end("a short opening");
            assert!(!was_ready, "{length} octets");
            assert_eq!(reason, CloseReason::ByPeer, "{length} octets");
            stranger.until_end();
        }
        hall.assert_unharmed();
    }
}

#[test]
fn a_ready_that_lacks_its_end_is_refused() {
    for kind in [SocketType::Pull, SocketType::Router, SocketType::XPub] {
        let mut hall = Hall::open(kind, narrow());
        let body = ready(partner(kind).name())[2..].to_vec();
        let typed = 6 + property("Socket-Type", partner(kind).name().as_bytes()).len();
        for length in 0..body.len() {
            let mut stranger = hall.stranger();
            stranger.say(&greeting(1, "NULL", false));
            stranger.say(&frame(4, &body[..length]));
            if length == typed || length == b"\x05READY".len() {
                // Nothing is missing: no property needs to be told.
                stranger.finish();
                let (was_ready, reason) = hall.end("a short READY");
                assert!(was_ready, "{reason:?}");
                continue;
            }
            let (was_ready, reason) = hall.end("a short READY");
            assert!(!was_ready, "{length} octets");
            assert!(
                matches!(reason, CloseReason::Protocol(_)),
                "{length} octets: {reason:?}"
            );
            stranger.until_end();
        }
        hall.assert_unharmed();
    }
}

#[test]
fn half_a_message_is_not_delivered() {
    for kind in [SocketType::Pull, SocketType::Router, SocketType::Rep] {
        let mut hall = Hall::open(kind, SocketOptions::default());
        let whole = [
            frame(1, b""),
            frame(1, b"one part"),
            frame(1, &[3; 300]),
            frame(0, b"the last"),
        ]
        .concat();
        for length in (0..whole.len()).step_by(7) {
            let mut stranger = hall.stranger();
            stranger.shake(partner(kind).name());
            stranger.say(&whole[..length]);
            stranger.finish();
            let (was_ready, reason) = hall.end("half a message");
            assert!(was_ready, "{length} octets");
            assert_eq!(reason, CloseReason::ByPeer, "{length} octets");
        }
        hall.assert_unharmed();
    }
}

#[test]
fn a_slow_handshake_is_ended_in_time_however_far_it_came() {
    let whole = opening("PUSH");
    let mut options = narrow();
    options.handshake_timeout = Some(Duration::from_millis(50));
    let mut hall = Hall::open(SocketType::Pull, options);
    for length in [0, 1, 9, 11, 12, GREETING, GREETING + 1, whole.len() - 1] {
        let mut stranger = hall.stranger();
        stranger.say(&whole[..length]);
        let (was_ready, reason) = hall.end("a slow handshake");
        assert!(!was_ready, "{length} octets");
        assert_eq!(
            reason,
            CloseReason::Protocol(Error::HandshakeTimeout),
            "{length} octets"
        );
        stranger.until_end();
    }
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
