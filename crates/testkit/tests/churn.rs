//! The same books over tcp, with threads: one sends, one takes endpoints back and connects them again, others receive.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use zmq_engine::{Context, RecvError, SendFailure, Socket, SocketOptions, SocketType};
use zmq_testkit::books::compose;

const CHANGES: usize = 300;
const PULLS: usize = 3;

fn open(context: &Context, kind: SocketType) -> Socket {
    Socket::open(context, kind, SocketOptions::default()).expect("a socket")
}

/// The number of a message that is as it was sent.
fn number(message: &zmq_engine::Message) -> u64 {
    let name = String::from_utf8_lossy(message.first()).into_owned();
    let number = name
        .strip_prefix("1.")
        .and_then(|number| number.parse().ok())
        .expect("a message of the sender");
    assert_eq!(compose(1, number).frames(), message.frames());
    number
}

/// Receives until nothing comes any more after `over`.
fn receive(pull: &Socket, over: &AtomicBool) -> Vec<u64> {
    let mut met = Vec::new();
    loop {
        match pull.recv(Some(Duration::from_millis(200))) {
            Ok(message) => met.push(number(&message)),
            Err(RecvError::TimedOut) if over.load(Ordering::SeqCst) => return met,
            Err(RecvError::TimedOut | RecvError::Interrupted) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

fn send_until(push: &Socket, over: &AtomicBool, sent: &AtomicU64) {
    while !over.load(Ordering::SeqCst) {
        let number = sent.load(Ordering::SeqCst);
        match push.send(compose(1, number), Some(Duration::from_millis(20))) {
            Ok(()) => sent.store(number + 1, Ordering::SeqCst),
            Err(error) if error.reason == SendFailure::TimedOut => {}
            Err(error) => panic!("{error}"),
        }
    }
}

#[test]
fn endpoints_that_come_and_go_under_a_sender_lose_nothing_uncounted() {
    let context = Context::new().expect("a context");
    let others = Context::new().expect("another context");
    let push = open(&context, SocketType::Push);
    let pulls: Vec<Socket> = (0..PULLS)
        .map(|_| open(&others, SocketType::Pull))
        .collect();
    let endpoints: Vec<String> = pulls
        .iter()
        .map(|pull| pull.bind("tcp://127.0.0.1:0").expect("a free port"))
        .collect();
    let (changed, sent_all) = (AtomicBool::new(false), AtomicBool::new(false));
    let mut met: Vec<Vec<u64>> = Vec::new();
    let sent = AtomicU64::new(0);
    let mut report = None;
    std::thread::scope(|scope| {
        let receivers: Vec<_> = pulls
            .iter()
            .map(|pull| scope.spawn(|| receive(pull, &sent_all)))
            .collect();
        push.connect(&endpoints[0]).expect("a good endpoint");
        let sender = scope.spawn(|| send_until(&push, &changed, &sent));
        for change in 0..CHANGES {
            let endpoint = &endpoints[1 + change % (PULLS - 1)];
            push.connect(endpoint).expect("a good endpoint");
            // However the threads are scheduled, something is sent between two changes.
            let before = sent.load(Ordering::SeqCst);
            while sent.load(Ordering::SeqCst) == before {
                assert!(!sender.is_finished(), "the sender has failed");
                std::thread::yield_now();
            }
            if change % 3 == 0 {
                // Some are taken back before they are connected.
                let waiter = push.waiter();
                while push.connected_peers() < 2 {
                    let fd = waiter.descriptor();
                    let limit = rustix::event::Timespec {
                        tv_sec: 0,
                        tv_nsec: 1_000_000,
                    };
                    let mut fds = [rustix::event::PollFd::new(
                        &fd,
                        rustix::event::PollFlags::IN,
                    )];
                    let _ = rustix::event::poll(&mut fds, Some(&limit));
                    let _ = push.events();
                }
            }
            push.disconnect(endpoint).expect("it is connected");
        }
        changed.store(true, Ordering::SeqCst);
        sender.join().expect("the sender ends");
        report = Some(push.close(Some(Duration::from_secs(10))));
        sent_all.store(true, Ordering::SeqCst);
        for receiver in receivers {
            met.push(receiver.join().expect("a receiver ends"));
        }
    });
    let sent = sent.into_inner();
    let counters = push.counters();
    let lost: u64 = counters.losses().iter().map(|(_, count)| count).sum();
    assert_eq!(counters.accepted, sent);
    assert_eq!(counters.transmitted + lost, sent, "{counters:?} {report:?}");
    let mut all = BTreeSet::new();
    for number in met.iter().flatten() {
        assert!(all.insert(*number), "{number} came twice");
    }
    // Nobody vanished: what the kernel took was read.
    assert_eq!(all.len() as u64, counters.transmitted, "{counters:?}");
    assert!(sent >= CHANGES as u64, "only {sent} were sent");
}
