//! What can be wrong with an endpoint before anything is opened.

use std::error::Error;
use std::fmt;
use std::io;

use rustix::io::Errno;

use crate::Role;

/// An address that departs from its transport's grammar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AddressError {
    /// Something else was expected at an octet of the address.
    Unexpected {
        /// Offset into the address, octets.
        at: usize,
        /// What was met there; `None` at the end.
        met: Option<char>,
        /// What the grammar has there.
        expected: &'static str,
    },
    /// The address names no host.
    NoHost,
    /// A port above 65535.
    PortTooLarge {
        /// Offset of the port, octets.
        at: usize,
    },
    /// Longer than the operating system can hold.
    TooLong {
        /// Length met, octets.
        length: usize,
        /// Longest length possible, octets.
        limit: usize,
    },
    /// Right for the other end only, such as a wildcard to connect to.
    WrongRole {
        /// What the address was meant for.
        role: Role,
        /// What stands in the way.
        met: &'static str,
    },
}

impl fmt::Display for AddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            AddressError::Unexpected {
                at,
                met: Some(met),
                expected,
            } => {
                write!(
                    f,
                    "expected {expected} at offset {at} of the address, met {met:?}"
                )
            }
            AddressError::Unexpected {
                at,
                met: None,
                expected,
            } => {
                write!(
                    f,
                    "expected {expected} at offset {at}, where the address ends"
                )
            }
            AddressError::NoHost => f.write_str("the address names no host"),
            AddressError::PortTooLarge { at } => {
                write!(f, "the port at offset {at} of the address is above 65535")
            }
            AddressError::TooLong { length, limit } => {
                write!(f, "the address has {length} octets, the limit is {limit}")
            }
            AddressError::WrongRole {
                role: Role::Connect,
                met,
            } => write!(f, "cannot connect to {met}"),
            AddressError::WrongRole {
                role: Role::Bind,
                met,
            } => write!(f, "cannot bind {met}"),
        }
    }
}

impl Error for AddressError {}

impl From<AddressError> for io::Error {
    fn from(error: AddressError) -> io::Error {
        let kind = match error {
            AddressError::TooLong { .. } => io::ErrorKind::InvalidFilename,
            _ => io::ErrorKind::InvalidInput,
        };
        io::Error::new(kind, error)
    }
}

/// An endpoint that names no registered transport, or whose address that transport refuses.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EndpointError {
    /// There is no `://`, or nothing before it.
    NoScheme,
    /// Nothing follows `://`.
    NoAddress,
    /// No transport is registered under this scheme.
    UnknownScheme(String),
    /// The transport refuses the address.
    Address(AddressError),
}

impl fmt::Display for EndpointError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EndpointError::NoScheme => {
                f.write_str("the endpoint does not begin with a scheme and \"://\"")
            }
            EndpointError::NoAddress => f.write_str("the endpoint has no address after \"://\""),
            EndpointError::UnknownScheme(scheme) => {
                write!(f, "no transport is known for scheme {scheme:?}")
            }
            EndpointError::Address(error) => error.fmt(f),
        }
    }
}

impl Error for EndpointError {}

impl From<AddressError> for EndpointError {
    fn from(error: AddressError) -> EndpointError {
        EndpointError::Address(error)
    }
}

impl From<EndpointError> for io::Error {
    fn from(error: EndpointError) -> io::Error {
        match error {
            EndpointError::Address(error) => error.into(),
            EndpointError::UnknownScheme(_) => io::Error::new(io::ErrorKind::Unsupported, error),
            _ => io::Error::new(io::ErrorKind::InvalidInput, error),
        }
    }
}

/// Two transports want the same scheme.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DuplicateScheme {
    /// The scheme that is taken.
    pub scheme: &'static str,
}

impl fmt::Display for DuplicateScheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "a transport is already registered for scheme {:?}",
            self.scheme
        )
    }
}

impl Error for DuplicateScheme {}

/// Whether an error of [`Listener::try_accept`](crate::Listener::try_accept) means that descriptors or memory have
/// run out. The listener then stays readable, so that trying at once would spin: pause first.
pub fn is_shortage(error: &io::Error) -> bool {
    Errno::from_io_error(error).is_some_and(|errno| {
        matches!(
            errno,
            Errno::MFILE | Errno::NFILE | Errno::NOBUFS | Errno::NOMEM
        )
    })
}
