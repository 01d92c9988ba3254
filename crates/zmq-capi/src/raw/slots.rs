//! Handles: what a `void *` of the C library points to.
//!
//! A slot carries a tag that says what it is, and how many calls are inside it. Calls that never wait are not counted: their threads note where they are, and
//! whoever closes the handle waits for them. Slots are never freed, only used
//! again, so that the tag of a closed handle can be read at any time. The value of a closed handle is dropped by the last
//! call that leaves it, so closing a socket that another thread still uses is an error for that thread and nothing
//! worse.

use std::cell::UnsafeCell;
use std::ffi::c_void;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use zmq_lock::place::{self, Visit};

/// Nobody's.
const FREE: u32 = 0;
/// Closed, but a call may still be inside.
const CLOSED: u32 = 1;

/// Slots of one kind that wait for their next handle.
pub(crate) type Spare<T> = Mutex<Vec<&'static Slot<T>>>;

/// Something that handles are made of.
pub(crate) trait Kind: Sized + Send + Sync + 'static {
    /// What tells this kind from the others and from memory that is no handle.
    const TAG: u32;
    /// Whether calls enter it [briefly](visit_briefly).
    const BRIEF: bool = false;
    /// The list of slots between two uses.
    fn spare() -> &'static Spare<Self>;
}

/// The tag and the number of calls inside are one word, so that a closed slot is taken apart by somebody who knows in the same moment
/// that nobody is inside, whatever has become of the slot since he last looked.
#[repr(C)]
pub(crate) struct Slot<T> {
    /// The tag above, the number of calls below.
    state: AtomicU64,
    value: UnsafeCell<Option<T>>,
}

/// A state without anybody inside.
const fn alone(tag: u32) -> u64 {
    (tag as u64) << 32
}

fn tag_of(state: u64) -> u32 {
    (state >> 32) as u32
}

// SAFETY: the value is written only by the one who took the slot from the spare list, before the tag is set, and by the
// one who made the state FREE that was CLOSED with nobody inside, after who closed it had waited for all who had noted that they are there; in between it is only read, by reference, and `T` is Sync.
unsafe impl<T: Send + Sync> Sync for Slot<T> {}

/// A handle in use by a call.
pub(crate) struct Held<T: Kind>(&'static Slot<T>);

/// Makes a handle.
pub(crate) fn insert<T: Kind>(value: T) -> *mut c_void {
    let spare = T::spare()
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .pop();
    let slot = spare.unwrap_or_else(|| {
        Box::leak(Box::new(Slot {
            state: AtomicU64::new(alone(FREE)),
            value: UnsafeCell::new(None),
        }))
    });
    // SAFETY: a slot of the spare list belongs to whoever has popped it; others read only its tag, which is FREE.
    unsafe { *slot.value.get() = Some(value) };
    // Added and not stored: a latecomer with an old handle may be looking in just now.
    slot.state
        .fetch_add(alone(T::TAG) - alone(FREE), Ordering::SeqCst);
    std::ptr::from_ref(slot).cast_mut().cast()
}

/// Enters a handle, if it is one of this kind and open.
pub(crate) fn visit<T: Kind>(handle: *mut c_void) -> Option<Held<T>> {
    let slot: *const Slot<T> = handle.cast();
    if slot.is_null() || !slot.is_aligned() {
        return None;
    }
    // SAFETY: the caller's promise: a handle that this library has given out, open or closed. Slots are never freed.
    let slot: &'static Slot<T> = unsafe { &*slot };
    if tag_of(slot.state.load(Ordering::Relaxed)) != T::TAG {
        return None;
    }
    let state = slot.state.fetch_add(1, Ordering::SeqCst);
    let held = Held(slot);
    // Looked at again: it may have been closed between the look and the entry.
    (tag_of(state) == T::TAG).then_some(held)
}

/// A handle in use by a call that never waits.
pub(crate) struct Brief<T: Kind> {
    slot: &'static Slot<T>,
    visit: Visit,
}

/// Enters a handle for a moment, if it is one of this kind and open. `None` says nothing: ask [`visit`].
///
/// To be counted takes two atomic exchanges, a quarter of the time of a short message; this one is noted by its thread only.
#[inline]
pub(crate) fn visit_briefly<T: Kind>(handle: *mut c_void) -> Option<Brief<T>> {
    const { assert!(T::BRIEF) };
    let slot: *const Slot<T> = handle.cast();
    if !slot.is_aligned() {
        return None;
    }
    let visit = Visit::begin(NonZeroUsize::new(slot.addr())?)?;
    // SAFETY: as in `visit`.
    let slot: &'static Slot<T> = unsafe { &*slot };
    // Whoever closes it after this look waits for the visit.
    (tag_of(slot.state.load(Ordering::Acquire)) == T::TAG).then_some(Brief { slot, visit })
}

/// Closes a handle. One caller gets it; the value goes when the last call has left.
pub(crate) fn take<T: Kind>(handle: *mut c_void) -> Option<Held<T>> {
    let held = visit::<T>(handle)?;
    let won = held
        .0
        .state
        .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |state| {
            let inside = state - alone(tag_of(state));
            (tag_of(state) == T::TAG).then_some(alone(CLOSED) + inside)
        });
    won.ok()?;
    if T::BRIEF
        && let Some(place) = NonZeroUsize::new(handle.addr())
    {
        // Counted from now on: a visit of this thread itself, and those that never end.
        let visits = u64::from(place::wait(place));
        held.0.state.fetch_add(visits, Ordering::SeqCst);
    }
    Some(held)
}

impl<T: Kind> std::ops::Deref for Brief<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: the value is there from before the tag was set until every visit has ended that found the tag.
        let value = unsafe { &*self.slot.value.get() };
        match value {
            Some(value) => value,
            None => unreachable!("a slot with a tag has a value"),
        }
    }
}

impl<T: Kind> Drop for Brief<T> {
    #[inline]
    fn drop(&mut self) {
        if !self.visit.is_noted() {
            drop(Held(self.slot));
        }
    }
}

impl<T: Kind> std::ops::Deref for Held<T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: the value is there from before the tag was set until the last user has left, and this is one.
        let value = unsafe { &*self.0.value.get() };
        match value {
            Some(value) => value,
            None => unreachable!("a slot with a tag has a value"),
        }
    }
}

impl<T: Kind> Drop for Held<T> {
    fn drop(&mut self) {
        let slot = self.0;
        if slot.state.fetch_sub(1, Ordering::SeqCst) != alone(CLOSED) + 1 {
            return;
        }
        let last = slot.state.compare_exchange(
            alone(CLOSED),
            alone(FREE),
            Ordering::SeqCst,
            Ordering::SeqCst,
        );
        if last.is_err() {
            return;
        }
        // SAFETY: no tag leads to the value any more, and when the exchange was won nobody was inside. Whoever looks in from now
        // on finds no tag of a value and leaves. One caller alone wins.
        let value = unsafe { (*slot.value.get()).take() };
        T::spare()
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(slot);
        drop(value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicBool, AtomicUsize};

    static ALIVE: AtomicUsize = AtomicUsize::new(0);

    struct Canary(AtomicBool);

    impl Canary {
        fn new() -> Canary {
            ALIVE.fetch_add(1, Ordering::SeqCst);
            Canary(AtomicBool::new(true))
        }
    }

    impl Drop for Canary {
        fn drop(&mut self) {
            assert!(self.0.swap(false, Ordering::SeqCst), "dropped twice");
            ALIVE.fetch_sub(1, Ordering::SeqCst);
        }
    }

    static SPARE: Spare<Canary> = Mutex::new(Vec::new());

    impl Kind for Canary {
        const TAG: u32 = 0x5A43_414E;
        const BRIEF: bool = true;

        fn spare() -> &'static Spare<Self> {
            &SPARE
        }
    }

    static GUESTS: Spare<Guest> = Mutex::new(Vec::new());

    /// Says when it ends.
    struct Guest(&'static AtomicBool);

    impl Drop for Guest {
        fn drop(&mut self) {
            self.0.store(true, Ordering::SeqCst);
        }
    }

    impl Kind for Guest {
        const TAG: u32 = 0x5A47_5545;
        const BRIEF: bool = true;

        fn spare() -> &'static Spare<Self> {
            &GUESTS
        }
    }

    #[test]
    fn who_closes_what_it_is_inside_of_leaves_it_to_the_visit() {
        static ENDED: AtomicBool = AtomicBool::new(false);
        let handle = insert(Guest(&ENDED));
        let brief = visit_briefly::<Guest>(handle);
        let was_inside = brief.is_some();
        drop(take::<Guest>(handle).unwrap());
        assert_eq!(ENDED.load(Ordering::SeqCst), !was_inside);
        assert!(visit::<Guest>(handle).is_none());
        drop(brief);
        assert!(ENDED.load(Ordering::SeqCst));
    }

    #[test]
    fn who_visits_while_others_close_and_reuse_finds_a_living_value_or_none() {
        let open = || insert(Canary::new()).expose_provenance();
        let handle = std::ptr::with_exposed_provenance_mut::<c_void>;
        let known = Mutex::new(vec![open(), open()]);
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let known = &known;
                scope.spawn(move || {
                    for step in 0..2000 {
                        let at = {
                            let known = known.lock().unwrap();
                            known[(thread + step) % known.len()]
                        };
                        if let Some(held) = visit::<Canary>(handle(at)) {
                            assert!((*held).0.load(Ordering::SeqCst), "visited after its end");
                        }
                        if let Some(held) = visit_briefly::<Canary>(handle(at)) {
                            // Long enough for others to close it and to use the slot again.
                            (0..100).for_each(|_| std::hint::spin_loop());
                            assert!(held.0.load(Ordering::SeqCst), "visited after its end");
                        }
                        if let Some(held) = take::<Canary>(handle(at)) {
                            assert!((*held).0.load(Ordering::SeqCst), "closed after its end");
                            let new = open();
                            let mut known = known.lock().unwrap();
                            if !known.contains(&new) {
                                known.push(new);
                            }
                        }
                    }
                });
            }
        });
        let known = known.into_inner().unwrap();
        for at in &known {
            drop(take::<Canary>(handle(*at)));
        }
        assert_eq!(ALIVE.load(Ordering::SeqCst), 0);
        // Each slot waits once for its next handle.
        assert_eq!(SPARE.lock().unwrap().len(), known.len());
    }
}
