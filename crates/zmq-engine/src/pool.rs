//! Buffers that belong to whoever drives, lent to a link for as long as it has something under way.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// Octets read at once. Larger reads buy nothing and fall out of the nearer cache.
pub(crate) const READ_OCTETS: usize = 64 * 1024;

/// What many links read in turn should all stay in the nearer cache until it is used up.
const NEAR_OCTETS: usize = 512 * 1024;

/// Reads of less than this cost by the call.
const LEAST_READ: usize = 8 * 1024;

/// The most buffers of each kind kept for later.
const KEPT: usize = 64;

/// An output buffer that has grown beyond this is not kept.
const LARGEST_KEPT: usize = 512 * 1024;

#[derive(Debug, Default)]
pub(crate) struct Pool {
    read: Mutex<Vec<Vec<u8>>>,
    write: Mutex<Vec<Vec<u8>>>,
    /// Turns of reading, of all links.
    turns: AtomicUsize,
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

    /// How much to read in this turn, for one whose turn was at `last`: the more others had theirs since, the less, because what all of them
    /// read lies about until each is looked at again.
    pub(crate) fn share(&self, last: &mut usize) -> usize {
        let now = self.turns.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
        let since = now.wrapping_sub(std::mem::replace(last, now)).max(1);
        (NEAR_OCTETS / since).clamp(LEAST_READ, READ_OCTETS)
    }

    pub(crate) fn return_read(&self, buffer: Vec<u8>) {
        let mut kept = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < KEPT && buffer.len() == READ_OCTETS {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_link_reads_whole_blocks_and_many_in_turn_share_the_cache() {
        let pool = Pool::default();
        let mut alone = 0;
        pool.share(&mut alone);
        assert_eq!(pool.share(&mut alone), READ_OCTETS);
        let mut many = [0; 20];
        for _ in 0..2 {
            for last in &mut many {
                pool.share(last);
            }
        }
        for last in &mut many {
            assert_eq!(pool.share(last), NEAR_OCTETS / 20);
        }
        // Whoever has been quiet for long begins with little, and is alone at once if nobody else reads.
        for _ in 0..1000 {
            pool.share(&mut many[0]);
        }
        assert_eq!(pool.share(&mut alone), LEAST_READ);
        assert_eq!(pool.share(&mut alone), READ_OCTETS);
    }
}
