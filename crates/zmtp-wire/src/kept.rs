//! Memory that a thread keeps for its next bodies.
//!
//! All of it is bounded: a thread makes no more than [`SHARE`] octets in pieces of a size and keeps no more than that, and what all threads have made and not
//! freed is no more than [`OCTETS`] (not counting what an allocator adds). Whoever finds none uses other memory.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};
use core::ops::{Deref, DerefMut};
use core::sync::atomic::{AtomicUsize, Ordering};

/// Octets in pieces of one size that a thread makes, and keeps, at most: what a thread that goes round a hundred sockets has queued.
const SHARE: usize = 2 << 20;

/// Pieces of so many octets that a thread makes, and keeps, at most.
pub(crate) const fn most(octets: usize) -> usize {
    match SHARE.checked_div(octets) {
        Some(pieces) => pieces,
        None => 0,
    }
}

/// Octets of the pieces of all threads, at most.
const OCTETS: usize = 64 << 20;

/// Whether any is used again.
///
/// An octet that is written too late would be in somebody else's message and no sanitizer would see it. So nothing is kept in fuzzed builds
/// and those with `--cfg zmq_fresh_bodies`.
pub(crate) const KEPT: bool = !cfg!(any(fuzzing, zmq_fresh_bodies));

/// Octets of all pieces there are.
static MADE: Tally = Tally(AtomicUsize::new(0));

struct Tally(AtomicUsize);

impl Tally {
    /// Says whether so many more stay within the bound, and counts them then.
    fn add(&self, octets: usize) -> bool {
        let within = |all: usize| all.checked_add(octets).filter(|sum| *sum <= OCTETS);
        self.0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, within)
            .is_ok()
    }

    fn take_away(&self, octets: usize) {
        self.0.fetch_sub(octets, Ordering::Relaxed);
    }
}

/// A piece of memory, counted until it is freed.
pub(crate) struct Piece<T: ?Sized>(Box<T>);

impl<T: ?Sized> Deref for Piece<T> {
    type Target = T;
    #[inline]
    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: ?Sized> DerefMut for Piece<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

impl<T: ?Sized> Drop for Piece<T> {
    fn drop(&mut self) {
        MADE.take_away(size_of_val(&**self));
    }
}

/// So many zero octets; `None` where there is no memory.
pub(crate) fn zeros(octets: usize) -> Option<Box<[u8]>> {
    let mut room = Vec::new();
    room.try_reserve_exact(octets).ok()?;
    room.resize(octets, 0);
    Some(room.into_boxed_slice())
}

/// What a thread has of one size.
pub(crate) struct Kept<T: ?Sized> {
    /// What it has to give.
    free: RefCell<Vec<Piece<T>>>,
    /// How many it has made.
    made: Cell<usize>,
    /// How many it makes, and keeps, at most.
    most: usize,
}

impl<T: ?Sized> Kept<T> {
    /// Nothing yet, and never more pieces than so many.
    pub(crate) const fn none(most: usize) -> Kept<T> {
        Kept {
            free: RefCell::new(Vec::new()),
            made: Cell::new(0),
            most,
        }
    }

    /// A piece that was used before, or one that is made; `None` where as many were made as may be, or there is no memory.
    #[inline]
    pub(crate) fn take(&self, make: impl FnOnce() -> Option<Box<T>>) -> Option<Piece<T>> {
        let free = self.free.try_borrow_mut();
        let piece = free.ok().and_then(|mut free| free.pop());
        piece.or_else(|| self.made(make))
    }

    #[cold]
    fn made(&self, make: impl FnOnce() -> Option<Box<T>>) -> Option<Piece<T>> {
        let made = self.made.get();
        if KEPT && made >= self.most {
            return None;
        }
        let memory = make()?;
        if !MADE.add(size_of_val(&*memory)) {
            return None;
        }
        self.made.set(made.saturating_add(1));
        Some(Piece(memory))
    }

    /// Keeps a piece, or frees it where there are enough.
    #[inline]
    pub(crate) fn give_back(&self, piece: Piece<T>) {
        if !KEPT {
            return;
        }
        // Borrowed only where an allocator of the application's makes frames itself.
        let Ok(mut free) = self.free.try_borrow_mut() else {
            return;
        };
        if free.len() < free.capacity() {
            free.push(piece);
        } else if free.len() < self.most {
            longer(&mut free, piece, self.most);
        }
    }

    #[cfg(test)]
    pub(crate) fn count(&self) -> usize {
        self.free.borrow().len()
    }
}

#[cold]
fn longer<T: ?Sized>(free: &mut Vec<Piece<T>>, piece: Piece<T>, most: usize) {
    let more = free.len().clamp(1, most.saturating_sub(free.len()));
    if free.try_reserve_exact(more).is_ok() {
        free.push(piece);
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::Frame;
    use core::cell::RefCell;
    use std::thread;

    /// Each thread has its own; what other tests did in this one is not known.
    pub(crate) fn apart<T: Send + 'static>(test: impl FnOnce() -> T + Send + 'static) -> T {
        thread::spawn(test).join().unwrap()
    }

    #[test]
    fn all_threads_together_make_no_more_than_their_bound() {
        let tally = Tally(AtomicUsize::new(0));
        assert!(tally.add(OCTETS - 100));
        assert!(!tally.add(101));
        assert!(tally.add(100));
        assert!(!tally.add(1) && !tally.add(usize::MAX));
        tally.take_away(64);
        assert!(tally.add(64));
    }

    #[test]
    fn a_piece_counts_until_it_is_freed() {
        let octets = OCTETS / 2;
        let kept = Kept::none(8);
        // Larger than all that other tests have together.
        let first = kept.take(|| zeros(octets)).unwrap();
        assert!(kept.take(|| zeros(octets + 1)).is_none());
        drop(first);
        assert!(kept.take(|| zeros(octets)).is_some());
    }

    /// Makes frames of what it has when its thread ends.
    struct Late(Frame);

    impl Drop for Late {
        fn drop(&mut self) {
            let made = Frame::copy_from(&alloc::vec![8; self.0.len()]);
            assert!(made.iter().all(|octet| *octet == 8));
            assert_eq!(self.0.clone(), self.0);
            assert!(self.0.iter().all(|octet| *octet == 7));
        }
    }

    #[test]
    fn a_frame_may_be_made_and_let_go_of_when_what_its_thread_keeps_is_gone() {
        std::thread_local! {
            static BEFORE: RefCell<Option<Late>> = const { RefCell::new(None) };
            static AFTER: RefCell<Option<Late>> = const { RefCell::new(None) };
        }
        for length in [50, 64, 150, 1000] {
            apart(move || {
                // Whichever end first: one of them does when the memory is gone. A panic there would end the process.
                BEFORE.with_borrow_mut(|held| *held = None);
                let frame = Frame::copy_from(&alloc::vec![7; length]);
                AFTER.with_borrow_mut(|held| *held = Some(Late(frame.clone())));
                BEFORE.with_borrow_mut(|held| *held = Some(Late(frame)));
            });
        }
    }
}
