//! Buffers that belong to whoever drives, lent to a link for as long as it has something under way.

use std::cell::Cell;
use std::sync::{Mutex, PoisonError};

/// Octets read at once: what a sender in a burst writes at once. Half of it costs a tenth to a third more processor time from 1 KiB on;
/// twice as much buys nothing and falls out of the nearer cache.
pub(crate) const READ_OCTETS: usize = 128 * 1024;

/// What many links read in turn should all stay in the nearer cache until it is used up.
const NEAR_OCTETS: usize = 512 * 1024;

/// Reads of less than this cost by the call, more than it costs to fetch what has left that cache: the next message of a pipe is fetched
/// while the one before it is worked on.
const LEAST_READ: usize = 32 * 1024;

/// The most buffers of each kind kept for later.
const KEPT: usize = 64;

/// The same for those to read into, which are large.
const KEPT_BLOCKS: usize = 32;

/// An output buffer that has grown beyond this is not kept.
const LARGEST_KEPT: usize = 512 * 1024;

#[derive(Debug, Default)]
pub(crate) struct Pool {
    read: Mutex<Vec<Vec<u8>>>,
    write: Mutex<Vec<Vec<u8>>>,
}

impl Pool {
    /// A buffer of `READ_OCTETS`, its contents of no meaning.
    pub(crate) fn read_buffer(&self) -> Vec<u8> {
        let kept = self
            .read
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        kept.unwrap_or_else(|| vec![0; READ_OCTETS])
    }

    pub(crate) fn return_read(&self, buffer: Vec<u8>) {
        let mut kept = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < KEPT_BLOCKS && buffer.len() == READ_OCTETS {
            kept.push(buffer);
        }
    }

    /// An empty buffer with some capacity.
    pub(crate) fn write_buffer(&self) -> Vec<u8> {
        let kept = self
            .write
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        kept.unwrap_or_default()
    }

    pub(crate) fn return_write(&self, mut buffer: Vec<u8>) {
        if buffer.capacity() == 0 || buffer.capacity() > LARGEST_KEPT {
            return;
        }
        buffer.clear();
        let mut kept = self.write.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < KEPT {
            kept.push(buffer);
        }
    }
}

thread_local! {
    /// Turns of reading that this thread has had, over all links.
    static TURNS: Cell<usize> = const { Cell::new(0) };
}

/// A turn of reading: whose it was, and which of them.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Turn {
    thread: usize,
    number: usize,
    /// It was the driver's.
    driver: bool,
}

/// How much to read in this turn of a link whose turn before was `last`: the more others had theirs of the same thread since, the less, because
/// what all of them read lies about until each is looked at again.
pub(crate) fn share(last: &mut Turn, driver: bool) -> usize {
    let now = TURNS.try_with(|turns| {
        turns.set(turns.get().wrapping_add(1));
        Turn {
            // Where its number is: no other thread's is there at the same time.
            thread: std::ptr::from_ref(turns).addr(),
            number: turns.get(),
            driver,
        }
    });
    let now = now.unwrap_or_default();
    let last = std::mem::replace(last, now);
    if last.thread != now.thread {
        // Where driver and callers take turns, none reads so much that callers need long to use it up: the driver would take them for gone.
        return if last.driver || now.driver {
            LEAST_READ
        } else {
            READ_OCTETS
        };
    }
    let since = now.number.wrapping_sub(last.number).max(1);
    (NEAR_OCTETS / since).clamp(LEAST_READ, READ_OCTETS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_link_reads_whole_blocks_and_many_in_turn_share_the_cache() {
        let mut alone = Turn::default();
        assert_eq!(share(&mut alone, false), READ_OCTETS);
        assert_eq!(share(&mut alone, false), READ_OCTETS);
        let mut many = [Turn::default(); 10];
        for last in &mut many {
            share(last, false);
        }
        for last in &mut many {
            assert_eq!(share(last, false), NEAR_OCTETS / 10);
        }
        // Whoever has been quiet for long begins with little, and is alone at once if nobody else reads.
        for _ in 0..1000 {
            share(&mut many[0], false);
        }
        assert_eq!(share(&mut alone, false), LEAST_READ);
        assert_eq!(share(&mut alone, false), READ_OCTETS);
    }

    #[test]
    fn what_other_threads_read_does_not_count() {
        let mut alone = Turn::default();
        share(&mut alone, false);
        std::thread::spawn(|| {
            let mut other = Turn::default();
            for _ in 0..1000 {
                share(&mut other, false);
            }
        })
        .join()
        .unwrap();
        assert_eq!(share(&mut alone, false), READ_OCTETS);
    }

    #[test]
    fn where_driver_and_callers_take_turns_they_read_little() {
        let mut turn = Turn::default();
        share(&mut turn, false);
        let mut hand_over = |drivers: [bool; 2]| {
            let mut moved = turn;
            let reads = std::thread::spawn(move || {
                let reads = drivers.map(|driver| share(&mut moved, driver));
                (reads, moved)
            });
            let (reads, moved) = reads.join().unwrap();
            turn = moved;
            reads
        };
        assert_eq!(hand_over([false; 2]), [READ_OCTETS; 2], "callers");
        assert_eq!(hand_over([true; 2]), [LEAST_READ, READ_OCTETS]);
        assert_eq!(hand_over([false; 2]), [LEAST_READ, READ_OCTETS]);
    }
}
