//! The events of a socket, for a thread that waits for them.

use std::fmt;
use std::time::Duration;

use zmq_engine as engine;

use crate::error::MonitorError;
use crate::handle::Handle;
use crate::monitor::{MonitorEvent, events_of};

/// The events of one socket, from the moment it was asked for; an iterator that blocks and ends when the socket is gone.
/// See [`zmq::Monitor`](crate::Monitor).
pub struct Monitor(engine::Monitor);

impl Monitor {
    pub(crate) fn of(handle: &Handle) -> Result<Monitor, MonitorError> {
        events_of(handle).map(Monitor)
    }

    /// The next event; blocks until there is one. `None` when the socket is gone.
    #[expect(
        clippy::should_implement_trait,
        reason = "it does; the name is also here so that both monitors read alike"
    )]
    pub fn next(&mut self) -> Option<MonitorEvent> {
        event(self.0.next_timeout(None))
    }

    /// The next event; blocks no longer than `timeout`. `None` when the socket is gone or the time has passed.
    pub fn next_timeout(&mut self, timeout: Duration) -> Option<MonitorEvent> {
        event(self.0.next_timeout(Some(timeout)))
    }

    /// The next event if there is one now.
    pub fn try_next(&mut self) -> Option<MonitorEvent> {
        event(self.0.try_next())
    }
}

fn event(item: engine::MonitorItem) -> Option<MonitorEvent> {
    match item {
        engine::MonitorItem::Event(event) => Some(event),
        _ => None,
    }
}

impl Iterator for Monitor {
    type Item = MonitorEvent;

    fn next(&mut self) -> Option<MonitorEvent> {
        Monitor::next(self)
    }
}

impl fmt::Debug for Monitor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Monitor")
    }
}
