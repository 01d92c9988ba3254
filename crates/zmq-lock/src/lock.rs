//! The lock.

use std::cell::UnsafeCell;
use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::MutexGuard;

use crate::gate::{Gate, Pass};

/// A value for one thread at a time; see the [crate].
pub struct Lock<T> {
    gate: Gate,
    value: UnsafeCell<T>,
}

// SAFETY: threads that share the lock get at the value one after the other, and what one has done there happened before the next comes in: that
// is what `Gate` is for. So the value goes from thread to thread, and need not stand being used by two at once.
unsafe impl<T: Send> Sync for Lock<T> {}

// As with a mutex whose poison is ignored: what a panic leaves half done is the business of who locks it next.
impl<T> UnwindSafe for Lock<T> {}
impl<T> RefUnwindSafe for Lock<T> {}

/// What is locked, until it is dropped.
#[must_use = "what is locked is free again when this is dropped"]
pub struct LockGuard<'a, T> {
    lock: &'a Lock<T>,
    pass: Pass,
    /// Shared among threads where what is locked may be.
    value: PhantomData<&'a mut T>,
    /// It stays in its thread.
    here: PhantomData<MutexGuard<'static, ()>>,
}

impl<T> Lock<T> {
    /// Of a value that nobody has locked.
    pub fn new(value: T) -> Lock<T> {
        Lock {
            gate: Gate::new(),
            value: UnsafeCell::new(value),
        }
    }

    /// Locks the value. Blocks while another thread has it.
    ///
    /// # Panics
    ///
    /// If this thread has it and owns the lock. If it has it and does not own the lock, or does no more, the call panics or never returns.
    #[inline]
    pub fn lock(&self) -> LockGuard<'_, T> {
        self.guard(self.gate.enter())
    }

    /// Locks the value unless somebody has it, this thread included. Never blocks on who has it, but taking a lock away from its owner is a system call.
    ///
    /// `None` may also be the answer while another thread takes the lock away.
    pub fn try_lock(&self) -> Option<LockGuard<'_, T>> {
        Some(self.guard(self.gate.try_enter()?))
    }

    #[inline]
    fn guard(&self, pass: Pass) -> LockGuard<'_, T> {
        LockGuard {
            lock: self,
            pass,
            value: PhantomData,
            here: PhantomData,
        }
    }
}

impl<T> Deref for LockGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: who has a pass is alone inside until it is given back, which happens when the guard is dropped; the reference does not outlive it.
        unsafe { &*self.lock.value.get() }
    }
}

impl<T> DerefMut for LockGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as in `deref`, and the guard, the one way to the value, is borrowed for as long.
        unsafe { &mut *self.lock.value.get() }
    }
}

impl<T> Drop for LockGuard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.lock.gate.leave(self.pass);
    }
}

impl<T> fmt::Debug for Lock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lock").finish_non_exhaustive()
    }
}

impl<T: fmt::Debug> fmt::Debug for LockGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
