//! `omq-tokio` as a side of the bench.
//!
//! In the caller's runtime, on one thread, as each end has one core. Round trips over tcp are made by its exclusive sockets,
//! which it has for those who want them short; much is received in batches, as it advises.

use std::error::Error;
use std::future::Future;
use std::io::{stdin, stdout};
use std::time::Duration;

use bytes::Bytes;
use omq_tokio::{Message, Options, SocketType, exclusive};
use peer_script::{Contender, Job, of_size, work};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// Nothing is dropped below it.
const UNBOUNDED: u32 = 1_000_000;
/// Messages of a batch.
const BATCH: usize = 256;
const PATIENCE: Duration = Duration::from_secs(10);

fn main() -> Result<()> {
    let job = std::env::args().skip(1).collect::<Vec<_>>().join(" ");
    work(Side::new, &job.parse()?, stdin(), &mut stdout().lock())
}

struct Side {
    /// Both ends are in this process.
    inproc: bool,
}

impl Side {
    fn new(job: &Job) -> Result<Side> {
        Ok(Side {
            inproc: job.role.starts_with("inproc"),
        })
    }
}

enum Socket {
    Shared(omq_tokio::Socket),
    /// Of this type, until it is known whether it binds or connects.
    Exclusive(SocketType, Option<exclusive::Socket>),
}

impl Socket {
    fn shared(&self) -> Result<&omq_tokio::Socket> {
        match self {
            Socket::Shared(socket) => Ok(socket),
            Socket::Exclusive(..) => Err("an exclusive socket".into()),
        }
    }
}

impl Contender for Side {
    type Socket = Socket;

    fn run<T>(&self, work: impl Future<Output = T>) -> T {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        let runtime = builder.enable_all().build();
        runtime.expect("tokio starts").block_on(work)
    }

    async fn pause(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }

    async fn open(&self, kind: &str, unbounded: bool) -> Result<Socket> {
        let number = match kind {
            "PUSH" => SocketType::Push,
            "PULL" => SocketType::Pull,
            "REQ" => SocketType::Req,
            "REP" => SocketType::Rep,
            "PUB" => SocketType::Pub,
            "SUB" => SocketType::Sub,
            _ => return Err(format!("no {kind} here").into()),
        };
        if ["REQ", "REP"].contains(&kind) && !self.inproc {
            return Ok(Socket::Exclusive(number, None));
        }
        let mut options = Options::default().linger(PATIENCE);
        if unbounded {
            options = options.send_hwm(UNBOUNDED).recv_hwm(UNBOUNDED);
        }
        Ok(Socket::Shared(omq_tokio::Socket::new(number, options)))
    }

    async fn bind(&self, socket: &mut Socket, endpoint: &str) -> Result<String> {
        match socket {
            Socket::Shared(socket) => Ok(socket.bind(endpoint).await?.to_string()),
            Socket::Exclusive(kind, socket) => {
                let options = exclusive::Options::default();
                let (bound, endpoint) = exclusive::Socket::bind(*kind, endpoint, options).await?;
                *socket = Some(bound);
                Ok(endpoint.to_string())
            }
        }
    }

    async fn connect(&self, socket: &mut Socket, endpoint: &str) -> Result<()> {
        match socket {
            Socket::Shared(socket) => Ok(socket.connect(endpoint).await?),
            Socket::Exclusive(kind, socket) => {
                let options = exclusive::Options::default();
                *socket = Some(exclusive::Socket::connect(*kind, endpoint, options).await?);
                Ok(())
            }
        }
    }

    async fn subscribe(&self, socket: &mut Socket, topic: &[u8]) -> Result<()> {
        Ok(socket.shared()?.subscribe(topic.to_vec()).await?)
    }

    async fn wait_subscribers(&self, socket: &mut Socket, count: u64) -> Result<()> {
        socket.shared()?.wait_subscribed(count, PATIENCE).await?;
        Ok(())
    }

    async fn send(&self, socket: &mut Socket, octets: &'static [u8]) -> Result<()> {
        let message = Message::single(Bytes::from_static(octets));
        match socket {
            Socket::Shared(socket) => Ok(socket.send(message).await?),
            Socket::Exclusive(_, Some(socket)) => Ok(socket.send(&message).await?),
            Socket::Exclusive(_, None) => Err("neither bound nor connected".into()),
        }
    }

    async fn send_many(
        &self,
        socket: &mut Socket,
        octets: &'static [u8],
        count: u64,
    ) -> Result<()> {
        let socket = socket.shared()?;
        for _ in 0..count {
            let message = Message::single(Bytes::from_static(octets));
            socket.send(message).await?;
        }
        Ok(())
    }

    async fn recv(&self, socket: &mut Socket) -> Result<usize> {
        match socket {
            Socket::Shared(socket) => Ok(socket.recv().await?.byte_len()),
            Socket::Exclusive(_, Some(socket)) => Ok(socket.recv().await?.byte_len()),
            Socket::Exclusive(_, None) => Err("neither bound nor connected".into()),
        }
    }

    async fn recv_many(&self, socket: &mut Socket, size: usize, count: u64) -> Result<()> {
        let socket = socket.shared()?;
        let (mut left, mut batch) = (usize::try_from(count)?, Vec::with_capacity(BATCH));
        while left > 0 {
            left -= socket.recv_many_into(BATCH.min(left), &mut batch).await?;
            for message in batch.drain(..) {
                of_size(message.byte_len(), size)?;
            }
        }
        Ok(())
    }

    async fn recv_some(&self, socket: &mut Socket, size: usize, most: u64) -> Result<u64> {
        let mut batch = Vec::with_capacity(BATCH);
        let most = BATCH.min(usize::try_from(most)?);
        let count = socket.shared()?.recv_many_into(most, &mut batch).await?;
        for message in batch.drain(..) {
            of_size(message.byte_len(), size)?;
        }
        Ok(count as u64)
    }

    async fn echo(&self, socket: &mut Socket) -> Result<()> {
        match socket {
            Socket::Shared(socket) => {
                let message = socket.recv().await?;
                Ok(socket.send(message).await?)
            }
            Socket::Exclusive(_, Some(socket)) => {
                let message = socket.recv().await?;
                Ok(socket.send(&message).await?)
            }
            Socket::Exclusive(_, None) => Err("neither bound nor connected".into()),
        }
    }

    async fn close(&self, socket: Socket) -> Result<()> {
        match socket {
            Socket::Shared(socket) => Ok(socket.close().await?),
            Socket::Exclusive(_, Some(mut socket)) => Ok(socket.close().await?),
            Socket::Exclusive(_, None) => Ok(()),
        }
    }
}
