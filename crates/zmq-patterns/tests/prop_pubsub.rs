//! A whole XPUB, and an XSUB that feeds it, against the rules of their books written down plainly.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bytes::Bytes;
use proptest::prelude::*;
use zmq_patterns::{
    Attach, DropReason, Output, Pattern, PatternOption, PeerInfo, PeerKey, Route, Source,
};
use zmtp_wire::{Message, SocketType};

const PEERS: u32 = 4;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Plain,
    Verbose,
    Verboser,
    Manual,
    ManualLastValue,
}

#[derive(Clone, Debug)]
enum Step {
    Come(u32),
    Go(u32),
    Subscribe(u32, Vec<u8>),
    Cancel(u32, Vec<u8>),
    Receive,
    /// The application of a manual XPUB decides.
    Grant(Vec<u8>),
    Revoke(Vec<u8>),
    Room(u32, bool),
    Publish(Vec<u8>),
}

fn topic() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(prop_oneof![Just(b'a'), Just(b'b')], 0..4)
}

fn step() -> impl Strategy<Value = Step> {
    let peer = 0..PEERS;
    prop_oneof![
        2 => peer.clone().prop_map(Step::Come),
        1 => peer.clone().prop_map(Step::Go),
        6 => (peer.clone(), topic()).prop_map(|(peer, topic)| Step::Subscribe(peer, topic)),
        3 => (peer.clone(), topic()).prop_map(|(peer, topic)| Step::Cancel(peer, topic)),
        4 => Just(Step::Receive),
        3 => topic().prop_map(Step::Grant),
        1 => topic().prop_map(Step::Revoke),
        1 => (peer, any::<bool>()).prop_map(|(peer, room)| Step::Room(peer, room)),
        6 => topic().prop_map(Step::Publish),
    ]
}

type Pairs = BTreeSet<(Vec<u8>, u32)>;

/// An XPUB as its rules say.
struct Book {
    mode: Mode,
    /// Peers, and whether they have room.
    peers: BTreeMap<u32, bool>,
    granted: Pairs,
    requested: Pairs,
    /// What the application is to receive, with the peer it is about while that is there.
    told: VecDeque<(Vec<u8>, Option<u32>)>,
    last: Option<u32>,
}

impl Book {
    fn manual(&self) -> bool {
        matches!(self.mode, Mode::Manual | Mode::ManualLastValue)
    }

    fn tell(&mut self, kind: u8, topic: &[u8], peer: u32) {
        let frame = [&[kind], topic].concat();
        self.told.push_back((frame, Some(peer)));
    }

    fn held(&self, topic: &[u8]) -> bool {
        self.granted.iter().any(|(held, _)| held == topic)
    }

    fn subscribe(&mut self, peer: u32, topic: &[u8]) {
        let pair = (topic.to_vec(), peer);
        if self.manual() {
            self.requested.insert(pair);
            return self.tell(1, topic, peer);
        }
        let first = !self.held(topic);
        self.granted.insert(pair);
        if first || self.mode != Mode::Plain {
            self.tell(1, topic, peer);
        }
    }

    fn cancel(&mut self, peer: u32, topic: &[u8]) {
        let pair = (topic.to_vec(), peer);
        if self.manual() {
            self.requested.remove(&pair);
            return self.tell(0, topic, peer);
        }
        let had = self.granted.remove(&pair);
        if !self.held(topic) || (had && self.mode == Mode::Verboser) {
            self.tell(0, topic, peer);
        }
    }

    fn go(&mut self, peer: u32) {
        if self.peers.remove(&peer).is_none() {
            return;
        }
        let books = [&self.requested, &self.granted];
        let [asked, held] = books.map(|pairs| -> Vec<Vec<u8>> {
            let of_peer = pairs.iter().filter(|(_, holder)| *holder == peer);
            of_peer.map(|(topic, _)| topic.clone()).collect()
        });
        self.requested.retain(|(_, holder)| *holder != peer);
        self.granted.retain(|(_, holder)| *holder != peer);
        for topic in if self.manual() { asked } else { held } {
            if self.manual() || self.mode == Mode::Verboser || !self.held(&topic) {
                self.tell(0, &topic, peer);
            }
        }
        for (_, about) in &mut self.told {
            *about = about.filter(|about| *about != peer);
        }
        self.last = self.last.filter(|last| *last != peer);
    }

    fn publish(&mut self, topic: &[u8]) -> (BTreeSet<u32>, u32) {
        let concerned: BTreeSet<u32> = self
            .granted
            .iter()
            .filter(|(prefix, _)| topic.starts_with(prefix))
            .map(|(_, peer)| *peer)
            .filter(|peer| {
                self.mode != Mode::ManualLastValue || self.last.is_none_or(|l| l == *peer)
            })
            .collect();
        if self.mode == Mode::ManualLastValue {
            self.last = None;
        }
        let (room, full): (BTreeSet<u32>, BTreeSet<u32>) =
            concerned.into_iter().partition(|peer| self.peers[peer]);
        (room, full.len() as u32)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    // spec: 29/xpub-notifications
    // spec: 29/xpub-peer-gone
    // spec: 29/one-copy
    #[test]
    fn xpub_keeps_its_book(
        mode in prop_oneof![
            Just(Mode::Plain),
            Just(Mode::Verbose),
            Just(Mode::Verboser),
            Just(Mode::Manual),
            Just(Mode::ManualLastValue),
        ],
        steps in proptest::collection::vec(step(), 0..100),
    ) {
        let mut xpub = Pattern::new(SocketType::XPub, 0);
        let mut book = Book {
            mode,
            peers: BTreeMap::new(),
            granted: Pairs::new(),
            requested: Pairs::new(),
            told: VecDeque::new(),
            last: None,
        };
        match mode {
            Mode::Plain => {}
            Mode::Verbose => xpub.set(PatternOption::XPubVerbose(true)).unwrap(),
            Mode::Verboser => xpub.set(PatternOption::XPubVerboser(true)).unwrap(),
            Mode::Manual => xpub.set(PatternOption::XPubManual(true)).unwrap(),
            Mode::ManualLastValue => {
                xpub.set(PatternOption::XPubManualLastValue(true)).unwrap();
            }
        }
        for step in steps {
            match step {
                Step::Come(peer) => {
                    xpub.attach(PeerKey(peer), Attach::default());
                    xpub.link_up(PeerKey(peer), &PeerInfo::default()).unwrap();
                    book.peers.entry(peer).or_insert(true);
                }
                Step::Go(peer) => {
                    xpub.detach(PeerKey(peer));
                    book.go(peer);
                }
                Step::Subscribe(peer, topic) => {
                    if book.peers.contains_key(&peer) {
                        book.subscribe(peer, &topic);
                    }
                    xpub.handle_subscribe(PeerKey(peer), Bytes::from(topic)).unwrap();
                }
                Step::Cancel(peer, topic) => {
                    if book.peers.contains_key(&peer) {
                        book.cancel(peer, &topic);
                    }
                    xpub.handle_cancel(PeerKey(peer), Bytes::from(topic)).unwrap();
                }
                Step::Receive => {
                    let own = xpub.next() == Ok(Some(Source::Own));
                    prop_assert_eq!(own, !book.told.is_empty());
                    let told = book.told.pop_front();
                    if let Some((_, about)) = &told {
                        book.last = about.filter(|_| book.manual());
                    }
                    let frame = xpub.take_own().map(|message| message.first().to_vec());
                    prop_assert_eq!(frame, told.map(|(frame, _)| frame));
                }
                Step::Grant(topic) => {
                    prop_assert_eq!(xpub.subscribe(&topic).is_ok(), book.manual());
                    if let Some(last) = book.last.filter(|_| book.manual()) {
                        book.granted.insert((topic, last));
                    }
                }
                Step::Revoke(topic) => {
                    prop_assert_eq!(xpub.unsubscribe(&topic).is_ok(), book.manual());
                    if let Some(last) = book.last.filter(|_| book.manual()) {
                        book.granted.remove(&(topic, last));
                    }
                }
                Step::Room(peer, room) => {
                    xpub.set_writable(PeerKey(peer), room);
                    book.peers.entry(peer).and_modify(|had| *had = room);
                }
                Step::Publish(topic) => {
                    let (targets, full) = book.publish(&topic);
                    let route = xpub.send(&mut Message::from(topic)).unwrap();
                    if targets.is_empty() && full == 0 {
                        prop_assert_eq!(route, Route::Nowhere(DropReason::NoSubscriber));
                    } else {
                        prop_assert_eq!(route, Route::Many { dropped: full });
                    }
                    prop_assert_eq!(xpub.targets().len(), targets.len());
                    let found: BTreeSet<u32> = xpub.targets().iter().map(|key| key.0).collect();
                    prop_assert_eq!(found, targets);
                }
            }
            let holders: BTreeSet<_> = book.granted.iter().map(|(_, peer)| peer).collect();
            prop_assert_eq!(xpub.subscriber_count(), holders.len());
        }
    }

    // spec: 29/xsub-forwards
    #[test]
    fn everybody_with_room_gets_what_an_xsub_sends_and_an_inverted_xpub_publishes(
        steps in proptest::collection::vec((0u8..6, 0u32..12), 0..80),
    ) {
        let mut xsub = Pattern::new(SocketType::XSub, 0);
        let mut xpub = Pattern::new(SocketType::XPub, 0);
        xpub.set(PatternOption::InvertMatching(true)).unwrap();
        let mut peers: BTreeMap<u32, bool> = BTreeMap::new();
        for (kind, peer) in steps {
            let key = PeerKey(peer);
            for pattern in [&mut xsub, &mut xpub] {
                match kind {
                    0..3 => {
                        pattern.attach(key, Attach::default());
                        pattern.link_up(key, &PeerInfo::default()).unwrap();
                    }
                    3 => pattern.detach(key),
                    _ => pattern.set_writable(key, kind == 4),
                }
            }
            match kind {
                0..3 => drop(peers.entry(peer).or_insert(true)),
                3 => drop(peers.remove(&peer)),
                _ => drop(peers.entry(peer).and_modify(|room| *room = kind == 4)),
            }
            let full = peers.values().filter(|room| !**room).count() as u32;
            let with_room: Vec<u32> = peers.iter().filter(|peer| *peer.1).map(|peer| *peer.0).collect();
            for pattern in [&mut xsub, &mut xpub] {
                let route = pattern.send(&mut Message::from("m")).unwrap();
                let nobody = matches!(route, Route::Nowhere(_));
                prop_assert_eq!(nobody, peers.is_empty());
                if !nobody {
                    prop_assert_eq!(route, Route::Many { dropped: full });
                    let mut targets: Vec<u32> = pattern.targets().iter().map(|key| key.0).collect();
                    targets.sort_unstable();
                    prop_assert_eq!(&targets, &with_room);
                }
            }
        }
    }

    // spec: 29/subscription-count
    // spec: 29/resubscribe
    #[test]
    fn a_publisher_always_learns_what_a_subscriber_wants(
        steps in proptest::collection::vec((0u8..6, topic()), 0..100),
    ) {
        let mut sub = Pattern::new(SocketType::Sub, 0);
        let publisher = PeerKey(3);
        sub.attach(publisher, Attach { dialed: true, ..Attach::default() });
        let mut wanted: BTreeMap<Vec<u8>, u32> = BTreeMap::new();
        // What the publisher has heard on this link: a set.
        let mut heard: BTreeSet<Vec<u8>> = BTreeSet::new();
        let mut up = false;
        for (kind, topic) in steps {
            match kind {
                0..3 => {
                    sub.subscribe(&topic).unwrap();
                    *wanted.entry(topic).or_default() += 1;
                }
                3 | 4 => {
                    sub.unsubscribe(&topic).unwrap();
                    wanted.entry(topic).and_modify(|count| *count -= 1);
                    wanted.retain(|_, count| *count > 0);
                }
                _ if up => {
                    sub.link_down(publisher);
                    up = false;
                }
                _ => {
                    sub.link_up(publisher, &PeerInfo::default()).unwrap();
                    heard.clear();
                    up = true;
                }
            }
            while let Some(output) = sub.poll_output() {
                prop_assert!(up);
                match output {
                    Output::Subscribe { topic, .. } => drop(heard.insert(topic.to_vec())),
                    Output::Cancel { topic, .. } => drop(heard.remove(&topic[..])),
                    other => prop_assert!(false, "{:?}", other),
                }
            }
            prop_assert_eq!(sub.topics_count(), wanted.len());
            if up {
                prop_assert!(heard.iter().eq(wanted.keys()));
            }
        }
    }
}
