//! Nanoseconds per message for decoding and encoding: `cargo run --release -p zmtp-wire --example speed`.
#![allow(clippy::print_stdout, reason = "it prints a table")]

use std::collections::VecDeque;
use std::hint::black_box;
use std::time::Instant;
use zmtp_mech_null::Null;
use zmtp_wire::{Event, Message, Places, Session, SessionConfig, SocketType, Time};

const NOW: Time = Time::from_millis(0);
const ROUNDS: usize = 200;
const BATCH: usize = 64 * 1024;

fn pair() -> (Session, Session) {
    let new = |kind| Session::new(SessionConfig::new(kind), Box::new(Null::new()), NOW);
    let (mut push, mut pull) = (new(SocketType::Push), new(SocketType::Pull));
    while !(push.in_traffic() && pull.in_traffic()) {
        carry(&mut push, &mut pull);
        carry(&mut pull, &mut push);
    }
    (push, pull)
}

fn carry(from: &mut Session, to: &mut Session) {
    let octets: Vec<u8> = from.output_chunks().flatten().copied().collect();
    from.output_written(octets.len());
    let mut input = &octets[..];
    while to
        .handle_input(NOW, &mut input)
        .expect("both follow the protocol")
        .is_some()
    {}
}

/// Best of all rounds, in nanoseconds per message.
fn best(count: usize, mut round: impl FnMut()) -> f64 {
    let mut best = f64::MAX;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        round();
        best = best.min(start.elapsed().as_nanos() as f64 / count as f64);
    }
    best
}

fn main() {
    println!(
        "{:>8} {:>6} {:>10} {:>10} {:>10}",
        "octets", "frames", "decode ns", "take ns", "encode ns"
    );
    for (size, frames) in [
        (1, 1),
        (16, 1),
        (38, 1),
        (64, 1),
        (128, 1),
        (256, 1),
        (1024, 1),
        (16, 2),
        (64, 3),
        (8192, 1),
    ] {
        let (mut push, mut pull) = pair();
        let message: Message = std::iter::repeat_n(vec![7_u8; size], frames).collect();
        let count = (BATCH / (size * frames)).max(1);
        let encode = best(count, || {
            for _ in 0..count {
                push.send(black_box(&message));
            }
            let waiting = push.output_len();
            assert_eq!(push.output_written(black_box(waiting)), count);
        });
        for _ in 0..count {
            push.send(&message);
        }
        let octets: Vec<u8> = push.output_chunks().flatten().copied().collect();
        let decode = best(count, || {
            let mut input = black_box(&octets[..]);
            let mut got = 0;
            while let Some(event) = pull.handle_input(NOW, &mut input).expect("well-formed") {
                // Looked at where it is: moving a message costs as much as cutting it.
                got += usize::from(matches!(black_box(&event), Event::Message(_)));
            }
            assert_eq!(got, count);
        });
        // As an engine does: into a queue, from which they are taken and let go.
        let mut queue = VecDeque::new();
        let take = best(count, || {
            let mut input = black_box(&octets[..]);
            pull.take_messages(&mut input, count, &mut Queue(&mut queue));
            for message in queue.drain(..) {
                drop(black_box(message));
            }
        });
        println!("{size:>8} {frames:>6} {decode:>10.1} {take:>10.1} {encode:>10.1}");
    }
}

/// Messages that were cut.
struct Queue<'a>(&'a mut VecDeque<Message>);

impl Places for Queue<'_> {
    fn next(&mut self) -> Option<&mut Message> {
        self.0.push_back(Message::empty());
        self.0.back_mut()
    }
}
