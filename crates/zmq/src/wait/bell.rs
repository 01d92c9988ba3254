//! Whether a thread that runs a future has to be called.

use std::sync::atomic::{AtomicU32, Ordering};

/// The thread is at work, or about to look whether it was called.
const AWAKE: u32 = 0;
/// It sleeps, or is about to: only its descriptor wakes it.
const ASLEEP: u32 = 1;
/// It was called, and will find that out before it sleeps.
const CALLED: u32 = 2;

/// Calls to one thread, none of which is lost: one that comes before the thread sleeps keeps it awake, one that comes later wakes it.
#[derive(Debug)]
pub(crate) struct Bell(AtomicU32);

impl Bell {
    pub(crate) fn new() -> Bell {
        Bell(AtomicU32::new(AWAKE))
    }

    /// Calls the thread. Whether its descriptor has to be made readable: it may sleep.
    pub(crate) fn ring(&self) -> bool {
        self.0.swap(CALLED, Ordering::SeqCst) == ASLEEP
    }

    /// Whether the thread may sleep: nobody has called since [`answer`](Bell::answer).
    pub(crate) fn lie_down(&self) -> bool {
        let alone = self
            .0
            .compare_exchange(AWAKE, ASLEEP, Ordering::SeqCst, Ordering::SeqCst);
        alone.is_ok()
    }

    /// The thread does not sleep any more. Calls stay until they are answered.
    pub(crate) fn get_up(&self) {
        // One who calls meanwhile has set it already.
        let _ = self
            .0
            .compare_exchange(ASLEEP, AWAKE, Ordering::SeqCst, Ordering::SeqCst);
    }

    /// Whether somebody has called; the thread does now what it was called for.
    pub(crate) fn answer(&self) -> bool {
        self.0.swap(AWAKE, Ordering::SeqCst) == CALLED
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_awake_is_not_called_twice() {
        let bell = Bell::new();
        assert!(!bell.ring(), "it will look");
        assert!(!bell.lie_down());
        assert!(bell.answer());
        assert!(!bell.answer());
        assert!(bell.lie_down());
        assert!(bell.ring(), "it sleeps");
        assert!(!bell.ring(), "it was called");
        bell.get_up();
        assert!(bell.answer());
        assert!(bell.lie_down());
        bell.get_up();
        assert!(!bell.answer());
    }
}
