//! What threads hand to each other, and how none of it is forgotten: each protocol in a file of its own, with no more in it
//! than its flags and locks. `crates/proofs` steps these files, `waking` and `poller/signal` through every order of events.

mod bursts;
mod callers;
mod holding;
mod hunger;
mod inbox;
mod orders;

pub(crate) use bursts::Bursts;
pub(crate) use callers::{Callers, Looks, Whose};
pub(crate) use holding::Holding;
pub(crate) use hunger::Hunger;
pub(crate) use inbox::Inbox;
pub(crate) use orders::Orders;
