//! What happens to the connections of a socket, told to whoever asked to hear it.
//!
//! Events are kept in a bounded queue for each listener. One who does not read loses the newest and is told how many.

use std::collections::VecDeque;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use zmtp_wire::Error as WireError;

use crate::poller::{Signal, wait_readable};
use crate::security::HandshakeRole;

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
    /// This side's authenticator or ZAP handler said no.
    Denied {
        /// The ZAP status: 300, 400 or 500.
        status: u16,
        /// Its reason in words, which the peer is not told; may be empty.
        why: String,
    },
    /// Nobody could say whether to let the peer in. It is told nothing and may try again.
    Unasked(Unasked),
    /// A CURVE client's first command was not sealed for one of this server's keys: it knows another one.
    OtherServerKey,
    /// Both sides are clients of the mechanism, or both are servers.
    SameSide(HandshakeRole),
    /// The handshake of a mechanism with sides did not end in time.
    Stalled {
        /// This side's mechanism and part.
        role: HandshakeRole,
        /// How many commands the peer had sent.
        commands: u8,
    },
    /// The peer left during the handshake of a mechanism whose peers do not say why.
    LeftHandshake {
        /// This side's mechanism and part.
        role: HandshakeRole,
        /// Whether the peer had said anything after its greeting.
        answered: bool,
    },
}

/// Why nobody could be asked about a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unasked {
    /// There is no authenticator, and nobody is bound at `inproc://zeromq.zap.01`.
    NoHandler,
    /// What is bound there cannot answer.
    HandlerType(zmtp_wire::SocketType),
    /// The handler does not read its questions.
    HandlerBusy,
    /// The handler closed before it answered.
    HandlerLeft,
    /// The handler's answer is none.
    BadReply(zap::ReplyError),
    /// The mechanism asks about something that is unknown here.
    UnknownMechanism,
}

impl core::fmt::Display for Unasked {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("nobody could say whether to let the peer in: ")?;
        match self {
            Unasked::NoHandler => f.write_str(
                "the socket has no authenticator, and no ZAP handler is bound at inproc://zeromq.zap.01 in its context",
            ),
            Unasked::HandlerType(found) => write!(
                f,
                "a {} socket is bound at inproc://zeromq.zap.01, where a REP or ROUTER is expected",
                found.name()
            ),
            Unasked::HandlerBusy => f.write_str("the ZAP handler does not read its questions"),
            Unasked::HandlerLeft => f.write_str("the ZAP handler closed before it answered"),
            Unasked::BadReply(error) => write!(f, "the ZAP handler answered with {error}"),
            Unasked::UnknownMechanism => {
                f.write_str("the mechanism asks about something unknown here")
            }
        }
    }
}

/// What it most likely means that a peer left a handshake without a word.
fn left(role: HandshakeRole, answered: bool) -> &'static str {
    match (role, answered) {
        (HandshakeRole::CurveClient, false) => {
            "the peer left when it saw our CURVE HELLO: most likely its key is not the server key we were given, or it is no CURVE server"
        }
        (HandshakeRole::CurveClient, true) => {
            "the peer left after it had seen our CURVE key: most likely it does not accept that key, or may later"
        }
        (HandshakeRole::PlainClient, _) => {
            "the peer left when it saw our name and password: most likely it cannot check them now, or it is no PLAIN server"
        }
        (HandshakeRole::CurveServer, false) | (HandshakeRole::PlainServer, false) => {
            "the peer left before it said who it is: most likely it expects another mechanism"
        }
        _ => "the peer left during the handshake",
    }
}

/// What it most likely means that a handshake did not end in time.
fn stalled(role: HandshakeRole, commands: u8) -> &'static str {
    match (role, commands) {
        (HandshakeRole::CurveClient | HandshakeRole::PlainClient, 0) => {
            "the handshake took longer than it may: the peer did not answer our first command"
        }
        (HandshakeRole::CurveClient | HandshakeRole::PlainClient, _) => {
            "the handshake took longer than it may: the peer did not say whether it lets us in"
        }
        (HandshakeRole::CurveServer | HandshakeRole::PlainServer, 0) => {
            "the handshake took longer than it may: the peer said nothing after its greeting, so it may be a server as well"
        }
        (HandshakeRole::CurveServer, 1) => {
            "the handshake took longer than it may: the client did not go on when it had seen our answer"
        }
        (HandshakeRole::CurveServer | HandshakeRole::PlainServer, _) => {
            "the handshake took longer than it may: whoever was asked about the peer did not answer"
        }
        _ => "the handshake took longer than it may",
    }
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
            CloseReason::Denied { status, why } if why.is_empty() => {
                write!(f, "the peer was refused with status {status}")
            }
            CloseReason::Denied { status, why } => {
                write!(f, "the peer was refused with status {status}: {why}")
            }
            CloseReason::Unasked(unasked) => write!(f, "{unasked}"),
            CloseReason::OtherServerKey => f.write_str(
                "the client's first command was not sealed for this server's key: it was given another server key",
            ),
            CloseReason::SameSide(role) => f.write_str(match role {
                HandshakeRole::PlainClient | HandshakeRole::CurveClient => {
                    "the peer is a client of the mechanism as well: one of the two has to be the server"
                }
                _ => "the peer is a server of the mechanism as well: one of the two has to be the client",
            }),
            CloseReason::Stalled { role, commands } => f.write_str(stalled(*role, *commands)),
            CloseReason::LeftHandshake { role, answered } => f.write_str(left(*role, *answered)),
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
