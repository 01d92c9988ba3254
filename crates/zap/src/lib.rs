//! ZAP 1.0: how a socket asks a handler whether to let a peer in (RFC 27).
//!
//! A [`Request`] and a [`Reply`] are values that become messages and come back from messages. Those who ask use
//! [`Request::to_message`] and [`Reply::parse`]; those who answer use [`Envelope::split`], [`Request::parse`] and [`Reply::to_message`].
//! The crate opens nothing, waits for nothing and decides nothing.
//!
//! ```
//! use zap::{Reply, Request, Status};
//! use zmtp_wire::{Credentials, Message, Verdict};
//!
//! let asked = Request {
//!     id: "1".into(),
//!     domain: "global".into(),
//!     address: "127.0.0.1".into(),
//!     identity: Default::default(),
//!     credentials: Credentials::Null.into(),
//! };
//! let message: Message = asked.to_message();
//!
//! // The handler, a REP socket:
//! let request = Request::parse(message.frames()).expect("what we sent");
//! let answer = Reply::accept(&request, "joe").to_message();
//!
//! // Back where the question came from:
//! let reply = Reply::parse(answer.frames(), b"1").expect("six proper frames");
//! assert_eq!(reply.status, Status::Success);
//! let Verdict::Accept(properties) = reply.into_verdict() else { panic!() };
//! assert_eq!(properties.get("User-Id").unwrap(), "joe");
//! ```
//!
//! # Limits
//! Strings of a handler are at most [`LONGEST`] octets long, its metadata at most [`METADATA`]; anything larger is a malformed reply.
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

extern crate alloc;
#[cfg(test)]
extern crate std;

mod envelope;
#[doc(hidden)]
pub mod fuzzing;
mod reply;
mod request;

pub use envelope::Envelope;
pub use reply::{Reply, ReplyError, Status};
pub use request::{Claim, Request, RequestError};

/// Where handlers listen.
pub const ENDPOINT: &str = "inproc://zeromq.zap.01";

/// The version in the first frame of requests and replies.
pub const VERSION: &[u8] = b"1.0";

/// Most octets of a string (RFC 27).
pub const LONGEST: usize = 255;

/// Most octets of the metadata in a reply. They stay in memory as long as the connection.
pub const METADATA: usize = 64 * 1024;
