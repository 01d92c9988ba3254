//! Waiting for peers and subscribers, so that nobody has to sleep and hope.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use async_io::Timer;
use zmq_engine::{self as engine, Deadline};

use crate::error::{MonitorError, ReadyError, ReadyFailure};
use crate::handle::Handle;
use crate::monitor::{CloseReason, Happening, Monitor, MonitorEvent, events_of};

/// What is waited for.
#[derive(Clone, Copy)]
struct Awaited {
    what: &'static str,
    count: fn(&engine::Socket) -> usize,
    expected: usize,
}

const PEERS: &str = "connected peers";
const SUBSCRIBERS: &str = "subscribed peers";

pub(crate) async fn peers(
    handle: &Handle,
    expected: usize,
    timeout: Option<Duration>,
) -> Result<(), ReadyError> {
    Search::new(handle, connected(expected)).run(timeout).await
}

pub(crate) async fn subscribers(
    handle: &Handle,
    expected: usize,
    timeout: Option<Duration>,
) -> Result<(), ReadyError> {
    Search::new(handle, subscribed(expected)).run(timeout).await
}

pub(crate) fn peers_blocking(
    handle: &Handle,
    expected: usize,
    timeout: Option<Duration>,
) -> Result<(), ReadyError> {
    Search::new(handle, connected(expected)).run_blocking(timeout)
}

pub(crate) fn subscribers_blocking(
    handle: &Handle,
    expected: usize,
    timeout: Option<Duration>,
) -> Result<(), ReadyError> {
    Search::new(handle, subscribed(expected)).run_blocking(timeout)
}

fn connected(expected: usize) -> Awaited {
    Awaited {
        what: PEERS,
        count: engine::Socket::connected_peers,
        expected,
    }
}

fn subscribed(expected: usize) -> Awaited {
    Awaited {
        what: SUBSCRIBERS,
        count: engine::Socket::subscriber_count,
        expected,
    }
}

/// One wait for a number to be reached.
struct Search<'a> {
    handle: &'a Handle,
    awaited: Awaited,
    found: usize,
    last_failure: Option<(String, CloseReason)>,
}

impl<'a> Search<'a> {
    fn new(handle: &'a Handle, awaited: Awaited) -> Search<'a> {
        Search {
            handle,
            awaited,
            found: 0,
            last_failure: None,
        }
    }

    fn error(&mut self, kind: ReadyFailure) -> ReadyError {
        ReadyError {
            awaited: self.awaited.what,
            expected: self.awaited.expected,
            found: self.found,
            last_failure: self.last_failure.take().or_else(|| {
                let socket = self.handle.socket().ok()?;
                socket.last_failure()
            }),
            kind,
        }
    }

    fn not_open(&mut self, error: MonitorError) -> ReadyError {
        self.error(ReadyFailure::NotOpen(error.0))
    }

    /// Whether the number is reached now.
    fn is_reached(&mut self) -> bool {
        if let Ok(socket) = self.handle.socket() {
            self.found = (self.awaited.count)(socket);
        }
        self.found >= self.awaited.expected
    }

    /// Whether nobody else will come. What made it so was noted before.
    fn is_hopeless(&self) -> bool {
        self.handle.socket().is_ok_and(engine::Socket::has_given_up)
    }

    fn note(&mut self, event: MonitorEvent) {
        if let Happening::Closed {
            reason,
            was_ready: false,
            ..
        } = event.what
        {
            self.last_failure = Some((event.endpoint, reason));
        }
    }

    async fn run(mut self, timeout: Option<Duration>) -> Result<(), ReadyError> {
        // Listening begins before the first look, so that no change falls in between.
        let mut monitor = Monitor::of(self.handle).map_err(|error| self.not_open(error))?;
        let mut alarm = timeout.map(Timer::after);
        loop {
            if self.is_reached() {
                return Ok(());
            }
            if self.is_hopeless() {
                return Err(self.error(ReadyFailure::GaveUp));
            }
            match poll_fn(|cx| poll_next(&mut monitor, &mut alarm, cx)).await {
                Some(Some(event)) => self.note(event),
                Some(None) => return Err(self.error(ReadyFailure::Closed)),
                None => return Err(self.error(ReadyFailure::TimedOut)),
            }
        }
    }

    fn run_blocking(mut self, timeout: Option<Duration>) -> Result<(), ReadyError> {
        let deadline = Deadline::after(timeout);
        let monitor = events_of(self.handle).map_err(|error| self.not_open(error))?;
        loop {
            if self.is_reached() {
                return Ok(());
            }
            if self.is_hopeless() {
                return Err(self.error(ReadyFailure::GaveUp));
            }
            match monitor.next_timeout(deadline.left()) {
                engine::MonitorItem::Event(event) => self.note(event),
                engine::MonitorItem::Ended => return Err(self.error(ReadyFailure::Closed)),
                engine::MonitorItem::Pending => return Err(self.error(ReadyFailure::TimedOut)),
            }
        }
    }
}

/// The next event, or `None` when the time has passed.
fn poll_next(
    monitor: &mut Monitor,
    alarm: &mut Option<Timer>,
    cx: &mut Context<'_>,
) -> Poll<Option<Option<MonitorEvent>>> {
    if let Poll::Ready(event) = monitor.poll_event(cx) {
        return Poll::Ready(Some(event));
    }
    match alarm {
        Some(alarm) => Pin::new(alarm).poll(cx).map(|_| None),
        None => Poll::Pending,
    }
}
