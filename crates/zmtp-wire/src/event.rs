//! What a session tells its owner.

use crate::{Message, Properties, SocketType, Version};
use alloc::sync::Arc;
use alloc::vec::Vec;
use bytes::Bytes;

/// Something the owner of a session has to act on.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// The handshake waits for [`Session::handle_verdict`](crate::Session::handle_verdict).
    Authenticate(Credentials),
    /// The handshake ended well; messages may be sent from now on.
    Ready(Peer),
    /// A whole message arrived.
    Message(Message),
    /// The peer subscribed to a topic (or wants all, when it is empty).
    Subscribe(Bytes),
    /// The peer cancelled one subscription to a topic.
    Cancel(Bytes),
    /// The peer joined a group (RFC 48).
    Join(Bytes),
    /// The peer left a group (RFC 48).
    Leave(Bytes),
}

/// What is known of the peer once the handshake has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// The dialect spoken with it.
    pub version: Version,
    /// Its socket type, when it told one we know.
    pub socket_type: Option<SocketType>,
    /// Its routing id; empty when it has none. At most 255 octets, never starting with zero.
    pub routing_id: Bytes,
    /// Its metadata, followed by what the authenticator added.
    pub properties: Arc<Properties>,
    /// Whether it sends subscriptions. A 1.0 peer does not: treat it as subscribed to everything.
    pub filters_upstream: bool,
}

/// What a peer offers to prove who it is (RFC 27).
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Credentials {
    /// NULL: nothing but its address, which the session does not know.
    Null,
    /// PLAIN: a name and a password.
    Plain {
        /// User name.
        username: Vec<u8>,
        /// Password.
        password: Vec<u8>,
    },
    /// CURVE: a long-term public key, proven to be the peer's.
    Curve {
        /// The 32 octets of the key.
        public_key: [u8; 32],
    },
    /// GSSAPI: a principal.
    Gssapi {
        /// The principal's name.
        principal: Vec<u8>,
    },
}

impl core::fmt::Debug for Credentials {
    /// Secrets stay out of logs.
    fn fmt(&self, out: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Null => out.write_str("Null"),
            Self::Plain { username, .. } => {
                write!(out, "Plain(\"{}\", ..)", username.escape_ascii())
            }
            Self::Curve { public_key } => write!(out, "Curve({public_key:02x?})"),
            Self::Gssapi { principal } => write!(out, "Gssapi(\"{}\")", principal.escape_ascii()),
        }
    }
}

/// The answer to [`Event::Authenticate`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Let the peer in. The properties (`User-Id` and what ZAP returned) are appended to the peer's metadata
    /// and stand in for what the peer says under the same names.
    Accept(Properties),
    /// Keep it out, with the ZAP status: 300 (try later: nothing is told to the peer), 400 or 500 (sent as ERROR).
    Refuse(u16),
}

impl Verdict {
    /// Let the peer in, knowing nothing more about it.
    #[must_use]
    pub const fn accept() -> Self {
        Self::Accept(Properties::new())
    }
}
