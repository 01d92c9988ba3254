//! libzmq as a side of a scripted conversation.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use peer_script::{Failure, Side, Value};

use crate::names::{self, Kind};
use crate::{Context, Error, Frame, Socket};

const SUBSCRIBE: i32 = 6;
const UNSUBSCRIBE: i32 = 7;
const RCVTIMEO: i32 = 27;
const SNDTIMEO: i32 = 28;
const PAIR: i32 = 0;

/// Named sockets of one libzmq context.
#[derive(Debug, Default)]
pub struct Libzmq {
    // Before the context: it ends only when they are closed.
    sockets: HashMap<String, Socket>,
    monitors: HashMap<String, Socket>,
    /// The last frame that each socket received.
    last: HashMap<String, Frame>,
    context: Context,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure::new(error.name(), error)
    }
}

fn milliseconds(wait: Duration) -> i32 {
    i32::try_from(wait.as_millis()).unwrap_or(i32::MAX)
}

fn invalid(what: &str, name: &str) -> Failure {
    Failure::new("EINVAL", format!("{what} {name}"))
}

impl Libzmq {
    fn socket(&self, name: &str) -> Result<&Socket, Failure> {
        self.sockets
            .get(name)
            .ok_or_else(|| invalid("no socket", name))
    }
}

impl Side for Libzmq {
    fn open(&mut self, socket: &str, kind: &str) -> Result<(), Failure> {
        let kind = names::socket_type(kind).ok_or_else(|| invalid("no socket type", kind))?;
        self.sockets
            .insert(socket.to_owned(), self.context.socket(kind)?);
        Ok(())
    }

    fn set(&mut self, socket: &str, option: &str, value: &Value) -> Result<(), Failure> {
        let socket = self.socket(socket)?;
        let (number, kind) = names::option(option).ok_or_else(|| invalid("no option", option))?;
        match (kind, value) {
            (Kind::Int, Value::Int(value)) => {
                let value = i32::try_from(*value).map_err(|_| invalid("too large for", option))?;
                socket.set_int(number, value)?;
            }
            (Kind::Long, Value::Int(value)) => socket.set_bytes(number, &value.to_ne_bytes())?,
            (Kind::Bytes, Value::Bytes(value)) => socket.set_bytes(number, value)?,
            _ => return Err(invalid("another kind of value belongs to", option)),
        }
        Ok(())
    }

    fn bind(&mut self, socket: &str, endpoint: &str) -> Result<String, Failure> {
        Ok(self.socket(socket)?.bind(endpoint)?)
    }

    fn connect(&mut self, socket: &str, endpoint: &str) -> Result<(), Failure> {
        Ok(self.socket(socket)?.connect(endpoint)?)
    }

    fn unbind(&mut self, socket: &str, endpoint: &str) -> Result<(), Failure> {
        Ok(self.socket(socket)?.unbind(endpoint)?)
    }

    fn disconnect(&mut self, socket: &str, endpoint: &str) -> Result<(), Failure> {
        Ok(self.socket(socket)?.disconnect(endpoint)?)
    }

    fn subscribe(&mut self, socket: &str, topic: &[u8]) -> Result<(), Failure> {
        Ok(self.socket(socket)?.set_bytes(SUBSCRIBE, topic)?)
    }

    fn unsubscribe(&mut self, socket: &str, topic: &[u8]) -> Result<(), Failure> {
        Ok(self.socket(socket)?.set_bytes(UNSUBSCRIBE, topic)?)
    }

    fn send(&mut self, socket: &str, frames: &[Vec<u8>], wait: Duration) -> Result<(), Failure> {
        let socket = self.socket(socket)?;
        socket.set_int(SNDTIMEO, milliseconds(wait))?;
        for (index, frame) in frames.iter().enumerate() {
            socket.send(frame, index + 1 < frames.len())?;
        }
        Ok(())
    }

    fn recv(&mut self, socket: &str, wait: Duration) -> Result<Vec<Vec<u8>>, Failure> {
        let open = self.socket(socket)?;
        open.set_int(RCVTIMEO, milliseconds(wait))?;
        let mut last = Frame::new();
        let frames = open.recv_keeping(&mut last)?;
        self.last.insert(socket.to_owned(), last);
        Ok(frames)
    }

    fn monitor(&mut self, socket: &str) -> Result<(), Failure> {
        let endpoint = format!("inproc://monitor-{socket}");
        self.socket(socket)?.monitor(&endpoint)?;
        let monitor = self.context.socket(PAIR)?;
        monitor.connect(&endpoint)?;
        self.monitors.insert(socket.to_owned(), monitor);
        Ok(())
    }

    fn event(&mut self, socket: &str, name: &str, wait: Duration) -> Result<String, Failure> {
        let monitor = self
            .monitors
            .get(socket)
            .ok_or_else(|| invalid("no monitor of", socket))?;
        let deadline = Instant::now() + wait;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            monitor.set_int(RCVTIMEO, milliseconds(left))?;
            let frames = monitor.recv()?;
            let [head, endpoint] = &frames[..] else {
                return Err(invalid("not two frames in an event of", socket));
            };
            let &[n0, n1, v0, v1, v2, v3] = &head[..] else {
                return Err(invalid("not six octets in an event of", socket));
            };
            let event = names::event(u16::from_ne_bytes([n0, n1]));
            if name.split('|').any(|name| name == event) {
                let value = u32::from_ne_bytes([v0, v1, v2, v3]);
                return Ok(format!(
                    "{event} {value} {}",
                    String::from_utf8_lossy(endpoint)
                ));
            }
        }
    }

    fn property(&mut self, socket: &str, name: &str) -> Result<String, Failure> {
        let property = self.last.get(socket).and_then(|last| last.property(name));
        property.ok_or_else(|| invalid("no such property of the last message:", name))
    }

    fn close(&mut self, socket: &str) -> Result<(), Failure> {
        let closing = self.sockets.remove(socket);
        let closing = closing.ok_or_else(|| invalid("no socket", socket))?;
        self.last.remove(socket);
        if self.monitors.contains_key(socket) {
            closing.stop_monitor()?;
            self.monitors.remove(socket);
        }
        Ok(())
    }

    fn version(&mut self) -> Result<String, Failure> {
        let (major, minor, patch) = crate::version();
        Ok(format!("libzmq {major}.{minor}.{patch}"))
    }
}
