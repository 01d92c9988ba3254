//! This library as a contender: the blocking facade with its default options.

use std::cell::RefCell;
use std::error::Error;
use std::time::Duration;

use peer_script::{CLIENT_KEY, Contender, Job, SERVER_KEY};
use zmq::blocking::{Pub, Pull, Push, Rep, Req, Sub};
use zmq::{Auth, Context, Frame, Message, Security};
use zmq_engine::curve::{KeyPair, SecretKey};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// Accepted messages leave however long that takes: the other end counts them. libzmq's default.
const LINGER: Option<Duration> = None;

pub(crate) struct Ours {
    context: Context,
    /// Of the ends that bind, and of those that connect.
    security: [Security; 2],
}

impl Ours {
    pub(crate) fn new(job: &Job) -> Result<Ours> {
        let security = if job.sealed {
            let keys = |(_, secret): (&str, &str)| secret.parse::<SecretKey>().map(KeyPair::new);
            let server = keys(SERVER_KEY)?;
            let public = server.public();
            [
                Security::curve_server(server, Auth::any_key()),
                Security::curve_client(public, keys(CLIENT_KEY)?),
            ]
        } else {
            [Security::none(), Security::none()]
        };
        Ok(Ours {
            context: Context::new(),
            security,
        })
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
        let context = &self.context;
        let [binds, connects] = &self.security;
        Ok(match (kind, unbounded) {
            ("PUSH", false) => {
                let options = Push::options().security(connects.clone());
                Socket::Push(options.linger(LINGER).try_open(context)?)
            }
            ("PULL", false) => {
                Socket::Pull(Pull::options().security(binds.clone()).try_open(context)?)
            }
            ("REQ", false) => {
                let options = Req::options().security(connects.clone());
                Socket::Req(options.try_open(context)?, RefCell::default())
            }
            ("REP", false) => {
                let options = Rep::options().security(binds.clone());
                Socket::Rep(options.linger(LINGER).try_open(context)?)
            }
            ("PUB", true) => {
                let options = Pub::options().security(binds.clone()).linger(LINGER);
                let options = options.queue_octets(None);
                Socket::Pub(options.send_hwm(None).try_open(context)?)
            }
            ("SUB", true) => {
                let options = Sub::options().security(connects.clone()).queue_octets(None);
                Socket::Sub(options.recv_hwm(None).try_open(context)?)
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
        match socket {
            Socket::Pull(socket) => Ok(socket.recv()?.byte_len()),
            Socket::Sub(socket) => Ok(socket.recv()?.byte_len()),
            Socket::Req(_, reply) => Ok(reply.take().ok_or("nothing was asked")?.byte_len()),
            _ => Err(unfit()),
        }
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
