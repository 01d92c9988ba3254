//! What a side can do.

use std::fmt;
use std::time::Duration;

/// An option's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A number or a flag.
    Int(i64),
    /// Octets.
    Bytes(Vec<u8>),
}

impl From<i64> for Value {
    fn from(value: i64) -> Value {
        Value::Int(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Value {
        Value::Bytes(value.as_bytes().to_vec())
    }
}

/// Why a side could not do what it was asked to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The name libzmq gives the error (`EAGAIN`, `EHOSTUNREACH`, ...), or `GONE` when the peer's process has ended.
    pub code: String,
    /// For people.
    pub text: String,
}

impl Failure {
    /// A failure of the given code.
    pub fn new(code: &str, text: impl fmt::Display) -> Failure {
        Failure {
            code: code.to_owned(),
            text: text.to_string(),
        }
    }

    /// Whether the operation may succeed later: nothing to receive, no room, no peer yet.
    #[must_use]
    pub fn is_again(&self) -> bool {
        self.code == "EAGAIN"
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.text)
    }
}

impl std::error::Error for Failure {}

/// A set of named sockets of one implementation.
///
/// Options have libzmq's names without `ZMQ_` (`SNDHWM`, `ROUTING_ID`), events those of its monitor
/// (`HANDSHAKE_SUCCEEDED`, `DISCONNECTED`).
pub trait Side {
    /// Opens a socket of the type `kind` (`PUSH`, `ROUTER`). The name is the caller's choice.
    fn open(&mut self, socket: &str, kind: &str) -> Result<(), Failure>;
    /// Sets an option. Octets and numbers are not interchangeable.
    fn set(&mut self, socket: &str, option: &str, value: &Value) -> Result<(), Failure>;
    /// Binds, and returns the endpoint as really bound.
    fn bind(&mut self, socket: &str, endpoint: &str) -> Result<String, Failure>;
    /// Connects.
    fn connect(&mut self, socket: &str, endpoint: &str) -> Result<(), Failure>;
    /// Ends a bind.
    fn unbind(&mut self, socket: &str, endpoint: &str) -> Result<(), Failure>;
    /// Ends a connect.
    fn disconnect(&mut self, socket: &str, endpoint: &str) -> Result<(), Failure>;
    /// Subscribes to the messages starting with `topic`.
    fn subscribe(&mut self, socket: &str, topic: &[u8]) -> Result<(), Failure>;
    /// Takes one subscription back.
    fn unsubscribe(&mut self, socket: &str, topic: &[u8]) -> Result<(), Failure>;
    /// Sends one message; `EAGAIN` after `wait`.
    fn send(&mut self, socket: &str, frames: &[Vec<u8>], wait: Duration) -> Result<(), Failure>;
    /// Receives one message; `EAGAIN` after `wait`.
    fn recv(&mut self, socket: &str, wait: Duration) -> Result<Vec<Vec<u8>>, Failure>;
    /// Starts to record the socket's events.
    fn monitor(&mut self, socket: &str) -> Result<(), Failure>;
    /// Waits for the next event of this name, or of one of several (`A|B`), and passes over others; `EAGAIN` after `wait`. Returns event,
    /// value, endpoint.
    fn event(&mut self, socket: &str, name: &str, wait: Duration) -> Result<String, Failure>;
    /// A property of the connection that the last received message came over (`User-Id`); `EINVAL` if there is none of this name.
    fn property(&mut self, socket: &str, name: &str) -> Result<String, Failure>;
    /// Closes a socket and waits for its messages as long as its `LINGER` says.
    fn close(&mut self, socket: &str) -> Result<(), Failure>;
    /// Name and version of the implementation.
    fn version(&mut self) -> Result<String, Failure>;
}
