//! What happens to the connections of a socket, told to whoever asked to hear it.
//!
//! Events are kept in a bounded queue for each listener. One who does not read loses the newest and is told how many.

use std::collections::VecDeque;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use zmtp_wire::Error as WireError;

use crate::poller::{Signal, wait_readable};

/// The most events kept for a listener who does not read.
pub const MONITOR_QUEUE: usize = 4096;

/// One thing that happened.
#[derive(Clone, Debug, PartialEq)]
pub struct MonitorEvent {
    /// The endpoint of this socket it happened to: as connected or as bound.
    pub endpoint: String,
    /// The address of the peer, where there is one.
    pub peer: Option<String>,
    /// What happened.
    pub what: Happening,
}

/// What can happen to a connection, a listener or a queue.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Happening {
    /// The endpoint is bound and accepts peers.
    Listening {
        /// The descriptor, where the transport has one.
        descriptor: Option<i32>,
    },
    /// A peer arrived at a bound endpoint; its handshake begins.
    Accepted {
        /// The descriptor, where the transport has one.
        descriptor: Option<i32>,
    },
    /// Accepting failed; it is tried again after a pause.
    AcceptFailed {
        /// The system's error number, if it gave one.
        errno: Option<i32>,
        /// The system's words.
        error: String,
    },
    /// A connection attempt began.
    Connecting,
    /// The stream to the peer is open; the handshake begins.
    Connected {
        /// The descriptor, where the transport has one.
        descriptor: Option<i32>,
    },
    /// The next attempt comes after this wait.
    Retrying {
        /// The wait.
        after: Duration,
    },
    /// The handshake is over; messages flow.
    Ready {
        /// The peer's socket type, if it told one.
        socket_type: Option<zmtp_wire::SocketType>,
        /// The version of ZMTP spoken; `None` for inproc.
        version: Option<zmtp_wire::Version>,
    },
    /// The link was closed, or the attempt to make it failed.
    Closed {
        /// Why.
        reason: CloseReason,
        /// Whether the handshake had ended.
        was_ready: bool,
        /// The descriptor it had.
        descriptor: Option<i32>,
    },
    /// The dialer of this endpoint has given up: it will not try again.
    GaveUp,
    /// The endpoint is no longer bound.
    StoppedListening {
        /// The descriptor it had.
        descriptor: Option<i32>,
    },
    /// The number of peers with at least one subscription has changed (PUB, XPUB).
    Subscribers {
        /// How many there are now.
        peers: usize,
    },
    /// Messages were dropped.
    Dropped {
        /// How many.
        count: u64,
        /// Why.
        reason: crate::counters::Loss,
    },
    /// This many events were lost because nobody read them.
    Missed {
        /// How many.
        count: u64,
    },
}

/// Why a link ended.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum CloseReason {
    /// This side closed it: the socket or the endpoint was closed.
    ByUs,
    /// The peer closed the stream.
    ByPeer,
    /// The system ended or refused the connection.
    Io {
        /// The system's error number, if it gave one.
        errno: Option<i32>,
        /// The kind of error.
        kind: std::io::ErrorKind,
        /// The system's words.
        error: String,
    },
    /// The connection attempt took longer than it may.
    ConnectTimeout,
    /// The peer broke the protocol, is incompatible, refused us, or fell silent.
    Protocol(WireError),
    /// The pattern has no place for this peer.
    Pattern(zmq_patterns::PeerRefused),
    /// The peer was replaced by another with the same routing id.
    Replaced,
    /// The peer asked for more than a peer may (subscriptions, notifications).
    Fault(zmq_patterns::PeerFault),
    /// Too many peers were in their handshake; the oldest had to go.
    Evicted,
    /// The transport yields a kind of connection that this socket cannot use.
    UnusableTransport,
}

impl core::fmt::Display for CloseReason {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            CloseReason::ByUs => f.write_str("closed by this side"),
            CloseReason::ByPeer => f.write_str("closed by the peer"),
            CloseReason::Io { error, .. } => f.write_str(error),
            CloseReason::ConnectTimeout => f.write_str("the connection attempt took too long"),
            CloseReason::Protocol(error) => write!(f, "{error}"),
            CloseReason::Pattern(refused) => f.write_str(refusal(*refused)),
            CloseReason::Replaced => f.write_str("another peer took over its routing id"),
            CloseReason::Fault(fault) => f.write_str(excess(*fault)),
            CloseReason::Evicted => f.write_str("too many peers were in their handshake"),
            CloseReason::UnusableTransport => {
                f.write_str("the transport yields a kind of connection this socket cannot use")
            }
        }
    }
}

fn refusal(refused: zmq_patterns::PeerRefused) -> &'static str {
    use zmq_patterns::PeerRefused;
    match refused {
        PeerRefused::DuplicateRoutingId => "another connected peer has the same routing id",
        PeerRefused::ReservedRoutingId => {
            "its routing id begins with a zero octet, which is reserved for generated ids"
        }
        PeerRefused::RoutingIdTooLong => "its routing id is longer than 255 octets",
        PeerRefused::SecondPeer => "this socket has its one peer already",
        PeerRefused::TooManyNotifications => "too many notifications wait to be read",
        _ => "the pattern has no place for it",
    }
}

fn excess(fault: zmq_patterns::PeerFault) -> &'static str {
    use zmq_patterns::PeerFault;
    match fault {
        PeerFault::TooManyTopics => "it subscribed to more topics than a peer may",
        PeerFault::TopicTooLong => "it subscribed to a topic longer than topics may be",
        PeerFault::TooManyTopicOctets => "its topics together are longer than they may be",
        PeerFault::TooManyNotifications => "too many notifications wait to be read",
        _ => "it asked for more than a peer may",
    }
}

/// The descriptor behind a source, for those who want to name it.
pub(crate) fn descriptor_of(source: &zmq_transport::Source<'_>) -> Option<i32> {
    match source {
        zmq_transport::Source::Descriptor(fd) => Some(std::os::fd::AsRawFd::as_raw_fd(fd)),
        _ => None,
    }
}

impl CloseReason {
    pub(crate) fn io(error: &std::io::Error) -> CloseReason {
        CloseReason::Io {
            errno: error.raw_os_error(),
            kind: error.kind(),
            error: error.to_string(),
        }
    }
}

#[derive(Debug)]
struct Queue {
    events: VecDeque<MonitorEvent>,
    missed: u64,
    ended: bool,
}

/// The side of a listener that the socket writes to.
#[derive(Debug)]
pub(crate) struct MonitorQueue {
    queue: Mutex<Queue>,
    signal: Signal,
}

impl MonitorQueue {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn push(&self, event: &MonitorEvent) {
        let mut queue = self.lock();
        if queue.events.len() >= MONITOR_QUEUE {
            queue.missed = queue.missed.saturating_add(1);
            return;
        }
        queue.events.push_back(event.clone());
        drop(queue);
        self.signal.raise();
    }

    pub(crate) fn end(&self) {
        self.lock().ended = true;
        self.signal.raise();
    }
}

/// The events of one socket from the moment it was asked for. Dropping it stops the events.
#[derive(Debug)]
pub struct Monitor {
    queue: Arc<MonitorQueue>,
}

/// What a monitor has to say.
#[derive(Clone, Debug, PartialEq)]
pub enum MonitorItem {
    /// Something happened.
    Event(MonitorEvent),
    /// Nothing has happened that was not told yet.
    Pending,
    /// The socket is gone; nothing will happen any more.
    Ended,
}

impl Monitor {
    pub(crate) fn new() -> std::io::Result<(Monitor, Arc<MonitorQueue>)> {
        let queue = Arc::new(MonitorQueue {
            queue: Mutex::new(Queue {
                events: VecDeque::new(),
                missed: 0,
                ended: false,
            }),
            signal: Signal::new()?,
        });
        Ok((
            Monitor {
                queue: Arc::clone(&queue),
            },
            queue,
        ))
    }

    /// The next event, without waiting.
    pub fn try_next(&self) -> MonitorItem {
        self.queue.signal.drain();
        let mut queue = self.queue.lock();
        if let Some(event) = queue.events.pop_front() {
            if !queue.events.is_empty() || queue.missed > 0 || queue.ended {
                self.queue.signal.raise();
            }
            return MonitorItem::Event(event);
        }
        if queue.missed > 0 {
            let count = std::mem::take(&mut queue.missed);
            if queue.ended {
                self.queue.signal.raise();
            }
            return MonitorItem::Event(MonitorEvent {
                endpoint: String::new(),
                peer: None,
                what: Happening::Missed { count },
            });
        }
        if queue.ended {
            self.queue.signal.raise();
            return MonitorItem::Ended;
        }
        MonitorItem::Pending
    }

    /// The next event; waits for it up to `timeout`, or for ever with `None`. [`MonitorItem::Pending`] says that the time
    /// has passed. Blocks the thread.
    pub fn next_timeout(&self, timeout: Option<Duration>) -> MonitorItem {
        let clock = crate::clock::Clock::real();
        let deadline = timeout.map(|timeout| clock.now().plus(timeout));
        loop {
            match self.try_next() {
                MonitorItem::Pending => {}
                item => return item,
            }
            let left = match deadline {
                None => None,
                Some(deadline) => {
                    let left = deadline.since(clock.now());
                    if left.is_zero() {
                        return MonitorItem::Pending;
                    }
                    Some(left)
                }
            };
            // An interrupted wait simply looks again.
            let _ = wait_readable(self.descriptor(), left);
        }
    }

    /// A descriptor that is readable while there is something to take. Level-triggered.
    #[must_use]
    pub fn descriptor(&self) -> BorrowedFd<'_> {
        self.queue.signal.as_fd()
    }
}
