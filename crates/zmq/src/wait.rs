//! Waiting without blocking a thread: the only module that knows a reactor.
//!
//! A task that waits is woken in one of two ways: by its waker when another caller or the driver has changed something,
//! and by the socket's one level-triggered descriptor when the network has. A duplicate of the descriptor is registered
//! with async-io the first time a task waits, and shared by all tasks that wait on the socket. Blocking callers never come
//! here.

use std::future::Future;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::pin::Pin;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use async_io::{Async, Readable, Timer};
use zmq_engine::Watcher;

use crate::error::OpenError;
use crate::handle::Handle;

/// Calls that a socket may answer at once before the task that makes them has to let others run.
const TURNS: u32 = 128;

/// The registration of one socket with the reactor.
#[derive(Debug, Default)]
pub(crate) struct Readiness {
    registered: OnceLock<Async<OwnedFd>>,
    turns: AtomicU32,
}

impl Readiness {
    /// The registration, made now if this is the first time.
    fn of(&self, descriptor: BorrowedFd<'_>) -> Result<&Async<OwnedFd>, OpenError> {
        if let Some(registered) = self.registered.get() {
            return Ok(registered);
        }
        let new = register(descriptor).map_err(OpenError::system)?;
        // Another task may have been faster; each registers a duplicate of its own, so the loser's is just dropped.
        Ok(self.registered.get_or_init(|| new))
    }

    /// Whether the caller has had so many answers in a row that others should run first.
    fn is_turn_over(&self) -> bool {
        self.turns.fetch_add(1, Ordering::Relaxed) % TURNS == TURNS - 1
    }
}

/// Registers a duplicate of `descriptor`.
pub(crate) fn register(descriptor: BorrowedFd<'_>) -> std::io::Result<Async<OwnedFd>> {
    // It is never read through, so it need not be made non-blocking.
    Async::new_nonblocking(descriptor.try_clone_to_owned()?)
}

/// How a wait ended.
#[derive(Debug)]
pub(crate) enum Waited<T> {
    /// The attempt succeeded, or failed for good.
    Done(T),
    /// The time given has passed.
    TimedOut,
    /// The system gave nothing to wait with.
    Failed(OpenError),
}

/// One caller's wait on a socket. Nothing is taken from the socket except in the poll that returns it, so a wait may be
/// dropped at any time.
pub(crate) struct Wait<'a> {
    handle: &'a Handle,
    watcher: Option<Watcher<'a>>,
    readable: Option<Readable<'a, OwnedFd>>,
    timeout: Option<Duration>,
    alarm: Option<Timer>,
    started: bool,
}

impl<'a> Wait<'a> {
    pub(crate) fn new(handle: &'a Handle, timeout: Option<Duration>) -> Wait<'a> {
        Wait {
            handle,
            watcher: None,
            readable: None,
            timeout,
            alarm: None,
            started: false,
        }
    }

    /// Attempts until there is an answer (`Some`); waits for the socket to change in between.
    pub(crate) fn poll<T>(
        &mut self,
        cx: &mut Context<'_>,
        mut attempt: impl FnMut() -> Option<T>,
    ) -> Poll<Waited<T>> {
        let opened = match self.handle.opened() {
            Ok(opened) => opened,
            Err(error) => return Poll::Ready(Waited::Failed(error)),
        };
        if !self.started {
            self.started = true;
            if opened.readiness.is_turn_over() {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
        }
        loop {
            self.set_waker(cx);
            if let Some(answer) = attempt() {
                self.rest();
                return Poll::Ready(Waited::Done(answer));
            }
            if self.watcher.is_none() {
                // Registered first and looked again afterwards: what happens in between is not missed.
                self.watcher = Some(opened.socket.watcher());
                continue;
            }
            if self.poll_alarm(cx) {
                self.rest();
                return Poll::Ready(Waited::TimedOut);
            }
            if let Err(error) = std::task::ready!(self.poll_changed(cx)) {
                self.rest();
                return Poll::Ready(Waited::Failed(error));
            }
        }
    }

    /// Asks to be woken at the next change. Called before each look at the socket.
    fn set_waker(&self, cx: &Context<'_>) {
        if let Some(watcher) = &self.watcher {
            watcher.set_waker(cx.waker());
        }
    }

    /// As a wait for whoever looks at the socket by other means: to be called before each look. Then
    /// [`poll_changed`](Wait::poll_changed) waits until there may be something new.
    pub(crate) fn prepare(&mut self, cx: &Context<'_>) -> Result<(), OpenError> {
        if self.watcher.is_none() {
            self.watcher = Some(self.handle.opened()?.socket.watcher());
        }
        self.set_waker(cx);
        Ok(())
    }

    /// Ready when the descriptor says that something has changed.
    pub(crate) fn poll_changed(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), OpenError>> {
        let opened = self.handle.opened()?;
        if self.readable.is_none() {
            let registered = opened.readiness.of(opened.socket.descriptor())?;
            self.readable = Some(registered.readable());
        }
        let Some(readable) = &mut self.readable else {
            return Poll::Pending;
        };
        let changed = std::task::ready!(Pin::new(readable).poll(cx));
        self.readable = None;
        Poll::Ready(changed.map_err(OpenError::system))
    }

    /// Whether the time given has passed. Sets the alarm the first time.
    fn poll_alarm(&mut self, cx: &mut Context<'_>) -> bool {
        let Some(timeout) = self.timeout else {
            return false;
        };
        if timeout.is_zero() {
            return true;
        }
        let alarm = self.alarm.get_or_insert_with(|| Timer::after(timeout));
        Pin::new(alarm).poll(cx).is_ready()
    }

    /// Ends the wait, so that the next poll begins a new one.
    fn rest(&mut self) {
        self.readable = None;
        self.watcher = None;
        self.alarm = None;
        self.started = false;
    }
}

impl std::fmt::Debug for Wait<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Wait")
            .field("waiting", &self.watcher.is_some())
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

/// Runs what may block on a thread that may wait.
pub(crate) async fn on_waiting_thread<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> T {
    blocking::unblock(work).await
}
