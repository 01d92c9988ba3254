//! What can go wrong, a type for each operation. What goes wrong between peers is an event of the
//! [monitor](crate::monitor) instead: a lost connection is no error of `send` or `recv`.

mod endpoint;

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use zmq_engine as engine;

pub use endpoint::{BindError, ConnectError, DisconnectError, EndpointFault, UnbindError};

use crate::{CloseReason, Message, SocketType};

/// A socket that could not be opened: the context was shut down or is full, or the system gave no descriptor.
///
/// `new` and `open` never fail: they keep this error, and every later call on the socket reports it. `try_open` of the
/// [options](crate::Options) reports it at once.
#[derive(Clone, Debug)]
pub struct OpenError(Arc<engine::OpenError>);

impl OpenError {
    /// Whether the context was shut down before.
    #[must_use]
    pub fn is_context_shut_down(&self) -> bool {
        matches!(*self.0, engine::OpenError::Terminated)
    }

    pub(crate) fn system(error: std::io::Error) -> OpenError {
        OpenError(Arc::new(engine::OpenError::Io(error)))
    }
}

impl From<engine::OpenError> for OpenError {
    fn from(error: engine::OpenError) -> OpenError {
        OpenError(Arc::new(error))
    }
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the socket could not be opened: {}", self.0)
    }
}

impl Error for OpenError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &*self.0 {
            engine::OpenError::Io(error) => Some(error),
            engine::OpenError::Option(error) => Some(error),
            _ => None,
        }
    }
}

/// A message that was not accepted, given back together with the reason.
pub struct SendError {
    message: Message,
    reason: SendFailure,
}

impl SendError {
    pub(crate) fn new(message: Message, reason: SendFailure) -> SendError {
        SendError { message, reason }
    }

    /// Why the message was not accepted.
    #[must_use]
    pub fn reason(&self) -> &SendFailure {
        &self.reason
    }

    /// The message, as it was handed in.
    #[must_use]
    pub fn message(&self) -> &Message {
        &self.message
    }

    /// The message by value, to send it again or elsewhere.
    #[must_use]
    pub fn into_message(self) -> Message {
        self.message
    }

    /// Whether the same call may succeed later without anything being mended: there was no room.
    #[must_use]
    pub fn is_would_block(&self) -> bool {
        matches!(self.reason, SendFailure::WouldBlock)
    }

    pub(crate) fn change_message(mut self, change: impl FnOnce(Message) -> Message) -> SendError {
        self.message = change(self.message);
        self
    }
}

impl From<engine::SendError> for SendError {
    fn from(error: engine::SendError) -> SendError {
        SendError::new(error.message, SendFailure::from(error.reason))
    }
}

impl From<engine::SendFailure> for SendFailure {
    fn from(reason: engine::SendFailure) -> SendFailure {
        match reason {
            engine::SendFailure::WouldBlock => SendFailure::WouldBlock,
            engine::SendFailure::TimedOut => SendFailure::TimedOut,
            engine::SendFailure::Unroutable => SendFailure::Unroutable,
            engine::SendFailure::WrongState(kind) => SendFailure::OutOfTurn(kind),
            engine::SendFailure::Invalid(what) => SendFailure::Invalid(what),
            engine::SendFailure::Closed => SendFailure::Closed,
            engine::SendFailure::Terminated => SendFailure::ContextShutDown,
            engine::SendFailure::Interrupted => SendFailure::Interrupted,
            _ => SendFailure::Invalid("a socket of this type does not send"),
        }
    }
}

impl fmt::Debug for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SendError")
            .field("reason", &self.reason)
            .field("frames", &self.message.len())
            .field("octets", &self.message.byte_len())
            .finish()
    }
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "a message of {} octets was not sent: {}",
            self.message.byte_len(),
            self.reason
        )
    }
}

impl Error for SendError {}

/// Why a message was not accepted for sending.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum SendFailure {
    /// No peer that could take the message has room for it, or there is no peer at all.
    WouldBlock,
    /// The time given for the call has passed and still no peer had room.
    TimedOut,
    /// No connected peer has the routing id that the message is for.
    Unroutable,
    /// The pattern expects the other verb now.
    OutOfTurn(SocketType),
    /// The pattern has no such message; the text says what was met.
    Invalid(&'static str),
    /// The socket was closed.
    Closed,
    /// The context was shut down.
    ContextShutDown,
    /// A signal came while the call was about to wait. The blocking calls wait on by themselves and never say so.
    Interrupted,
    /// The socket could not be opened in the first place.
    NotOpen(OpenError),
}

impl fmt::Display for SendFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SendFailure::WouldBlock => f.write_str("no peer has room for it now"),
            SendFailure::TimedOut => f.write_str("no peer had room for it within the time given"),
            SendFailure::Unroutable => {
                f.write_str("no connected peer has the routing id it is for")
            }
            SendFailure::OutOfTurn(kind) => write!(
                f,
                "a {} socket has to receive before it sends again",
                kind.name()
            ),
            SendFailure::Invalid(what) => f.write_str(what),
            SendFailure::Closed => f.write_str("the socket is closed"),
            SendFailure::ContextShutDown => f.write_str("the context was shut down"),
            SendFailure::Interrupted => f.write_str("a signal interrupted the call"),
            SendFailure::NotOpen(error) => write!(f, "{error}"),
        }
    }
}

impl Error for SendFailure {}

/// Why no message was received.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum RecvError {
    /// No message is there now.
    WouldBlock,
    /// No message came within the time given.
    TimedOut,
    /// The pattern expects the other verb now.
    OutOfTurn(SocketType),
    /// The socket was closed.
    Closed,
    /// The context was shut down.
    ContextShutDown,
    /// A signal came while the call was about to wait. The blocking calls wait on by themselves and never say so.
    Interrupted,
    /// The socket could not be opened in the first place.
    NotOpen(OpenError),
}

impl RecvError {
    /// Whether the same call may succeed later without anything being mended: no message was there.
    #[must_use]
    pub fn is_would_block(&self) -> bool {
        matches!(self, RecvError::WouldBlock)
    }

    /// Whether no call on this socket will ever receive anything again.
    pub(crate) fn is_end(&self) -> bool {
        matches!(self, RecvError::Closed | RecvError::ContextShutDown)
    }
}

impl From<engine::RecvError> for RecvError {
    fn from(error: engine::RecvError) -> RecvError {
        match error {
            engine::RecvError::WouldBlock => RecvError::WouldBlock,
            engine::RecvError::TimedOut => RecvError::TimedOut,
            engine::RecvError::WrongState(kind) | engine::RecvError::WrongDirection(kind) => {
                RecvError::OutOfTurn(kind)
            }
            engine::RecvError::Terminated => RecvError::ContextShutDown,
            engine::RecvError::Interrupted => RecvError::Interrupted,
            _ => RecvError::Closed,
        }
    }
}

impl fmt::Display for RecvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RecvError::WouldBlock => f.write_str("no message is waiting"),
            RecvError::TimedOut => f.write_str("no message came within the time given"),
            RecvError::OutOfTurn(kind) => write!(
                f,
                "a {} socket has to send before it receives again",
                kind.name()
            ),
            RecvError::Closed => f.write_str("the socket is closed"),
            RecvError::ContextShutDown => f.write_str("the context was shut down"),
            RecvError::Interrupted => f.write_str("a signal interrupted the call"),
            RecvError::NotOpen(error) => write!(f, "{error}"),
        }
    }
}

impl Error for RecvError {}

/// Why a request got no reply.
#[derive(Debug)]
#[non_exhaustive]
pub enum RequestError {
    /// The request was not accepted; it is inside the error.
    NotSent(SendError),
    /// The request was accepted, but no reply to it was received. Whether a replier has worked on it is not known.
    NoReply(RecvError),
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RequestError::NotSent(error) => write!(f, "the request was not sent: {error}"),
            RequestError::NoReply(error) => write!(f, "the request got no reply: {error}"),
        }
    }
}

impl Error for RequestError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(match self {
            RequestError::NotSent(error) => error,
            RequestError::NoReply(error) => error,
        })
    }
}

/// Why a subscription, or its end, was not accepted.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum SubscribeError {
    /// The topic cannot be subscribed to; the text says what was expected.
    BadTopic(&'static str),
    /// The socket was closed or its context shut down.
    Closed,
    /// The socket could not be opened in the first place.
    NotOpen(OpenError),
}

impl From<engine::OptionError> for SubscribeError {
    fn from(error: engine::OptionError) -> SubscribeError {
        match error {
            engine::OptionError::OutOfRange(expected) => SubscribeError::BadTopic(expected),
            engine::OptionError::NotForType(_) => {
                SubscribeError::BadTopic("a socket opened with manual subscriptions")
            }
            _ => SubscribeError::Closed,
        }
    }
}

impl fmt::Display for SubscribeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SubscribeError::BadTopic(expected) => {
                write!(f, "topic not accepted: expected {expected}")
            }
            SubscribeError::Closed => f.write_str("the socket is closed"),
            SubscribeError::NotOpen(error) => write!(f, "{error}"),
        }
    }
}

impl Error for SubscribeError {}

/// Why the awaited number of peers or subscribers was not reached.
#[derive(Clone, Debug)]
pub struct ReadyError {
    pub(crate) awaited: &'static str,
    pub(crate) expected: usize,
    pub(crate) found: usize,
    pub(crate) last_failure: Option<(String, CloseReason)>,
    pub(crate) kind: ReadyFailure,
}

/// Why a wait for peers or subscribers ended early.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ReadyFailure {
    /// The time given has passed.
    TimedOut,
    /// Nobody will come any more: what the socket was connected to refused it for good, and it is bound nowhere.
    GaveUp,
    /// The socket was closed or its context shut down.
    Closed,
    /// The socket could not be opened, or there is no descriptor left to wait with.
    NotOpen(OpenError),
}

impl ReadyError {
    /// Why the wait ended.
    #[must_use]
    pub fn reason(&self) -> &ReadyFailure {
        &self.kind
    }

    /// How many were there in the end.
    #[must_use]
    pub fn found(&self) -> usize {
        self.found
    }

    /// The endpoint and the fate of the last connection that failed before messages could flow, if one did.
    #[must_use]
    pub fn last_failure(&self) -> Option<(&str, &CloseReason)> {
        self.last_failure
            .as_ref()
            .map(|(endpoint, reason)| (endpoint.as_str(), reason))
    }
}

impl fmt::Display for ReadyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            ReadyFailure::TimedOut => write!(
                f,
                "{}: expected {}, found {} within the time given",
                self.awaited, self.expected, self.found
            )?,
            ReadyFailure::GaveUp => write!(
                f,
                "{}: expected {}, found {}, and nobody is dialed any more",
                self.awaited, self.expected, self.found
            )?,
            ReadyFailure::Closed => write!(
                f,
                "{}: expected {}, but the socket was closed",
                self.awaited, self.expected
            )?,
            ReadyFailure::NotOpen(error) => write!(f, "{error}")?,
        }
        match &self.last_failure {
            Some((endpoint, reason)) => {
                write!(f, "; the last connection at {endpoint} failed: {reason}")
            }
            None => Ok(()),
        }
    }
}

impl Error for ReadyError {}

/// Why a socket cannot be monitored.
#[derive(Clone, Debug)]
pub struct MonitorError(pub(crate) OpenError);

impl fmt::Display for MonitorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no monitor: {}", self.0)
    }
}

impl Error for MonitorError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}
