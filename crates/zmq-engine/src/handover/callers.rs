//! Who looks after the descriptors of a socket: its callers, or the driver while there are none.
//!
//! A caller who drives has the driver stop watching. It does not have it start again when it goes, as it will be back at
//! once: it puts the socket on the driver's list, and the driver watches again when it finds that nobody came. At any time
//! somebody sleeps in the socket's poller, or it is on the list, or it is watched. The longer callers have been coming, the
//! rarer the driver looks: a look takes the processor from the callers it looks after.

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
    /// It takes its time until it looks.
    at_leisure: AtomicBool,
}

/// How the driver looks at a socket on its list.
#[derive(Debug)]
pub(crate) struct Looks {
    /// The turns of callers until the last look.
    turns: u64,
    /// The time until the next look, in the shortest ones.
    every: u32,
    /// The longest such time.
    longest: u32,
    /// The time for which callers may stay away, in the shortest ones.
    grace: u32,
    /// The time for which they have been seen to be away.
    away: u32,
}

impl Looks {
    /// The time until the next look, in the shortest ones.
    pub(crate) fn every(&self) -> u32 {
        self.every
    }

    /// The look comes later than it should, by so much.
    pub(crate) fn late(&mut self, by: u32) {
        self.away = self.away.saturating_add(by);
    }

    /// The next look is soon.
    pub(crate) fn hurry(&mut self) {
        self.every = 1;
    }

    /// The next look is soon, and sees whether callers, who have had so many turns, come again. They are not borne with any more.
    pub(crate) fn hurry_from(&mut self, turns: u64) {
        self.turns = turns;
        self.grace = 0;
        self.hurry();
    }
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
            at_leisure: AtomicBool::new(false),
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

    /// Whether the socket is on the driver's list, or was right now.
    pub(crate) fn is_on_patrol(&self) -> bool {
        self.on_patrol.load(Ordering::SeqCst)
    }

    /// Something waits for the stream, so that it matters when callers go. Says whether the driver has to be told, by the one who asks.
    pub(crate) fn must_hurry(&self) -> bool {
        self.at_leisure.load(Ordering::Relaxed) && self.at_leisure.swap(false, Ordering::Relaxed)
    }

    // ---- the driver ----

    /// The socket is on its list from now on, and looked at after the shortest time first, and never later than after `longest` of these.
    pub(crate) fn looks(&self, longest: u32) -> Looks {
        self.at_leisure.store(false, Ordering::Relaxed);
        Looks {
            turns: self.turns(),
            every: 1,
            longest,
            grace: 0,
            away: 0,
        }
    }

    /// As [`looks`](Self::looks), for callers who go round many sockets: they may stay away for as long as the longest time between two looks.
    pub(crate) fn bear(&self, longest: u32) -> Looks {
        let looks = self.looks(longest);
        self.at_leisure.store(true, Ordering::Relaxed);
        Looks {
            grace: longest,
            ..looks
        }
    }

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

    /// Whether a socket stays on the driver's list. `serve` does what is ready for callers who wait elsewhere and says whether there
    /// was anything; `waits` tells whether there are such callers.
    pub(crate) fn stays(
        &self,
        looks: &mut Looks,
        waits: impl Fn() -> bool,
        serve: impl FnOnce() -> bool,
        watch: impl FnOnce(),
    ) -> bool {
        let turns = self.turns();
        if turns != looks.turns {
            let often = turns.wrapping_sub(looks.turns) >= u64::from(looks.every);
            looks.away = 0;
            looks.turns = turns;
            if often {
                self.look_later(looks);
            } else {
                // They come now and then, and have others read for them in between.
                looks.every = 1;
            }
            return true;
        }
        if !self.has_sleepers() && waits() && serve() {
            // Callers were told and do not come: the driver reads for them until they do.
            looks.hurry();
            return true;
        }
        if looks.every < looks.longest && (self.has_sleepers() || waits()) {
            // They wait, and will be back on the list as soon as something comes.
            self.look_later(looks);
            return true;
        }
        looks.away = looks.away.saturating_add(looks.every);
        if looks.away < looks.grace {
            looks.hurry();
            return true;
        }
        // Off the list first: a caller who leaves from now on puts the socket back itself.
        self.on_patrol.store(false, Ordering::SeqCst);
        let came = self.turns() != turns;
        if came && !self.has_sleepers() && self.begin_patrol() {
            looks.turns = turns;
            return true;
        }
        if !self.has_sleepers() {
            watch();
        }
        false
    }

    /// Callers keep coming, or wait.
    fn look_later(&self, looks: &mut Looks) {
        looks.every = looks.every.saturating_mul(2).min(looks.longest);
        self.at_leisure.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(callers: &Callers, looks: &mut Looks, waits: bool) -> bool {
        callers.stays(looks, || waits, || false, || callers.watch(true, || {}))
    }

    #[test]
    fn looks_become_rarer_while_callers_come_and_end_when_they_are_gone() {
        let callers = Callers::new();
        assert!(callers.begin_patrol() && !callers.begin_patrol());
        let mut looks = callers.looks(4);
        assert!(!callers.must_hurry(), "the first look is soon");
        for every in [2, 4, 4] {
            for _ in 0..4 {
                callers.called();
            }
            assert!(look(&callers, &mut looks, false));
            assert_eq!(looks.every(), every);
        }
        assert!(callers.must_hurry() && !callers.must_hurry());
        looks.hurry();
        assert_eq!(looks.every(), 1);
        assert!(!look(&callers, &mut looks, false) && callers.is_watched());
    }

    #[test]
    fn those_who_come_now_and_then_are_looked_after_soon() {
        let callers = Callers::new();
        assert!(callers.begin_patrol());
        let mut looks = callers.looks(4);
        for turns in [1, 2, 3] {
            for _ in 0..turns {
                callers.called();
            }
            assert!(look(&callers, &mut looks, false));
        }
        assert_eq!(looks.every(), 1, "three in the time of four looks");
        assert!(!look(&callers, &mut looks, false) && callers.is_watched());
    }

    #[test]
    fn those_who_are_borne_with_may_stay_away_for_the_longest_time() {
        let callers = Callers::new();
        assert!(callers.begin_patrol());
        let mut looks = callers.bear(4);
        for _ in 0..3 {
            assert!(look(&callers, &mut looks, false));
            assert_eq!(looks.every(), 1);
        }
        callers.called();
        assert!(look(&callers, &mut looks, false));
        assert_eq!(looks.every(), 2, "they came");
        // Two of the four are over with the next look.
        for _ in 0..2 {
            assert!(look(&callers, &mut looks, false));
        }
        assert!(!look(&callers, &mut looks, false) && callers.is_watched());
    }

    #[test]
    fn looks_that_come_late_make_nobody_wait_longer() {
        let callers = Callers::new();
        assert!(callers.begin_patrol());
        let mut looks = callers.bear(4);
        looks.late(2);
        assert!(look(&callers, &mut looks, false));
        assert!(!look(&callers, &mut looks, false) && callers.is_watched());
    }

    #[test]
    fn nobody_is_borne_with_while_a_stream_waits() {
        let callers = Callers::new();
        assert!(callers.begin_patrol());
        let mut looks = callers.bear(4);
        assert!(callers.must_hurry());
        looks.hurry_from(callers.turns());
        assert!(!look(&callers, &mut looks, false) && callers.is_watched());
    }

    #[test]
    fn those_who_wait_are_waited_for_a_while() {
        let callers = Callers::new();
        assert!(callers.begin_patrol());
        let mut looks = callers.looks(4);
        assert!(look(&callers, &mut looks, true));
        callers.begin_sleep();
        assert!(look(&callers, &mut looks, false));
        assert!(!look(&callers, &mut looks, true));
        assert!(!callers.is_on_patrol() && !callers.is_watched());
    }
}
