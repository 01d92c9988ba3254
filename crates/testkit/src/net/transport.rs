//! The network as transports that an engine can be given.

use std::io;

use zmq_transport::{AddressError, Connection, Listener, Role, StreamOptions, Transport};

use super::Net;
use super::stream::{SimFramed, SimStream};

/// Byte streams: scheme `sim`.
#[derive(Clone, Debug)]
pub struct SimTransport(pub Net);

/// Framed messages: scheme `simf`.
#[derive(Clone, Debug)]
pub struct SimFramedTransport(pub Net);

fn check(address: &str) -> Result<(), AddressError> {
    match address.find('/') {
        None if !address.is_empty() => Ok(()),
        None => Err(AddressError::NoHost),
        Some(at) => Err(AddressError::Unexpected {
            at,
            met: Some('/'),
            expected: "a name without a slash",
        }),
    }
}

impl Transport for SimTransport {
    fn schemes(&self) -> &[&'static str] {
        &["sim"]
    }

    fn check(&self, address: &str, _role: Role) -> Result<(), AddressError> {
        check(address)
    }

    fn resolve_blocks(&self, _address: &str) -> bool {
        false
    }

    fn connect(&self, target: &str, _options: &StreamOptions) -> io::Result<Connection> {
        let end = self.0.connect_end(target, false)?;
        Ok(Connection::Bytes(Box::new(SimStream::new(end))))
    }

    fn listen(&self, address: &str, _options: &StreamOptions) -> io::Result<Box<dyn Listener>> {
        self.0.bind(address, false)
    }
}

impl Transport for SimFramedTransport {
    fn schemes(&self) -> &[&'static str] {
        &["simf"]
    }

    fn check(&self, address: &str, _role: Role) -> Result<(), AddressError> {
        check(address)
    }

    fn resolve_blocks(&self, _address: &str) -> bool {
        false
    }

    fn connect(&self, target: &str, _options: &StreamOptions) -> io::Result<Connection> {
        let end = self.0.connect_end(target, true)?;
        Ok(Connection::Framed(Box::new(SimFramed::new(end))))
    }

    fn listen(&self, address: &str, _options: &StreamOptions) -> io::Result<Box<dyn Listener>> {
        self.0.bind(address, true)
    }
}
