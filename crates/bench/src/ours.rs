//! This library as a contender: the blocking facade with its default options.

use std::cell::RefCell;
use std::error::Error;
use std::time::Duration;

use peer_script::Contender;
use zmq::blocking::{Pub, Pull, Push, Rep, Req, Sub};
use zmq::{Context, Frame, Message};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// Accepted messages leave however long that takes: the other end counts them. libzmq's default.
const LINGER: Option<Duration> = None;

pub(crate) struct Ours(Context);

impl Ours {
    pub(crate) fn new() -> Ours {
        Ours(Context::new())
    }
}

/// A socket of one of the types that take part.
pub(crate) enum Socket {
    Push(Push),
    Pull(Pull),
    /// A request and its reply are one call here, and two in libzmq: the reply waits until it is asked for.
    Req(Req, RefCell<Option<Message>>),
    Rep(Rep),
    Pub(Pub),
    Sub(Sub),
}

/// Does the same with a socket of any type.
macro_rules! each {
    ($socket:expr, $name:ident => $what:expr) => {
        match $socket {
            Socket::Push($name) => $what,
            Socket::Pull($name) => $what,
            Socket::Req($name, _) => $what,
            Socket::Rep($name) => $what,
            Socket::Pub($name) => $what,
            Socket::Sub($name) => $what,
        }
    };
}

impl Contender for Ours {
    type Socket = Socket;

    fn open(&self, kind: &str, unbounded: bool) -> Result<Socket> {
        let context = &self.0;
        Ok(match (kind, unbounded) {
            ("PUSH", false) => Socket::Push(Push::options().linger(LINGER).try_open(context)?),
            ("PULL", false) => Socket::Pull(Pull::options().try_open(context)?),
            ("REQ", false) => Socket::Req(Req::options().try_open(context)?, RefCell::default()),
            ("REP", false) => Socket::Rep(Rep::options().linger(LINGER).try_open(context)?),
            ("PUB", true) => {
                let options = Pub::options().linger(LINGER).queue_octets(None);
                Socket::Pub(options.send_hwm(None).try_open(context)?)
            }
            ("SUB", true) => {
                let options = Sub::options().queue_octets(None).recv_hwm(None);
                Socket::Sub(options.try_open(context)?)
            }
            _ => return Err(format!("no shape has a {kind} with unbounded = {unbounded}").into()),
        })
    }

    fn bind(&self, socket: &Socket, endpoint: &str) -> Result<String> {
        each!(socket, socket => Ok(socket.bind(endpoint)?.to_string()))
    }

    fn connect(&self, socket: &Socket, endpoint: &str) -> Result<()> {
        each!(socket, socket => Ok(socket.connect(endpoint)?))
    }

    fn subscribe(&self, socket: &Socket) -> Result<()> {
        match socket {
            Socket::Sub(socket) => Ok(socket.subscribe("")?),
            _ => Err(unfit()),
        }
    }

    fn wait_subscribers(&self, socket: &Socket, count: u64) -> Result<()> {
        match socket {
            Socket::Pub(socket) => Ok(socket.subscribers(usize::try_from(count)?)?),
            _ => Err(unfit()),
        }
    }

    #[inline]
    fn send(&self, socket: &Socket, octets: &'static [u8]) -> Result<()> {
        let frame = Frame::from_static(octets);
        match socket {
            Socket::Push(socket) => Ok(socket.send(frame)?),
            Socket::Pub(socket) => Ok(socket.send(frame)?),
            Socket::Req(socket, reply) => {
                reply.replace(Some(socket.request(frame)?));
                Ok(())
            }
            _ => Err(unfit()),
        }
    }

    #[inline]
    fn recv(&self, socket: &Socket) -> Result<usize> {
        let message = match socket {
            Socket::Pull(socket) => socket.recv()?,
            Socket::Sub(socket) => socket.recv()?,
            Socket::Req(_, reply) => reply.take().ok_or("nothing was asked")?,
            _ => return Err(unfit()),
        };
        Ok(message.byte_len())
    }

    fn echo(&self, socket: &Socket) -> Result<()> {
        let Socket::Rep(socket) = socket else {
            return Err(unfit());
        };
        let (message, responder) = socket.recv()?.into_parts();
        Ok(responder.reply(message)?)
    }

    fn close(&self, socket: Socket) -> Result<()> {
        let report = each!(socket, socket => socket.close());
        match report.unsent {
            0 => Ok(()),
            unsent => Err(format!("closed with {unsent} messages unsent").into()),
        }
    }
}

fn unfit() -> Box<dyn Error + Send + Sync> {
    "the socket is of another type".into()
}
