//! The blocking face.

use peer_script::{Contender, Job, of_size};
use zmq::Frame;
use zmq::blocking::{Dealer, Pub, Pull, Push, Rep, Req, Router, Sub};

use super::lists;
use super::opening::{LINGER, Opening, Result, all_sent, each, open, sockets, unfit};

sockets!();

/// The blocking face.
pub(crate) struct Blocking {
    opening: Opening,
    /// Messages a call: one, or a list.
    at_once: usize,
}

impl Blocking {
    pub(crate) fn new(job: &Job, at_once: usize) -> Result<Blocking> {
        Ok(Blocking {
            opening: Opening::new(job)?,
            at_once,
        })
    }
}

impl Contender for Blocking {
    type Socket = Socket;

    async fn open(&self, kind: &str, unbounded: bool) -> Result<Socket> {
        Ok(open!(&self.opening, kind, unbounded))
    }

    async fn bind(&self, socket: &mut Socket, endpoint: &str) -> Result<String> {
        each!(socket, socket => Ok(socket.bind(endpoint)?.to_string()))
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
            Socket::Pub(socket) => Ok(socket.subscribers(usize::try_from(count)?)?),
            _ => Err(unfit()),
        }
    }

    async fn send(&self, socket: &mut Socket, octets: &'static [u8]) -> Result<()> {
        send(socket, octets)
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
                    socket.send_many(&mut list)?;
                }
            }
            Socket::Push(socket) => {
                for _ in 0..count {
                    socket.send(Frame::from_static(octets))?;
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

    async fn recv(&self, socket: &mut Socket) -> Result<usize> {
        recv(socket)
    }

    async fn recv_many(&self, socket: &mut Socket, size: usize, count: u64) -> Result<()> {
        match socket {
            Socket::Pull(socket) if self.at_once > 1 => {
                let (mut list, mut left) = (Vec::new(), count);
                while left > 0 {
                    left -= socket.recv_many(&mut list, lists::most(left))? as u64;
                    lists::check(&mut list, size)?;
                }
            }
            Socket::Pull(socket) => {
                for _ in 0..count {
                    of_size(socket.recv()?.byte_len(), size)?;
                }
            }
            Socket::Sub(socket) => {
                for _ in 0..count {
                    of_size(socket.recv()?.byte_len(), size)?;
                }
            }
            _ => return Err(unfit()),
        }
        Ok(())
    }

    async fn recv_some(&self, socket: &mut Socket, size: usize, most: u64) -> Result<u64> {
        let most = lists::most(most);
        let mut list = Vec::new();
        let one_by_one = self.at_once == 1;
        let count = match socket {
            Socket::Pull(socket) if one_by_one => {
                of_size(socket.recv()?.byte_len(), size)?;
                return lists::drain(|| socket.try_recv(), size, most);
            }
            Socket::Sub(socket) if one_by_one => {
                of_size(socket.recv()?.byte_len(), size)?;
                return lists::drain(|| socket.try_recv(), size, most);
            }
            Socket::Pull(socket) => socket.recv_many(&mut list, most)?,
            Socket::Sub(socket) => socket.recv_many(&mut list, most)?,
            _ => return Err(unfit()),
        };
        lists::check(&mut list, size)?;
        Ok(count as u64)
    }

    async fn echo(&self, socket: &mut Socket) -> Result<()> {
        match socket {
            Socket::Rep(socket) => {
                let (message, responder) = socket.recv()?.into_parts();
                Ok(responder.reply(message)?)
            }
            Socket::Router(socket) => {
                let (peer, message) = socket.recv()?;
                Ok(socket.send_to(&peer, message)?)
            }
            _ => Err(unfit()),
        }
    }

    async fn close(&self, socket: Socket) -> Result<()> {
        all_sent(&each!(socket, socket => socket.close()))
    }
}

#[inline]
fn send(socket: &mut Socket, octets: &'static [u8]) -> Result<()> {
    let frame = Frame::from_static(octets);
    match socket {
        Socket::Push(socket) => Ok(socket.send(frame)?),
        Socket::Dealer(socket) => Ok(socket.send(frame)?),
        Socket::Pub(socket) => Ok(socket.send(frame)?),
        Socket::Req(socket, reply) => {
            *reply = Some(socket.request(frame)?);
            Ok(())
        }
        _ => Err(unfit()),
    }
}

#[inline]
fn recv(socket: &mut Socket) -> Result<usize> {
    // Looked at where it comes out: moving it once more is nobody's need.
    match socket {
        Socket::Pull(socket) => Ok(socket.recv()?.byte_len()),
        Socket::Sub(socket) => Ok(socket.recv()?.byte_len()),
        Socket::Dealer(socket) => Ok(socket.recv()?.byte_len()),
        Socket::Req(_, reply) => Ok(reply.take().ok_or("nothing was asked")?.byte_len()),
        _ => Err(unfit()),
    }
}
