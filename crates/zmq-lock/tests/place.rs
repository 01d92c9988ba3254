//! Visits that are noted: who takes a place apart waits for them.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::thread;

use zmq_lock::fence;
use zmq_lock::place::{self, Visit};

/// Something at a place of its own.
fn place_of<T>(thing: &T) -> NonZeroUsize {
    NonZeroUsize::new(std::ptr::from_ref(thing).addr()).unwrap()
}

#[test]
fn who_takes_apart_waits_for_who_is_there_and_for_nobody_else() {
    if !fence::is_available() {
        return;
    }
    let (one, other) = (1_u64, 2_u64);
    let (one, other) = (place_of(&one), place_of(&other));
    let left = AtomicBool::new(false);
    thread::scope(|scope| {
        let (said, heard) = channel();
        let (go, gone) = channel();
        let left = &left;
        scope.spawn(move || {
            let visit = Visit::begin(one).unwrap();
            said.send(()).unwrap();
            gone.recv().unwrap();
            left.store(true, Ordering::Relaxed);
            drop(visit);
        });
        heard.recv().unwrap();
        assert_eq!(place::wait(other), 0);
        assert!(!left.load(Ordering::Relaxed));
        go.send(()).unwrap();
        assert_eq!(place::wait(one), 0);
        assert!(left.load(Ordering::Relaxed));
    });
}

#[test]
fn a_thread_is_at_one_place_and_does_not_wait_for_itself() {
    if !fence::is_available() {
        return;
    }
    let (one, other) = (1_u64, 2_u64);
    let visit = Visit::begin(place_of(&one)).unwrap();
    assert!(Visit::begin(place_of(&one)).is_none());
    assert!(Visit::begin(place_of(&other)).is_none());
    assert!(visit.is_noted());
    assert_eq!(place::wait(place_of(&one)), 1);
    assert!(!visit.is_noted());
    let next = Visit::begin(place_of(&other)).unwrap();
    // The visit that is not waited for takes no other with it.
    drop(visit);
    assert!(next.is_noted());
    drop(next);
    assert_eq!(place::wait(place_of(&other)), 0);
}

#[test]
fn nobody_is_at_a_place_that_was_taken_apart() {
    const ROUNDS: usize = 1000;
    /// The round in which the place is open; it is taken apart in between.
    static OPEN: AtomicUsize = AtomicUsize::new(0);
    /// What is at the place: taken away when it is closed.
    static THERE: AtomicUsize = AtomicUsize::new(0);
    let place = place_of(&OPEN);
    let visits = AtomicUsize::new(0);
    let end = AtomicBool::new(false);
    thread::scope(|scope| {
        let visit = || {
            while !end.load(Ordering::Relaxed) {
                let Some(_visit) = Visit::begin(place) else {
                    break;
                };
                let open = OPEN.load(Ordering::Acquire);
                if open != 0 {
                    // Relaxed: what keeps it there is that it is waited for.
                    assert_eq!(THERE.load(Ordering::Relaxed), open);
                    visits.fetch_add(1, Ordering::Relaxed);
                }
            }
        };
        let visitors = [scope.spawn(visit), scope.spawn(visit)];
        for round in 1..=ROUNDS {
            THERE.store(round, Ordering::Relaxed);
            OPEN.store(round, Ordering::Release);
            let seen = visits.load(Ordering::Relaxed);
            let come = || visitors.iter().any(|visitor| !visitor.is_finished());
            while round % 16 == 0 && come() && visits.load(Ordering::Relaxed) == seen {
                // Each of them comes again and again.
                thread::yield_now();
            }
            OPEN.store(0, Ordering::Relaxed);
            if fence::is_available() {
                assert_eq!(place::wait(place), 0);
            }
            THERE.store(0, Ordering::Relaxed);
        }
        end.store(true, Ordering::Relaxed);
    });
}
