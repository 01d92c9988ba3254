//! libzmq as a contender in benchmarks.

use std::error::Error;

use peer_script::Contender;

use crate::{Context, Frame, Socket, names};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

const SUBSCRIBE: i32 = 6;
const SNDHWM: i32 = 23;
const RCVHWM: i32 = 24;
const XPUB_VERBOSE: i32 = 40;

impl Contender for Context {
    type Socket = Socket;

    fn open(&self, kind: &str, unbounded: bool) -> Result<Socket> {
        // An XPUB that tells of every subscription, as a PUB (the same code in libzmq) does not tell when all have come.
        let kind = if kind == "PUB" { "XPUB" } else { kind };
        let number = names::socket_type(kind).ok_or("no such type")?;
        let socket = self.socket(number)?;
        if kind == "XPUB" {
            socket.set_int(XPUB_VERBOSE, 1)?;
        }
        if unbounded {
            socket.set_int(SNDHWM, 0)?;
            socket.set_int(RCVHWM, 0)?;
        }
        Ok(socket)
    }

    fn bind(&self, socket: &Socket, endpoint: &str) -> Result<String> {
        Ok(socket.bind(endpoint)?)
    }

    fn connect(&self, socket: &Socket, endpoint: &str) -> Result<()> {
        Ok(socket.connect(endpoint)?)
    }

    fn subscribe(&self, socket: &Socket) -> Result<()> {
        Ok(socket.set_bytes(SUBSCRIBE, b"")?)
    }

    fn wait_subscribers(&self, socket: &Socket, count: u64) -> Result<()> {
        for _ in 0..count {
            socket.recv()?;
        }
        Ok(())
    }

    fn send(&self, socket: &Socket, octets: &'static [u8]) -> Result<()> {
        Ok(socket.send_static(octets)?)
    }

    fn recv(&self, socket: &Socket) -> Result<usize> {
        let mut frame = Frame::new();
        socket.recv_frame(&mut frame)?;
        Ok(frame.octets().len())
    }

    fn echo(&self, socket: &Socket) -> Result<()> {
        let mut frame = Frame::new();
        socket.recv_frame(&mut frame)?;
        Ok(socket.send_frame(&mut frame)?)
    }

    fn close(&self, socket: Socket) -> Result<()> {
        // The messages leave while the context ends.
        drop(socket);
        Ok(())
    }
}
