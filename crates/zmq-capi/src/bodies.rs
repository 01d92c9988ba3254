//! Memory of message bodies, which is used again.
//!
//! A body that one thread makes and another lets go of is what allocators do worst: glibc's takes the lock of the maker's arena
//! at both ends, and over 128 octets the two threads keep calling the system to wait for each other. So bodies that `zmq_msg_init_size`
//! makes, of more than 1024 octets or where the thread has no memory of its own left for shorter ones, are kept when they are let go of: first by the thread that does, and once it has a *batch* of them, in a store that
//! all threads share, from which the makers take a batch at a time. The store's lock is held for the move of a pointer.
//!
//! What is kept is bounded: a batch of each size for each thread (752 KiB in all), [`STORED_OCTETS`] in the store, which is emptied
//! when a context has ended.
//!
//! An octet that is written too late would be in somebody else's message and no sanitizer would see it. So nothing is kept in
//! fuzzed builds and those with `--cfg zmq_fresh_bodies`, which `cargo xtask sanitize` makes.

use std::cell::RefCell;
use std::sync::{Mutex, MutexGuard, TryLockError};

use bytes::Bytes;
use zmq_engine::Frame;

use crate::raw;

/// The shortest bodies that are kept. The allocator is quick with shorter ones.
const SHORTEST: usize = 129;

/// Sizes of what is kept, from 256 octets, each twice the one before.
const SIZES: usize = 9;

/// The smallest size.
const LEAST: usize = 256;

/// Longer bodies are not kept: filling them takes so long that their allocation does not count.
const LONGEST: usize = LEAST << (SIZES - 1);

/// Octets in a batch, unless that is less than [`BATCH`] bodies.
const BATCH_OCTETS: usize = 64 * 1024;

/// Bodies in a batch, at most; at least a sixteenth of that.
const BATCH: usize = 64;

/// Octets in the store, over all sizes.
const STORED_OCTETS: usize = 8 * 1024 * 1024;

type Batch = Vec<Vec<u8>>;

/// The size that holds so many octets, counted from zero.
fn size_of(length: usize) -> Option<usize> {
    if !(SHORTEST..=LONGEST).contains(&length) {
        return None;
    }
    let least = length.next_power_of_two().max(LEAST);
    Some((least.trailing_zeros() - LEAST.trailing_zeros()) as usize)
}

fn octets_of(size: usize) -> usize {
    LEAST << size
}

fn batch_of(size: usize) -> usize {
    (BATCH_OCTETS / octets_of(size)).clamp(BATCH / 16, BATCH)
}

/// What all threads share.
struct Store {
    batches: [Batches; SIZES],
    octets: usize,
}

type Batches = Vec<Batch>;

static STORE: Mutex<Store> = Mutex::new(Store {
    batches: [const { Vec::new() }; SIZES],
    octets: 0,
});

/// The store, unless somebody is at it: then the allocator will do. A forked child may find it locked for ever.
fn store() -> Option<MutexGuard<'static, Store>> {
    match STORE.try_lock() {
        Ok(store) => Some(store),
        Err(TryLockError::Poisoned(store)) => Some(store.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    }
}

impl Store {
    fn take(&mut self, size: usize) -> Option<Batch> {
        let batch = self.batches.get_mut(size)?.pop()?;
        self.octets -= batch.len() * octets_of(size);
        Some(batch)
    }

    /// Keeps a batch. Gives back what is too much: one of the size that has the most, which nobody may want any more.
    fn keep(&mut self, size: usize, batch: Batch) -> Batch {
        let octets = batch.len() * octets_of(size);
        let mut excess = Vec::new();
        if self.octets + octets > STORED_OCTETS {
            let stored =
                |size: &usize| self.batches[*size].len() * batch_of(*size) * octets_of(*size);
            let fullest = (0..SIZES).max_by_key(stored).unwrap_or(size);
            excess = self.take(fullest).unwrap_or_default();
        }
        if self.octets + octets > STORED_OCTETS {
            // No memory is left unowned: both go, one after the other.
            drop(excess);
            return batch;
        }
        self.batches[size].push(batch);
        self.octets += octets;
        excess
    }
}

thread_local! {
    /// What this thread makes bodies of and keeps them in: a batch of each size, at most.
    static OWN: RefCell<[Batch; SIZES]> = const { RefCell::new([const { Vec::new() }; SIZES]) };
}

/// A body on its way. Its memory is as long as its size says.
struct Body {
    memory: Vec<u8>,
    length: usize,
}

impl AsRef<[u8]> for Body {
    fn as_ref(&self) -> &[u8] {
        self.memory.get(..self.length).unwrap_or_default()
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        keep(std::mem::take(&mut self.memory));
    }
}

/// So many octets of any content, if bodies of that length are kept.
pub(crate) fn make(length: usize) -> Option<Frame> {
    if cfg!(any(fuzzing, zmq_fresh_bodies)) {
        return None;
    }
    let size = size_of(length)?;
    let own = OWN.try_with(|own| {
        let mut own = own.borrow_mut();
        let batch = own.get_mut(size)?;
        if batch.is_empty() {
            *batch = store()?.take(size)?;
        }
        batch.pop()
    });
    // None, too, in a thread that is about to end.
    let kept = own.ok().flatten();
    let memory = kept.or_else(|| raw::unfilled(octets_of(size)))?;
    Some(Frame::shared(Bytes::from_owner(Body { memory, length })))
}

fn keep(memory: Vec<u8>) {
    let Some(size) = size_of(memory.len()) else {
        return;
    };
    let kept = OWN.try_with(|own| {
        let mut own = own.borrow_mut();
        let batch = own.get_mut(size)?;
        batch.push(memory);
        let most = batch_of(size);
        (batch.len() > most).then(|| std::mem::replace(batch, Vec::with_capacity(most + 1)))
    });
    if let Ok(Some(batch)) = kept {
        let excess = match store() {
            Some(mut store) => store.keep(size, batch),
            None => batch,
        };
        drop(excess);
    }
}

/// Lets go of what is kept for all threads.
pub(crate) fn empty_store() {
    let Some(mut store) = store() else { return };
    let batches = std::mem::take(&mut store.batches);
    store.octets = 0;
    drop(store);
    drop(batches);
}

// Where nothing is kept there is nothing to test.
#[cfg(all(test, not(any(fuzzing, zmq_fresh_bodies))))]
mod tests {
    use super::*;

    fn batch(size: usize) -> Batch {
        vec![vec![7; octets_of(size)]; batch_of(size)]
    }

    #[test]
    fn each_length_has_the_smallest_size_that_holds_it() {
        assert_eq!(size_of(SHORTEST - 1), None);
        assert_eq!(size_of(LONGEST + 1), None);
        for length in SHORTEST..=LONGEST {
            let size = size_of(length).unwrap();
            assert!(octets_of(size) >= length);
            assert!(size == 0 || octets_of(size - 1) < length, "length {length}");
        }
    }

    #[test]
    fn a_body_is_as_long_as_asked_for_whatever_was_there_before() {
        for length in [129, 256, 257, 300, 4096, LONGEST] {
            for _ in 0..3 {
                assert_eq!(make(length).unwrap().len(), length);
            }
        }
    }

    #[test]
    fn memory_let_go_of_is_made_into_the_next_body_of_that_size() {
        let first = make(1000).unwrap();
        let place = first.as_ptr();
        let copy = first.clone();
        drop(first);
        assert_ne!(make(1000).unwrap().as_ptr(), place, "still in use");
        drop(copy);
        assert_eq!(make(600).unwrap().as_ptr(), place);
    }

    #[test]
    fn the_store_gives_back_what_is_beyond_its_bound() {
        let mut store = Store {
            batches: [const { Vec::new() }; SIZES],
            octets: 0,
        };
        let size = SIZES - 1;
        let mut kept = 0;
        while store.keep(size, batch(size)).is_empty() {
            kept += 1;
            assert!(store.octets <= STORED_OCTETS);
        }
        // It makes room for others.
        assert_eq!(store.keep(0, batch(0)).len(), batch_of(size));
        assert_eq!(store.take(0).unwrap().len(), batch_of(0));
        kept -= 1;
        assert_eq!(store.octets, kept * batch_of(size) * octets_of(size));
        assert!(store.take(0).is_none());
        for _ in 0..kept {
            assert_eq!(store.take(size).unwrap().len(), batch_of(size));
        }
        assert!(store.take(size).is_none());
        assert_eq!(store.octets, 0);
    }

    #[test]
    fn a_thread_keeps_no_more_than_a_batch_of_a_size() {
        std::thread::spawn(|| {
            let bodies: Vec<_> = (0..5 * BATCH).map(|_| make(300).unwrap()).collect();
            drop(bodies);
            let size = size_of(300).unwrap();
            OWN.with_borrow(|own| assert!(own[size].len() <= batch_of(size)));
        })
        .join()
        .unwrap();
    }
}
