//! The PLAIN mechanism of ZMTP 3.x: a name and a password, sent in the clear (RFC 24).
//!
//! A [`Client`] says who it is; a [`Server`] hands name and password to its owner as [`Step::Authenticate`](zmtp_wire::Step::Authenticate)
//! and goes on by the verdict. It compares nothing itself, and nobody comes in without a verdict.
//!
//! It keeps no secret from whoever listens on the way. Use it within one machine or inside a tunnel; anywhere else use CURVE.
//!
//! ```
//! use zmtp_mech_plain::{Client, Server};
//! use zmtp_wire::{Event, Properties, Session, SessionConfig, SocketType, Time, Verdict};
//!
//! let now = Time::from_millis(0);
//! let mut config = SessionConfig::new(SocketType::Push);
//! config.legacy_allowed = false; // versions without mechanisms know no password
//! let client = Client::new(b"admin", b"secret").expect("both are short enough");
//! let mut push = Session::new(config.clone(), Box::new(client), now);
//! config.socket_type = SocketType::Pull;
//! let mut pull = Session::new(config, Box::new(Server::new()), now);
//!
//! // Stands for the network: what one has to say, the other hears.
//! fn carry(from: &mut Session, to: &mut Session, now: Time) -> Option<Event> {
//!     let octets: Vec<u8> = from.output_chunks().flatten().copied().collect();
//!     from.output_written(octets.len());
//!     to.handle_input(now, &mut &octets[..]).expect("both follow the protocol")
//! }
//!
//! while !pull.in_traffic() {
//!     if let Some(Event::Authenticate(_)) = carry(&mut push, &mut pull, now) {
//!         let known = Properties::from_iter([("User-Id", "admin")]);
//!         pull.handle_verdict(Verdict::Accept(known), now).expect("it was asked for");
//!     }
//!     carry(&mut pull, &mut push, now);
//! }
//! assert_eq!(pull.peer().unwrap().properties.get("User-Id").unwrap(), "admin");
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

extern crate alloc;

mod client;
#[doc(hidden)]
pub mod fuzzing;
mod layout;
mod server;

pub use client::{Client, TooLong};
pub use server::Server;

/// The mechanism field of the greeting: `PLAIN`, padded with zeros.
pub const NAME: [u8; 20] = *b"PLAIN\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";

/// Most octets of a name or of a password: their lengths travel in one octet.
pub const LONGEST: usize = 255;
