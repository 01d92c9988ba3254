//! What a socket can be told before it opens.

use std::marker::PhantomData;
use std::time::Duration;

use bytes::Bytes;
use zmq_engine::SocketOptions;

use crate::context::Context;
use crate::error::OpenError;
use crate::handle::Handle;
use crate::kind::{
    Blocking, Conflates, Correlates, Named, Probes, Publishes, Receives, Routes, Sends, Socket,
    SubscriptionsVisible,
};
use crate::{
    Frame, Heartbeat, Limits, PatternOption, Reconnect, RoutingId, Security, SocketType,
    StreamOptions, Version,
};

/// Octets that may wait in each direction for each peer.
const QUEUE_OCTETS: usize = 64 << 20;
/// How long accepted messages may still leave after a socket was closed.
const LINGER: Duration = Duration::from_secs(1);
/// A peer is asked for a sign of life this often.
const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(10);
/// A peer that gives no sign of life for this long is given up.
const HEARTBEAT_TIMEOUT: Duration = Duration::from_secs(30);
/// The first wait before a lost peer is dialed again.
const RECONNECT_FIRST: Duration = Duration::from_millis(100);
/// The longest one.
const RECONNECT_LONGEST: Duration = Duration::from_secs(30);
/// How long dialing may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a stranger may take to say who they are.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

fn defaults(kind: SocketType) -> SocketOptions {
    let mut options = SocketOptions::default();
    options.queue_octets = Some(QUEUE_OCTETS);
    options.linger = Some(LINGER);
    options.heartbeat = Some(Heartbeat {
        interval: HEARTBEAT_INTERVAL,
        timeout: HEARTBEAT_TIMEOUT,
        ttl: Duration::ZERO,
    });
    options.reconnect = Reconnect {
        initial: Some(RECONNECT_FIRST),
        max: Some(RECONNECT_LONGEST),
        jitter: true,
        ..Reconnect::default()
    };
    options.connect_timeout = Some(CONNECT_TIMEOUT);
    options.handshake_timeout = Some(HANDSHAKE_TIMEOUT);
    match kind {
        SocketType::Router => options.pattern.push(PatternOption::RouterMandatory(true)),
        SocketType::Req => {
            // A request that was dropped half way must not keep the next one from being asked.
            options.pattern.push(PatternOption::ReqRelaxed(true));
            options.pattern.push(PatternOption::ReqCorrelate(true));
        }
        _ => {}
    }
    options
}

/// How a socket of type `S` is to be opened: begin with `S::options()`, end with [`open`](Options::open).
///
/// Only the options that make sense for `S` can be written. "Unlimited" and "never" are `None`.
///
/// ```
/// use std::time::Duration;
///
/// let context = zmq::Context::new();
/// let pull = zmq::Pull::options()
///     .recv_hwm(10_000)
///     .linger(Duration::ZERO)
///     .open(&context);
/// # drop(pull);
/// ```
///
/// A PULL socket never sends, so it has no mark for sending:
///
/// ```compile_fail
/// let pull = zmq::Pull::options().send_hwm(10);
/// ```
#[derive(Debug)]
#[must_use = "nothing is opened before `open` is called"]
pub struct Options<S> {
    options: SocketOptions,
    /// What was wrong with a value, for the socket to say.
    fault: Option<OpenError>,
    socket: PhantomData<fn() -> S>,
}

impl<S> Clone for Options<S> {
    fn clone(&self) -> Options<S> {
        Options {
            options: self.options.clone(),
            fault: self.fault.clone(),
            socket: PhantomData,
        }
    }
}

impl<S: Socket> Options<S> {
    pub(crate) fn new() -> Options<S> {
        Options {
            options: defaults(S::KIND),
            fault: None,
            socket: PhantomData,
        }
    }

    fn pattern(mut self, option: PatternOption) -> Options<S> {
        self.options.pattern.push(option);
        self
    }

    /// Opens the socket. Never fails and never blocks: if the socket cannot be opened, every call on it says so.
    #[must_use]
    pub fn open(self, context: &Context) -> S {
        S::wrap(self.open_handle(context))
    }

    /// Opens the socket, or says at once why it cannot be opened. Never blocks.
    ///
    /// # Errors
    /// The context was shut down or is full, a value is out of its range, or the system gave no descriptor.
    pub fn try_open(self, context: &Context) -> Result<S, OpenError> {
        let handle = self.open_handle(context);
        handle.opened()?;
        Ok(S::wrap(handle))
    }

    fn open_handle(self, context: &Context) -> Handle {
        match self.fault {
            None => Handle::open(context, S::KIND, self.options),
            Some(fault) => Handle::refused(S::KIND, fault),
        }
    }

    /// How long messages that were accepted may still leave after the socket was closed or dropped; `None` is for ever.
    /// Default: 1 second.
    pub fn linger(mut self, linger: impl Into<Option<Duration>>) -> Options<S> {
        self.options.linger = linger.into();
        self
    }

    /// Most octets that may wait in each direction, for each peer, beside the marks in messages; `None` is no bound. The
    /// last message that fits may pass it by its own size. Default: 64 MiB.
    pub fn queue_octets(mut self, octets: impl Into<Option<usize>>) -> Options<S> {
        self.options.queue_octets = octets.into();
        self
    }

    /// When a lost or refused connection is dialed again. Default: after 100 ms, doubling up to 30 s, with jitter.
    pub fn reconnect(mut self, reconnect: Reconnect) -> Options<S> {
        self.options.reconnect = reconnect;
        self
    }

    /// How long one attempt to connect may take; `None` leaves it to the system. Default: 10 s.
    pub fn connect_timeout(mut self, timeout: impl Into<Option<Duration>>) -> Options<S> {
        self.options.connect_timeout = timeout.into();
        self
    }

    /// How long a peer may take from its first octet to the end of the handshake; `None` is no bound. Default: 10 s.
    pub fn handshake_timeout(mut self, timeout: impl Into<Option<Duration>>) -> Options<S> {
        self.options.handshake_timeout = timeout.into();
        self
    }

    /// Whether and how to ask a silent peer for a sign of life (RFC 37, PING); `None` never asks. Peers that speak less
    /// than ZMTP 3.1 are never asked. Default: every 10 s, given up after 30 s.
    pub fn heartbeat(mut self, heartbeat: impl Into<Option<Heartbeat>>) -> Options<S> {
        self.options.heartbeat = heartbeat.into();
        self
    }

    /// Every number that a peer can push against on the wire. Default: [`Limits::DEFAULT`].
    pub fn limits(mut self, limits: Limits) -> Options<S> {
        self.options.limits = limits;
        self
    }

    /// The largest message taken from a peer, in octets of all its frames. A peer that sends a larger one is
    /// disconnected. Default: 1 GiB.
    pub fn max_message_octets(mut self, octets: u64) -> Options<S> {
        self.options.limits.max_message = octets;
        self
    }

    /// The oldest version of ZMTP spoken with a peer. Default: 1.0; a socket with a security mechanism never speaks less
    /// than 3.0.
    pub fn min_version(mut self, version: Version) -> Options<S> {
        self.options.min_version = version;
        self
    }

    /// Settings of the transports: keep-alive, buffers, type of service and the like. Default: the system's.
    pub fn stream(mut self, stream: StreamOptions) -> Options<S> {
        self.options.stream = stream;
        self
    }

    /// How links are secured, and who decides about the peers behind them. Anything but [`Security::none`] also
    /// attaches to each received message what is known of its sender, as `attach_properties` does. Default: not at all.
    pub fn security(mut self, security: Security) -> Options<S> {
        self.fault = security.apply(&mut self.options).err().map(OpenError::from);
        self
    }

    /// Tells each peer a property of this application in the handshake (RFC 37, metadata). The name must begin with
    /// `X-`; other names make the socket fail to open.
    pub fn property(mut self, name: &str, value: impl Into<Frame>) -> Options<S> {
        let value = value.into().into_bytes();
        self.options.properties.push((name.to_owned(), value));
        self
    }
}

impl<S: Sends> Options<S> {
    /// Most messages waiting to leave, for each peer; `None` is no bound. Default: 1000.
    pub fn send_hwm(mut self, messages: impl Into<Option<u32>>) -> Options<S> {
        self.options.send_hwm = messages.into();
        self
    }

    /// Queue messages for a connected endpoint only while its peer is really there. Default: false; messages may be sent
    /// as soon as `connect` was called.
    pub fn immediate(mut self, immediate: bool) -> Options<S> {
        self.options.immediate = immediate;
        self
    }
}

impl<S: Receives> Options<S> {
    /// Most messages received and not yet taken by the application, for each peer; `None` is no bound. A peer is not
    /// read from while its mark is reached. Default: 1000.
    pub fn recv_hwm(mut self, messages: impl Into<Option<u32>>) -> Options<S> {
        self.options.recv_hwm = messages.into();
        self
    }

    /// Attach what is known of its connection to each received message: see [`Message::properties`](crate::Message).
    /// Default: false.
    pub fn attach_properties(mut self, attach: bool) -> Options<S> {
        self.options.attach_properties = attach;
        self
    }
}

impl<S: Receives + Blocking> Options<S> {
    /// How long a receiver looks again and again before its thread sleeps: shorter round trips for processor time.
    /// Default: `None`, it sleeps at once,
    /// or in a flood, once it has found nothing for some 30 us.
    ///
    /// Each wait spends no more than this. With 50 us at both ends, each on a core of its own, a round trip over tcp took 11 us instead of
    /// 55, and less processor time too, as nobody fell asleep. Where answers take longer than this it is all waste; where both
    /// ends share one core it keeps the peer from answering.
    pub fn spin(mut self, spin: impl Into<Option<Duration>>) -> Options<S> {
        self.options.spin = spin.into();
        self
    }
}

impl<S: Conflates> Options<S> {
    /// Keep only the newest message in each queue. Default: false.
    pub fn conflate(mut self, conflate: bool) -> Options<S> {
        self.options.conflate = conflate;
        self
    }
}

impl<S: Named> Options<S> {
    /// The name this socket has for ROUTER peers: 1 to 255 octets, the first one not zero. Must be unique among the
    /// peers of a ROUTER. Default: none, each ROUTER makes one up for each connection.
    pub fn routing_id(mut self, id: impl Into<RoutingId>) -> Options<S> {
        self.options.routing_id = Frame::from(id.into()).into_bytes();
        self
    }
}

impl<S: Probes> Options<S> {
    /// Send an empty message first on every connection, so that a ROUTER peer learns of this socket before it is sent
    /// anything. REP and REQ peers skip it; others receive it as a message. Default: false.
    pub fn probe_router(self, probe: bool) -> Options<S> {
        self.pattern(PatternOption::ProbeRouter(probe))
    }
}

impl<S: Correlates> Options<S> {
    /// Number the requests, so that a late reply to a request that was given up is never taken for the reply to the next
    /// one. The number is one more frame in the envelope: REP peers, and ROUTER peers that hand envelopes back as they
    /// came, return it; a ROUTER application that expects exactly `[id, "", request]` needs `false`. Default: true.
    pub fn correlate(self, correlate: bool) -> Options<S> {
        self.pattern(PatternOption::ReqCorrelate(correlate))
    }
}

impl<S: Routes> Options<S> {
    /// Report a message for a peer that is not there, and wait when the peer's queue is full. With `false` both are
    /// dropped and counted (libzmq's default). Default: true.
    pub fn mandatory(self, mandatory: bool) -> Options<S> {
        self.pattern(PatternOption::RouterMandatory(mandatory))
    }

    /// A newcomer with the routing id of a known peer takes its place, and the old connection is closed. With `false`
    /// the newcomer is refused. Default: false; switch it on only when peers are trusted not to take others' names.
    pub fn handover(self, handover: bool) -> Options<S> {
        self.pattern(PatternOption::RouterHandover(handover))
    }
}

impl<S: Publishes> Options<S> {
    /// A message goes to those peers that did *not* subscribe to it. Default: false.
    pub fn invert_matching(self, invert: bool) -> Options<S> {
        self.pattern(PatternOption::InvertMatching(invert))
    }
}

impl<S: SubscriptionsVisible> Options<S> {
    /// Which subscriptions are received as events. Default: [`Verbosity::Changes`].
    pub fn verbosity(self, verbosity: Verbosity) -> Options<S> {
        match verbosity {
            Verbosity::Changes => self
                .pattern(PatternOption::XPubVerbose(false))
                .pattern(PatternOption::XPubVerboser(false)),
            Verbosity::AllSubscriptions => self.pattern(PatternOption::XPubVerbose(true)),
            Verbosity::Everything => self.pattern(PatternOption::XPubVerboser(true)),
        }
    }

    /// Subscriptions of peers are only received as events; the application admits them with `subscribe`. Default: false.
    pub fn manual(self, manual: bool) -> Options<S> {
        self.pattern(PatternOption::XPubManual(manual))
    }

    /// Refuse a message as long as one of its subscribers has no room, instead of dropping it for that subscriber. One
    /// slow subscriber then holds up all others. Default: false.
    pub fn no_drop(self, no_drop: bool) -> Options<S> {
        self.pattern(PatternOption::XPubNoDrop(no_drop))
    }

    /// A message of one frame that every new peer gets first. It still has to match what the peer subscribes to.
    /// Default: none.
    pub fn welcome(self, message: impl Into<Frame>) -> Options<S> {
        let message: Bytes = message.into().into_bytes();
        self.pattern(PatternOption::WelcomeMessage(Some(message)))
    }
}

/// Which subscriptions an [`XPub`](crate::XPub) receives as events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verbosity {
    /// The first subscriber of a topic, and the last one leaving it.
    #[default]
    Changes,
    /// Every subscription, and the last subscriber leaving a topic.
    AllSubscriptions,
    /// Every subscription and every end of one.
    Everything,
}
