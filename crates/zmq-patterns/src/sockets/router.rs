//! ROUTER (RFC 28): messages to peers by routing id, and from each peer in turn with its id in front.

use bytes::Bytes;
use zmtp_wire::{Frame, Message};

use crate::balance::Balance;
use crate::hub::Hub;
use crate::route::Routes;
use crate::socket::{Choice, Socket};
use crate::take::Take;
use crate::{
    Attach, CloseReason, DropReason, Output, PatternOption, PeerInfo, PeerKey, PeerRefused,
    RecvRefused, Refused, Route, RouterNotify, SendRefused, Taken,
};

/// ROUTER.
pub(crate) struct Router {
    take: Take,
    pub(crate) routes: Routes,
    /// Only to know whether any peer has room.
    room: Balance,
    mandatory: bool,
    handover: bool,
    probe: bool,
    notify: RouterNotify,
    hello: Option<Bytes>,
    farewell: Option<Bytes>,
}

impl Router {
    pub(crate) fn new(seed: u64) -> Router {
        Router {
            take: Take::new(),
            routes: Routes::new(seed),
            room: Balance::new(),
            mandatory: false,
            handover: false,
            probe: false,
            notify: RouterNotify::default(),
            hello: None,
            farewell: None,
        }
    }

    /// The id a peer without one is to get.
    fn choose(&mut self, hub: &Hub, info: &PeerInfo) -> Result<Bytes, PeerRefused> {
        let id = &info.routing_id;
        match id.first() {
            None => Ok(self.routes.invent()),
            // A stranger that could claim such an id could take the place of the next peer without one.
            Some(0) => Err(PeerRefused::ReservedRoutingId),
            Some(_) if id.len() > hub.limits.routing_id => Err(PeerRefused::RoutingIdTooLong),
            Some(_) if self.routes.get(id).is_some() && !self.handover => {
                Err(PeerRefused::DuplicateRoutingId)
            }
            Some(_) => Ok(id.clone()),
        }
    }

    fn assign(&mut self, hub: &mut Hub, peer: PeerKey, id: Bytes) {
        if let Some(old) = self.routes.get(&id) {
            self.take.remove(old);
            self.room.remove(old);
            if let Some(old) = hub.peer_mut(old) {
                old.routing_id = None;
            }
            let why = CloseReason::HandedOver;
            hub.outputs.push_back(Output::Close { peer: old, why });
        }
        self.routes.insert(id.clone(), peer);
        if let Some(peer) = hub.peer_mut(peer) {
            peer.routing_id = Some(id);
        }
    }

    /// Whether messages with its id go to this peer.
    fn is_named(&self, hub: &Hub, peer: PeerKey) -> bool {
        hub.peer(peer)
            .and_then(|peer| peer.routing_id.as_ref())
            .is_some_and(|id| self.routes.get(id) == Some(peer))
    }

    /// The id of a peer is free again; messages it left behind are still delivered under it.
    fn release(&mut self, hub: &Hub, peer: PeerKey) {
        if let Some(id) = hub.peer(peer).and_then(|peer| peer.routing_id.as_ref())
            && self.routes.get(id) == Some(peer)
        {
            self.routes.remove(id);
        }
    }

    fn tell(hub: &mut Hub, peer: PeerKey, body: Frame) {
        let id = hub.peer(peer).and_then(|peer| peer.routing_id.clone());
        if let Some(id) = id {
            hub.notify(peer, Message::from([Frame::from(id), body]));
        }
    }
}

impl Socket for Router {
    fn set(&mut self, _hub: &mut Hub, option: &PatternOption) -> Result<(), Refused> {
        match option {
            PatternOption::RouterMandatory(on) => self.mandatory = *on,
            PatternOption::RouterHandover(on) => self.handover = *on,
            PatternOption::RouterNotify(when) => self.notify = *when,
            PatternOption::ProbeRouter(on) => self.probe = *on,
            PatternOption::HelloMessage(message) => self.hello = message.clone(),
            PatternOption::DisconnectMessage(message) => self.farewell = message.clone(),
            _ => return Err(Refused::WrongType),
        }
        Ok(())
    }

    fn attach(&mut self, hub: &mut Hub, peer: PeerKey, attach: &Attach) {
        if let Some(id) = attach.routing_id.clone().filter(|id| !id.is_empty())
            && self.routes.get(&id).is_none()
        {
            self.assign(hub, peer, id);
        }
    }

    fn link_up(&mut self, h: &mut Hub, p: PeerKey, info: &PeerInfo) -> Result<(), PeerRefused> {
        if self.notify.connect && h.notifications_full() {
            return Err(PeerRefused::TooManyNotifications);
        }
        // A dialed peer keeps its id over reconnects, whatever it says then; the application knows it by that.
        if !self.is_named(h, p) {
            let id = self.choose(h, info)?;
            self.assign(h, p, id);
        }
        if self.probe {
            h.send_first(p, &Bytes::new());
        }
        if let Some(hello) = &self.hello {
            h.send_first(p, hello);
        }
        if self.notify.connect {
            Router::tell(h, p, Frame::empty());
        }
        Ok(())
    }

    fn link_down(&mut self, hub: &mut Hub, peer: PeerKey) {
        let accepted = hub.peer(peer).is_some_and(|peer| !peer.dialed);
        if let Some(farewell) = self.farewell.as_ref().filter(|_| accepted) {
            Router::tell(hub, peer, Frame::from(farewell.clone()));
        }
        if self.notify.disconnect {
            Router::tell(hub, peer, Frame::empty());
        }
    }

    fn detach(&mut self, hub: &mut Hub, peer: PeerKey) {
        self.take.remove(peer);
        self.room.remove(peer);
        self.release(hub, peer);
    }

    fn refresh(&mut self, hub: &Hub, peer: PeerKey) {
        if hub
            .peer(peer)
            .is_some_and(|peer| !peer.dialed && !peer.linked)
        {
            // It will not come back as this peer, but may as another: what it left behind must not hold its id against it.
            self.release(hub, peer);
        }
        if self.is_named(hub, peer) {
            self.room.refresh(hub, peer);
        } else {
            self.room.remove(peer);
        }
    }

    fn set_readable(&mut self, _hub: &Hub, peer: PeerKey) {
        self.take.insert(peer);
    }

    fn set_drained(&mut self, peer: PeerKey) {
        self.take.remove(peer);
    }

    fn reserve(&mut self, hub: &mut Hub, first: &Frame) -> Result<Choice, SendRefused> {
        let Some((key, peer)) = self
            .routes
            .get(first)
            .and_then(|key| Some((key, hub.peer(key)?)))
        else {
            return if self.mandatory {
                Err(SendRefused::Unroutable)
            } else {
                Ok(Choice::Nowhere(DropReason::Unroutable))
            };
        };
        if peer.sendable() {
            let serial = peer.serial;
            Ok(Choice::Peer { peer: key, serial })
        } else if self.mandatory {
            Err(SendRefused::WouldBlock)
        } else if peer.usable() {
            Ok(Choice::Nowhere(DropReason::PeerFull))
        } else {
            Ok(Choice::Nowhere(DropReason::NoPeer))
        }
    }

    fn commit(&mut self, h: &mut Hub, c: Choice, m: &mut Message) -> Result<Route, SendRefused> {
        match c.redeem(h) {
            Err(reason) => Ok(Route::Nowhere(reason)),
            Ok(peer) if m.pop_front().is_some() => Ok(Route::One(peer)),
            Ok(_) => Ok(Route::Nowhere(DropReason::Malformed)),
        }
    }

    fn send(&mut self, hub: &mut Hub, message: &mut Message) -> Result<Route, SendRefused> {
        match message.frames() {
            [first, _, ..] => {
                let choice = self.reserve(hub, first)?;
                self.commit(hub, choice, message)
            }
            // Only an id: nothing to send, whoever it names.
            _ => Ok(Route::Nowhere(DropReason::Malformed)),
        }
    }

    fn can_send(&self, _hub: &Hub) -> bool {
        !self.mandatory || self.room.has_room()
    }

    #[inline]
    fn next(&self) -> Result<Option<PeerKey>, RecvRefused> {
        Ok(self.take.next())
    }

    fn take(&mut self, hub: &mut Hub, peer: PeerKey, mut message: Message, more: bool) -> Taken {
        self.take.taken(peer, more);
        match hub.peer(peer).and_then(|peer| peer.routing_id.as_ref()) {
            Some(id) => {
                message.push_front(Frame::from(id.clone()));
                Taken::Deliver(message)
            }
            None => Taken::Discard(DropReason::HandedOver),
        }
    }
}
