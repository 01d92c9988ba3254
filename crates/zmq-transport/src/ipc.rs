//! The ipc transport.

use std::io;

use crate::{AddressError, Connection, Listener, Role, StreamOptions, Transport};

/// The ipc transport.
#[derive(Clone, Debug, Default)]
pub struct Ipc {}

impl Ipc {
    /// The ipc transport.
    pub fn new() -> Ipc {
        Ipc {}
    }
}

impl Transport for Ipc {
    fn schemes(&self) -> &[&'static str] {
        &["ipc"]
    }

    fn check(&self, address: &str, _: Role) -> Result<(), AddressError> {
        crate::grammar::tcp_address(address).map(drop)
    }

    fn connect(&self, _: &str, _: &StreamOptions) -> io::Result<Connection> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn listen(&self, _: &str, _: &StreamOptions) -> io::Result<Box<dyn Listener>> {
        Err(io::ErrorKind::Unsupported.into())
    }
}
