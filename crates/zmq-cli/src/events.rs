//! Monitor events in words, for `-v` and for the tour.

use std::fmt;
use std::thread::{self, JoinHandle};

use zmq::blocking::Monitor;
use zmq::monitor::{Happening, Loss, MonitorEvent};
use zmq::{MonitorError, Version};

use crate::failure::{Failure, note};

/// Writes what happens to a socket on standard error until the socket is gone.
pub(crate) struct Events(JoinHandle<()>);

impl Events {
    /// Starts telling, if that is wanted.
    pub(crate) fn wanted(
        verbose: bool,
        monitor: impl FnOnce() -> Result<Monitor, MonitorError>,
    ) -> Result<Option<Events>, Failure> {
        if !verbose {
            return Ok(None);
        }
        let monitor = monitor().map_err(Failure::error)?;
        Ok(Some(Events(thread::spawn(move || {
            for event in monitor {
                note(Words(&event));
            }
        }))))
    }

    /// Waits until the last event was written. The socket has to be closed before.
    pub(crate) fn end(self) {
        let _ = self.0.join();
    }
}

/// An event as a person would tell it.
pub(crate) struct Words<'a>(pub(crate) &'a MonitorEvent);

impl fmt::Display for Words<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let MonitorEvent {
            endpoint,
            peer,
            what,
        } = self.0;
        let who = peer.as_deref().unwrap_or("a peer");
        match what {
            Happening::Listening { .. } => write!(f, "{endpoint}: listening"),
            Happening::Accepted { .. } => write!(f, "{endpoint}: {who} has come; shaking hands"),
            Happening::AcceptFailed { error, .. } => {
                write!(f, "{endpoint}: cannot accept: {error}")
            }
            Happening::Connecting => write!(f, "{endpoint}: connecting"),
            Happening::Connected { .. } => write!(f, "{endpoint}: connected; shaking hands"),
            Happening::Retrying { after } => {
                write!(f, "{endpoint}: next attempt in {} ms", after.as_millis())
            }
            Happening::Ready {
                socket_type,
                version,
            } => {
                let name = socket_type.map_or("peer", |kind| kind.name());
                match version {
                    Some(version) => {
                        write!(
                            f,
                            "{endpoint}: ready, a {name} that speaks ZMTP {}",
                            number(*version)
                        )
                    }
                    None => write!(f, "{endpoint}: ready, a {name}"),
                }
            }
            Happening::Closed {
                reason,
                was_ready: true,
                ..
            } => write!(f, "{endpoint}: closed: {reason}"),
            Happening::Closed { reason, .. } => {
                write!(f, "{endpoint}: closed before it was ready: {reason}")
            }
            Happening::GaveUp => write!(f, "{endpoint}: given up"),
            Happening::StoppedListening { .. } => write!(f, "{endpoint}: no longer listening"),
            Happening::Dropped { count, reason } => {
                write!(f, "{endpoint}: {count} messages dropped: {}", why(*reason))
            }
            Happening::Missed { count } => {
                write!(f, "{count} events were not told, as they came too fast")
            }
            other => write!(f, "{endpoint}: {other:?}"),
        }
    }
}

fn number(version: Version) -> &'static str {
    match version {
        Version::V1 => "1.0",
        Version::V2 => "2.0",
        Version::V3_0 => "3.0",
        Version::V3_1 => "3.1",
    }
}

/// Why messages were lost.
pub(crate) fn why(loss: Loss) -> String {
    let words = match loss {
        Loss::Cut => "the link was cut while it was written",
        Loss::PeerLeft => "the peer left, and its queue with it",
        Loss::Lingered => "the time for closing was over",
        Loss::Unread => "nobody took it before the socket was closed",
        Loss::Conflated => "a newer one took its place",
        other => return format!("{other:?}"),
    };
    words.to_owned()
}
