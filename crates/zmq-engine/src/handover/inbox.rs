//! What others leave for whoever enters next.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

/// A list of notices, and a flag that saves a look at it.
#[derive(Debug)]
pub(crate) struct Inbox<T> {
    notices: Mutex<Vec<T>>,
    used: AtomicBool,
}

impl<T> Inbox<T> {
    pub(crate) fn new() -> Inbox<T> {
        Inbox {
            notices: Mutex::new(Vec::new()),
            used: AtomicBool::new(false),
        }
    }

    /// Leaves a notice. Whoever does wakes those who wait, afterwards.
    pub(crate) fn post(&self, notice: T) {
        let mut notices = self.notices.lock().unwrap_or_else(PoisonError::into_inner);
        notices.push(notice);
        self.used.store(true, Ordering::SeqCst);
    }

    /// Whether there is a notice that nobody has read. Whoever is about to wait says so first, and looks then.
    #[inline]
    pub(crate) fn is_used(&self) -> bool {
        self.used.load(Ordering::SeqCst)
    }

    /// Takes all notices. `into` is empty and is left in their place, so that neither side allocates for a notice.
    pub(crate) fn read(&self, into: &mut Vec<T>) {
        let mut notices = self.notices.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::swap(&mut *notices, into);
        self.used.store(false, Ordering::SeqCst);
    }
}
