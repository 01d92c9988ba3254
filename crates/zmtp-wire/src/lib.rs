//! ZMTP 1.0 to 3.1 as a sans-IO protocol: octets in, events out; messages in, octets out.
//!
//! A [`Session`] is the protocol state of one connection. It opens no socket, starts no thread and looks at no clock: its owner hands in
//! what arrived and what time it is, and writes what the session has to say. It is not a ZeroMQ socket: it has one peer, keeps no
//! messages, and knows socket types only as far as the handshake does. Security mechanisms are plugged in as a [`Mechanism`].
//!
//! ```
//! # #[cfg(feature = "alloc")] {
//! use zmtp_mech_null::Null;
//! use zmtp_wire::{Event, Message, Session, SessionConfig, SocketType, Time};
//!
//! let now = Time::from_millis(0);
//! let mut push = Session::new(SessionConfig::new(SocketType::Push), Box::new(Null::new()), now);
//! let mut pull = Session::new(SessionConfig::new(SocketType::Pull), Box::new(Null::new()), now);
//!
//! // Stands for the network: what one has to say, the other hears.
//! fn carry(from: &mut Session, to: &mut Session, now: Time) -> Vec<Event> {
//!     let octets: Vec<u8> = from.output_chunks().flatten().copied().collect();
//!     from.output_written(octets.len());
//!     let (mut input, mut events) = (&octets[..], Vec::new());
//!     while let Some(event) = to.handle_input(now, &mut input).expect("both follow the protocol") {
//!         events.push(event);
//!     }
//!     events
//! }
//!
//! while !(push.in_traffic() && pull.in_traffic()) {
//!     carry(&mut push, &mut pull, now);
//!     carry(&mut pull, &mut push, now);
//! }
//! push.send(&Message::from("hello"));
//! assert_eq!(carry(&mut push, &mut pull, now), [Event::Message(Message::from("hello"))]);
//! # }
//! ```
//!
//! # Limits
//! Whatever the peer sends, a session keeps at most one frame and one message under way, within [`Limits`], and buffers grow with what has
//! arrived, not with what was announced.
//!
//! # Features
//! `alloc` (default) brings the [`Session`] and owned messages. Without it there are the parsers and the [`borrowed`] session: no allocator,
//! no dependency but `nom`. `std` has each thread keep memory of short bodies, and of those of up to 1 KiB, for its next
//! ones.
#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    warn(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects,
        clippy::panic
    )
)]

#[cfg(feature = "alloc")]
extern crate alloc;
#[cfg(any(test, feature = "std"))]
extern crate std;

pub mod borrowed;
pub mod command;
mod error;
pub mod greeting;
pub mod header;
mod heart;
mod limits;
pub mod metadata;
mod sink;
mod socket_type;
mod time;
mod version;
mod words;

pub use error::{CommandName, Error, Foreign, Incompatible, MechanismKind, Misbehaved, Refused};
pub use heart::Heartbeat;
pub use limits::Limits;
pub use sink::{NoRoom, Sink, Writer};
pub use socket_type::SocketType;
pub use time::Time;
pub use version::Version;

#[cfg(feature = "alloc")]
mod config;
#[cfg(feature = "alloc")]
mod event;
#[cfg(feature = "alloc")]
mod frame;
#[cfg(feature = "alloc")]
#[doc(hidden)]
pub mod fuzzing;
#[cfg(feature = "std")]
mod kept;
#[cfg(feature = "std")]
mod line;
#[cfg(feature = "alloc")]
mod mechanism;
#[cfg(feature = "alloc")]
mod message;
#[cfg(all(feature = "alloc", not(feature = "std")))]
mod no_line;
#[cfg(feature = "alloc")]
mod pack;
#[cfg(feature = "alloc")]
mod properties;
#[cfg(feature = "alloc")]
mod session;
#[cfg(feature = "std")]
mod stretch;

#[cfg(feature = "alloc")]
pub use self::{
    config::{SessionConfig, SubscriptionFrames},
    event::{Credentials, Event, Peer, Verdict},
    frame::{Frame, INLINE},
    mechanism::{Established, Mechanism, Step, Transform},
    message::Message,
    pack::Pack,
    properties::Properties,
    session::{Places, Session},
};
