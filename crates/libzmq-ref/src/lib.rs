//! libzmq 4.3.5 built from source, as the reference that tests and benchmarks run against.
//!
//! It is compiled with what libzmq's own builds find on Linux (eventfd above all), with drafts and with libsodium. The
//! library exports the same symbols as ours, so nothing that ships may depend on this crate: use the program
//! `libzmq-peer`, which plays a side of a conversation on standard input and output (see `peer-script`) or one end of a
//! benchmark.
//!
//! ```
//! use libzmq_ref::Context;
//! let context = Context::new();
//! let (pull, push) = (context.socket(7)?, context.socket(8)?);
//! push.connect(&pull.bind("tcp://127.0.0.1:*")?)?;
//! push.send(b"hello", false)?;
//! assert_eq!(pull.recv()?, [b"hello"]);
//! # Ok::<(), libzmq_ref::Error>(())
//! ```

mod ffi;
mod names;
mod perf;
mod side;
mod socket;

pub use names::{Kind, option, socket_type};
pub use perf::Perf;
pub use side::Libzmq;
pub use socket::{Context, Error, Frame, Socket, version};

/// The folder with libzmq's own `local_thr`, `remote_thr`, `local_lat`, `remote_lat`, `inproc_thr` and `inproc_lat`.
pub const PERF_PROGRAMS: &str = env!("LIBZMQ_PERF_DIR");

/// The folder with libzmq's sources, tests among them.
pub const SOURCES: &str = env!("LIBZMQ_SOURCE_DIR");
