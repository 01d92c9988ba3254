//! What strangers can make a process keep: measured as growth of its resident memory. One test at a time, as the number
//! is the whole process's.

use std::io::{ErrorKind, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use zmq_engine::patterns::Limits as PatternLimits;
use zmq_engine::wire::{Error, Misbehaved};
use zmq_engine::{
    CloseReason, Context, ContextOptions, Happening, Monitor, MonitorItem, PatternOption, Socket,
    SocketOptions, SocketType,
};
use zmq_testkit::octets::{command, frame, header, message, opening, ping};
use zmq_testkit::process::{raise_descriptor_limit, resident};
use zmq_testkit::script::TcpPeer;

const PATIENCE: Duration = Duration::from_secs(20);

/// A write that is not taken for this long is taken to be blocked for good.
const BLOCKED: Duration = Duration::from_millis(300);

const MEBI: u64 = 1 << 20;

static ALONE: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Hall {
    socket: Socket,
    monitor: Monitor,
    endpoint: String,
    _context: Context,
}

fn hall(kind: SocketType, mut options: SocketOptions, max_handshakes: usize) -> Hall {
    // A full backlog makes the system wait a second before it tries again.
    options.stream.backlog = 4_096;
    let mut of_context = ContextOptions::default();
    of_context.max_handshakes = max_handshakes;
    let context = Context::with(of_context).expect("a context");
    let socket = Socket::open(&context, kind, options).expect("a socket");
    let monitor = socket.monitor().expect("a monitor");
    let endpoint = socket.bind("tcp://127.0.0.1:0").expect("a free port");
    Hall {
        socket,
        monitor,
        endpoint,
        _context: context,
    }
}

impl Hall {
    fn stranger(&self) -> TcpPeer {
        TcpPeer::dial(&self.endpoint).expect("the socket accepts")
    }

    fn next<T>(&self, mut pick: impl FnMut(&Happening) -> Option<T>) -> T {
        loop {
            match self.monitor.next_timeout(Some(PATIENCE)) {
                MonitorItem::Event(event) => {
                    if let Some(picked) = pick(&event.what) {
                        return picked;
                    }
                }
                other => panic!("it never came: {other:?}"),
            }
        }
    }

    fn accepted(&self, count: usize) {
        for _ in 0..count {
            self.next(|what| matches!(what, Happening::Accepted { .. }).then_some(()));
        }
    }

    fn closed(&self) -> CloseReason {
        self.next(|what| match what {
            Happening::Closed { reason, .. } => Some(reason.clone()),
            _ => None,
        })
    }
}

fn growth(act: impl FnOnce()) -> u64 {
    let before = resident(None).expect("a number");
    act();
    resident(None).expect("a number").saturating_sub(before)
}

/// Says the same again and again until it is not taken any more, or `most` octets were.
fn flood(stranger: &TcpPeer, octets: &[u8], most: usize) -> usize {
    let mut stream = stranger.stream();
    stream.set_write_timeout(Some(BLOCKED)).expect("a timeout");
    let mut said = 0;
    while said < most {
        match stream.write(octets) {
            Ok(count) => said += count,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => break,
        }
    }
    said
}

#[test]
fn a_half_greeting_costs_little() {
    let _alone = alone();
    raise_descriptor_limit();
    let hall = hall(SocketType::Pull, SocketOptions::default(), 10_000);
    let meet = |count: usize| {
        let strangers: Vec<TcpPeer> = (0..count)
            .map(|_| {
                let mut stranger = hall.stranger();
                stranger.say(b"\xFF\0\0\0\0\0\0\0\x01\x7F");
                stranger
            })
            .collect();
        hall.accepted(count);
        strangers
    };
    // Pools and tables get their size first.
    let few = meet(100);
    let count = 1_500;
    let mut many = Vec::new();
    let grown = growth(|| many = meet(count));
    let each = grown / count as u64;
    assert!(each <= 4_096, "{each} octets for each of {count}");
    // They do not keep an honest peer out.
    let mut honest = hall.stranger();
    honest.shake("PUSH");
    honest.say(&message(b"hello"));
    assert_eq!(
        hall.socket.recv(Some(PATIENCE)).expect("it comes").first(),
        b"hello"
    );
    drop((few, many));
}

#[test]
fn the_oldest_half_greeting_makes_way() {
    let _alone = alone();
    let hall = hall(SocketType::Pull, SocketOptions::default(), 8);
    let mut strangers: Vec<TcpPeer> = Vec::new();
    for _ in 0..20 {
        let mut stranger = hall.stranger();
        stranger.say(b"\xFF\0\0");
        hall.accepted(1);
        strangers.push(stranger);
    }
    // The first twelve are gone, in their order.
    for stranger in strangers.iter_mut().take(12) {
        stranger.until_end();
    }
    let mut honest = hall.stranger();
    honest.shake("PUSH");
    honest.say(&message(b"hello"));
    assert_eq!(
        hall.socket.recv(Some(PATIENCE)).expect("it comes").first(),
        b"hello"
    );
    strangers[19].say(&opening("PUSH")[3..]);
    drop(strangers);
}

#[test]
fn an_announced_length_costs_nothing_until_it_comes() {
    let _alone = alone();
    let hall = hall(SocketType::Pull, SocketOptions::default(), 1_000);
    let count = 60;
    let mut strangers: Vec<TcpPeer> = (0..count).map(|_| hall.stranger()).collect();
    for stranger in &mut strangers {
        stranger.shake("PUSH");
    }
    let grown = growth(|| {
        for stranger in &mut strangers {
            stranger.say(&header(0, 1 << 30));
            stranger.say(&[7; 1_000]);
        }
        // Whoever came after them was read after them.
        for stranger in &mut strangers {
            stranger.say(&[7; 1_000]);
        }
        let mut last = hall.stranger();
        last.shake("PUSH");
        last.say(&message(b"last"));
        assert_eq!(
            hall.socket.recv(Some(PATIENCE)).expect("it comes").first(),
            b"last"
        );
    });
    let bound = count as u64 * 2 * 64 * 1024 + 4 * MEBI;
    assert!(grown < bound, "{grown} octets for {count} strangers");
}

#[test]
fn pings_whose_answers_nobody_reads_do_not_pile_up() {
    let _alone = alone();
    for kind in [SocketType::Pull, SocketType::Router, SocketType::Pub] {
        let hall = hall(kind, SocketOptions::default(), 1_000);
        let mut stranger = hall.stranger();
        stranger.shake(match kind {
            SocketType::Pull => "PUSH",
            SocketType::Router => "DEALER",
            _ => "SUB",
        });
        let pings = ping(0, b"sixteen octets!!").repeat(1_000);
        let mut said = 0;
        let grown = growth(|| said = flood(&stranger, &pings, 12 << 20));
        assert!(
            grown < 16 * MEBI,
            "{}: {said} said, {grown} kept",
            kind.name()
        );
        // An honest peer is served all the same.
        let mut honest = hall.stranger();
        honest.shake(match kind {
            SocketType::Pull => "PUSH",
            SocketType::Router => "DEALER",
            _ => "SUB",
        });
        drop(stranger);
    }
}

#[test]
fn messages_nobody_takes_wait_at_the_mark() {
    let _alone = alone();
    let hall = hall(SocketType::Pull, SocketOptions::default(), 1_000);
    let mut stranger = hall.stranger();
    stranger.shake("PUSH");
    let small = message(b"x").repeat(1_000);
    let mut said = 0;
    let grown = growth(|| said = flood(&stranger, &small, 256 << 20));
    assert!(said < 256 << 20, "somebody took them all");
    assert!(grown < 16 * MEBI, "{said} said, {grown} kept");
    assert_eq!(
        hall.socket
            .recv(Some(PATIENCE))
            .expect("one of them")
            .first(),
        b"x"
    );
}

#[test]
fn unwanted_messages_are_not_kept() {
    let _alone = alone();
    // PUSH and PUB never receive: what comes is counted and dropped.
    let hall = hall(SocketType::Push, SocketOptions::default(), 1_000);
    let mut stranger = hall.stranger();
    stranger.shake("PULL");
    let some = message(&[b'x'; 200]).repeat(1_000);
    let mut said = 0;
    let grown = growth(|| said = flood(&stranger, &some, 24 << 20));
    assert!(grown < 8 * MEBI, "{said} said, {grown} kept");
}

#[test]
fn a_message_of_countless_parts_ends_the_link() {
    let _alone = alone();
    let hall = hall(SocketType::Pull, SocketOptions::default(), 1_000);
    let mut stranger = hall.stranger();
    stranger.shake("PUSH");
    let parts = frame(1, b"").repeat(10_000);
    let grown = growth(|| {
        flood(&stranger, &parts, 1 << 20);
        let reason = hall.closed();
        assert!(
            matches!(
                reason,
                CloseReason::Protocol(Error::Misbehaved(Misbehaved::TooManyParts(_)))
            ),
            "{reason:?}"
        );
    });
    assert!(grown < 16 * MEBI, "{grown} kept");
}

#[test]
fn subscriptions_are_bounded_in_number_and_size() {
    let _alone = alone();
    for kind in [SocketType::Pub, SocketType::XPub] {
        let mut options = SocketOptions::default();
        let mut limits = PatternLimits::default();
        limits.topics_per_peer = 10_000;
        options.pattern.push(PatternOption::Limits(limits));
        let hall = hall(kind, options, 1_000);
        let mut stranger = hall.stranger();
        stranger.shake("SUB");
        let grown = growth(|| {
            let mut all = Vec::new();
            for topic in 0..20_000_u32 {
                all.extend(command("SUBSCRIBE", &topic.to_be_bytes()));
            }
            stranger.say(&all);
            let reason = hall.closed();
            assert!(matches!(reason, CloseReason::Fault(_)), "{reason:?}");
        });
        assert!(grown < 16 * MEBI, "{grown} kept");
        let mut stranger = hall.stranger();
        stranger.shake("SUB");
        stranger.say(&command("SUBSCRIBE", &vec![b't'; 70_000]));
        let reason = hall.closed();
        assert!(
            matches!(
                reason,
                CloseReason::Protocol(Error::Misbehaved(_)) | CloseReason::Fault(_)
            ),
            "{reason:?}"
        );
    }
}
