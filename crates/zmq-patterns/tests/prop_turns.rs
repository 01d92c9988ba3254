//! Taking and sending in turn, against lists in which everybody waits in order.

use std::collections::VecDeque;

use proptest::prelude::*;
use zmq_patterns::{Attach, Pattern, PeerInfo, PeerKey, Route, SendRefused, Source, Taken};
use zmtp_wire::{Message, SocketType};

const PEERS: u32 = 5;

#[derive(Clone, Debug)]
enum Step {
    Come(u32),
    Go(u32),
    /// A message arrives, or there is room again.
    Ready(u32),
    /// There is no room.
    Full(u32),
    Turn,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let peer = 0..PEERS;
    let step = prop_oneof![
        1 => peer.clone().prop_map(Step::Come),
        1 => peer.clone().prop_map(Step::Go),
        3 => peer.clone().prop_map(Step::Ready),
        1 => peer.prop_map(Step::Full),
        5 => Just(Step::Turn),
    ];
    proptest::collection::vec(step, 0..200)
}

fn come(pattern: &mut Pattern, peer: u32) {
    pattern.attach(PeerKey(peer), Attach::default());
    pattern
        .link_up(PeerKey(peer), &PeerInfo::default())
        .unwrap();
}

proptest! {
    // spec: 30/pull-fair-queue
    // spec: 28/dealer-fair-queue
    // spec: 28/router-fair-queue
    // spec: 28/rep-fair-queue
    // spec: 29/sub-fair-queue
    #[test]
    fn messages_are_taken_from_each_peer_in_turn(
        steps in steps(),
        socket_type in prop_oneof![
            Just(SocketType::Pull),
            Just(SocketType::Dealer),
            Just(SocketType::Router),
            Just(SocketType::Sub),
            Just(SocketType::XSub),
            Just(SocketType::XPub),
        ],
    ) {
        let mut pattern = Pattern::new(socket_type, 7);
        if socket_type == SocketType::Sub {
            pattern.subscribe(b"").unwrap();
        }
        let mut queues = [None::<u32>; PEERS as usize];
        let mut waiting: VecDeque<u32> = VecDeque::new();
        for step in steps {
            match step {
                Step::Come(peer) if queues[peer as usize].is_none() => {
                    come(&mut pattern, peer);
                    queues[peer as usize] = Some(0);
                }
                Step::Go(peer) => {
                    pattern.detach(PeerKey(peer));
                    queues[peer as usize] = None;
                    waiting.retain(|other| *other != peer);
                }
                Step::Ready(peer) => {
                    pattern.set_readable(PeerKey(peer));
                    if let Some(queued) = &mut queues[peer as usize] {
                        *queued += 1;
                        if !waiting.contains(&peer) {
                            waiting.push_back(peer);
                        }
                    }
                }
                Step::Turn => {
                    let expected = waiting.pop_front();
                    let source = expected.map(|peer| Source::Peer(PeerKey(peer)));
                    prop_assert_eq!(pattern.next(), Ok(source));
                    prop_assert_eq!(pattern.can_receive(), expected.is_some());
                    if let Some(peer) = expected {
                        let queued = queues[peer as usize].as_mut().unwrap();
                        *queued -= 1;
                        let more = *queued > 0;
                        let taken = pattern.take(PeerKey(peer), Message::from("m"), more);
                        prop_assert!(matches!(taken, Taken::Deliver(_)));
                        if more {
                            waiting.push_back(peer);
                        }
                    }
                }
                Step::Come(_) | Step::Full(_) => {}
            }
            while pattern.poll_output().is_some() {}
        }
    }

    // spec: 30/push-round-robin
    // spec: 30/push-waits
    // spec: 28/dealer-round-robin
    // spec: 28/dealer-waits
    // spec: 28/dealer-no-envelope
    #[test]
    fn messages_go_to_each_peer_with_room_in_turn(
        steps in steps(),
        socket_type in prop_oneof![Just(SocketType::Push), Just(SocketType::Dealer)],
        by_parts in any::<bool>(),
    ) {
        let mut pattern = Pattern::new(socket_type, 7);
        let mut present = [false; PEERS as usize];
        let mut waiting: VecDeque<u32> = VecDeque::new();
        for step in steps {
            match step {
                Step::Come(peer) if !present[peer as usize] => {
                    come(&mut pattern, peer);
                    present[peer as usize] = true;
                    waiting.push_back(peer);
                }
                Step::Go(peer) => {
                    pattern.detach(PeerKey(peer));
                    present[peer as usize] = false;
                    waiting.retain(|other| *other != peer);
                }
                Step::Ready(peer) => {
                    pattern.set_writable(PeerKey(peer), true);
                    if present[peer as usize] && !waiting.contains(&peer) {
                        waiting.push_back(peer);
                    }
                }
                Step::Full(peer) => {
                    pattern.set_writable(PeerKey(peer), false);
                    waiting.retain(|other| *other != peer);
                }
                Step::Turn => {
                    let original = Message::from(["a", "b"].map(zmtp_wire::Frame::from));
                    let mut message = original.clone();
                    let result = if by_parts {
                        let first = message.frames()[0].clone();
                        pattern.begin(&first).and_then(|chosen| pattern.commit(chosen, &mut message))
                    } else {
                        pattern.send(&mut message)
                    };
                    prop_assert_eq!(message, original);
                    match waiting.pop_front() {
                        Some(peer) => {
                            prop_assert_eq!(result, Ok(Route::One(PeerKey(peer))));
                            waiting.push_back(peer);
                        }
                        None => prop_assert_eq!(result, Err(SendRefused::WouldBlock)),
                    }
                    prop_assert_eq!(pattern.can_send(), !waiting.is_empty());
                }
                Step::Come(_) => {}
            }
        }
    }
}
