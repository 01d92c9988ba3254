//! When a gate gets an owner.
//!
//! An owner saves some nanoseconds each time, and to take the gate away from it costs some microseconds. So a gate gets an owner when
//! one thread has taken it several times in a row, and the less an owner had of it the longer the next one has to wait.

use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use crate::fence;

/// So many times in a row, at first.
const FIRST: u32 = 32;

/// And never more than so many for each core: where threads take turns that are just too short, a taking away is spread over as many common ones.
const MOST: u32 = 2048;

/// An owner that was inside so often for each core was worth it: the taking away interrupts all cores that run a thread of the process.
const WORTH: u32 = 128;

/// What is known about who comes. Used with the common lock held: atomic for the compiler only.
#[derive(Debug)]
pub(crate) struct Policy {
    /// Who came last.
    last: AtomicUsize,
    /// How often in a row.
    row: AtomicU32,
    /// After how many the gate is its own.
    wanted: AtomicU32,
    /// The number of visits of owners when the last one became it.
    since: AtomicU32,
}

impl Policy {
    /// Of a gate where nobody was.
    pub(crate) fn new() -> Policy {
        Policy {
            last: AtomicUsize::new(0),
            row: AtomicU32::new(0),
            wanted: AtomicU32::new(FIRST),
            since: AtomicU32::new(0),
        }
    }

    /// A thread has come in as everybody does.
    #[inline]
    pub(crate) fn note(&self, who: usize) {
        let row = if self.last.load(Ordering::Relaxed) == who {
            self.row.load(Ordering::Relaxed).saturating_add(1)
        } else {
            self.last.store(who, Ordering::Relaxed);
            1
        };
        self.row.store(row, Ordering::Relaxed);
    }

    /// Whether the thread that came last is to own the gate from now on.
    #[inline]
    pub(crate) fn grants(&self) -> bool {
        self.row.load(Ordering::Relaxed) >= self.wanted.load(Ordering::Relaxed)
    }

    /// The thread that came last owns it; `visits` is how often owners have been inside until now.
    pub(crate) fn granted(&self, visits: u32) {
        self.since.store(visits, Ordering::Relaxed);
        self.row.store(0, Ordering::Relaxed);
    }

    /// The owner has lost the gate.
    pub(crate) fn ousted(&self, visits: u32) {
        let had = visits.wrapping_sub(self.since.load(Ordering::Relaxed));
        let (wanted, cores) = (self.wanted.load(Ordering::Relaxed), fence::cores());
        let wanted = if had < WORTH.saturating_mul(cores) {
            wanted.saturating_mul(2).min(MOST.saturating_mul(cores))
        } else {
            (wanted / 2).max(FIRST)
        };
        self.wanted.store(wanted, Ordering::Relaxed);
        self.row.store(0, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How often a thread comes until the gate is its own.
    fn until_owned(policy: &Policy, who: usize) -> u32 {
        let mut times = 0;
        while !policy.grants() {
            policy.note(who);
            times += 1;
        }
        times
    }

    #[test]
    fn a_thread_owns_what_it_takes_again_and_again() {
        let policy = Policy::new();
        assert_eq!(until_owned(&policy, 7), FIRST);
        policy.granted(10);
        assert!(!policy.grants());
    }

    #[test]
    fn threads_in_turn_own_nothing() {
        let policy = Policy::new();
        for step in 0..4 * MOST as usize {
            policy.note(1 + step % 2);
            assert!(!policy.grants());
        }
    }

    #[test]
    fn who_had_little_of_it_waits_longer_and_not_for_ever() {
        let policy = Policy::new();
        let mut waited = Vec::new();
        let mut visits = u32::MAX - 3;
        for _ in 0..30 {
            waited.push(until_owned(&policy, 1));
            policy.granted(visits);
            visits = visits.wrapping_add(WORTH * fence::cores() - 1);
            policy.ousted(visits);
        }
        assert_eq!(waited[..4], [FIRST, FIRST * 2, FIRST * 4, FIRST * 8]);
        let most = MOST * fence::cores();
        assert_eq!(waited.last(), Some(&most));
        // Once it was worth it, it waits less.
        until_owned(&policy, 1);
        policy.granted(visits);
        policy.ousted(visits.wrapping_add(WORTH * fence::cores()));
        assert_eq!(until_owned(&policy, 1), most / 2);
    }
}
