//! A publisher that puts messages together once for many subscribers: each of these gets what it asked for, whole and in order, whatever
//! the others asked for, however slow they are, and whoever is cut off.

use std::time::Duration;

use proptest::prelude::*;
use zmq_engine::{Frame, Message, Reconnect, SocketOptions, SocketType};
use zmq_testkit::books::{Ledger, compose};
use zmq_testkit::{InFlight, SocketId, Weather, World};

const TOPICS: [&str; 5] = ["", "a", "ab", "b", "c"];
const SCHEMES: [&str; 3] = ["sim", "simf", "inproc"];

#[derive(Clone, Debug)]
enum Step {
    /// So many messages that begin with a topic, of so many octets and frames.
    Send(usize, usize, usize, usize),
    Wait(u64),
    Subscribe(usize, usize),
    Ask,
}

fn step(subscribers: usize) -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..TOPICS.len(), 1..90_usize, 0..90_usize, 1..3_usize)
            .prop_map(|(topic, count, length, frames)| Step::Send(topic, count, length, frames)),
        1 => (0..TOPICS.len(), 1..3_usize, 1000..5000_usize, 1..12_usize)
            .prop_map(|(topic, count, length, frames)| Step::Send(topic, count, length, frames)),
        3 => (0..400_u64).prop_map(Step::Wait),
        1 => (0..subscribers, 0..TOPICS.len()).prop_map(|(who, topic)| Step::Subscribe(who, topic)),
        1 => Just(Step::Ask),
    ]
}

fn message(topic: &str, number: usize, length: usize, frames: usize) -> Message {
    let mut head = format!("{topic}.{number}").into_bytes();
    if frames == 1 {
        head.resize(head.len() + length, b'.');
    }
    let rest = (1..frames).map(|frame| Frame::from(vec![(number + frame) as u8; length]));
    std::iter::once(Frame::from(head)).chain(rest).collect()
}

fn hall(scheme: &str) -> String {
    format!("{scheme}://hall-of-{scheme}")
}

fn open(world: &mut World, options: &SocketOptions, count: usize) -> (SocketId, Vec<SocketId>) {
    let publisher = world.open(SocketType::Pub, "pub", options.clone());
    for scheme in SCHEMES {
        world.bind(publisher, &hall(scheme));
    }
    let subscribers: Vec<SocketId> = (0..count)
        .map(|index| {
            let id = world.open(SocketType::Sub, &format!("sub-{index}"), options.clone());
            world.connect(id, &hall(SCHEMES[index % 4 % 3]));
            id
        })
        .collect();
    (publisher, subscribers)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    #[test]
    fn each_subscriber_gets_the_sequence_it_asked_for(
        first in prop::collection::vec(0..TOPICS.len(), 4..14),
        steps in prop::collection::vec(step(4), 1..25),
    ) {
        let mut world = World::new(3);
        world.be_quiet();
        let mut options = SocketOptions::default();
        (options.send_hwm, options.recv_hwm) = (None, None);
        let (publisher, subscribers) = open(&mut world, &options, first.len());
        let mut wanted: Vec<Vec<&str>> = Vec::new();
        for (id, topic) in subscribers.iter().zip(&first) {
            world.socket(*id).subscribe(TOPICS[*topic].as_bytes()).unwrap();
            wanted.push(vec![TOPICS[*topic]]);
        }
        world.run_for(Duration::from_millis(20));
        let mut expected = vec![Vec::new(); subscribers.len()];
        let mut number = 0;
        for step in steps {
            match step {
                Step::Send(topic, count, length, frames) => {
                    for _ in 0..count {
                        let message = message(TOPICS[topic], number, length, frames);
                        number += 1;
                        for (wanted, expected) in wanted.iter().zip(&mut expected) {
                            if wanted.iter().any(|topic| message.first().starts_with(topic.as_bytes())) {
                                expected.push(message.clone());
                            }
                        }
                        world.socket(publisher).try_send(message).unwrap();
                    }
                }
                Step::Wait(micros) => world.run_for(Duration::from_micros(micros)),
                Step::Subscribe(who, topic) => {
                    world.socket(subscribers[who]).subscribe(TOPICS[topic].as_bytes()).unwrap();
                    wanted[who].push(TOPICS[topic]);
                    world.run_for(Duration::from_millis(5));
                }
                Step::Ask => {
                    let _ = world.socket(publisher).peers();
                }
            }
        }
        world.run_for(Duration::from_millis(20));
        for (id, expected) in subscribers.iter().zip(&expected) {
            let met = world.drain(*id);
            let same = met.len() == expected.len()
                && met.iter().zip(expected).all(|(met, sent)| met.frames() == sent.frames());
            prop_assert!(same, "{} got {} of {}", world.name(*id), met.len(), expected.len());
        }
        let books = world.statement(publisher);
        let copies = expected.iter().map(|expected| expected.len() as u64).sum::<u64>();
        prop_assert_eq!(books.counters.transmitted, copies);
        prop_assert_eq!(books.queued_out, 0);
    }
}

#[test]
fn a_slow_subscriber_loses_what_is_above_its_mark_and_the_others_lose_nothing() {
    let mut world = World::new(4);
    world.be_quiet();
    let mut options = SocketOptions::default();
    (options.send_hwm, options.recv_hwm) = (Some(50), Some(50));
    let (publisher, subscribers) = open(&mut world, &options, 12);
    for id in &subscribers {
        world.socket(*id).subscribe(b"").expect("a SUB subscribes");
    }
    world.run_for(Duration::from_millis(20));
    let mut ledger = Ledger::default();
    let mut number = 0;
    // Of each transport one, which is looked at once at the end.
    let (slow, quick) = subscribers.split_at(3);
    for round in 0..100 {
        for _ in 0..1 + round % 40 {
            let socket = world.socket(publisher);
            socket
                .try_send(compose(1, number))
                .expect("PUB never waits");
            number += 1;
        }
        world.run_for(Duration::from_millis(1));
        for (index, id) in quick.iter().enumerate() {
            for message in world.drain(*id) {
                ledger.enter(index, &message);
            }
        }
        for peer in world.socket(publisher).peers() {
            assert!(
                peer.queued_out <= 100,
                "beyond the marks: {}",
                peer.queued_out
            );
        }
    }
    for index in 0..quick.len() {
        assert_eq!(ledger.of(index, 1).len() as u64, number, "quick {index}");
    }
    let mut late = Ledger::default();
    for _ in 0..100 {
        for (index, id) in slow.iter().enumerate() {
            for message in world.drain(*id) {
                late.enter(index, &message);
            }
        }
        world.run_for(Duration::from_millis(5));
    }
    assert_eq!(ledger.faults(), Vec::<String>::new());
    assert_eq!(late.faults(), Vec::<String>::new());
    let books = world.statement(publisher);
    let lost: u64 = books.counters.losses().iter().map(|(_, count)| count).sum();
    assert!(late.count() < 3 * number, "nobody was slow");
    assert_eq!(late.count() + lost, 3 * number);
}

#[test]
fn a_storm_over_a_fan_out_loses_nothing_that_is_not_counted() {
    for seed in 0..12 {
        let mut world = World::new(seed);
        world.be_quiet();
        world.net.set_weather(Weather::storm());
        let mut options = SocketOptions::default();
        (options.send_hwm, options.recv_hwm) = (Some(40), Some(5));
        options.reconnect = Reconnect {
            initial: Some(Duration::from_millis(20)),
            ..Reconnect::default()
        };
        let (publisher, subscribers) = open(&mut world, &options, 12);
        for id in &subscribers {
            world.socket(*id).subscribe(b"").expect("a SUB subscribes");
        }
        let mut ledger = Ledger::default();
        let (mut number, mut least, mut most) = (0, 0, 0);
        let take = |world: &mut World, ledger: &mut Ledger| {
            for (index, id) in subscribers.iter().enumerate() {
                for message in world.drain(*id) {
                    ledger.enter(index, &message);
                }
            }
        };
        for round in 0..150 {
            let before = world.socket(publisher).subscriber_count() as u64;
            let burst = 1 + round % 30;
            for _ in 0..burst {
                let socket = world.socket(publisher);
                socket
                    .try_send(compose(1, number))
                    .expect("PUB never waits");
                number += 1;
            }
            if round % 10 == 9 {
                // What is bundled for a link that breaks is that link's.
                world.net.cut_all(InFlight::Lost);
            }
            // Whoever was found to have gone meanwhile may have gone before the first.
            let after = world.socket(publisher).subscriber_count() as u64;
            least += burst * before.min(after);
            most += burst * before.max(after);
            world.run_for(Duration::from_millis(4));
            take(&mut world, &mut ledger);
        }
        world.net.set_weather(Weather::default());
        world.run_for(Duration::from_millis(200));
        take(&mut world, &mut ledger);
        assert_eq!(ledger.faults(), Vec::<String>::new(), "seed {seed}");
        let books = world.statement(publisher);
        let nobody = zmq_engine::Loss::Pattern(zmq_engine::DropReason::NoSubscriber);
        let lost: u64 = books.counters.losses().iter().map(|(_, count)| count).sum();
        let known =
            books.counters.transmitted + books.queued_out + lost - books.counters.lost(nobody);
        assert!(
            (least..=most).contains(&known),
            "seed {seed}: {known} of {least} to {most}"
        );
        assert!(ledger.count() > 1000, "seed {seed}: {}", ledger.count());
    }
}
