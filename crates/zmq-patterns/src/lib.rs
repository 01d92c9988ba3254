//! The ZeroMQ socket types as state machines over peers.
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

mod balance;
mod fanout;
#[doc(hidden)]
pub mod fuzzing;
mod hub;
mod label;
mod option;
mod outcome;
mod pattern;
mod peer;
mod prefixes;
mod ring;
mod route;
mod socket;
mod sockets;
mod take;
mod topics;
mod tree;

pub use self::{
    option::{Limits, PatternOption, Refused, RouterNotify},
    outcome::{CloseReason, DropReason, Output, RecvRefused, Route, SendRefused, Source, Taken},
    pattern::Pattern,
    peer::{Attach, PeerFault, PeerInfo, PeerKey, PeerRefused},
    prefixes::Prefixes,
    socket::Reservation,
    topics::{Added, Removed, Topics},
};
