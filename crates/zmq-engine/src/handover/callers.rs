//! Who looks after the descriptors of a socket: its callers, or the driver while there are none.
//!
//! A caller who drives has the driver stop watching. It does not have it start again when it goes, as it will be back at
//! once: it puts the socket on the driver's list, and the driver watches again when it finds that nobody came. At any time
//! somebody sleeps in the socket's poller, or it is on the list, or it is watched.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

#[derive(Debug)]
pub(crate) struct Callers {
    /// Callers inside a system call that waits for this socket: they drive as soon as something is ready.
    sleepers: AtomicUsize,
    /// Counts turns of callers, so that the driver sees whether they are still there.
    turns: AtomicU64,
    /// Whether the driver watches the socket's poller.
    watched: Mutex<bool>,
    /// Whether the driver was asked to look whether callers are still there.
    on_patrol: AtomicBool,
}

/// Whose turn it is when the driver has found something ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whose {
    /// No caller is there.
    Driver,
    /// A caller should come, and the socket is on the list.
    Callers,
    /// A caller should come, and the socket must be put on the list.
    CallersUnseen,
    /// What there was has been done.
    Nobodys,
}

impl Callers {
    pub(crate) fn new() -> Callers {
        Callers {
            sleepers: AtomicUsize::new(0),
            turns: AtomicU64::new(0),
            watched: Mutex::new(false),
            on_patrol: AtomicBool::new(false),
        }
    }

    // ---- callers ----

    /// A caller is here.
    pub(crate) fn called(&self) {
        self.turns.fetch_add(1, Ordering::SeqCst);
    }

    pub(crate) fn begin_sleep(&self) {
        self.sleepers.fetch_add(1, Ordering::SeqCst);
    }

    pub(crate) fn end_sleep(&self) {
        self.sleepers.fetch_sub(1, Ordering::SeqCst);
    }

    /// The driver watches the socket from now on, or does not; `tell` tells its poller if it did otherwise before.
    pub(crate) fn watch(&self, watched: bool, tell: impl FnOnce()) {
        let mut before = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
        if std::mem::replace(&mut *before, watched) != watched {
            tell();
        }
    }

    pub(crate) fn is_watched(&self) -> bool {
        *self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the socket has to be put on the driver's list, by the one who asks.
    pub(crate) fn begin_patrol(&self) -> bool {
        !self.on_patrol.swap(true, Ordering::SeqCst)
    }

    // ---- the driver ----

    pub(crate) fn has_sleepers(&self) -> bool {
        self.sleepers.load(Ordering::SeqCst) > 0
    }

    pub(crate) fn turns(&self) -> u64 {
        self.turns.load(Ordering::SeqCst)
    }

    /// The driver watches the socket and has found something. Leaves it to callers who were told: sleepers are waking up right now;
    /// if others do not come, the patrol will see.
    pub(crate) fn found(&self, has_waiters: bool, unwatch: impl FnOnce()) -> Whose {
        if !self.has_sleepers() && !has_waiters {
            return Whose::Driver;
        }
        unwatch();
        self.left()
    }

    /// The driver leaves the socket to callers, who may have gone since it looked.
    pub(crate) fn left(&self) -> Whose {
        if self.begin_patrol() {
            Whose::CallersUnseen
        } else {
            Whose::Callers
        }
    }

    /// Whether a socket stays on the driver's list. `seen` are the turns until the last look. `serve` does what is ready for
    /// callers who wait elsewhere and says whether there was anything.
    pub(crate) fn stays(
        &self,
        seen: &mut u64,
        serve: impl FnOnce() -> bool,
        watch: impl FnOnce(),
    ) -> bool {
        let turns = self.turns();
        if turns != *seen && !self.has_sleepers() {
            *seen = turns;
            return true;
        }
        if !self.has_sleepers() && serve() {
            // Callers were told and do not come: the driver reads for them until they do.
            return true;
        }
        // Off the list first: a caller who leaves from now on puts the socket back itself.
        self.on_patrol.store(false, Ordering::SeqCst);
        let came = self.turns() != turns;
        if came && !self.has_sleepers() && self.begin_patrol() {
            *seen = turns;
            return true;
        }
        if !self.has_sleepers() {
            watch();
        }
        false
    }
}
