//! One thread that sends over many links in turn: its burst gathers, and nothing else does, and all of it leaves.

mod support;

use std::time::{Duration, Instant};

use support::*;
use zmq_engine::{
    Clock, Context, ContextOptions, DriverMode, RecvError, Socket, SocketType, VirtualClock,
};

/// Messages of a round that are written by themselves before the rest gathers.
const ALONE: u64 = 8;

const MANY: usize = 20;

/// Longer than there is between two messages of a burst.
const PAUSE: Duration = Duration::from_micros(6);

/// A context whose clock stands and whose driver does nothing by itself: what leaves was written by its sender.
fn standing() -> (Context, VirtualClock) {
    let (clock, hand) = Clock::simulated();
    let mut options = ContextOptions::default();
    options.clock = clock;
    options.driver = DriverMode::Manual;
    (Context::with(options).unwrap(), hand)
}

fn turn_until(context: &Context, done: impl Fn() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !done() {
        assert!(Instant::now() < end, "waited in vain");
        context.turn(Duration::from_millis(1));
    }
}

/// Sockets that are connected to one that receives, and to nothing else.
fn senders(context: &Context, hand: &VirtualClock, pull: &Socket) -> Vec<Socket> {
    let endpoint = pull.bind("tcp://127.0.0.1:0").unwrap();
    let sockets: Vec<Socket> = (0..MANY)
        .map(|_| {
            let push = open(context, SocketType::Push);
            push.connect(&endpoint).unwrap();
            push
        })
        .collect();
    turn_until(context, || {
        sockets.iter().all(|socket| socket.connected_peers() == 1)
    });
    hand.advance(Duration::from_secs(1));
    sockets
}

fn left(sockets: &[Socket]) -> u64 {
    let transmitted = sockets.iter().map(|socket| socket.counters().transmitted);
    transmitted.sum()
}

fn wait(socket: &Socket) {
    assert_eq!(socket.try_recv().map(drop), Err(RecvError::WouldBlock));
}

fn take(pull: &Socket, count: usize) {
    for _ in 0..count {
        recv(pull);
    }
    wait(pull);
}

#[test]
fn one_who_looks_for_an_answer_after_each_message_is_never_held_up() {
    let (other, (context, hand)) = (Context::new().unwrap(), standing());
    let pull = open(&other, SocketType::Pull);
    let sockets = senders(&context, &hand, &pull);
    let answers = open(&context, SocketType::Pull);
    for (sent, socket) in (1..).zip(&sockets) {
        send(socket, "a question");
        assert_eq!(left(&sockets), sent);
        wait(&answers);
    }
    take(&pull, MANY);
}

#[test]
fn messages_with_pauses_between_them_leave_at_once() {
    let (other, (context, hand)) = (Context::new().unwrap(), standing());
    let pull = open(&other, SocketType::Pull);
    let sockets = senders(&context, &hand, &pull);
    for (sent, socket) in (1..).zip(sockets.iter().chain(&sockets)) {
        send(socket, "now and then");
        assert_eq!(left(&sockets), sent);
        hand.advance(PAUSE);
    }
    take(&pull, 2 * MANY);
}

#[test]
fn a_round_over_many_sockets_gathers_and_leaves_with_the_driver() {
    let (other, (context, hand)) = (Context::new().unwrap(), standing());
    let pull = open(&other, SocketType::Pull);
    let sockets = senders(&context, &hand, &pull);
    for socket in sockets.iter().chain(&sockets) {
        send(socket, "one of many");
    }
    assert_eq!(left(&sockets), ALONE);
    context.turn(Duration::ZERO);
    assert_eq!(left(&sockets), 2 * MANY as u64);
    take(&pull, 2 * MANY);

    // Two ticks without a message, and it is as before.
    for _ in 0..2 {
        hand.advance(Duration::from_millis(1));
        context.turn(Duration::ZERO);
    }
    let next = context.next_timer();
    let busy = next.is_some_and(|next| next < Duration::from_secs(1));
    assert!(!busy, "the driver goes on ticking over nothing");
    send(&sockets[MANY - 1], "alone");
    assert_eq!(left(&sockets), 2 * MANY as u64 + 1);
    take(&pull, 1);
}

/// They come together, and then others have their turn for a while.
#[test]
fn the_first_of_a_round_gather_as_well_when_their_turn_comes_again_and_again() {
    let (other, (context, hand)) = (Context::new().unwrap(), standing());
    let pull = open(&other, SocketType::Pull);
    let sockets = senders(&context, &hand, &pull);
    let mut sent = 0;
    let mut go_round = |count: usize| {
        for socket in &sockets[..count] {
            send(socket, "one of many");
        }
        hand.advance(5 * PAUSE);
        sent += count;
    };
    // The first ones are written at once, and leave nothing to the driver.
    go_round(ALONE as usize);
    assert_eq!(left(&sockets), ALONE);
    for _ in 0..4 {
        go_round(MANY);
    }
    let at_once = left(&sockets);
    assert!(at_once < 3 * ALONE, "{at_once} of {sent}");
    go_round(MANY);
    assert_eq!(left(&sockets), at_once);
    context.turn(Duration::ZERO);
    take(&pull, sent);
}

#[test]
fn a_round_over_many_peers_of_one_socket_gathers_and_leaves_with_the_driver() {
    let (other, (context, hand)) = (Context::new().unwrap(), standing());
    let push = open(&context, SocketType::Push);
    let peers: Vec<Socket> = (0..MANY)
        .map(|_| {
            let pull = open(&other, SocketType::Pull);
            push.connect(&pull.bind("tcp://127.0.0.1:0").unwrap())
                .unwrap();
            pull
        })
        .collect();
    turn_until(&context, || push.connected_peers() == MANY);
    hand.advance(Duration::from_secs(1));
    for n in 0..3 * MANY {
        send(&push, n.to_string());
    }
    assert_eq!(push.counters().transmitted, ALONE);
    context.turn(Duration::ZERO);
    for n in 0..3 * MANY {
        assert_eq!(text(&recv(&peers[n % MANY])), [n.to_string()]);
    }
}

#[test]
fn what_gathered_leaves_before_its_thread_waits_for_a_message_of_any_socket() {
    let (other, (context, hand)) = (Context::new().unwrap(), standing());
    let pull = open(&other, SocketType::Pull);
    let sockets = senders(&context, &hand, &pull);
    let answers = open(&context, SocketType::Pull);
    let waits: [fn(&Socket); 3] = [
        wait,
        |socket| assert!(!socket.events().readable),
        |socket| assert!(socket.try_recv_queued().is_err()),
    ];
    for (round, wait) in (0..).zip(waits) {
        let before = round * (MANY as u64 + 1);
        for socket in &sockets {
            send(socket, "a question to each");
        }
        assert_eq!(left(&sockets), before + ALONE);
        wait(&answers);
        assert_eq!(left(&sockets), before + MANY as u64);
        // The round is over: what comes next is one message.
        hand.advance(PAUSE);
        send(&sockets[MANY - 1], "one more");
        assert_eq!(left(&sockets), before + MANY as u64 + 1);
        wait(&answers);
        hand.advance(Duration::from_secs(1));
    }
    take(&pull, 3 * (MANY + 1));
}

#[test]
fn a_round_leaves_without_anybody_calling() {
    let (here, there) = (Context::new().unwrap(), Context::new().unwrap());
    let pull = open(&there, SocketType::Pull);
    let endpoint = pull.bind("tcp://127.0.0.1:0").unwrap();
    let sockets: Vec<Socket> = (0..MANY)
        .map(|_| {
            let push = open(&here, SocketType::Push);
            push.connect(&endpoint).unwrap();
            push
        })
        .collect();
    for socket in &sockets {
        until(socket, |socket| socket.connected_peers() == 1);
    }
    for turns in [1, 2, 3, 10, 100] {
        for _ in 0..turns {
            for socket in &sockets {
                send(socket, "one of many");
            }
        }
        // Nobody looks at the senders from here on.
        take(&pull, turns * MANY);
    }
}

#[test]
fn what_gathered_is_not_lost_when_its_sockets_close() {
    let (here, there) = (Context::new().unwrap(), Context::new().unwrap());
    let pull = open(&there, SocketType::Pull);
    let endpoint = pull.bind("tcp://127.0.0.1:0").unwrap();
    for _ in 0..10 {
        let sockets: Vec<Socket> = (0..MANY)
            .map(|_| {
                let push = open(&here, SocketType::Push);
                push.connect(&endpoint).unwrap();
                push
            })
            .collect();
        for socket in &sockets {
            until(socket, |socket| socket.connected_peers() == 1);
        }
        for socket in sockets.iter().chain(&sockets) {
            send(socket, "one of many");
        }
        for socket in sockets {
            assert_eq!(socket.close(Some(PATIENCE)).unsent, 0);
        }
        take(&pull, 2 * MANY);
    }
}

#[test]
fn a_context_that_ends_behind_a_round_keeps_nobody_waiting() {
    let there = Context::new().unwrap();
    let pull = open(&there, SocketType::Pull);
    let endpoint = pull.bind("tcp://127.0.0.1:0").unwrap();
    for _ in 0..10 {
        let here = Context::new().unwrap();
        let sockets: Vec<Socket> = (0..MANY)
            .map(|_| {
                let push = open(&here, SocketType::Push);
                push.connect(&endpoint).unwrap();
                push
            })
            .collect();
        for socket in sockets.iter().chain(&sockets) {
            send(socket, "one of many");
        }
        here.shutdown();
        drop(sockets);
        assert!(here.terminate(Some(PATIENCE)).unwrap());
        // The round of this thread goes on with sockets that are no more.
        while pull.recv(Some(Duration::ZERO)).is_ok() {}
    }
}
