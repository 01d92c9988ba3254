//! The async face, on one executor or another.

use std::future::Future;
use std::time::Duration;

use peer_script::{Contender, Job, of_size};
use zmq::{Dealer, Frame, Pub, Pull, Push, Rep, Req, Router, Sub};

use super::lists;
use super::opening::{LINGER, Opening, Result, all_sent, each, open, sockets, unfit};

sockets!();

/// What runs the futures of a thread.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Executor {
    /// The facade's own `block_on`.
    Own,
    /// The plainest there is: it polls the one future, and sleeps until it is woken.
    Bare,
    /// One runtime for each thread of the run, as each has a core of its own.
    Tokio,
    /// It waits in the reactor itself.
    Smol,
}

/// The async face.
pub(crate) struct Asynchronous {
    opening: Opening,
    executor: Executor,
    /// Messages a call: one, or a list.
    at_once: usize,
}

impl Asynchronous {
    pub(crate) fn new(job: &Job, executor: Executor, at_once: usize) -> Result<Asynchronous> {
        Ok(Asynchronous {
            opening: Opening::new(job)?,
            executor,
            at_once,
        })
    }
}

impl Contender for Asynchronous {
    type Socket = Socket;

    /// # Panics
    /// When tokio does not start: nothing can be measured then.
    fn run<T>(&self, work: impl Future<Output = T>) -> T {
        match self.executor {
            Executor::Own => zmq::block_on(work),
            Executor::Bare => futures_lite::future::block_on(work),
            Executor::Smol => smol::block_on(work),
            Executor::Tokio => {
                let mut builder = tokio::runtime::Builder::new_current_thread();
                let runtime = builder.enable_all().build();
                runtime.expect("tokio starts").block_on(work)
            }
        }
    }

    async fn pause(&self, time: Duration) {
        match self.executor {
            Executor::Tokio => tokio::time::sleep(time).await,
            Executor::Own | Executor::Bare | Executor::Smol => {
                smol::Timer::after(time).await;
            }
        }
    }

    async fn open(&self, kind: &str, unbounded: bool) -> Result<Socket> {
        Ok(open!(&self.opening, kind, unbounded))
    }

    async fn bind(&self, socket: &mut Socket, endpoint: &str) -> Result<String> {
        each!(socket, socket => Ok(socket.bind(endpoint).await?.to_string()))
    }

    async fn connect(&self, socket: &mut Socket, endpoint: &str) -> Result<()> {
        each!(socket, socket => Ok(socket.connect(endpoint)?))
    }

    async fn subscribe(&self, socket: &mut Socket, topic: &[u8]) -> Result<()> {
        match socket {
            Socket::Sub(socket) => Ok(socket.subscribe(topic)?),
            _ => Err(unfit()),
        }
    }

    async fn wait_subscribers(&self, socket: &mut Socket, count: u64) -> Result<()> {
        match socket {
            Socket::Pub(socket) => Ok(socket.subscribers(usize::try_from(count)?).await?),
            _ => Err(unfit()),
        }
    }

    #[inline]
    async fn send(&self, socket: &mut Socket, octets: &'static [u8]) -> Result<()> {
        let frame = Frame::from_static(octets);
        match socket {
            Socket::Push(socket) => Ok(socket.send(frame).await?),
            Socket::Dealer(socket) => Ok(socket.send(frame).await?),
            Socket::Pub(socket) => Ok(socket.send(frame)?),
            Socket::Req(socket, reply) => {
                *reply = Some(socket.request(frame).await?);
                Ok(())
            }
            _ => Err(unfit()),
        }
    }

    async fn send_many(
        &self,
        socket: &mut Socket,
        octets: &'static [u8],
        count: u64,
    ) -> Result<()> {
        match socket {
            Socket::Push(socket) if self.at_once > 1 => {
                let (mut list, mut left) = (Vec::new(), count);
                while left > 0 {
                    lists::fill(&mut list, octets, &mut left);
                    socket.send_many(&mut list).await?;
                }
            }
            Socket::Push(socket) => {
                for _ in 0..count {
                    socket.send(Frame::from_static(octets)).await?;
                }
            }
            Socket::Pub(socket) => {
                for _ in 0..count {
                    socket.send(Frame::from_static(octets))?;
                }
            }
            _ => return Err(unfit()),
        }
        Ok(())
    }

    async fn recv_many(&self, socket: &mut Socket, size: usize, count: u64) -> Result<()> {
        match socket {
            Socket::Pull(socket) if self.at_once > 1 => {
                let (mut list, mut left) = (Vec::new(), count);
                while left > 0 {
                    left -= socket.recv_many(&mut list, lists::most(left)).await? as u64;
                    lists::check(&mut list, size)?;
                }
            }
            Socket::Pull(socket) => {
                for _ in 0..count {
                    of_size(socket.recv().await?.byte_len(), size)?;
                }
            }
            Socket::Sub(socket) => {
                for _ in 0..count {
                    of_size(socket.recv().await?.byte_len(), size)?;
                }
            }
            _ => return Err(unfit()),
        }
        Ok(())
    }

    #[inline]
    async fn recv(&self, socket: &mut Socket) -> Result<usize> {
        let message = match socket {
            Socket::Pull(socket) => socket.recv().await?,
            Socket::Sub(socket) => socket.recv().await?,
            Socket::Dealer(socket) => socket.recv().await?,
            Socket::Req(_, reply) => reply.take().ok_or("nothing was asked")?,
            _ => return Err(unfit()),
        };
        Ok(message.byte_len())
    }

    async fn recv_some(&self, socket: &mut Socket, size: usize, most: u64) -> Result<u64> {
        let most = lists::most(most);
        let mut list = Vec::new();
        let one_by_one = self.at_once == 1;
        let count = match socket {
            Socket::Pull(socket) if one_by_one => {
                of_size(socket.recv().await?.byte_len(), size)?;
                return lists::drain(|| socket.try_recv(), size, most);
            }
            Socket::Sub(socket) if one_by_one => {
                of_size(socket.recv().await?.byte_len(), size)?;
                return lists::drain(|| socket.try_recv(), size, most);
            }
            Socket::Pull(socket) => socket.recv_many(&mut list, most).await?,
            Socket::Sub(socket) => socket.recv_many(&mut list, most).await?,
            _ => return Err(unfit()),
        };
        lists::check(&mut list, size)?;
        Ok(count as u64)
    }

    async fn echo(&self, socket: &mut Socket) -> Result<()> {
        match socket {
            Socket::Rep(socket) => {
                let (message, responder) = socket.recv().await?.into_parts();
                Ok(responder.reply(message)?)
            }
            Socket::Router(socket) => {
                let (peer, message) = socket.recv().await?;
                Ok(socket.send_to(&peer, message).await?)
            }
            _ => Err(unfit()),
        }
    }

    async fn close(&self, socket: Socket) -> Result<()> {
        all_sent(&each!(socket, socket => socket.close().await))
    }
}
