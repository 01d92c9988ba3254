//! `libzmq.so.5`: the C library of ZeroMQ, on an engine written in Rust.
//!
//! It is not for programs in Rust: they use the facade `zmq`. Its header is `include/zmq.h`, and its names, numbers and
//! behaviour are those of libzmq 4.3.5, so that programs which were linked with that run on this one as they are.
//!
//! Every function here catches panics, and turns what the engine says into an `errno`. Pointers become values in the
//! module `raw` and nowhere else. What the C caller must keep to is in `zmq.h`: a pointer is either null where the
//! function allows it, or points to as much as the function says.
//!
//! # Limits
//! STREAM and the draft socket types are refused with `EINVAL`; ws, wss, udp and the other transports beyond tcp, ipc
//! and inproc with `EPROTONOSUPPORT`, and `zmq_has` says so.

mod bodies;
mod boundary;
mod clock;
mod context;
mod counter;
mod curve;
mod drafts;
mod errno;
mod fd;
pub mod fuzzing;
mod has;
mod hearing;
mod legacy;
mod message;
mod monitor;
mod options;
mod parts;
mod poller;
mod polling;
mod proxy;
mod raw;
mod receiving;
mod sending;
mod socket;
#[cfg(test)]
mod tests;
mod threads;
mod timers;
mod z85;
