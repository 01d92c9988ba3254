//! One at a time: whose turn it is to use a socket whose pattern does one thing after the other (REQ, REP).

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use zmq_engine::Deadline;

/// First come, first served, for tasks and threads alike.
#[derive(Debug, Default)]
pub(crate) struct Turn {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    taken: bool,
    /// Numbers each place in the queue, so that its owner finds it again.
    places: u64,
    waiting: VecDeque<(u64, Waker)>,
}

/// Whoever holds it has the turn.
#[derive(Debug)]
pub(crate) struct Held<'a>(&'a Turn);

impl Turn {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the turn. Dropping the future leaves the queue.
    pub(crate) async fn take(&self) -> Held<'_> {
        let mut place = Place {
            turn: self,
            number: None,
        };
        poll_fn(|cx| place.poll(cx)).await
    }

    /// Takes the turn if nobody has it or waits for it.
    pub(crate) fn try_take(&self) -> Option<Held<'_>> {
        let mut state = self.lock();
        if state.taken || !state.waiting.is_empty() {
            return None;
        }
        state.taken = true;
        Some(Held(self))
    }

    /// Blocks the thread until it has the turn, or `None` when `deadline` has passed.
    pub(crate) fn take_blocking(&self, deadline: &Deadline) -> Option<Held<'_>> {
        let bell = Arc::new(Bell::default());
        let waker = Waker::from(Arc::clone(&bell));
        let mut cx = Context::from_waker(&waker);
        let mut place = Place {
            turn: self,
            number: None,
        };
        loop {
            if let Poll::Ready(held) = place.poll(&mut cx) {
                return Some(held);
            }
            let left = deadline.left();
            if left.is_some_and(|left| left.is_zero()) {
                return None;
            }
            bell.wait(left);
        }
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.taken = false;
        wake_first(state);
    }
}

/// Wakes the one whose turn it is now. It keeps its place until it comes, so that nobody can slip in.
fn wake_first(state: MutexGuard<'_, State>) {
    let waker = state.waiting.front().map(|(_, waker)| waker.clone());
    drop(state);
    if let Some(waker) = waker {
        waker.wake();
    }
}

/// A place in the queue.
struct Place<'a> {
    turn: &'a Turn,
    number: Option<u64>,
}

impl<'a> Place<'a> {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Held<'a>> {
        let mut state = self.turn.lock();
        let first = state.waiting.front().map(|(number, _)| *number);
        if !state.taken && first == self.number {
            // First in the queue, or no queue at all.
            state.waiting.pop_front();
            state.taken = true;
            self.number = None;
            return Poll::Ready(Held(self.turn));
        }
        match self.number {
            None => {
                state.places += 1;
                let number = state.places;
                state.waiting.push_back((number, cx.waker().clone()));
                self.number = Some(number);
            }
            Some(mine) => {
                let found = state.waiting.iter_mut().find(|(number, _)| *number == mine);
                if let Some((_, waker)) = found {
                    waker.clone_from(cx.waker());
                }
            }
        }
        Poll::Pending
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let Some(mine) = self.number else { return };
        let mut state = self.turn.lock();
        state.waiting.retain(|(number, _)| *number != mine);
        if !state.taken {
            // It may have been this place that was woken.
            wake_first(state);
        }
    }
}

/// Wakes a thread.
#[derive(Debug, Default)]
struct Bell {
    rung: Mutex<bool>,
    change: Condvar,
}

impl Bell {
    fn wait(&self, timeout: Option<Duration>) {
        let mut rung = self.rung.lock().unwrap_or_else(PoisonError::into_inner);
        if !*rung {
            rung = match timeout {
                None => self
                    .change
                    .wait(rung)
                    .unwrap_or_else(PoisonError::into_inner),
                Some(timeout) => {
                    self.change
                        .wait_timeout(rung, timeout)
                        .unwrap_or_else(PoisonError::into_inner)
                        .0
                }
            };
        }
        *rung = false;
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        *self.rung.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.change.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::pin::pin;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    #[test]
    fn a_woken_place_that_is_dropped_passes_the_turn_on() {
        let turn = Turn::default();
        let held = turn.try_take().expect("nobody has it");
        let (first, second) = (Arc::new(Count::default()), Arc::new(Count::default()));
        let (first_waker, second_waker) = (first.clone().into(), second.clone().into());
        let mut second_future = pin!(turn.take());
        {
            let mut first_future = Box::pin(turn.take());
            let poll = first_future
                .as_mut()
                .poll(&mut Context::from_waker(&first_waker));
            assert!(poll.is_pending());
            let poll = second_future
                .as_mut()
                .poll(&mut Context::from_waker(&second_waker));
            assert!(poll.is_pending());
            drop(held);
            assert_eq!(first.0.load(Ordering::SeqCst), 1);
            assert!(turn.try_take().is_none(), "nobody slips in");
        }
        assert_eq!(second.0.load(Ordering::SeqCst), 1);
        let poll = second_future
            .as_mut()
            .poll(&mut Context::from_waker(&second_waker));
        assert!(poll.is_ready());
    }

    #[test]
    fn threads_and_deadlines() {
        let turn = Turn::default();
        let held = turn.take_blocking(&Deadline::after(None));
        assert!(held.is_some());
        assert!(
            turn.take_blocking(&Deadline::after(Some(Duration::ZERO)))
                .is_none()
        );
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| turn.take_blocking(&Deadline::after(None)).is_some());
            drop(held);
            assert!(waiting.join().expect("no panic"));
        });
    }
}
