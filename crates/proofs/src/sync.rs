//! What stands in for `std::sync`: the same names, and every step is one that the model may stop at.
//!
//! Loom takes a sequentially consistent access for an acquire-release one and raises false alarms. Here it is one with
//! fences around it, which is the same for protocols that have no weaker accesses and keep all else under locks.

use atomic::{AtomicU32, Ordering};
use std::ops::{Deref, DerefMut};
pub(crate) use std::sync::{Arc, PoisonError, TryLockError, Weak};

const FREE: u32 = 0;
const LOCKED: u32 = 1;
const AWAITED: u32 = 2;

/// A lock as the standard library makes it of a futex. Loom's own would do for most, but each of its operations is a fence too, it
/// does not stop between one release and the next, and it holds up one who only tries.
#[derive(Debug)]
pub(crate) struct Mutex<T> {
    state: AtomicU32,
    /// Never waited for.
    value: std::sync::Mutex<T>,
    sleeping: loom::sync::Mutex<()>,
    released: loom::sync::Condvar,
}

#[derive(Debug)]
pub(crate) struct MutexGuard<'a, T> {
    lock: &'a Mutex<T>,
    value: Option<std::sync::MutexGuard<'a, T>>,
}

impl<T> Mutex<T> {
    pub(crate) fn new(value: T) -> Mutex<T> {
        Mutex {
            state: AtomicU32::new(FREE),
            value: std::sync::Mutex::new(value),
            sleeping: loom::sync::Mutex::new(()),
            released: loom::sync::Condvar::new(),
        }
    }

    pub(crate) fn lock(&self) -> Result<MutexGuard<'_, T>, PoisonError<MutexGuard<'_, T>>> {
        if !self.state.exchange(FREE, LOCKED) {
            while self.state.swap(AWAITED, Ordering::Acquire) != FREE {
                let sleeping = self.sleeping.lock().unwrap();
                if self.state.load(Ordering::Relaxed) == AWAITED {
                    drop(self.released.wait(sleeping).unwrap());
                }
            }
        }
        Ok(self.guard())
    }

    pub(crate) fn try_lock(&self) -> Result<MutexGuard<'_, T>, TryLockError<MutexGuard<'_, T>>> {
        if self.state.exchange(FREE, LOCKED) {
            Ok(self.guard())
        } else {
            Err(TryLockError::WouldBlock)
        }
    }

    fn guard(&self) -> MutexGuard<'_, T> {
        MutexGuard {
            lock: self,
            value: Some(self.value.try_lock().unwrap()),
        }
    }
}

impl<T: Default> Default for Mutex<T> {
    fn default() -> Mutex<T> {
        Mutex::new(T::default())
    }
}

impl<T> Deref for MutexGuard<'_, T> {
    type Target = T;
    fn deref(&self) -> &T {
        self.value.as_ref().unwrap()
    }
}

impl<T> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.value.as_mut().unwrap()
    }
}

impl<T> Drop for MutexGuard<'_, T> {
    fn drop(&mut self) {
        self.value = None;
        if self.lock.state.swap(FREE, Ordering::Release) == AWAITED {
            drop(self.lock.sleeping.lock().unwrap());
            self.lock.released.notify_one();
        }
    }
}

pub(crate) mod atomic {
    use loom::sync::atomic as loomed;
    pub(crate) use std::sync::atomic::Ordering;

    /// On both sides of a sequentially consistent access.
    pub(crate) fn fence(ordering: Ordering) {
        if ordering == Ordering::SeqCst {
            loomed::fence(Ordering::SeqCst);
        }
    }

    macro_rules! atomic {
        ($name:ident, $value:ty) => {
            #[derive(Debug)]
            pub(crate) struct $name(loomed::$name);

            #[allow(dead_code, reason = "the same for every type")]
            impl $name {
                pub(crate) fn new(value: $value) -> $name {
                    $name(loomed::$name::new(value))
                }

                pub(crate) fn load(&self, ordering: Ordering) -> $value {
                    self.0.load(match ordering {
                        Ordering::SeqCst => Ordering::Acquire,
                        weaker => weaker,
                    })
                }

                pub(crate) fn store(&self, value: $value, ordering: Ordering) {
                    if ordering == Ordering::SeqCst {
                        // Loom loses the place of a store among exchanges that run beside it.
                        self.swap(value, ordering);
                    } else {
                        self.0.store(value, ordering);
                    }
                }

                pub(crate) fn swap(&self, value: $value, ordering: Ordering) -> $value {
                    fence(ordering);
                    let before = self.0.swap(value, ordering);
                    fence(ordering);
                    before
                }
            }
        };
    }

    macro_rules! number {
        ($name:ident, $value:ty) => {
            atomic!($name, $value);

            #[allow(dead_code, reason = "the same for every type")]
            impl $name {
                pub(crate) fn fetch_add(&self, value: $value, ordering: Ordering) -> $value {
                    fence(ordering);
                    let before = self.0.fetch_add(value, ordering);
                    fence(ordering);
                    before
                }

                pub(crate) fn fetch_sub(&self, value: $value, ordering: Ordering) -> $value {
                    fence(ordering);
                    let before = self.0.fetch_sub(value, ordering);
                    fence(ordering);
                    before
                }
            }
        };
    }

    atomic!(AtomicBool, bool);
    number!(AtomicU32, u32);
    impl AtomicU32 {
        pub(crate) fn compare_exchange(
            &self,
            from: u32,
            to: u32,
            success: Ordering,
            failure: Ordering,
        ) -> Result<u32, u32> {
            let (had, had_not) = match success {
                Ordering::SeqCst => (Ordering::AcqRel, Ordering::Acquire),
                weaker => (weaker, failure),
            };
            fence(success);
            let exchanged = self.0.compare_exchange(from, to, had, had_not);
            fence(success);
            exchanged
        }

        /// For locks: from one state to another.
        pub(crate) fn exchange(&self, from: u32, to: u32) -> bool {
            let exchanged = self
                .0
                .compare_exchange(from, to, Ordering::Acquire, Ordering::Relaxed);
            exchanged.is_ok()
        }
    }
    number!(AtomicU64, u64);
    number!(AtomicUsize, usize);
}
