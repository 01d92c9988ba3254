//! Something that is worked on by whoever holds it, and never waited for by one who only has something to add.
//!
//! One who adds leaves it under another lock, the common one, lets that go, and then tries to become the holder. If there
//! is one already it goes away: the holder looks at what was left, with the common lock held, before it lets go.

use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};

#[derive(Debug)]
pub(crate) struct Holding<T>(Mutex<T>);

impl<T> Holding<T> {
    pub(crate) fn new(held: T) -> Holding<T> {
        Holding(Mutex::new(held))
    }

    /// Waits for whoever holds it. Never called with the common lock held.
    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        match self.0.try_lock() {
            Ok(held) => Some(held),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    /// Lets go of both locks, the holder having looked at what others left. In this order: one who finds it held has left what it
    /// adds before the common lock was free for that look, and one who leaves it later finds nobody.
    pub(crate) fn let_go<C>(held: MutexGuard<'_, T>, common: C) {
        drop(held);
        drop(common);
    }
}
