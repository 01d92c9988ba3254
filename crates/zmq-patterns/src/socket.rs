//! What a socket type is made of: its answers to what happens. Each says only what it does differently.

use bytes::Bytes;
use zmtp_wire::{Frame, Message};

use crate::hub::{Hub, Notification};
use crate::{
    Attach, DropReason, Output, PatternOption, PeerFault, PeerInfo, PeerKey, PeerRefused,
    RecvRefused, Refused, Route, SendRefused, Source, Taken,
};

/// The choice made for the first part of a message, to be redeemed by [`crate::Pattern::commit`]. Dropping it has no
/// effect.
#[derive(Debug)]
#[must_use]
pub struct Reservation(pub(crate) Choice);

#[derive(Clone, Copy, Debug)]
pub(crate) enum Choice {
    /// This peer, unless it goes.
    Peer { peer: PeerKey, serial: u32 },
    /// Nobody.
    Nowhere(DropReason),
    /// Whoever it concerns when the message is whole.
    Later,
}

impl Choice {
    pub(crate) fn peer(hub: &Hub, peer: PeerKey) -> Choice {
        let serial = hub.serial(peer);
        Choice::Peer { peer, serial }
    }

    /// The peer if it is still there, else the reason to drop the message.
    pub(crate) fn redeem(self, hub: &Hub) -> Result<PeerKey, DropReason> {
        match self {
            Choice::Peer { peer, serial } if hub.is_still(peer, serial) => Ok(peer),
            Choice::Peer { .. } | Choice::Later => Err(DropReason::NoPeer),
            Choice::Nowhere(reason) => Err(reason),
        }
    }
}

pub(crate) trait Socket {
    fn set(&mut self, _hub: &mut Hub, _option: &PatternOption) -> Result<(), Refused> {
        Err(Refused::WrongType)
    }

    /// The peer is in the hub already.
    fn attach(&mut self, _hub: &mut Hub, _peer: PeerKey, _attach: &Attach) {}
    /// Before the hub says that the peer is linked.
    fn link_up(&mut self, _: &mut Hub, _: PeerKey, _: &PeerInfo) -> Result<(), PeerRefused> {
        Ok(())
    }
    /// After the hub says that the peer is not linked.
    fn link_down(&mut self, _hub: &mut Hub, _peer: PeerKey) {}
    /// Before the peer leaves the hub.
    fn detach(&mut self, _hub: &mut Hub, _peer: PeerKey) {}
    /// The peer may have become sendable, or no longer be.
    fn refresh(&mut self, _hub: &Hub, _peer: PeerKey) {}
    fn set_readable(&mut self, _hub: &Hub, _peer: PeerKey) {}
    fn set_drained(&mut self, _peer: PeerKey) {}

    fn reserve(&mut self, _hub: &mut Hub, _first: &Frame) -> Result<Choice, SendRefused> {
        Err(SendRefused::WrongDirection)
    }
    fn commit(&mut self, _: &mut Hub, _: Choice, _: &mut Message) -> Result<Route, SendRefused> {
        Err(SendRefused::WrongDirection)
    }
    #[inline]
    fn send(&mut self, hub: &mut Hub, message: &mut Message) -> Result<Route, SendRefused> {
        let choice = match message.frames().first() {
            Some(first) => self.reserve(hub, first)?,
            None => Choice::Nowhere(DropReason::Malformed),
        };
        self.commit(hub, choice, message)
    }
    fn can_send(&self, _hub: &Hub) -> bool {
        false
    }

    fn receives(&self) -> bool {
        true
    }
    /// Besides the hub's own messages.
    fn next(&self) -> Result<Option<PeerKey>, RecvRefused> {
        Err(RecvRefused::WrongDirection)
    }
    fn take(&mut self, _: &mut Hub, _: PeerKey, _: Message, _more_queued: bool) -> Taken {
        Taken::Discard(DropReason::Unexpected)
    }
    /// Whether all that is queued from the peer is thrown away before anything is received. Then the peer has nothing queued any more.
    fn discards_queued(&mut self, _: PeerKey) -> bool {
        false
    }
    /// The application received one of the hub's own messages.
    fn own_taken(&mut self, _hub: &Hub, _notification: &Notification) {}

    fn handle_subscribe(&mut self, _: &mut Hub, _: PeerKey, _: &Bytes) -> Result<(), PeerFault> {
        Ok(())
    }
    fn handle_cancel(&mut self, _: &mut Hub, _: PeerKey, _: &Bytes) -> Result<(), PeerFault> {
        Ok(())
    }
    fn subscribe(&mut self, _hub: &mut Hub, _topic: &[u8]) -> Result<(), Refused> {
        Err(Refused::WrongType)
    }
    fn unsubscribe(&mut self, _hub: &mut Hub, _topic: &[u8]) -> Result<(), Refused> {
        Err(Refused::WrongType)
    }
    fn subscriber_count(&self) -> usize {
        0
    }
    fn topics_count(&self) -> usize {
        0
    }
    /// What is generated only when asked for, after the hub's outputs.
    fn poll_output(&mut self, _hub: &mut Hub) -> Option<Output> {
        None
    }
}

/// The answer of [`crate::Pattern::next`] for a peer.
#[inline]
pub(crate) fn source(peer: Option<PeerKey>) -> Option<Source> {
    peer.map(Source::Peer)
}
