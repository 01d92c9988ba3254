//! What a pattern answers.

use bytes::Bytes;
use zmtp_wire::Message;

use crate::{PeerFault, PeerKey};

/// Where a message that was accepted goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[must_use]
pub enum Route {
    /// To this peer.
    One(PeerKey),
    /// To every peer in [`crate::Pattern::targets`].
    Many {
        /// How many others should have had it but their pipes are full.
        dropped: u32,
    },
    /// To nobody; it is dropped.
    Nowhere(DropReason),
}

/// Why a message was not accepted. It is unchanged, and so is the state of the socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SendRefused {
    /// No peer with room; try again when [`crate::Pattern::can_send`].
    WouldBlock,
    /// A mandatory ROUTER does not know the id.
    Unroutable,
    /// Not this socket's turn to send: REQ awaits a reply, REP has no request.
    WrongState,
    /// This socket type never sends.
    WrongDirection,
    /// This socket type sends messages of one frame only.
    Multipart,
}

/// Why there is nothing to receive, now or ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RecvRefused {
    /// Not this socket's turn to receive: REQ has not asked, REP has not replied.
    WrongState,
    /// This socket type never receives.
    WrongDirection,
}

/// Whose message comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// The pattern's own: [`crate::Pattern::take_own`].
    Own,
    /// The queue of this peer: pop a message and give it to [`crate::Pattern::take`].
    Peer(PeerKey),
}

/// What became of a message popped from a peer's queue.
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub enum Taken {
    /// The application gets this.
    Deliver(Message),
    /// Nobody gets it.
    Discard(DropReason),
    /// It was meant for the pattern itself (subscriptions).
    Consumed,
}

/// Why a message was dropped. Each is counted by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DropReason {
    /// There is no peer (any more) to send to.
    NoPeer,
    /// The pipe of the peer is full.
    PeerFull,
    /// A ROUTER does not know the routing id.
    Unroutable,
    /// No peer is subscribed to it (RFC 29).
    NoSubscriber,
    /// A SUB did not subscribe to it, or an XSUB cancelled what it had not subscribed. Not a loss.
    FilteredOut,
    /// Its frames are not as the pattern demands.
    Malformed,
    /// A reply to a request that is no longer waiting, or from a peer that was not asked.
    StaleReply,
    /// This socket type never receives.
    Unexpected,
    /// The peer's id was taken over by another link.
    HandedOver,
}

/// What the engine has to do, beyond the answers above.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Output {
    /// Tell the peer we subscribe.
    Subscribe {
        /// To whom.
        peer: PeerKey,
        /// The prefix.
        topic: Bytes,
    },
    /// Tell the peer we no longer subscribe.
    Cancel {
        /// To whom.
        peer: PeerKey,
        /// The prefix.
        topic: Bytes,
    },
    /// Send this on the peer's new link, before what its pipe holds and whatever its mark.
    Send {
        /// To whom.
        peer: PeerKey,
        /// A probe, a hello or a welcome.
        message: Message,
    },
    /// Throw away what is queued from the peer at this moment, as [`DropReason::StaleReply`].
    DiscardQueued {
        /// From whom.
        peer: PeerKey,
    },
    /// Close the peer's link.
    Close {
        /// Whose.
        peer: PeerKey,
        /// Why.
        why: CloseReason,
    },
}

/// Why a pattern wants a link closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CloseReason {
    /// Another link took over its routing id (`ZMQ_ROUTER_HANDOVER`).
    HandedOver,
    /// It went beyond the limits.
    Fault(PeerFault),
}
