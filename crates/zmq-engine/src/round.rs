//! What a thread has sent since it last waited.
//!
//! A link sees by itself that messages to its peer follow each other. A thread that goes round many links gives each of them one message
//! at a time, and only the thread knows that it is a burst. It is one when so many messages were written by themselves with little time
//! between them, and the thread did not look in vain for anything to receive: one who asks and waits for the answer, or hands on
//! what comes one by one, is never held up; one who has a backlog to answer answers it together. A message to several peers is as many.
//!
//! It is the time on the whole that counts, not each: where messages gather in most links already, those to the few others come together once
//! in each round, and would be written by themselves for ever. (So few that they do not outweigh the time of a round still are.)
//!
//! What has gathered leaves at the latest with the driver's tick. Before a thread waits for a message, of whatever socket, it writes what
//! it let gather on its round: who waits for an answer is not kept waiting by what was not asked yet.

use std::cell::RefCell;
use std::sync::{Arc, Weak};

use crate::clock::{Clock, Nanos};
use crate::shared::SocketShared;

/// So many messages are written by themselves before a round is a burst, if no time passes between them.
const ALONE: u64 = 8;

/// One of them outweighs so many nanoseconds between them.
const EACH: u64 = 6_000;

/// With more of this it is a burst.
const BURST: u64 = (ALONE - 1) * EACH;

/// The most there is of it, so that a burst is over some time after it has ended.
const MOST: u64 = 2 * ALONE * EACH;

/// What gathers in more sockets than this is left to the driver.
const KEPT: usize = 1024;

/// After so many nanoseconds everything has left with a tick.
const LONG: u64 = 10_000_000;

struct Round {
    /// Whose times these are.
    clock: u64,
    /// When a message was last written, or left to gather because of the round.
    latest: Nanos,
    /// Messages written by themselves, as nanoseconds which they outweigh.
    weight: u64,
    /// Sockets in which messages gather because of the round.
    gathering: Vec<Weak<SocketShared>>,
}

thread_local! {
    static ROUND: RefCell<Round> = const {
        RefCell::new(Round {
            clock: 0,
            latest: Nanos(0),
            weight: 0,
            gathering: Vec::new(),
        })
    };
}

/// Does something with the thread's round; nothing while the thread ends.
fn with<T: Default>(work: impl FnOnce(&mut Round) -> T) -> T {
    let done = ROUND.try_with(|round| round.try_borrow_mut().map(|mut round| work(&mut round)));
    done.map_or_else(|_| T::default(), Result::unwrap_or_default)
}

/// A message is about to be written by itself, by the clock's time `now`. Says whether it had better gather.
pub(crate) fn goes_on(clock: &Clock, now: Nanos) -> bool {
    with(|round| {
        if round.clock == clock.name() && now >= round.latest {
            let between = now.0 - round.latest.0;
            if between > LONG {
                round.gathering.clear();
            }
            round.weight = round.weight.saturating_sub(between);
        } else {
            round.clock = clock.name();
            round.weight = 0;
        }
        round.latest = now;
        let bursts = round.weight > BURST;
        round.weight = MOST.min(round.weight + EACH);
        bursts
    })
}

/// Something was written; it was `now` when that was done.
pub(crate) fn wrote(clock: &Clock, now: Nanos) {
    with(|round| {
        if round.clock == clock.name() {
            round.latest = now;
        }
    });
}

/// Messages gather in this socket because of the round.
pub(crate) fn gathers(socket: &Arc<SocketShared>) {
    with(|round| {
        let is_latest = |latest: &Weak<SocketShared>| latest.as_ptr() == Arc::as_ptr(socket);
        if round.gathering.len() < KEPT && !round.gathering.last().is_some_and(is_latest) {
            round.gathering.push(Arc::downgrade(socket));
        }
    });
}

/// The thread is about to wait for a message: what it let gather leaves now, and what it sends next does so at once. Never called with a
/// lock held.
pub(crate) fn end() {
    let gathering = with(|round| {
        round.weight = 0;
        std::mem::take(&mut round.gathering)
    });
    for socket in gathering.iter().filter_map(Weak::upgrade) {
        socket.cool();
    }
}
