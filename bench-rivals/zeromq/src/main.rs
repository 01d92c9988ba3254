//! `zeromq` as a side of the bench.
//!
//! On one thread, as each end has one core. PUB is an XPUB, as only that tells of subscriptions.

use std::error::Error;
use std::future::Future;
use std::io::{stdin, stdout};
use std::time::Duration;

use bytes::Bytes;
use peer_script::{Contender, of_size, work};
use zeromq::{
    PullSocket, PushSocket, RepSocket, ReqSocket, Socket as _, SocketRecv as _, SocketSend as _,
    SubSocket, XPubSocket, ZmqMessage,
};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

fn main() -> Result<()> {
    let job = std::env::args().skip(1).collect::<Vec<_>>().join(" ");
    work(|_| Ok(Side), &job.parse()?, stdin(), &mut stdout().lock())
}

struct Side;

enum Socket {
    Push(PushSocket),
    Pull(PullSocket),
    Req(ReqSocket),
    Rep(RepSocket),
    Pub(XPubSocket),
    Sub(SubSocket),
}

macro_rules! each {
    ($socket:expr, $name:ident => $what:expr) => {
        match $socket {
            Socket::Push($name) => $what,
            Socket::Pull($name) => $what,
            Socket::Req($name) => $what,
            Socket::Rep($name) => $what,
            Socket::Pub($name) => $what,
            Socket::Sub($name) => $what,
        }
    };
}

fn size(message: &ZmqMessage) -> usize {
    message.iter().map(Bytes::len).sum()
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

    async fn open(&self, kind: &str, _: bool) -> Result<Socket> {
        Ok(match kind {
            "PUSH" => Socket::Push(PushSocket::new()),
            "PULL" => Socket::Pull(PullSocket::new()),
            "REQ" => Socket::Req(ReqSocket::new()),
            "REP" => Socket::Rep(RepSocket::new()),
            "PUB" => Socket::Pub(XPubSocket::new()),
            "SUB" => Socket::Sub(SubSocket::new()),
            _ => return Err(format!("no {kind} here").into()),
        })
    }

    async fn bind(&self, socket: &mut Socket, endpoint: &str) -> Result<String> {
        each!(socket, socket => Ok(socket.bind(endpoint).await?.to_string()))
    }

    async fn connect(&self, socket: &mut Socket, endpoint: &str) -> Result<()> {
        each!(socket, socket => Ok(socket.connect(endpoint).await?))
    }

    async fn subscribe(&self, socket: &mut Socket, topic: &[u8]) -> Result<()> {
        match socket {
            Socket::Sub(socket) => Ok(socket.subscribe(std::str::from_utf8(topic)?).await?),
            _ => Err("not a SUB".into()),
        }
    }

    async fn wait_subscribers(&self, socket: &mut Socket, count: u64) -> Result<()> {
        let Socket::Pub(socket) = socket else {
            return Err("not a PUB".into());
        };
        for _ in 0..count {
            socket.recv().await?;
        }
        Ok(())
    }

    async fn send(&self, socket: &mut Socket, octets: &'static [u8]) -> Result<()> {
        let message = ZmqMessage::from(Bytes::from_static(octets));
        match socket {
            Socket::Push(socket) => Ok(socket.send(message).await?),
            Socket::Req(socket) => Ok(socket.send(message).await?),
            Socket::Pub(socket) => Ok(socket.send(message).await?),
            _ => Err("a socket that only receives".into()),
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
                    let message = ZmqMessage::from(Bytes::from_static(octets));
                    socket.send(message).await?;
                }
                Ok(())
            }
            Socket::Pub(socket) => {
                for _ in 0..count {
                    let message = ZmqMessage::from(Bytes::from_static(octets));
                    socket.send(message).await?;
                }
                Ok(())
            }
            _ => Err("neither a PUSH nor a PUB".into()),
        }
    }

    async fn recv_many(&self, socket: &mut Socket, wanted: usize, count: u64) -> Result<()> {
        match socket {
            Socket::Pull(socket) => {
                for _ in 0..count {
                    of_size(size(&socket.recv().await?), wanted)?;
                }
                Ok(())
            }
            Socket::Sub(socket) => {
                for _ in 0..count {
                    of_size(size(&socket.recv().await?), wanted)?;
                }
                Ok(())
            }
            _ => Err("neither a PULL nor a SUB".into()),
        }
    }

    async fn recv(&self, socket: &mut Socket) -> Result<usize> {
        match socket {
            Socket::Pull(socket) => Ok(size(&socket.recv().await?)),
            Socket::Req(socket) => Ok(size(&socket.recv().await?)),
            Socket::Sub(socket) => Ok(size(&socket.recv().await?)),
            _ => Err("a socket that only sends".into()),
        }
    }

    async fn echo(&self, socket: &mut Socket) -> Result<()> {
        let Socket::Rep(socket) = socket else {
            return Err("not a REP".into());
        };
        let message = socket.recv().await?;
        Ok(socket.send(message).await?)
    }

    async fn close(&self, socket: Socket) -> Result<()> {
        // The last reply is still with a task.
        self.pause(LAST).await;
        drop(socket);
        Ok(())
    }
}

/// Sockets do not wait for what they were given to send.
const LAST: Duration = Duration::from_millis(20);
