//! Block: one message from each peer that has some, in turn (fair queueing).

use crate::PeerKey;
use crate::ring::Ring;

/// Peers whose queues hold messages, in turn.
pub(crate) struct Take(Ring);

impl Take {
    pub(crate) const fn new() -> Take {
        Take(Ring::new())
    }

    #[inline]
    pub(crate) fn next(&self) -> Option<PeerKey> {
        self.0.current()
    }

    /// Whether all turns are those of one peer.
    #[inline]
    pub(crate) fn is_alone(&self) -> bool {
        self.0.is_alone()
    }

    /// Whether a turn of `peer` will come.
    pub(crate) fn contains(&self, peer: PeerKey) -> bool {
        self.0.contains(peer)
    }

    pub(crate) fn insert(&mut self, peer: PeerKey) {
        self.0.insert(peer);
    }

    pub(crate) fn remove(&mut self, peer: PeerKey) {
        self.0.remove(peer);
    }

    /// A message of `peer` was taken; the turn passes on.
    #[inline]
    pub(crate) fn taken(&mut self, peer: PeerKey, more_queued: bool) {
        if !more_queued {
            self.0.remove(peer);
        } else if self.0.current() == Some(peer) {
            self.0.advance();
        } else {
            self.0.insert(peer);
        }
    }
}
