//! Endpoints to byte streams, framed messages and datagrams, behind one trait.
#![forbid(unsafe_code)]

mod error;
mod grammar;
mod ipc;
mod options;
mod registry;
mod socket;
mod sys;
mod tcp;
mod transport;

pub use error::{AddressError, DuplicateScheme, EndpointError, is_shortage};
pub use ipc::Ipc;
pub use options::StreamOptions;
pub use registry::{Endpoint, Registry};
pub use tcp::Tcp;
pub use transport::{
    ByteStream, Connection, Datagrams, FramedStream, Listener, Role, Source, Transport,
};
