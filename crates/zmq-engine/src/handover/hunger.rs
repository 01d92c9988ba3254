//! The two flags of a direction of an inproc lane, which keep what has gathered from being forgotten.
//!
//! The writer raises `gathered` and then looks whether the reader is `hungry` and somebody waits for its socket
//! (`Waking::anybody`); a reader says that it waits and then looks at `gathered`, both in that order for everybody (SeqCst).
//! Whichever is second sees the other: a writer hands its first message over at once, a reader fetches what has gathered
//! instead of waiting. A reader that does not wait is left alone: it looks at `gathered` whenever it has nothing left.
//!
//! `hungry` says that all that was handed over is used up, so that whoever waits has nothing else coming; the reader raises
//! it. Only the writer lowers the flags, before it hands over and leaves a notice, so that a reader whose hunger was lowered
//! has something to read and is hungry anew after that.

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

    /// The first message gathers. Says whether the reader has nothing else.
    pub(crate) fn begin_gathering(&self) -> bool {
        self.gathered.store(true, Ordering::SeqCst);
        self.hungry.load(Ordering::SeqCst)
    }

    /// The reader has nothing left.
    pub(crate) fn run_dry(&self) {
        self.hungry.store(true, Ordering::SeqCst);
    }

    /// Whether something has gathered. A reader that is about to wait has said so before it asks.
    pub(crate) fn has_gathered(&self) -> bool {
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
