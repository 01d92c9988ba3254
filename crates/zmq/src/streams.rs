//! Sockets as a [`Stream`] of messages and as a [`Sink`] for them.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use futures_sink::Sink;

use crate::Message;
use crate::error::{RecvError, SendError};
use crate::handle::Handle;
use crate::wait::Wait;

/// The messages a socket receives, as a [`Stream`]. It ends when the socket's context is shut down.
///
/// Messages are taken one by one, in the poll that returns them: dropping the stream loses nothing.
pub struct Incoming<'a, T> {
    handle: &'a Handle,
    wait: Wait<'a>,
    convert: fn(Message) -> T,
    ended: bool,
}

impl<'a, T> Incoming<'a, T> {
    pub(crate) fn new(handle: &'a Handle, convert: fn(Message) -> T) -> Incoming<'a, T> {
        Incoming {
            handle,
            wait: Wait::new(handle, None),
            convert,
            ended: false,
        }
    }
}

impl<T> Stream for Incoming<'_, T> {
    type Item = Result<T, RecvError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.ended {
            return Poll::Ready(None);
        }
        let this = &mut *self;
        if this.wait.is_resting() {
            let mut message = Message::empty();
            if this.handle.take_in_turn(&mut message) {
                return Poll::Ready(Some(Ok((this.convert)(message))));
            }
        }
        let received = ready!(this.handle.poll_recv(&mut this.wait, cx));
        Poll::Ready(match received {
            Ok(message) => Some(Ok((this.convert)(message))),
            Err(error) => {
                // An error of a socket does not go away by asking again.
                this.ended = true;
                (!error.is_end()).then_some(Err(error))
            }
        })
    }
}

impl<T> fmt::Debug for Incoming<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Incoming")
            .field("socket", self.handle)
            .finish_non_exhaustive()
    }
}

/// A socket as a [`Sink`] for messages.
///
/// It holds at most one message that the socket has not accepted yet; flushing waits until the socket has accepted it
/// (which is not until it was sent: [`close`](crate::Push::close) the socket to know). A sink that is dropped before that
/// loses this one message. Closing the sink flushes it and leaves the socket open.
pub struct Outgoing<'a, T> {
    handle: &'a Handle,
    wait: Wait<'a>,
    slot: Option<Message>,
    convert: fn(T) -> Message,
}

impl<'a, T> Outgoing<'a, T> {
    pub(crate) fn new(handle: &'a Handle, convert: fn(T) -> Message) -> Outgoing<'a, T> {
        Outgoing {
            handle,
            wait: Wait::new(handle, None),
            slot: None,
            convert,
        }
    }

    fn poll_empty(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), SendError>> {
        let Some(message) = &mut self.slot else {
            return Poll::Ready(Ok(()));
        };
        if self.wait.is_resting() && self.handle.offer_in_turn(message) {
            self.slot = None;
            return Poll::Ready(Ok(()));
        }
        self.handle.poll_send(&mut self.wait, &mut self.slot, cx)
    }
}

impl<T> Sink<T> for Outgoing<'_, T> {
    type Error = SendError;

    fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), SendError>> {
        self.poll_empty(cx)
    }

    fn start_send(mut self: Pin<&mut Self>, item: T) -> Result<(), SendError> {
        let message = (self.convert)(item);
        if self.slot.is_none() {
            self.slot = Some(message);
            return Ok(());
        }
        // The caller did not wait until the sink was ready.
        self.handle.try_send(message)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), SendError>> {
        self.poll_empty(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), SendError>> {
        self.poll_empty(cx)
    }
}

impl<T> fmt::Debug for Outgoing<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outgoing")
            .field("socket", self.handle)
            .field("holds_a_message", &self.slot.is_some())
            .finish_non_exhaustive()
    }
}
