//! The ZeroMQ socket types as state machines over peers: who gets a message, whose message comes next.
//!
//! Not here: queues, links, bytes on a wire, time, waiting. The owner (an engine) keeps a pipe for each peer and a
//! link that may come and go; it tells a [`Pattern`] what happened and asks it what to do.
//!
//! ```
//! use zmq_patterns::{Attach, Pattern, PeerInfo, PeerKey, Route};
//! use zmtp_wire::{Message, SocketType};
//!
//! let mut push = Pattern::new(SocketType::Push, 42);
//! for peer in [PeerKey(0), PeerKey(1)] {
//!     push.attach(peer, Attach::default());
//!     push.link_up(peer, &PeerInfo::default()).unwrap();
//! }
//! // In turn: to one peer, then to the other.
//! assert_eq!(push.send(&mut Message::from("a")), Ok(Route::One(PeerKey(0))));
//! assert_eq!(push.send(&mut Message::from("b")), Ok(Route::One(PeerKey(1))));
//! // A peer whose pipe is full is passed over.
//! push.set_writable(PeerKey(0), false);
//! assert_eq!(push.send(&mut Message::from("c")), Ok(Route::One(PeerKey(1))));
//! ```
//!
//! Four blocks make all types. `balance`: each message to the next peer with room. `take`: one message from each peer
//! that has some, in turn. `fanout` with [`Topics`]: one message to all it concerns. `route`: peers by routing id.
//!
//! | type | made of |
//! |---|---|
//! | PUSH, SCATTER | balance |
//! | PULL, GATHER | take |
//! | DEALER, CLIENT | balance, take |
//! | PAIR, CHANNEL | DEALER with one peer |
//! | REQ | DEALER that awaits a reply before it sends again |
//! | ROUTER | route, take |
//! | REP | take; each request carries the address of its reply |
//! | XPUB, PUB | fanout, topics, take |
//! | XSUB, SUB | fanout, [`Prefixes`], take |
//!
//! Sending and taking cost a few nanoseconds, whatever the number of peers, and allocate nothing unless a frame is
//! added to the message. What peers can push against is in [`Limits`]. No operation recurses, and nothing that a peer
//! sends can make one panic.
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
mod short;
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
