//! DEALER (RFC 28): each message to the next peer with room, from each peer in turn, nothing added.

use bytes::Bytes;
use zmtp_wire::{Frame, Message};

use crate::balance::Balance;
use crate::hub::Hub;
use crate::socket::{Choice, Socket};
use crate::take::Take;
use crate::{
    PatternOption, PeerInfo, PeerKey, PeerRefused, RecvRefused, Refused, Route, SendRefused, Taken,
};

/// DEALER, CLIENT; the ground of REQ and PAIR.
pub(crate) struct Dealer {
    pub(crate) balance: Balance,
    pub(crate) take: Take,
    probe: bool,
    hello: Option<Bytes>,
    hiccup: Option<Bytes>,
}

impl Dealer {
    pub(crate) const fn new() -> Dealer {
        Dealer {
            balance: Balance::new(),
            take: Take::new(),
            probe: false,
            hello: None,
            hiccup: None,
        }
    }
}

impl Socket for Dealer {
    fn set(&mut self, _hub: &mut Hub, option: &PatternOption) -> Result<(), Refused> {
        match option {
            PatternOption::ProbeRouter(on) => self.probe = *on,
            PatternOption::HelloMessage(message) => self.hello = message.clone(),
            PatternOption::HiccupMessage(message) => self.hiccup = message.clone(),
            _ => return Err(Refused::WrongType),
        }
        Ok(())
    }

    fn link_up(&mut self, hub: &mut Hub, peer: PeerKey, _: &PeerInfo) -> Result<(), PeerRefused> {
        if self.probe {
            hub.send_first(peer, &Bytes::new());
        }
        if let Some(hello) = &self.hello {
            hub.send_first(peer, hello);
        }
        Ok(())
    }

    fn link_down(&mut self, hub: &mut Hub, peer: PeerKey) {
        let dialed = hub.peer(peer).is_some_and(|peer| peer.dialed);
        if let Some(hiccup) = self.hiccup.as_ref().filter(|_| dialed)
            && !hub.notifications_full()
        {
            hub.notify(peer, Message::single(Frame::from(hiccup.clone())));
        }
    }

    fn refresh(&mut self, hub: &Hub, peer: PeerKey) {
        self.balance.refresh(hub, peer);
    }

    fn detach(&mut self, _hub: &mut Hub, peer: PeerKey) {
        self.balance.remove(peer);
        self.take.remove(peer);
    }

    fn set_readable(&mut self, _hub: &Hub, peer: PeerKey) {
        self.take.insert(peer);
    }

    fn set_drained(&mut self, peer: PeerKey) {
        self.take.remove(peer);
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
