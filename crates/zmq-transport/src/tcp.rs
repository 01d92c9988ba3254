//! The tcp transport.

use std::io;

use crate::{AddressError, Connection, Listener, Role, StreamOptions, Transport};

/// The tcp transport.
#[derive(Clone, Debug, Default)]
pub struct Tcp {}

impl Tcp {
    /// The tcp transport.
    pub fn new() -> Tcp {
        Tcp {}
    }
}

impl Transport for Tcp {
    fn schemes(&self) -> &[&'static str] {
        &["tcp"]
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
