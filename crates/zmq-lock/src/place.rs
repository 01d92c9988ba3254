//! Visits that are noted and not counted.
//!
//! Something that may be taken apart while threads use it has to know whether one is inside. To count them takes two atomic exchanges a visit. Here a thread
//! writes down in its own record at which place it is, and whoever takes the place apart looks into the records of all.
//!
//! A visit must be short, as who takes apart waits for it: no system call that waits, no function of somebody else's. It may wait for a lock that others
//! hold as shortly.

use std::num::NonZeroUsize;
use std::sync::atomic::Ordering;

use crate::fence;
use crate::sleep;
use crate::thread::{self, NOWHERE, Record};

/// That this thread is at a place. It stays in its thread.
#[derive(Debug)]
pub struct Visit {
    record: &'static Record,
    place: NonZeroUsize,
    here: std::marker::PhantomData<*const ()>,
}

impl Visit {
    /// Notes that this thread is at a place, of which only the number matters. Look after that whether the place is still open, with
    /// an acquiring load of what says so: if it is, nobody takes it apart until the visit ends.
    ///
    /// `None` where that is not to be had: where [`fence::heavy`] is not [available](fence::is_available), at the end of a thread, and during another visit of this thread.
    #[inline]
    pub fn begin(place: NonZeroUsize) -> Option<Visit> {
        let record = thread::own()?;
        if record.place.load(Ordering::Relaxed) != NOWHERE as usize {
            return None;
        }
        // Released, as who takes another place apart may see this and not that the thread has left that one.
        record.place.store(place.get(), Ordering::Release);
        fence::light();
        Some(Visit {
            record,
            place,
            here: std::marker::PhantomData,
        })
    }

    /// Whether the place is still waited for. It is not once this thread itself has begun to take it apart during the visit: then
    /// [`wait`] has said so.
    #[inline]
    pub fn is_noted(&self) -> bool {
        self.record.place.load(Ordering::Relaxed) == self.place.get()
    }
}

impl Drop for Visit {
    #[inline]
    fn drop(&mut self) {
        if self.is_noted() {
            self.record.place.store(NOWHERE as usize, Ordering::Release);
        }
    }
}

/// Waits until every visit of a place has ended that was begun before it was closed. Close it before, so that who looks now finds it closed.
///
/// Gives the number of visits that are not waited for: that of this thread, which is [no longer noted](Visit::is_noted) then, and those of threads that a forked
/// child does not have, which never end.
///
/// One waits for a place, once: a visit of its own is not noted from then on, for nobody, and this thread must not begin another of that place before it has ended.
#[must_use]
pub fn wait(place: NonZeroUsize) -> u32 {
    if !fence::is_available() {
        return 0;
    }
    let own = thread::known();
    let mut left = 0;
    if own.place.load(Ordering::Relaxed) == place.get() {
        left += 1;
        own.place.store(NOWHERE as usize, Ordering::Relaxed);
    }
    fence::heavy();
    for record in thread::all() {
        let mut looks = 0;
        while record.place.load(Ordering::Acquire) == place.get() {
            if record.is_gone() {
                left += 1;
                break;
            }
            sleep::a_moment(looks);
            looks += 1;
        }
    }
    left
}
