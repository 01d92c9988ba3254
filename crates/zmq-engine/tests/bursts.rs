//! A burst of small messages to one peer leaves in few writes, each as long as it may be.

mod support;

use std::sync::Arc;
use std::time::{Duration, Instant};

use support::held::{Hold, held};
use support::*;
use zmq_engine::{Clock, Context, ContextOptions, DriverMode, Message, Socket, SocketType};

/// What the kernel sends in one piece over loopback; a write that is longer than two of them needs a third one.
const SEGMENT: usize = 65_483;

/// A PUSH with a peer, a standing clock and a driver that does nothing by itself. What it writes is counted and thrown away from now on.
fn pushing() -> (Context, Socket, Arc<Hold>) {
    let mut options = ContextOptions::default();
    let (clock, hand) = Clock::simulated();
    options.clock = clock;
    options.driver = DriverMode::Manual;
    let context = Context::with(options).unwrap();
    let hold = held(&context);
    let pull = open(&context, SocketType::Pull);
    let endpoint = pull.bind("held://127.0.0.1:0").unwrap();
    let push = open(&context, SocketType::Push);
    push.connect(&endpoint).unwrap();
    let end = Instant::now() + PATIENCE;
    while push.connected_peers() == 0 {
        assert!(Instant::now() < end, "waited in vain");
        context.turn(Duration::from_millis(1));
    }
    hand.advance(Duration::from_secs(1));
    // The peer that is not written to any more stays.
    *hold.swallowed.lock().unwrap() = Some(Vec::new());
    std::mem::forget(pull);
    (context, push, hold)
}

fn writes(hold: &Hold) -> Vec<usize> {
    let mut swallowed = hold.swallowed.lock().unwrap();
    swallowed.replace(Vec::new()).unwrap()
}

/// That all writes of a burst are as long as they may be, where a message is so many octets on the wire.
fn check(writes: &[usize], wire: usize, case: &str) {
    assert!(writes.len() >= 20, "{case}: only {writes:?}");
    for octets in writes {
        assert!(*octets <= 2 * SEGMENT, "{case}: {octets} octets");
        let full = *octets > 2 * SEGMENT - 2 * wire - 8192 || octets / wire >= 960;
        assert!(full, "{case}: {octets} octets");
    }
}

#[test]
fn no_message_of_a_burst_is_a_write_of_its_own() {
    for size in [1, 16, 64, 100, 255, 256, 300, 1000, 1024, 2048, 4096, 8192] {
        let (_context, push, hold) = pushing();
        let wire = size + if size > 255 { 9 } else { 2 };
        send(&push, vec![0; size]);
        assert_eq!(writes(&hold), [wire], "the first one leaves at once");
        for _ in 0..20_000 {
            send(&push, vec![0; size]);
        }
        check(&writes(&hold), wire, &format!("{size} octets"));
    }
}

#[test]
fn no_message_of_many_frames_is_either() {
    for frames in [9, 20, 100] {
        let (_context, push, hold) = pushing();
        for _ in 0..20_000 {
            let message: Message = (0..frames).map(|_| vec![0; 40]).collect();
            send(&push, message);
        }
        let writes = writes(&hold);
        let (first, burst) = writes.split_first().unwrap();
        assert_eq!(*first, frames * 42);
        check(burst, frames * 42, &format!("{frames} frames"));
    }
}
