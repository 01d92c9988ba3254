//! Question and answer, for threads that wait.

use std::time::Duration;

use super::socket::socket;
use crate::Message;
use crate::error::{RecvError, RequestError};
use crate::request::{Request, ask_blocking, receive_blocking, try_receive};

socket! {
    /// Asks one of its peers, in turn, and receives the reply: [`zmq::Req`](crate::Req) for callers that block.
    Req
}

impl Req {
    /// Sends a request to the next peer that has room, and blocks until the reply is there. Requests of other threads wait
    /// for their turn.
    ///
    /// A lost request is not repeated: if the peer dies, no reply comes. Give it a time with
    /// [`request_timeout`](Req::request_timeout).
    ///
    /// # Errors
    /// The socket's context was shut down. If the request was not sent, it is in the error.
    pub fn request(&self, message: impl Into<Message>) -> Result<Message, RequestError> {
        ask_blocking(&self.handle, message.into(), None)
    }

    /// As [`request`](Req::request), but blocks no longer than `timeout` for everything together. The next request can be
    /// made at once; the late reply is not taken for its own.
    ///
    /// # Errors
    /// As [`request`](Req::request), and when the time has passed.
    pub fn request_timeout(
        &self,
        message: impl Into<Message>,
        timeout: Duration,
    ) -> Result<Message, RequestError> {
        ask_blocking(&self.handle, message.into(), Some(timeout))
    }
}

socket! {
    /// Receives requests from all of its peers, fairly, and replies to them: [`zmq::Rep`](crate::Rep) for callers that
    /// block.
    Rep
}

impl Rep {
    /// Receives the next request, taking turns among the peers. Blocks until there is one, and while another request is
    /// worked on: a thread that keeps a [`Request`] must not call this.
    ///
    /// # Errors
    /// The socket's context was shut down.
    pub fn recv(&self) -> Result<Request<'_>, RecvError> {
        receive_blocking(&self.handle, None)
    }

    /// As [`recv`](Rep::recv), but blocks no longer than `timeout`.
    ///
    /// # Errors
    /// As [`recv`](Rep::recv), and when the time has passed.
    pub fn recv_timeout(&self, timeout: Duration) -> Result<Request<'_>, RecvError> {
        receive_blocking(&self.handle, Some(timeout))
    }

    /// Receives a request if there is one now, and no other is being worked on. Never blocks.
    ///
    /// # Errors
    /// As [`recv`](Rep::recv), and when there is none.
    pub fn try_recv(&self) -> Result<Request<'_>, RecvError> {
        try_receive(&self.handle)
    }
}
