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
mod hub;
mod option;
mod outcome;
mod pattern;
mod peer;
mod ring;
mod route;
mod socket;
mod sockets;
mod take;

pub use self::{
    option::{Limits, PatternOption, Refused, RouterNotify},
    outcome::{CloseReason, DropReason, Output, RecvRefused, Route, SendRefused, Source, Taken},
    pattern::Pattern,
    peer::{Attach, PeerFault, PeerInfo, PeerKey, PeerRefused},
    socket::Reservation,
};
