//! Sockets of any type behind one set of verbs: the command line names the type only when the program runs.

mod forwarding;
mod problem;
mod request;
mod typed;

use std::time::Duration;

use zmq::{BindError, ConnectError, Context, Message, SendFailure};

use crate::arguments::SocketFlags;
use crate::endpoint::Endpoint;
use crate::events::Events;
use crate::failure::{Failure, note};
pub(crate) use forwarding::Forwarding;
pub(crate) use problem::{closed, not_answered, not_received, not_sent};
use problem::{not_bound, not_connected, not_ready};
pub(crate) use request::{Client, Service};
pub(crate) use typed::Kind;
use typed::{Socket, each};

/// Binds and connects a typed socket as the command line says; gives the teller of its events.
macro_rules! attached {
    ($socket:expr, $flags:expr) => {{
        let events = $crate::events::Events::wanted($flags.verbose, || $socket.monitor())?;
        for endpoint in &$flags.endpoints {
            $crate::socket::attach(endpoint, |at| $socket.bind(at), |at| $socket.connect(at))?;
        }
        events
    }};
}
use attached;

/// A socket with its endpoints, and what the command line says about waiting.
pub(crate) struct Opened {
    socket: Socket,
    context: Context,
    timeout: Option<Duration>,
    events: Option<Events>,
}

impl Opened {
    /// Opens a socket, binds and connects it.
    pub(crate) fn new(kind: Kind, flags: &SocketFlags) -> Result<Opened, Failure> {
        Opened::attached(kind, flags, None, &[])
    }

    /// As [`Opened::new`], with a name for ROUTER peers.
    pub(crate) fn named(
        kind: Kind,
        flags: &SocketFlags,
        name: Option<&str>,
    ) -> Result<Opened, Failure> {
        Opened::attached(kind, flags, name, &[])
    }

    /// As [`Opened::new`], with subscriptions.
    pub(crate) fn subscribed(
        kind: Kind,
        flags: &SocketFlags,
        topics: &[&str],
    ) -> Result<Opened, Failure> {
        Opened::attached(kind, flags, None, topics)
    }

    fn attached(
        kind: Kind,
        flags: &SocketFlags,
        name: Option<&str>,
        topics: &[&str],
    ) -> Result<Opened, Failure> {
        let context = Context::new();
        let socket = typed::open(kind, &context, flags, name)?;
        for topic in topics {
            socket.subscribe(topic)?;
        }
        let events = each!(&socket, inner => attached!(inner, flags));
        Ok(Opened {
            socket,
            context,
            timeout: flags.timeout,
            events,
        })
    }

    /// Waits until somebody is there.
    pub(crate) fn wait_for_peer(&self) -> Result<(), Failure> {
        let ready = each!(&self.socket, inner => match self.timeout {
            Some(timeout) => inner.ready_timeout(1, timeout),
            None => inner.ready(1),
        });
        ready.map_err(|error| not_ready(&error))
    }

    /// Waits until so many have subscribed.
    pub(crate) fn wait_for_subscribers(&self, count: usize) -> Result<(), Failure> {
        let ready = self.socket.wait_for_subscribers(count, self.timeout);
        ready.map_err(|error| not_ready(&error))
    }

    /// Sends, and waits for room as long as the command line allows.
    pub(crate) fn send(&self, message: Message) -> Result<(), Failure> {
        let sent = self.socket.send(message, self.timeout);
        sent.map_err(|error| not_sent(&error))
    }

    /// Sends if there is room within `wait`, else gives the message back.
    pub(crate) fn offer(
        &self,
        message: Message,
        wait: Duration,
    ) -> Result<Option<Message>, Failure> {
        match self.socket.send(message, Some(wait)) {
            Ok(()) => Ok(None),
            Err(error) if matches!(error.reason(), SendFailure::TimedOut) => {
                Ok(Some(error.into_message()))
            }
            Err(error) => Err(not_sent(&error)),
        }
    }

    /// The next message, if one is there.
    pub(crate) fn try_recv(&self) -> Result<Option<Message>, Failure> {
        match self.socket.try_recv() {
            Ok(message) => Ok(Some(message)),
            Err(error) if error.is_would_block() => Ok(None),
            Err(error) => Err(not_received(&error)),
        }
    }

    /// The next message; waits as long as the command line allows.
    pub(crate) fn recv(&self) -> Result<Message, Failure> {
        let received = self.socket.recv(self.timeout);
        received.map_err(|error| not_received(&error))
    }

    /// How long the command line allows to wait.
    pub(crate) fn timeout(&self) -> Option<Duration> {
        self.timeout
    }

    /// Makes every call on this socket end.
    pub(crate) fn interrupt(&self) {
        self.context.shutdown();
    }

    /// Waits until everything has left, as long as the command line allows.
    pub(crate) fn close(self) -> Result<(), Failure> {
        let report = each!(self.socket, inner => inner.close());
        if let Some(events) = self.events {
            events.end();
        }
        closed(&report)
    }
}

/// Binds or connects; says where it is bound when the system chose.
pub(crate) fn attach(
    endpoint: &Endpoint,
    bind: impl FnOnce(&str) -> Result<zmq::Endpoint, BindError>,
    connect: impl FnOnce(&str) -> Result<(), ConnectError>,
) -> Result<(), Failure> {
    match endpoint {
        Endpoint::Connect(address) => connect(address).map_err(|error| not_connected(&error)),
        Endpoint::Bind(address) => {
            let bound = bind(address).map_err(|error| not_bound(&error))?;
            if bound != address.as_str() {
                note(format_args!("bound to {bound}"));
            }
            Ok(())
        }
    }
}
