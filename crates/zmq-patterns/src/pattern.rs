//! The one value an engine holds per socket.

use alloc::sync::Arc;

use bytes::Bytes;
use zmtp_wire::{Frame, Message, Properties, SocketType};

use crate::hub::Hub;
use crate::socket::{Reservation, Socket, source};
use crate::sockets::{Dealer, Inert, Pair, Pull, Push, Rep, Req, Router, XPub, XSub};
use crate::{
    Attach, DropReason, Output, PatternOption, PeerFault, PeerInfo, PeerKey, PeerRefused,
    RecvRefused, Refused, Route, SendRefused, Source, Taken,
};

pub(crate) enum Kind {
    Pair(Pair),
    Push(Push),
    Pull(Pull),
    Dealer(Dealer),
    Router(Router),
    Req(Req),
    Rep(Rep),
    XPub(XPub),
    XSub(XSub),
    Inert(Inert),
}

/// Calls the same method of whatever socket type it is.
macro_rules! each {
    ($kind:expr, $socket:ident => $call:expr) => {
        match $kind {
            Kind::Pair($socket) => $call,
            Kind::Push($socket) => $call,
            Kind::Pull($socket) => $call,
            Kind::Dealer($socket) => $call,
            Kind::Router($socket) => $call,
            Kind::Req($socket) => $call,
            Kind::Rep($socket) => $call,
            Kind::XPub($socket) => $call,
            Kind::XSub($socket) => $call,
            Kind::Inert($socket) => $call,
        }
    };
}

/// A socket type as a state machine over its peers.
///
/// It holds neither queues nor links. The owner tells it which peers there are, whose pipe has room and whose holds
/// messages; it says where a message goes and whose comes next. Nothing waits, and no call on an unknown peer has an
/// effect. After every call drain [`Pattern::poll_output`].
///
/// The life of a peer is `attach`, then any number of `link_up` and `link_down`, then `detach`. A peer just attached
/// counts as having room and nothing to read.
pub struct Pattern {
    pub(crate) kind: Kind,
    pub(crate) hub: Hub,
    socket_type: SocketType,
    /// One frame per message (RFC 41, 49, 52).
    pub(crate) single: bool,
}

impl Pattern {
    /// A socket without peers. `seed` starts ROUTER's invented ids and REQ's numbers and must be hard to guess.
    ///
    /// STREAM, SERVER, PEER, RADIO, DISH and DGRAM are not provided: such a socket neither sends nor receives.
    #[must_use]
    pub fn new(socket_type: SocketType, seed: u64) -> Pattern {
        let kind = match socket_type {
            SocketType::Pair | SocketType::Channel => Kind::Pair(Pair::new()),
            SocketType::Push | SocketType::Scatter => Kind::Push(Push::new()),
            SocketType::Pull | SocketType::Gather => Kind::Pull(Pull::new()),
            SocketType::Dealer | SocketType::Client => Kind::Dealer(Dealer::new()),
            SocketType::Router => Kind::Router(Router::new(seed)),
            SocketType::Req => Kind::Req(Req::new(seed)),
            SocketType::Rep => Kind::Rep(Rep::new()),
            SocketType::XPub => Kind::XPub(XPub::new(true)),
            SocketType::Pub => Kind::XPub(XPub::new(false)),
            SocketType::XSub => Kind::XSub(XSub::new(false)),
            SocketType::Sub => Kind::XSub(XSub::new(true)),
            _ => Kind::Inert(Inert),
        };
        let single = matches!(
            socket_type,
            SocketType::Channel | SocketType::Scatter | SocketType::Gather | SocketType::Client
        );
        Pattern {
            kind,
            hub: Hub::new(),
            socket_type,
            single,
        }
    }

    /// The type it was made with.
    #[must_use]
    pub fn socket_type(&self) -> SocketType {
        self.socket_type
    }

    /// Chooses how it behaves from now on.
    ///
    /// # Errors
    /// The socket type does not have the option.
    pub fn set(&mut self, option: PatternOption) -> Result<(), Refused> {
        if let PatternOption::Limits(limits) = option {
            self.hub.limits = limits;
            return Ok(());
        }
        each!(&mut self.kind, socket => socket.set(&mut self.hub, &option))
    }

    // --- peers ---

    /// A pipe comes into being. Ignored if the key is in use or larger than [`PeerKey::MAX`].
    pub fn attach(&mut self, peer: PeerKey, attach: Attach) {
        if self.hub.insert(peer, &attach) {
            each!(&mut self.kind, socket => {
                socket.attach(&mut self.hub, peer, &attach);
                socket.refresh(&self.hub, peer);
            });
        }
    }

    /// The peer's link has ended its handshake.
    ///
    /// # Errors
    /// The link may not be used; close it. The pipe stays until `detach`.
    pub fn link_up(&mut self, peer: PeerKey, info: &PeerInfo) -> Result<(), PeerRefused> {
        match self.hub.peer(peer) {
            None => return Err(PeerRefused::Unknown),
            Some(peer) if peer.linked => return Ok(()),
            Some(_) => {}
        }
        each!(&mut self.kind, socket => {
            socket.link_up(&mut self.hub, peer, info)?;
            if let Some(peer) = self.hub.peer_mut(peer) {
                peer.linked = true;
            }
            socket.refresh(&self.hub, peer);
        });
        Ok(())
    }

    /// The peer's link is lost.
    pub fn link_down(&mut self, peer: PeerKey) {
        let Some(state) = self.hub.peer_mut(peer).filter(|peer| peer.linked) else {
            return;
        };
        state.linked = false;
        self.hub.forget_outputs(peer);
        each!(&mut self.kind, socket => {
            socket.link_down(&mut self.hub, peer);
            socket.refresh(&self.hub, peer);
        });
    }

    /// A dialed peer is not dialed any more: from here on it is what an accepted peer is. What it sent can still be received.
    pub fn retire(&mut self, peer: PeerKey) {
        let Some(state) = self.hub.peer_mut(peer).filter(|state| state.dialed) else {
            return;
        };
        state.dialed = false;
        each!(&mut self.kind, socket => socket.refresh(&self.hub, peer));
    }

    /// The pipe is gone, with all it held. Implies `link_down`.
    pub fn detach(&mut self, peer: PeerKey) {
        self.link_down(peer);
        if self.hub.peer(peer).is_some() {
            each!(&mut self.kind, socket => socket.detach(&mut self.hub, peer));
            self.hub.forget_outputs(peer);
            self.hub.remove(peer);
        }
    }

    /// The metadata of the peer's link, for messages about the peer. Call it before `link_up`.
    pub fn set_properties(&mut self, peer: PeerKey, properties: Arc<Properties>) {
        if let Some(peer) = self.hub.peer_mut(peer) {
            peer.properties = Some(properties);
        }
    }

    /// The id by which a ROUTER knows the peer.
    #[must_use]
    pub fn routing_id(&self, peer: PeerKey) -> Option<&Bytes> {
        self.hub.peer(peer)?.routing_id.as_ref()
    }

    /// A peer of this ROUTER has this id.
    #[must_use]
    pub fn routing_id_taken(&self, id: &[u8]) -> bool {
        matches!(&self.kind, Kind::Router(router) if router.routes.get(id).is_some())
    }

    /// Whether the peer's pipe has room for another message.
    pub fn set_writable(&mut self, peer: PeerKey, writable: bool) {
        if let Some(state) = self.hub.peer_mut(peer)
            && state.writable != writable
        {
            state.writable = writable;
            each!(&mut self.kind, socket => socket.refresh(&self.hub, peer));
        }
    }

    /// The queue from the peer holds at least one message.
    pub fn set_readable(&mut self, peer: PeerKey) {
        if self.hub.peer(peer).is_some() {
            each!(&mut self.kind, socket => socket.set_readable(&self.hub, peer));
        }
    }

    /// The queue from the peer turned out to be empty.
    pub fn set_drained(&mut self, peer: PeerKey) {
        each!(&mut self.kind, socket => socket.set_drained(peer));
    }

    /// Some peer may be sent to, room permitting. Tells apart why a send would block.
    #[must_use]
    pub fn has_peer(&self) -> bool {
        self.hub.keys().any(|(_, peer)| peer.usable())
    }

    // --- sending ---

    /// Chooses where a message goes and makes of it what that peer is to get.
    ///
    /// # Errors
    /// It was not accepted; neither it nor the socket has changed.
    #[inline]
    pub fn send(&mut self, message: &mut Message) -> Result<Route, SendRefused> {
        if self.single && message.len() > 1 {
            return Err(SendRefused::Multipart);
        }
        each!(&mut self.kind, socket => socket.send(&mut self.hub, message))
    }

    /// Chooses where a message goes of which only the first frame is known.
    ///
    /// # Errors
    /// As [`Pattern::send`].
    pub fn begin(&mut self, first: &Frame) -> Result<Reservation, SendRefused> {
        each!(&mut self.kind, socket => socket.reserve(&mut self.hub, first)).map(Reservation)
    }

    /// Sends the whole message as [`Pattern::begin`] chose. A peer that became full meanwhile still gets it; if it is
    /// gone the message is dropped.
    ///
    /// # Errors
    /// As [`Pattern::send`], if the state of the socket changed meanwhile.
    pub fn commit(
        &mut self,
        reservation: Reservation,
        message: &mut Message,
    ) -> Result<Route, SendRefused> {
        if self.single && message.len() > 1 {
            return Err(SendRefused::Multipart);
        }
        each!(&mut self.kind, socket => socket.commit(&mut self.hub, reservation.0, message))
    }

    /// The peers of the last [`Route::Many`].
    #[must_use]
    pub fn targets(&self) -> &[PeerKey] {
        &self.hub.targets
    }

    /// A send would not be refused for want of room or turn.
    #[must_use]
    pub fn can_send(&self) -> bool {
        each!(&self.kind, socket => socket.can_send(&self.hub))
    }

    // --- receiving ---

    /// The socket type can receive at all. What peers send to one that cannot is to be dropped on arrival.
    #[must_use]
    pub fn receives(&self) -> bool {
        each!(&self.kind, socket => socket.receives())
    }

    /// Whose message comes next; `None` if there is none.
    ///
    /// # Errors
    /// It is not the time to receive, or never is.
    #[inline]
    #[expect(
        clippy::should_implement_trait,
        reason = "not an iterator: it looks, and the caller takes"
    )]
    pub fn next(&mut self) -> Result<Option<Source>, RecvRefused> {
        if !self.hub.own.is_empty() {
            return Ok(Some(Source::Own));
        }
        each!(&self.kind, socket => socket.next()).map(source)
    }

    /// As [`Pattern::take`], for the socket types that deliver whatever comes: says whether this is one, in which case the message
    /// is to be delivered as it is. Otherwise nothing has happened.
    #[inline]
    pub fn take_unseen(&mut self, peer: PeerKey, more_queued: bool) -> bool {
        match &mut self.kind {
            Kind::Pull(pull) if !self.single => pull.take.taken(peer, more_queued),
            Kind::Dealer(dealer) if !self.single => dealer.take.taken(peer, more_queued),
            Kind::XSub(sub) if sub.delivers_all() => sub.take.taken(peer, more_queued),
            _ => return false,
        }
        true
    }

    /// Decides about a message popped from the queue of `peer`; `more_queued` if others are behind it.
    #[inline]
    pub fn take(&mut self, peer: PeerKey, message: Message, more_queued: bool) -> Taken {
        if self.single && message.len() > 1 {
            self.set_more(peer, more_queued);
            return Taken::Discard(DropReason::Malformed);
        }
        // Those that look at no message are answered here: every call by value would copy it.
        match &mut self.kind {
            Kind::Pull(pull) => pull.take.taken(peer, more_queued),
            Kind::Dealer(dealer) => dealer.take.taken(peer, more_queued),
            _ => return self.take_apart(peer, message, more_queued),
        }
        Taken::Deliver(message)
    }

    fn take_apart(&mut self, peer: PeerKey, message: Message, more_queued: bool) -> Taken {
        each!(&mut self.kind, socket => socket.take(&mut self.hub, peer, message, more_queued))
    }

    /// A message of the peer was passed over.
    fn set_more(&mut self, peer: PeerKey, more_queued: bool) {
        self.set_drained(peer);
        if more_queued {
            self.set_readable(peer);
        }
    }

    /// The message that [`Source::Own`] stands for.
    pub fn take_own(&mut self) -> Option<Message> {
        let notification = self.hub.own.pop_front()?;
        if self.hub.own.is_empty() {
            // A burst may have made it large.
            self.hub.own.shrink_to(64);
        }
        each!(&mut self.kind, socket => socket.own_taken(&self.hub, &notification));
        Some(notification.message)
    }

    /// Whether nothing that is queued from the peer will ever be received: REQ, while no reply is awaited, throws it away with its next request.
    /// Who then throws it away at once, as [`DropReason::StaleReply`](crate::DropReason::StaleReply), changes nothing but the time; the peer counts as one that has nothing
    /// queued.
    pub fn discards_queued(&mut self, peer: PeerKey) -> bool {
        each!(&mut self.kind, socket => socket.discards_queued(peer))
    }

    /// There is something to take. It may turn out that nobody gets it.
    #[must_use]
    pub fn can_receive(&self) -> bool {
        !self.hub.own.is_empty()
            || each!(&self.kind, socket => matches!(socket.next(), Ok(Some(_))))
    }

    // --- publish and subscribe ---

    /// The peer subscribes to a prefix. Ignored by all but PUB and XPUB.
    ///
    /// # Errors
    /// The peer went beyond the limits; close its link.
    pub fn handle_subscribe(&mut self, peer: PeerKey, topic: Bytes) -> Result<(), PeerFault> {
        if self.hub.peer(peer).is_none() {
            return Ok(());
        }
        each!(&mut self.kind, socket => socket.handle_subscribe(&mut self.hub, peer, &topic))
    }

    /// The peer no longer subscribes to a prefix. Ignored by all but PUB and XPUB.
    ///
    /// # Errors
    /// As [`Pattern::handle_subscribe`].
    pub fn handle_cancel(&mut self, peer: PeerKey, topic: Bytes) -> Result<(), PeerFault> {
        if self.hub.peer(peer).is_none() {
            return Ok(());
        }
        each!(&mut self.kind, socket => socket.handle_cancel(&mut self.hub, peer, &topic))
    }

    /// SUB, XSUB: subscribes to a prefix. Manual XPUB: does so for the peer whose subscription was received last.
    ///
    /// # Errors
    /// The socket type does not subscribe.
    pub fn subscribe(&mut self, topic: &[u8]) -> Result<(), Refused> {
        each!(&mut self.kind, socket => socket.subscribe(&mut self.hub, topic))
    }

    /// Undoes one `subscribe` to the same prefix; without one it has no effect.
    ///
    /// # Errors
    /// As [`Pattern::subscribe`].
    pub fn unsubscribe(&mut self, topic: &[u8]) -> Result<(), Refused> {
        each!(&mut self.kind, socket => socket.unsubscribe(&mut self.hub, topic))
    }

    /// PUB, XPUB: peers with at least one subscription.
    #[must_use]
    pub fn subscriber_count(&self) -> usize {
        each!(&self.kind, socket => socket.subscriber_count())
    }

    /// Distinct prefixes: of all peers for PUB and XPUB, of our own for SUB and XSUB.
    #[must_use]
    pub fn topics_count(&self) -> usize {
        each!(&self.kind, socket => socket.topics_count())
    }

    /// REP: gives up the reply it owes and is ready for the next request; the peer that asked gets none. Says whether a reply
    /// was owed.
    pub fn abandon_reply(&mut self) -> bool {
        match &mut self.kind {
            Kind::Rep(rep) => rep.abandon(),
            _ => false,
        }
    }

    /// Whether [`Pattern::poll_output`] may have something. Quick: it is asked after every message.
    #[inline]
    #[must_use]
    pub fn has_output(&self) -> bool {
        !self.hub.outputs.is_empty() || matches!(&self.kind, Kind::XSub(sub) if sub.is_telling())
    }

    /// What is to be done next. Subscriptions are generated one by one, as they are asked for.
    pub fn poll_output(&mut self) -> Option<Output> {
        if let Some(output) = self.hub.outputs.pop_front() {
            return Some(output);
        }
        each!(&mut self.kind, socket => socket.poll_output(&mut self.hub))
    }
}
