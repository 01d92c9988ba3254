//! libzmq as a contender in benchmarks.

use std::error::Error;

use peer_script::{CLIENT_KEY, Contender, Job, SERVER_KEY, of_size};

use crate::{Context, Frame, Socket, names};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

const SUBSCRIBE: i32 = 6;
const SNDHWM: i32 = 23;
const RCVHWM: i32 = 24;
const XPUB_VERBOSE: i32 = 40;
const CURVE_SERVER: i32 = 47;
const CURVE_PUBLICKEY: i32 = 48;
const CURVE_SECRETKEY: i32 = 49;
const CURVE_SERVERKEY: i32 = 50;

/// Messages taken from one of several sockets at a visit.
const AT_ONCE: u64 = 64;

/// libzmq with one context.
#[derive(Debug)]
pub struct Perf {
    context: Context,
    sealed: bool,
}

impl Perf {
    /// For this job.
    #[must_use]
    pub fn new(job: &Job) -> Perf {
        Perf {
            context: Context::new(),
            sealed: job.sealed,
        }
    }
}

/// Those that bind are the servers. Nobody is bound as ZAP handler, so every client is let in.
fn seal(socket: &Socket, kind: &str) -> Result<()> {
    let binds = ["PULL", "REP", "XPUB"].contains(&kind);
    let (public, secret) = if binds { SERVER_KEY } else { CLIENT_KEY };
    if binds {
        socket.set_int(CURVE_SERVER, 1)?;
    } else {
        socket.set_bytes(CURVE_SERVERKEY, SERVER_KEY.0.as_bytes())?;
        socket.set_bytes(CURVE_PUBLICKEY, public.as_bytes())?;
    }
    Ok(socket.set_bytes(CURVE_SECRETKEY, secret.as_bytes())?)
}

impl Contender for Perf {
    type Socket = Socket;

    async fn open(&self, kind: &str, unbounded: bool) -> Result<Socket> {
        let kind = match kind {
            // One that tells of every subscription, as a PUB (the same code in libzmq) does not tell when all have come.
            "PUB" => "XPUB",
            "PLAIN-PUB" => "PUB",
            other => other,
        };
        let number = names::socket_type(kind).ok_or("no such type")?;
        let socket = self.context.socket(number)?;
        if self.sealed {
            seal(&socket, kind)?;
        }
        if kind == "XPUB" {
            socket.set_int(XPUB_VERBOSE, 1)?;
        }
        if unbounded {
            socket.set_int(SNDHWM, 0)?;
            socket.set_int(RCVHWM, 0)?;
        }
        Ok(socket)
    }

    async fn bind(&self, socket: &mut Socket, endpoint: &str) -> Result<String> {
        Ok(socket.bind(endpoint)?)
    }

    async fn connect(&self, socket: &mut Socket, endpoint: &str) -> Result<()> {
        Ok(socket.connect(endpoint)?)
    }

    async fn subscribe(&self, socket: &mut Socket, topic: &[u8]) -> Result<()> {
        Ok(socket.set_bytes(SUBSCRIBE, topic)?)
    }

    async fn wait_subscribers(&self, socket: &mut Socket, count: u64) -> Result<()> {
        for _ in 0..count {
            socket.recv()?;
        }
        Ok(())
    }

    async fn send(&self, socket: &mut Socket, octets: &'static [u8]) -> Result<()> {
        Ok(socket.send_static(octets)?)
    }

    async fn send_many(
        &self,
        socket: &mut Socket,
        octets: &'static [u8],
        count: u64,
    ) -> Result<()> {
        (0..count).try_for_each(|_| Ok(socket.send_static(octets)?))
    }

    async fn recv(&self, socket: &mut Socket) -> Result<usize> {
        recv(socket)
    }

    async fn recv_many(&self, socket: &mut Socket, size: usize, count: u64) -> Result<()> {
        (0..count).try_for_each(|_| of_size(recv(socket)?, size))
    }

    async fn recv_some(&self, socket: &mut Socket, size: usize, most: u64) -> Result<u64> {
        of_size(recv(socket)?, size)?;
        let mut count = 1;
        let mut frame = Frame::new();
        while count < most.min(AT_ONCE) && socket.try_recv_frame(&mut frame)? {
            of_size(frame.octets().len(), size)?;
            count += 1;
        }
        Ok(count)
    }

    async fn echo(&self, socket: &mut Socket) -> Result<()> {
        let mut frame = Frame::new();
        socket.recv_frame(&mut frame)?;
        // ROUTER: the name of the peer comes first, and goes first.
        while frame.has_more() {
            socket.send_frame(&mut frame, true)?;
            socket.recv_frame(&mut frame)?;
        }
        Ok(socket.send_frame(&mut frame, false)?)
    }

    async fn close(&self, socket: Socket) -> Result<()> {
        // The messages leave while the context ends.
        drop(socket);
        Ok(())
    }
}

#[inline]
fn recv(socket: &Socket) -> Result<usize> {
    let mut frame = Frame::new();
    socket.recv_frame(&mut frame)?;
    Ok(frame.octets().len())
}
