//! The order in which peers take turns.
//!
//! Invariant: the members form one closed chain; `current` is a member unless the ring is empty. A peer that
//! joins stands just before `current`, so everybody who was waiting comes first: a round is exactly fair, whoever
//! joins or leaves in between. Every operation is O(1); memory grows only when a larger key is seen.

use alloc::vec::Vec;

use crate::PeerKey;

const NOBODY: u32 = u32::MAX;

#[derive(Clone, Copy)]
struct Neighbours {
    before: u32,
    after: u32,
}

const APART: Neighbours = Neighbours {
    before: NOBODY,
    after: NOBODY,
};

/// Peers in cyclic order, one of them current.
pub(crate) struct Ring {
    seats: Vec<Neighbours>,
    current: u32,
}

impl Ring {
    pub(crate) const fn new() -> Ring {
        Ring {
            seats: Vec::new(),
            current: NOBODY,
        }
    }

    #[inline]
    pub(crate) fn current(&self) -> Option<PeerKey> {
        (self.current != NOBODY).then_some(PeerKey(self.current))
    }

    /// Whether `current` is the only member.
    #[inline]
    pub(crate) fn is_alone(&self) -> bool {
        self.current != NOBODY && self.seat(self.current).after == self.current
    }

    #[inline]
    fn seat(&self, key: u32) -> Neighbours {
        self.seats.get(key as usize).copied().unwrap_or(APART)
    }

    #[inline]
    pub(crate) fn contains(&self, peer: PeerKey) -> bool {
        self.seat(peer.0).after != NOBODY
    }

    fn set_after(&mut self, key: u32, after: u32) {
        if let Some(seat) = self.seats.get_mut(key as usize) {
            seat.after = after;
        }
    }

    fn set_before(&mut self, key: u32, before: u32) {
        if let Some(seat) = self.seats.get_mut(key as usize) {
            seat.before = before;
        }
    }

    /// Lets `peer` join at the end of the round; a member stays where it is.
    pub(crate) fn insert(&mut self, peer: PeerKey) {
        if peer > PeerKey::MAX || self.contains(peer) {
            return;
        }
        let key = peer.0;
        if self.seats.len() <= key as usize {
            self.seats.resize((key as usize).saturating_add(1), APART);
        }
        if self.current == NOBODY {
            self.current = key;
            self.set_before(key, key);
            self.set_after(key, key);
            return;
        }
        let last = self.seat(self.current).before;
        self.set_before(key, last);
        self.set_after(key, self.current);
        self.set_after(last, key);
        self.set_before(self.current, key);
    }

    /// Takes `peer` out; if it was current, the turn is its successor's.
    pub(crate) fn remove(&mut self, peer: PeerKey) {
        let key = peer.0;
        let Neighbours { before, after } = self.seat(key);
        if after == NOBODY {
            return;
        }
        if after == key {
            self.current = NOBODY;
        } else {
            self.set_after(before, after);
            self.set_before(after, before);
            if self.current == key {
                self.current = after;
            }
        }
        if let Some(seat) = self.seats.get_mut(key as usize) {
            *seat = APART;
        }
    }

    /// Passes the turn to the next member.
    #[inline]
    pub(crate) fn advance(&mut self) {
        if self.current != NOBODY {
            self.current = self.seat(self.current).after;
        }
    }

    /// Joins or leaves.
    pub(crate) fn set(&mut self, peer: PeerKey, member: bool) {
        if member {
            self.insert(peer);
        } else {
            self.remove(peer);
        }
    }
}
