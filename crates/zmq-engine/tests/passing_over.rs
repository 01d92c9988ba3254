//! What a SUB passes over keeps nobody for ever, and hides nothing from those who wait.

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Wake, Waker};

use bytes::Bytes;
use support::held::held;
use support::*;
use zmq_engine::{
    Context, ContextOptions, DriverMode, Frame, PatternOption, RecvError, Socket, SocketOption,
    SocketType,
};

/// More than any single look goes through.
const FLOOD: u64 = 1000;

/// What one look may go through.
const BOUND: u64 = 100;

/// A message that is not wanted. As it is let go its publisher sends another, so that there is always one more; in the end one that
/// is wanted.
struct Unwanted {
    publisher: Arc<Socket>,
    gone: Arc<AtomicU64>,
}

impl AsRef<[u8]> for Unwanted {
    fn as_ref(&self) -> &[u8] {
        b"left"
    }
}

impl Drop for Unwanted {
    fn drop(&mut self) {
        let next = match self.gone.fetch_add(1, Ordering::SeqCst) + 1 {
            gone if gone < FLOOD => Unwanted::frame(&self.publisher, &self.gone),
            FLOOD => "kept".into(),
            _ => return,
        };
        self.publisher.try_send(next.into()).unwrap();
    }
}

impl Unwanted {
    fn frame(publisher: &Arc<Socket>, gone: &Arc<AtomicU64>) -> Frame {
        Frame::shared(Bytes::from_owner(Unwanted {
            publisher: Arc::clone(publisher),
            gone: Arc::clone(gone),
        }))
    }
}

/// A SUB that wants little, and its publisher, which sends it everything and has begun to. Tells how much of it is gone.
fn flooded(context: &Context, endpoint: &str) -> (Socket, Arc<AtomicU64>) {
    let publisher = open(context, SocketType::XPub);
    publisher
        .set(SocketOption::Pattern(PatternOption::XPubManual(true)))
        .unwrap();
    publisher.bind(endpoint).unwrap();
    let subscriber = open(context, SocketType::Sub);
    subscriber.subscribe(b"kept").unwrap();
    subscriber.connect(endpoint).unwrap();
    assert_eq!(recv(&publisher).first(), b"\x01kept");
    publisher.subscribe(b"").unwrap();
    let publisher = Arc::new(publisher);
    let gone = Arc::new(AtomicU64::new(0));
    // The first is handed over at once to those who wait, the second gathers.
    for _ in 0..2 {
        send(&publisher, Unwanted::frame(&publisher, &gone));
    }
    (subscriber, gone)
}

/// Says whether something is there.
type Look = fn(&Socket) -> bool;

/// The ways to look, and an endpoint for each.
const LOOKS: [(&str, Look); 3] = [
    ("inproc://events", |subscriber| subscriber.events().readable),
    ("inproc://try-recv", |subscriber| {
        subscriber.try_recv().is_ok()
    }),
    ("inproc://try-recv-queued", |subscriber| {
        subscriber.try_recv_queued().is_ok()
    }),
];

#[derive(Default)]
struct Flag(AtomicU64);
impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn a_look_ends_however_long_a_flood_of_what_is_not_wanted_goes_on() {
    let context = Context::new().unwrap();
    for (endpoint, look) in LOOKS {
        let (subscriber, gone) = flooded(&context, endpoint);
        let mut before = 0;
        loop {
            let found = look(&subscriber);
            let now = gone.load(Ordering::SeqCst);
            assert!(now - before <= BOUND, "{endpoint}: {before} to {now}");
            before = now;
            if found {
                break;
            }
        }
        assert!(before >= FLOOD, "{endpoint}: {before}");
    }
}

#[test]
fn those_who_wait_look_again_until_they_have_seen_all_of_a_flood() {
    let context = Context::new().unwrap();
    for (endpoint, look) in LOOKS {
        let (subscriber, _) = flooded(&context, endpoint);
        let mut registration = subscriber.register();
        let flag = Arc::new(Flag::default());
        let watcher = subscriber.watcher();
        let mut looks = 0;
        loop {
            let woken = flag.0.load(Ordering::SeqCst);
            watcher.set_waker(&Waker::from(Arc::clone(&flag)));
            subscriber.look(&mut registration);
            if look(&subscriber) {
                break;
            }
            looks += 1;
            poll(&subscriber.descriptor(), PATIENCE);
            assert!(subscriber.is_ready(), "{endpoint}: look {looks}");
            let woken_now = flag.0.load(Ordering::SeqCst);
            assert!(woken_now > woken, "{endpoint}: look {looks}");
        }
        assert!(looks >= FLOOD / BOUND, "{endpoint}: {looks} looks");
        subscriber.unregister(registration);
    }
}

#[test]
fn a_receiver_that_waits_gets_what_is_behind_a_flood() {
    let context = Context::new().unwrap();
    let (subscriber, gone) = flooded(&context, "inproc://recv");
    assert_eq!(recv(&subscriber).first(), b"kept");
    assert!(gone.load(Ordering::SeqCst) >= FLOOD);
}

#[test]
fn a_receiver_does_not_wait_longer_than_it_was_told_to_because_of_a_flood() {
    let context = Context::new().unwrap();
    let (subscriber, gone) = flooded(&context, "inproc://recv-no-longer");
    let at_once = Some(std::time::Duration::ZERO);
    assert_eq!(subscriber.recv(at_once), Err(RecvError::TimedOut));
    assert!(gone.load(Ordering::SeqCst) <= BOUND);
}

#[test]
fn a_look_ends_though_a_stream_brings_what_is_not_wanted_without_end() {
    let mut options = ContextOptions::default();
    options.driver = DriverMode::Manual;
    let context = Context::with(options).unwrap();
    let hold = held(&context);
    let publisher = open(&context, SocketType::Pub);
    let real = publisher.bind("tcp://127.0.0.1:0").unwrap();
    // A mark would hold the stream up.
    let subscriber = open_with(&context, SocketType::Sub, |options| options.recv_hwm = None);
    subscriber.subscribe(b"kept").unwrap();
    subscriber.connect(&real.replace("tcp", "held")).unwrap();
    while publisher.subscriber_count() == 0 {
        context.turn(PATIENCE);
    }
    hold.endless.store(true, Ordering::SeqCst);
    // Nobody reads this, so that the stream is ready for ever.
    send(&publisher, "kept");
    let (told, tells) = std::sync::mpsc::channel();
    let looker = std::thread::spawn(move || {
        let mut met = subscriber.try_recv();
        while subscriber.counters().arrived == 0 {
            met = subscriber.try_recv();
        }
        let _ = told.send(met);
    });
    let found = tells.recv_timeout(PATIENCE);
    hold.endless.store(false, Ordering::SeqCst);
    looker.join().unwrap();
    assert_eq!(found, Ok(Err(RecvError::WouldBlock)), "it looks for ever");
}
