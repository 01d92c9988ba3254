//! Block: each message to the next peer that has room (round robin).

use crate::hub::Hub;
use crate::ring::Ring;
use crate::socket::Choice;
use crate::{PeerKey, Route, SendRefused};

/// Peers with room, in turn.
pub(crate) struct Balance(Ring);

impl Balance {
    pub(crate) const fn new() -> Balance {
        Balance(Ring::new())
    }

    pub(crate) fn refresh(&mut self, hub: &Hub, peer: PeerKey) {
        self.0.set(peer, hub.sendable(peer));
    }

    pub(crate) fn remove(&mut self, peer: PeerKey) {
        self.0.remove(peer);
    }

    #[inline]
    pub(crate) fn has_room(&self) -> bool {
        self.0.current().is_some()
    }

    /// The peer whose turn it is, without passing the turn on.
    pub(crate) fn reserve(&self, hub: &Hub) -> Result<Choice, SendRefused> {
        let peer = self.0.current().ok_or(SendRefused::WouldBlock)?;
        Ok(Choice::peer(hub, peer))
    }

    /// Passes the turn on if it was this peer's.
    pub(crate) fn used(&mut self, peer: PeerKey) {
        if self.0.current() == Some(peer) {
            self.0.advance();
        }
    }

    pub(crate) fn commit(&mut self, hub: &Hub, choice: Choice) -> Route {
        match choice.redeem(hub) {
            Ok(peer) => {
                self.used(peer);
                Route::One(peer)
            }
            Err(reason) => Route::Nowhere(reason),
        }
    }

    #[inline]
    pub(crate) fn current(&self) -> Option<PeerKey> {
        self.0.current()
    }

    /// Whether all turns are those of one peer.
    #[inline]
    pub(crate) fn is_alone(&self) -> bool {
        self.0.is_alone()
    }

    #[inline]
    pub(crate) fn advance(&mut self) {
        self.0.advance();
    }

    #[inline]
    pub(crate) fn send(&mut self) -> Result<Route, SendRefused> {
        let peer = self.0.current().ok_or(SendRefused::WouldBlock)?;
        self.0.advance();
        Ok(Route::One(peer))
    }
}
