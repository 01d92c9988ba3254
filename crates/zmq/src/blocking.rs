//! Every socket once more, with calls that block the thread: the same names, the same [options](crate::Options), the same
//! errors.
//!
//! Nothing here needs an executor or starts a thread; a call that waits sleeps in the operating system. Sockets are
//! `Sync`: a thread may send while another receives.
//!
//! ```
//! use zmq::blocking::{Pull, Push};
//!
//! let context = zmq::Context::new();
//! let (push, pull) = (Push::new(&context), Pull::new(&context));
//! let endpoint = pull.bind("tcp://127.0.0.1:0")?;
//! push.connect(&endpoint)?;
//! push.send("hello")?;
//! assert_eq!(pull.recv()?, zmq::Message::from("hello"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod monitor;
mod proxy;
mod pubsub;
mod request;
mod routing;
mod socket;

use std::fmt;

pub use self::{
    monitor::Monitor,
    proxy::{Proxy, proxy},
    pubsub::{Pub, Sub, XPub, XSub},
    request::{Rep, Req},
    routing::{Dealer, Router},
};

use self::socket::{receives, receives_many, sends, sends_many, socket};
use crate::Message;
use crate::error::RecvError;
use crate::handle::Handle;

socket! {
    /// Hands each message to one of its peers, in turn: [`zmq::Push`](crate::Push) for callers that block.
    Push
}
sends!(Push, "Hands a message to the next peer that has room.");
sends_many!(Push);

socket! {
    /// Receives from all of its peers, fairly: [`zmq::Pull`](crate::Pull) for callers that block.
    Pull
}
receives!(
    Pull,
    Message,
    std::convert::identity,
    "the next message, taking turns among the peers"
);
receives_many!(Pull);

socket! {
    /// Talks with exactly one peer: [`zmq::Pair`](crate::Pair) for callers that block.
    Pair
}
sends!(Pair, "Sends a message to the peer.");
receives!(
    Pair,
    Message,
    std::convert::identity,
    "the next message of the peer"
);
sends_many!(Pair);
receives_many!(Pair);

/// What a socket receives, as an iterator that blocks. It ends when the socket's context is shut down.
pub struct Incoming<'a, T> {
    handle: &'a Handle,
    convert: fn(Message) -> T,
    ended: bool,
}

impl<'a, T> Incoming<'a, T> {
    pub(crate) fn new(handle: &'a Handle, convert: fn(Message) -> T) -> Incoming<'a, T> {
        Incoming {
            handle,
            convert,
            ended: false,
        }
    }
}

impl<T> Iterator for Incoming<'_, T> {
    type Item = Result<T, RecvError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        match self.handle.recv_blocking(None) {
            Ok(message) => Some(Ok((self.convert)(message))),
            Err(error) => {
                // An error of a socket does not go away by asking again.
                self.ended = true;
                (!error.is_end()).then_some(Err(error))
            }
        }
    }
}

impl<T> fmt::Debug for Incoming<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Incoming")
            .field("socket", self.handle)
            .finish_non_exhaustive()
    }
}
