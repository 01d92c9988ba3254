//! The queues towards and from one peer, and the marks that bound them.
//!
//! A pipe lives under its socket's lock. What a link has taken out of it and not yet handed to the kernel is still
//! counted here (`in_flight`), so that the mark means "messages not wholly handed to the kernel".

use std::collections::VecDeque;
use std::sync::Arc;

use zmtp_wire::{Message, SocketType, Version};

use crate::clock::Nanos;
use crate::inproc::{Lane, Side};
pub(crate) use crate::item::Item;
use crate::item::{Slot, octets_of};
use crate::link::Link;
pub(crate) use crate::pace::{
    BURST_MICROS, FLUSH_LARGE, FLUSH_OCTETS, PACKED, PACKED_FRAMES, Pace,
};
use crate::pace::{FEW, LARGEST_PACK};

/// Who carries the messages of a pipe.
#[derive(Debug)]
pub(crate) enum Carrier {
    /// Nobody yet, or nobody any more: a dialed peer that is not connected, an accepted one whose link has ended.
    None,
    Link(Arc<Link>),
    Inproc(Arc<Lane>, Side),
}

/// The bounds of a pipe.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Marks {
    pub(crate) send: Option<u32>,
    pub(crate) recv: Option<u32>,
    pub(crate) octets: Option<usize>,
    pub(crate) conflate: bool,
    /// So many messages gather before their sender writes them.
    pub(crate) burst: usize,
}

/// What is known about the peer behind a pipe.
#[derive(Clone, Debug, Default)]
pub(crate) struct PeerFacts {
    pub(crate) endpoint: String,
    pub(crate) address: Option<String>,
    pub(crate) socket_type: Option<SocketType>,
    pub(crate) version: Option<Version>,
}

#[derive(Debug)]
pub(crate) struct Pipe {
    pub(crate) carrier: Carrier,
    /// The dialer whose peer this is; `None` for an accepted peer.
    pub(crate) dialer: Option<u64>,
    pub(crate) facts: PeerFacts,
    pub(crate) marks: Marks,
    pub(crate) out: VecDeque<Item>,
    pub(crate) out_octets: usize,
    /// Items in `out` that are not messages.
    pub(crate) out_commands: usize,
    /// Messages in `out` beyond one for each item: those that share one.
    pub(crate) packed: usize,
    /// Its link takes packs.
    pub(crate) packs: bool,
    /// Octets that the latest pack had.
    pub(crate) pack_octets: usize,
    /// Messages a link has taken from `out` and not wholly written.
    pub(crate) in_flight: usize,
    /// Octets of these, kept only where there is a mark in octets.
    pub(crate) in_flight_octets: usize,
    /// The pattern was told that there is no room.
    pub(crate) full: bool,
    /// Messages only: they are items because that is what a lane brings, all at once.
    pub(crate) input: VecDeque<Item>,
    pub(crate) input_octets: usize,
    /// The link has stopped reading because of the mark.
    pub(crate) paused: bool,
    /// The kernel takes no more for now; the link waits for it.
    pub(crate) stalled: bool,
    pub(crate) pace: Pace,
    /// Something was queued since the driver's last tick.
    pub(crate) fresh: bool,
    /// Somebody wants the output to leave now.
    pub(crate) flush_wanted: bool,
    pub(crate) last_write: Nanos,
    /// The handshake is over and the link is up.
    pub(crate) live: bool,
    /// The peer is gone for good; the pipe goes when its input was taken.
    pub(crate) dying: bool,
    /// What it sends is not wanted any more: how much was thrown away since.
    pub(crate) unheard: Option<u64>,
    /// Its endpoint was disconnected; it goes when its queue is empty.
    pub(crate) leaving: bool,
    /// A stream without a descriptor has called, and whoever drives its link must look.
    pub(crate) woken: bool,
    /// Its link cannot be written to any more.
    pub(crate) broken: bool,
    /// Inproc: messages taken from `input` and not yet reported to the writer.
    pub(crate) unreported: u32,
    /// Inproc: how many messages may gather before they are handed over.
    pub(crate) gather: usize,
    /// Inproc: nothing is left of what the peer has handed over.
    pub(crate) thirsty: bool,
    /// Inproc: it is among those whose gathered messages are looked for. It may be thirsty no more.
    pub(crate) listed: bool,
    /// Inproc: an empty queue to change for a full one.
    pub(crate) spare: VecDeque<Item>,
    /// Inproc: after how many of these the writer is told.
    pub(crate) report_step: u32,
}

impl Pipe {
    pub(crate) fn new(marks: Marks, dialer: Option<u64>, facts: PeerFacts) -> Pipe {
        Pipe {
            carrier: Carrier::None,
            dialer,
            facts,
            marks,
            out: VecDeque::new(),
            out_octets: 0,
            out_commands: 0,
            packed: 0,
            packs: false,
            pack_octets: 0,
            in_flight: 0,
            in_flight_octets: 0,
            full: false,
            input: VecDeque::new(),
            input_octets: 0,
            paused: false,
            stalled: false,
            pace: Pace::Idle,
            fresh: false,
            flush_wanted: false,
            last_write: Nanos(0),
            live: false,
            dying: false,
            unheard: None,
            leaving: false,
            broken: false,
            woken: false,
            unreported: 0,
            gather: 0,
            thirsty: false,
            listed: false,
            spare: VecDeque::new(),
            report_step: 1,
        }
    }

    /// Whether the next message must wait.
    pub(crate) fn is_full(&self) -> bool {
        if self.marks.conflate {
            return false;
        }
        let queued = self.queued();
        self.marks.send.is_some_and(|mark| queued >= mark as usize)
            || self
                .marks
                .octets
                .is_some_and(|mark| self.waiting_octets() >= mark)
    }

    fn waiting_octets(&self) -> usize {
        self.out_octets.saturating_add(self.in_flight_octets)
    }

    /// How many messages, and octets, until it is full.
    pub(crate) fn room(&self) -> (usize, usize) {
        let messages = self.marks.send.map(|mark| mark as usize);
        let octets = self.marks.octets;
        (
            messages.map_or(usize::MAX, |mark| mark.saturating_sub(self.queued())),
            octets.map_or(usize::MAX, |mark| {
                mark.saturating_sub(self.waiting_octets())
            }),
        )
    }

    /// Whether a full pipe has emptied enough to be offered to the pattern again: half, so that a sender at the mark does
    /// not pay for a wake-up with every message.
    pub(crate) fn has_room_again(&self) -> bool {
        let queued = self.queued();
        let messages = self.marks.send.is_none_or(|mark| {
            let mark = mark as usize;
            queued <= mark / 2 || mark == 0
        });
        !self.leaving
            && !self.broken
            && messages
            && self
                .marks
                .octets
                .is_none_or(|mark| self.waiting_octets() <= mark / 2)
    }

    /// How many more messages the input may take now.
    pub(crate) fn input_room(&self) -> usize {
        if self.marks.conflate {
            return usize::MAX;
        }
        if self
            .marks
            .octets
            .is_some_and(|mark| self.input_octets >= mark)
        {
            return 0;
        }
        match self.marks.recv {
            None => usize::MAX,
            Some(mark) => (mark as usize).saturating_sub(self.input.len()),
        }
    }

    /// Whether a link that paused may read again: at half the mark.
    pub(crate) fn may_resume(&self) -> bool {
        self.marks
            .recv
            .is_none_or(|mark| self.input.len() <= (mark as usize) / 2)
            && self
                .marks
                .octets
                .is_none_or(|mark| self.input_octets <= mark / 2)
    }

    /// Whether a link that paused may perhaps read again once one more message was taken. Octets are left out: they are looked at when it was.
    fn may_resume_behind_one(&self) -> bool {
        self.input.len() <= self.resumes_behind()
    }

    /// With so many messages in the input a link that paused may perhaps read again once one more was taken.
    fn resumes_behind(&self) -> usize {
        let mark = self.marks.recv;
        mark.map_or(usize::MAX, |mark| (mark as usize / 2).saturating_add(1))
    }

    /// Whether gathered output has reached the size at which its sender writes it.
    pub(crate) fn flush_due(&self) -> bool {
        let count = self.out_count();
        self.flush_wanted
            || self.out_octets >= FLUSH_LARGE
            || self.out_octets >= FLUSH_OCTETS && (count > FEW || self.is_much(count))
            || count >= self.marks.burst
            || self.is_full()
    }

    /// Whether so many messages are much of what the mark allows: to gather them would have their sender wait for nothing.
    fn is_much(&self, count: usize) -> bool {
        self.marks
            .send
            .is_some_and(|mark| count.saturating_mul(8) >= mark as usize)
    }

    /// Its peer will not come back: it is here only for what that had sent. One chosen with the first part of a message may have left since.
    pub(crate) fn is_left(&self) -> bool {
        self.dying && matches!(self.carrier, Carrier::None)
    }

    /// Messages among the queued items.
    pub(crate) fn queued_messages(&self) -> usize {
        self.out_count().saturating_sub(self.out_commands)
    }

    /// Items in the queue, each message in a pack counted as one.
    pub(crate) fn out_count(&self) -> usize {
        self.out.len().saturating_add(self.packed)
    }

    /// What the mark counts.
    fn queued(&self) -> usize {
        self.out_count().saturating_add(self.in_flight)
    }

    pub(crate) fn push_out(&mut self, item: Item) {
        self.out_octets = self.out_octets.saturating_add(item.octets());
        if !item.is_message() {
            self.out_commands = self.out_commands.saturating_add(1);
        }
        self.out.push_back(item);
        self.fresh = true;
    }

    /// Queues what other pipes have, too: so many messages.
    pub(crate) fn push_shared(&mut self, item: Item, messages: usize) {
        self.packed = self.packed.saturating_add(messages.saturating_sub(1));
        self.push_out(item);
    }

    /// Takes it that all was moved out of the queue at once.
    pub(crate) fn moved_out(&mut self) {
        self.out_octets = 0;
        self.out_commands = 0;
        self.packed = 0;
    }

    /// Keeps only what `keep` says of the items that wait, and counts anew.
    pub(crate) fn retain_out(&mut self, keep: impl FnMut(&Item) -> bool) {
        self.out.retain(keep);
        self.recount();
    }

    /// Counts what waits anew, after it was changed.
    pub(crate) fn recount(&mut self) {
        self.out_octets = self.out.iter().map(Item::octets).sum();
        self.out_commands = self.out.iter().filter(|item| !item.is_message()).count();
        self.packed = self.out.iter().map(Item::others).sum();
    }

    /// Moves what waits behind `batch`, for a link that will write it; gives the number of messages.
    pub(crate) fn take_out(&mut self, batch: &mut VecDeque<Item>) -> usize {
        let messages = self.queued_messages();
        if let Some(Item::Pack(pack)) = self.out.back() {
            // Where packs fill up, none has to be moved because its last message is larger than the one before it was.
            self.pack_octets = match pack.wire_octets() {
                octets if octets > FLUSH_OCTETS / 2 => LARGEST_PACK,
                octets => octets,
            };
        }
        if batch.is_empty() {
            std::mem::swap(batch, &mut self.out);
        } else {
            batch.append(&mut self.out);
        }
        self.in_flight = self.in_flight.saturating_add(messages);
        if self.marks.octets.is_some() {
            self.in_flight_octets = self.in_flight_octets.saturating_add(self.out_octets);
        }
        self.moved_out();
        self.flush_wanted = false;
        messages
    }

    /// Moves the first message of the input to `into`. Says whether there was one.
    ///
    /// A message that leaves inside an `Option` is taken apart and put together again on its way, and waits for itself.
    #[inline]
    pub(crate) fn pop_input(&mut self, into: &mut impl Slot) -> bool {
        // Asked before it is moved: what is looked at after that is moved piece by piece.
        let inline = into.is_inline();
        let Some(Item::Message(first)) = self.input.front_mut() else {
            return false;
        };
        if inline {
            // Nearly every caller comes with an empty message, and one is left: to let go of it is nothing.
            if !into.accept(first) {
                return false;
            }
            debug_assert!(first.is_inline());
            std::mem::forget(self.input.pop_front());
        } else {
            if !into.change_for(first) {
                return false;
            }
            drop(self.input.pop_front());
        }
        self.fetch_ahead();
        if self.input_octets > 0 {
            self.input_octets = self.input_octets.saturating_sub(octets_of(into.frames()));
        }
        true
    }

    /// Has the processor fetch the next message, which may have left its caches since it was read: a thread that takes from many peers in
    /// turn, or from many sockets, would wait for each, as the next lock waits for what was begun before it.
    #[inline]
    fn fetch_ahead(&self) {
        // An item and the one behind it: one item may lie in two lines.
        if let Some(next) = self.input.front() {
            fetch(next);
        }
        if let Some(behind) = self.input.get(1) {
            fetch(behind);
        }
    }

    /// Counts a message taken from the input; `more` are left. Says whether nobody has to hear of it.
    #[inline]
    pub(crate) fn taken_quietly(&mut self, more: bool) -> bool {
        match &self.carrier {
            Carrier::Inproc(..) => {
                let quiet = more && self.unreported.saturating_add(1) < self.report_step;
                self.unreported = self.unreported.saturating_add(u32::from(quiet));
                quiet
            }
            Carrier::Link(_) => !self.paused && (more || !self.dying),
            Carrier::None => more || !self.dying,
        }
    }

    /// Puts `messages`, which hold so many octets, behind those that wait. As a whole where nothing waits.
    pub(crate) fn append_input(&mut self, messages: &mut VecDeque<Item>, octets: usize) {
        if let Some(unheard) = &mut self.unheard {
            *unheard = unheard.saturating_add(messages.len() as u64);
            messages.clear();
            return;
        }
        if self.marks.octets.is_some() {
            self.input_octets = self.input_octets.saturating_add(octets);
        }
        if self.input.is_empty() {
            std::mem::swap(&mut self.input, messages);
        } else {
            self.input.append(messages);
        }
    }

    /// Takes the next message into `slot`, if nothing but its own accounts follow from that. Says whether others are behind it.
    #[inline]
    pub(crate) fn pop_plain(&mut self, slot: &mut impl Slot) -> Option<bool> {
        let more = self.input.len() > 1;
        match &self.carrier {
            Carrier::Link(_) if self.dying || self.paused && self.may_resume_behind_one() => {
                return None;
            }
            Carrier::Link(_) => {}
            Carrier::Inproc(..) => {
                if !more || self.unreported.saturating_add(1) >= self.report_step {
                    return None;
                }
            }
            Carrier::None => return None,
        }
        let taken = self.pop_input(slot);
        // Asked of inproc peers only.
        self.unreported = self.unreported.saturating_add(u32::from(taken));
        taken.then_some(more)
    }

    /// Moves up to `most` messages of the input behind `into`, as many as [`pop_plain`](Self::pop_plain) would take. Says how many, and whether others are
    /// behind them.
    #[inline]
    pub(crate) fn pop_many(&mut self, into: &mut Vec<Message>, most: usize) -> (usize, bool) {
        let waiting = self.input.len();
        let allowed = match &self.carrier {
            Carrier::Link(_) if self.dying => 0,
            Carrier::Link(_) if self.paused => waiting.saturating_sub(self.resumes_behind()),
            Carrier::Link(_) => waiting,
            Carrier::Inproc(..) => {
                let unreported = self.report_step.saturating_sub(self.unreported);
                waiting.min(unreported as usize).saturating_sub(1)
            }
            Carrier::None => 0,
        };
        let mut taken = 0;
        while taken < allowed.min(most) {
            let Some(Item::Message(first)) = self.input.front_mut() else {
                break;
            };
            if self.input_octets > 0 {
                self.input_octets = self.input_octets.saturating_sub(first.byte_len());
            }
            into.push(std::mem::replace(first, Message::empty()));
            // Nothing that has to be let go of is left there.
            std::mem::forget(self.input.pop_front());
            self.fetch_ahead();
            taken += 1;
        }
        self.unreported = self.unreported.saturating_add(taken as u32);
        (taken, waiting > taken)
    }

    pub(crate) fn push_input(&mut self, message: Message) {
        if let Some(unheard) = &mut self.unheard {
            *unheard = unheard.saturating_add(1);
            return;
        }
        if self.marks.octets.is_some() {
            self.input_octets = self.input_octets.saturating_add(message.byte_len());
        }
        self.input.push_back(Item::Message(message));
    }

    /// Messages in a lane that the peer has not taken.
    pub(crate) fn waiting_in_lane(&self) -> usize {
        match &self.carrier {
            Carrier::Inproc(lane, side) => lane.waiting(*side),
            _ => 0,
        }
    }

    pub(crate) fn link(&self) -> Option<&Arc<Link>> {
        match &self.carrier {
            Carrier::Link(link) => Some(link),
            _ => None,
        }
    }
}

/// Has the processor fetch what will be read soon. It goes on meanwhile.
#[inline]
fn fetch<T>(value: &T) {
    #[cfg(target_arch = "x86_64")]
    safe_arch::prefetch_t0(value);
    #[cfg(not(target_arch = "x86_64"))]
    let _ = value;
}
