//! The machine itself: what its TCP streams do with nothing in between. Not a contender, but what contenders are measured
//! against.

use std::cmp::min;
use std::error::Error;
use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};

use peer_script::{Contender, Job};
#[cfg(target_os = "linux")]
use rustix::net::sockopt;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// Octets of a call: of 16 KiB to 1 MiB this goes fastest.
const BLOCK: usize = 256 << 10;
const SCHEME: &str = "tcp://";

/// Sets what a careful program sets. Pacing, where it is the system's default, makes a stream within the machine slower by
/// half: a limit that is none would flatter everybody.
fn prepare(stream: &TcpStream) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    #[cfg(target_os = "linux")]
    if sockopt::tcp_congestion(stream)?.starts_with("bbr") {
        sockopt::set_tcp_congestion(stream, "reno")?;
    }
    Ok(())
}

/// Blocking calls on the standard library's sockets.
pub(crate) struct Raw {
    size: usize,
}

impl Raw {
    pub(crate) fn new(job: &Job) -> Raw {
        Raw { size: job.size }
    }
}

/// One stream, and octets that are on this side of it.
pub(crate) struct Socket {
    listener: Option<TcpListener>,
    stream: Option<TcpStream>,
    /// A stream that carries many messages with a call, or one message at a time.
    batches: bool,
    block: Vec<u8>,
    /// Octets to be sent, or received and not yet asked for. What they are does not matter, so none are copied.
    pending: usize,
}

impl Socket {
    /// The stream; the first time, whoever has connected.
    fn stream(&mut self) -> Result<&mut TcpStream> {
        if let (None, Some(listener)) = (&self.stream, &self.listener) {
            let (stream, _) = listener.accept()?;
            prepare(&stream)?;
            self.stream = Some(stream);
        }
        Ok(self.stream.as_mut().ok_or("neither bound nor connected")?)
    }

    fn write(&mut self, octets: usize) -> Result<()> {
        let mut left = octets;
        while left > 0 {
            let here = min(left, self.block.len());
            let block = std::mem::take(&mut self.block);
            let written = self.stream()?.write_all(&block[..here]);
            self.block = block;
            written?;
            left -= here;
        }
        Ok(())
    }

    fn read(&mut self) -> Result<usize> {
        let mut block = std::mem::take(&mut self.block);
        let met = self.stream()?.read(&mut block);
        self.block = block;
        match met? {
            0 => Err(Box::new(std::io::Error::from(ErrorKind::UnexpectedEof))),
            octets => Ok(octets),
        }
    }

    fn read_message(&mut self, size: usize) -> Result<()> {
        while self.pending < size {
            self.pending += self.read()?;
        }
        self.pending -= size;
        Ok(())
    }
}

impl Contender for Raw {
    type Socket = Socket;

    async fn open(&self, kind: &str, _: bool) -> Result<Socket> {
        Ok(Socket {
            listener: None,
            stream: None,
            batches: ["PUSH", "PULL"].contains(&kind),
            block: vec![b'x'; BLOCK],
            pending: 0,
        })
    }

    async fn bind(&self, socket: &mut Socket, endpoint: &str) -> Result<String> {
        let address = endpoint.strip_prefix(SCHEME).ok_or("tcp only")?;
        let listener = TcpListener::bind(address)?;
        let bound = format!("{SCHEME}{}", listener.local_addr()?);
        socket.listener = Some(listener);
        Ok(bound)
    }

    async fn connect(&self, socket: &mut Socket, endpoint: &str) -> Result<()> {
        let address = endpoint.strip_prefix(SCHEME).ok_or("tcp only")?;
        let stream = TcpStream::connect(address)?;
        prepare(&stream)?;
        socket.stream = Some(stream);
        Ok(())
    }

    async fn subscribe(&self, _: &mut Socket, _: &[u8]) -> Result<()> {
        Err("a stream has no subscriptions".into())
    }

    async fn wait_subscribers(&self, _: &mut Socket, _: u64) -> Result<()> {
        Err("a stream has no subscribers".into())
    }

    async fn send(&self, socket: &mut Socket, octets: &'static [u8]) -> Result<()> {
        if !socket.batches {
            return socket.write(octets.len());
        }
        socket.pending += octets.len();
        while socket.pending >= BLOCK {
            socket.write(BLOCK)?;
            socket.pending -= BLOCK;
        }
        Ok(())
    }

    async fn flush(&self, socket: &mut Socket) -> Result<()> {
        if !socket.batches {
            return Ok(());
        }
        let left = std::mem::take(&mut socket.pending);
        socket.write(left)
    }

    async fn recv(&self, socket: &mut Socket) -> Result<usize> {
        socket.read_message(self.size)?;
        Ok(self.size)
    }

    async fn echo(&self, socket: &mut Socket) -> Result<()> {
        socket.read_message(self.size)?;
        socket.write(self.size)
    }

    async fn close(&self, _: Socket) -> Result<()> {
        Ok(())
    }
}
