//! Short ways: what an engine may do without asking the pattern about each message, for types that hand messages on as they are.

use zmtp_wire::Frame;

use crate::PeerKey;
use crate::pattern::{Kind, Pattern};

impl Pattern {
    /// The peer whose turn it is to be sent to, of types that send a message as it is to one peer and remember nothing of it, and have no
    /// other wish. `None` says nothing: ask [`Pattern::send`].
    #[inline]
    #[must_use]
    pub fn next_target(&self) -> Option<PeerKey> {
        let balance = match &self.kind {
            Kind::Push(push) if !self.single => &push.balance,
            Kind::Dealer(dealer) if !self.single => &dealer.balance,
            _ => return None,
        };
        balance.current()
    }

    /// Whether as many messages as there is room for go to [`Pattern::next_target`], as nobody else has room.
    #[inline]
    #[must_use]
    pub fn has_one_target(&self) -> bool {
        match &self.kind {
            Kind::Push(push) => push.balance.is_alone(),
            Kind::Dealer(dealer) => dealer.balance.is_alone(),
            _ => false,
        }
    }

    /// The message went to [`Pattern::next_target`].
    #[inline]
    pub fn sent_to_target(&mut self) {
        match &mut self.kind {
            Kind::Push(push) => push.balance.advance(),
            Kind::Dealer(dealer) => dealer.balance.advance(),
            _ => {}
        }
    }

    /// The peer whose message comes next, of types that hand it on as it is or not at all, as [`Pattern::passes`] says. `None` says
    /// nothing: ask [`Pattern::next`].
    #[inline]
    #[must_use]
    pub fn next_plain(&self) -> Option<PeerKey> {
        if !self.hub.own.is_empty() || self.single {
            return None;
        }
        match &self.kind {
            Kind::Pull(pull) => pull.take.next(),
            Kind::Dealer(dealer) => dealer.take.next(),
            Kind::XSub(sub) => sub.take.next(),
            _ => None,
        }
    }

    /// Whether all messages that wait are those of [`Pattern::next_plain`].
    #[inline]
    #[must_use]
    pub fn has_one_plain(&self) -> bool {
        match &self.kind {
            Kind::Pull(pull) => pull.take.is_alone(),
            Kind::Dealer(dealer) => dealer.take.is_alone(),
            Kind::XSub(sub) => sub.take.is_alone(),
            _ => false,
        }
    }

    /// A message of [`Pattern::next_plain`] was taken from its queue; `more_queued` if others are behind it.
    #[inline]
    pub fn taken_plain(&mut self, peer: PeerKey, more_queued: bool) {
        match &mut self.kind {
            Kind::Pull(pull) => pull.take.taken(peer, more_queued),
            Kind::Dealer(dealer) => dealer.take.taken(peer, more_queued),
            Kind::XSub(sub) => sub.take.taken(peer, more_queued),
            _ => {}
        }
    }

    /// Whether every message of [`Pattern::next_plain`] is delivered, so that none has to be looked at.
    #[inline]
    #[must_use]
    pub fn passes_all(&self) -> bool {
        match &self.kind {
            Kind::XSub(sub) => sub.delivers_all(),
            _ => true,
        }
    }

    /// Whether a message of [`Pattern::next_plain`], of these frames, is delivered. If not, [`DropReason::FilteredOut`](crate::DropReason::FilteredOut) is why.
    #[inline]
    #[must_use]
    pub fn passes(&self, frames: &[Frame]) -> bool {
        match &self.kind {
            Kind::XSub(sub) => sub.passes(frames.first().map_or(&[], |first| first)),
            _ => true,
        }
    }
}
