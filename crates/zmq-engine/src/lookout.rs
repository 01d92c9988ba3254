//! Looking for what comes, for a moment, before a receiver sleeps.
//!
//! A receiver that is quicker than its sender finds nothing after each of the sender's writes. To sleep then has the sender wake it with
//! the next one, which takes the sender as long as writing a few messages of 4 KiB. So in a flood a receiver looks again for about as long
//! as sleeping and being woken takes, and gives way to whoever wants the processor between two looks. If nothing comes in that time, again
//! and again, the sender pauses for longer, and the receiver sleeps at once.

use std::sync::atomic::{AtomicU32, Ordering};

/// How long a receiver looks before it sleeps.
pub(crate) const LOOK_MICROS: u64 = 30;

/// Who has less time than this sleeps at once: whoever is given way to keeps the processor for a while.
pub(crate) const UNHURRIED_MICROS: u64 = 2000;

/// Looks in vain on end after which it looks no more.
const VAIN: u32 = 64;

/// Out of so many times it looks once all the same, to see whether it is worth while again.
const RARELY: u32 = 8;

/// Whether a socket's receivers look before they sleep.
#[derive(Debug, Default)]
pub(crate) struct Lookout {
    /// Times that a receiver might have looked since the last one that brought something.
    vain: AtomicU32,
}

impl Lookout {
    /// A receiver could look now. Says whether it had better.
    pub(crate) fn is_worth_while(&self) -> bool {
        let vain = self.vain.load(Ordering::Relaxed);
        self.vain.store(vain.wrapping_add(1), Ordering::Relaxed);
        vain < VAIN || vain.is_multiple_of(RARELY)
    }

    /// Looking has brought something.
    pub(crate) fn found(&self) {
        self.vain.store(0, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn looks(lookout: &Lookout, times: usize) -> usize {
        (0..times).filter(|_| lookout.is_worth_while()).count()
    }

    #[test]
    fn who_looks_in_vain_soon_looks_rarely_and_again_each_time_once_it_found_something() {
        let lookout = Lookout::default();
        assert_eq!(looks(&lookout, VAIN as usize), VAIN as usize);
        assert_eq!(looks(&lookout, 10 * RARELY as usize), 10);
        lookout.found();
        assert_eq!(looks(&lookout, VAIN as usize), VAIN as usize);
    }
}
