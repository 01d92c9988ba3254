//! REP (RFC 28): takes a request, owes its reply to the peer that asked, in strict turns.
//!
//! The address of the reply belongs to the request: nothing one peer does can misdirect the reply to another.

use smallvec::SmallVec;
use zmtp_wire::{Frame, Message};

use crate::hub::Hub;
use crate::socket::{Choice, Socket};
use crate::take::Take;
use crate::{DropReason, PeerKey, RecvRefused, Route, SendRefused, Taken};

enum State {
    Awaiting,
    Owing {
        /// `None`: it went meanwhile.
        peer: Option<PeerKey>,
        /// Address frames and the delimiter.
        envelope: SmallVec<[Frame; 1]>,
    },
}

/// REP.
pub(crate) struct Rep {
    take: Take,
    state: State,
}

impl Rep {
    pub(crate) const fn new() -> Rep {
        Rep {
            take: Take::new(),
            state: State::Awaiting,
        }
    }

    /// Gives up the reply that is owed; says whether there was one.
    pub(crate) fn abandon(&mut self) -> bool {
        matches!(
            core::mem::replace(&mut self.state, State::Awaiting),
            State::Owing { .. }
        )
    }

    fn forget(&mut self, gone: PeerKey) {
        if let State::Owing { peer, .. } = &mut self.state
            && *peer == Some(gone)
        {
            *peer = None;
        }
    }
}

/// Splits a request behind its first empty frame. The body has at least one frame.
fn open(message: Message, longest: usize) -> Option<(SmallVec<[Frame; 1]>, Message)> {
    let frames = message.frames();
    let delimiter = frames.iter().position(|frame| frame.is_empty())?;
    let body = delimiter.saturating_add(1);
    if body >= frames.len() || delimiter > longest {
        return None;
    }
    let properties = message.properties().cloned();
    let mut frames = message.into_frames().into_iter();
    let envelope = frames.by_ref().take(body).collect();
    let mut message: Message = frames.collect();
    message.set_properties(properties);
    Some((envelope, message))
}

impl Socket for Rep {
    fn link_down(&mut self, _hub: &mut Hub, peer: PeerKey) {
        self.forget(peer);
    }

    fn detach(&mut self, _hub: &mut Hub, peer: PeerKey) {
        self.take.remove(peer);
        self.forget(peer);
    }

    fn set_readable(&mut self, _hub: &Hub, peer: PeerKey) {
        self.take.insert(peer);
    }

    fn set_drained(&mut self, peer: PeerKey) {
        self.take.remove(peer);
    }

    fn reserve(&mut self, _hub: &mut Hub, _first: &Frame) -> Result<Choice, SendRefused> {
        match self.state {
            State::Awaiting => Err(SendRefused::WrongState),
            State::Owing { .. } => Ok(Choice::Later),
        }
    }

    fn commit(&mut self, h: &mut Hub, _: Choice, m: &mut Message) -> Result<Route, SendRefused> {
        let State::Owing { peer, envelope } = core::mem::replace(&mut self.state, State::Awaiting)
        else {
            return Err(SendRefused::WrongState);
        };
        let Some(peer) = peer.filter(|peer| h.peer(*peer).is_some_and(|peer| peer.usable())) else {
            return Ok(Route::Nowhere(DropReason::NoPeer));
        };
        if !h.sendable(peer) {
            return Ok(Route::Nowhere(DropReason::PeerFull));
        }
        if envelope.len() == 1 {
            m.push_front(Frame::empty());
        } else {
            let properties = m.properties().cloned();
            let body = core::mem::replace(m, Message::single(Frame::empty()));
            *m = envelope.into_iter().chain(body).collect();
            m.set_properties(properties);
        }
        Ok(Route::One(peer))
    }

    fn can_send(&self, _hub: &Hub) -> bool {
        matches!(self.state, State::Owing { .. })
    }

    fn next(&self) -> Result<Option<PeerKey>, RecvRefused> {
        match self.state {
            State::Awaiting => Ok(self.take.next()),
            State::Owing { .. } => Err(RecvRefused::WrongState),
        }
    }

    fn take(&mut self, hub: &mut Hub, peer: PeerKey, message: Message, more: bool) -> Taken {
        self.take.taken(peer, more);
        if matches!(self.state, State::Owing { .. }) {
            return Taken::Discard(DropReason::Unexpected);
        }
        match open(message, hub.limits.envelope) {
            Some((envelope, body)) => {
                let peer = Some(peer);
                self.state = State::Owing { peer, envelope };
                Taken::Deliver(body)
            }
            None => Taken::Discard(DropReason::Malformed),
        }
    }
}
