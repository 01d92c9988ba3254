//! Streams and listeners that are sockets: what tcp and ipc have in common.

use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd};

use rustix::io::Errno;

use crate::ipc::Claim;
use crate::{ByteStream, Connection, Listener, Source, StreamOptions, sys};

/// What differs between the sockets of tcp and ipc once they exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    Tcp,
    Ipc,
}

/// A stream socket.
pub(crate) struct SocketStream {
    descriptor: OwnedFd,
    family: Family,
    connecting: bool,
    peer_address: String,
    remote: String,
    /// The listener's endpoint, where the socket itself does not tell: accepted ipc streams.
    local: Option<String>,
}

impl SocketStream {
    /// A stream whose connection has been started.
    pub(crate) fn connecting(descriptor: OwnedFd, family: Family, remote: String) -> SocketStream {
        SocketStream {
            descriptor,
            family,
            connecting: true,
            peer_address: String::new(),
            remote,
            local: None,
        }
    }

    fn accepted(descriptor: OwnedFd, listener: &SocketListener) -> io::Result<SocketStream> {
        let mut stream = SocketStream {
            descriptor,
            family: listener.family,
            connecting: false,
            peer_address: String::new(),
            remote: String::new(),
            local: None,
        };
        match listener.family {
            Family::Tcp => {
                sys::set_connection(&stream.descriptor, &listener.options)?;
                let peer = sys::remote_address(&stream.descriptor)?;
                if let Ok(local) = sys::local_address(&stream.descriptor) {
                    sys::nearby::drop_pacing(&stream.descriptor, local, peer);
                }
                stream.peer_address = peer.ip().to_canonical().to_string();
                stream.remote = tcp_endpoint(peer);
            }
            Family::Ipc => {
                stream.peer_address = credentials(&stream.descriptor);
                stream.remote = "ipc://".to_owned();
                stream.local = Some(listener.endpoint.clone());
            }
        }
        Ok(stream)
    }

    /// Takes over a connected tcp socket that was made elsewhere.
    #[cfg(feature = "async")]
    pub(crate) fn adopted(descriptor: OwnedFd) -> io::Result<SocketStream> {
        let remote = tcp_endpoint(sys::remote_address(&descriptor)?);
        let mut stream = SocketStream::connecting(sys::adopt(descriptor)?, Family::Tcp, remote);
        stream.try_connected()?;
        Ok(stream)
    }
}

/// The endpoint of a tcp address. IPv4 peers of a dual-stack socket appear with their IPv4 address.
pub(crate) fn tcp_endpoint(mut address: SocketAddr) -> String {
    address.set_ip(address.ip().to_canonical());
    format!("tcp://{address}")
}

/// The peer of an ipc stream, in the form that ZAP handlers know from libzmq.
fn credentials(descriptor: &OwnedFd) -> String {
    match sys::peer_credentials(descriptor) {
        Some((user, group, process)) => format!("localhost:{user}:{group}:{process}"),
        None => "localhost".to_owned(),
    }
}

impl ByteStream for SocketStream {
    fn try_connected(&mut self) -> io::Result<bool> {
        if !self.connecting {
            return Ok(true);
        }
        if !sys::connected(&self.descriptor)? {
            return Ok(false);
        }
        match self.family {
            Family::Tcp => {
                let peer = sys::remote_address(&self.descriptor)?;
                let local = sys::local_address(&self.descriptor)?;
                if local == peer {
                    sys::abort_on_close(&self.descriptor);
                    let met = "nobody listens there: the connection met itself";
                    return Err(io::Error::new(io::ErrorKind::ConnectionRefused, met));
                }
                sys::nearby::drop_pacing(&self.descriptor, local, peer);
                self.peer_address = peer.ip().to_canonical().to_string();
            }
            Family::Ipc => self.peer_address = credentials(&self.descriptor),
        }
        self.connecting = false;
        Ok(true)
    }

    fn try_read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        sys::read(&self.descriptor, buffer)
    }

    fn try_read_spare(&mut self, buffer: &mut Vec<u8>) -> io::Result<usize> {
        sys::read_spare(&self.descriptor, buffer)
    }

    fn try_write(&mut self, chunks: &[IoSlice<'_>]) -> io::Result<usize> {
        sys::write(&self.descriptor, chunks)
    }

    fn source(&self) -> Source<'_> {
        Source::Descriptor(self.descriptor.as_fd())
    }

    fn peer_address(&self) -> &str {
        &self.peer_address
    }

    fn local_endpoint(&self) -> String {
        match (&self.local, self.family) {
            (Some(local), _) => local.clone(),
            (None, Family::Tcp) => sys::local_address(&self.descriptor)
                .map(tcp_endpoint)
                .unwrap_or_default(),
            (None, Family::Ipc) => format!(
                "ipc://{}",
                sys::unix_name(&self.descriptor).unwrap_or_default()
            ),
        }
    }

    fn remote_endpoint(&self) -> String {
        self.remote.clone()
    }
}

/// A listening socket.
pub(crate) struct SocketListener {
    // Dropped before the descriptor: whoever finds the name meanwhile still finds it alive.
    _claim: Option<Claim>,
    descriptor: OwnedFd,
    family: Family,
    endpoint: String,
    options: StreamOptions,
}

impl SocketListener {
    /// A listener over a socket that already listens.
    pub(crate) fn new(
        descriptor: OwnedFd,
        family: Family,
        endpoint: String,
        options: &StreamOptions,
    ) -> SocketListener {
        let mut options = options.clone();
        // It has been duplicated: holding it any longer would keep its port taken after the close.
        options.use_fd = None;
        SocketListener {
            _claim: None,
            descriptor,
            family,
            endpoint,
            options,
        }
    }

    /// Also removes a name from the file system at close.
    pub(crate) fn claiming(self, claim: Claim) -> SocketListener {
        SocketListener {
            _claim: Some(claim),
            ..self
        }
    }
}

/// Duplicates a bound socket that the application made, and makes it listen if it does not yet.
pub(crate) fn borrow_bound(descriptor: &OwnedFd, options: &StreamOptions) -> io::Result<OwnedFd> {
    let descriptor = sys::adopt(descriptor.try_clone()?)?;
    if !sys::is_listening(&descriptor) {
        sys::listen(&descriptor, options.backlog)?;
    }
    Ok(descriptor)
}

impl Listener for SocketListener {
    fn try_accept(&mut self) -> io::Result<Connection> {
        loop {
            match sys::accept(&self.descriptor) {
                // A connection that was lost while it waited refuses its settings: the next one, then.
                Ok(descriptor) => match SocketStream::accepted(descriptor, self) {
                    Ok(stream) => return Ok(Connection::Bytes(Box::new(stream))),
                    Err(_) => continue,
                },
                Err(Errno::AGAIN) => return Err(io::ErrorKind::WouldBlock.into()),
                Err(errno) if sys::concerns_one_connection(errno) => continue,
                Err(errno) => return Err(errno.into()),
            }
        }
    }

    fn endpoint(&self) -> &str {
        &self.endpoint
    }

    fn source(&self) -> Source<'_> {
        Source::Descriptor(self.descriptor.as_fd())
    }
}
