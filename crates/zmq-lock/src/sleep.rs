//! Waiting until a number is another one.

use std::sync::atomic::AtomicU32;

pub(crate) use system::{a_moment, wait, wake};

/// Looks so often whether it is time. Says whether it is.
pub(crate) fn look(times: u32, is_time: impl Fn() -> bool) -> bool {
    (0..times).any(|_| {
        std::hint::spin_loop();
        is_time()
    })
}

#[cfg(target_os = "linux")]
mod system {
    use super::AtomicU32;
    use rustix::thread::{Timespec, futex, nanosleep};

    /// So often others are let run before one sleeps.
    const YIELDS: u32 = 64;

    /// The longest sleep. Gates of the same name do not tell each other's sleepers.
    const LONGEST: Timespec = Timespec {
        tv_sec: 0,
        tv_nsec: 100_000_000,
    };

    /// So long. Who is waited for may be one who has the processor after all others only.
    const MOMENT: Timespec = Timespec {
        tv_sec: 0,
        tv_nsec: 50_000,
    };

    /// Sleeps until somebody [wakes](wake) those who wait for this number, unless it is another one by now. May end early.
    #[cold]
    pub(crate) fn wait(number: &AtomicU32, while_it_is: u32) {
        // Whatever ends it, the caller looks again.
        let _ = futex::wait(number, futex::Flags::PRIVATE, while_it_is, Some(&LONGEST));
    }

    /// Wakes one who sleeps for this number.
    #[cold]
    pub(crate) fn wake(number: &AtomicU32) {
        // It fails where there is no such memory only.
        let _ = futex::wake(number, futex::Flags::PRIVATE, 1);
    }

    /// Lets others run, for the so-manyth time in a row.
    #[cold]
    pub(crate) fn a_moment(times: u32) {
        if times < YIELDS {
            std::thread::yield_now();
        } else {
            // An interrupted one was long enough.
            let _ = nanosleep(&MOMENT);
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use std::sync::atomic::Ordering;
    use std::sync::{Condvar, Mutex, PoisonError};

    use super::AtomicU32;

    /// Where those sleep who wait for any number.
    static LOCK: Mutex<()> = Mutex::new(());
    static CALL: Condvar = Condvar::new();

    /// Sleeps until somebody [wakes](wake) those who wait for this number, unless it is another one by now. May end early.
    #[cold]
    pub(crate) fn wait(number: &AtomicU32, while_it_is: u32) {
        let lock = LOCK.lock().unwrap_or_else(PoisonError::into_inner);
        if number.load(Ordering::Relaxed) == while_it_is {
            drop(CALL.wait(lock).unwrap_or_else(PoisonError::into_inner));
        }
    }

    /// Wakes those who sleep, for this number or another.
    #[cold]
    pub(crate) fn wake(_: &AtomicU32) {
        drop(LOCK.lock().unwrap_or_else(PoisonError::into_inner));
        CALL.notify_all();
    }

    /// Lets others run.
    pub(crate) fn a_moment(_: u32) {
        std::thread::yield_now();
    }
}
