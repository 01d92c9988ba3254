//! ZMTP 1.0 to 3.1 as a sans-IO protocol: frames, commands, sessions.
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
#[cfg(test)]
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

pub use error::{CommandName, Error, Foreign, Incompatible, Misbehaved, Refused};
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
#[cfg(feature = "alloc")]
mod mechanism;
#[cfg(feature = "alloc")]
mod message;
#[cfg(feature = "alloc")]
mod properties;
#[cfg(feature = "alloc")]
mod session;

#[cfg(feature = "alloc")]
pub use self::{
    config::{SessionConfig, SubscriptionFrames},
    event::{Credentials, Event, Peer, Verdict},
    frame::{Frame, INLINE},
    mechanism::{Established, Mechanism, Step, Transform},
    message::Message,
    properties::Properties,
    session::Session,
};
