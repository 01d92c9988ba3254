//! Untyped ZeroMQ sockets: links, drivers, run-time options, readiness.
//!
//! This is where the pure machines of `zmtp-wire` and `zmq-patterns` meet the streams of `zmq-transport`. It is not the
//! crate applications use: the facade `zmq` gives each socket type its own verbs, and the C library its C names.
//!
//! ```
//! use zmq_engine::{Context, Socket, SocketOptions, SocketType};
//!
//! let context = Context::new()?;
//! let pull = Socket::open(&context, SocketType::Pull, SocketOptions::default())?;
//! let endpoint = pull.bind("tcp://127.0.0.1:0")?;
//! let push = Socket::open(&context, SocketType::Push, SocketOptions::default())?;
//! push.connect(&endpoint)?;
//! push.send("hello".into(), None)?;
//! assert_eq!(pull.recv(None)?.first(), b"hello");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

mod admit;
mod asking;
mod authenticating;
mod beating;
mod carrying;
mod clock;
mod closing;
mod connecting;
mod context;
mod core;
mod counters;
#[cfg(feature = "curve")]
pub mod curve;
mod decoded;
mod dial;
mod driver;
mod effects;
mod ending;
mod endpoint;
mod error;
mod fanning;
mod flushing;
#[doc(hidden)]
pub mod fuzzing;
mod handover;
mod inproc;
mod io;
mod item;
mod knowing;
mod lanes;
mod link;
mod link_close;
mod link_read;
mod listen;
mod lookout;
mod many;
mod meeting;
mod monitor;
mod names;
mod options;
mod pace;
mod packing;
mod parts;
mod patrol;
mod pipe;
mod poller;
mod pool;
mod random;
mod receiving;
pub mod references;
mod resolver;
mod round;
mod security;
mod shake;
mod shared;
mod signals;
mod socket;
mod terms;
mod timers;
mod turns;
mod verbs;
mod waiting;
mod wakers;
mod waking;
mod watching;

pub use clock::{Clock, Deadline, VirtualClock, unix_seconds};
pub use closing::CloseReport;
pub use context::Context;
pub use counters::{Counters, Loss};
pub use driver::DriverMode;
pub use error::{
    EndpointError, EndpointProblem, OpenError, OptionError, RecvError, SendError, SendFailure,
};
pub use knowing::PeerSnapshot;
pub use monitor::{
    CloseReason, Happening, MONITOR_QUEUE, Monitor, MonitorEvent, MonitorItem, Unasked,
};
pub use options::{
    AcceptFilter, ContextOptions, Heartbeat, Reconnect, SocketOption, SocketOptions,
};
pub use parts::Reservation;
pub use security::{
    Admission, Answer, Authenticator, HandshakeRole, MechanismFactory, Question, Security,
};
pub use socket::{Events, Socket};
pub use waiting::{Registration, Waiter, Watcher};
pub use zap;
pub use zmq_patterns::{self as patterns, DropReason, PatternOption};
pub use zmq_transport::{self as transport, StreamOptions};
pub use zmtp_wire::{self as wire, Frame, Limits, Message, Properties, SocketType, Version};
