//! PAIR (RFC 31): a DEALER with at most one peer.

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
}

impl Pair {
    pub(crate) const fn new() -> Pair {
        Pair {
            dealer: Dealer::new(),
            peer: None,
        }
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
            Ok(())
        } else {
            Err(PeerRefused::SecondPeer)
        }
    }

    fn detach(&mut self, hub: &mut Hub, peer: PeerKey) {
        self.dealer.detach(hub, peer);
        if self.peer == Some(peer) {
            self.peer = None;
        }
    }

    fn refresh(&mut self, hub: &Hub, peer: PeerKey) {
        if self.peer == Some(peer) {
            self.dealer.refresh(hub, peer);
        }
    }

    fn set_readable(&mut self, hub: &Hub, peer: PeerKey) {
        if self.peer == Some(peer) {
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
        self.dealer.next()
    }

    #[inline]
    fn take(&mut self, hub: &mut Hub, peer: PeerKey, message: Message, more: bool) -> Taken {
        if self.peer == Some(peer) {
            self.dealer.take(hub, peer, message, more)
        } else {
            Taken::Discard(DropReason::Unexpected)
        }
    }
}
