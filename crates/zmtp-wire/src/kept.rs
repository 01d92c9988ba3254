//! Memory that a thread keeps for its next bodies.

use alloc::vec::Vec;
use core::cell::Cell;

/// Pieces of one size that a thread makes, and keeps, at most.
pub(crate) const MOST: usize = 1024;

/// Whether any is used again.
///
/// An octet that is written too late would be in somebody else's message and no sanitizer would see it. So nothing is kept in fuzzed builds
/// and those with `--cfg zmq_fresh_bodies`.
pub(crate) const KEPT: bool = !cfg!(any(fuzzing, zmq_fresh_bodies));

/// What a thread has of one size.
pub(crate) struct Kept<Room> {
    /// What it has to give. Taken out while it is looked at.
    free: Cell<Vec<Room>>,
    /// How many it has made.
    made: Cell<usize>,
}

impl<Room> Kept<Room> {
    /// Nothing yet.
    pub(crate) const fn none() -> Kept<Room> {
        Kept {
            free: Cell::new(Vec::new()),
            made: Cell::new(0),
        }
    }

    /// A piece that was used before, or one that is made; `None` where as many were made as may be.
    #[inline]
    pub(crate) fn take(&self, make: impl FnOnce() -> Room) -> Option<Room> {
        let mut free = self.free.take();
        let room = free.pop();
        self.free.set(free);
        room.or_else(|| self.made(make))
    }

    #[cold]
    fn made(&self, make: impl FnOnce() -> Room) -> Option<Room> {
        let made = self.made.get();
        if KEPT && made >= MOST {
            return None;
        }
        self.made.set(made.saturating_add(1));
        Some(make())
    }

    /// Keeps a piece, or frees it where there are enough.
    #[inline]
    pub(crate) fn give_back(&self, room: Room) {
        if !KEPT {
            return;
        }
        let mut free = self.free.take();
        if free.len() < free.capacity() {
            free.push(room);
        } else if free.len() < MOST {
            free = longer(free, room);
        }
        self.free.set(free);
    }

    #[cfg(test)]
    pub(crate) fn count(&self) -> usize {
        let free = self.free.take();
        let count = free.len();
        self.free.set(free);
        count
    }
}

#[cold]
fn longer<Room>(mut free: Vec<Room>, room: Room) -> Vec<Room> {
    free.reserve_exact(free.len().clamp(1, MOST.saturating_sub(free.len())));
    free.push(room);
    free
}
