//! Peers as the engine introduces them.

use bytes::Bytes;

/// The engine's number for a peer (its pipe). Keys index tables, so give out small ones; one may be used again after
/// `detach`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerKey(pub u32);

impl PeerKey {
    /// The largest key; a peer with a larger one is never attached.
    pub const MAX: PeerKey = PeerKey((1 << 22) - 1);
}

/// How a pipe comes into being.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attach {
    /// We connect to the peer: the pipe exists before its link and survives it. Otherwise the peer came to us.
    pub dialed: bool,
    /// The id a ROUTER is to know this peer by whatever the peer says (`ZMQ_CONNECT_ROUTING_ID`). It must not be
    /// taken: ask [`crate::Pattern::routing_id_taken`] before.
    pub routing_id: Option<Bytes>,
    /// Nothing may be queued for the peer while its link is down (`ZMQ_IMMEDIATE`).
    pub immediate: bool,
    /// The peer lives in the same process.
    pub inproc: bool,
}

/// What the handshake told about a peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerInfo {
    /// Its routing id, empty if it has none.
    pub routing_id: Bytes,
    /// It sends subscriptions. `false` for a ZMTP 1.0 peer, which counts as subscribed to everything.
    pub filters_upstream: bool,
}

impl Default for PeerInfo {
    fn default() -> PeerInfo {
        PeerInfo {
            routing_id: Bytes::new(),
            filters_upstream: true,
        }
    }
}

/// Why a link may not be used; the engine closes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PeerRefused {
    /// Another peer of this ROUTER has the same routing id (RFC 28).
    DuplicateRoutingId,
    /// The routing id begins with a zero octet; those are made by the ROUTER itself (RFC 28).
    ReservedRoutingId,
    /// The routing id is longer than [`crate::Limits::routing_id`].
    RoutingIdTooLong,
    /// A PAIR or CHANNEL has its peer already (RFC 31, 52).
    SecondPeer,
    /// More than [`crate::Limits::pending_notifications`] wait for the application.
    TooManyNotifications,
    /// The key was never attached.
    Unknown,
}

/// What a peer did beyond the [`crate::Limits`]; the engine closes its link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PeerFault {
    /// More than [`crate::Limits::topics_per_peer`].
    TooManyTopics,
    /// One topic longer than [`crate::Limits::topic`].
    TopicTooLong,
    /// All its topics together are longer than [`crate::Limits::topic_octets_per_peer`].
    TooManyTopicOctets,
    /// More than [`crate::Limits::pending_notifications`] wait for the application.
    TooManyNotifications,
    /// The index of all topics is full.
    IndexFull,
}
