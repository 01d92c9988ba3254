//! A burst of small messages to one peer leaves in few writes, each as long as it may be.

mod support;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use support::held::{Hold, held};
use support::*;
use zmq_engine::{
    Clock, Context, ContextOptions, DriverMode, DropReason, Frame, Loss, Message, Socket,
    SocketOption, SocketType,
};

/// What the kernel sends in one piece over loopback; a write that is longer than two of them needs a third one.
const SEGMENT: usize = 65_483;

/// A socket with peers, a standing clock and a driver that does nothing by itself. What it writes is counted and thrown away from now on.
struct Sender {
    socket: Socket,
    hold: Arc<Hold>,
    _peers: Vec<Socket>,
    _context: Context,
}

impl Sender {
    fn new(kind: SocketType, peer: SocketType, count: usize) -> Sender {
        let mut options = ContextOptions::default();
        let (clock, hand) = Clock::simulated();
        options.clock = clock;
        options.driver = DriverMode::Manual;
        let context = Context::with(options).unwrap();
        let hold = held(&context);
        let socket = open(&context, kind);
        let endpoint = socket.bind("held://127.0.0.1:0").unwrap();
        let peers: Vec<Socket> = (0..count)
            .map(|_| {
                let peer = open(&context, peer);
                if peer.socket_type() == SocketType::Sub {
                    peer.subscribe(b"").unwrap();
                }
                peer.connect(&endpoint).unwrap();
                peer
            })
            .collect();
        let end = Instant::now() + PATIENCE;
        let is_there = |socket: &Socket| match kind {
            SocketType::Pub => socket.subscriber_count() == count,
            _ => socket.connected_peers() == count,
        };
        while !is_there(&socket) {
            assert!(Instant::now() < end, "waited in vain");
            context.turn(Duration::from_millis(1));
        }
        hand.advance(Duration::from_secs(1));
        *hold.swallowed.lock().unwrap() = Some(Vec::new());
        Sender {
            socket,
            hold,
            _peers: peers,
            _context: context,
        }
    }

    fn push() -> Sender {
        Sender::new(SocketType::Push, SocketType::Pull, 1)
    }

    fn send(&self, message: impl Into<Message>) {
        // Nothing that is thrown away has to be waited for, and the clock stands.
        self.socket
            .try_send(message.into())
            .expect("it is accepted");
    }

    fn writes(&self) -> Vec<usize> {
        let mut swallowed = self.hold.swallowed.lock().unwrap();
        swallowed.replace(Vec::new()).unwrap()
    }
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
        let push = Sender::push();
        let wire = size + if size > 255 { 9 } else { 2 };
        push.send(vec![0; size]);
        assert_eq!(push.writes(), [wire], "the first one leaves at once");
        for _ in 0..20_000 {
            push.send(vec![0; size]);
        }
        check(&push.writes(), wire, &format!("{size} octets"));
    }
}

#[test]
fn bodies_offered_in_a_burst_keep_their_places_among_messages() {
    const MANY: usize = 30_000;
    let body = |number: usize| {
        // Of all lengths around the bounds of what stands in the value, of short heads and of what goes into packs.
        let mut body = number.to_le_bytes().to_vec();
        body.resize(8 + number % 600, number as u8);
        body
    };
    let context = Context::new().unwrap();
    let (push, pull) = (
        open(&context, SocketType::Push),
        open(&context, SocketType::Pull),
    );
    push.connect(&pull.bind("tcp://127.0.0.1:0").unwrap())
        .unwrap();
    // Made before, so that the burst is one.
    let bodies: Vec<Vec<u8>> = (0..MANY).map(body).collect();
    let mut offered = 0;
    std::thread::scope(|scope| {
        let receiver = scope.spawn(|| {
            for number in 0..MANY {
                let message = pull.recv(Some(PATIENCE)).unwrap();
                assert_eq!(message.frames(), [Frame::from(body(number))], "{number}");
            }
        });
        for (number, body) in bodies.into_iter().enumerate() {
            let mut frame = Frame::empty();
            if number % 3 > 0 && push.offer_body_ready(&body, &mut frame) {
                offered += 1;
            } else {
                push.send(Message::from(body), Some(PATIENCE)).unwrap();
            }
        }
        receiver.join().unwrap();
    });
    assert!(offered > 0, "nothing went the short way");
    assert_eq!(push.counters().accepted, MANY as u64);
}

#[test]
fn no_message_of_many_frames_is_either() {
    for frames in [9, 20, 100] {
        let push = Sender::push();
        for _ in 0..20_000 {
            let message: Message = (0..frames).map(|_| vec![0; 40]).collect();
            push.send(message);
        }
        let writes = push.writes();
        let (first, burst) = writes.split_first().unwrap();
        assert_eq!(*first, frames * 42);
        check(burst, frames * 42, &format!("{frames} frames"));
    }
}

#[test]
fn a_burst_of_messages_of_all_lengths_leaves_in_whole_messages_of_two_segments_at_most() {
    let push = Sender::push();
    let lengths = [1, 8192, 126, 300, 64, 4000, 2, 90, 255, 256, 1024, 17];
    let (mut sent, mut ends) = (0, HashSet::new());
    for number in 0..40_000_usize {
        let frames = 1 + number % 9;
        let length = lengths[number / 50 % lengths.len()] / frames;
        let message: Message = (0..frames).map(|_| vec![0; length]).collect();
        push.send(message);
        sent += frames * (length + if length > 255 { 9 } else { 2 });
        ends.insert(sent);
    }
    let mut left = 0;
    for octets in push.writes() {
        left += octets;
        assert!(octets <= 2 * SEGMENT, "{octets} octets");
        // One that is longer is not written in one piece.
        assert!(ends.contains(&left), "{octets} octets, up to {left}");
    }
}

#[test]
fn heads_count_where_there_are_many() {
    let packed: Message = [16, 16, 16, 16, 16, 16, 16, 14]
        .map(|octets| vec![0; octets])
        .into_iter()
        .collect();
    let kept: Message = (0..100).map(|_| vec![0]).collect();
    for (message, wire) in [(packed, 126 + 8 * 2), (kept, 100 * 3)] {
        let push = Sender::push();
        for _ in 0..20_000 {
            push.send(message.clone());
        }
        for octets in push.writes() {
            // One that is longer is not written in one piece.
            assert!(
                octets <= 2 * SEGMENT && octets % wire == 0,
                "{octets} octets"
            );
        }
    }
}

#[test]
fn where_messages_may_be_lost_half_of_the_mark_is_left_while_a_burst_is_written() {
    for (mark, most) in [(1000, 500), (100, 50), (10, 5)] {
        let publisher = Sender::new(SocketType::Pub, SocketType::Sub, 3);
        publisher
            .socket
            .set(SocketOption::SendHwm(Some(mark)))
            .unwrap();
        for _ in 0..20_000 {
            publisher.send(vec![0; 16]);
        }
        let writes = publisher.writes();
        let longest = writes.iter().map(|octets| octets / 18).max().unwrap();
        // One may have been there when the others were put together.
        assert!((most..=most + 1).contains(&longest), "{longest} of {mark}");
        let counters = publisher.socket.counters();
        assert_eq!(counters.lost(Loss::Pattern(DropReason::PeerFull)), 0);
    }
}
