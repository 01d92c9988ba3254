//! Numbers that say what went wrong, and where they come from.

use std::ffi::{c_char, c_int};
use std::io;

use zmq_engine::transport::{AddressError, EndpointError as Address};
use zmq_engine::{EndpointError, EndpointProblem, OpenError, OptionError, RecvError, SendFailure};

use crate::raw;

/// A value of `errno`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Errno(pub(crate) c_int);

/// Where the numbers of ZeroMQ's own begin, out of the way of every system's.
const OWN: c_int = 156_384_712;

impl Errno {
    pub(crate) const FSM: Errno = Errno(OWN + 51);
    pub(crate) const NO_COMPATIBLE_PROTOCOL: Errno = Errno(OWN + 52);
    pub(crate) const TERM: Errno = Errno(OWN + 53);
    pub(crate) const NO_THREAD: Errno = Errno(OWN + 54);
    pub(crate) const AGAIN: Errno = Errno(libc::EAGAIN);
    pub(crate) const FAULT: Errno = Errno(libc::EFAULT);
    pub(crate) const INTERRUPTED: Errno = Errno(libc::EINTR);
    pub(crate) const INVALID: Errno = Errno(libc::EINVAL);
    pub(crate) const NO_MEMORY: Errno = Errno(libc::ENOMEM);
    pub(crate) const NOT_A_SOCKET: Errno = Errno(libc::ENOTSOCK);
    pub(crate) const NOT_SUPPORTED: Errno = Errno(libc::ENOTSUP);
    pub(crate) const NO_ENTRY: Errno = Errno(libc::ENOENT);
    pub(crate) const PROTOCOL: Errno = Errno(libc::EPROTONOSUPPORT);
    pub(crate) const TOO_MANY: Errno = Errno(libc::EMFILE);
    pub(crate) const UNREACHABLE: Errno = Errno(libc::EHOSTUNREACH);
    pub(crate) const BAD_DESCRIPTOR: Errno = Errno(libc::EBADF);
    /// A panic was caught. It is a bug of this library, and libzmq has no number for one.
    pub(crate) const PANIC: Errno = Errno(libc::ENOTRECOVERABLE);
}

impl From<&io::Error> for Errno {
    fn from(error: &io::Error) -> Errno {
        if let Some(number) = error.raw_os_error() {
            return Errno(number);
        }
        Errno(match error.kind() {
            io::ErrorKind::InvalidFilename => libc::ENAMETOOLONG,
            io::ErrorKind::AddrInUse | io::ErrorKind::AlreadyExists => libc::EADDRINUSE,
            io::ErrorKind::AddrNotAvailable => libc::EADDRNOTAVAIL,
            io::ErrorKind::PermissionDenied => libc::EACCES,
            io::ErrorKind::Unsupported => libc::EPROTONOSUPPORT,
            io::ErrorKind::InvalidInput => libc::EINVAL,
            io::ErrorKind::OutOfMemory => libc::ENOMEM,
            // A name that cannot be resolved, or that names no interface.
            _ => libc::ENODEV,
        })
    }
}

impl From<SendFailure> for Errno {
    fn from(reason: SendFailure) -> Errno {
        match reason {
            SendFailure::WouldBlock | SendFailure::TimedOut => Errno::AGAIN,
            SendFailure::Unroutable => Errno::UNREACHABLE,
            SendFailure::WrongState(_) => Errno::FSM,
            SendFailure::WrongDirection(_) => Errno::NOT_SUPPORTED,
            SendFailure::Closed => Errno::NOT_A_SOCKET,
            SendFailure::Terminated => Errno::TERM,
            SendFailure::Interrupted => Errno::INTERRUPTED,
            _ => Errno::INVALID,
        }
    }
}

impl From<RecvError> for Errno {
    fn from(error: RecvError) -> Errno {
        match error {
            RecvError::WouldBlock | RecvError::TimedOut => Errno::AGAIN,
            RecvError::WrongState(_) => Errno::FSM,
            RecvError::WrongDirection(_) => Errno::NOT_SUPPORTED,
            RecvError::Closed => Errno::NOT_A_SOCKET,
            RecvError::Terminated => Errno::TERM,
            RecvError::Interrupted => Errno::INTERRUPTED,
            _ => Errno::INVALID,
        }
    }
}

impl From<&EndpointError> for Errno {
    fn from(error: &EndpointError) -> Errno {
        match &error.problem {
            EndpointProblem::Address(Address::UnknownScheme(_)) => Errno::PROTOCOL,
            EndpointProblem::Address(Address::Address(AddressError::TooLong { .. })) => {
                Errno(libc::ENAMETOOLONG)
            }
            EndpointProblem::Io(error) => Errno::from(error),
            EndpointProblem::InUse => Errno(libc::EADDRINUSE),
            EndpointProblem::Incompatible { .. } => Errno::NO_COMPATIBLE_PROTOCOL,
            EndpointProblem::Unknown => Errno::NO_ENTRY,
            EndpointProblem::Closed => Errno::NOT_A_SOCKET,
            EndpointProblem::Terminated => Errno::TERM,
            _ => Errno::INVALID,
        }
    }
}

impl From<&OpenError> for Errno {
    fn from(error: &OpenError) -> Errno {
        match error {
            OpenError::Terminated => Errno::TERM,
            OpenError::TooManySockets { .. } => Errno::TOO_MANY,
            OpenError::Io(error) => Errno::from(error),
            _ => Errno::INVALID,
        }
    }
}

impl From<OptionError> for Errno {
    fn from(error: OptionError) -> Errno {
        match error {
            OptionError::Closed => Errno::TERM,
            _ => Errno::INVALID,
        }
    }
}

/// The last error of the calling thread.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn zmq_errno() -> c_int {
    raw::errno()
}

/// What an error number means, in words.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn zmq_strerror(errnum: c_int) -> *const c_char {
    let text = match Errno(errnum) {
        Errno::FSM => c"Operation cannot be accomplished in current state",
        Errno::NO_COMPATIBLE_PROTOCOL => c"The protocol is not compatible with the socket type",
        Errno::TERM => c"Context was terminated",
        Errno::NO_THREAD => c"No thread available",
        Errno::UNREACHABLE => c"Host unreachable",
        _ => return raw::system_text(errnum),
    };
    text.as_ptr()
}

/// The version of libzmq whose behaviour this library has.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn zmq_version(major: *mut c_int, minor: *mut c_int, patch: *mut c_int) {
    raw::put(major, 4);
    raw::put(minor, 3);
    raw::put(patch, 5);
}
