//! Fan-out: messages that follow each other to the same peers are put together once, in a bundle, for all of them.
//!
//! While the targets of a socket's messages stay the same nothing is done for each of them but one comparison. What is in the bundle
//! moves into the pipes as a whole: encoded for links, as messages for inproc peers, the same octets and the same messages for all. Until
//! then it is in no pipe, so whoever takes the socket's lock finds it moved there ([`SocketShared::lock`]); only senders, and holders of
//! links who report what they wrote, look past it. A pipe whose messages are bundled is in a burst, so that the driver's tick, which
//! takes the lock, comes; an inproc peer was told that something gathers.
//!
//! [`SocketShared::lock`]: crate::shared::SocketShared::lock

use std::sync::Arc;

use zmq_patterns::PeerKey;
use zmtp_wire::{Message, Pack};

use crate::core::Core;
use crate::effects::Effects;
use crate::item::Item;
use crate::pipe::{Carrier, FLUSH_OCTETS, PACKED, PACKED_FRAMES, Pace};

/// A fan-out to more links than this is written by the driver.
const WIDE: usize = 8;

/// Fewer messages are not worth a pack of their own in each pipe.
const PACK_FROM: usize = 3;

/// Messages that all go to the same peers.
#[derive(Debug, Default)]
pub(crate) struct Bundle {
    /// Where the latest message went.
    targets: Vec<PeerKey>,
    /// Those of them that are to have what is bundled, by what carries it.
    links: Vec<PeerKey>,
    lanes: Vec<PeerKey>,
    /// Those that have each message by itself.
    apart: Vec<PeerKey>,
    /// What links are to have.
    pack: Pack,
    /// What inproc peers are to have; for links alone the first ones, until there are enough for a pack.
    messages: Vec<Message>,
    /// Messages in it. It is open while there are any.
    count: usize,
    octets: usize,
    /// So many messages, and octets, and some pipe is at its mark, or something is to be written.
    room: usize,
    octet_room: usize,
    /// Octets that the latest pack had.
    pack_octets: usize,
}

impl Bundle {
    #[inline]
    pub(crate) fn is_open(&self) -> bool {
        self.count > 0
    }

    fn is_full(&self) -> bool {
        let wire = self.pack.wire_octets();
        self.count >= self.room || self.octets >= self.octet_room || wire >= FLUSH_OCTETS
    }

    fn put(&mut self, message: &mut Message, effects: &mut Effects) {
        self.count = self.count.saturating_add(1);
        if self.count < PACK_FROM || !self.lanes.is_empty() {
            message.share();
            self.messages.push(message.clone());
        }
        if !self.links.is_empty() && self.count >= PACK_FROM {
            if self.count == PACK_FROM {
                self.pack = Pack::with_capacity(self.pack_octets);
                for first in self.messages.iter().take(PACK_FROM - 1) {
                    self.pack.push(first);
                }
                if self.lanes.is_empty() {
                    effects.let_go(&mut self.messages);
                }
            }
            self.pack.push(message);
        }
        self.octets = self.octets.saturating_add(message.byte_len());
    }
}

impl Core {
    /// Queues a message for all targets that the pattern has chosen. What is left of it stays where it stands, to be let go of while no lock is
    /// held: that may be code of the application.
    pub(crate) fn fan_out(&mut self, message: &mut Message, effects: &mut Effects) {
        let same = self.bundle.targets == self.pattern.targets();
        let small = message.byte_len() <= PACKED && message.len() <= PACKED_FRAMES;
        if !same || !small {
            self.close_bundle(Some(effects));
        }
        let count = self.pattern.targets().len();
        if count > WIDE && !self.bundle.is_open() && self.bursts.hot().len() < count {
            // Writing to each at once would take so long that the next message never looks like a burst.
            self.heat(effects);
        }
        if !same {
            self.bundle.targets.clear();
            self.bundle
                .targets
                .extend_from_slice(self.pattern.targets());
        } else if small && (self.bundle.is_open() || self.open_bundle()) {
            self.bundle.put(message, effects);
            if !self.bundle.apart.is_empty() {
                message.share();
            }
            for index in 0..self.bundle.apart.len() {
                if let Some(key) = self.bundle.apart.get(index).copied() {
                    self.enqueue(key, Item::Message(message.clone()), effects);
                }
            }
            if self.bundle.is_full() {
                self.close_bundle(Some(effects));
            }
            return;
        }
        if count > 1 {
            message.share();
        }
        for index in 1..count {
            if let Some(key) = self.pattern.targets().get(index).copied() {
                self.enqueue(key, Item::Message(message.clone()), effects);
            }
        }
        if let Some(key) = self.pattern.targets().first().copied() {
            let message = std::mem::replace(message, Message::empty());
            self.enqueue(key, Item::Message(message), effects);
        }
    }

    /// Has the pipes of a wide fan-out gather: the driver writes what waits, at once for the first message of a burst.
    fn heat(&mut self, effects: &mut Effects) {
        for index in 0..self.pattern.targets().len() {
            if let Some(key) = self.pattern.targets().get(index).copied()
                && let Some(pipe) = self.pipe(key)
                && pipe.pace == Pace::Idle
                && matches!(pipe.carrier, Carrier::Link(_))
            {
                pipe.pace = Pace::Hot;
                effects.tick |= self.bursts.begin(key);
            }
        }
    }

    /// Begins to bundle messages for the targets of the latest one. Says whether there are several that can share one.
    fn open_bundle(&mut self) -> bool {
        let mut bundle = std::mem::take(&mut self.bundle);
        bundle.links.clear();
        bundle.lanes.clear();
        bundle.apart.clear();
        bundle.octets = 0;
        bundle.room = usize::MAX;
        bundle.octet_room = FLUSH_OCTETS;
        for key in bundle.targets.iter().copied() {
            let Some(pipe) = self.pipe(key) else { continue };
            let room = pipe.room();
            match &pipe.carrier {
                Carrier::Link(_)
                    if pipe.pace == Pace::Hot
                        && pipe.packs
                        && !pipe.flush_wanted
                        && !pipe.marks.conflate
                        && room.0 > 0
                        && room.1 > 0 =>
                {
                    bundle.room = bundle.room.min(room.0).min(pipe.marks.burst);
                    bundle.octet_room = bundle.octet_room.min(room.1);
                    bundle.links.push(key);
                }
                Carrier::Inproc(lane, side) if !pipe.marks.conflate => {
                    let waiting = pipe.out_count();
                    let room = pipe.gather.saturating_sub(waiting);
                    // Whoever waits for the first one is not to wait for others.
                    if room > 1 && (waiting > 0 || !lane.begin_gathering(*side)) {
                        bundle.room = bundle.room.min(room);
                        bundle.lanes.push(key);
                    } else {
                        bundle.apart.push(key);
                    }
                }
                _ => bundle.apart.push(key),
            }
        }
        let several = bundle.links.len().saturating_add(bundle.lanes.len()) > 1;
        self.bundle = bundle;
        several
    }

    /// Moves what is bundled into the pipes. What is due then is written where there are `effects`, and otherwise with the tick, as what
    /// has gathered for inproc peers waits for more.
    #[inline]
    pub(crate) fn close_bundle(&mut self, effects: Option<&mut Effects>) {
        if self.bundle.is_open() {
            self.deal_out(effects);
        }
    }

    #[inline(never)]
    fn deal_out(&mut self, mut effects: Option<&mut Effects>) {
        let mut bundle = std::mem::take(&mut self.bundle);
        let count = std::mem::take(&mut bundle.count);
        if !bundle.links.is_empty() {
            if count < PACK_FROM {
                for message in &bundle.messages {
                    self.deal(&bundle.links, || Item::Message(message.clone()), 1);
                }
            } else {
                let mut pack = std::mem::take(&mut bundle.pack);
                bundle.pack_octets = pack.wire_octets();
                self.deal(&bundle.links, || Item::Pack(Box::new(pack.share())), count);
            }
            for key in bundle.links.iter().copied() {
                self.dealt(key, effects.as_deref_mut());
            }
        }
        if !bundle.lanes.is_empty() {
            if let [message] = &bundle.messages[..] {
                self.deal(&bundle.lanes, || Item::Message(message.clone()), 1);
            } else {
                let messages = std::mem::take(&mut bundle.messages);
                let messages = Arc::<[Message]>::from(messages);
                self.deal(&bundle.lanes, || Item::Shared(Arc::clone(&messages)), count);
            }
            if let Some(effects) = effects {
                for key in bundle.lanes.iter().copied() {
                    self.gathered(key, effects);
                }
            }
        }
        // Others have them, too.
        bundle.messages.clear();
        self.bundle = bundle;
    }

    /// Queues an item for each, of so many messages.
    fn deal(&mut self, keys: &[PeerKey], mut item: impl FnMut() -> Item, messages: usize) {
        for key in keys {
            if let Some(pipe) = self.pipe(*key) {
                pipe.push_shared(item(), messages);
            }
        }
    }

    /// A link's pipe has more: is it at its mark, and is something to be written?
    fn dealt(&mut self, key: PeerKey, effects: Option<&mut Effects>) {
        let Some(pipe) = self.pipe(key) else { return };
        if let Some(effects) = effects
            && !pipe.stalled
            && pipe.flush_due()
            && let Some(link) = pipe.link()
        {
            effects.pump.push(Arc::clone(link));
        }
        if !pipe.full && pipe.is_full() {
            pipe.full = true;
            self.pattern.set_writable(key, false);
        }
    }
}
