//! A line protocol by which a program plays one side of a conversation between sockets.
//!
//! Whoever runs a conversation speaks to a [`Side`]: a set of named sockets of one implementation. The side may live in
//! this process or, as a [`Process`], in one of its own that calls [`serve`]; so a peer can be killed, stopped, or link a
//! library that would clash with ours. Each request is one line, each answer is one line:
//!
//! ```text
//! open a PULL            ok
//! set a RCVHWM i:5       ok
//! bind a tcp://127.0.0.1:0   ok tcp://127.0.0.1:36561
//! recv a 1000            ok 6869 - 00ff        (three frames, the second one empty)
//! recv a 0               err EAGAIN nothing to receive
//! ```
//!
//! For benchmarks there are loops that both ends of a run share, whatever the implementation: [`work`].
//!
//! It is not a protocol between strangers: lines have no bound, and a malformed one ends the conversation.
#![forbid(unsafe_code)]

mod contender;
mod job;
mod line;
mod measure;
mod process;
mod serve;
mod side;
mod worker;

pub use contender::{Contender, at_once, of_size};
pub use job::{CLIENT_KEY, Job, SERVER_KEY};
pub use line::{Request, decode_frames, encode_frames};
pub use measure::{
    Measurement, Percentiles, allow_descriptors, cpu_time, pin_to_cores, resident_octets,
};
pub use process::Process;
pub use serve::serve;
pub use side::{Failure, Side, Value};
pub use worker::work;
