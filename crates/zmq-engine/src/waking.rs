//! Waking those who wait for a socket: threads through its signal, tasks through their wakers.
//!
//! Every change is told to every one who waits. A task is told once its waker was called. A thread is told once it has
//! looked: the signal stays raised until all threads that waited when it was raised have looked, so that one who wakes
//! first cannot take the news away from another. A thread that waits is inside a system call and does look; a task may
//! never be polled again, which is why the signal does not wait for tasks.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use crate::poller::Signal;

#[derive(Debug, Default)]
struct State {
    /// Counts changes.
    epoch: u64,
    /// Threads that wait.
    threads: usize,
    /// Of these, the ones that have not looked since the last change.
    unseen: usize,
    /// Tasks that wait, in slots that they keep.
    tasks: Vec<Option<Waker>>,
    free: Vec<usize>,
}

/// Who waits for a socket.
#[derive(Debug)]
pub(crate) struct Waking {
    state: Mutex<State>,
    /// Threads and tasks together, to find out cheaply that nobody waits.
    waiting: AtomicUsize,
    /// Tasks among them for which the driver watches the streams.
    relying: AtomicUsize,
    signal: Signal,
}

impl Waking {
    pub(crate) fn new() -> io::Result<Waking> {
        Ok(Waking {
            state: Mutex::new(State::default()),
            waiting: AtomicUsize::new(0),
            relying: AtomicUsize::new(0),
            signal: Signal::new()?,
        })
    }

    pub(crate) fn descriptor(&self) -> BorrowedFd<'_> {
        self.signal.as_fd()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn anybody(&self) -> bool {
        self.waiting.load(Ordering::SeqCst) > 0
    }

    /// Something has changed.
    pub(crate) fn wake(&self) {
        if !self.anybody() {
            return;
        }
        let mut state = self.lock();
        state.epoch = state.epoch.wrapping_add(1);
        state.unseen = state.threads;
        if state.threads > 0 {
            self.signal.raise();
        }
        if state.tasks.iter().all(Option::is_none) {
            return;
        }
        let wakers: Vec<Waker> = state.tasks.iter_mut().filter_map(Option::take).collect();
        drop(state);
        for waker in wakers {
            waker.wake();
        }
    }

    /// Makes the socket's descriptor readable, for whoever watches it, until somebody has looked.
    pub(crate) fn call_driver(&self) {
        self.wake();
        self.signal.raise();
    }

    /// The signal was found raised by one who does not wait. It stays raised for those who do. Says whether it is down now.
    pub(crate) fn settle(&self) -> bool {
        let state = self.lock();
        if state.unseen == 0 {
            self.signal.drain();
        }
        state.unseen == 0
    }

    /// A thread begins to wait; gives the change it has seen.
    pub(crate) fn enter(&self) -> u64 {
        let mut state = self.lock();
        state.threads += 1;
        self.waiting.fetch_add(1, Ordering::SeqCst);
        if state.unseen == 0 {
            // Raised for others, who have all looked.
            self.signal.clear();
        }
        state.epoch
    }

    /// A waiting thread looks. Call before trying, not after.
    pub(crate) fn look(&self, seen: u64) -> u64 {
        let mut state = self.lock();
        if seen != state.epoch {
            state.unseen = state.unseen.saturating_sub(1);
        }
        if state.unseen == 0 {
            self.signal.clear();
        }
        state.epoch
    }

    /// A thread waits no more.
    pub(crate) fn leave(&self, seen: u64) {
        let mut state = self.lock();
        if seen != state.epoch {
            state.unseen = state.unseen.saturating_sub(1);
        }
        if state.unseen == 0 {
            self.signal.clear();
        }
        state.threads = state.threads.saturating_sub(1);
        self.waiting.fetch_sub(1, Ordering::SeqCst);
    }

    /// A task begins to wait; gives its place.
    pub(crate) fn enter_task(&self) -> usize {
        let mut state = self.lock();
        self.waiting.fetch_add(1, Ordering::SeqCst);
        match state.free.pop() {
            Some(place) => place,
            None => {
                state.tasks.push(None);
                state.tasks.len() - 1
            }
        }
    }

    /// A task that waits leaves the streams to the driver from now on, or does not any more.
    pub(crate) fn rely(&self, relies: bool) {
        if relies {
            self.relying.fetch_add(1, Ordering::SeqCst);
        } else {
            self.relying.fetch_sub(1, Ordering::SeqCst);
        }
    }

    /// Whether some task leaves the streams to the driver.
    pub(crate) fn is_relied_on(&self) -> bool {
        self.relying.load(Ordering::SeqCst) > 0
    }

    /// Whether all who wait leave the streams to the driver: nobody watches the descriptor.
    pub(crate) fn is_left_to_driver(&self) -> bool {
        self.relying.load(Ordering::SeqCst) >= self.waiting.load(Ordering::SeqCst)
    }

    /// Whether some task is yet to be told of the next change.
    pub(crate) fn has_wakers(&self) -> bool {
        self.lock().tasks.iter().any(Option::is_some)
    }

    /// Whom to wake at the next change. Call before trying, not after.
    pub(crate) fn set_waker(&self, place: usize, waker: &Waker) {
        let mut state = self.lock();
        let before = match state.tasks.get_mut(place) {
            Some(Some(known)) if known.will_wake(waker) => None,
            Some(slot) => slot.replace(waker.clone()),
            None => None,
        };
        drop(state);
        // Its task may end with it, and with the task a wait for this socket.
        drop(before);
    }

    pub(crate) fn leave_task(&self, place: usize) {
        let mut state = self.lock();
        let mut before = None;
        if let Some(slot) = state.tasks.get_mut(place) {
            before = slot.take();
            state.free.push(place);
            self.waiting.fetch_sub(1, Ordering::SeqCst);
        }
        drop(state);
        // As above.
        drop(before);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::poller::wait_readable;
    use std::sync::Arc;
    use std::sync::atomic::AtomicU32;
    use std::task::Wake;
    use std::time::Duration;

    fn raised(waking: &Waking) -> bool {
        wait_readable(waking.descriptor(), Some(Duration::ZERO)).unwrap()
    }

    #[test]
    fn nobody_waits_and_nothing_is_raised() {
        let waking = Waking::new().unwrap();
        waking.wake();
        assert!(!raised(&waking));
    }

    #[test]
    fn the_signal_stays_until_every_thread_has_looked() {
        let waking = Waking::new().unwrap();
        let (one, two) = (waking.enter(), waking.enter());
        waking.wake();
        let one = waking.look(one);
        assert!(raised(&waking), "the second has not looked");
        assert_eq!(waking.look(one), one);
        assert!(raised(&waking), "looking twice is not looking for another");
        let two = waking.look(two);
        assert!(!raised(&waking));
        waking.wake();
        waking.leave(one);
        assert!(raised(&waking));
        waking.leave(two);
        assert!(!raised(&waking));
    }

    #[test]
    fn a_passer_by_does_not_take_the_news_away() {
        let waking = Waking::new().unwrap();
        let seen = waking.enter();
        waking.wake();
        assert!(!waking.settle());
        assert!(raised(&waking));
        waking.look(seen);
        waking.call_driver();
        waking.leave(seen);
        assert!(waking.settle());
        assert!(!raised(&waking));
    }

    struct Count(AtomicU32);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    #[test]
    fn tasks_are_woken_once_for_each_time_they_ask() {
        let waking = Waking::new().unwrap();
        let count = Arc::new(Count(AtomicU32::new(0)));
        let waker = Waker::from(Arc::clone(&count));
        let (one, two) = (waking.enter_task(), waking.enter_task());
        waking.set_waker(one, &waker);
        waking.set_waker(two, &waker);
        waking.wake();
        waking.wake();
        assert_eq!(count.0.load(Ordering::SeqCst), 2);
        assert!(!raised(&waking), "no thread waits");
        waking.set_waker(one, &waker);
        waking.leave_task(one);
        waking.wake();
        assert_eq!(count.0.load(Ordering::SeqCst), 2);
        waking.leave_task(two);
        assert!(!waking.anybody());
    }
}
