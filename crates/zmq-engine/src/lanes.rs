//! A socket's end of its lanes: what it gathers and hands over, and what it takes and fetches.
//!
//! A lock, a notice and perhaps a wake-up for each message would cost more than all the rest, so messages gather in the
//! pipe of their writer, as they do before a link. They are handed over when there are [`GATHER`] of them, when the lane
//! has no more room as far as the writer knows, when somebody waits for the first one - and by the reader
//! itself, which fetches what has gathered when it has nothing left: so nothing waits for a timer, and a writer may do what
//! it likes after it has sent. Subscriptions, and what is conflated, are handed over at once.

use std::collections::VecDeque;
use std::sync::Arc;

use zmq_patterns::{DropReason, PeerKey};
use zmtp_wire::{Frame, Message};

use crate::core::Core;
use crate::counters::Loss;
use crate::effects::{Effects, Thirst};
use crate::inproc::{Lane, Side};
use crate::monitor::{CloseReason, Happening};
use crate::pipe::{Carrier, Item};

/// Messages that gather before they are handed over.
const GATHER: usize = 64;

/// Messages that others may bring before what a peer has gathered is fetched.
const PATIENCE: usize = 64;

/// The largest empty queue kept for an inproc peer.
const SPARE: usize = 4096;

impl Core {
    // ---- as the writer ----

    /// Links a lane to a pipe whose peer was found; what waited moves into the lane.
    pub(crate) fn join_lane(
        &mut self,
        key: PeerKey,
        lane: &Arc<Lane>,
        side: Side,
        effects: &mut Effects,
    ) {
        self.mark_live(key, Carrier::Inproc(Arc::clone(lane), side));
        let Some(pipe) = self.pipe(key) else { return };
        let waiting = std::mem::take(&mut pipe.out);
        pipe.recount();
        for item in waiting {
            self.enqueue(key, item, effects);
        }
        // A socket that closes waits until nothing is left here.
        self.refresh_lane(key, effects);
        // The peer may gather the first message that it ever sends here.
        self.run_dry(key);
    }

    /// Adds a message to what the peer is handed next, if it is an inproc peer that is sent more than the newest one. Says whether
    /// it did; the message is an empty one then.
    #[inline]
    pub(crate) fn gather_message(
        &mut self,
        key: PeerKey,
        message: &mut Message,
        effects: &mut Effects,
    ) -> bool {
        let Some(pipe) = self.pipe(key) else {
            return false;
        };
        if !matches!(pipe.carrier, Carrier::Inproc(..)) || pipe.marks.conflate {
            return false;
        }
        let message = std::mem::replace(message, Message::single(Frame::empty()));
        pipe.out.push_back(Item::Message(message));
        let count = pipe.out.len();
        if count == 1 || count >= pipe.gather {
            self.gathered(key, effects);
        }
        true
    }

    /// The first message gathers, or so many have.
    pub(crate) fn gathered(&mut self, key: PeerKey, effects: &mut Effects) {
        let Some(pipe) = self.pipe(key) else { return };
        let Carrier::Inproc(lane, side) = &pipe.carrier else {
            return;
        };
        let count = pipe.out_count();
        if count >= pipe.gather || (count == 1 && lane.begin_gathering(*side)) {
            self.hand_over(key, effects);
        }
    }

    /// Adds to what the peer is handed next.
    pub(crate) fn gather(&mut self, key: PeerKey, item: Item, effects: &mut Effects) {
        let Some(pipe) = self.pipe(key) else { return };
        let Carrier::Inproc(lane, side) = &pipe.carrier else {
            return;
        };
        if pipe.marks.conflate {
            let written = lane.write(*side, item);
            self.counters.transmitted += u64::from(written.messages);
            self.counters.lose(Loss::Conflated, written.replaced);
            self.counters.lose(Loss::PeerLeft, written.unheard);
            effects.notices.extend(written.notice);
            return;
        }
        if item.is_message() {
            pipe.out.push_back(item);
            self.gathered(key, effects);
            return;
        }
        // What is bundled goes by itself.
        self.hand_over(key, effects);
        if let Some(pipe) = self.pipe(key) {
            pipe.out.push_back(item);
            pipe.out_commands += 1;
            self.hand_over(key, effects);
        }
    }

    /// Moves what has gathered for an inproc peer into the lane. Says whether there was anything.
    pub(crate) fn hand_over(&mut self, key: PeerKey, effects: &mut Effects) -> bool {
        let Some(pipe) = self.pipe(key) else {
            return false;
        };
        let Carrier::Inproc(lane, side) = &pipe.carrier else {
            return false;
        };
        if pipe.out.is_empty() {
            return false;
        }
        let messages = pipe.queued_messages();
        let handed = lane.hand_over(*side, &mut pipe.out, messages);
        let most = gather(lane, handed.room);
        pipe.moved_out();
        pipe.gather = most;
        let filled = handed.room == 0 && !std::mem::replace(&mut pipe.full, handed.room == 0);
        if filled {
            self.pattern.set_writable(key, false);
        }
        let heard = (messages as u64).saturating_sub(handed.unheard);
        self.counters.transmitted = self.counters.transmitted.saturating_add(heard);
        self.counters.lose(Loss::PeerLeft, handed.unheard);
        effects.notices.extend(handed.notice);
        true
    }

    /// As [`hand_over`](Self::hand_over), for all inproc peers.
    pub(crate) fn hand_over_all(&mut self, effects: &mut Effects) {
        for key in self.keys() {
            self.hand_over(key, effects);
        }
    }

    /// Looks whether a full lane has room again.
    pub(crate) fn refresh_lane(&mut self, key: PeerKey, effects: &mut Effects) {
        self.hand_over(key, effects);
        let Some(pipe) = self.pipe(key) else { return };
        let Carrier::Inproc(lane, side) = &pipe.carrier else {
            return;
        };
        let room = lane.room(*side);
        pipe.gather = gather(lane, room);
        let full = room == 0;
        if full != pipe.full {
            pipe.full = full;
            self.pattern.set_writable(key, !full);
        }
    }

    /// Tells the full lanes whether their writer is awake and looks for room.
    pub(crate) fn look_for_room(&self, looking: bool) {
        for (_, pipe) in self.pipes() {
            if let Carrier::Inproc(lane, side) = &pipe.carrier
                && pipe.full
            {
                lane.look_for_room(*side, looking);
            }
        }
    }

    /// Ends a lane from this side. What has gathered is handed over first; what the peer wrote and nobody read is counted.
    pub(crate) fn close_lane(&mut self, key: PeerKey, effects: &mut Effects) {
        self.hand_over(key, effects);
        let Some(pipe) = self.pipe(key) else { return };
        if let Carrier::Inproc(lane, side) = &pipe.carrier {
            let (notice, unread) = lane.close(*side);
            effects.notices.extend(notice);
            self.counters.lose(Loss::Unread, unread);
        }
    }

    /// Messages that an inproc peer was handed and has not used.
    pub(crate) fn handed_and_unused(&mut self, key: PeerKey) -> usize {
        self.pipe(key).map_or(0, |pipe| match &pipe.carrier {
            Carrier::Inproc(lane, side) => lane.unused(*side),
            _ => 0,
        })
    }

    // ---- as the reader ----

    /// So many messages of a peer are in its pipe now.
    fn has_arrived(&mut self, key: PeerKey, count: u64) {
        if count > 0 {
            self.counters.arrived = self.counters.arrived.saturating_add(count);
            self.pattern.set_readable(key);
        }
    }

    /// Nothing is left of what an inproc peer has handed over.
    pub(crate) fn run_dry(&mut self, key: PeerKey) {
        let Some(pipe) = self.pipe(key) else { return };
        let Carrier::Inproc(lane, side) = &pipe.carrier else {
            return;
        };
        lane.run_dry(*side);
        pipe.thirsty = true;
        if !std::mem::replace(&mut pipe.listed, true) {
            self.thirsty.push(key);
        }
    }

    /// A message was taken while other peers had none. They are not left waiting because some keep this socket busy.
    pub(crate) fn bear_thirst(&mut self, effects: &mut Effects) {
        self.patience = self.patience.saturating_add(1);
        // To look at many costs no more for each message than to look at few.
        if self.patience as usize > PATIENCE.max(self.thirsty.len()) {
            self.patience = 0;
            let thirst = self.take_thirst();
            if !thirst.is_empty() {
                effects.fetch(thirst);
            }
        }
    }

    /// The inproc peers that write to this socket, or one of them.
    pub(crate) fn writers(&self, only: Option<PeerKey>) -> Thirst {
        self.pipes()
            .filter(|(key, _)| only.is_none_or(|only| only == *key))
            .filter_map(|(_, pipe)| match &pipe.carrier {
                Carrier::Inproc(lane, side) => lane.writer(*side),
                _ => None,
            })
            .collect()
    }

    /// The peers from which to fetch: those that have handed over nothing more and gathered something.
    pub(crate) fn take_thirst(&mut self) -> Thirst {
        let mut thirst = Thirst::new();
        let mut keys = std::mem::take(&mut self.thirsty);
        keys.retain(|key| {
            let Some(pipe) = self.pipe(*key) else {
                return false;
            };
            if let Carrier::Inproc(lane, side) = &pipe.carrier
                && pipe.thirsty
            {
                if lane.has_gathered(*side) {
                    thirst.extend(lane.writer(*side));
                }
                return true;
            }
            pipe.listed = false;
            false
        });
        self.thirsty = keys;
        thirst
    }
}

/// How many messages gather in a pipe whose lane has room for so many.
fn gather(lane: &Lane, room: usize) -> usize {
    if lane.conflates() {
        0
    } else {
        room.min(GATHER)
    }
}

/// Moves what an inproc peer has written into the pipe.
pub(crate) fn read_lane(core: &mut Core, key: PeerKey, effects: &mut Effects) {
    let receives = core.receives;
    let Some(pipe) = core.pipe(key) else { return };
    let Carrier::Inproc(lane, side) = &pipe.carrier else {
        return;
    };
    let mut items = std::mem::take(&mut pipe.spare);
    let (messages, bundled) = lane.read(*side, &mut items);
    let plain = receives && !pipe.marks.conflate && pipe.unheard.is_none();
    if plain && !bundled && items.len() == messages {
        // One copy of all of them: what another core has written comes quicker so than one at a time.
        pipe.input.append(&mut items);
        core.has_arrived(key, messages as u64);
    } else if plain && items.iter().all(Item::is_message) {
        for item in items.drain(..) {
            match item {
                Item::Shared(messages) => {
                    let messages = messages.iter().cloned().map(Item::Message);
                    pipe.input.extend(messages);
                }
                item => pipe.input.push_back(item),
            }
        }
        core.has_arrived(key, messages as u64);
    } else {
        sort_out(core, key, &mut items, effects);
    }
    let Some(pipe) = core.pipe(key) else { return };
    if items.capacity() <= SPARE {
        pipe.spare = items;
    }
    if pipe.input.is_empty() {
        core.run_dry(key);
    } else {
        pipe.thirsty = false;
    }
}

/// Takes what an inproc peer has written one by one.
fn sort_out(core: &mut Core, key: PeerKey, items: &mut VecDeque<Item>, effects: &mut Effects) {
    let receives = core.receives;
    let conflate = core.pipe(key).is_some_and(|pipe| pipe.marks.conflate);
    let mut arrived = 0_u64;
    let mut unwanted = 0_usize;
    let mut replaced = 0_usize;
    for item in items.drain(..).flat_map(Item::unpack) {
        match item {
            Item::Message(_) if !receives => {
                unwanted += 1;
            }
            Item::Message(message) => {
                arrived += 1;
                if let Some(pipe) = core.pipe(key) {
                    if conflate {
                        replaced += pipe.input.len();
                        pipe.input.clear();
                    }
                    pipe.push_input(message);
                }
            }
            Item::Pack(_) | Item::Shared(_) => {}
            Item::Subscribe(topic) => {
                if core.pattern.handle_subscribe(key, topic).is_err() {
                    core.lose_quietly(DropReason::Malformed, 1);
                }
            }
            Item::Cancel(topic) => {
                if core.pattern.handle_cancel(key, topic).is_err() {
                    core.lose_quietly(DropReason::Malformed, 1);
                }
            }
        }
    }
    core.has_arrived(key, arrived);
    core.counters.lose(Loss::Conflated, replaced as u64);
    if unwanted > 0 {
        core.lose_quietly(DropReason::Unexpected, unwanted as u64);
    }
    if unwanted + replaced > 0 {
        core.after_taking(key, unwanted + replaced, effects);
    }
}

/// An inproc peer has closed: what it wrote can still be read.
pub(crate) fn lane_gone(core: &mut Core, key: PeerKey, effects: &mut Effects) {
    // The key may have another owner by now.
    let ended = core.pipe(key).is_some_and(|pipe| match &pipe.carrier {
        Carrier::Inproc(lane, side) => lane.has_ended(*side),
        _ => false,
    });
    if !ended {
        return;
    }
    read_lane(core, key, effects);
    let Some(pipe) = core.pipe(key) else { return };
    pipe.dying = true;
    let dialer = pipe.dialer;
    let endpoint = pipe.facts.endpoint.clone();
    let drained = pipe.input.is_empty();
    core.forget_dialer(dialer);
    core.link_down(key);
    core.pattern.retire(key);
    core.report(
        &endpoint,
        None,
        Happening::Closed {
            reason: CloseReason::ByPeer,
            was_ready: true,
            descriptor: None,
        },
    );
    if drained {
        core.detach(key, Loss::PeerLeft);
    }
}
