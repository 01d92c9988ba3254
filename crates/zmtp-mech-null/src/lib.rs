//! The NULL mechanism of ZMTP 3.x: no secrets, only metadata (RFC 23, 37).
//!
//! Each side sends READY as soon as the greetings are exchanged, without waiting for the other; traffic starts when both have been
//! sent and received. With authentication the owner is asked first, and READY or ERROR follows its verdict (RFC 27).
//!
//! It is not a security mechanism: the peer is whoever the transport says it is.
//!
//! ```
//! # #[cfg(feature = "alloc")] {
//! use zmtp_mech_null::Null;
//! use zmtp_wire::{Session, SessionConfig, SocketType, Time};
//!
//! let config = SessionConfig::new(SocketType::Push);
//! let session = Session::new(config, Box::new(Null::new()), Time::from_millis(0));
//! assert_eq!(session.output_len(), 10); // the signature leaves before the peer has spoken
//! # }
//! ```
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

mod borrowed;
#[cfg(feature = "alloc")]
#[doc(hidden)]
pub mod fuzzing;
#[cfg(feature = "alloc")]
mod null;
pub use borrowed::BorrowedNull;
#[cfg(feature = "alloc")]
pub use null::Null;

/// The mechanism field of the greeting: `NULL`, padded with zeros.
pub const NAME: [u8; 20] = *b"NULL\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
