//! Peers in the same context: two queues between two sockets.
//!
//! A lane has a lock for each direction and never takes a socket's. A socket that writes holds its own lock and the
//! lane's; it tells the other socket by a notice, never by locking it.
//!
//! Messages that follow each other gather in the writer's pipe and are handed over many at a time (`lanes`). Two flags keep
//! what has gathered from being forgotten (`handover/hunger`).

use std::collections::VecDeque;
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use zmq_patterns::PeerKey;

use crate::handover::Hunger;
use crate::pipe::Item;
use crate::shared::{Apart, Notice, SocketShared};

/// As many items are copied into a lane, and more are moved with the memory they are in: a writer that fills the same few cache
/// lines again and again has them to itself, while those of a queue that has been at the reader's come back one miss at a time,
/// and the lock of a socket waits for each.
const COPIED: usize = 256;

/// Used messages that a reader reports together, when a lane holds many.
const STEPS: RangeInclusive<usize> = 64..=128;

/// Which end of a lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Dialer,
    Binder,
}

impl Side {
    fn index(self) -> usize {
        match self {
            Side::Dialer => 0,
            Side::Binder => 1,
        }
    }

    fn other(self) -> Side {
        match self {
            Side::Dialer => Side::Binder,
            Side::Binder => Side::Dialer,
        }
    }
}

/// What one direction holds.
#[derive(Debug, Default)]
struct Half {
    queue: VecDeque<Item>,
    /// Messages in `queue`.
    messages: usize,
    /// Messages the reader has taken and not yet reported as used.
    unread: usize,
    /// Messages that were used and still count: the writer is given room by the step, however quick the reader tells of them.
    spent: usize,
    capacity: Option<usize>,
    /// After how many used messages there is room for as many more.
    step: Option<usize>,
    /// The mark of the writer and that of the reader, whose sum is the capacity.
    write_mark: Option<u32>,
    read_mark: Option<u32>,
    /// Items in `queue` hold several messages each.
    bundled: bool,
    /// The reader was told that there is something.
    told: bool,
    /// The writer wants to be told when there is room.
    blocked: bool,
    /// It is awake and looks for it, so that a little room is worth telling.
    looking: bool,
    /// No more will come.
    ended: bool,
    /// Nobody reads any more.
    unheard: bool,
}

impl Half {
    /// How many more messages fit.
    fn room(&self) -> usize {
        let counted = self.counted();
        self.capacity
            .map_or(usize::MAX, |capacity| capacity.saturating_sub(counted))
    }

    /// What the mark counts.
    fn counted(&self) -> usize {
        (self.messages.saturating_add(self.unread)).saturating_add(self.spent)
    }

    /// Counts in the steps of its capacity: half of it, or a part of that which is not too small and leaves no rest.
    fn set_capacity(&mut self) {
        self.capacity = joint_capacity(self.write_mark, self.read_mark);
        self.step = self.capacity.map(|capacity| {
            let half = (capacity / 2).saturating_add(capacity % 2).max(1);
            STEPS
                .rev()
                .find(|step| half.is_multiple_of(*step))
                .unwrap_or(half)
        });
    }

    /// Takes over new marks.
    fn recount(&mut self) {
        self.set_capacity();
        self.use_up(0);
    }

    /// Takes it that the reader has used `count` messages, mostly without a division.
    fn use_up(&mut self, count: usize) {
        self.unread = self.unread.saturating_sub(count);
        let spent = self.spent.saturating_add(count);
        self.spent = match self.step {
            None => 0,
            Some(step) if spent < step => spent,
            Some(step) => spent % step,
        };
    }

    /// Whether a writer that found no room is told: when there is half of all, so that it does not pay for a wake-up with every
    /// step; after a step already when it is awake and needs no wake-up.
    fn has_room_again(&self) -> bool {
        self.capacity.is_none_or(|capacity| {
            self.counted() <= capacity.saturating_sub(1) / 2
                || self.looking && self.step.is_some_and(|step| self.room() >= step)
        })
    }
}

#[derive(Debug)]
struct End {
    socket: Weak<SocketShared>,
    key: AtomicU32,
}

/// A pair of queues between two sockets of one context.
#[derive(Debug)]
pub(crate) struct Lane {
    /// Indexed by the side that writes.
    halves: [Apart<Mutex<Half>>; 2],
    ends: [Apart<End>; 2],
    /// Indexed by the side that writes.
    hunger: [Apart<Hunger>; 2],
    /// One end keeps the newest message only, so the other must not keep messages back.
    conflates: bool,
}

/// The marks of one side: to send and to receive.
pub(crate) type LaneMarks = (Option<u32>, Option<u32>);

/// The outcome of a write.
pub(crate) struct Written {
    pub(crate) messages: u32,
    pub(crate) replaced: u64,
    /// Messages that nobody will read: the peer has closed, and this socket has not heard of it yet.
    pub(crate) unheard: u64,
    pub(crate) notice: Option<(Arc<SocketShared>, Notice)>,
}

/// The outcome of handing over.
pub(crate) struct Handed {
    /// How many more messages the lane takes now; the writer is told when there is room again after there was none.
    pub(crate) room: usize,
    /// Messages that nobody will read.
    pub(crate) unheard: u64,
    pub(crate) notice: Option<(Arc<SocketShared>, Notice)>,
}

impl Lane {
    /// The marks are (send, receive) of each side; the keys are set when the pipes exist.
    pub(crate) fn new(
        dialer: (Weak<SocketShared>, LaneMarks),
        binder: (Weak<SocketShared>, LaneMarks),
        conflates: bool,
    ) -> Lane {
        let half = |write_mark, read_mark| {
            let mut half = Half {
                write_mark,
                read_mark,
                ..Half::default()
            };
            half.set_capacity();
            Apart(Mutex::new(half))
        };
        let (dialer, dialer_marks) = dialer;
        let (binder, binder_marks) = binder;
        let end = |socket| {
            Apart(End {
                socket,
                key: AtomicU32::new(u32::MAX),
            })
        };
        Lane {
            halves: [
                half(dialer_marks.0, binder_marks.1),
                half(binder_marks.0, dialer_marks.1),
            ],
            ends: [end(dialer), end(binder)],
            hunger: [Apart(Hunger::new()), Apart(Hunger::new())],
            conflates,
        }
    }

    pub(crate) fn conflates(&self) -> bool {
        self.conflates
    }

    pub(crate) fn set_key(&self, side: Side, key: PeerKey) {
        self.end(side).key.store(key.0, Ordering::SeqCst);
    }

    fn end(&self, side: Side) -> &End {
        let [dialer, binder] = &self.ends;
        match side {
            Side::Dialer => &dialer.0,
            Side::Binder => &binder.0,
        }
    }

    fn hunger(&self, writer: Side) -> &Hunger {
        let [out, back] = &self.hunger;
        if writer.index() == 0 { &out.0 } else { &back.0 }
    }

    fn half(&self, writer: Side) -> MutexGuard<'_, Half> {
        let [out, back] = &self.halves;
        let half = if writer.index() == 0 { out } else { back };
        half.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A notice for the socket at `side`, if it still exists and has its pipe.
    fn notice(
        &self,
        side: Side,
        make: fn(PeerKey) -> Notice,
    ) -> Option<(Arc<SocketShared>, Notice)> {
        let end = self.end(side);
        let key = end.key.load(Ordering::SeqCst);
        if key == u32::MAX {
            return None;
        }
        Some((end.socket.upgrade()?, make(PeerKey(key))))
    }

    /// Writes from `side`, where a message takes the place of those before it. No mark holds there.
    pub(crate) fn write(&self, side: Side, item: Item) -> Written {
        let mut half = self.half(side);
        let is_message = item.is_message();
        let mut replaced = 0;
        if half.unheard {
            return Written {
                messages: 0,
                replaced: 0,
                unheard: u64::from(is_message),
                notice: None,
            };
        }
        if is_message {
            let before = half.messages;
            half.queue.retain(|queued| !queued.is_message());
            half.messages = 0;
            replaced = before as u64;
        }
        half.queue.push_back(item);
        if is_message {
            half.messages = half.messages.saturating_add(1);
        }
        let tell = !std::mem::replace(&mut half.told, true);
        drop(half);
        Written {
            messages: u32::from(is_message),
            replaced,
            unheard: 0,
            notice: if tell {
                self.notice(side.other(), Notice::Readable)
            } else {
                None
            },
        }
    }

    /// The first message gathers at `side`. Says whether somebody waits for it.
    pub(crate) fn begin_gathering(&self, side: Side) -> bool {
        let waits = || {
            let reader = self.end(side.other()).socket.upgrade()?;
            Some(reader.has_waiters())
        };
        self.hunger(side).begin_gathering() && waits() != Some(false)
    }

    /// The reader at `side` has nothing left.
    pub(crate) fn run_dry(&self, side: Side) {
        self.hunger(side.other()).run_dry();
    }

    /// Whether something has gathered for the reader at `side`. Whoever is about to wait has said so before it asks.
    pub(crate) fn has_gathered(&self, side: Side) -> bool {
        self.hunger(side.other()).has_gathered()
    }

    /// The socket that writes to `side`, and its name for the lane.
    pub(crate) fn writer(&self, side: Side) -> Option<(Arc<SocketShared>, PeerKey)> {
        let end = self.end(side.other());
        match end.key.load(Ordering::SeqCst) {
            u32::MAX => None,
            key => Some((end.socket.upgrade()?, PeerKey(key))),
        }
    }

    /// Moves what has gathered at `side` into the lane; `messages` is how many messages it is. No subscription is among items that hold
    /// several.
    pub(crate) fn hand_over(
        &self,
        side: Side,
        gathered: &mut VecDeque<Item>,
        messages: usize,
    ) -> Handed {
        self.hunger(side).hand_over(messages > 0);
        let mut half = self.half(side);
        if half.unheard {
            drop(half);
            gathered.clear();
            return Handed {
                room: usize::MAX,
                unheard: messages as u64,
                notice: None,
            };
        }
        half.bundled |= messages > gathered.len();
        if gathered.len() > COPIED && half.queue.is_empty() {
            std::mem::swap(&mut half.queue, gathered);
        } else {
            half.queue.append(gathered);
        }
        half.messages = half.messages.saturating_add(messages);
        let room = half.room();
        half.blocked |= room == 0;
        let tell = !std::mem::replace(&mut half.told, true);
        drop(half);
        Handed {
            room,
            unheard: 0,
            notice: if tell {
                self.notice(side.other(), Notice::Readable)
            } else {
                None
            },
        }
    }

    /// Takes all that was written to `side` into `into`, which is empty: its room serves the writer next, so that the queue does
    /// not grow anew under the lock. Gives the number of messages among it, and whether some items hold several.
    pub(crate) fn read(&self, side: Side, into: &mut VecDeque<Item>) -> (usize, bool) {
        let mut half = self.half(side.other());
        half.told = false;
        let messages = std::mem::take(&mut half.messages);
        half.unread = half.unread.saturating_add(messages);
        std::mem::swap(&mut half.queue, into);
        (messages, std::mem::take(&mut half.bundled))
    }

    /// Reports that the reader at `side` has used `count` messages.
    pub(crate) fn report(&self, side: Side, count: u32) -> Option<(Arc<SocketShared>, Notice)> {
        let mut half = self.half(side.other());
        half.use_up(count as usize);
        if half.blocked && half.has_room_again() {
            half.blocked = false;
            drop(half);
            return self.notice(side.other(), Notice::Writable);
        }
        None
    }

    /// Whether the writer at `side` looks for room rather than sleep.
    pub(crate) fn look_for_room(&self, side: Side, looking: bool) {
        self.half(side).looking = looking;
    }

    /// After how many used messages the reader at `side` reports: at most half the capacity.
    pub(crate) fn report_step(&self, side: Side) -> u32 {
        let half = self.half(side.other());
        u32::try_from(half.step.unwrap_or(*STEPS.end())).unwrap_or(u32::MAX)
    }

    /// Whether the peer of `side` has closed.
    pub(crate) fn has_ended(&self, side: Side) -> bool {
        self.half(side.other()).ended
    }

    /// How many more messages from `side` fit. When there is no room the writer is told as soon as there is.
    pub(crate) fn room(&self, side: Side) -> usize {
        let mut half = self.half(side);
        let room = half.room();
        half.blocked |= room == 0;
        room
    }

    /// Takes over new marks of the socket at `side`; gives a notice for its peer, which must count its room anew.
    pub(crate) fn set_marks(
        &self,
        side: Side,
        marks: LaneMarks,
    ) -> Option<(Arc<SocketShared>, Notice)> {
        let mut out = self.half(side);
        out.write_mark = marks.0;
        out.recount();
        drop(out);
        let mut back = self.half(side.other());
        back.read_mark = marks.1;
        back.recount();
        drop(back);
        self.notice(side.other(), Notice::Writable)
    }

    /// Messages written by `side` that its peer has not reported as used.
    pub(crate) fn unused(&self, side: Side) -> usize {
        let half = self.half(side);
        half.messages.saturating_add(half.unread)
    }

    /// Messages written by `side` that its peer has not taken.
    pub(crate) fn waiting(&self, side: Side) -> usize {
        self.half(side).messages
    }

    /// Ends both directions as seen from `side`: what it wrote can still be read, what it did not read is gone.
    /// Gives the number of the latter.
    pub(crate) fn close(&self, side: Side) -> (Option<(Arc<SocketShared>, Notice)>, u64) {
        self.half(side).ended = true;
        let mut unread = self.half(side.other());
        unread.unheard = true;
        unread.queue.clear();
        let lost = std::mem::take(&mut unread.messages) as u64;
        drop(unread);
        (self.notice(side.other(), Notice::Gone), lost)
    }
}

/// The sum of two marks; either may be absent, and then there is none.
fn joint_capacity(send: Option<u32>, recv: Option<u32>) -> Option<usize> {
    Some((send? as usize).saturating_add(recv? as usize))
}
