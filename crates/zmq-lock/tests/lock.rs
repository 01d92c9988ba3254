//! The lock, by what its users rely on. How threads may come in is stepped by `zmq-proofs`.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::channel;
use std::sync::{Arc, Barrier};
use std::thread;

use zmq_lock::{Lock, LockGuard};

/// More than a thread needs to own a lock, whatever happened to it before.
const MANY: u32 = 10_000;

/// Two numbers that are the same whenever nobody is inside.
#[derive(Default)]
struct Pair(u64, u64);

fn count(lock: &Lock<Pair>) {
    let mut pair = lock.lock();
    assert_eq!(pair.0, pair.1, "two were inside");
    pair.0 += 1;
    std::hint::black_box(&mut pair.0);
    pair.1 += 1;
}

fn make_own(lock: &Lock<Pair>) {
    (0..MANY).for_each(|_| count(lock));
}

#[test]
fn threads_that_come_in_rows_of_any_length_are_inside_one_after_the_other() {
    let lock = Lock::new(Pair::default());
    let start = Barrier::new(3);
    let total: u64 = thread::scope(|scope| {
        let workers: Vec<_> = (0..3_u64)
            .map(|worker| {
                let (lock, start) = (&lock, &start);
                scope.spawn(move || {
                    start.wait();
                    let mut done = 0;
                    for step in 0..3000_u64 {
                        // Single ones, and rows after which the lock is the thread's own.
                        let row = match (step + worker * 7) % 16 {
                            0 => 600,
                            1..=5 => 40,
                            _ => 1,
                        };
                        (0..row).for_each(|_| count(lock));
                        done += row;
                        if step % 32 == 0 {
                            thread::yield_now();
                        }
                    }
                    done
                })
            })
            .collect();
        workers
            .into_iter()
            .map(|worker| worker.join().unwrap())
            .sum()
    });
    assert_eq!(lock.lock().0, total);
}

#[test]
fn who_comes_while_the_owner_is_inside_waits_for_it() {
    let lock = Lock::new(Pair::default());
    make_own(&lock);
    let guard = lock.lock();
    thread::scope(|scope| {
        let (said, heard) = channel();
        let other = scope.spawn({
            let lock = &lock;
            move || {
                assert!(lock.try_lock().is_none(), "the owner is inside");
                said.send(()).unwrap();
                lock.lock().0
            }
        });
        heard.recv().unwrap();
        // The other is asleep or about to be.
        let mut guard = guard;
        guard.0 += 100;
        guard.1 += 100;
        drop(guard);
        assert_eq!(other.join().unwrap(), u64::from(MANY) + 100);
    });
    count(&lock);
}

#[test]
fn who_comes_while_another_is_inside_waits_although_it_was_the_owner() {
    let lock = Lock::new(Pair::default());
    make_own(&lock);
    thread::scope(|scope| {
        let (said, heard) = channel();
        scope.spawn({
            let lock = &lock;
            move || {
                let mut guard = lock.lock();
                said.send(()).unwrap();
                guard.0 += 1;
                thread::yield_now();
                guard.1 += 1;
            }
        });
        heard.recv().unwrap();
        count(&lock);
    });
    assert_eq!(lock.lock().0, u64::from(MANY) + 2);
}

#[test]
fn nobody_comes_in_twice() {
    let lock = Lock::new(Pair::default());
    {
        let _common = lock.lock();
        assert!(lock.try_lock().is_none());
    }
    make_own(&lock);
    {
        let _own = lock.lock();
        assert!(lock.try_lock().is_none());
    }
    drop(lock.try_lock().unwrap());
}

#[test]
#[cfg(target_os = "linux")]
fn the_owner_is_told_that_it_is_inside_already() {
    if !zmq_lock::fence::is_available() {
        return;
    }
    let lock = Lock::new(Pair::default());
    make_own(&lock);
    let guard = lock.lock();
    let again = catch_unwind(AssertUnwindSafe(|| drop(lock.lock())));
    let message = again.unwrap_err().downcast::<String>().unwrap();
    assert_eq!(*message, "a thread locks what it has locked");
    // It has it as before.
    assert!(thread::scope(|scope| scope
        .spawn(|| lock.try_lock().is_none())
        .join()
        .unwrap()));
    drop(guard);
    count(&lock);
}

#[test]
fn a_thread_holds_several_that_it_owns() {
    let locks: Vec<Lock<Pair>> = (0..3).map(|_| Lock::new(Pair::default())).collect();
    locks.iter().for_each(make_own);
    for _ in 0..100 {
        let guards: Vec<LockGuard<'_, Pair>> = locks.iter().map(Lock::lock).collect();
        thread::scope(|scope| {
            scope.spawn(|| {
                for lock in &locks {
                    assert!(lock.try_lock().is_none());
                }
            });
        });
        drop(guards);
        locks.iter().for_each(count);
    }
}

#[test]
fn who_panics_inside_is_not_inside_any_more() {
    for rows in [1, MANY] {
        let lock = Lock::new(Pair::default());
        (0..rows).for_each(|_| count(&lock));
        let panics = || {
            let _guard = lock.lock();
            panic!("inside");
        };
        catch_unwind(AssertUnwindSafe(panics)).unwrap_err();
        count(&lock);
        thread::scope(|scope| scope.spawn(|| count(&lock)).join().unwrap());
    }
}

#[test]
fn what_a_thread_owned_goes_on_after_its_end() {
    thread_local! {
        static LAST: Cell<Option<Last>> = const { Cell::new(None) };
    }
    struct Last(Arc<Lock<Pair>>);
    impl Drop for Last {
        fn drop(&mut self) {
            count(&self.0);
        }
    }
    let lock = Arc::new(Lock::new(Pair::default()));
    let threads = 50;
    for _ in 0..threads {
        let lock = Arc::clone(&lock);
        let thread = thread::spawn(move || {
            // Dropped by the end of the thread, before or after what the lock keeps of it.
            LAST.set(Some(Last(Arc::clone(&lock))));
            make_own(&lock);
        });
        thread.join().unwrap();
    }
    assert_eq!(lock.lock().0, threads * u64::from(MANY + 1));
}

#[test]
fn a_guard_is_shared_where_the_value_may_be() {
    const fn shared<T: Sync>() {}
    const fn sent<T: Send>() {}
    shared::<LockGuard<'static, u32>>();
    shared::<Lock<Cell<u32>>>();
    sent::<Lock<Cell<u32>>>();
    let lock = Lock::new(7);
    let guard = lock.lock();
    thread::scope(|scope| {
        let seen = scope.spawn(|| *guard).join().unwrap();
        assert_eq!(seen, 7);
    });
}
