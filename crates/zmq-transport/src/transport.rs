//! What a transport is: the traits every scheme implements and every engine drives.

use std::io::{self, IoSlice};
use std::os::fd::{AsRawFd, BorrowedFd};
use std::task::Waker;

use crate::{AddressError, StreamOptions};

/// Which end of a connection an address is meant for. Some addresses make sense for one only: a wildcard can be
/// bound, not connected to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// The address will be listened on.
    Bind,
    /// The address will be dialed.
    Connect,
}

/// One way of reaching peers: turns the addresses of its schemes into connections.
///
/// Implement it to add a scheme of your own; see [`Registry::register`](crate::Registry::register). All methods
/// take `&self` and may be called from several threads at once.
///
/// Only [`resolve`](Transport::resolve) and [`listen`](Transport::listen) may block, and only for names.
pub trait Transport: Send + Sync + 'static {
    /// The schemes served, such as `["tcp"]`: the part of an endpoint before `://`. Case matters.
    fn schemes(&self) -> &[&'static str];

    /// Looks at the syntax of `address` (the part after `://`) and nothing else: no name is looked up, no file opened.
    ///
    /// # Errors
    /// Where the address departs from the grammar, and what was expected there.
    fn check(&self, address: &str, role: Role) -> Result<(), AddressError>;

    /// Turns an address into targets for [`connect`](Transport::connect), to be tried in order.
    ///
    /// Call it anew for every attempt, so that a name that has moved is followed. May block for as long as a name
    /// server takes: call it from a thread that may wait. Transports without names keep the default, which hands the
    /// address back.
    ///
    /// # Errors
    /// [`NotFound`](io::ErrorKind::NotFound) when a name or an interface is unknown; other failures of the resolver.
    fn resolve(&self, address: &str, options: &StreamOptions) -> io::Result<Vec<String>> {
        let _ = options;
        Ok(vec![address.to_owned()])
    }

    /// Whether [`resolve`](Transport::resolve) may block for this address. When in doubt, yes; an address without a name
    /// in it needs no detour over a thread that may wait.
    fn resolve_blocks(&self, address: &str) -> bool {
        let _ = address;
        true
    }

    /// Starts to connect to one target that [`resolve`](Transport::resolve) gave. Never blocks; the connection says
    /// through `try_connected` when it is there.
    ///
    /// # Errors
    /// Whatever the operating system answers at once, such as `ConnectionRefused` or `NotFound`.
    fn connect(&self, target: &str, options: &StreamOptions) -> io::Result<Connection>;

    /// Starts to listen. May block when the address holds a name.
    ///
    /// # Errors
    /// `AddrInUse`, `AddrNotAvailable`, `NotFound` for an unknown name or interface, `PermissionDenied`, and others of
    /// the operating system.
    fn listen(&self, address: &str, options: &StreamOptions) -> io::Result<Box<dyn Listener>>;
}

/// Where peers come in. Dropping it stops listening and removes what it left in the file system.
pub trait Listener: Send {
    /// Takes one waiting connection. Never blocks. Connections that broke while they waited are passed over.
    ///
    /// # Errors
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) when none waits. A shortage of descriptors or memory (`EMFILE`,
    /// `ENFILE`, `ENOBUFS`, `ENOMEM`: see [`is_shortage`](crate::is_shortage)) leaves the connection waiting
    /// and the listener readable: pause before trying again.
    fn try_accept(&mut self) -> io::Result<Connection>;

    /// The endpoint as really bound, with scheme: wildcards and port 0 are replaced by what was chosen.
    fn endpoint(&self) -> &str;

    /// How to learn that [`try_accept`](Listener::try_accept) is worth calling.
    fn source(&self) -> Source<'_>;

    /// Replaces the waker to call when a connection may be waiting. Only for [`Source::Waker`].
    fn set_waker(&mut self, waker: &Waker) {
        let _ = waker;
    }
}

/// How the owner of a connection or listener learns that it is worth trying again.
#[derive(Clone, Copy, Debug)]
pub enum Source<'a> {
    /// A descriptor to watch with poll, epoll, kqueue; level- and edge-triggered both work.
    Descriptor(BorrowedFd<'a>),
    /// There is no descriptor: the object calls the waker it was last given by `set_waker`, from any thread, whenever
    /// it may have become ready. Set the waker first and try afterwards, so that no wake-up falls in between.
    Waker,
}

/// What a transport yields.
#[non_exhaustive]
pub enum Connection {
    /// A byte stream that carries ZMTP with its greeting: tcp, ipc.
    Bytes(Box<dyn ByteStream>),
    /// A transport that keeps the boundaries of frames itself: WebSocket, shared memory.
    Framed(Box<dyn FramedStream>),
    /// Datagrams without a connection: udp.
    Datagrams(Box<dyn Datagrams>),
    /// A byte stream that carries no ZMTP at all.
    Raw(Box<dyn ByteStream>),
}

impl Connection {
    /// How to learn that the connection is worth trying again, whatever its kind.
    pub fn source(&self) -> Source<'_> {
        match self {
            Connection::Bytes(stream) | Connection::Raw(stream) => stream.source(),
            Connection::Framed(stream) => stream.source(),
            Connection::Datagrams(datagrams) => datagrams.source(),
        }
    }
}

impl Connection {
    /// Where the other end is: see [`ByteStream::peer_address`]. Empty for datagrams, which have none.
    pub fn peer_address(&self) -> &str {
        match self {
            Connection::Bytes(stream) | Connection::Raw(stream) => stream.peer_address(),
            Connection::Framed(stream) => stream.peer_address(),
            Connection::Datagrams(_) => "",
        }
    }
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (kind, peer) = match self {
            Connection::Bytes(stream) => ("Bytes", stream.peer_address()),
            Connection::Raw(stream) => ("Raw", stream.peer_address()),
            Connection::Framed(stream) => ("Framed", stream.peer_address()),
            Connection::Datagrams(_) => ("Datagrams", ""),
        };
        f.debug_tuple(kind).field(&peer).finish()
    }
}

/// A connected, or still connecting, stream of octets. No method blocks. Dropping it closes it.
pub trait ByteStream: Send {
    /// Whether the connection stands. `Ok(false)`: still under way, ask again after writability or a wake-up.
    /// Accepted streams answer `Ok(true)`.
    ///
    /// # Errors
    /// The attempt failed, and why. The stream is of no use any more. A tcp connection that met itself (dialing a
    /// local port nobody listens on can do that) reports [`ConnectionRefused`](io::ErrorKind::ConnectionRefused).
    fn try_connected(&mut self) -> io::Result<bool>;

    /// Reads into the front of `buffer` and returns the number of octets; 0 is the end of the stream.
    ///
    /// # Errors
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) when nothing has arrived; otherwise the link is lost.
    fn try_read(&mut self, buffer: &mut [u8]) -> io::Result<usize>;

    /// While it is still connecting: whether it waits for something to read and not for room to write.
    fn connects_by_reading(&self) -> bool {
        false
    }

    /// Reads into the spare capacity of `buffer` without clearing it first, lengthens `buffer` by what was read, and
    /// returns that number; 0 is the end of the stream.
    ///
    /// # Errors
    /// As [`try_read`](ByteStream::try_read); [`InvalidInput`](io::ErrorKind::InvalidInput) when there is no spare
    /// capacity, which would otherwise look like the end of the stream.
    fn try_read_spare(&mut self, buffer: &mut Vec<u8>) -> io::Result<usize>;

    /// Writes octets from the front of `chunks` and returns how many. Never raises SIGPIPE.
    ///
    /// # Errors
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) when there is no room; otherwise the link is lost.
    fn try_write(&mut self, chunks: &[IoSlice<'_>]) -> io::Result<usize>;

    /// How to learn that the stream is worth trying again.
    fn source(&self) -> Source<'_>;

    /// Replaces the waker to call when the stream may be ready. Only for [`Source::Waker`].
    fn set_waker(&mut self, waker: &Waker) {
        let _ = waker;
    }

    /// Who is at the other end, as ZAP and the `Peer-Address` property say it: `127.0.0.1`, `localhost:uid:gid:pid`.
    fn peer_address(&self) -> &str;

    /// The local end as an endpoint, `tcp://127.0.0.1:5555`.
    fn local_endpoint(&self) -> String;

    /// The other end as an endpoint.
    fn remote_endpoint(&self) -> String;

    /// The number of the descriptor for monitor events, if there is one.
    fn descriptor(&self) -> Option<i32> {
        match self.source() {
            Source::Descriptor(descriptor) => Some(descriptor.as_raw_fd()),
            Source::Waker => None,
        }
    }
}

/// A connected, or still connecting, stream of whole units: one unit is one ZMTP frame or command, its first octet
/// the flags (00 last, 01 more, 02 command), the rest the body. No method blocks. Dropping it closes it.
pub trait FramedStream: Send {
    /// As [`ByteStream::try_connected`].
    ///
    /// # Errors
    /// As [`ByteStream::try_connected`].
    fn try_connected(&mut self) -> io::Result<bool>;

    /// Takes one unit.
    ///
    /// # Errors
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) when none is there,
    /// [`UnexpectedEof`](io::ErrorKind::UnexpectedEof) when the peer has closed; otherwise the link is lost.
    fn try_receive(&mut self) -> io::Result<Vec<u8>>;

    /// Hands over one unit, whole or not at all.
    ///
    /// # Errors
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) when there is no room; otherwise the link is lost.
    fn try_transmit(&mut self, unit: &[u8]) -> io::Result<()>;

    /// As [`ByteStream::source`].
    fn source(&self) -> Source<'_>;

    /// As [`ByteStream::set_waker`].
    fn set_waker(&mut self, waker: &Waker) {
        let _ = waker;
    }

    /// As [`ByteStream::peer_address`].
    fn peer_address(&self) -> &str;

    /// As [`ByteStream::local_endpoint`].
    fn local_endpoint(&self) -> String;

    /// As [`ByteStream::remote_endpoint`].
    fn remote_endpoint(&self) -> String;

    /// As [`ByteStream::descriptor`].
    fn descriptor(&self) -> Option<i32> {
        match self.source() {
            Source::Descriptor(descriptor) => Some(descriptor.as_raw_fd()),
            Source::Waker => None,
        }
    }
}

/// Datagrams: no connection, no order, no promise. No method blocks. Dropping it closes it.
pub trait Datagrams: Send {
    /// Takes one datagram: appends its payload to `buffer` and returns who sent it, as `address:port`.
    ///
    /// # Errors
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) when none is there.
    fn try_receive_from(&mut self, buffer: &mut Vec<u8>) -> io::Result<String>;

    /// Sends one datagram, to `target` (`address:port`) or, with `None`, to where this end was connected.
    ///
    /// # Errors
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) when there is no room; `EMSGSIZE` when it is too large.
    fn try_send_to(&mut self, payload: &[u8], target: Option<&str>) -> io::Result<()>;

    /// As [`ByteStream::source`].
    fn source(&self) -> Source<'_>;

    /// As [`ByteStream::set_waker`].
    fn set_waker(&mut self, waker: &Waker) {
        let _ = waker;
    }

    /// As [`ByteStream::local_endpoint`].
    fn local_endpoint(&self) -> String;
}
