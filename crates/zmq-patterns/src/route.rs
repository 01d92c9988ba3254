//! Block: peers by routing id.

use bytes::Bytes;
use foldhash::quality::FixedState;
use hashbrown::HashMap;

use crate::PeerKey;

/// Which peer has which routing id. Peers choose ids, so hashing is seeded.
pub(crate) struct Routes {
    ids: HashMap<Bytes, PeerKey, FixedState>,
    next: u32,
}

impl Routes {
    pub(crate) fn new(seed: u64) -> Routes {
        let [a, b, c, d, ..] = seed.to_le_bytes();
        Routes {
            ids: HashMap::with_hasher(FixedState::with_seed(seed)),
            next: u32::from_le_bytes([a, b, c, d]),
        }
    }

    #[inline]
    pub(crate) fn get(&self, id: &[u8]) -> Option<PeerKey> {
        self.ids.get(id).copied()
    }

    pub(crate) fn insert(&mut self, id: Bytes, peer: PeerKey) {
        self.ids.insert(id, peer);
    }

    pub(crate) fn remove(&mut self, id: &[u8]) {
        self.ids.remove(id);
        if self.ids.len() < self.ids.capacity() / 8 {
            self.ids.shrink_to_fit();
        }
    }

    /// An id that nobody has: a zero octet and a number in network order (RFC 28 reserves ids that begin so).
    pub(crate) fn invent(&mut self) -> Bytes {
        loop {
            let [a, b, c, d] = self.next.to_be_bytes();
            self.next = self.next.wrapping_add(1);
            let id = [0, a, b, c, d];
            // Taken by the application's choice or after four thousand million links; there are fewer peers.
            if !self.ids.contains_key(id.as_slice()) {
                return Bytes::copy_from_slice(&id);
            }
        }
    }
}
