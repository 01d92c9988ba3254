//! A fence in two halves, of which one costs nothing.
//!
//! One thread writes *a*, passes [`light`] and reads *b*; another writes *b*, passes [`heavy`] and reads *a*. At least one of them sees what the
//! other has written, as if both had passed a sequentially consistent fence: the system has every other running thread of the process pass a full barrier while
//! the call of [`heavy`] lasts, and threads that do not run pass one when they are put on a core.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU32, Ordering, compiler_fence};

/// The half of the one who passes often: the compiler leaves what is written before in front of what is read after.
///
/// Says something only together with a [`heavy`] of the other thread, and only where it [is available](is_available).
#[inline]
pub fn light() {
    compiler_fence(Ordering::SeqCst);
}

pub use system::{heavy, is_available};

/// The cores that [`heavy`] may have to interrupt. Asked once.
pub(crate) fn cores() -> u32 {
    static CORES: AtomicU32 = AtomicU32::new(0);
    match CORES.load(Ordering::Relaxed) {
        0 => {
            let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
            let cores = u32::try_from(cores).unwrap_or(u32::MAX);
            CORES.store(cores, Ordering::Relaxed);
            cores
        }
        cores => cores,
    }
}

#[cfg(target_os = "linux")]
mod system {
    use std::sync::atomic::{AtomicU8, Ordering, fence};

    use rustix::thread::{
        MembarrierCommand, MembarrierQuery, Timespec, membarrier, membarrier_query, nanosleep,
    };

    use crate::fork;

    const UNKNOWN: u8 = 0;
    const REFUSED: u8 = 1;
    const GRANTED: u8 = 2;

    static ANSWER: AtomicU8 = AtomicU8::new(UNKNOWN);

    /// Longer than anything stays in a store buffer, which a core empties at its next interrupt at the latest.
    const LONG: Timespec = Timespec {
        tv_sec: 0,
        tv_nsec: 10_000_000,
    };

    /// Whether the system makes [`heavy`] what it is: asked once, which takes some 10 ms where several threads run. Where it does not, [`light`](super::light) is no fence, and nobody may rely on it.
    #[inline]
    pub fn is_available() -> bool {
        match ANSWER.load(Ordering::Relaxed) {
            UNKNOWN => ask(),
            answer => answer == GRANTED,
        }
    }

    #[cold]
    fn ask() -> bool {
        // Files are read for that.
        let _ = super::cores();
        let granted = membarrier_query().contains(MembarrierQuery::PRIVATE_EXPEDITED)
            && register()
            && fork::watch();
        let answer = if granted { GRANTED } else { REFUSED };
        // For good: whoever relies on it relies on all others doing so.
        match ANSWER.compare_exchange(UNKNOWN, answer, Ordering::Relaxed, Ordering::Relaxed) {
            Ok(_) => granted,
            Err(before) => before == GRANTED,
        }
    }

    fn register() -> bool {
        membarrier(MembarrierCommand::RegisterPrivateExpedited).is_ok()
    }

    /// The other half, of the one who passes seldom: some microseconds. Where it is not [available](is_available) it is a plain fence.
    #[cold]
    pub fn heavy() {
        fence(Ordering::SeqCst);
        if !is_available() || membarrier(MembarrierCommand::PrivateExpedited).is_ok() {
            return;
        }
        // A child of a process that had registered may have to do so itself.
        if register() && membarrier(MembarrierCommand::PrivateExpedited).is_ok() {
            return;
        }
        // It was available, and is refused by now: by a filter of system calls.
        if membarrier(MembarrierCommand::Global).is_err() {
            // What stays in a store buffer does not stay for long. An interrupted sleep goes on.
            let mut left = LONG;
            while let rustix::thread::NanosleepRelativeResult::Interrupted(rest) = nanosleep(&left)
            {
                left = rest;
            }
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use std::sync::atomic::{Ordering, fence};

    /// Whether the system makes [`heavy`] what it is. This one does not.
    #[inline]
    pub fn is_available() -> bool {
        false
    }

    /// A plain fence here.
    pub fn heavy() {
        fence(Ordering::SeqCst);
    }
}
