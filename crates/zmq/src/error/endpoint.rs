//! Errors of the verbs that take an endpoint.

use std::error::Error;
use std::fmt;

use zmq_engine::{EndpointError, EndpointProblem, OptionError};

use super::OpenError;

/// What is wrong with an endpoint, for code that decides by it. The text of the error says more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EndpointFault {
    /// It cannot be read as `scheme://address`, or nobody knows the scheme.
    Malformed,
    /// The routing id that the peer was to be known by is not 1 to 255 octets.
    BadName,
    /// Somebody else is bound there.
    InUse,
    /// The socket there is of a type this one cannot talk to.
    Incompatible,
    /// This socket is neither bound nor connected there.
    NotFound,
    /// The system refused it.
    System(std::io::ErrorKind),
    /// The socket was closed.
    Closed,
    /// The context was shut down.
    ContextShutDown,
    /// The socket could not be opened in the first place.
    NotOpen,
}

#[derive(Debug)]
pub(crate) enum Cause {
    Endpoint(EndpointError),
    NotOpen(OpenError),
    /// The name given to the peer is not one.
    Name(OptionError),
}

impl From<OpenError> for Cause {
    fn from(error: OpenError) -> Cause {
        Cause::NotOpen(error)
    }
}

impl From<EndpointError> for Cause {
    fn from(error: EndpointError) -> Cause {
        Cause::Endpoint(error)
    }
}

impl From<OptionError> for Cause {
    fn from(error: OptionError) -> Cause {
        Cause::Name(error)
    }
}

impl Cause {
    fn fault(&self) -> EndpointFault {
        let error = match self {
            Cause::Endpoint(error) => error,
            Cause::NotOpen(_) => return EndpointFault::NotOpen,
            Cause::Name(OptionError::Closed) => return EndpointFault::Closed,
            Cause::Name(_) => return EndpointFault::BadName,
        };
        match &error.problem {
            EndpointProblem::Address(_) => EndpointFault::Malformed,
            EndpointProblem::Io(error) if error.kind() == std::io::ErrorKind::AddrInUse => {
                EndpointFault::InUse
            }
            EndpointProblem::Io(error) => EndpointFault::System(error.kind()),
            EndpointProblem::InUse => EndpointFault::InUse,
            EndpointProblem::Incompatible { .. } => EndpointFault::Incompatible,
            EndpointProblem::Unknown => EndpointFault::NotFound,
            EndpointProblem::Terminated => EndpointFault::ContextShutDown,
            _ => EndpointFault::Closed,
        }
    }

    fn source(&self) -> &(dyn Error + 'static) {
        match self {
            Cause::Endpoint(error) => error,
            Cause::NotOpen(error) => error,
            Cause::Name(error) => error,
        }
    }
}

macro_rules! endpoint_error {
    ($(#[$doc:meta])* $name:ident, $deed:literal) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name(Cause);

        impl $name {
            /// What is wrong, for code that decides by it.
            #[must_use]
            pub fn fault(&self) -> EndpointFault {
                self.0.fault()
            }
        }

        impl<T: Into<Cause>> From<T> for $name {
            fn from(cause: T) -> $name {
                $name(cause.into())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!("cannot ", $deed, ": {}"), self.0.source())
            }
        }

        impl Error for $name {
            fn source(&self) -> Option<&(dyn Error + 'static)> {
                Some(self.0.source())
            }
        }
    };
}

endpoint_error! {
    /// Why a socket could not be bound.
    BindError, "bind"
}
endpoint_error! {
    /// Why an endpoint cannot be connected to. Whether somebody answers there is no matter of `connect`: see the
    /// [monitor](crate::monitor).
    ConnectError, "connect"
}
endpoint_error! {
    /// Why a socket could not be unbound.
    UnbindError, "unbind"
}
endpoint_error! {
    /// Why a socket could not be disconnected.
    DisconnectError, "disconnect"
}
