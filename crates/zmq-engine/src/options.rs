//! What can be told: to a context ([`ContextOptions`]), to a socket before it opens ([`SocketOptions`]) and while it lives
//! ([`SocketOption`]).

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use zmq_patterns::PatternOption;
use zmq_transport::{Registry, StreamOptions};
use zmtp_wire::{Limits, Version};

use crate::clock::Clock;
use crate::driver::DriverMode;
use crate::security::{Admission, Authenticator, Security};

/// What a context can be told before it starts.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ContextOptions {
    /// The most sockets open at a time.
    pub max_sockets: usize,
    /// The most accepted connections whose handshake has not ended; beyond, the oldest is closed.
    pub max_handshakes: usize,
    /// The most accepted connections whose handshake the driver carries on before it looks after everything else again; 0 counts as 1.
    /// When more have something to say, addresses take turns (networks of 64 bits for IPv6, users for ipc), however many connections
    /// each of them has.
    ///
    /// A CURVE server works about 0.1 ms for 200 octets that anybody can send. Measured over loopback under as many HELLOs as one core
    /// answers, eight thousand a second: a message of an established peer waits 0.1 ms for the driver (median), and 7 ms without a bound.
    pub handshakes_at_once: usize,
    /// Let inproc peers meet whose types do not go together, as libzmq does.
    pub inproc_mixes: bool,
    /// How long dropping the last handle of the context waits for sockets that are closing.
    pub drop_wait: Option<Duration>,
    /// The schemes of endpoints and who serves them.
    pub transports: Registry,
    /// Who runs the driver.
    pub driver: DriverMode,
    /// The clock.
    pub clock: Clock,
    /// The seed of jitter and generated routing ids; `None` takes one from the operating system.
    pub seed: Option<u64>,
}

impl Default for ContextOptions {
    fn default() -> ContextOptions {
        ContextOptions {
            max_sockets: 65_535,
            max_handshakes: 8_192,
            handshakes_at_once: 4,
            inproc_mixes: false,
            drop_wait: Some(Duration::from_secs(1)),
            transports: Registry::standard(),
            driver: DriverMode::Thread,
            clock: Clock::real(),
            seed: None,
        }
    }
}

/// Everything a socket can be told before it opens. The defaults are libzmq's, so that the C library needs no table of
/// its own; the facade has others where they serve its users better.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SocketOptions {
    /// Most messages waiting to leave, for each peer; `None` is no bound.
    pub send_hwm: Option<u32>,
    /// Most messages received and not yet taken by the application, for each peer; `None` is no bound.
    pub recv_hwm: Option<u32>,
    /// Most octets queued in each direction, for each peer, beside the marks in messages; `None` is no bound. The last
    /// message that fits may pass it by its own size.
    pub queue_octets: Option<usize>,
    /// The name this socket gives itself towards ROUTER peers: 0 to 255 octets, the first one not zero.
    pub routing_id: Bytes,
    /// Application properties told to each peer in the handshake; names begin with `X-`.
    pub properties: Vec<(String, Bytes)>,
    /// Queue for a dialed peer only while it is connected.
    pub immediate: bool,
    /// Keep only the newest message in each queue (DEALER, PUSH, PULL, PUB, SUB).
    pub conflate: bool,
    /// How long messages that were accepted may still leave after the socket is closed; `None` is for ever.
    pub linger: Option<Duration>,
    /// When to dial again.
    pub reconnect: Reconnect,
    /// How long one connection attempt may take; `None` leaves it to the system.
    pub connect_timeout: Option<Duration>,
    /// How long a connection may take from its first octet to the end of the handshake; `None` is no bound.
    pub handshake_timeout: Option<Duration>,
    /// Whether and how to ask a silent peer for a sign of life.
    pub heartbeat: Option<Heartbeat>,
    /// Ask 3.0 peers for signs of life as well, although they need not know how to give them.
    pub ping_before_3_1: bool,
    /// Who may connect to a bound endpoint at all, decided before a word is spoken; `None` is everybody.
    pub accept_filter: Option<Arc<dyn AcceptFilter>>,
    /// Every number a peer can push against on the wire.
    pub limits: Limits,
    /// The oldest version of ZMTP spoken with a peer.
    pub min_version: Version,
    /// Socket settings of the transports.
    pub stream: StreamOptions,
    /// How peers prove who they are, and how traffic is protected.
    pub security: Security,
    /// Who decides about the peers that a mechanism wants to have authenticated, in place of the ZAP handler.
    pub authenticator: Option<Arc<dyn Authenticator>>,
    /// The ZAP domain (RFC 27): what the handler is told it is asked for. A NULL socket with a domain asks about its peers, which it
    /// does not do otherwise.
    pub zap_domain: Bytes,
    /// Let nobody in whom no handler was asked about, where there is a domain; and ask nobody where there is none (CURVE).
    pub zap_enforce_domain: bool,
    /// Peers whose ZAP handler leaves before it has answered wait until their handshake time is over, as with libzmq, rather than be
    /// told to try again at once.
    pub outlast_handler: bool,
    /// Whom to let in when there is nobody to ask.
    pub admission: Admission,
    /// Attach the properties of its connection to each received message.
    pub attach_properties: bool,
    /// Options of the pattern, applied in order.
    pub pattern: Vec<PatternOption>,
    /// How long a blocking receiver looks again and again before it sleeps. `None`, the default: it sleeps at once, and in a
    /// flood after some 30 us.
    pub spin: Option<Duration>,
}

impl Default for SocketOptions {
    fn default() -> SocketOptions {
        SocketOptions {
            send_hwm: Some(1000),
            recv_hwm: Some(1000),
            queue_octets: None,
            routing_id: Bytes::new(),
            properties: Vec::new(),
            immediate: false,
            conflate: false,
            linger: None,
            reconnect: Reconnect::default(),
            connect_timeout: None,
            handshake_timeout: Some(Duration::from_secs(30)),
            heartbeat: None,
            ping_before_3_1: false,
            accept_filter: None,
            limits: Limits::default(),
            min_version: Version::V1,
            stream: StreamOptions::default(),
            security: Security::default(),
            authenticator: None,
            zap_domain: Bytes::new(),
            zap_enforce_domain: false,
            outlast_handler: false,
            admission: Admission::AsLibzmq,
            attach_properties: false,
            pattern: Vec::new(),
            spin: None,
        }
    }
}

impl SocketOptions {
    /// Whether somebody decides about peers that bring no proof.
    pub(crate) fn asks_about_peers(&self) -> bool {
        self.authenticator.is_some() || !self.zap_domain.is_empty()
    }
}

/// Looks at where a peer comes from, before its handshake. One who is turned away learns only that the connection was closed.
pub trait AcceptFilter: Send + Sync + core::fmt::Debug {
    /// Must not block. `address` is numeric and without port, or `localhost:uid:gid:pid` for ipc.
    fn admits(&self, address: &str) -> bool;
}

/// When a lost or refused connection is dialed again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reconnect {
    /// The first wait; `None` never dials again.
    pub initial: Option<Duration>,
    /// The longest wait: each failure doubles the one before, up to this. `None` keeps to the first.
    pub max: Option<Duration>,
    /// Add a random part of up to the wait itself, so that many clients of one server do not return at once.
    pub jitter: bool,
    /// Give up when the connection was refused.
    pub stop_when_refused: bool,
    /// Give up when a handshake failed, whatever the fault.
    pub stop_when_handshake_failed: bool,
}

impl Default for Reconnect {
    fn default() -> Reconnect {
        Reconnect {
            initial: Some(Duration::from_millis(100)),
            max: None,
            jitter: true,
            stop_when_refused: false,
            stop_when_handshake_failed: false,
        }
    }
}

/// Signs of life (RFC 37, PING and PONG).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heartbeat {
    /// The time between two PINGs.
    pub interval: Duration,
    /// How long after a PING a peer may stay silent before the link is closed.
    pub timeout: Duration,
    /// What the peer is told about how long it should wait for us; zero says nothing. At most 65.5 s, as libzmq
    /// computes larger ones wrongly.
    pub ttl: Duration,
}

/// What can be changed while a socket lives. Marks act at once on every peer; the rest is taken by the connections made
/// after the change.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum SocketOption {
    /// See [`SocketOptions::send_hwm`].
    SendHwm(Option<u32>),
    /// See [`SocketOptions::recv_hwm`].
    RecvHwm(Option<u32>),
    /// See [`SocketOptions::queue_octets`].
    QueueOctets(Option<usize>),
    /// See [`SocketOptions::linger`].
    Linger(Option<Duration>),
    /// See [`SocketOptions::routing_id`].
    RoutingId(Bytes),
    /// The routing id that the next connected peer gets, whatever it calls itself (ROUTER).
    ConnectRoutingId(Bytes),
    /// See [`SocketOptions::properties`].
    Properties(Vec<(String, Bytes)>),
    /// See [`SocketOptions::immediate`].
    Immediate(bool),
    /// See [`SocketOptions::conflate`].
    Conflate(bool),
    /// See [`SocketOptions::reconnect`].
    Reconnect(Reconnect),
    /// See [`SocketOptions::connect_timeout`].
    ConnectTimeout(Option<Duration>),
    /// See [`SocketOptions::handshake_timeout`].
    HandshakeTimeout(Option<Duration>),
    /// See [`SocketOptions::heartbeat`].
    Heartbeat(Option<Heartbeat>),
    /// See [`SocketOptions::accept_filter`].
    AcceptFilter(Option<Arc<dyn AcceptFilter>>),
    /// See [`SocketOptions::limits`].
    Limits(Box<Limits>),
    /// See [`SocketOptions::min_version`].
    MinVersion(Version),
    /// See [`SocketOptions::stream`].
    Stream(Box<StreamOptions>),
    /// See [`SocketOptions::security`].
    Security(Security),
    /// See [`SocketOptions::authenticator`].
    Authenticator(Option<Arc<dyn Authenticator>>),
    /// See [`SocketOptions::zap_domain`].
    ZapDomain(Bytes),
    /// See [`SocketOptions::zap_enforce_domain`].
    ZapEnforceDomain(bool),
    /// See [`SocketOptions::admission`].
    Admission(Admission),
    /// See [`SocketOptions::attach_properties`].
    AttachProperties(bool),
    /// See [`SocketOptions::spin`].
    Spin(Option<Duration>),
    /// An option of the pattern.
    Pattern(PatternOption),
}
