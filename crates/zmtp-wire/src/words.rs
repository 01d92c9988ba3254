//! Failures in words: what was met, and what was expected.

use core::fmt::{Display, Formatter, Result};

use crate::{
    CommandName, Error, Foreign, Incompatible, MechanismKind, Misbehaved, Refused, Version,
};

impl Display for Error {
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        match self {
            Self::Misbehaved(fault) => write!(out, "the peer broke the protocol: {fault}"),
            Self::Incompatible(reason) => write!(out, "{reason}"),
            Self::Refused(refusal) => write!(out, "{refusal}"),
            Self::HandshakeTimeout => write!(out, "the handshake took longer than it may"),
            Self::HeartbeatTimeout => write!(out, "the peer sent nothing after a PING"),
            Self::TtlExpired => {
                write!(out, "the peer was silent for longer than it had announced")
            }
            Self::OutOfMemory => write!(out, "no memory for an arriving frame"),
            Self::NoncesUsedUp => write!(out, "all nonces of the connection are used up"),
        }
    }
}

impl Display for Misbehaved {
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        let (count, what) = match self {
            Self::FrameLength(length) => (*length, "octets are the length of no frame"),
            Self::FrameTooLarge(length) => (*length, "octets are more than a frame may have"),
            Self::CommandTooLarge(length) => {
                (*length, "octets are more than a command may have now")
            }
            Self::MessageTooLarge(length) => (*length, "octets are more than a message may have"),
            Self::TooManyParts(parts) => (*parts as u64, "frames are more than a message may have"),
            Self::TopicTooLong(length) => (*length as u64, "octets are more than a topic may have"),
            Self::TooManyProperties(count) => {
                (*count as u64, "properties are more than it may have")
            }
            Self::TooEager(octets) => (*octets as u64, "octets came before it was let in"),
            Self::RoutingId { length } => (
                *length as u64,
                "octets of routing id are more than 255, or begin with the reserved zero octet",
            ),
            Self::Malformed(name) => return write!(out, "{name} does not follow its grammar"),
            other => return out.write_str(other.words()),
        };
        write!(out, "{count} {what}")
    }
}

impl Misbehaved {
    /// The faults that have no number in them.
    const fn words(&self) -> &'static str {
        match self {
            Self::CommandWithMore => "a command says that frames follow, but it is a single frame",
            Self::MalformedCommand => "a command has no proper name",
            Self::UnexpectedCommand => "a frame came that has no place here",
            Self::MalformedMetadata => "a property ends too early, has no name or is named twice",
            Self::Cryptographic => "a frame was not sealed with the keys of this connection",
            Self::Sequence => "a nonce was not larger than the one before it",
            Self::EmptyUnit => "a unit came without its flags octet",
            _ => "it did what it may not",
        }
    }
}

impl Display for CommandName {
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        out.write_str(match self {
            Self::Ready => "READY",
            Self::Error => "ERROR",
            Self::Hello => "HELLO",
            Self::Welcome => "WELCOME",
            Self::Initiate => "INITIATE",
            Self::Message => "MESSAGE",
            Self::Ping => "PING",
            Self::Pong => "PONG",
        })
    }
}

impl Display for Incompatible {
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        match self {
            Self::Version(version) => {
                write!(
                    out,
                    "the peer speaks ZMTP {version}, which this socket does not accept"
                )
            }
            Self::Mechanism { ours, theirs } => {
                let name = theirs.split(|octet| *octet == 0).next();
                let theirs = name.unwrap_or_default().escape_ascii();
                let ours = match ours {
                    MechanismKind::Null => "NULL",
                    MechanismKind::Plain => "PLAIN",
                    MechanismKind::Curve => "CURVE",
                    MechanismKind::Other => "another one",
                };
                write!(
                    out,
                    "the peer uses the mechanism {theirs}, this socket {ours}"
                )
            }
            Self::SocketType(Some(theirs)) => {
                write!(out, "this socket cannot talk to a {} socket", theirs.name())
            }
            Self::SocketType(None) => {
                write!(out, "the peer is of a socket type that nobody knows")
            }
            Self::LooksLike(foreign) => write!(out, "not ZMTP ({foreign})"),
        }
    }
}

impl Display for Foreign {
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        out.write_str(match self {
            Self::Http => "looks like HTTP",
            Self::Tls => "looks like TLS",
            Self::Ssh => "looks like SSH",
            Self::Smtp => "looks like mail",
            Self::Telnet => "looks like telnet",
            Self::Unknown => "and nothing else that is known",
        })
    }
}

impl Display for Refused {
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        match self {
            Self::ByPeer(Some(status)) => write!(out, "the peer refused with status {status}"),
            Self::ByPeer(None) => write!(out, "the peer refused"),
            Self::ByVerdict(status) => write!(out, "the peer was refused with status {status}"),
        }
    }
}

impl Display for Version {
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        let (major, minor) = self.numbers();
        write!(out, "{major}.{minor}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn failures_name_what_was_met() {
        let ours = MechanismKind::Plain;
        let mut theirs = [0; 20];
        theirs[..5].copy_from_slice(b"CURVE");
        for (error, words) in [
            (
                Error::Incompatible(Incompatible::LooksLike(Foreign::Http)),
                "not ZMTP (looks like HTTP)",
            ),
            (
                Error::Incompatible(Incompatible::Mechanism { ours, theirs }),
                "the peer uses the mechanism CURVE, this socket PLAIN",
            ),
            (
                Error::Incompatible(Incompatible::Version(Version::V2)),
                "the peer speaks ZMTP 2.0, which this socket does not accept",
            ),
            (
                Error::Misbehaved(Misbehaved::Malformed(CommandName::Ping)),
                "the peer broke the protocol: PING does not follow its grammar",
            ),
        ] {
            assert_eq!(error.to_string(), words);
        }
    }
}
