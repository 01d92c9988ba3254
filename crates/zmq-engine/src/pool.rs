//! Buffers that belong to whoever drives, lent to a link for as long as it has something under way.

use std::sync::{Mutex, PoisonError};

/// Octets read at once. Larger reads buy nothing and fall out of the nearer cache.
pub(crate) const READ_OCTETS: usize = 64 * 1024;

/// The most buffers of each kind kept for later.
const KEPT: usize = 64;

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
