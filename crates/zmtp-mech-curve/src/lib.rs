//! The CURVE mechanism of ZMTP 3.x: who the peer is, and that nobody else reads or writes what is said (RFC 25, 26).
//!
//! A [`Client`] knows the server's long-term public key beforehand; a [`Server`] learns the client's, proven, and may ask an authenticator
//! whether to let it in. Every connection has short-term keys of its own, so that long-term keys stolen later open nothing said today.
//!
//! It holds no entropy, no clock and no list of who may come in: random octets are handed in when a handshake is made, and
//! [`Step::Authenticate`](zmtp_wire::Step::Authenticate) hands the proven key out.
//!
//! ```
//! use zmtp_mech_curve::{Client, KeyPair, Server, ServerKeys};
//! use zmtp_wire::{Session, SessionConfig, SocketType, Time};
//!
//! # let mut count = 0;
//! # let mut entropy = |octets: &mut [u8]| {
//! #     octets.fill_with(|| { count += 1; count });
//! #     Ok::<_, core::convert::Infallible>(())
//! # };
//! // `entropy` fills a slice from the operating system's generator.
//! let keys = KeyPair::generate(&mut entropy)?;
//! let server_key = keys.public();
//! println!("{server_key}"); // 40 letters of Z85, for clients to know
//!
//! let server = Server::new(ServerKeys::new(keys), &mut entropy)?.with_authentication(true);
//! let client = Client::new(KeyPair::generate(&mut entropy)?, server_key, &mut entropy)?;
//! let mut config = SessionConfig::new(SocketType::Pull);
//! config.legacy_allowed = false; // versions without mechanisms would speak in the clear
//! let session = Session::new(config, Box::new(server), Time::from_millis(0));
//! # drop((session, client));
//! # Ok::<(), core::convert::Infallible>(())
//! ```
//!
//! # Limits
//! Between WELCOME and INITIATE a server keeps one key, one number and an index: its short-term key travels in the cookie. A direction ends
//! after 2^64-1 commands, with [`Error::NoncesUsedUp`](zmtp_wire::Error::NoncesUsedUp). Each further server key costs a stranger's HELLO one
//! more scalar multiplication.
//!
//! # Features
//! `fast` (default) seals with vector instructions and needs std; without it everything is `no_std` with an allocator.
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

mod client;
#[cfg(feature = "fast")]
mod few;
#[doc(hidden)]
pub mod fuzzing;
mod key;
mod layout;
mod messages;
mod nonce;
mod seal;
mod server;
pub mod z85;

pub use client::Client;
pub use key::{KeyPair, PublicKey, SecretKey};
pub use server::{Server, ServerKeys};

/// The mechanism field of the greeting: `CURVE`, padded with zeros.
pub const NAME: [u8; 20] = *b"CURVE\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";

/// What the measuring example needs of the cipher.
#[doc(hidden)]
pub mod measuring {
    #[cfg(feature = "fast")]
    pub use crate::few::Few;
    #[cfg(feature = "fast")]
    pub use crate::seal::Fast;
    pub use crate::seal::{Portable, SecretBox};
}
