//! Handles: what a `void *` of the C library points to.
//!
//! A slot carries a tag that says what it is, and how many calls are inside it. Slots are never freed, only used
//! again, so that the tag of a closed handle can be read at any time. The value of a closed handle is dropped by the last
//! call that leaves it, so closing a socket that another thread still uses is an error for that thread and nothing
//! worse.

use std::cell::UnsafeCell;
use std::ffi::c_void;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

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
    /// The list of slots between two uses.
    fn spare() -> &'static Spare<Self>;
}

#[repr(C)]
pub(crate) struct Slot<T> {
    tag: AtomicU32,
    users: AtomicU32,
    value: UnsafeCell<Option<T>>,
}

// SAFETY: the value is written only by the one who took the slot from the spare list, before the tag is set, and by the
// one who won the exchange of CLOSED for FREE-to-be in `leave`; in between it is only read, by reference, and `T` is Sync.
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
            tag: AtomicU32::new(FREE),
            users: AtomicU32::new(0),
            value: UnsafeCell::new(None),
        }))
    });
    // SAFETY: a slot of the spare list belongs to whoever has popped it; others read only its tag, which is FREE.
    unsafe { *slot.value.get() = Some(value) };
    slot.tag.store(T::TAG, Ordering::SeqCst);
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
    if slot.tag.load(Ordering::Relaxed) != T::TAG {
        return None;
    }
    slot.users.fetch_add(1, Ordering::SeqCst);
    let held = Held(slot);
    // Looked at again: it may have been closed between the look and the entry.
    (slot.tag.load(Ordering::SeqCst) == T::TAG).then_some(held)
}

/// Closes a handle. One caller gets it; the value goes when the last call has left.
pub(crate) fn take<T: Kind>(handle: *mut c_void) -> Option<Held<T>> {
    let held = visit::<T>(handle)?;
    let won = held
        .0
        .tag
        .compare_exchange(T::TAG, CLOSED, Ordering::SeqCst, Ordering::SeqCst);
    won.is_ok().then_some(held)
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
        if slot.users.fetch_sub(1, Ordering::SeqCst) != 1 {
            return;
        }
        let last = slot
            .tag
            .compare_exchange(CLOSED, FREE, Ordering::SeqCst, Ordering::SeqCst);
        if last.is_err() {
            return;
        }
        // SAFETY: no tag leads to the value any more, every call that had entered by one has left, and one caller alone
        // wins the exchange.
        let value = unsafe { (*slot.value.get()).take() };
        T::spare()
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(slot);
        drop(value);
    }
}
