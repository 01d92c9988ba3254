//! Strangers at secured sockets, and handlers that fail: nobody is let in who must not be, nobody else waits, and everything ends with a
//! reason.
#![cfg(feature = "curve")]

mod attacks;
mod hall;
mod handlers;
#[path = "../support/mod.rs"]
mod support;
