//! What was accepted against what became of it: "accepted is delivered, counted as lost, reported, or still queued".

use std::collections::BTreeMap;

use zmq_engine::{Counters, DropReason, Frame, Loss, Message, Socket, SocketType};

use crate::dice::Dice;

/// The account of one socket.
#[derive(Clone, Debug)]
pub struct Statement {
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: SocketType,
    /// Its numbers.
    pub counters: Counters,
    /// Messages waiting to leave.
    pub queued_out: u64,
    /// Messages waiting to be received.
    pub queued_in: u64,
    /// Copies of messages that a fan-out should have made; `None` if nobody has counted.
    pub meant: Option<u64>,
}

impl Statement {
    pub(crate) fn of(name: &str, socket: &Socket, meant: Option<u64>) -> Statement {
        let peers = socket.peers();
        Statement {
            name: name.to_owned(),
            kind: socket.socket_type(),
            counters: socket.counters(),
            queued_out: peers.iter().map(|peer| peer.queued_out as u64).sum(),
            queued_in: peers.iter().map(|peer| peer.queued_in as u64).sum(),
            meant,
        }
    }

    fn lost(&self, on: Way) -> u64 {
        let losses = self.counters.losses().iter();
        losses
            .filter(|(loss, _)| way_of(*loss) == on)
            .map(|(_, count)| count)
            .sum()
    }

    /// Messages that left this socket's hands: to the network, or to nobody.
    fn outgoing(&self) -> u64 {
        self.counters.transmitted + self.lost(Way::Out) + self.queued_out
    }

    /// Messages this socket took responsibility for.
    fn owed(&self) -> u64 {
        match (self.fans_out(), self.meant) {
            // A message for nobody is counted once, as lost.
            (true, Some(meant)) => {
                meant + self.counters.lost(Loss::Pattern(DropReason::NoSubscriber))
            }
            (true, None) => self.outgoing(),
            (false, _) => self.counters.accepted,
        }
    }

    fn fans_out(&self) -> bool {
        matches!(
            self.kind,
            SocketType::Pub | SocketType::XPub | SocketType::XSub
        )
    }

    /// Faults in the account of this socket alone.
    #[must_use]
    pub fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if self.owed() != self.outgoing() {
            faults.push(format!(
                "{} ({}): owes {} messages, but transmitted {}, lost {} and keeps {}: {:?}",
                self.name,
                self.kind.name(),
                self.owed(),
                self.counters.transmitted,
                self.lost(Way::Out),
                self.queued_out,
                self.counters,
            ));
        }
        let known = self.counters.delivered + self.lost(Way::In) + self.queued_in;
        // An XPUB delivers subscriptions, which are not messages of a peer.
        let own = matches!(self.kind, SocketType::XPub);
        if self.counters.arrived != known && !(own && self.counters.arrived <= known) {
            faults.push(format!(
                "{} ({}): {} messages arrived, but {} were delivered, {} lost and {} wait: {:?}",
                self.name,
                self.kind.name(),
                self.counters.arrived,
                self.counters.delivered,
                self.lost(Way::In),
                self.queued_in,
                self.counters,
            ));
        }
        faults
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Out,
    In,
}

/// Whether a loss concerns what was to be sent or what was received.
fn way_of(loss: Loss) -> Way {
    match loss {
        Loss::Unread | Loss::Conflated => Way::In,
        Loss::Pattern(
            DropReason::FilteredOut
            | DropReason::Malformed
            | DropReason::StaleReply
            | DropReason::Unexpected,
        ) => Way::In,
        _ => Way::Out,
    }
}

/// The accounts of sockets bound to one address and of those that dial it.
#[derive(Clone, Debug)]
pub struct Books {
    /// Bound sockets.
    pub bound: Vec<Statement>,
    /// Dialing sockets.
    pub dialed: Vec<Statement>,
    /// Octets the dialing side wrote and the other never read, and in how many connections.
    pub unread_from_dialers: (u64, u64),
    /// The same the other way round.
    pub unread_from_bound: (u64, u64),
}

/// A message on the wire has at least its header.
const LEAST_MESSAGE: u64 = 2;

impl Books {
    /// Everything that does not add up.
    #[must_use]
    pub fn faults(&self) -> Vec<String> {
        let all = self.bound.iter().chain(&self.dialed);
        let mut faults: Vec<String> = all.flat_map(Statement::faults).collect();
        faults.extend(between(&self.dialed, &self.bound, self.unread_from_dialers));
        faults.extend(between(&self.bound, &self.dialed, self.unread_from_bound));
        faults
    }

    /// # Panics
    /// If something does not add up; `what` says what was tried.
    pub fn assert_balanced(&self, what: &dyn std::fmt::Display) {
        let faults = self.faults();
        assert!(faults.is_empty(), "{what}\n{}", faults.join("\n"));
    }
}

/// What was transmitted has arrived, save for what the network never gave to the other end.
fn between(from: &[Statement], to: &[Statement], unread: (u64, u64)) -> Option<String> {
    let transmitted: u64 = from.iter().map(|one| one.counters.transmitted).sum();
    let arrived: u64 = to.iter().map(|one| one.counters.arrived).sum();
    // In each connection, one message may have been read in part.
    let (octets, connections) = unread;
    let most_lost = octets.div_ceil(LEAST_MESSAGE) + connections.min(octets);
    let fine = arrived <= transmitted && transmitted - arrived <= most_lost;
    (!fine).then(|| {
        let names: Vec<&str> = from.iter().map(|one| one.name.as_str()).collect();
        format!(
            "{}: transmitted {transmitted} messages, of which {arrived} arrived, with {octets} octets in {connections} \
             connections unread",
            names.join("+")
        )
    })
}

/// The message number `number` of a sender: its shape and contents follow from the two, so that whoever receives it can
/// tell whether it is whole.
#[must_use]
pub fn compose(sender: u32, number: u64) -> Message {
    let mut dice = Dice::new((u64::from(sender) << 40) ^ number);
    let mut frames = vec![Frame::from(format!("{sender}.{number}").as_str())];
    let more = [0, 0, 0, 1, 2, 5][dice.index(6)];
    for _ in 0..more {
        let length = [0, 1, 38, 39, 255, 256, 700][dice.index(7)];
        // An XPUB takes any frame that begins with 0 or 1 for a subscription.
        let octet = u8::try_from(2 + dice.below(254)).unwrap_or(2);
        frames.push(Frame::from(vec![octet; length]));
    }
    Message::from(frames)
}

/// As [`compose`], with few octets: for conversations that are cut at each of them.
#[must_use]
pub fn compose_small(sender: u32, number: u64) -> Message {
    let mut message = Message::from(format!("{sender}.{number}").as_str());
    for part in 0..number % 3 {
        let octet = u8::try_from(sender).unwrap_or(0);
        let length = [0, 39][usize::from(part == 1)];
        message.push_back(Frame::from(vec![octet; length]));
    }
    message
}

/// What makes the messages that a ledger knows.
pub type Compose = fn(u32, u64) -> Message;

impl Default for Ledger {
    fn default() -> Ledger {
        Ledger::of_messages(compose)
    }
}

/// Who has received what.
#[derive(Clone, Debug)]
pub struct Ledger {
    compose: Compose,
    seen: BTreeMap<(usize, u32), Vec<u64>>,
    faults: Vec<String>,
}

impl Ledger {
    /// A ledger of messages that are made like this.
    #[must_use]
    pub fn of_messages(compose: Compose) -> Ledger {
        Ledger {
            compose,
            seen: BTreeMap::new(),
            faults: Vec::new(),
        }
    }

    /// Enters a message that a receiver got, without any envelope.
    pub fn enter(&mut self, receiver: usize, message: &Message) {
        let name = String::from_utf8_lossy(message.first()).into_owned();
        let numbers = name
            .split_once('.')
            .and_then(|(sender, number)| Some((sender.parse().ok()?, number.parse().ok()?)));
        let Some((sender, number)) = numbers else {
            self.faults
                .push(format!("receiver {receiver} got what nobody sent: {name}"));
            return;
        };
        if (self.compose)(sender, number).frames() != message.frames() {
            self.faults.push(format!(
                "receiver {receiver} got {name} not as it was sent: {}",
                crate::world::show(message)
            ));
        }
        self.seen
            .entry((receiver, sender))
            .or_default()
            .push(number);
    }

    /// How many messages were received.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.seen.values().map(|numbers| numbers.len() as u64).sum()
    }

    /// What a receiver got from a sender.
    #[must_use]
    pub fn of(&self, receiver: usize, sender: u32) -> &[u64] {
        self.seen
            .get(&(receiver, sender))
            .map_or(&[], Vec::as_slice)
    }

    /// Whatever is not whole, comes twice to one receiver, or out of the order it was sent in.
    #[must_use]
    pub fn faults(&self) -> Vec<String> {
        let mut faults = self.doubles();
        for ((receiver, sender), numbers) in &self.seen {
            if let Some(pair) = numbers.windows(2).find(|pair| pair[0] > pair[1]) {
                faults.push(format!(
                    "receiver {receiver} got {sender}.{} before {sender}.{}",
                    pair[0], pair[1]
                ));
            }
        }
        faults
    }

    /// Whatever is not whole or comes twice to one receiver.
    #[must_use]
    pub fn doubles(&self) -> Vec<String> {
        let mut faults = self.faults.clone();
        for ((receiver, sender), numbers) in &self.seen {
            let mut sorted = numbers.clone();
            sorted.sort_unstable();
            if let Some(pair) = sorted.windows(2).find(|pair| pair[0] == pair[1]) {
                faults.push(format!(
                    "receiver {receiver} got {sender}.{} twice",
                    pair[0]
                ));
            }
        }
        faults
    }

    /// Whatever came to more than one receiver, where each message is for one.
    #[must_use]
    pub fn shared(&self) -> Vec<String> {
        let mut owner: BTreeMap<(u32, u64), usize> = BTreeMap::new();
        let mut faults = Vec::new();
        for ((receiver, sender), numbers) in &self.seen {
            for number in numbers {
                if let Some(other) = owner.insert((*sender, *number), *receiver)
                    && other != *receiver
                {
                    faults.push(format!(
                        "{sender}.{number} came to receivers {other} and {receiver}"
                    ));
                }
            }
        }
        faults
    }
}
