//! ZeroMQ in Rust: typed sockets, async on any executor and blocking.
//!
//! ```
//! # zmq::block_on(async {
//! let context = zmq::Context::new();
//! let pull = zmq::Pull::new(&context);
//! let push = zmq::Push::new(&context);
//!
//! let endpoint = pull.bind("tcp://127.0.0.1:0").await?; // the endpoint as really bound
//! push.connect(&endpoint)?; // never waits
//! push.send("hello").await?;
//! assert_eq!(pull.recv().await?, zmq::Message::from("hello"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # }).unwrap();
//! ```
//!
//! # Which socket
//!
//! | I want to | sockets |
//! |---|---|
//! | ask and be answered | [`Req`] and [`Rep`]; [`Dealer`] and [`Router`] for many at once |
//! | tell whoever wants to know | [`Pub`] and [`Sub`]; [`XPub`] and [`XSub`] in between |
//! | share work among many | [`Push`] and [`Pull`] |
//! | talk with one | [`Pair`] |
//! | stand between | [`proxy()`] |
//!
//! Each has a twin of the same name in [`blocking`] whose calls block the thread.
//!
//! # What holds everywhere
//!
//! - Sockets are `Send + Sync`, and every method takes `&self`: share one by reference or in an `Arc`.
//! - Endpoints are `tcp://host:port`, `ipc://path`, `inproc://name` within one [`Context`], and what
//!   [other transports](Context::register_transport) bring. Who binds and who connects does not matter, nor who is first.
//! - `send` takes anything that is a frame (`&str`, `Vec<u8>`, [`bytes::Bytes`], ...); several frames are a [`Message`]:
//!   `["a", "b"].into_iter().collect::<Message>()`.
//! - Small messages in great numbers go faster in lists: `send_many`, `recv_many`.
//! - Accepted messages are delivered, or counted as dropped with a reason (`counters`), or reported by `close`.
//! - A lost connection is no error: it is dialed again, and the [`monitor`] tells of it.
//! - Dropping a future never loses a received message. Dropping a socket never blocks; what it still has to send leaves in
//!   the background for the linger time, and the last [`Context`] handle waits for that.
//! - Any executor will do, and [`block_on`] where there is none. With the feature `tokio`, tasks within a tokio runtime wait with its reactor, which must be enabled:
//!   fewer hops from thread to thread, for shorter round trips. Nobody needs to sleep until a connection is there: `ready` and `subscribers` wait for it.
//!
//! # Defaults
//!
//! | what | default | option |
//! |---|---|---|
//! | queues | 1000 messages and 64 MiB each way, for each peer | `send_hwm`, `recv_hwm`, `queue_octets` |
//! | linger | 1 s | `linger` |
//! | signs of life | asked for every 10 s of a 3.1 peer, given up after 30 s | `heartbeat` |
//! | handshake | at most 10 s | `handshake_timeout` |
//! | dialing | at most 10 s, again after 100 ms up to 30 s, with jitter | `connect_timeout`, `reconnect` |
//! | ROUTER | reports what it cannot route | `mandatory` |
//! | REQ | can ask again after giving up, and tells replies apart | `correlate` |
//!
//! It is not the place for raw protocol work: `zmtp-wire` speaks ZMTP without sockets.
#![forbid(unsafe_code)]

mod authenticator;
pub mod blocking;
#[cfg(feature = "curve")]
mod cert;
mod context;
mod endpoint;
mod error;
#[doc(hidden)]
pub mod fuzzing;
#[cfg(doctest)]
mod guide;
mod handle;
pub mod kind;
mod many;
pub mod monitor;
mod options;
mod pair;
mod pipeline;
pub mod probe;
mod proxy;
mod pubsub;
mod ready;
mod request;
mod routing;
pub mod security;
mod socket;
mod streams;
mod turn;
mod verbs;
mod wait;

#[cfg(feature = "curve")]
pub use self::security::KeyAuth;
pub use self::{
    context::Context,
    endpoint::Endpoint,
    error::{
        BindError, ConnectError, DisconnectError, EndpointFault, MonitorError, OpenError,
        ReadyError, ReadyFailure, RecvError, RequestError, SendError, SendFailure, SubscribeError,
        UnbindError,
    },
    monitor::Monitor,
    options::{Options, Verbosity},
    pair::Pair,
    pipeline::{Pull, Push},
    proxy::{Proxy, ProxyControl, ProxyError, ProxyStatistics, ProxyTraffic, proxy},
    pubsub::{Pub, Sub, XPub, XPubEvent, XSub},
    request::{Rep, Req, Request, Responder},
    routing::{Dealer, Router, RoutingId},
    security::{Auth, Authenticator, Security},
    streams::{Incoming, Outgoing},
    wait::block_on,
};
#[cfg(feature = "curve")]
pub use cert::{Certificate, CertificateError, CertificateFault};
/// Keys of the CURVE mechanism; [`Certificate`] keeps them in files.
#[cfg(feature = "curve")]
pub use zmq_engine::curve;
pub use zmq_engine::{
    CloseReason, CloseReport, Counters, Frame, Heartbeat, Limits, Loss, Message, PeerSnapshot,
    Properties, Reconnect, SocketType, Version,
};

/// Transports of an application's own, and the settings of those that are built in.
pub mod transport {
    pub use zmq_engine::transport::*;
}

use zmq_engine::PatternOption;
use zmq_engine::transport::StreamOptions;
