//! Patterns: whose turn it is, who gets a copy, who is answered; and the index of topics.

use std::hint::black_box;

use bytes::Bytes;
use zmq_patterns::{Attach, Pattern, PeerInfo, PeerKey, Route, Source, Taken, Topics};
use zmtp_wire::{Message, SocketType};

use crate::{Case, Run};

const MESSAGES: u64 = 1000;

/// Subscribers of a PUB, and peers of the others where there are many.
const PEERS: u32 = 100;

const TOPICS: u32 = 10_000;

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::new("pattern/push", MESSAGES, || sending(SocketType::Push)),
        Case::new("pattern/dealer", MESSAGES, || sending(SocketType::Dealer)),
        Case::new("pattern/pull", MESSAGES, pulling),
        Case::new("pattern/pub/100", MESSAGES, publishing),
        Case::new("pattern/req-rep", MESSAGES, asking),
        Case::new("topics/match/10000", u64::from(TOPICS), matching),
    ]
}

fn with_peers(socket_type: SocketType, peers: u32) -> Pattern {
    let mut pattern = Pattern::new(socket_type, 0);
    for peer in (0..peers).map(PeerKey) {
        pattern.attach(peer, Attach::default());
        pattern
            .link_up(peer, &PeerInfo::default())
            .expect("a new peer");
    }
    pattern
}

fn sending(socket_type: SocketType) -> Run {
    let mut pattern = with_peers(socket_type, PEERS);
    let mut message = Message::from("hello");
    Box::new(move || {
        for _ in 0..MESSAGES {
            let route = black_box(&mut pattern).send(black_box(&mut message));
            assert!(matches!(route, Ok(Route::One(_))));
        }
    })
}

fn take(pattern: &mut Pattern, message: Message, more: bool) -> Message {
    let Ok(Some(Source::Peer(peer))) = pattern.next() else {
        panic!("somebody is readable");
    };
    let Taken::Deliver(message) = pattern.take(peer, message, more) else {
        panic!("it is delivered");
    };
    message
}

fn pulling() -> Run {
    let mut pattern = with_peers(SocketType::Pull, PEERS);
    for peer in (0..PEERS).map(PeerKey) {
        pattern.set_readable(peer);
    }
    let mut message = Some(Message::from("hello"));
    Box::new(move || {
        for _ in 0..MESSAGES {
            let next = message.take().expect("it comes back");
            message = Some(take(black_box(&mut pattern), next, true));
        }
    })
}

fn publishing() -> Run {
    let mut pattern = with_peers(SocketType::Pub, PEERS);
    for peer in (0..PEERS).map(PeerKey) {
        pattern
            .handle_subscribe(peer, Bytes::from_static(b"he"))
            .expect("a subscription");
    }
    let mut message = Message::from("hello");
    Box::new(move || {
        for _ in 0..MESSAGES {
            let route = black_box(&mut pattern).send(black_box(&mut message));
            assert!(matches!(route, Ok(Route::Many { dropped: 0 })));
            assert_eq!(black_box(&pattern).targets().len(), PEERS as usize);
        }
    })
}

/// A question and its answer count as one message.
fn asking() -> Run {
    let peer = PeerKey(0);
    let mut req = with_peers(SocketType::Req, 1);
    let mut rep = with_peers(SocketType::Rep, 1);
    Box::new(move || {
        for _ in 0..MESSAGES {
            let mut question = Message::from("question");
            assert!(matches!(req.send(&mut question), Ok(Route::One(_))));
            rep.set_readable(peer);
            let mut answer = take(&mut rep, question, false);
            rep.set_drained(peer);
            assert!(matches!(rep.send(&mut answer), Ok(Route::One(_))));
            req.set_readable(peer);
            black_box(take(&mut req, answer, false));
            req.set_drained(peer);
        }
    })
}

fn matching() -> Run {
    let topic = |number: u32| format!("md.nyse.trade.{number:06}");
    let mut topics = Topics::new();
    for number in 0..TOPICS {
        topics.insert(PeerKey(1), topic(number).as_bytes());
    }
    // About every second one is subscribed to; no two that follow each other are neighbours.
    let published: Vec<String> = (0..TOPICS)
        .map(|number| topic(number * 7919 % (2 * TOPICS)) + ".x")
        .collect();
    Box::new(move || {
        let mut hits = 0;
        for topic in &published {
            topics.for_each_match(black_box(topic.as_bytes()), |_| hits += 1);
        }
        assert!(hits > TOPICS / 3, "{hits}");
    })
}
