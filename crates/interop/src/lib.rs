//! Runs of the engine against other implementations: libzmq 4.3.5, JeroMQ, and peers that speak old versions of ZMTP.
//!
//! Each implementation is a [`Side`](peer_script::Side) in a process of its own, so that it can be killed and stopped, and so that
//! no library can lean on the other. [`Ours`] is the engine's side. A [`Cell`] is one thing that two sides try together; the
//! program `interop` runs all of them.
#![forbid(unsafe_code)]

mod arena;
mod cell;
mod credentials;
mod dialect;
mod guard;
mod heartbeat;
mod mismatch;
mod ours;
mod pairs;
mod programs;
mod reconnect;
mod routing;
mod secrets;
mod secured;
mod settings;
mod topics;
mod traffic;
mod versions;
mod wire;

pub use arena::{Arena, Outcome, Player, Program, Verdict};
pub use cell::{Cell, Tally, run};
pub use ours::Ours;
pub use programs::{PLAY, jeromq, libzmq, ours};

use arena::Transport;

/// Everything that is tried with libzmq, and with peers that are no library.
#[must_use]
pub fn with_libzmq() -> Vec<Cell> {
    let mut cells = pairs::cells(&Transport::ALL);
    cells.extend(reconnect::cells(&Transport::ALL));
    cells.extend(heartbeat::cells());
    cells.extend(topics::cells());
    cells.extend(routing::cells());
    cells.extend(secured::cells());
    cells.extend(credentials::cells());
    cells.extend(mismatch::cells());
    cells.extend(topics::secured());
    cells.extend(reconnect::sealed(&Transport::ALL));
    let cells = cells.into_iter().map(|cell| cell.under("libzmq"));
    let scripted = versions::cells().into_iter().chain(traffic::cells());
    cells.chain(scripted).collect()
}

/// Everything that is tried with JeroMQ, which speaks ZMTP 2.0 and tcp.
#[must_use]
pub fn with_jeromq() -> Vec<Cell> {
    let mut cells = pairs::cells(&[Transport::Tcp]);
    cells.extend(reconnect::cells(&[Transport::Tcp]));
    cells.extend(topics::cells());
    cells.extend(routing::cells());
    cells.into_iter().map(|cell| cell.under("jeromq")).collect()
}
