//! Why a session ended, sorted by whose fault it was.

use crate::{SocketType, Version};

/// The end of a session. Numbers only; cheap to copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The peer broke the rules of the protocol.
    Misbehaved(Misbehaved),
    /// The peer is honest, but the two cannot talk.
    Incompatible(Incompatible),
    /// The peer, or the authenticator on this side, said no.
    Refused(Refused),
    /// The handshake did not end in time.
    HandshakeTimeout,
    /// Nothing arrived after a PING.
    HeartbeatTimeout,
    /// Nothing arrived within the time to live the peer had announced.
    TtlExpired,
    /// No memory for a frame the peer is sending.
    OutOfMemory,
    /// Every nonce of this session has been used: nothing can be sealed any more. A new connection has new keys.
    NoncesUsedUp,
}

/// How the peer broke the rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Misbehaved {
    /// A frame length that no frame can have (0 in ZMTP 1.0, 2^63 and above anywhere).
    FrameLength(u64),
    /// A frame larger than [`Limits::max_frame`](crate::Limits::max_frame).
    FrameTooLarge(u64),
    /// A command larger than the limits allow in this state.
    CommandTooLarge(u64),
    /// A message with more octets than [`Limits::max_message`](crate::Limits::max_message).
    MessageTooLarge(u64),
    /// A message with more frames than [`Limits::max_parts`](crate::Limits::max_parts).
    TooManyParts(usize),
    /// A topic or group longer than [`Limits::topic`](crate::Limits::topic).
    TopicTooLong(usize),
    /// A command frame that says more frames follow.
    CommandWithMore,
    /// A command without a proper name.
    MalformedCommand,
    /// A command that does not follow its own grammar.
    Malformed(CommandName),
    /// A command that has no place in this state.
    UnexpectedCommand,
    /// Metadata that ends too early, has an empty name or names something twice.
    MalformedMetadata,
    /// More properties than [`Limits::properties`](crate::Limits::properties).
    TooManyProperties(usize),
    /// A routing id longer than 255 octets or starting with the reserved zero octet.
    RoutingId {
        /// Its length in octets.
        length: usize,
    },
    /// More octets than the session keeps while it waits for a verdict.
    TooEager(usize),
    /// A frame that does not open with the session's keys, or repeats one.
    Cryptographic,
    /// A nonce that is not larger than the one before it.
    Sequence,
    /// A unit without its flags octet (framed mode).
    EmptyUnit,
}

/// The commands that have a grammar of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum CommandName {
    /// READY
    Ready,
    /// ERROR
    Error,
    /// HELLO
    Hello,
    /// WELCOME
    Welcome,
    /// INITIATE
    Initiate,
    /// MESSAGE
    Message,
    /// PING
    Ping,
    /// PONG
    Pong,
}

/// Why two honest peers cannot talk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Incompatible {
    /// The peer speaks a version below the minimum, or a version without mechanisms where one is demanded.
    Version(Version),
    /// The greetings name different mechanisms.
    Mechanism {
        /// The mechanism of this side.
        ours: MechanismKind,
        /// The peer's mechanism field.
        theirs: [u8; 20],
    },
    /// The socket types do not go together; `None` when the peer's name is unknown.
    SocketType(Option<SocketType>),
    /// The first octets belong to another protocol.
    LooksLike(Foreign),
}

/// Mechanisms by name. One octet: every session has room for its error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum MechanismKind {
    /// NULL
    Null,
    /// PLAIN
    Plain,
    /// CURVE
    Curve,
    /// Any other.
    Other,
}

impl MechanismKind {
    /// The one that a greeting's mechanism field names.
    #[must_use]
    pub fn of(field: &[u8; 20]) -> Self {
        match field.split(|octet| *octet == 0).next() {
            Some(b"NULL") => Self::Null,
            Some(b"PLAIN") => Self::Plain,
            Some(b"CURVE") => Self::Curve,
            _ => Self::Other,
        }
    }
}

/// Protocols recognised by their first octets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Foreign {
    /// An HTTP request or answer.
    Http,
    /// A TLS record.
    Tls,
    /// An SSH banner.
    Ssh,
    /// A mail server or client.
    Smtp,
    /// Telnet option negotiation.
    Telnet,
    /// Nothing known, and no ZMTP.
    Unknown,
}

/// Who said no, and with which status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refused {
    /// The peer sent ERROR; the number is the ZAP status when the reason is one (300, 400, 500).
    ByPeer(Option<u16>),
    /// The authenticator on this side refused with this ZAP status (300, 400, 500).
    ByVerdict(u16),
}

impl Error {
    /// Whether the connecting side may try again: timeouts and temporary refusals are, broken rules and refusals are not.
    #[must_use]
    pub const fn is_transient(self) -> bool {
        match self {
            Self::HandshakeTimeout
            | Self::HeartbeatTimeout
            | Self::TtlExpired
            | Self::OutOfMemory
            | Self::NoncesUsedUp => true,
            Self::Refused(Refused::ByPeer(status)) => matches!(status, Some(300)),
            Self::Refused(Refused::ByVerdict(status)) => status == 300,
            Self::Misbehaved(_) | Self::Incompatible(_) => false,
        }
    }

    /// The number libzmq's monitor gives to this failure of the protocol (`ZMQ_PROTOCOL_ERROR_*`), when it has one.
    #[must_use]
    pub const fn protocol_code(self) -> Option<u32> {
        use CommandName as N;
        use Misbehaved as M;
        Some(match self {
            Self::Misbehaved(fault) => match fault {
                M::UnexpectedCommand | M::TooEager(_) => 0x1000_0001,
                M::Sequence => 0x1000_0002,
                M::MalformedCommand | M::CommandWithMore => 0x1000_0011,
                M::Malformed(N::Message) => 0x1000_0012,
                M::Malformed(N::Hello) => 0x1000_0013,
                M::Malformed(N::Initiate) => 0x1000_0014,
                M::Malformed(N::Error) => 0x1000_0015,
                M::Malformed(N::Ready) => 0x1000_0016,
                M::Malformed(N::Welcome) => 0x1000_0017,
                M::MalformedMetadata | M::TooManyProperties(_) | M::RoutingId { .. } => 0x1000_0018,
                M::Cryptographic => 0x1100_0001,
                _ => 0x1000_0000,
            },
            Self::Incompatible(Incompatible::Mechanism { .. }) => 0x1100_0002,
            Self::Incompatible(Incompatible::SocketType(_)) => 0x1000_0018,
            Self::Incompatible(_) => 0x1000_0000,
            _ => return None,
        })
    }
}

impl From<Misbehaved> for Error {
    fn from(fault: Misbehaved) -> Self {
        Self::Misbehaved(fault)
    }
}

impl From<Incompatible> for Error {
    fn from(reason: Incompatible) -> Self {
        Self::Incompatible(reason)
    }
}

impl From<Refused> for Error {
    fn from(refusal: Refused) -> Self {
        Self::Refused(refusal)
    }
}

impl core::error::Error for Error {}
