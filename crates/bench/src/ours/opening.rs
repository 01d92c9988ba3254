//! What sockets are opened with, whichever face they have.

use std::error::Error;
use std::time::Duration;

use peer_script::{CLIENT_KEY, Job, SERVER_KEY};
use zmq::{Auth, Context, Security};
use zmq_engine::curve::{KeyPair, SecretKey};

pub(super) type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// Accepted messages leave however long that takes: the other end counts them. libzmq's default.
pub(super) const LINGER: Option<Duration> = None;

/// What sockets are opened with.
pub(crate) struct Opening {
    pub(super) context: Context,
    /// Of the ends that bind.
    pub(super) binds: Security,
    /// Of the ends that connect.
    pub(super) connects: Security,
}

impl Opening {
    pub(super) fn new(job: &Job) -> Result<Opening> {
        let (binds, connects) = if job.sealed {
            let keys = |(_, secret): (&str, &str)| secret.parse::<SecretKey>().map(KeyPair::new);
            let server = keys(SERVER_KEY)?;
            let public = server.public();
            (
                Security::curve_server(server, Auth::any_key()),
                Security::curve_client(public, keys(CLIENT_KEY)?),
            )
        } else {
            (Security::none(), Security::none())
        };
        Ok(Opening {
            context: Context::new(),
            binds,
            connects,
        })
    }
}

/// Opens a socket of a type by its name. The two faces have types of the same names, and options alike.
macro_rules! open {
    ($opening:expr, $kind:expr, $unbounded:expr) => {{
        let (opening, context) = ($opening, &$opening.context);
        let binds = || opening.binds.clone();
        let connects = || opening.connects.clone();
        match ($kind, $unbounded) {
            ("PUSH", unbounded) => {
                let mut options = Push::options().security(connects()).linger(LINGER);
                if unbounded {
                    options = options.queue_octets(None).send_hwm(None);
                }
                Socket::Push(options.try_open(context)?)
            }
            ("PULL", unbounded) => {
                let mut options = Pull::options().security(binds());
                if unbounded {
                    options = options.queue_octets(None).recv_hwm(None);
                }
                Socket::Pull(options.try_open(context)?)
            }
            ("REQ", false) => {
                let options = Req::options().security(connects());
                Socket::Req(options.try_open(context)?, None)
            }
            ("REP", false) => {
                let options = Rep::options().security(binds());
                Socket::Rep(options.linger(LINGER).try_open(context)?)
            }
            ("DEALER", false) => {
                let options = Dealer::options().security(connects());
                Socket::Dealer(options.try_open(context)?)
            }
            ("ROUTER", false) => {
                let options = Router::options().security(binds());
                Socket::Router(options.linger(LINGER).try_open(context)?)
            }
            ("PUB" | "PLAIN-PUB", true) => {
                let options = Pub::options().security(binds()).linger(LINGER);
                let options = options.queue_octets(None);
                Socket::Pub(options.send_hwm(None).try_open(context)?)
            }
            ("SUB", true) => {
                let options = Sub::options().security(connects()).queue_octets(None);
                Socket::Sub(options.recv_hwm(None).try_open(context)?)
            }
            (kind, unbounded) => {
                return Err(format!("no shape has a {kind} with unbounded = {unbounded}").into());
            }
        }
    }};
}
pub(super) use open;

/// Does the same with a socket of any type.
macro_rules! each {
    ($socket:expr, $name:ident => $what:expr) => {
        match $socket {
            Socket::Push($name) => $what,
            Socket::Pull($name) => $what,
            Socket::Req($name, _) => $what,
            Socket::Rep($name) => $what,
            Socket::Dealer($name) => $what,
            Socket::Router($name) => $what,
            Socket::Pub($name) => $what,
            Socket::Sub($name) => $what,
        }
    };
}
pub(super) use each;

/// A socket of one of the types that take part, of either face.
macro_rules! sockets {
    () => {
        /// A socket of one of the types that take part.
        pub(crate) enum Socket {
            Push(Push),
            Pull(Pull),
            /// A request and its reply are one call here, and two in libzmq: the reply waits until it is asked for.
            Req(Req, Option<zmq::Message>),
            Rep(Rep),
            Dealer(Dealer),
            Router(Router),
            Pub(Pub),
            Sub(Sub),
        }
    };
}
pub(super) use sockets;

pub(super) fn unfit() -> Box<dyn Error + Send + Sync> {
    "the socket is of another type".into()
}

pub(super) fn all_sent(report: &zmq::CloseReport) -> Result<()> {
    match report.unsent {
        0 => Ok(()),
        unsent => Err(format!("closed with {unsent} messages unsent").into()),
    }
}
