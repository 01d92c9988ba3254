//! Endpoints to byte streams, framed messages and datagrams, behind one trait.
//!
//! It is not a messaging library: it knows no frames, no patterns, no reconnecting, no timers. It has no thread of its
//! own, and its sockets are non-blocking ones that any poller can watch.
//!
//! An endpoint, `scheme://address`, is looked up in a [`Registry`]. The [`Transport`] found there
//! [resolves](Transport::resolve) the address anew for every attempt, [connects](Transport::connect) to one of the
//! targets, or [listens](Transport::listen). [`Registry::standard`] knows `tcp` and `ipc`; a transport of your own is
//! added with [`Registry::register`].
//!
//! ```
//! use std::io::IoSlice;
//! use zmq_transport::{Connection, Registry, Role, StreamOptions};
//!
//! let (registry, options) = (Registry::standard(), StreamOptions::default());
//! let address = registry.parse("tcp://127.0.0.1:*", Role::Bind)?;
//! let listener = address.transport.listen(address.address, &options)?;
//!
//! let endpoint = registry.parse(listener.endpoint(), Role::Connect)?;   // the port really bound
//! let targets = endpoint.transport.resolve(endpoint.address, &options)?;
//! let Connection::Bytes(mut stream) = endpoint.transport.connect(&targets[0], &options)? else { unreachable!() };
//! if stream.try_connected()? {     // otherwise: watch stream.source() for writability and ask again
//!     assert_eq!(stream.try_write(&[IoSlice::new(b"hello")])?, 5);
//! }
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! Async callers who use this crate alone find streams and listeners in the module `asynchronous`.
//!
//! Limits: unix only, Linux first. A path of ipc has at most 107 octets. `SO_PRIORITY`, binding to a device,
//! `TCP_USER_TIMEOUT`, abstract names and peer credentials are Linux's alone.
#![forbid(unsafe_code)]

#[cfg(feature = "async")]
pub mod asynchronous;
mod error;
#[doc(hidden)]
pub mod fuzzing;
mod grammar;
mod ipc;
mod options;
mod registry;
mod socket;
mod socks;
mod sys;
mod tcp;
mod transport;

pub use error::{AddressError, DuplicateScheme, EndpointError, is_shortage};
pub use ipc::Ipc;
pub use options::StreamOptions;
pub use registry::{Endpoint, Registry};
pub use socks::Proxy;
pub use tcp::Tcp;
pub use transport::{
    ByteStream, Connection, Datagrams, FramedStream, Listener, Role, Source, Transport,
};
