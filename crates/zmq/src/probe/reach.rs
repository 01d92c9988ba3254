//! From an endpoint to a stream.

use std::io;
use std::os::fd::BorrowedFd;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use zmq_engine::Deadline;
use zmq_engine::transport::{ByteStream, Connection, Registry, Role, Source, StreamOptions};

/// What a probe talks over.
pub(super) type Stream = Box<dyn ByteStream>;

/// Why there is no stream.
pub(super) enum Unreached {
    /// The name has no address; no error when no name server answered in time.
    Name(Option<io::Error>),
    /// Nobody answered in time.
    TimedOut,
    /// The system said no.
    Refused(io::Error),
}

/// A stream to the first address that answers, or the last address with what was wrong with it.
pub(super) fn connect(
    endpoint: &str,
    deadline: &Deadline,
) -> Result<(String, Stream), (Option<String>, Unreached)> {
    let targets = resolve(endpoint, deadline).map_err(|error| (None, error))?;
    let mut last = (None, Unreached::Name(None));
    for target in targets {
        match open(endpoint, &target, deadline) {
            Ok(stream) => return Ok((target, stream)),
            Err(error) => last = (Some(target), error),
        }
    }
    Err(last)
}

fn options() -> StreamOptions {
    StreamOptions {
        ipv6: true,
        ..StreamOptions::default()
    }
}

fn resolve(endpoint: &str, deadline: &Deadline) -> Result<Vec<String>, Unreached> {
    let registry = Registry::standard();
    let parsed = registry
        .parse(endpoint, Role::Connect)
        .map_err(|error| Unreached::Refused(error.into()))?;
    let (transport, address) = (Arc::clone(parsed.transport), parsed.address.to_owned());
    let waits = transport.resolve_blocks(&address);
    let ask = move || transport.resolve(&address, &options());
    if !waits {
        return ask().map_err(|error| Unreached::Name(Some(error)));
    }
    // Name servers answer when they like: somebody else waits for them, and tells one who may have gone.
    let (tell, told) = mpsc::channel();
    thread::Builder::new()
        .name("zmq-probe-names".to_owned())
        .spawn(move || drop(tell.send(ask())))
        .map_err(Unreached::Refused)?;
    let left = deadline.left().unwrap_or(Duration::MAX);
    match told.recv_timeout(left) {
        Ok(targets) => targets.map_err(|error| Unreached::Name(Some(error))),
        Err(_) => Err(Unreached::Name(None)),
    }
}

fn open(endpoint: &str, target: &str, deadline: &Deadline) -> Result<Stream, Unreached> {
    let registry = Registry::standard();
    let parsed = registry
        .parse(endpoint, Role::Connect)
        .map_err(|error| Unreached::Refused(error.into()))?;
    let connection = parsed.transport.connect(target, &options());
    let Connection::Bytes(mut stream) = connection.map_err(Unreached::Refused)? else {
        let error = io::Error::new(io::ErrorKind::Unsupported, "not a stream of octets");
        return Err(Unreached::Refused(error));
    };
    while !stream.try_connected().map_err(Unreached::Refused)? {
        let ready = wait(&*stream, PollFlags::OUT, deadline);
        if !ready.map_err(Unreached::Refused)? {
            return Err(Unreached::TimedOut);
        }
    }
    Ok(stream)
}

/// Waits until the stream is worth trying. False: the time is over.
pub(super) fn wait(
    stream: &dyn ByteStream,
    events: PollFlags,
    deadline: &Deadline,
) -> io::Result<bool> {
    let descriptor: BorrowedFd<'_> = match stream.source() {
        Source::Descriptor(descriptor) => descriptor,
        Source::Waker => return Err(io::ErrorKind::Unsupported.into()),
    };
    loop {
        let left = deadline.left();
        let timeout = left.and_then(|left| Timespec::try_from(left).ok());
        match poll(
            &mut [PollFd::from_borrowed_fd(descriptor, events)],
            timeout.as_ref(),
        ) {
            Ok(0) if left.is_some_and(|left| left.is_zero()) => return Ok(false),
            Ok(0) | Err(Errno::INTR) => {}
            Ok(_) => return Ok(true),
            Err(error) => return Err(error.into()),
        }
    }
}
