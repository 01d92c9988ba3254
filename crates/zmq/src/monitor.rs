//! What happens to the connections of a socket: they come and go, and `send` and `recv` do not speak of it.

use std::fmt;
use std::future::{Future, poll_fn};
use std::os::fd::OwnedFd;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use async_io::{Async, ReadableOwned, Timer};
use futures_core::Stream;
use zmq_engine as engine;

pub use zmq_engine::patterns::{PeerFault, PeerRefused};
pub use zmq_engine::wire::Error as ProtocolError;
pub use zmq_engine::{CloseReason, DropReason, Happening, Loss, MonitorEvent};

use crate::error::{MonitorError, OpenError};
use crate::handle::Handle;
use crate::wait::register;

/// The events of one socket, from the moment it was asked for; a [`Stream`] that ends when the socket is gone.
///
/// Up to 4096 events are kept for one who does not read; a [`Happening::Missed`] then says how many were lost. Dropping
/// the monitor ends it.
///
/// ```
/// # zmq::block_on(async {
/// use zmq::monitor::Happening;
///
/// let context = zmq::Context::new();
/// let pull = zmq::Pull::new(&context);
/// let mut monitor = pull.monitor()?;
/// pull.bind("tcp://127.0.0.1:0").await?;
/// let event = monitor.next().await.expect("the socket lives");
/// assert!(matches!(event.what, Happening::Listening { .. }));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
pub struct Monitor {
    events: engine::Monitor,
    registered: Arc<Async<OwnedFd>>,
    readable: Option<ReadableOwned<OwnedFd>>,
}

impl Monitor {
    pub(crate) fn of(handle: &Handle) -> Result<Monitor, MonitorError> {
        let events = events_of(handle)?;
        let registered = register(events.descriptor()).map_err(open_error)?;
        Ok(Monitor {
            events,
            registered: Arc::new(registered),
            readable: None,
        })
    }

    /// The next event; `None` when the socket is gone. Cancel safe: an event is taken only in the poll that returns it.
    pub async fn next(&mut self) -> Option<MonitorEvent> {
        poll_fn(|cx| self.poll_event(cx)).await
    }

    /// As [`next`](Monitor::next), but waits no longer than `timeout`. `None` when the socket is gone or the time has
    /// passed.
    pub async fn next_timeout(&mut self, timeout: Duration) -> Option<MonitorEvent> {
        let mut alarm = Timer::after(timeout);
        poll_fn(|cx| match self.poll_event(cx) {
            Poll::Pending => Pin::new(&mut alarm).poll(cx).map(|_| None),
            event => event,
        })
        .await
    }

    /// The next event if there is one now.
    pub fn try_next(&mut self) -> Option<MonitorEvent> {
        match self.events.try_next() {
            engine::MonitorItem::Event(event) => Some(event),
            _ => None,
        }
    }

    pub(crate) fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Option<MonitorEvent>> {
        loop {
            match self.events.try_next() {
                engine::MonitorItem::Event(event) => return Poll::Ready(Some(event)),
                engine::MonitorItem::Ended => return Poll::Ready(None),
                engine::MonitorItem::Pending => {}
            }
            let registered = &self.registered;
            let readable = self
                .readable
                .get_or_insert_with(|| Arc::clone(registered).readable_owned());
            let changed = ready!(Pin::new(readable).poll(cx));
            self.readable = None;
            if changed.is_err() {
                // Nothing is left to wait with.
                return Poll::Ready(None);
            }
        }
    }
}

pub(crate) fn events_of(handle: &Handle) -> Result<engine::Monitor, MonitorError> {
    let socket = handle.socket().map_err(MonitorError)?;
    socket.monitor().map_err(open_error)
}

fn open_error(error: std::io::Error) -> MonitorError {
    MonitorError(OpenError::system(error))
}

impl Stream for Monitor {
    type Item = MonitorEvent;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<MonitorEvent>> {
        self.poll_event(cx)
    }
}

impl fmt::Debug for Monitor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Monitor")
    }
}
