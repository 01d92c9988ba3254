//! What all typed sockets have in common. The typed ones add names and take away what their pattern lacks.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{self, Poll};
use std::time::Duration;

use zmq_engine::{self as engine, Deadline};

use crate::endpoint::{Endpoint, may_wait};
use crate::error::{
    BindError, ConnectError, DisconnectError, OpenError, RecvError, SendError, SendFailure,
    SubscribeError, UnbindError,
};
use crate::turn::Turn;
use crate::wait::{Look, Readiness, Wait, Waited, on_waiting_thread, register};
use crate::{CloseReport, Context, Counters, Frame, Message, PeerSnapshot, RoutingId, SocketType};

/// A socket that was opened.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) socket: Arc<engine::Socket>,
    pub(crate) readiness: Readiness,
}

/// A socket, or the reason why there is none.
pub struct Handle {
    kind: SocketType,
    linger: Option<Duration>,
    opened: Result<Opened, OpenError>,
    /// Whose turn it is, for patterns that do one thing at a time.
    pub(crate) turn: Turn,
    /// Held from giving a peer its name until it is connected.
    naming: Mutex<()>,
}

impl Handle {
    pub(crate) fn open(
        context: &Context,
        kind: SocketType,
        options: engine::SocketOptions,
    ) -> Handle {
        let linger = options.linger;
        let opened = context
            .engine()
            .and_then(|context| Ok(engine::Socket::open(context, kind, options)?))
            .map(|socket| Opened {
                socket: Arc::new(socket),
                readiness: Readiness::default(),
            });
        Handle {
            kind,
            linger,
            opened,
            turn: Turn::default(),
            naming: Mutex::new(()),
        }
    }

    /// A socket that cannot be opened, whatever its context.
    pub(crate) fn refused(kind: SocketType, fault: OpenError) -> Handle {
        Handle {
            kind,
            linger: None,
            opened: Err(fault),
            turn: Turn::default(),
            naming: Mutex::new(()),
        }
    }

    pub(crate) fn kind(&self) -> SocketType {
        self.kind
    }

    pub(crate) fn opened(&self) -> Result<&Opened, OpenError> {
        self.opened.as_ref().map_err(OpenError::clone)
    }

    pub(crate) fn socket(&self) -> Result<&engine::Socket, OpenError> {
        Ok(&self.opened()?.socket)
    }

    // ---- endpoints ----

    pub(crate) async fn bind(&self, endpoint: &str) -> Result<Endpoint, BindError> {
        let opened = self.opened()?;
        let bound = if may_wait(endpoint) {
            let socket = Arc::clone(&opened.socket);
            let endpoint = endpoint.to_owned();
            on_waiting_thread(move || socket.bind(&endpoint)).await?
        } else {
            opened.socket.bind(endpoint)?
        };
        Ok(Endpoint::new(bound))
    }

    pub(crate) fn bind_blocking(&self, endpoint: &str) -> Result<Endpoint, BindError> {
        Ok(Endpoint::new(self.socket()?.bind(endpoint)?))
    }

    pub(crate) fn connect(&self, endpoint: &str) -> Result<(), ConnectError> {
        Ok(self.socket()?.connect(endpoint)?)
    }

    /// Connects to a peer that is to be known by `id` (ROUTER).
    pub(crate) fn connect_as(&self, endpoint: &str, id: &RoutingId) -> Result<(), ConnectError> {
        let socket = self.socket()?;
        // The id is for the next connect, so nobody may come between.
        let _held = self.naming.lock().unwrap_or_else(PoisonError::into_inner);
        let id = Frame::from(id.clone()).into_bytes();
        socket.set(engine::SocketOption::ConnectRoutingId(id))?;
        Ok(socket.connect(endpoint)?)
    }

    pub(crate) fn unbind(&self, endpoint: &str) -> Result<(), UnbindError> {
        Ok(self.socket()?.unbind(endpoint)?)
    }

    pub(crate) fn disconnect(&self, endpoint: &str) -> Result<(), DisconnectError> {
        Ok(self.socket()?.disconnect(endpoint)?)
    }

    // ---- messages ----

    /// The short way of a message that waits, see the engine's `take_ready`.
    #[inline]
    pub(crate) fn take_ready(&self, slot: &mut Message) -> bool {
        matches!(&self.opened, Ok(opened) if opened.socket.take_ready(slot))
    }

    /// The short way of a message in a burst, see the engine's `offer_ready`.
    #[inline]
    pub(crate) fn offer_ready(&self, slot: &mut Message) -> bool {
        matches!(&self.opened, Ok(opened) if opened.socket.offer_ready(slot))
    }

    /// As [`take_ready`](Self::take_ready) for a task, unless it is time for others to run. A call of its own: what is around it is small enough
    /// then to become a part of the task.
    #[inline(never)]
    pub(crate) fn take_in_turn(&self, slot: &mut Message) -> bool {
        matches!(&self.opened, Ok(opened) if opened.readiness.has_turn() && opened.socket.take_ready(slot))
    }

    /// As [`offer_ready`](Self::offer_ready) for a task, unless it is time for others to run. As `take_in_turn` a call of its own.
    #[inline(never)]
    pub(crate) fn offer_in_turn(&self, slot: &mut Message) -> bool {
        matches!(&self.opened, Ok(opened) if opened.readiness.has_turn() && opened.socket.offer_ready(slot))
    }

    /// The short way of several messages that wait, see the engine's `take_many_ready`.
    pub(crate) fn take_many_ready(&self, into: &mut Vec<Message>, most: usize) -> usize {
        match &self.opened {
            Ok(opened) => opened.socket.take_many_ready(into, most),
            Err(_) => 0,
        }
    }

    /// The short way of several messages in a burst, see the engine's `offer_many_ready`.
    pub(crate) fn offer_many_ready(&self, slots: &mut [Message]) -> usize {
        match &self.opened {
            Ok(opened) => opened.socket.offer_many_ready(slots),
            Err(_) => 0,
        }
    }

    /// As [`take_many_ready`](Self::take_many_ready) for a task, unless it is time for others to run.
    pub(crate) fn take_many_in_turn(&self, into: &mut Vec<Message>, most: usize) -> usize {
        self.many_in_turn(|| self.take_many_ready(into, most))
    }

    /// As [`offer_many_ready`](Self::offer_many_ready) for a task, unless it is time for others to run.
    pub(crate) fn offer_many_in_turn(&self, slots: &mut [Message]) -> usize {
        self.many_in_turn(|| self.offer_many_ready(slots))
    }

    fn many_in_turn(&self, pass: impl FnOnce() -> usize) -> usize {
        let Ok(opened) = &self.opened else { return 0 };
        if !opened.readiness.has_turn() {
            return 0;
        }
        let passed = pass();
        opened.readiness.count_more(passed);
        passed
    }

    /// Counts messages of a call that a task has waited for: time for others comes as soon as after so many calls.
    pub(crate) fn count_more(&self, messages: usize) {
        if let Ok(opened) = &self.opened {
            opened.readiness.count_more(messages);
        }
    }

    pub(crate) fn try_send(&self, message: Message) -> Result<(), SendError> {
        match self.socket() {
            Ok(socket) => Ok(socket.try_send(message)?),
            Err(error) => Err(SendError::new(message, SendFailure::NotOpen(error))),
        }
    }

    pub(crate) fn try_recv(&self) -> Result<Message, RecvError> {
        match self.socket() {
            Ok(socket) => Ok(socket.try_recv()?),
            Err(error) => Err(RecvError::NotOpen(error)),
        }
    }

    fn attempt_recv(&self, look: Look) -> Result<Message, RecvError> {
        let socket = self.socket().map_err(RecvError::NotOpen)?;
        Ok(match look {
            Look::Queued => socket.try_recv_queued(),
            Look::Unread => socket.try_recv_unread(),
            Look::Streams => socket.try_recv(),
        }?)
    }

    /// Sends what is in the slot. The message leaves it only when it was accepted, or inside an error, or where a waker of the application
    /// panics, which is called with the message accepted.
    pub(crate) fn poll_send(
        &self,
        wait: &mut Wait<'_>,
        slot: &mut Option<Message>,
        cx: &mut task::Context<'_>,
    ) -> Poll<Result<(), SendError>> {
        let waited = task::ready!(wait.poll(cx, |_| {
            let socket = match self.socket() {
                Ok(socket) => socket,
                Err(error) => return Some(Err(SendFailure::NotOpen(error))),
            };
            let Some(mut message) = slot.take() else {
                return Some(Ok(()));
            };
            let failure = match socket.try_send_from(&mut message) {
                Ok(()) => return Some(Ok(())),
                Err(failure) => failure,
            };
            *slot = Some(message);
            match failure {
                engine::SendFailure::WouldBlock => None,
                failure => Some(Err(failure.into())),
            }
        }));
        let failure = match waited {
            Waited::Done(Ok(())) => return Poll::Ready(Ok(())),
            Waited::Done(Err(failure)) => failure,
            Waited::TimedOut => SendFailure::TimedOut,
            Waited::Failed(error) => SendFailure::NotOpen(error),
        };
        let message = slot.take().unwrap_or_else(Message::empty);
        Poll::Ready(Err(SendError::new(message, failure)))
    }

    pub(crate) fn poll_recv(
        &self,
        wait: &mut Wait<'_>,
        cx: &mut task::Context<'_>,
    ) -> Poll<Result<Message, RecvError>> {
        let waited = task::ready!(wait.poll(cx, |look| {
            match self.attempt_recv(look) {
                Err(RecvError::WouldBlock) => None,
                result => Some(result),
            }
        }));
        Poll::Ready(match waited {
            Waited::Done(result) => result,
            Waited::TimedOut => Err(RecvError::TimedOut),
            Waited::Failed(error) => Err(RecvError::NotOpen(error)),
        })
    }

    /// Blocks the thread; a signal does not end the wait.
    #[inline(never)]
    pub(crate) fn send_blocking(
        &self,
        message: Message,
        timeout: Option<Duration>,
    ) -> Result<(), SendError> {
        let socket = match self.socket() {
            Ok(socket) => socket,
            Err(error) => return Err(SendError::new(message, SendFailure::NotOpen(error))),
        };
        let deadline = Deadline::after(timeout);
        let mut message = message;
        loop {
            match socket.send(message, deadline.left()) {
                Err(error) if error.reason == engine::SendFailure::Interrupted => {
                    message = error.message;
                }
                result => return Ok(result?),
            }
        }
    }

    /// Blocks the thread; a signal does not end the wait.
    #[inline]
    pub(crate) fn recv_blocking(&self, timeout: Option<Duration>) -> Result<Message, RecvError> {
        let socket = self.socket().map_err(RecvError::NotOpen)?;
        let deadline = Deadline::after(timeout);
        let mut message = Message::single(Frame::empty());
        loop {
            match socket.recv_into(&mut message, deadline.left()) {
                Err(engine::RecvError::Interrupted) => {}
                result => {
                    result?;
                    return Ok(message);
                }
            }
        }
    }

    // ---- pub/sub ----

    pub(crate) fn subscribe(&self, topic: &[u8]) -> Result<(), SubscribeError> {
        let socket = self.socket().map_err(SubscribeError::NotOpen)?;
        Ok(socket.subscribe(topic)?)
    }

    pub(crate) fn unsubscribe(&self, topic: &[u8]) -> Result<(), SubscribeError> {
        let socket = self.socket().map_err(SubscribeError::NotOpen)?;
        Ok(socket.unsubscribe(topic)?)
    }

    // ---- the end ----

    pub(crate) async fn close(self) -> CloseReport {
        let Ok(opened) = self.opened else {
            return CloseReport::default();
        };
        opened.socket.begin_close(self.linger);
        let Ok(registered) = register(opened.socket.closed_descriptor()) else {
            // Without a descriptor to wait with, the work goes on by itself and nobody is told.
            return opened.socket.poll_closed().unwrap_or_default();
        };
        loop {
            if let Some(report) = opened.socket.poll_closed() {
                return report;
            }
            if registered.readable().await.is_err() {
                return CloseReport::default();
            }
        }
    }

    pub(crate) fn close_blocking(self) -> CloseReport {
        match &self.opened {
            Ok(opened) => opened.socket.close(self.linger),
            Err(_) => CloseReport::default(),
        }
    }

    // ---- what is known of it ----

    pub(crate) fn peers(&self) -> Vec<PeerSnapshot> {
        self.socket().map(engine::Socket::peers).unwrap_or_default()
    }

    pub(crate) fn counters(&self) -> Counters {
        self.socket()
            .map(engine::Socket::counters)
            .unwrap_or_default()
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct(self.kind.name())
            .field("open", &self.opened.is_ok())
            .finish_non_exhaustive()
    }
}
