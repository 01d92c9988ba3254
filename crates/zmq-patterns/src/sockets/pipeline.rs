//! PUSH and PULL (RFC 30): each message to the next peer with room; from each peer in turn.

use zmtp_wire::{Frame, Message};

use crate::balance::Balance;
use crate::hub::Hub;
use crate::socket::{Choice, Socket};
use crate::take::Take;
use crate::{PeerKey, RecvRefused, Route, SendRefused, Taken};

/// PUSH, SCATTER.
pub(crate) struct Push {
    pub(crate) balance: Balance,
}

impl Push {
    pub(crate) const fn new() -> Push {
        Push {
            balance: Balance::new(),
        }
    }
}

impl Socket for Push {
    fn refresh(&mut self, hub: &Hub, peer: PeerKey) {
        self.balance.refresh(hub, peer);
    }

    fn detach(&mut self, _hub: &mut Hub, peer: PeerKey) {
        self.balance.remove(peer);
    }

    fn reserve(&mut self, hub: &mut Hub, _first: &Frame) -> Result<Choice, SendRefused> {
        self.balance.reserve(hub)
    }

    fn commit(&mut self, hub: &mut Hub, c: Choice, _: &mut Message) -> Result<Route, SendRefused> {
        Ok(self.balance.commit(hub, c))
    }

    #[inline]
    fn send(&mut self, _hub: &mut Hub, _message: &mut Message) -> Result<Route, SendRefused> {
        self.balance.send()
    }

    fn can_send(&self, _hub: &Hub) -> bool {
        self.balance.has_room()
    }

    fn receives(&self) -> bool {
        false
    }
}

/// PULL, GATHER.
pub(crate) struct Pull {
    pub(crate) take: Take,
}

impl Pull {
    pub(crate) const fn new() -> Pull {
        Pull { take: Take::new() }
    }
}

impl Socket for Pull {
    fn set_readable(&mut self, _hub: &Hub, peer: PeerKey) {
        self.take.insert(peer);
    }

    fn set_drained(&mut self, peer: PeerKey) {
        self.take.remove(peer);
    }

    fn detach(&mut self, _hub: &mut Hub, peer: PeerKey) {
        self.take.remove(peer);
    }

    #[inline]
    fn next(&self) -> Result<Option<PeerKey>, RecvRefused> {
        Ok(self.take.next())
    }

    #[inline]
    fn take(&mut self, _: &mut Hub, peer: PeerKey, message: Message, more_queued: bool) -> Taken {
        self.take.taken(peer, more_queued);
        Taken::Deliver(message)
    }
}

/// A socket type that this crate does not have: it neither sends nor receives.
pub(crate) struct Inert;

impl Socket for Inert {
    fn receives(&self) -> bool {
        false
    }
}
