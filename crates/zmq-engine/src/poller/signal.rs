//! A flag that a poller can watch, over whatever the back end makes readable.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::atomic::{AtomicBool, Ordering};

/// A descriptor that can be made readable and emptied again, both without waiting.
pub(crate) trait Wire: AsFd + Sized {
    fn new() -> io::Result<Self>;
    fn fill(&self);
    fn empty(&self);
}

/// Raised from any thread, seen by all who wait, until somebody clears it.
#[derive(Debug)]
pub(crate) struct Signal<W> {
    wire: W,
    raised: AtomicBool,
}

impl<W: Wire> Signal<W> {
    pub(crate) fn new() -> io::Result<Signal<W>> {
        Ok(Signal {
            wire: W::new()?,
            raised: AtomicBool::new(false),
        })
    }

    /// Makes the descriptor readable. Costs nothing if it is already.
    pub(crate) fn raise(&self) {
        if !self.raised.swap(true, Ordering::SeqCst) {
            self.wire.fill();
        }
    }

    /// Takes the flag back. Whoever clears must look for work afterwards, not before.
    pub(crate) fn clear(&self) {
        if self.raised.load(Ordering::SeqCst) {
            self.drain();
        }
    }

    /// Like [`Signal::clear`], for one who was told that the descriptor is readable: a raise may be half way through.
    pub(crate) fn drain(&self) {
        self.wire.empty();
        self.raised.store(false, Ordering::SeqCst);
    }
}

impl<W: Wire> AsFd for Signal<W> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.wire.as_fd()
    }
}
