//! Entry points for fuzzing: what strangers and owners can do in any order, with the invariants checked.
//!
//! They panic where a promise is broken, and nowhere else.
#![allow(
    clippy::panic,
    clippy::arithmetic_side_effects,
    reason = "the judge, not the judged: it runs in fuzz targets and tests only"
)]

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use bytes::Bytes;
use zmtp_wire::{Frame, Message, SocketType};

use crate::{
    Attach, Limits, Output, Pattern, PatternOption, PeerInfo, PeerKey, Prefixes, Route,
    RouterNotify, Source, Taken, Topics,
};

/// Reads choices off the fuzzer's octets; zeros when they are used up.
struct Choices<'a>(&'a [u8]);

impl<'a> Choices<'a> {
    fn octet(&mut self) -> u8 {
        match self.0 {
            [first, rest @ ..] => {
                self.0 = rest;
                *first
            }
            [] => 0,
        }
    }

    fn flag(&mut self) -> bool {
        self.octet() & 1 == 1
    }

    /// Up to 15 octets, or one of them repeated for up to 4 KiB, so that long edges occur.
    fn octets(&mut self) -> Vec<u8> {
        let length = self.octet();
        if length >= 240 {
            let octet = self.octet();
            return alloc::vec![octet; usize::from(length - 239) * 256];
        }
        let (taken, rest) = self
            .0
            .split_at_checked(usize::from(length & 15))
            .unwrap_or((self.0, &[]));
        self.0 = rest;
        taken.to_vec()
    }

    fn frame(&mut self) -> Frame {
        Frame::from(self.octets())
    }

    fn message(&mut self) -> Message {
        let frames = self.octet() & 3;
        (0..=frames).map(|_| self.frame()).collect()
    }

    fn peer(&mut self) -> PeerKey {
        PeerKey(u32::from(self.octet() & 7))
    }
}

/// Any sequence of changes to [`Topics`] and [`Prefixes`] gives what lists of prefixes give.
pub fn topics(octets: &[u8]) {
    let mut choices = Choices(octets);
    let mut topics = Topics::new();
    let mut pairs: BTreeSet<(Vec<u8>, PeerKey)> = BTreeSet::new();
    let mut prefixes = Prefixes::new();
    while !choices.0.is_empty() {
        let what = choices.octet();
        let peer = choices.peer();
        let topic = choices.octets();
        match what & 7 {
            0..4 => {
                topics.insert(peer, &topic);
                if pairs.insert((topic.clone(), peer)) {
                    prefixes.insert(&topic);
                }
            }
            4 | 5 => {
                topics.remove(peer, &topic);
                if pairs.remove(&(topic.clone(), peer)) {
                    prefixes.remove(&topic);
                }
            }
            6 => {
                let mut gone = BTreeSet::new();
                topics.remove_peer(peer, |topic, _| {
                    gone.insert((topic, peer));
                });
                for (topic, _) in &gone {
                    prefixes.remove(topic);
                }
                let held = pairs.iter().filter(|(_, holder)| *holder == peer);
                assert!(gone.iter().eq(held), "all a peer holds goes with it");
                pairs.retain(|(_, holder)| *holder != peer);
            }
            _ => {}
        }
        let mut found = Vec::new();
        topics.for_each_match(&topic, |peer| found.push(peer));
        found.sort_unstable();
        let concerned = pairs.iter().filter(|(held, _)| topic.starts_with(held));
        let mut expected: Vec<PeerKey> = concerned.map(|(_, peer)| *peer).collect();
        expected.sort_unstable();
        assert_eq!(found, expected, "matches are those of the list");
        assert_eq!(prefixes.matches(&topic), !expected.is_empty());
    }
    let mut last: Option<Bytes> = None;
    let distinct: BTreeSet<&Vec<u8>> = pairs.iter().map(|(topic, _)| topic).collect();
    for topic in &distinct {
        last = prefixes.after(last.as_deref());
        assert_eq!(last.as_deref(), Some(topic.as_slice()), "byte order");
    }
    assert_eq!(prefixes.after(last.as_deref()), None);
    assert_eq!(
        (topics.len(), prefixes.len()),
        (distinct.len(), distinct.len())
    );
}

/// What an engine knows of a peer.
#[derive(Clone, Copy, Default)]
struct Pipe {
    attached: bool,
    linked: bool,
    dialed: bool,
    full: bool,
    queued: u8,
}

struct Engine<'a> {
    choices: Choices<'a>,
    pattern: Pattern,
    pipes: [Pipe; 8],
}

/// Any sequence of calls on any socket type: nothing panics, messages go only to peers that are there, and whose
/// turn it is has a message.
pub fn machine(octets: &[u8]) {
    let mut choices = Choices(octets);
    let types: Vec<SocketType> = SocketType::all().collect();
    let number = usize::from(choices.octet()) % types.len().max(1);
    let Some(socket_type) = types.get(number) else {
        return;
    };
    let mut engine = Engine {
        choices,
        pattern: Pattern::new(*socket_type, 1),
        pipes: [Pipe::default(); 8],
    };
    while !engine.choices.0.is_empty() {
        engine.step();
        engine.drain();
    }
    for peer in (0..8).map(PeerKey) {
        engine.pattern.detach(peer);
    }
    while engine.pattern.take_own().is_some() {}
    assert!(!engine.pattern.has_peer());
    assert!(
        !engine.pattern.can_receive(),
        "nobody is left to receive from"
    );
    assert_eq!(engine.pattern.poll_output(), None);
    assert_eq!(engine.pattern.subscriber_count(), 0);
}

impl Engine<'_> {
    fn pipe(&mut self, peer: PeerKey) -> &mut Pipe {
        let Some(pipe) = self.pipes.get_mut(peer.0 as usize) else {
            panic!("a peer that was never attached: {peer:?}");
        };
        pipe
    }

    fn step(&mut self) {
        let what = self.choices.octet();
        let peer = self.choices.peer();
        match what & 15 {
            0 | 1 => self.attach(peer),
            2 => {
                self.pattern.link_down(peer);
                self.pipe(peer).linked = false;
            }
            3 => {
                self.pattern.detach(peer);
                *self.pipe(peer) = Pipe::default();
            }
            4 => {
                let full = self.choices.flag();
                self.pattern.set_writable(peer, !full);
                let pipe = self.pipe(peer);
                pipe.full = full && pipe.attached;
            }
            5 | 6 => {
                self.pattern.set_readable(peer);
                let pipe = self.pipe(peer);
                pipe.queued = pipe.queued.saturating_add(u8::from(pipe.attached));
            }
            7 | 8 => self.receive(),
            9 | 10 => self.send(),
            11 => self.subscribe(peer),
            12 => {
                let topic = Bytes::from(self.choices.octets());
                let result = if what & 16 == 0 {
                    self.pattern.handle_subscribe(peer, topic)
                } else {
                    self.pattern.handle_cancel(peer, topic)
                };
                if result.is_err() {
                    self.pattern.detach(peer);
                    *self.pipe(peer) = Pipe::default();
                }
            }
            13 | 14 => self.set(),
            _ => self.link_up(peer),
        }
    }

    fn attach(&mut self, peer: PeerKey) {
        let how = self.choices.octet();
        let attach = Attach {
            dialed: how & 1 == 1,
            immediate: how & 2 == 2,
            routing_id: (how & 12 == 12).then(|| Bytes::from(self.choices.octets())),
            inproc: how & 16 == 16,
        };
        let usable = attach.dialed && !attach.immediate;
        self.pattern.attach(peer, attach);
        let pipe = self.pipe(peer);
        if !pipe.attached {
            pipe.attached = true;
            pipe.dialed = usable;
        }
        if how & 32 == 0 {
            self.link_up(peer);
        }
    }

    fn link_up(&mut self, peer: PeerKey) {
        let info = PeerInfo {
            routing_id: Bytes::from(self.choices.octets()),
            filters_upstream: !self.choices.flag(),
        };
        let up = self.pattern.link_up(peer, &info).is_ok();
        self.pipe(peer).linked |= up;
    }

    fn send(&mut self) {
        let mut message = self.choices.message();
        let before = message.clone();
        let result = if self.choices.flag() {
            self.pattern.send(&mut message)
        } else {
            let first = before.frames().first().cloned().unwrap_or_default();
            match self.pattern.begin(&first) {
                Ok(reservation) => self.pattern.commit(reservation, &mut message),
                Err(refused) => Err(refused),
            }
        };
        match result {
            Err(_) => assert_eq!(message, before, "a refused message is unchanged"),
            Ok(Route::One(peer)) => self.check_target(peer),
            Ok(Route::Many { .. }) => {
                let targets = self.pattern.targets().to_vec();
                let distinct: BTreeSet<PeerKey> = targets.iter().copied().collect();
                assert_eq!(distinct.len(), targets.len(), "one copy for each");
                for peer in targets {
                    self.check_target(peer);
                }
            }
            Ok(Route::Nowhere(_)) => {}
        }
    }

    fn check_target(&mut self, peer: PeerKey) {
        let pipe = *self.pipe(peer);
        assert!(
            pipe.linked || pipe.dialed,
            "sent to a peer that is not there"
        );
        assert!(!pipe.full, "sent to a peer without room");
    }

    fn receive(&mut self) {
        match self.pattern.next() {
            Ok(Some(Source::Own)) => assert!(self.pattern.take_own().is_some()),
            Ok(Some(Source::Peer(peer))) => {
                let pipe = self.pipe(peer);
                assert!(pipe.queued > 0, "the turn of a peer without messages");
                pipe.queued -= 1;
                let more = pipe.queued > 0;
                let message = self.choices.message();
                match self.pattern.take(peer, message, more) {
                    Taken::Deliver(message) => assert!(!message.frames().is_empty()),
                    Taken::Discard(_) | Taken::Consumed => {}
                }
            }
            Ok(None) => assert!(!self.pattern.can_receive()),
            Err(_) => {}
        }
    }

    fn subscribe(&mut self, peer: PeerKey) {
        let topic = self.choices.octets();
        // Whether it is allowed depends on the type; that it does not panic does not.
        let _ = if peer.0 & 1 == 0 {
            self.pattern.subscribe(&topic)
        } else {
            self.pattern.unsubscribe(&topic)
        };
    }

    fn set(&mut self) {
        let which = self.choices.octet();
        let on = self.choices.flag();
        let text = on.then(|| Bytes::from_static(b"text"));
        let option = match which % 19 {
            0 => PatternOption::RouterMandatory(on),
            1 => PatternOption::RouterHandover(on),
            2 => PatternOption::RouterNotify(RouterNotify {
                connect: on,
                disconnect: self.choices.flag(),
            }),
            3 => PatternOption::ProbeRouter(on),
            4 => PatternOption::ReqRelaxed(on),
            5 => PatternOption::ReqCorrelate(on),
            6 => PatternOption::XPubVerbose(on),
            7 => PatternOption::XPubVerboser(on),
            8 => PatternOption::XPubManual(on),
            9 => PatternOption::XPubManualLastValue(on),
            10 => PatternOption::XPubNoDrop(on),
            11 => PatternOption::WelcomeMessage(text),
            12 => PatternOption::InvertMatching(on),
            13 => PatternOption::OnlyFirstSubscribe(on),
            14 => PatternOption::VerboseUnsubscribe(on),
            15 => PatternOption::HelloMessage(text),
            16 => PatternOption::DisconnectMessage(text),
            17 => PatternOption::HiccupMessage(text),
            _ => PatternOption::Limits(Limits {
                topic: 64,
                topics_per_peer: 3,
                pending_notifications: 5,
                ..Limits::default()
            }),
        };
        let _ = self.pattern.set(option);
    }

    fn drain(&mut self) {
        while let Some(output) = self.pattern.poll_output() {
            match output {
                Output::Subscribe { peer, .. } | Output::Cancel { peer, .. } => {
                    assert!(self.pipe(peer).linked, "told a peer without a link");
                }
                Output::Send { peer, .. } => assert!(self.pipe(peer).attached),
                Output::DiscardQueued { peer } => self.pipe(peer).queued = 0,
                Output::Close { peer, .. } => {
                    self.pattern.detach(peer);
                    *self.pipe(peer) = Pipe::default();
                }
            }
        }
    }
}
