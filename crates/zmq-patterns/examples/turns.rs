//! Prints what the patterns themselves cost per message: choosing a peer to send to, and whose message comes next.
//!
//! Run with `cargo run --release -p zmq-patterns --example turns`.
#![allow(clippy::print_stdout, reason = "this is a program")]

use std::hint::black_box;
use std::time::Instant;

use zmq_patterns::{Attach, Pattern, PeerInfo, PeerKey, Source, Taken};
use zmtp_wire::{Message, SocketType};

const ROUNDS: u32 = 5_000_000;

fn with_peers(socket_type: SocketType, peers: u32) -> Pattern {
    let mut pattern = Pattern::new(socket_type, 0);
    for peer in (0..peers).map(PeerKey) {
        pattern.attach(peer, Attach::default());
        pattern
            .link_up(peer, &PeerInfo::default())
            .expect("a new peer");
        pattern.set_readable(peer);
    }
    pattern
}

fn main() {
    for peers in [1, 2, 100] {
        for socket_type in [SocketType::Push, SocketType::Dealer] {
            let mut pattern = with_peers(socket_type, peers);
            let mut message = Message::from("hello");
            let start = Instant::now();
            for _ in 0..ROUNDS {
                let _ = black_box(black_box(&mut pattern).send(black_box(&mut message)));
            }
            let took = start.elapsed().as_nanos() as f64 / f64::from(ROUNDS);
            println!("{socket_type:?} to {peers:3} peers: send {took:.1} ns");
        }
        let mut pattern = with_peers(SocketType::Pull, peers);
        let mut message = Message::from("hello");
        let start = Instant::now();
        for _ in 0..ROUNDS {
            let Ok(Some(Source::Peer(peer))) = black_box(&mut pattern).next() else {
                panic!("all are readable");
            };
            let Taken::Deliver(back) = black_box(&mut pattern).take(peer, message, true) else {
                panic!("a PULL delivers everything");
            };
            message = back;
        }
        let took = start.elapsed().as_nanos() as f64 / f64::from(ROUNDS);
        println!("Pull from {peers:3} peers: next and take {took:.1} ns");
    }
}
