//! Strangers at secured sockets, and handlers that fail: nobody is let in who must not be, nobody else waits, and everything ends with a
//! reason.
#![cfg(feature = "curve")]

mod support;

use std::time::Duration;

use support::stranger::{Sealed, client_keys, greet, metadata, plain_hello, server_keys};
use support::{PATIENCE, await_event, open, open_with, recv, send};
use zmq_engine::curve::{KeyPair, SecretKey};
use zmq_engine::wire::{Error, Incompatible, Misbehaved};
use zmq_engine::zap::ReplyError;
use zmq_engine::{
    CloseReason, Context, Happening, Message, Monitor, MonitorItem, Security, Socket, SocketOption,
    SocketType, Unasked,
};
use zmq_testkit::octets::{command, frame, greeting, header, message, opening};
use zmq_testkit::script::TcpPeer;

/// A secured PULL, whose ZAP handler the test plays, and two plain sockets of the same context.
struct Hall {
    server: Socket,
    monitor: Monitor,
    endpoint: String,
    handler: Socket,
    plain: (Socket, Socket),
    context: Context,
}

fn hall(security: Security, timeout: Duration) -> Hall {
    let context = Context::new().expect("a context");
    let handler = open_handler(&context);
    let server = open_with(&context, SocketType::Pull, |options| {
        options.security = security;
        options.handshake_timeout = Some(timeout);
    });
    let monitor = server.monitor().expect("a monitor");
    let endpoint = server.bind("tcp://127.0.0.1:0").expect("a free port");
    let (pull, push) = (
        open(&context, SocketType::Pull),
        open(&context, SocketType::Push),
    );
    let meeting = pull.bind("tcp://127.0.0.1:0").expect("a free port");
    push.connect(&meeting).expect("a good endpoint");
    Hall {
        server,
        monitor,
        endpoint,
        handler,
        plain: (pull, push),
        context,
    }
}

fn open_handler(context: &Context) -> Socket {
    let handler = open(context, SocketType::Router);
    handler
        .bind(zmq_engine::zap::ENDPOINT)
        .expect("the name is free");
    handler
}

fn plain() -> Hall {
    hall(Security::plain_server(), PATIENCE)
}

/// A question as the handler meets it.
struct Question {
    way: Vec<u8>,
    number: u64,
}

impl Hall {
    fn stranger(&self) -> TcpPeer {
        TcpPeer::dial(&self.endpoint).expect("the socket accepts")
    }

    /// A PLAIN stranger that has said who it is.
    fn asking(&self) -> TcpPeer {
        let mut stranger = self.stranger();
        greet(&mut stranger, "PLAIN");
        stranger.say(&plain_hello(b"eve", b"guess"));
        stranger
    }

    fn asked(&self) -> Question {
        let question = recv(&self.handler);
        let frames = question.frames();
        let number = std::str::from_utf8(&frames[3]).expect("digits");
        Question {
            way: frames[0].to_vec(),
            number: number.parse().expect("a number"),
        }
    }

    fn answer(&self, question: &Question, number: u64, status: &str) {
        let number = number.to_string();
        let frames: [&[u8]; 6] = [
            b"1.0",
            number.as_bytes(),
            status.as_bytes(),
            b"words",
            b"",
            b"",
        ];
        self.say(question, b"", &frames);
    }

    fn say(&self, question: &Question, delimiter: &[u8], frames: &[&[u8]]) {
        let head: [&[u8]; 2] = [&question.way, delimiter];
        let all: Message = head.into_iter().chain(frames.iter().copied()).collect();
        send(&self.handler, all);
    }

    /// Waits for the end of a handshake; nobody may have come in.
    fn ends(&self) -> CloseReason {
        await_event(&self.monitor, |what| match what {
            Happening::Ready { .. } => panic!("a stranger came in"),
            Happening::Closed { reason, .. } => Some(reason.clone()),
            _ => None,
        })
    }

    /// Others are served, and no stranger has left a trace.
    fn assert_unharmed(&self) {
        let (pull, push) = &self.plain;
        send(push, "a good word");
        assert_eq!(recv(pull).first(), b"a good word");
        assert!(self.server.peers().is_empty(), "a stranger has a pipe");
        let counters = self.server.counters();
        assert_eq!((counters.links_made, counters.arrived), (0, 0));
        while let MonitorItem::Event(event) = self.monitor.try_next() {
            assert!(!matches!(event.what, Happening::Ready { .. }), "{event:?}");
        }
    }

    /// Somebody whom the handler knows comes in, and its message arrives.
    fn assert_open_to_friends(&self) {
        let mut friend = self.asking();
        let question = self.asked();
        self.answer(&question, question.number, "200");
        let (_, welcome) = friend.frame().expect("WELCOME");
        assert_eq!(welcome, b"\x07WELCOME");
        friend.say(&command("INITIATE", &metadata("PUSH", 0)));
        friend.say(&message(b"hello"));
        assert_eq!(recv(&self.server).first(), b"hello");
    }
}

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
    support::until_connected(&hall.server, 1);
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

#[test]
fn a_dead_handler_costs_its_peers_their_time_and_nobody_else() {
    let hall = hall(Security::plain_server(), Duration::from_millis(300));
    let mut strangers: Vec<TcpPeer> = (0..20).map(|_| hall.asking()).collect();
    for _ in 0..20 {
        hall.assert_unharmed_so_far();
    }
    for _ in 0..20 {
        let reason = hall.ends();
        assert!(matches!(reason, CloseReason::Stalled { .. }), "{reason:?}");
    }
    strangers.iter_mut().for_each(|one| drop(one.until_end()));
    hall.assert_unharmed();
}

impl Hall {
    /// As `assert_unharmed`, but the events stay.
    fn assert_unharmed_so_far(&self) {
        let (pull, push) = &self.plain;
        send(push, "meanwhile");
        assert_eq!(recv(pull).first(), b"meanwhile");
        assert!(self.server.peers().is_empty());
    }
}

#[test]
fn a_handler_whose_queue_is_full_is_not_asked() {
    // Its mark of 1000, and the 1024 questions of the asking side.
    refuses_to_ask(Some(1000));
}

#[test]
fn a_handler_without_a_mark_has_one_for_questions() {
    refuses_to_ask(None);
}

fn refuses_to_ask(mark: Option<u32>) {
    let hall = hall(Security::plain_server(), PATIENCE);
    hall.handler.set(SocketOption::RecvHwm(mark)).unwrap();
    let mut busy = None;
    let mut strangers = Vec::new();
    zmq_testkit::process::raise_descriptor_limit();
    for _ in 0..5_000 {
        strangers.push(hall.asking());
        if let MonitorItem::Event(event) = hall.monitor.try_next()
            && let Happening::Closed { reason, .. } = event.what
        {
            busy = Some(reason);
            break;
        }
    }
    let reason = busy.unwrap_or_else(|| hall.ends());
    assert_eq!(reason, CloseReason::Unasked(Unasked::HandlerBusy));
    hall.assert_unharmed();
}

#[test]
fn a_late_answer_lets_nobody_in() {
    let hall = hall(Security::plain_server(), Duration::from_millis(200));
    let mut stranger = hall.asking();
    let late = hall.asked();
    let reason = hall.ends();
    assert!(matches!(reason, CloseReason::Stalled { .. }), "{reason:?}");
    stranger.until_end();
    let _second = hall.asking();
    let question = hall.asked();
    hall.answer(&late, late.number, "200");
    hall.answer(&question, question.number, "400");
    let reason = hall.ends();
    assert!(
        matches!(reason, CloseReason::Denied { status: 400, .. }),
        "{reason:?}"
    );
    hall.assert_unharmed();
    hall.assert_open_to_friends();
}

/// What is no answer, and what it is called.
fn no_answers(number: &[u8]) -> Vec<(Vec<u8>, Vec<Vec<u8>>, ReplyError)> {
    let good: Vec<Vec<u8>> = [b"1.0", number, b"200", b"", b"", b""]
        .map(|frame: &[u8]| frame.to_vec())
        .to_vec();
    let with = |index: usize, octets: &[u8]| {
        let mut frames = good.clone();
        frames[index] = octets.to_vec();
        frames
    };
    let mut longer = good.clone();
    longer.push(Vec::new());
    let long = [b'x'; 256];
    vec![
        (b"x".to_vec(), good.clone(), ReplyError::Delimiter),
        (Vec::new(), good[..5].to_vec(), ReplyError::Frames(6)),
        (Vec::new(), longer, ReplyError::Frames(8)),
        (Vec::new(), Vec::new(), ReplyError::Frames(1)),
        (Vec::new(), with(1, b""), ReplyError::RequestId),
        (Vec::new(), with(1, b"-1"), ReplyError::RequestId),
        (Vec::new(), with(0, b"2.0"), ReplyError::Version),
        (Vec::new(), with(2, b"2000"), ReplyError::Status),
        (Vec::new(), with(2, b"100"), ReplyError::Status),
        (Vec::new(), with(4, &long), ReplyError::Metadata),
        (Vec::new(), with(5, b"\x04half"), ReplyError::Metadata),
    ]
}

#[test]
fn what_is_no_answer_lets_nobody_in_and_is_named() {
    let hall = plain();
    for index in 0..no_answers(b"").len() {
        let mut stranger = hall.asking();
        let question = hall.asked();
        let number = question.number.to_string();
        let (delimiter, frames, error) = no_answers(number.as_bytes()).swap_remove(index);
        let frames: Vec<&[u8]> = frames.iter().map(Vec::as_slice).collect();
        hall.say(&question, &delimiter, &frames);
        let reason = hall.ends();
        assert_eq!(
            reason,
            CloseReason::Unasked(Unasked::BadReply(error)),
            "answer {index}"
        );
        stranger.until_end();
        hall.assert_unharmed();
    }
    hall.assert_open_to_friends();
}

#[test]
fn a_second_answer_changes_nothing_and_opens_nothing_else() {
    let hall = plain();
    let mut first = hall.asking();
    let question = hall.asked();
    let mut second = hall.asking();
    let other = hall.asked();
    hall.answer(&question, question.number, "400");
    for _ in 0..10 {
        hall.answer(&question, question.number, "200");
    }
    let reason = hall.ends();
    assert!(matches!(reason, CloseReason::Denied { status: 400, .. }));
    first.until_end();
    hall.assert_unharmed();
    hall.answer(&other, other.number, "500");
    let reason = hall.ends();
    assert!(matches!(reason, CloseReason::Denied { status: 500, .. }));
    second.until_end();
    hall.assert_unharmed();
}

#[test]
fn an_answer_before_its_question_opens_nothing() {
    let hall = plain();
    let mut first = hall.asking();
    let question = hall.asked();
    // The next question will have the next number. What names no open question ends the oldest one.
    hall.answer(&question, question.number + 1, "200");
    let reason = hall.ends();
    assert_eq!(
        reason,
        CloseReason::Unasked(Unasked::BadReply(ReplyError::RequestId))
    );
    first.until_end();
    let mut second = hall.asking();
    let next = hall.asked();
    assert_eq!(next.number, question.number + 1);
    hall.assert_unharmed();
    hall.answer(&next, next.number, "400");
    assert!(matches!(hall.ends(), CloseReason::Denied { .. }));
    second.until_end();
    hall.assert_unharmed();
}

#[test]
fn a_handler_that_leaves_in_the_middle_takes_its_peers_along() {
    let mut hall = plain();
    let mut strangers: Vec<TcpPeer> = (0..5).map(|_| hall.asking()).collect();
    for _ in 0..5 {
        hall.asked();
    }
    let successor = open(&hall.context, SocketType::Router);
    let gone = std::mem::replace(&mut hall.handler, successor);
    gone.close(Some(Duration::ZERO));
    for _ in 0..5 {
        assert_eq!(hall.ends(), CloseReason::Unasked(Unasked::HandlerLeft));
    }
    strangers.iter_mut().for_each(|one| drop(one.until_end()));
    hall.assert_unharmed();
    // Nobody is there to be asked, until somebody is.
    hall.asking().until_end();
    assert_eq!(hall.ends(), CloseReason::Unasked(Unasked::NoHandler));
    hall.handler
        .bind(zmq_engine::zap::ENDPOINT)
        .expect("the name is free");
    hall.assert_open_to_friends();
}

#[test]
fn what_cannot_answer_is_not_asked() {
    let mut hall = plain();
    let successor = open(&hall.context, SocketType::Pub);
    let gone = std::mem::replace(&mut hall.handler, successor);
    gone.close(Some(Duration::ZERO));
    hall.handler
        .bind(zmq_engine::zap::ENDPOINT)
        .expect("the name is free");
    hall.asking().until_end();
    assert_eq!(
        hall.ends(),
        CloseReason::Unasked(Unasked::HandlerType(SocketType::Pub))
    );
    hall.assert_unharmed();
}
