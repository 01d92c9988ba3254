//! Streams and listeners for async callers who use this crate alone, on any executor.
//!
//! Waiting for descriptors is done by async-io, and names are looked up on the threads of `blocking`: both are
//! process-wide and do not survive a fork. Nothing outside of this module touches them.
//!
//! # Example
//! ```
//! use zmq_transport::asynchronous::{bind, connect};
//!
//! # futures_lite::future::block_on(async {
//! let mut listener = bind("tcp://127.0.0.1:*").await?;
//! let mut client = connect(listener.endpoint()).await?;
//! let mut server = listener.accept().await?.into_stream()?;
//!
//! client.write_all(b"hello").await?;
//! let mut buffer = [0; 5];
//! server.read_exact(&mut buffer).await?;
//! assert_eq!(&buffer, b"hello");
//! # Ok::<(), std::io::Error>(())
//! # }).unwrap();
//! ```

use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::os::fd::OwnedFd;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

use async_io::Async;
use futures_lite::io::{AsyncRead, AsyncWrite};

use crate::socket::SocketStream;
use crate::{
    ByteStream, Connection, FramedStream, Listener, Registry, Role, Source, StreamOptions,
};

/// Connects to an endpoint of tcp or ipc with default settings, and waits until the connection stands.
///
/// # Errors
/// As [`connect_with`].
pub async fn connect(endpoint: &str) -> io::Result<AsyncStream> {
    connect_with(&Registry::standard(), endpoint, &StreamOptions::default())
        .await?
        .into_stream()
}

/// Connects to an endpoint of any registered transport, and waits until the connection stands. All addresses of a
/// name are tried in turn. Dropping the future gives the attempt up.
///
/// # Errors
/// The endpoint is malformed or its scheme unknown, its name is not found, or the failure of the last address tried.
pub async fn connect_with(
    registry: &Registry,
    endpoint: &str,
    options: &StreamOptions,
) -> io::Result<AsyncConnection> {
    let parsed = registry.parse(endpoint, Role::Connect)?;
    let transport = Arc::clone(parsed.transport);
    let (resolver, address, wanted) = (
        Arc::clone(&transport),
        parsed.address.to_owned(),
        options.clone(),
    );
    let targets = blocking::unblock(move || resolver.resolve(&address, &wanted)).await?;
    let mut failure = io::Error::from(io::ErrorKind::NotFound);
    for target in targets {
        let started = transport
            .connect(&target, options)
            .and_then(AsyncConnection::new);
        match started {
            Ok(mut connection) => match connection.established().await {
                Ok(()) => return Ok(connection),
                Err(error) => failure = error,
            },
            Err(error) => failure = error,
        }
    }
    Err(failure)
}

/// Listens on an endpoint of tcp or ipc with default settings.
///
/// # Errors
/// As [`bind_with`].
pub async fn bind(endpoint: &str) -> io::Result<AsyncListener> {
    bind_with(&Registry::standard(), endpoint, &StreamOptions::default()).await
}

/// Listens on an endpoint of any registered transport.
///
/// # Errors
/// The endpoint is malformed or its scheme unknown, or its transport cannot listen there.
pub async fn bind_with(
    registry: &Registry,
    endpoint: &str,
    options: &StreamOptions,
) -> io::Result<AsyncListener> {
    let parsed = registry.parse(endpoint, Role::Bind)?;
    let (transport, address, wanted) = (
        Arc::clone(parsed.transport),
        parsed.address.to_owned(),
        options.clone(),
    );
    let listener = blocking::unblock(move || transport.listen(&address, &wanted)).await?;
    Ok(AsyncListener {
        watch: Watch::new(listener.source())?,
        listener,
    })
}

/// What wakes a task when a source may be ready.
#[derive(Debug)]
enum Watch {
    // A duplicate: the reactor wants a descriptor that it can hold for as long as it watches.
    Descriptor(Async<OwnedFd>),
    Waker,
}

#[derive(Clone, Copy)]
enum Direction {
    Read,
    Write,
}

impl Watch {
    fn new(source: Source<'_>) -> io::Result<Watch> {
        match source {
            Source::Descriptor(descriptor) => Ok(Watch::Descriptor(Async::new_nonblocking(
                descriptor.try_clone_to_owned()?,
            )?)),
            Source::Waker => Ok(Watch::Waker),
        }
    }

    /// The waker to hand to the source before trying, if it calls one.
    fn waker<'c>(&self, context: &Context<'c>) -> Option<&'c Waker> {
        matches!(self, Watch::Waker).then(|| context.waker())
    }

    /// Called after a try that would have blocked; ready when it is worth trying again.
    fn poll_ready(&self, context: &mut Context<'_>, direction: Direction) -> Poll<io::Result<()>> {
        match (self, direction) {
            (Watch::Descriptor(descriptor), Direction::Read) => descriptor.poll_readable(context),
            (Watch::Descriptor(descriptor), Direction::Write) => descriptor.poll_writable(context),
            (Watch::Waker, _) => Poll::Pending,
        }
    }
}

/// Tries until it no longer would block.
macro_rules! poll_until {
    ($context:expr, $watch:expr, $direction:expr, $subject:expr, $attempt:expr) => {
        loop {
            if let Some(waker) = $watch.waker($context) {
                $subject.set_waker(waker);
            }
            match $attempt {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    if let Err(error) = ready!($watch.poll_ready($context, $direction)) {
                        break Poll::Ready(Err(error));
                    }
                }
                outcome => break Poll::Ready(outcome),
            }
        }
    };
}

/// Turns "not yet" into the error that means the same for all other calls.
fn or_would_block(connected: io::Result<bool>) -> io::Result<()> {
    match connected {
        Ok(true) => Ok(()),
        Ok(false) => Err(io::ErrorKind::WouldBlock.into()),
        Err(error) => Err(error),
    }
}

/// Where peers come in.
pub struct AsyncListener {
    watch: Watch,
    listener: Box<dyn Listener>,
}

impl AsyncListener {
    /// Waits for a connection. Cancel safe: a connection is taken only in the poll that returns it.
    ///
    /// # Errors
    /// As [`Listener::try_accept`]. After one that [`is_shortage`](crate::is_shortage) reports, pause before
    /// accepting again.
    pub async fn accept(&mut self) -> io::Result<AsyncConnection> {
        let accepted = poll_fn(|context| {
            poll_until!(
                context,
                self.watch,
                Direction::Read,
                self.listener,
                self.listener.try_accept()
            )
        });
        AsyncConnection::new(accepted.await?)
    }

    /// The endpoint as really bound.
    pub fn endpoint(&self) -> &str {
        self.listener.endpoint()
    }
}

/// What a transport yields, for async callers.
#[non_exhaustive]
pub enum AsyncConnection {
    /// A byte stream.
    Bytes(AsyncStream),
    /// Whole units.
    Framed(AsyncFramed),
}

impl AsyncConnection {
    fn new(connection: Connection) -> io::Result<AsyncConnection> {
        match connection {
            Connection::Bytes(stream) | Connection::Raw(stream) => {
                AsyncStream::new(stream).map(AsyncConnection::Bytes)
            }
            Connection::Framed(stream) => Ok(AsyncConnection::Framed(AsyncFramed {
                watch: Watch::new(stream.source())?,
                stream,
            })),
            Connection::Datagrams(_) => Err(io::Error::new(
                io::ErrorKind::Unsupported,
                "datagrams are not streams",
            )),
        }
    }

    async fn established(&mut self) -> io::Result<()> {
        match self {
            AsyncConnection::Bytes(AsyncStream { watch, stream }) => {
                poll_fn(|context| {
                    poll_until!(
                        context,
                        watch,
                        Direction::Write,
                        stream,
                        or_would_block(stream.try_connected())
                    )
                })
                .await
            }
            AsyncConnection::Framed(AsyncFramed { watch, stream }) => {
                poll_fn(|context| {
                    poll_until!(
                        context,
                        watch,
                        Direction::Write,
                        stream,
                        or_would_block(stream.try_connected())
                    )
                })
                .await
            }
        }
    }

    /// The byte stream.
    ///
    /// # Errors
    /// [`Unsupported`](io::ErrorKind::Unsupported): the transport carries whole units.
    pub fn into_stream(self) -> io::Result<AsyncStream> {
        match self {
            AsyncConnection::Bytes(stream) => Ok(stream),
            AsyncConnection::Framed(_) => Err(io::Error::new(
                io::ErrorKind::Unsupported,
                "the transport carries whole units, not octets",
            )),
        }
    }

    /// The stream of whole units.
    ///
    /// # Errors
    /// [`Unsupported`](io::ErrorKind::Unsupported): the transport carries octets.
    pub fn into_framed(self) -> io::Result<AsyncFramed> {
        match self {
            AsyncConnection::Framed(stream) => Ok(stream),
            AsyncConnection::Bytes(_) => Err(io::Error::new(
                io::ErrorKind::Unsupported,
                "the transport carries octets, not whole units",
            )),
        }
    }
}

/// A connected byte stream. It also implements the `AsyncRead` and `AsyncWrite` of the futures crates.
///
/// Use it from one task at a time: a transport that calls a waker knows only the last one it was given.
pub struct AsyncStream {
    watch: Watch,
    stream: Box<dyn ByteStream>,
}

impl AsyncStream {
    fn new(stream: Box<dyn ByteStream>) -> io::Result<AsyncStream> {
        Ok(AsyncStream {
            watch: Watch::new(stream.source())?,
            stream,
        })
    }

    /// Reads what is there, waiting for at least one octet; 0 is the end of the stream. Cancel safe.
    ///
    /// # Errors
    /// The link is lost.
    pub async fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        poll_fn(|context| Pin::new(&mut *self).poll_read(context, buffer)).await
    }

    /// Fills the buffer. Not cancel safe: what has been read so far is in the buffer.
    ///
    /// # Errors
    /// [`UnexpectedEof`](io::ErrorKind::UnexpectedEof) when the stream ends before; otherwise the link is lost.
    pub async fn read_exact(&mut self, buffer: &mut [u8]) -> io::Result<()> {
        let mut filled = 0;
        while filled < buffer.len() {
            match self.read(&mut buffer[filled..]).await? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                count => filled += count,
            }
        }
        Ok(())
    }

    /// Writes from the front of `octets`, waiting for room for at least one. Cancel safe.
    ///
    /// # Errors
    /// The link is lost.
    pub async fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        poll_fn(|context| Pin::new(&mut *self).poll_write(context, octets)).await
    }

    /// Writes all of `octets`. Not cancel safe: some may have been written.
    ///
    /// # Errors
    /// The link is lost.
    pub async fn write_all(&mut self, mut octets: &[u8]) -> io::Result<()> {
        while !octets.is_empty() {
            match self.write(octets).await? {
                0 => return Err(io::ErrorKind::WriteZero.into()),
                count => octets = &octets[count..],
            }
        }
        Ok(())
    }

    /// Who is at the other end: see [`ByteStream::peer_address`].
    pub fn peer_address(&self) -> &str {
        self.stream.peer_address()
    }

    /// The local end as an endpoint.
    pub fn local_endpoint(&self) -> String {
        self.stream.local_endpoint()
    }

    /// The other end as an endpoint.
    pub fn remote_endpoint(&self) -> String {
        self.stream.remote_endpoint()
    }
}

/// Takes over a connection that async-net has made, such as one through a proxy.
impl TryFrom<async_net::TcpStream> for AsyncStream {
    type Error = io::Error;

    fn try_from(stream: async_net::TcpStream) -> io::Result<AsyncStream> {
        let descriptor = std::os::fd::AsFd::as_fd(&stream).try_clone_to_owned()?;
        AsyncStream::new(Box::new(SocketStream::adopted(descriptor)?))
    }
}

impl AsyncRead for AsyncStream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let AsyncStream { watch, stream } = self.get_mut();
        poll_until!(
            context,
            watch,
            Direction::Read,
            stream,
            stream.try_read(buffer)
        )
    }
}

impl AsyncWrite for AsyncStream {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(context, &[IoSlice::new(octets)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        chunks: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let AsyncStream { watch, stream } = self.get_mut();
        poll_until!(
            context,
            watch,
            Direction::Write,
            stream,
            stream.try_write(chunks)
        )
    }

    /// There is nothing to flush: what was written is with the operating system.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    /// Closing is dropping.
    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// A connected stream of whole units.
pub struct AsyncFramed {
    watch: Watch,
    stream: Box<dyn FramedStream>,
}

impl AsyncFramed {
    /// Waits for a unit. Cancel safe.
    ///
    /// # Errors
    /// As [`FramedStream::try_receive`].
    pub async fn receive(&mut self) -> io::Result<Vec<u8>> {
        let AsyncFramed { watch, stream } = self;
        poll_fn(|context| {
            poll_until!(
                context,
                watch,
                Direction::Read,
                stream,
                stream.try_receive()
            )
        })
        .await
    }

    /// Waits until there is room for the unit and hands it over. Cancel safe: handed over or not at all.
    ///
    /// # Errors
    /// As [`FramedStream::try_transmit`].
    pub async fn transmit(&mut self, unit: &[u8]) -> io::Result<()> {
        let AsyncFramed { watch, stream } = self;
        poll_fn(|context| {
            poll_until!(
                context,
                watch,
                Direction::Write,
                stream,
                stream.try_transmit(unit)
            )
        })
        .await
    }

    /// Who is at the other end: see [`ByteStream::peer_address`].
    pub fn peer_address(&self) -> &str {
        self.stream.peer_address()
    }
}
