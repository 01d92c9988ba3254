//! Prints what a match against the subscription index costs, and what a subscription weighs.
//!
//! Run with `cargo run --release -p zmq-patterns --example topics`.
#![allow(clippy::print_stdout, reason = "this is a program")]

use std::hint::black_box;
use std::time::Instant;

use bytes::Bytes;
use zmq_patterns::{Attach, Pattern, PeerInfo, PeerKey, Topics};
use zmtp_wire::{Message, SocketType};

/// A small generator of numbers, the same on every run.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}

fn dotted(number: u64) -> Vec<u8> {
    format!("md.nyse.trade.{number:06}").into_bytes()
}

fn random(number: u64) -> Vec<u8> {
    let mut numbers = Numbers(number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let length = 16 + numbers.next() % 9;
    (0..length)
        .map(|_| b'a' + (numbers.next() >> 32) as u8 % 26)
        .collect()
}

fn measure(name: &str, count: u64, make: fn(u64) -> Vec<u8>) {
    let mut topics = Topics::new();
    let all: Vec<Vec<u8>> = (0..count).map(make).collect();
    let start = Instant::now();
    for topic in &all {
        topics.insert(PeerKey(1), topic);
    }
    let insert = start.elapsed().as_nanos() as f64 / count as f64;
    drop(all);

    let mut numbers = Numbers(42);
    // Half of them hit; published topics are longer than the prefixes.
    let published: Vec<Vec<u8>> = (0..200_000)
        .map(|_| {
            let mut topic = make(numbers.next() % (2 * count));
            topic.extend_from_slice(b".x");
            topic
        })
        .collect();
    let mut best = f64::INFINITY;
    let mut hits = 0u64;
    for _ in 0..5 {
        hits = 0;
        let start = Instant::now();
        for topic in &published {
            topics.for_each_match(black_box(topic), |_| hits += 1);
        }
        best = best.min(start.elapsed().as_nanos() as f64 / published.len() as f64);
    }
    let weight = topics.memory() as f64 / topics.len() as f64;
    let start = Instant::now();
    topics.forget_peer(PeerKey(1));
    let remove = start.elapsed().as_nanos() as f64 / count as f64;
    println!(
        "{name:8} {count:8} topics: {best:6.0} ns/match ({:2}% hit), {weight:5.0} octets/topic, \
         insert {insert:5.0} ns, remove {remove:5.0} ns, left {} octets",
        hits * 100 / published.len() as u64,
        topics.memory(),
    );
}

fn main() {
    for count in [10, 10_000, 1_000_000] {
        measure("dotted", count, dotted);
        measure("random", count, random);
    }
    crowd(1);
    crowd(10);
    crowd(100);
}

/// What a PUB pays for a message that everybody subscribed to.
fn crowd(peers: u32) {
    let mut publisher = Pattern::new(SocketType::Pub, 0);
    for peer in (0..peers).map(PeerKey) {
        publisher.attach(peer, Attach::default());
        publisher
            .link_up(peer, &PeerInfo::default())
            .expect("a new peer");
        publisher
            .handle_subscribe(peer, Bytes::new())
            .expect("within the limits");
    }
    let mut message = Message::from("md.nyse.trade.000001");
    let start = Instant::now();
    let mut targets = 0;
    for _ in 0..1_000_000 {
        assert!(publisher.send(black_box(&mut message)).is_ok());
        targets += publisher.targets().len();
    }
    let took = start.elapsed().as_nanos() as f64 / 1e6;
    println!("{peers:3} peers of everything: {took:.1} ns/message, {targets} copies");
}
