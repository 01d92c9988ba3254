//! What is at an endpoint: a look at the peer there without becoming a peer of it.
//!
//! A probe opens a connection, listens to the greeting, and says no more than it must. It never completes a handshake that would make the
//! other socket send it messages: where nothing secures the peer (NULL) it only reads what the peer tells of itself, with PLAIN it leaves
//! when it was let in, and with CURVE, where only the whole handshake gives an answer, it passes for socket types that are sent nothing
//! unasked.
//!
//! ```
//! use std::time::Duration;
//! use zmq::Security;
//! use zmq::probe::{Finding, probe};
//!
//! let context = zmq::Context::new();
//! let pull = zmq::blocking::Pull::new(&context);
//! let endpoint = pull.bind("tcp://127.0.0.1:0")?;
//!
//! let report = probe(endpoint.as_str(), &Security::none(), Duration::from_secs(5))?;
//! assert_eq!(report.finding, Finding::Zmtp);
//! assert_eq!(report.version, Some((3, 1)));
//! assert_eq!(report.mechanism.as_deref(), Some("NULL"));
//! assert_eq!(report.socket_type.as_deref(), Some("PULL"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod reach;
mod talk;

use std::error::Error;
use std::fmt;
use std::io;
use std::time::Duration;

use zmq_engine::transport::{EndpointError, Registry, Role};
pub use zmq_engine::wire::Foreign;
use zmq_engine::wire::{Incompatible, Refused};
use zmq_engine::{Deadline, HandshakeRole};

use crate::monitor::ProtocolError;
use crate::{OpenError, Security, SocketType};
use reach::Unreached;
use talk::{Ended, Party, Talk, Tongue};

/// What a probe has learned. What the peer did not tell is `None`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// The address that was spoken to last: `127.0.0.1:5555`, or a path.
    pub target: Option<String>,
    /// Major and minor version of ZMTP that the peer announced.
    pub version: Option<(u8, u8)>,
    /// The mechanism it demands.
    pub mechanism: Option<String>,
    /// Whether its greeting says that it is the server of the mechanism. libzmq never says so, even if it is.
    pub as_server: Option<bool>,
    /// Its socket type, in its own words.
    pub socket_type: Option<String>,
    /// What all that means.
    pub finding: Finding,
    /// What the system or the protocol said about a failure.
    pub detail: Option<String>,
}

/// What is at an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Finding {
    /// Nobody knows the host name, or no name server answered.
    NotResolved,
    /// The connection was refused, or there is no such file.
    NothingListens,
    /// The path may not be used by this user.
    Forbidden,
    /// The system has no way to the address.
    Unreachable,
    /// Nobody answered the attempt to connect in time.
    NoConnection,
    /// Somebody accepts connections and says nothing.
    Silent,
    /// Somebody accepts connections and ends them before a whole greeting.
    Closed,
    /// Somebody speaks another protocol.
    Foreign(Foreign),
    /// Somebody speaks ZMTP and breaks its rules.
    Broken,
    /// A ZeroMQ socket. Whether it would let us in was not asked.
    Zmtp,
    /// A ZeroMQ socket that demands another mechanism than that of the identity.
    OtherMechanism,
    /// A ZeroMQ socket that is a client of the mechanism, as we are: one has to be the server.
    AlsoClient,
    /// A ZeroMQ socket that lets us in.
    Admitted,
    /// It refused, with this status if it told one: 400 for the identity, 500 for a fault of its own.
    Denied(Option<u16>),
    /// It ended the connection when it saw the first command of the mechanism. With CURVE: the server key is not its key.
    RejectedHello,
    /// CURVE: the server key is right, and it ended the connection when it saw who we are, as every socket type we may pass for.
    RejectedInitiate,
    /// It said nothing more in time. An authenticator that is slow, missing, or refuses for now (300) looks so.
    Unanswered,
}

impl Finding {
    /// Whether a ZeroMQ socket is there and nothing speaks against talking to it.
    #[must_use]
    pub fn is_well(self) -> bool {
        matches!(self, Finding::Zmtp | Finding::Admitted)
    }

    /// Whether the time was over before more could be learned.
    #[must_use]
    pub fn is_timeout(self) -> bool {
        matches!(
            self,
            Finding::NoConnection | Finding::Silent | Finding::Unanswered
        )
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Finding::NotResolved => "the name could not be resolved",
            Finding::NothingListens => "nothing listens there",
            Finding::Forbidden => "permission denied: this user may not use the path",
            Finding::Unreachable => "the address cannot be reached from here",
            Finding::NoConnection => "nobody answered the attempt to connect in time",
            Finding::Silent => "connections are accepted and nothing is said: no ZeroMQ socket, or one that is stuck",
            Finding::Closed => "connections are accepted and closed before a greeting",
            Finding::Foreign(Foreign::Http) => "this looks like HTTP, not ZMTP",
            Finding::Foreign(Foreign::Tls) => "this looks like TLS, not ZMTP",
            Finding::Foreign(Foreign::Ssh) => "this looks like SSH, not ZMTP",
            Finding::Foreign(Foreign::Smtp) => "this looks like mail, not ZMTP",
            Finding::Foreign(Foreign::Telnet) => "this looks like telnet, not ZMTP",
            Finding::Foreign(_) => "this is not ZMTP, and nothing else that is known",
            Finding::Broken => "it speaks ZMTP and breaks its rules",
            Finding::Zmtp => "a ZeroMQ socket answers",
            Finding::OtherMechanism => "a ZeroMQ socket answers and demands another mechanism",
            Finding::AlsoClient => "both ends are clients of the mechanism: one of them has to be the server",
            Finding::Admitted => "a ZeroMQ socket answers and lets us in",
            Finding::Denied(Some(400)) => "it denied access (400): it does not know us, or not these credentials",
            Finding::Denied(Some(500)) => "it denied access (500): its authenticator failed",
            Finding::Denied(Some(300)) => "it denied access for now (300): try again later",
            Finding::Denied(_) => "it denied access",
            Finding::RejectedHello => "it ended the connection at our HELLO: with CURVE, the server key is not its key; with PLAIN, it has no authenticator, or one that refuses for now",
            Finding::RejectedInitiate => "the server key is its key, but it ended the connection when it saw who we are: a client key it does not know, or a socket type that takes messages from whoever comes",
            Finding::Unanswered => "it did not answer our handshake in time: its authenticator is slow, missing, or refuses for now",
        })
    }
}

/// An endpoint or identity that cannot be probed at all.
#[derive(Debug)]
pub struct ProbeError(Cause);

#[derive(Debug)]
enum Cause {
    Endpoint(String, EndpointError),
    NotAClient(&'static str),
    Unusable(OpenError),
    Handshake(io::Error),
}

impl fmt::Display for ProbeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Cause::Endpoint(endpoint, error) => write!(f, "{endpoint}: {error}"),
            Cause::NotAClient(name) => write!(
                f,
                "a probe cannot speak {name}: expected a client of PLAIN or CURVE, or nobody"
            ),
            Cause::Unusable(error) => error.fmt(f),
            Cause::Handshake(error) => write!(f, "no handshake: {error}"),
        }
    }
}

impl Error for ProbeError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.0 {
            Cause::Endpoint(_, error) => Some(error),
            Cause::Unusable(error) => Some(error),
            Cause::Handshake(error) => Some(error),
            Cause::NotAClient(_) => None,
        }
    }
}

/// Socket types that are sent nothing unasked. Between them they may talk to every type but REQ, PUSH, DEALER and PAIR, to which nobody can
/// be a peer without taking messages away from others.
const HARMLESS: [SocketType; 4] = [
    SocketType::Req,
    SocketType::Sub,
    SocketType::Push,
    SocketType::Pub,
];

/// Looks at what is at a `tcp://` or `ipc://` endpoint, for at most `timeout`. Blocks; a name that no name server answers for leaves a
/// thread behind until the system gives up on it.
///
/// `security` is who we are: nobody ([`Security::none`]: only the greeting is looked at, and the socket type where no mechanism hides it),
/// or a client of PLAIN (the password goes over the network in the clear) or of CURVE.
///
/// # Errors
/// The endpoint cannot be read, `security` is not a client's, or the system has no entropy. Whatever is found there is no error.
pub fn probe(endpoint: &str, security: &Security, timeout: Duration) -> Result<Report, ProbeError> {
    let deadline = Deadline::after(Some(timeout));
    let registry = Registry::standard();
    registry
        .parse(endpoint, Role::Connect)
        .map_err(|error| ProbeError(Cause::Endpoint(endpoint.to_owned(), error)))?;
    let security = security
        .engine()
        .map_err(|error| ProbeError(Cause::Unusable(error)))?;
    let (tongue, types) = match security.role() {
        HandshakeRole::Null => (Tongue::Null, &HARMLESS[..1]),
        HandshakeRole::PlainClient => (Tongue::Plain, &HARMLESS[..1]),
        HandshakeRole::CurveClient => (Tongue::Curve, &HARMLESS[..]),
        _ => return Err(ProbeError(Cause::NotAClient(security.name()))),
    };
    let mut last = Report::of(Finding::Unanswered);
    for &socket_type in types {
        let client = match tongue {
            Tongue::Null => None,
            _ => {
                let client = security.handshake();
                Some(client.map_err(|error| ProbeError(Cause::Handshake(error)))?)
            }
        };
        let party = Party {
            tongue,
            client,
            socket_type,
        };
        last = match reach::connect(endpoint, &deadline) {
            Err((target, unreached)) => unreached.report(target),
            Ok((target, stream)) => {
                let mut talk = Talk::new(stream, party);
                let ended = talk.run(&deadline);
                told(target, &talk, ended)
            }
        };
        // What only the socket type may have spoiled is tried as another one.
        if last.finding != Finding::RejectedInitiate {
            break;
        }
    }
    Ok(last)
}

impl Report {
    fn of(finding: Finding) -> Report {
        Report {
            target: None,
            version: None,
            mechanism: None,
            as_server: None,
            socket_type: None,
            finding,
            detail: None,
        }
    }
}

impl Unreached {
    fn report(self, target: Option<String>) -> Report {
        let (finding, error) = match self {
            Unreached::Name(error) => (Finding::NotResolved, error),
            Unreached::TimedOut => (Finding::NoConnection, None),
            Unreached::Refused(error) => {
                let finding = match error.kind() {
                    io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound => {
                        Finding::NothingListens
                    }
                    io::ErrorKind::PermissionDenied => Finding::Forbidden,
                    io::ErrorKind::TimedOut => Finding::NoConnection,
                    _ => Finding::Unreachable,
                };
                (finding, Some(error))
            }
        };
        Report {
            target,
            detail: error.map(|error| error.to_string()),
            ..Report::of(finding)
        }
    }
}

fn told(target: String, talk: &Talk, ended: Ended) -> Report {
    let detail = match &ended {
        Ended::Failed(error) => Some(error.to_string()),
        Ended::Closed(Some(error)) => Some(error.to_string()),
        _ => None,
    };
    let greeting = talk.greeting();
    let mechanism = greeting.map(|greeting| {
        let name = greeting.mechanism.split(|octet| *octet == 0).next();
        name.unwrap_or_default().escape_ascii().to_string()
    });
    let finding = finding(talk, ended);
    Report {
        target: Some(target),
        version: talk.version(),
        mechanism,
        as_server: greeting.map(|greeting| greeting.as_server),
        socket_type: talk.socket_type(),
        finding,
        detail: detail.filter(|_| !finding.is_well()),
    }
}

fn finding(talk: &Talk, ended: Ended) -> Finding {
    let secured = talk.tongue() != Tongue::Null;
    let notes = talk.notes();
    if notes.admitted {
        return Finding::Admitted;
    }
    if notes.met_hello {
        return Finding::AlsoClient;
    }
    match ended {
        Ended::Learned if secured && talk.version().is_some_and(|(major, _)| major < 3) => {
            Finding::OtherMechanism
        }
        Ended::Learned => Finding::Zmtp,
        Ended::Failed(ProtocolError::Incompatible(reason)) => match reason {
            Incompatible::LooksLike(foreign) => Finding::Foreign(foreign),
            Incompatible::Mechanism { .. } if !secured => Finding::Zmtp,
            Incompatible::Mechanism { .. } | Incompatible::Version(_) => Finding::OtherMechanism,
            _ => Finding::Broken,
        },
        Ended::Failed(ProtocolError::Refused(Refused::ByPeer(status))) => {
            match (notes.answered, status) {
                // Sockets of ours answer so to a socket type they cannot talk to.
                (true, None) => Finding::RejectedInitiate,
                _ => Finding::Denied(status),
            }
        }
        Ended::Failed(_) | Ended::TooMuch => Finding::Broken,
        Ended::Closed(_) if talk.greeting().is_none() => Finding::Closed,
        Ended::Closed(_) if !secured => Finding::Zmtp,
        Ended::Closed(_) if notes.answered => Finding::RejectedInitiate,
        Ended::Closed(_) => Finding::RejectedHello,
        Ended::TimedOut if talk.greeting().is_none() => Finding::Silent,
        Ended::TimedOut if !secured => Finding::Zmtp,
        Ended::TimedOut => Finding::Unanswered,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_system_says_is_told_apart() {
        for (kind, finding) in [
            (io::ErrorKind::ConnectionRefused, Finding::NothingListens),
            (io::ErrorKind::NotFound, Finding::NothingListens),
            (io::ErrorKind::PermissionDenied, Finding::Forbidden),
            (io::ErrorKind::TimedOut, Finding::NoConnection),
            (io::ErrorKind::HostUnreachable, Finding::Unreachable),
            (io::ErrorKind::NetworkUnreachable, Finding::Unreachable),
        ] {
            let report = Unreached::Refused(kind.into()).report(None);
            assert_eq!(report.finding, finding, "{kind:?}");
            assert!(report.detail.is_some());
        }
        let report = Unreached::Name(None).report(None);
        assert_eq!(report.finding, Finding::NotResolved);
        assert_eq!(
            Unreached::TimedOut.report(None).finding,
            Finding::NoConnection
        );
    }
}
