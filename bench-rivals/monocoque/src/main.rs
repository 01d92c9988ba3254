//! `monocoque-rs` as a side of the bench.
//!
//! On tokio, which its documentation says is faster than io_uring for one stream over the loopback. What sends much has
//! write coalescing, and flushes at the end; what receives much takes batches.

use std::error::Error;
use std::future::Future;
use std::io::{stdin, stdout};
use std::time::Duration;

use bytes::Bytes;
use monocoque::SocketOptions;
use monocoque::rt::{LocalRuntime, TcpListener};
use monocoque::zmq::{PubSocket, PullSocket, PushSocket, RepSocket, ReqSocket, SubSocket};
use peer_script::{Contender, of_size, work};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

const SCHEME: &str = "tcp://";
/// Octets of a read, and of a write.
const BLOCK: usize = 64 << 10;
/// Nothing is dropped below it.
const UNBOUNDED: usize = 1_000_000;
/// How long subscriptions may take to arrive: there is no way to ask.
const ARRIVAL: Duration = Duration::from_millis(300);

fn main() -> Result<()> {
    let job = std::env::args().skip(1).collect::<Vec<_>>().join(" ");
    work(|_| Ok(Side), &job.parse()?, stdin(), &mut stdout().lock())
}

struct Side;

/// Sockets are made of a stream: those that bind wait for it, those that connect have it at once.
enum Socket {
    New(&'static str),
    Listening(&'static str, TcpListener),
    Push(Box<PushSocket>),
    Pull(Box<PullSocket>),
    Req(Box<ReqSocket>),
    Rep(Box<RepSocket>),
    Pub(Box<PubSocket>),
    Sub(Box<SubSocket>),
}

fn many() -> SocketOptions {
    let options = SocketOptions::default().with_buffer_sizes(BLOCK, BLOCK);
    options.with_write_coalescing(true).with_send_hwm(UNBOUNDED)
}

fn size(message: &[Bytes]) -> usize {
    message.iter().map(Bytes::len).sum()
}

impl Socket {
    /// Whoever has connected becomes the peer.
    async fn accept(&mut self) -> Result<()> {
        let Socket::Listening(kind, listener) = self else {
            return Ok(());
        };
        let (stream, _) = listener.accept().await?;
        *self = match *kind {
            "PULL" => {
                let pull = PullSocket::from_tcp_with_options(stream, many()).await?;
                Socket::Pull(Box::new(pull))
            }
            "REP" => Socket::Rep(Box::new(RepSocket::from_tcp(stream).await?)),
            kind => return Err(format!("a {kind} does not bind here").into()),
        };
        Ok(())
    }
}

fn gone() -> Box<dyn Error + Send + Sync> {
    "the peer has gone".into()
}

impl Contender for Side {
    type Socket = Socket;

    fn run<T>(&self, work: impl Future<Output = T>) -> T {
        LocalRuntime::new().expect("tokio starts").block_on(work)
    }

    async fn pause(&self, time: Duration) {
        monocoque::rt::sleep(time).await;
    }

    async fn open(&self, kind: &str, _: bool) -> Result<Socket> {
        let known = ["PUSH", "PULL", "REQ", "REP", "PUB", "SUB"];
        let kind = known.into_iter().find(|name| *name == kind);
        Ok(Socket::New(kind.ok_or("no such socket here")?))
    }

    async fn bind(&self, socket: &mut Socket, endpoint: &str) -> Result<String> {
        let address = endpoint.strip_prefix(SCHEME).ok_or("tcp only")?;
        let Socket::New(kind) = *socket else {
            return Err("bound or connected already".into());
        };
        if kind == "PUB" {
            // One worker: there is one core for it.
            let publisher = PubSocket::bind_with_workers_opts(address, 1, many()).await?;
            let bound = publisher.local_addr()?;
            *socket = Socket::Pub(Box::new(publisher));
            return Ok(format!("{SCHEME}{bound}"));
        }
        let listener = TcpListener::bind(address).await?;
        let bound = listener.local_addr()?;
        *socket = Socket::Listening(kind, listener);
        Ok(format!("{SCHEME}{bound}"))
    }

    async fn connect(&self, socket: &mut Socket, endpoint: &str) -> Result<()> {
        let address = endpoint.strip_prefix(SCHEME).ok_or("tcp only")?;
        let Socket::New(kind) = *socket else {
            return Err("bound or connected already".into());
        };
        *socket = match kind {
            "PUSH" => {
                let push = PushSocket::connect_with_options(address, many()).await?;
                Socket::Push(Box::new(push))
            }
            "REQ" => Socket::Req(Box::new(ReqSocket::connect(endpoint).await?)),
            "SUB" => {
                let mut subscriber = SubSocket::connect(endpoint).await?;
                subscriber.subscribe(b"").await?;
                Socket::Sub(Box::new(subscriber))
            }
            kind => return Err(format!("a {kind} does not connect here").into()),
        };
        Ok(())
    }

    /// To everything, which is what a subscriber does when it connects: it is made of the connection.
    async fn subscribe(&self, _: &mut Socket, topic: &[u8]) -> Result<()> {
        if topic.is_empty() {
            return Ok(());
        }
        Err("subscribes to everything only".into())
    }

    async fn wait_subscribers(&self, socket: &mut Socket, count: u64) -> Result<()> {
        let Socket::Pub(socket) = socket else {
            return Err("not a PUB".into());
        };
        for _ in 0..count {
            socket.accept_subscriber().await?;
        }
        self.pause(ARRIVAL).await;
        Ok(())
    }

    async fn send(&self, socket: &mut Socket, octets: &'static [u8]) -> Result<()> {
        let frame = Bytes::from_static(octets);
        match socket {
            Socket::Push(socket) => Ok(socket.send_one(frame).await?),
            Socket::Req(socket) => Ok(socket.send_one(frame).await?),
            Socket::Pub(socket) => Ok(socket.send_frames(&[frame]).await?),
            _ => Err("not connected, or a socket that only receives".into()),
        }
    }

    async fn send_many(
        &self,
        socket: &mut Socket,
        octets: &'static [u8],
        count: u64,
    ) -> Result<()> {
        match socket {
            Socket::Push(socket) => {
                for _ in 0..count {
                    socket.send_one(Bytes::from_static(octets)).await?;
                }
                Ok(())
            }
            Socket::Pub(socket) => {
                for _ in 0..count {
                    socket.send_frames(&[Bytes::from_static(octets)]).await?;
                }
                Ok(())
            }
            _ => Err("neither a connected PUSH nor a PUB".into()),
        }
    }

    async fn flush(&self, socket: &mut Socket) -> Result<()> {
        match socket {
            Socket::Push(socket) => Ok(socket.flush().await?),
            _ => Ok(()),
        }
    }

    async fn recv(&self, socket: &mut Socket) -> Result<usize> {
        socket.accept().await?;
        let message = match socket {
            Socket::Pull(socket) => socket.recv().await?,
            Socket::Req(socket) => socket.recv().await?,
            Socket::Sub(socket) => socket.recv().await?,
            _ => return Err("not connected, or a socket that only sends".into()),
        };
        Ok(size(&message.ok_or_else(gone)?))
    }

    async fn recv_many(&self, socket: &mut Socket, wanted: usize, count: u64) -> Result<()> {
        let Socket::Pull(socket) = socket else {
            return Err("not a PULL".into());
        };
        let mut left = count;
        while left > 0 {
            let batch = socket.recv_batch().await?.ok_or_else(gone)?;
            for message in &batch {
                of_size(size(message), wanted)?;
            }
            left = left.saturating_sub(batch.len() as u64);
        }
        Ok(())
    }

    async fn echo(&self, socket: &mut Socket) -> Result<()> {
        socket.accept().await?;
        let Socket::Rep(socket) = socket else {
            return Err("not a REP".into());
        };
        let message = socket.recv().await?.ok_or_else(gone)?;
        Ok(socket.send(message).await?)
    }

    async fn close(&self, socket: Socket) -> Result<()> {
        drop(socket);
        Ok(())
    }
}
