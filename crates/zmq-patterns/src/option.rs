//! What can be chosen, and what strangers can push against.

use bytes::Bytes;

/// Every number that a peer can push against in this crate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Octets of one topic a peer subscribes to. Default 64 KiB.
    pub topic: usize,
    /// Topics one peer holds at a time. Default 1 048 576.
    pub topics_per_peer: usize,
    /// Octets of all topics one peer holds at a time. Default 64 MiB.
    pub topic_octets_per_peer: usize,
    /// Notifications (XPUB subscriptions, ROUTER connects) that wait for the application to receive them. What a
    /// departing peer held may come on top. Default 1 048 576.
    pub pending_notifications: usize,
    /// Octets of a peer's routing id. Default 255 (RFC 37).
    pub routing_id: usize,
    /// Address frames in front of a request's delimiter that a REP keeps for the reply (RFC 28). Default 256.
    pub envelope: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            topic: 64 * 1024,
            topics_per_peer: 1 << 20,
            topic_octets_per_peer: 64 << 20,
            pending_notifications: 1 << 20,
            routing_id: 255,
            envelope: 256,
        }
    }
}

/// When a ROUTER tells the application of its peers: `[id][""]` (`ZMQ_ROUTER_NOTIFY`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RouterNotify {
    /// When a link comes up.
    pub connect: bool,
    /// When a link goes down.
    pub disconnect: bool,
}

/// A choice that changes how a pattern behaves. Effective at once.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PatternOption {
    /// ROUTER: refuse what cannot be routed, instead of dropping it.
    RouterMandatory(bool),
    /// ROUTER: a newcomer with a known routing id takes it over.
    RouterHandover(bool),
    /// ROUTER: tell of links that come and go.
    RouterNotify(RouterNotify),
    /// REQ, DEALER, ROUTER: send an empty message first on every link, so that a ROUTER learns of us.
    ProbeRouter(bool),
    /// REQ: may ask again before the reply.
    ReqRelaxed(bool),
    /// REQ: number the requests, and take only the reply with the number of the last.
    ReqCorrelate(bool),
    /// XPUB: report every subscription; cancellations only when the last holder goes.
    XPubVerbose(bool),
    /// XPUB: report every subscription and every cancellation.
    XPubVerboser(bool),
    /// XPUB: report only; the application decides with `subscribe` and `unsubscribe`.
    XPubManual(bool),
    /// XPUB: as manual, and the next message goes only to the peer whose subscription was received last.
    XPubManualLastValue(bool),
    /// PUB, XPUB: refuse a message while a peer that should have it is full.
    XPubNoDrop(bool),
    /// PUB, XPUB: sent first on every link.
    WelcomeMessage(Option<Bytes>),
    /// PUB, XPUB, SUB, XSUB: a message goes to those who did *not* subscribe to it. Set it on both sides.
    InvertMatching(bool),
    /// PUB, XPUB, XSUB: only the first frame of a message can be a subscription.
    OnlyFirstSubscribe(bool),
    /// SUB, XSUB: send every cancellation upstream, needed or not.
    VerboseUnsubscribe(bool),
    /// DEALER, ROUTER, CLIENT: sent first on every link.
    HelloMessage(Option<Bytes>),
    /// ROUTER: received, as if from the peer, when the link of an accepted peer goes down.
    DisconnectMessage(Option<Bytes>),
    /// DEALER, CLIENT: received when the link to a dialed peer goes down.
    HiccupMessage(Option<Bytes>),
    /// Any type: the bounds for peers from now on.
    Limits(Limits),
}

/// Why an option or a verb was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Refused {
    /// This socket type does not have it.
    WrongType,
    /// An XPUB that is not manual cannot subscribe for its peers.
    NotManual,
    /// The index of all topics is full.
    IndexFull,
}
