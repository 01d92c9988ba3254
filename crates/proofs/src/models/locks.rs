//! Threads that come to a lock which is their own at times, and to places that are taken apart.

use std::num::NonZeroUsize;
use std::sync::Arc;

use loom::thread;

use crate::mirror::gated::{Lock, Visit, wait_for_visits};
use crate::sync::atomic::{AtomicBool, Ordering};

fn beside(lock: &Arc<Lock>, run: impl FnOnce(&Lock) + 'static) -> thread::JoinHandle<()> {
    let lock = Arc::clone(lock);
    thread::spawn(move || run(&lock))
}

/// Each comes as often as it takes to own the lock, to use it so, and to lose it.
pub(super) fn two() {
    let lock = Lock::alone();
    let other = beside(&lock, |lock| {
        lock.use_it();
        lock.use_it();
    });
    lock.use_it();
    lock.use_it();
    lock.use_it();
    other.join().unwrap();
}

/// One may be held up for as long as it takes two others to own the lock.
pub(super) fn three() {
    let lock = Lock::alone();
    lock.use_it();
    let others = [(); 2].map(|()| {
        beside(&lock, |lock| {
            lock.use_it();
            lock.use_it();
        })
    });
    lock.use_it();
    for other in others {
        other.join().unwrap();
    }
}

pub(super) fn tried() {
    let lock = Lock::alone();
    lock.use_it();
    let one = beside(&lock, |lock| {
        lock.try_to_use_it();
    });
    let other = beside(&lock, Lock::use_it);
    lock.try_to_use_it();
    one.join().unwrap();
    other.join().unwrap();
    assert!(lock.try_to_use_it());
}

pub(super) fn several() {
    let (lock, second) = (Lock::alone(), Lock::another());
    lock.use_it();
    second.use_it();
    let other = {
        let second = Arc::clone(&second);
        beside(&lock, move |lock| {
            second.use_it();
            lock.use_it();
        })
    };
    lock.use_both(&second);
    other.join().unwrap();
}

pub(super) fn place() {
    let place = Lock::alone();
    let number = NonZeroUsize::new(Arc::as_ptr(&place).addr()).unwrap();
    let open = Arc::new(AtomicBool::new(true));
    let visitor = {
        let open = Arc::clone(&open);
        beside(&place, move |place| {
            for _ in 0..2 {
                let visit = Visit::begin(number).unwrap();
                if open.load(Ordering::Acquire) {
                    place.touch();
                }
                drop(visit);
            }
        })
    };
    open.store(false, Ordering::Relaxed);
    assert_eq!(wait_for_visits(number), 0);
    place.touch();
    visitor.join().unwrap();
}
