//! Waiting without blocking a thread: the only module that knows a reactor.
//!
//! A task that waits is woken in one of two ways: by its waker when another caller or the driver has changed something,
//! and by whoever watches the socket's one descriptor when the network has (`way`, `here`). Blocking callers never come here.

mod bell;
mod here;
#[cfg(feature = "tokio")]
mod runtime;
mod way;

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use async_io::Timer;
use zmq_engine::Watcher;

pub use self::here::block_on;
use self::way::Way;
pub(crate) use self::way::{Readiness, register};
use crate::error::OpenError;
use crate::handle::{Handle, Opened};

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

/// How far an attempt has to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Look {
    /// Into the queues: there will be another attempt before anybody sleeps.
    Queued,
    /// As far as nobody else tells of: the descriptor is watched next.
    Unread,
    /// At the streams, too.
    Streams,
}

/// One caller's wait on a socket. Nothing is taken from the socket except in the poll that returns it, so a wait may be
/// dropped at any time.
pub(crate) struct Wait<'a> {
    handle: &'a Handle,
    watcher: Option<Watcher<'a>>,
    way: Way<'a>,
    timeout: Option<Duration>,
    alarm: Option<Timer>,
    started: bool,
    /// It has let others run.
    yielded: bool,
    /// The thread that runs it looks at the streams next.
    leaves_unread: bool,
}

impl<'a> Wait<'a> {
    pub(crate) fn new(handle: &'a Handle, timeout: Option<Duration>) -> Wait<'a> {
        Wait {
            handle,
            watcher: None,
            way: Way::Driver,
            timeout,
            alarm: None,
            started: false,
            yielded: false,
            leaves_unread: false,
        }
    }

    /// Whether it has not begun, or has ended.
    pub(crate) fn is_resting(&self) -> bool {
        !self.started
    }

    /// Attempts until there is an answer (`Some`); waits for the socket to change in between. Each attempt is told how far it has to look.
    pub(crate) fn poll<T>(
        &mut self,
        cx: &mut Context<'_>,
        mut attempt: impl FnMut(Look) -> Option<T>,
    ) -> Poll<Waited<T>> {
        let opened = match self.handle.opened() {
            Ok(opened) => opened,
            Err(error) => return Poll::Ready(Waited::Failed(error)),
        };
        if !self.started {
            self.started = true;
            if opened.readiness.is_turn_over() {
                self.yielded = true;
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
        }
        if std::mem::take(&mut self.yielded) {
            opened.readiness.resume();
        }
        loop {
            self.set_waker(cx);
            let look = self.look();
            if let Some(answer) = attempt(look) {
                self.rest();
                return Poll::Ready(Waited::Done(answer));
            }
            if self.watcher.is_none() {
                // Registered first and looked again afterwards: what happens in between is not missed.
                self.watch(opened);
                continue;
            }
            self.leaves_unread = true;
            if self.poll_alarm(cx) {
                // Whoever watches has no time left to tell of it.
                let late = (look == Look::Unread).then(|| attempt(Look::Streams));
                self.rest();
                let waited = late.flatten().map_or(Waited::TimedOut, Waited::Done);
                return Poll::Ready(waited);
            }
            if let Err(error) = std::task::ready!(self.poll_changed(cx)) {
                self.rest();
                return Poll::Ready(Waited::Failed(error));
            }
        }
    }

    /// How far the next attempt has to look.
    fn look(&self) -> Look {
        match (&self.watcher, &self.way) {
            (None, _) => Look::Queued,
            (_, Way::Here(ticket)) if self.leaves_unread && !ticket.is_told() => Look::Unread,
            _ => Look::Streams,
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
        let opened = self.handle.opened()?;
        if self.watcher.is_none() {
            self.watch(opened);
        }
        self.set_waker(cx);
        Ok(())
    }

    /// Registers as one who waits.
    fn watch(&mut self, opened: &'a Opened) {
        let mut watcher = opened.socket.watcher();
        self.way = opened.readiness.way(&opened.socket);
        if matches!(self.way, Way::Driver) {
            watcher.rely_on_driver();
        }
        if let Way::Here(ticket) = &self.way {
            let readiness = &opened.readiness;
            self.leaves_unread = readiness.may_leave_unread(ticket.look_number());
        }
        self.watcher = Some(watcher);
    }

    /// Ready when something may have changed; otherwise the task is woken when it has.
    pub(crate) fn poll_changed(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), OpenError>> {
        let opened = self.handle.opened()?;
        let Some(watcher) = &mut self.watcher else {
            return Poll::Ready(Ok(()));
        };
        if matches!(self.way, Way::Driver) {
            watcher.rest();
            return Poll::Pending;
        }
        if std::task::ready!(self.way.poll(opened, cx)).is_err() {
            // The driver is there as long as the socket is.
            self.way = Way::Driver;
            watcher.rely_on_driver();
        }
        Poll::Ready(Ok(()))
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
        self.way = Way::Driver;
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
