//! Question and answer: [`Req`] and [`Rep`] (RFC 28).

use std::convert::identity;
use std::fmt;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use async_io::Timer;
use zmq_engine::Deadline;

use crate::Message;
use crate::error::{RecvError, RequestError, SendError, SendFailure};
use crate::handle::Handle;
use crate::socket::socket;
use crate::turn::{Held, Turn};
use crate::verbs::{Receiving, Sending};

socket! {
    /// Asks one of its peers, in turn, and receives the reply (RFC 28, REQ). Its peers are [`Rep`] and
    /// [`Router`](crate::Router) sockets.
    ///
    /// One request is under way at a time: those of other tasks wait for their turn, first come, first served. Open
    /// several sockets, or use a [`Dealer`](crate::Dealer), to ask many at once.
    ///
    /// ```
    /// # zmq::block_on(async {
    /// let context = zmq::Context::new();
    /// let (req, rep) = (zmq::Req::new(&context), zmq::Rep::new(&context));
    /// let endpoint = rep.bind("tcp://127.0.0.1:0").await?;
    /// req.connect(&endpoint)?;
    ///
    /// let server = async {
    ///     let request = rep.recv().await?;
    ///     assert_eq!(*request.message(), zmq::Message::from("6 x 7"));
    ///     request.reply("42")?;
    ///     Ok::<(), Box<dyn std::error::Error>>(())
    /// };
    /// let (reply, served) = futures_lite::future::zip(req.request("6 x 7"), server).await;
    /// assert_eq!(reply?, zmq::Message::from("42"));
    /// # served
    /// # }).unwrap();
    /// ```
    Req
}

impl Req {
    /// Sends a request to the next peer that has room, and waits for the reply.
    ///
    /// A lost request is not repeated: if the peer dies, no reply comes. Give it a time with
    /// [`request_timeout`](Req::request_timeout).
    ///
    /// Cancel safe: a request that is dropped half way is given up, and the next one can be made at once. Requests are
    /// numbered, so that a late reply is not taken for another's: see [`correlate`](crate::Options::correlate).
    ///
    /// # Errors
    /// The socket's context was shut down. If the request was not sent, it is in the error.
    pub async fn request(&self, message: impl Into<Message>) -> Result<Message, RequestError> {
        ask(&self.handle, message.into(), None).await
    }

    /// As [`request`](Req::request), but waits no longer than `timeout` for everything together.
    ///
    /// # Errors
    /// As [`request`](Req::request), and when the time has passed.
    pub async fn request_timeout(
        &self,
        message: impl Into<Message>,
        timeout: Duration,
    ) -> Result<Message, RequestError> {
        ask(&self.handle, message.into(), Some(timeout)).await
    }
}

async fn ask(
    handle: &Handle,
    message: Message,
    timeout: Option<Duration>,
) -> Result<Message, RequestError> {
    let deadline = Deadline::after(timeout);
    let Some(_held) = take_within(&handle.turn, deadline.left()).await else {
        let error = SendError::new(message, SendFailure::TimedOut);
        return Err(RequestError::NotSent(error));
    };
    Sending::long(handle, message, deadline.left())
        .await
        .map_err(RequestError::NotSent)?;
    Receiving::long(handle, deadline.left(), identity)
        .await
        .map_err(RequestError::NoReply)
}

/// As [`ask`], on the caller's thread.
pub(crate) fn ask_blocking(
    handle: &Handle,
    message: Message,
    timeout: Option<Duration>,
) -> Result<Message, RequestError> {
    let deadline = Deadline::after(timeout);
    let Some(_held) = handle.turn.take_blocking(&deadline) else {
        let error = SendError::new(message, SendFailure::TimedOut);
        return Err(RequestError::NotSent(error));
    };
    handle
        .send_blocking(message, deadline.left())
        .map_err(RequestError::NotSent)?;
    handle
        .recv_blocking(deadline.left())
        .map_err(RequestError::NoReply)
}

/// Waits for the turn; `None` when the time has passed.
async fn take_within(turn: &Turn, timeout: Option<Duration>) -> Option<Held<'_>> {
    let mut taking = pin!(turn.take());
    let mut alarm = timeout.map(Timer::after);
    poll_fn(|cx| {
        if let Poll::Ready(held) = taking.as_mut().poll(cx) {
            return Poll::Ready(Some(held));
        }
        match &mut alarm {
            Some(alarm) => Pin::new(alarm).poll(cx).map(|_| None),
            None => Poll::Pending,
        }
    })
    .await
}

socket! {
    /// Receives requests from all of its peers, fairly, and replies to them (RFC 28, REP). Its peers are [`Req`] and
    /// [`Dealer`](crate::Dealer) sockets.
    ///
    /// One request is worked on at a time: while a [`Request`] is there, `recv` of other tasks waits. Use a
    /// [`Router`](crate::Router) to work on many at once.
    ///
    /// A [`Request`] that is dropped is not answered: nothing is sent for it, its client goes on waiting as if the reply
    /// was lost, and the next request can be received at once.
    Rep
}

impl Rep {
    /// Receives the next request, taking turns among the peers. Waits until there is one.
    ///
    /// Cancel safe: a request is taken only in the poll that returns it.
    ///
    /// # Errors
    /// The socket's context was shut down.
    pub async fn recv(&self) -> Result<Request<'_>, RecvError> {
        let held = self.handle.turn.take().await;
        let message = Receiving::long(&self.handle, None, identity).await?;
        Ok(Request::new(&self.handle, held, message))
    }

    /// As [`recv`](Rep::recv), but waits no longer than `timeout`.
    ///
    /// # Errors
    /// As [`recv`](Rep::recv), and when the time has passed.
    pub async fn recv_timeout(&self, timeout: Duration) -> Result<Request<'_>, RecvError> {
        let deadline = Deadline::after(Some(timeout));
        let held = take_within(&self.handle.turn, Some(timeout))
            .await
            .ok_or(RecvError::TimedOut)?;
        let message = Receiving::long(&self.handle, deadline.left(), identity).await?;
        Ok(Request::new(&self.handle, held, message))
    }

    /// Receives a request if there is one now, and no other is being worked on. Never waits.
    ///
    /// # Errors
    /// As [`recv`](Rep::recv), and when there is none.
    pub fn try_recv(&self) -> Result<Request<'_>, RecvError> {
        try_receive(&self.handle)
    }
}

pub(crate) fn try_receive(handle: &Handle) -> Result<Request<'_>, RecvError> {
    let held = handle.turn.try_take().ok_or(RecvError::WouldBlock)?;
    let message = handle.try_recv()?;
    Ok(Request::new(handle, held, message))
}

pub(crate) fn receive_blocking(
    handle: &Handle,
    timeout: Option<Duration>,
) -> Result<Request<'_>, RecvError> {
    let deadline = Deadline::after(timeout);
    let held = handle
        .turn
        .take_blocking(&deadline)
        .ok_or(RecvError::TimedOut)?;
    let message = handle.recv_blocking(deadline.left())?;
    Ok(Request::new(handle, held, message))
}

/// A request that a [`Rep`] has received and not yet answered. Dropping it leaves it unanswered.
#[derive(Debug)]
#[must_use = "a request that is dropped is not answered"]
pub struct Request<'a> {
    message: Message,
    responder: Responder<'a>,
}

impl<'a> Request<'a> {
    fn new(handle: &'a Handle, held: Held<'a>, message: Message) -> Request<'a> {
        Request {
            message,
            responder: Responder {
                handle,
                _held: held,
                answered: false,
            },
        }
    }

    /// What was asked.
    #[must_use]
    pub fn message(&self) -> &Message {
        &self.message
    }

    /// Answers. Never waits: a client that has left, or has no room for the reply, does not get it, which is counted.
    ///
    /// # Errors
    /// The socket's context was shut down. The reply is in the error.
    pub fn reply(self, message: impl Into<Message>) -> Result<(), SendError> {
        self.responder.reply(message)
    }

    /// What was asked by value, and the means to answer.
    pub fn into_parts(self) -> (Message, Responder<'a>) {
        (self.message, self.responder)
    }
}

/// The means to answer a [`Request`] whose message was taken out of it. Dropping it leaves the request unanswered.
#[must_use = "a request whose responder is dropped is not answered"]
pub struct Responder<'a> {
    handle: &'a Handle,
    _held: Held<'a>,
    answered: bool,
}

impl Responder<'_> {
    /// Answers, as [`Request::reply`].
    ///
    /// # Errors
    /// The socket's context was shut down. The reply is in the error.
    pub fn reply(mut self, message: impl Into<Message>) -> Result<(), SendError> {
        self.handle.try_send(message.into())?;
        self.answered = true;
        Ok(())
    }
}

impl Drop for Responder<'_> {
    fn drop(&mut self) {
        // Before the turn is passed on, which happens when the fields are dropped.
        if !self.answered
            && let Ok(socket) = self.handle.socket()
        {
            socket.abandon_reply();
        }
    }
}

impl fmt::Debug for Responder<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Responder")
            .field("socket", self.handle)
            .finish_non_exhaustive()
    }
}
