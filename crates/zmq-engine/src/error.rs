//! What can go wrong between a caller and a socket. What goes wrong between peers is a monitor event instead.

use core::fmt;

use zmq_transport::EndpointError as AddressError;
use zmtp_wire::{Message, SocketType};

/// A message that was not accepted, given back together with the reason.
pub struct SendError {
    /// The message as it was handed in.
    pub message: Message,
    /// Why it was not accepted.
    pub reason: SendFailure,
}

impl SendError {
    /// Whether the same call may succeed later without anything being mended: the queue was full or nobody was there.
    #[must_use]
    pub fn is_would_block(&self) -> bool {
        self.reason.is_would_block()
    }
}

impl fmt::Debug for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SendError")
            .field("reason", &self.reason)
            .field("frames", &self.message.frames().len())
            .finish()
    }
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "message not sent: {}", self.reason)
    }
}

impl core::error::Error for SendError {}

/// Why a message was not accepted for sending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SendFailure {
    /// No peer that could take the message has room for it, or there is no peer at all.
    WouldBlock,
    /// The time given for the call has passed and still no peer had room.
    TimedOut,
    /// The first frame names no peer that this socket knows.
    Unroutable,
    /// The pattern expects the other verb now (REQ sends and receives in turn, REP answers what it received).
    WrongState(SocketType),
    /// Sockets of this type never send.
    WrongDirection(SocketType),
    /// The message breaks a rule of the pattern: what was met is not a message this socket can send.
    Invalid(&'static str),
    /// The socket was closed.
    Closed,
    /// The context was shut down.
    Terminated,
    /// A signal interrupted the blocking call.
    Interrupted,
}

impl SendFailure {
    /// Whether the same call may succeed later without anything being mended.
    #[must_use]
    pub fn is_would_block(self) -> bool {
        matches!(self, SendFailure::WouldBlock)
    }
}

impl fmt::Display for SendFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SendFailure::WouldBlock => f.write_str("no peer has room for it now"),
            SendFailure::TimedOut => f.write_str("no peer had room for it within the time given"),
            SendFailure::Unroutable => f.write_str("its first frame names no connected peer"),
            SendFailure::WrongState(kind) => {
                write!(
                    f,
                    "a {} socket cannot send now: it has to receive first",
                    kind.name()
                )
            }
            SendFailure::WrongDirection(kind) => write!(f, "a {} socket never sends", kind.name()),
            SendFailure::Invalid(what) => f.write_str(what),
            SendFailure::Closed => f.write_str("the socket is closed"),
            SendFailure::Terminated => f.write_str("the context was shut down"),
            SendFailure::Interrupted => f.write_str("a signal interrupted the call"),
        }
    }
}

/// Why no message was received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RecvError {
    /// No message is there now.
    WouldBlock,
    /// No message came within the time given.
    TimedOut,
    /// The pattern expects the other verb now.
    WrongState(SocketType),
    /// Sockets of this type never receive.
    WrongDirection(SocketType),
    /// The socket was closed.
    Closed,
    /// The context was shut down.
    Terminated,
    /// A signal interrupted the blocking call.
    Interrupted,
}

impl RecvError {
    /// Whether the same call may succeed later without anything being mended.
    #[must_use]
    pub fn is_would_block(self) -> bool {
        matches!(self, RecvError::WouldBlock)
    }
}

impl fmt::Display for RecvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RecvError::WouldBlock => f.write_str("no message is waiting"),
            RecvError::TimedOut => f.write_str("no message came within the time given"),
            RecvError::WrongState(kind) => write!(
                f,
                "a {} socket cannot receive now: it has to send first",
                kind.name()
            ),
            RecvError::WrongDirection(kind) => write!(f, "a {} socket never receives", kind.name()),
            RecvError::Closed => f.write_str("the socket is closed"),
            RecvError::Terminated => f.write_str("the context was shut down"),
            RecvError::Interrupted => f.write_str("a signal interrupted the call"),
        }
    }
}

impl core::error::Error for RecvError {}

/// Why an endpoint could not be bound, connected, unbound or disconnected.
#[derive(Debug)]
pub struct EndpointError {
    /// The endpoint as the caller wrote it.
    pub endpoint: String,
    /// What is wrong with it.
    pub problem: EndpointProblem,
}

/// What is wrong with an endpoint.
#[derive(Debug)]
#[non_exhaustive]
pub enum EndpointProblem {
    /// It cannot be read, or its scheme is not known.
    Address(AddressError),
    /// The system refused it: in use, not available, not permitted, no such device.
    Io(std::io::Error),
    /// An inproc name that is bound already.
    InUse,
    /// The socket at the other end of an inproc name is of a type this one cannot talk to.
    Incompatible {
        /// The type of the socket that tried.
        ours: SocketType,
        /// The type of the socket it met.
        theirs: SocketType,
    },
    /// Nothing was bound or connected under this endpoint.
    Unknown,
    /// The socket was closed.
    Closed,
    /// The context was shut down.
    Terminated,
}

impl EndpointError {
    pub(crate) fn new(endpoint: &str, problem: EndpointProblem) -> EndpointError {
        EndpointError {
            endpoint: endpoint.to_owned(),
            problem,
        }
    }
}

impl fmt::Display for EndpointError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "endpoint \"{}\": ", self.endpoint.escape_debug())?;
        match &self.problem {
            EndpointProblem::Address(error) => write!(f, "{error}"),
            EndpointProblem::Io(error) => write!(f, "{error}"),
            EndpointProblem::InUse => {
                f.write_str("another socket of this context is bound to this name")
            }
            EndpointProblem::Incompatible { ours, theirs } => write!(
                f,
                "a {} socket cannot talk to the {} socket there",
                ours.name(),
                theirs.name()
            ),
            EndpointProblem::Unknown => {
                f.write_str("this socket is neither bound nor connected to it")
            }
            EndpointProblem::Closed => f.write_str("the socket is closed"),
            EndpointProblem::Terminated => f.write_str("the context was shut down"),
        }
    }
}

impl core::error::Error for EndpointError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match &self.problem {
            EndpointProblem::Address(error) => Some(error),
            EndpointProblem::Io(error) => Some(error),
            _ => None,
        }
    }
}

/// Why a socket could not be opened.
#[derive(Debug)]
#[non_exhaustive]
pub enum OpenError {
    /// The context was shut down, or belongs to the process this one was forked from.
    Terminated,
    /// The context holds as many sockets as it may.
    TooManySockets {
        /// The most it may hold.
        limit: usize,
    },
    /// An option makes no sense for this type of socket, or its value is out of range.
    Option(OptionError),
    /// The system gave no descriptor, no thread or no random octets.
    Io(std::io::Error),
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OpenError::Terminated => f.write_str("the context was shut down"),
            OpenError::TooManySockets { limit } => {
                write!(f, "the context already holds its {limit} sockets")
            }
            OpenError::Option(error) => write!(f, "{error}"),
            OpenError::Io(error) => write!(f, "the system refused: {error}"),
        }
    }
}

impl core::error::Error for OpenError {}

/// An option that a socket does not take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OptionError {
    /// The option makes no sense for this type of socket.
    NotForType(SocketType),
    /// The value is out of its range; the text says what is expected.
    OutOfRange(&'static str),
    /// The socket was closed or its context shut down.
    Closed,
}

impl fmt::Display for OptionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OptionError::NotForType(kind) => {
                write!(f, "a {} socket does not have this option", kind.name())
            }
            OptionError::OutOfRange(expected) => {
                write!(f, "value out of range: expected {expected}")
            }
            OptionError::Closed => f.write_str("the socket is closed"),
        }
    }
}

impl core::error::Error for OptionError {}
