//! A peer: what it says, and what it makes of what it hears.

use zmtp_wire::SocketType;

use super::choices::{Choices, OURS, PEERS, compose, recognise};
use super::speech::{self, Hearing};
use super::wires::{End, Wires};

/// Octets of messages that a peer says in one run, at most.
const OCTETS: usize = 1 << 20;

pub(super) struct Peer {
    pub(super) wire: usize,
    own: SocketType,
    pub(super) kind: &'static str,
    pub(super) minor: u8,
    pub(super) identity: Vec<u8>,
    pub(super) greeted: bool,
    /// It has said what no honest peer says, or broke off: nothing is certain of what arrives from it.
    pub(super) spoilt: bool,
    /// It has said garbage before its greeting, so that there may be another dialect.
    pub(super) unknown: bool,
    /// What it says arrives at once.
    pub(super) swift: bool,
    /// Messages it has said.
    pub(super) said: u32,
    /// Octets that it may still say.
    budget: usize,
    heard: Option<u32>,
    /// The last of its messages that was received, and how many were.
    met: Option<u32>,
    pub(super) received: u32,
    /// What reaches it.
    pub(super) hearing: Hearing,
    /// Messages of the socket itself, not of its application.
    pub(super) foreign: u64,
    /// What was read of what it said.
    pub(super) spoken: Hearing,
    envelope: Vec<Vec<u8>>,
}

/// Types that go with one.
pub(super) fn fitting(own: SocketType) -> &'static [&'static str] {
    match own {
        SocketType::Push => &["PULL"],
        SocketType::Pull => &["PUSH"],
        SocketType::Pub | SocketType::XPub => &["SUB", "XSUB"],
        SocketType::Sub | SocketType::XSub => &["PUB", "XPUB"],
        SocketType::Req => &["REP", "ROUTER"],
        SocketType::Rep => &["REQ", "DEALER"],
        SocketType::Dealer => &["DEALER", "ROUTER", "REP"],
        SocketType::Router => &["DEALER", "ROUTER", "REQ"],
        _ => &["PAIR"],
    }
}

impl Peer {
    pub(super) fn new(wire: usize, own: SocketType, traits: u8) -> Peer {
        let fitting = fitting(own);
        let identity = match traits >> 4 & 3 {
            0 | 1 => Vec::new(),
            2 => vec![b'p', u8::try_from(wire & 127).unwrap_or(0)],
            _ => b"same".to_vec(),
        };
        Peer {
            wire,
            own,
            kind: fitting[usize::from(traits & 3) % fitting.len()],
            minor: u8::from(traits & 0x0C != 0x0C),
            identity,
            greeted: false,
            spoilt: false,
            unknown: false,
            swift: traits & 0x40 == 0,
            said: 0,
            budget: OCTETS,
            heard: None,
            met: None,
            received: 0,
            hearing: Hearing::default(),
            foreign: 0,
            spoken: Hearing::lenient(),
            envelope: Vec::new(),
        }
    }

    fn owner(&self) -> u8 {
        u8::try_from(self.wire & 127).unwrap_or(0)
    }

    // ---- saying ----

    pub(super) fn say(&self, wires: &Wires, octets: &[u8]) {
        wires.with(self.wire, |wire| {
            if wire.end.is_none() && !wire.closed {
                wire.under_way.extend(octets);
            }
        });
        if self.swift {
            wires.release(self.wire, usize::MAX);
        }
    }

    fn is_over(&self, wires: &Wires) -> bool {
        wires.with(self.wire, |wire| wire.end.is_some() || wire.closed)
    }

    pub(super) fn greet(&mut self, wires: &Wires) {
        if self.greeted || self.is_over(wires) {
            return;
        }
        self.greeted = true;
        let mut octets = speech::greeting(self.minor);
        octets.extend(speech::ready(self.kind, &self.identity));
        if matches!(self.kind, "SUB" | "XSUB") {
            // Everything is wanted by everyone, so that numbers have no gaps.
            octets.extend(self.subscription(true, b""));
        }
        self.say(wires, &octets);
    }

    fn subscription(&self, wanted: bool, topic: &[u8]) -> Vec<u8> {
        if self.minor > 0 {
            let name = if wanted { "SUBSCRIBE" } else { "CANCEL" };
            return speech::command(name, topic);
        }
        let mut octets = vec![
            0,
            u8::try_from(topic.len() + 1).unwrap_or(1),
            u8::from(wanted),
        ];
        octets.extend_from_slice(topic);
        octets
    }

    /// Says the next message, in the shape that is asked for.
    pub(super) fn say_message(&mut self, wires: &Wires, shape: u8) {
        // What subscribers say is for an XPUB alone.
        if !self.greeted || self.is_over(wires) {
            return;
        }
        let message = compose(PEERS, self.owner(), self.said, shape);
        let octets = message.byte_len();
        if octets > self.budget {
            return;
        }
        self.budget -= octets;
        self.said += 1;
        let plain = [Vec::new()];
        let envelope = match (self.own, self.kind) {
            (SocketType::Req, _) if !self.envelope.is_empty() => &self.envelope[..],
            (SocketType::Req | SocketType::Rep, _) | (_, "REQ") => &plain,
            _ => &[],
        };
        self.say(wires, &speech::message(envelope, &message));
    }

    pub(super) fn say_command(&self, wires: &Wires, choices: &mut Choices<'_>) {
        if !self.greeted {
            return;
        }
        let subscribes = matches!(self.kind, "SUB" | "XSUB");
        let topic: &[u8] = choices.of(&[b"", b"a", &[OURS], &[OURS, 127, 0]]);
        let octets = match choices.octet() & 7 {
            0 => speech::command("PONG", &[]),
            1 => speech::command("PONG", &[7; 16]),
            2 | 3 if subscribes => self.subscription(true, topic),
            4 | 5 if subscribes => self.subscription(false, topic),
            6 => speech::command("UNKNOWN", &[0; 40]),
            _ => speech::command("PING", &[0, 0, 1, 2, 3]),
        };
        self.say(wires, &octets);
    }

    pub(super) fn say_garbage(&mut self, wires: &Wires, octets: &[u8]) {
        let masked = octets
            .iter()
            .map(|octet| if *octet == PEERS { !PEERS } else { *octet });
        let masked: Vec<u8> = masked.collect();
        self.spoilt |= !masked.is_empty();
        self.unknown |= !self.greeted && !masked.is_empty();
        self.say(wires, &masked);
    }

    pub(super) fn end(&mut self, wires: &Wires, end: End) {
        self.spoilt = true;
        wires.end(self.wire, end);
    }

    // ---- hearing ----

    /// Looks at what the socket has written and read. Messages of the application are told by their numbers.
    pub(super) fn look(&mut self, wires: &Wires, mut told: impl FnMut(u32)) {
        let (written, read) = wires.with(self.wire, |wire| {
            (
                std::mem::take(&mut wire.written),
                std::mem::take(&mut wire.read),
            )
        });
        if !self.spoilt {
            self.spoken
                .hear(&read, |_| {})
                .expect("an honest peer speaks well");
        }
        if self.unknown {
            return;
        }
        let (own, heard) = (self.own, &mut self.heard);
        let (envelope, foreign) = (&mut self.envelope, &mut self.foreign);
        let result = self.hearing.hear(&written, |frames| {
            let Some(met) = recognise(OURS, frames) else {
                let upstream = matches!(own, SocketType::Sub | SocketType::XSub);
                let subscription = matches!(frames, [[0 | 1, ..]]);
                assert!(
                    upstream && subscription,
                    "peer {} heard what nobody has sent: {frames:?}",
                    self.wire
                );
                *foreign += 1;
                return;
            };
            assert!(
                met.whole,
                "message {} reached peer {} in part",
                met.number, self.wire
            );
            assert!(
                heard.is_none_or(|last| last < met.number),
                "peer {} heard {} after {heard:?}",
                self.wire,
                met.number
            );
            *heard = Some(met.number);
            *envelope = frames[..met.before]
                .iter()
                .map(|frame| frame.to_vec())
                .collect();
            told(met.number);
        });
        if let Err(fault) = result {
            panic!("peer {} heard no ZMTP: {fault}", self.wire);
        }
    }

    /// One of its messages was received.
    pub(super) fn was_received(&mut self, number: u32, whole: bool) {
        assert!(number < self.said, "peer {} never said {number}", self.wire);
        assert!(
            whole || self.spoilt,
            "message {number} of peer {} came in part",
            self.wire
        );
        assert!(
            self.met.is_none_or(|last| last < number),
            "message {number} of peer {} came after {:?}",
            self.wire,
            self.met
        );
        self.met = Some(number);
        self.received += 1;
    }
}
