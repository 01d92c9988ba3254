//! The two flags of a direction of an inproc lane, which keep what has gathered from being forgotten.
//!
//! The writer raises `gathered` and then looks at `hungry`, the reader raises `hungry` and then looks at `gathered`.
//! Whichever is second sees the other's flag: a writer hands its first message over at once, a reader fetches what has
//! gathered before it waits. Only the writer lowers the flags, before it hands over and leaves a notice, so that a reader
//! whose hunger was lowered has something to read and is hungry anew after that.

use std::sync::atomic::{AtomicBool, Ordering};

#[derive(Debug)]
pub(crate) struct Hunger {
    /// Something waits in the writer's pipe that was not handed over.
    gathered: AtomicBool,
    /// Everything that was handed over is used up.
    hungry: AtomicBool,
}

impl Hunger {
    pub(crate) fn new() -> Hunger {
        Hunger {
            gathered: AtomicBool::new(false),
            hungry: AtomicBool::new(true),
        }
    }

    /// The first message gathers. Says whether the reader waits for it.
    pub(crate) fn begin_gathering(&self) -> bool {
        self.gathered.store(true, Ordering::SeqCst);
        self.hungry.load(Ordering::SeqCst)
    }

    /// The reader has nothing left. Says whether something has gathered for it.
    pub(crate) fn run_dry(&self) -> bool {
        self.hungry.store(true, Ordering::SeqCst);
        self.gathered.load(Ordering::SeqCst)
    }

    /// The writer is about to hand over all that has gathered; `feeds` if there are messages among it.
    pub(crate) fn hand_over(&self, feeds: bool) {
        self.gathered.store(false, Ordering::SeqCst);
        if feeds {
            self.hungry.store(false, Ordering::SeqCst);
        }
    }
}
