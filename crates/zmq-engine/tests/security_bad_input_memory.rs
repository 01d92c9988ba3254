//! What strangers can make a secured process keep before they are let in: measured as growth of its resident memory. One test at a
//! time, as the number is the whole process's; and each stage of a handshake in a process of its own, as memory that was freed
//! before hides what is taken.
#![cfg(feature = "curve")]
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "one process tells another what it has measured, and people what each stage costs"
)]

mod support;

use std::io::Write;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use support::stranger::{Sealed, client_keys, greet, metadata, plain_hello, server_keys};
use support::{PATIENCE, await_event, open, recv, send};
use zmq_engine::wire::{Error, Misbehaved};
use zmq_engine::{
    Answer, Authenticator, CloseReason, Context, ContextOptions, Happening, Message, Monitor,
    MonitorItem, Question, Security, Socket, SocketOptions, SocketType,
};
use zmq_testkit::octets::{command, header};
use zmq_testkit::process::{descriptors, raise_descriptor_limit, resident};
use zmq_testkit::script::TcpPeer;

static ALONE: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a connection may cost before it is let in, beside a command under way.
const CONNECTION: u64 = 2 * 1024;

/// The largest command of a handshake.
const COMMAND: u64 = 8 * 1024;

/// Enough to tell octets from pages.
const MANY: usize = 1_000;

/// Keeps every question open, and says when it has been asked.
#[derive(Debug, Default)]
struct Silent {
    open: Mutex<Vec<Answer>>,
}

impl Authenticator for Silent {
    fn authenticate(&self, _: Question<'_>, answer: Answer) {
        self.open
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(answer);
    }
}

impl Silent {
    fn await_asked(&self, count: usize) {
        let started = std::time::Instant::now();
        while self.open.lock().map_or(0, |open| open.len()) < count {
            assert!(started.elapsed() < PATIENCE, "it was not asked");
            std::thread::yield_now();
        }
    }
}

struct Hall {
    socket: Socket,
    monitor: Monitor,
    endpoint: String,
    silent: Arc<Silent>,
    _context: Context,
}

fn hall(security: Security, change: impl FnOnce(&mut SocketOptions, &mut ContextOptions)) -> Hall {
    let silent = Arc::new(Silent::default());
    let mut options = SocketOptions::default();
    options.security = security;
    options.authenticator = Some(silent.clone());
    // A full backlog makes the system wait a second before it tries again.
    options.stream.backlog = 4_096;
    let mut of_context = ContextOptions::default();
    of_context.max_handshakes = 10_000;
    change(&mut options, &mut of_context);
    let context = Context::with(of_context).expect("a context");
    let socket = Socket::open(&context, SocketType::Pull, options).expect("a socket");
    let monitor = socket.monitor().expect("a monitor");
    let endpoint = socket.bind("tcp://127.0.0.1:0").expect("a free port");
    Hall {
        socket,
        monitor,
        endpoint,
        silent,
        _context: context,
    }
}

impl Hall {
    fn stranger(&self) -> TcpPeer {
        TcpPeer::dial(&self.endpoint).expect("the socket accepts")
    }

    fn accepted(&self) {
        await_event(&self.monitor, |what| {
            matches!(what, Happening::Accepted { .. }).then_some(())
        });
    }

    fn closed(&self) -> CloseReason {
        await_event(&self.monitor, |what| match what {
            Happening::Ready { .. } => panic!("a stranger came in"),
            Happening::Closed { reason, .. } => Some(reason.clone()),
            _ => None,
        })
    }

    /// The driver has read all that was said before: it reads in the order of the poller, so twice around is enough.
    fn settle(&self) {
        for _ in 0..3 {
            let mut last = self.stranger();
            last.say(b"GET / HTTP/1.1\r\n\r\n");
            last.until_end();
        }
    }
}

/// Says which stage a process is to measure.
const STAGE: &str = "ZMQ_TEST_STAGE";

type Say = fn(&Hall, &mut TcpPeer, usize);

/// Where strangers stop, how they get there, and whether a command is then under way or kept.
type Stage = (&'static str, Say, bool);

/// What each of many strangers costs that stop after `say`.
fn cost(hall: &Hall, say: Say) -> u64 {
    let meet = |from: usize, count: usize| -> Vec<TcpPeer> {
        let strangers = (from..from + count)
            .map(|index| {
                let mut stranger = hall.stranger();
                hall.accepted();
                say(hall, &mut stranger, index);
                stranger
            })
            .collect();
        hall.settle();
        strangers
    };
    // Pools and tables get their size first.
    let few = meet(0, 200);
    let before = resident(None).expect("a number");
    let many = meet(200, MANY);
    let grown = resident(None).expect("a number").saturating_sub(before);
    assert!(hall.socket.peers().is_empty(), "a stranger has a pipe");
    drop((few, many));
    grown / MANY as u64
}

const PLAIN: [Stage; 4] = [
    ("silent", |_, _, _| {}, false),
    ("greeted", |_, peer, _| greet(peer, "PLAIN"), false),
    (
        "half an INITIATE in place of HELLO",
        |_, peer, _| {
            greet(peer, "PLAIN");
            peer.say(&header(4, COMMAND));
            peer.say(&[b'x'; 4_000]);
        },
        true,
    ),
    (
        "waiting for a verdict, and talking on",
        |hall, peer, index| {
            greet(peer, "PLAIN");
            peer.say(&plain_hello(&[b'u'; 255], &[b'p'; 255]));
            hall.silent.await_asked(index + 1);
            peer.say(&command("INITIATE", &metadata("PUSH", 7_000)));
        },
        true,
    ),
];

const CURVE: [Stage; 7] = [
    ("silent", |_, _, _| {}, false),
    ("greeted", |_, peer, _| greet(peer, "CURVE"), false),
    (
        "half a HELLO",
        |_, peer, _| {
            greet(peer, "CURVE");
            let hello = sealed(0).next();
            peer.say(&hello[..150]);
        },
        true,
    ),
    (
        "welcomed",
        |_, peer, _| {
            greet(peer, "CURVE");
            sealed(0).hello(peer);
        },
        false,
    ),
    (
        "half an INITIATE",
        |_, peer, _| {
            greet(peer, "CURVE");
            let mut client = sealed(7_800);
            client.hello(peer);
            let initiate = client.next();
            peer.say(&initiate[..4_100]);
        },
        true,
    ),
    (
        "waiting for a verdict",
        |hall, peer, index| {
            greet(peer, "CURVE");
            let mut client = sealed(7_000);
            client.hello(peer);
            peer.say(&client.next());
            hall.silent.await_asked(index + 1);
        },
        true,
    ),
    (
        "waiting for a verdict, and talking on",
        |hall, peer, index| {
            greet(peer, "CURVE");
            let mut client = sealed(3_790);
            client.hello(peer);
            peer.say(&client.next());
            hall.silent.await_asked(index + 1);
            // With the INITIATE of 4081 octets just what is allowed.
            peer.say(&[b'x'; 4_110]);
        },
        true,
    ),
];

fn sealed(filling: usize) -> Sealed {
    Sealed::new(
        client_keys(),
        server_keys().public(),
        &metadata("PUSH", filling),
    )
}

/// All stages of both mechanisms.
fn stages() -> Vec<(&'static str, Security, Stage)> {
    let plain = PLAIN.map(|stage| ("PLAIN", Security::plain_server(), stage));
    let curve = CURVE.map(|stage| ("CURVE", Security::curve_server(server_keys()), stage));
    plain.into_iter().chain(curve).collect()
}

/// Measures a stage in a process of its own.
fn cost_alone(index: usize) -> u64 {
    let program = std::env::current_exe().expect("this program");
    let output = std::process::Command::new(program)
        .args([
            "--exact",
            "one_stage_when_another_process_asks",
            "--nocapture",
        ])
        .env(STAGE, index.to_string())
        .output()
        .expect("it runs");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let cost = said
        .split_once("cost ")
        .and_then(|(_, rest)| rest.split_whitespace().next()?.parse().ok());
    cost.unwrap_or_else(|| panic!("{said}{}", String::from_utf8_lossy(&output.stderr)))
}

/// The other half of `measure`; alone it has nothing to do.
#[test]
fn one_stage_when_another_process_asks() {
    let Ok(index) = std::env::var(STAGE) else {
        return;
    };
    raise_descriptor_limit();
    let index: usize = index.parse().expect("a number");
    let (_, security, (_, say, _)) = stages().swap_remove(index);
    let hall = hall(security, |_, _| {});
    // Not captured, unlike what tests print.
    writeln!(std::io::stdout(), "cost {} octets", cost(&hall, say)).expect("somebody reads");
}

fn measure(mechanism: &str) {
    let _alone = alone();
    let mut faults = Vec::new();
    for (index, (name, _, (stage, _, with_command))) in stages().into_iter().enumerate() {
        if name != mechanism {
            continue;
        }
        let each = cost_alone(index);
        let bound = CONNECTION + if with_command { COMMAND } else { 0 };
        let line = format!("{name}, {stage}: {each} octets each, at most {bound}");
        if each > bound {
            faults.push(line);
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn a_stranger_costs_a_plain_server_little_however_far_it_came() {
    measure("PLAIN");
}

#[test]
fn a_stranger_costs_a_curve_server_little_however_far_it_came() {
    measure("CURVE");
}

#[test]
fn one_who_talks_on_while_it_is_judged_may_say_what_a_command_leaves_room_for() {
    let _alone = alone();
    let hall = hall(Security::curve_server(server_keys()), |_, _| {});
    let mut stranger = hall.stranger();
    greet(&mut stranger, "CURVE");
    let mut client = sealed(7_000);
    client.hello(&mut stranger);
    stranger.say(&client.next());
    hall.silent.await_asked(1);
    stranger.say(&[b'x'; 2_000]);
    let reason = hall.closed();
    assert!(
        matches!(
            reason,
            CloseReason::Protocol(Error::Misbehaved(Misbehaved::TooEager(2_000)))
        ),
        "{reason:?}"
    );
}

#[test]
fn silent_ones_leave_at_the_deadline_and_the_oldest_make_way_before() {
    let _alone = alone();
    for security in [
        Security::plain_server(),
        Security::curve_server(server_keys()),
    ] {
        let hall = hall(security, |options, of_context| {
            options.handshake_timeout = Some(Duration::from_millis(300));
            of_context.max_handshakes = 8;
        });
        let mut strangers: Vec<TcpPeer> = Vec::new();
        for _ in 0..20 {
            strangers.push(hall.stranger());
            hall.accepted();
        }
        // All of them end without having said a word, the first twelve to make room.
        for stranger in &mut strangers {
            stranger.until_end();
        }
        // Each acceptance was waited for, and the evictions were passed over: those that are left ran out of time.
        for _ in 0..8 {
            assert_eq!(
                hall.closed(),
                CloseReason::Protocol(Error::HandshakeTimeout)
            );
        }
        assert_eq!(hall.socket.counters().handshakes_failed, 20);
        assert!(hall.socket.peers().is_empty());
    }
}

#[test]
fn a_thousand_failed_handshakes_leave_nothing_behind() {
    let _alone = alone();
    raise_descriptor_limit();
    for (name, security) in [
        ("PLAIN", Security::plain_server()),
        ("CURVE", Security::curve_server(server_keys())),
    ] {
        let hall = hall(security, |_, _| {});
        let round = |hall: &Hall| {
            let mut stranger = hall.stranger();
            greet(&mut stranger, name);
            if name == "PLAIN" {
                stranger.say(&plain_hello(b"eve", b"guess"));
            } else {
                let mut client = sealed(0);
                client.hello(&mut stranger);
                stranger.say(&client.next());
            }
            hall.silent.await_asked(1);
            let answer = hall.silent.open.lock().expect("a list").pop();
            answer.expect("asked").deny(400, "no");
            stranger.until_end();
            assert_eq!(
                hall.closed(),
                CloseReason::Denied {
                    status: 400,
                    why: "no".to_owned()
                }
            );
        };
        for _ in 0..200 {
            round(&hall);
        }
        let (memory, files) = (
            resident(None).expect("a number"),
            descriptors(None).expect("a number"),
        );
        for _ in 0..1_000 {
            round(&hall);
        }
        let grown = resident(None).expect("a number").saturating_sub(memory);
        assert!(grown < 512 * 1024, "{name}: {grown} octets kept");
        assert_eq!(descriptors(None).expect("a number"), files, "{name}");
        assert!(hall.socket.peers().is_empty());
        assert_eq!(hall.socket.counters().links_made, 0);
    }
}

#[test]
fn a_handler_that_floods_makes_nobody_wait_and_is_not_kept() {
    let _alone = alone();
    let context = Context::new().expect("a context");
    let handler = open(&context, SocketType::Router);
    handler
        .bind(zmq_engine::zap::ENDPOINT)
        .expect("the name is free");
    let server = support::open_with(&context, SocketType::Pull, |options| {
        options.security = Security::plain_server();
    });
    let monitor = server.monitor().expect("a monitor");
    let endpoint = server.bind("tcp://127.0.0.1:0").expect("a free port");
    let (pull, push) = (
        open(&context, SocketType::Pull),
        open(&context, SocketType::Push),
    );
    push.connect(&pull.bind("tcp://127.0.0.1:0").expect("a free port"))
        .expect("a good endpoint");
    let mut stranger = TcpPeer::dial(&endpoint).expect("the socket accepts");
    greet(&mut stranger, "PLAIN");
    stranger.say(&plain_hello(b"eve", b"guess"));
    let question = recv(&handler);
    let way = question.frames()[0].to_bytes();
    let flood = |number: u64| -> Message {
        let number = number.to_string();
        let parts: [&[u8]; 8] = [
            &way,
            b"",
            b"1.0",
            number.as_bytes(),
            b"200",
            b"OK",
            b"eve",
            b"",
        ];
        parts.into_iter().collect()
    };
    // The first answer is to no question: it ends the only one there is.
    send(&handler, flood(0));
    let reason = await_event(&monitor, |what| match what {
        Happening::Ready { .. } => panic!("let in by an answer to nothing"),
        Happening::Closed { reason, .. } => Some(reason.clone()),
        _ => None,
    });
    assert!(matches!(reason, CloseReason::Unasked(_)), "{reason:?}");
    let before = resident(None).expect("a number");
    std::thread::scope(|scope| {
        let handler = &handler;
        let flood = &flood;
        scope.spawn(move || {
            for index in 0..100_000 {
                send(handler, flood(index % 7));
            }
        });
        for index in 0..1_000_u32 {
            send(&push, &index.to_be_bytes()[..]);
            assert_eq!(recv(&pull).first(), &index.to_be_bytes());
        }
    });
    let grown = resident(None).expect("a number").saturating_sub(before);
    assert!(grown < 8 << 20, "{grown} octets kept");
    while let MonitorItem::Event(event) = monitor.try_next() {
        assert!(!matches!(event.what, Happening::Ready { .. }), "{event:?}");
    }
}
