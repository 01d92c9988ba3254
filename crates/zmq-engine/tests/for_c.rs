//! What the C library needs of a socket beyond what the facade does.

use std::sync::Arc;
use std::time::{Duration, Instant};

use zmq_engine::{
    AcceptFilter, Context, ContextOptions, Message, RecvError, Socket, SocketOption, SocketOptions,
    SocketType,
};

fn open(context: &Context, kind: SocketType) -> Socket {
    Socket::open(context, kind, SocketOptions::default()).unwrap()
}

const SOON: Option<Duration> = Some(Duration::from_secs(10));

/// Waits until something holds, which it does soon unless it is broken.
fn until(mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(10));
        std::thread::yield_now();
    }
}

#[test]
fn unbinding_and_parting_leaves_nobody_to_send_to() {
    let context = Context::new().unwrap();
    let push = open(&context, SocketType::Push);
    let endpoint = push.bind("tcp://127.0.0.1:0").unwrap();
    let pull = open(&context, SocketType::Pull);
    pull.connect(&endpoint).unwrap();
    push.send("one".into(), SOON).unwrap();
    pull.recv(SOON).unwrap();
    push.unbind_and_part(&endpoint).unwrap();
    until(|| push.connected_peers() == 0);
    assert!(push.try_send("two".into()).unwrap_err().is_would_block());
}

#[test]
fn disconnecting_unread_delivers_nothing_of_what_had_come() {
    let context = Context::new().unwrap();
    for endpoint in ["tcp://127.0.0.1:0", "inproc://unread"] {
        let push = open(&context, SocketType::Push);
        let endpoint = push.bind(endpoint).unwrap();
        let pull = open(&context, SocketType::Pull);
        pull.connect(&endpoint).unwrap();
        for _ in 0..3 {
            push.send("old".into(), SOON).unwrap();
        }
        until(|| pull.events().readable);
        pull.disconnect_unread(&endpoint).unwrap();
        assert_eq!(pull.try_recv().unwrap_err(), RecvError::WouldBlock);
        until(|| push.connected_peers() == 0);
        pull.connect(&endpoint).unwrap();
        push.send("new".into(), SOON).unwrap();
        assert_eq!(pull.recv(SOON).unwrap().first(), b"new", "{endpoint}");
    }
}

#[derive(Debug)]
struct Nobody;

impl AcceptFilter for Nobody {
    fn admits(&self, address: &str) -> bool {
        assert_eq!(address, "127.0.0.1");
        false
    }
}

#[test]
fn whom_the_filter_turns_away_never_becomes_a_peer() {
    let context = Context::new().unwrap();
    let pull = open(&context, SocketType::Pull);
    let filter: Arc<dyn AcceptFilter> = Arc::new(Nobody);
    pull.set(SocketOption::AcceptFilter(Some(filter))).unwrap();
    let endpoint = pull.bind("tcp://127.0.0.1:0").unwrap();
    let push = open(&context, SocketType::Push);
    push.connect(&endpoint).unwrap();
    until(|| push.last_failure().is_some());
    assert_eq!(push.connected_peers(), 0);
    pull.set(SocketOption::AcceptFilter(None)).unwrap();
    push.send("late".into(), SOON).unwrap();
    assert_eq!(pull.recv(SOON).unwrap().first(), b"late");
}

#[test]
fn types_that_do_not_fit_meet_within_a_context_that_lets_them() {
    for mixes in [false, true] {
        let mut options = ContextOptions::default();
        options.inproc_mixes = mixes;
        let context = Context::with(options).unwrap();
        let pull = open(&context, SocketType::Pull);
        pull.bind("inproc://mixed").unwrap();
        let pair = open(&context, SocketType::Pair);
        assert_eq!(pair.connect("inproc://mixed").is_ok(), mixes);
        if mixes {
            pair.send("hello".into(), SOON).unwrap();
            assert_eq!(pull.recv(SOON).unwrap().first(), b"hello");
        }
    }
}

#[test]
fn a_registered_descriptor_tells_of_every_change_until_somebody_looks() {
    let context = Context::new().unwrap();
    let pull = open(&context, SocketType::Pull);
    pull.bind("inproc://told").unwrap();
    let push = open(&context, SocketType::Push);
    push.connect("inproc://told").unwrap();
    let readable = || {
        let mut fds = [rustix::event::PollFd::from_borrowed_fd(
            pull.descriptor(),
            rustix::event::PollFlags::IN,
        )];
        let now = rustix::time::Timespec::default();
        rustix::event::poll(&mut fds, Some(&now)).unwrap() > 0
    };
    let mut registration = pull.register();
    let _ = pull.events();
    pull.look(&mut registration);
    assert!(!readable());
    push.send(Message::from("news"), SOON).unwrap();
    assert!(readable());
    pull.look(&mut registration);
    assert!(pull.events().readable);
    assert!(!readable());
    pull.unregister(registration);
    assert_eq!(pull.recv(SOON).unwrap().first(), b"news");
}
