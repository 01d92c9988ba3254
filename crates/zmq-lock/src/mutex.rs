//! The lock that everybody takes who does not own the gate. It knows nothing of what it protects.

use std::sync::atomic::{AtomicU32, Ordering};

use crate::sleep;

const FREE: u32 = 0;
const LOCKED: u32 = 1;
/// Locked, and somebody may be asleep who waits for it.
const AWAITED: u32 = 2;

/// So often one looks who finds it locked, before it sleeps: locked are some instructions.
const LOOKS: u32 = 100;

#[derive(Debug)]
pub(crate) struct Mutex(AtomicU32);

impl Mutex {
    pub(crate) fn new() -> Mutex {
        Mutex(AtomicU32::new(FREE))
    }

    #[inline]
    pub(crate) fn lock(&self) {
        if !self.try_lock() {
            self.wait();
        }
    }

    #[inline]
    pub(crate) fn try_lock(&self) -> bool {
        self.0
            .compare_exchange(FREE, LOCKED, Ordering::Acquire, Ordering::Relaxed)
            .is_ok()
    }

    #[cold]
    fn wait(&self) {
        if sleep::look(LOOKS, || self.0.load(Ordering::Relaxed) != LOCKED) && self.try_lock() {
            return;
        }
        // Whoever was asleep does not know whether others are.
        while self.0.swap(AWAITED, Ordering::Acquire) != FREE {
            sleep::wait(&self.0, AWAITED);
        }
    }

    /// For who has locked it.
    #[inline]
    pub(crate) fn unlock(&self) {
        if self.0.swap(FREE, Ordering::Release) == AWAITED {
            sleep::wake(&self.0);
        }
    }
}
