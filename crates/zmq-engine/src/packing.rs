//! How a message of a burst gets behind those that gather: encoded already where its link takes packs.

use zmq_patterns::PeerKey;
use zmtp_wire::{Frame, Message, Pack};

use crate::core::Core;
use crate::effects::Effects;
use crate::item::{Item, Slot, octets_of};
use crate::pace::{FLUSH_OCTETS, FRAME_HEAD, LARGEST_PACK, PACKED, PACKED_FRAMES, Pace};
use crate::pipe::{Carrier, Pipe};

impl Core {
    /// Puts a message behind those that are packed for a peer, where there are such. Says whether it did: the message is still there then, and
    /// of no meaning.
    #[inline(never)]
    pub(crate) fn pack(&mut self, key: PeerKey, message: &Message, effects: &mut Effects) -> bool {
        let packed = self.pipe(key).is_some_and(|pipe| pipe.pack(message));
        if packed {
            self.queued(key, effects);
        }
        packed
    }
}

impl Pipe {
    /// Puts a message that stands in `slot` behind those that wait to leave, if it needs no more than that: the burst goes on, the mark is
    /// not reached, and nothing is to be written yet.
    #[inline]
    pub(crate) fn push_plain(&mut self, slot: &mut impl Slot) -> bool {
        if self.marks.conflate {
            return false;
        }
        match &self.carrier {
            Carrier::Link(_) if self.bursts() => self.push_to_link(slot),
            Carrier::Inproc(..) => self.push_to_lane(slot),
            _ => false,
        }
    }

    /// A message gathers behind others for an inproc peer. The first one, and that with which they are handed over, go the long way.
    #[inline]
    fn push_to_lane(&mut self, slot: &mut impl Slot) -> bool {
        let count = self.out.len().saturating_add(1);
        if count == 1 || count >= self.gather {
            return false;
        }
        self.out.push_back(Item::Message(slot.take()));
        true
    }

    /// As [`push_plain`](Self::push_plain) for the body of a message of one frame, which is copied behind those that gather in a pack.
    #[inline]
    pub(crate) fn push_body(&mut self, body: &[u8]) -> bool {
        let to_link = matches!(self.carrier, Carrier::Link(_)) && !self.marks.conflate;
        if !(to_link && self.bursts() && self.packs && body.len() <= PACKED) {
            return false;
        }
        let Some(octets) = self.goes_on_with(body.len()) else {
            return false;
        };
        let Some(pack) = self.open_pack() else {
            return false;
        };
        pack.push_body(body);
        self.packed = self.packed.saturating_add(1);
        self.out_octets = octets;
        self.fresh = true;
        true
    }

    /// Whether a burst is under way of which nothing has to be written yet.
    #[inline]
    fn bursts(&self) -> bool {
        self.pace == Pace::Hot && !self.flush_wanted
    }

    /// Octets that are queued with a message of so many, unless it reaches a mark or completes the burst.
    #[inline]
    fn goes_on_with(&self, length: usize) -> Option<usize> {
        let count = self.out_count().saturating_add(1);
        let octets = self.out_octets.saturating_add(length);
        let queued = count.saturating_add(self.in_flight);
        let ends = count >= self.marks.burst
            || octets >= FLUSH_OCTETS
            || self.marks.send.is_some_and(|mark| queued >= mark as usize)
            || self
                .marks
                .octets
                .is_some_and(|mark| octets.saturating_add(self.in_flight_octets) >= mark);
        (!ends).then_some(octets)
    }

    #[inline]
    fn push_to_link(&mut self, slot: &mut impl Slot) -> bool {
        let length = octets_of(slot.frames());
        let Some(octets) = self.goes_on_with(length) else {
            return false;
        };
        let frames = slot.frames();
        if !self.packs || length > PACKED || frames.len() > PACKED_FRAMES {
            self.out.push_back(Item::Message(slot.take()));
        } else if let Some(pack) = self.open_pack() {
            if frames.len() > 1 && !fits(pack, frames, length) {
                return false;
            }
            pack.push_frames(frames);
            self.packed = self.packed.saturating_add(1);
        } else {
            let mut pack = Pack::with_capacity(self.pack_octets);
            pack.push_frames(frames);
            self.out.push_back(Item::Pack(Box::new(pack)));
        }
        self.out_octets = octets;
        self.fresh = true;
        true
    }

    /// The pack to which what is queued now can be added.
    #[inline]
    fn open_pack(&mut self) -> Option<&mut Pack> {
        match self.out.back_mut() {
            Some(Item::Pack(pack)) if pack.is_open() => Some(pack),
            _ => None,
        }
    }

    /// Puts a message behind those that gather in a pack already, so that it is not a write of its own. Says whether it did.
    pub(crate) fn pack(&mut self, message: &Message) -> bool {
        let length = message.byte_len();
        let frames = message.frames();
        if self.marks.conflate || length > PACKED || frames.len() > PACKED_FRAMES {
            return false;
        }
        let Some(pack) = self.open_pack().filter(|pack| fits(pack, frames, length)) else {
            return false;
        };
        pack.push_frames(frames);
        self.packed = self.packed.saturating_add(1);
        self.out_octets = self.out_octets.saturating_add(length);
        self.fresh = true;
        true
    }
}

/// Whether these frames, of so many octets, can join a pack that leaves with one write. Those of one frame always can, up to the octets that
/// have it written.
fn fits(pack: &Pack, frames: &[Frame], octets: usize) -> bool {
    let heads = frames.len().saturating_mul(FRAME_HEAD);
    let wire = pack.wire_octets().saturating_add(octets);
    wire.saturating_add(heads) <= LARGEST_PACK
}
