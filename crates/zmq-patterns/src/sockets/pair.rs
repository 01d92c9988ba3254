//! PAIR (RFC 31): a DEALER with at most one peer.

use smallvec::SmallVec;
use zmtp_wire::{Frame, Message};

use crate::hub::Hub;
use crate::socket::{Choice, Socket};
use crate::sockets::Dealer;
use crate::{
    Attach, DropReason, PeerInfo, PeerKey, PeerRefused, RecvRefused, Route, SendRefused, Taken,
};

/// PAIR, CHANNEL.
pub(crate) struct Pair {
    dealer: Dealer,
    /// The one: from `attach` on if we dialed it, else from `link_up` on.
    peer: Option<PeerKey>,
    /// Peers that have left and whose messages have not all been taken. They come first, so that a peer that comes back is heard
    /// in the order in which it spoke.
    left: SmallVec<[PeerKey; 2]>,
}

impl Pair {
    pub(crate) fn new() -> Pair {
        Pair {
            dealer: Dealer::new(),
            peer: None,
            left: SmallVec::new(),
        }
    }

    fn listens_to(&self, peer: PeerKey) -> bool {
        self.peer == Some(peer) || self.left.contains(&peer)
    }
}

impl Socket for Pair {
    fn attach(&mut self, _hub: &mut Hub, peer: PeerKey, attach: &Attach) {
        if attach.dialed {
            self.peer.get_or_insert(peer);
        }
    }

    fn link_up(&mut self, _: &mut Hub, peer: PeerKey, _: &PeerInfo) -> Result<(), PeerRefused> {
        if *self.peer.get_or_insert(peer) == peer {
            self.left.retain(|left| *left != peer);
            Ok(())
        } else {
            Err(PeerRefused::SecondPeer)
        }
    }

    fn link_down(&mut self, hub: &mut Hub, peer: PeerKey) {
        let accepted = hub.peer(peer).is_some_and(|peer| !peer.dialed);
        if accepted && self.peer == Some(peer) {
            self.peer = None;
            self.left.push(peer);
        }
    }

    fn detach(&mut self, hub: &mut Hub, peer: PeerKey) {
        self.left.retain(|left| *left != peer);
        self.dealer.detach(hub, peer);
        if self.peer == Some(peer) {
            self.peer = None;
        }
    }

    fn refresh(&mut self, hub: &Hub, peer: PeerKey) {
        if self.listens_to(peer) {
            self.dealer.refresh(hub, peer);
        }
    }

    fn set_readable(&mut self, hub: &Hub, peer: PeerKey) {
        if self.listens_to(peer) {
            self.dealer.set_readable(hub, peer);
        }
    }

    fn set_drained(&mut self, peer: PeerKey) {
        self.dealer.set_drained(peer);
    }

    fn reserve(&mut self, hub: &mut Hub, first: &Frame) -> Result<Choice, SendRefused> {
        self.dealer.reserve(hub, first)
    }

    fn commit(&mut self, h: &mut Hub, c: Choice, m: &mut Message) -> Result<Route, SendRefused> {
        self.dealer.commit(h, c, m)
    }

    #[inline]
    fn send(&mut self, hub: &mut Hub, message: &mut Message) -> Result<Route, SendRefused> {
        self.dealer.send(hub, message)
    }

    fn can_send(&self, hub: &Hub) -> bool {
        self.dealer.can_send(hub)
    }

    #[inline]
    fn next(&self) -> Result<Option<PeerKey>, RecvRefused> {
        let waits = |left: &&PeerKey| self.dealer.take.contains(**left);
        match self.left.iter().find(waits) {
            Some(left) => Ok(Some(*left)),
            None => self.dealer.next(),
        }
    }

    #[inline]
    fn take(&mut self, hub: &mut Hub, peer: PeerKey, message: Message, more: bool) -> Taken {
        if self.listens_to(peer) {
            self.dealer.take(hub, peer, message, more)
        } else {
            Taken::Discard(DropReason::Unexpected)
        }
    }
}
