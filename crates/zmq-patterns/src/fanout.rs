//! Block: one message to many peers, each at most once.

use alloc::vec::Vec;

use crate::PeerKey;
use crate::hub::{Hub, Peer};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Room {
    /// Not a member.
    Absent,
    Full,
    Some,
}

#[derive(Clone, Copy)]
struct Slot {
    /// The round in which the peer was last chosen.
    chosen: u32,
    /// Its place among the members.
    place: u32,
    room: Room,
}

const OUT: Slot = Slot {
    chosen: 0,
    place: 0,
    room: Room::Absent,
};

/// The peers that can be sent to, and who was chosen for the message at hand.
pub(crate) struct Fanout {
    slots: Vec<Slot>,
    members: Vec<PeerKey>,
    round: u32,
}

/// Chooses peers for one message.
pub(crate) struct Chooser<'a> {
    slots: &'a mut [Slot],
    round: u32,
    targets: &'a mut Vec<PeerKey>,
    /// Chosen peers without room.
    pub(crate) dropped: u32,
}

impl Fanout {
    pub(crate) const fn new() -> Fanout {
        Fanout {
            slots: Vec::new(),
            members: Vec::new(),
            round: 0,
        }
    }

    pub(crate) fn refresh(&mut self, hub: &Hub, peer: PeerKey) {
        let room = match hub.peer(peer) {
            Some(state) if state.sendable() => Room::Some,
            Some(state) if state.usable() => Room::Full,
            _ => Room::Absent,
        };
        self.set(peer, room);
    }

    pub(crate) fn remove(&mut self, peer: PeerKey) {
        self.set(peer, Room::Absent);
    }

    fn set(&mut self, peer: PeerKey, room: Room) {
        let at = peer.0 as usize;
        if self.slots.len() <= at {
            if room == Room::Absent || peer > PeerKey::MAX {
                return;
            }
            self.slots.resize(at.saturating_add(1), OUT);
        }
        let Some(slot) = self.slots.get_mut(at) else {
            return;
        };
        let before = core::mem::replace(&mut slot.room, room);
        let place = slot.place;
        match (before, room) {
            (Room::Absent, Room::Full | Room::Some) => {
                slot.place = u32::try_from(self.members.len()).unwrap_or(u32::MAX);
                self.members.push(peer);
            }
            (Room::Full | Room::Some, Room::Absent) => {
                if (place as usize) < self.members.len() {
                    self.members.swap_remove(place as usize);
                }
                if let Some(moved) = self.members.get(place as usize)
                    && let Some(slot) = self.slots.get_mut(moved.0 as usize)
                {
                    slot.place = place;
                }
            }
            _ => {}
        }
    }

    /// Starts to choose, into an empty `targets`.
    #[inline]
    pub(crate) fn choose<'a>(&'a mut self, targets: &'a mut Vec<PeerKey>) -> Chooser<'a> {
        targets.clear();
        self.round = self.round.wrapping_add(1);
        if self.round == 0 {
            for slot in &mut self.slots {
                slot.chosen = 0;
            }
            self.round = 1;
        }
        Chooser {
            slots: &mut self.slots,
            round: self.round,
            targets,
            dropped: 0,
        }
    }

    /// Everybody; answers how many had no room.
    pub(crate) fn all(&mut self, targets: &mut Vec<PeerKey>) -> u32 {
        targets.clear();
        let mut dropped = 0u32;
        for peer in &self.members {
            match self.slots.get(peer.0 as usize) {
                Some(slot) if slot.room == Room::Some => targets.push(*peer),
                _ => dropped = dropped.saturating_add(1),
            }
        }
        dropped
    }

    /// Everybody but those just chosen; answers how many had no room.
    pub(crate) fn others(&mut self, targets: &mut Vec<PeerKey>) -> u32 {
        targets.clear();
        let mut dropped = 0u32;
        for peer in &self.members {
            match self.slots.get(peer.0 as usize) {
                Some(slot) if slot.chosen == self.round => {}
                Some(slot) if slot.room == Room::Some => targets.push(*peer),
                _ => dropped = dropped.saturating_add(1),
            }
        }
        dropped
    }

    /// Members that satisfy `wanted`.
    pub(crate) fn with<'a>(
        &'a self,
        hub: &'a Hub,
        wanted: impl Fn(&Peer) -> bool + 'a,
    ) -> impl Iterator<Item = PeerKey> + 'a {
        let wanted = move |key: &PeerKey| hub.peer(*key).is_some_and(&wanted);
        self.members.iter().copied().filter(wanted)
    }
}

impl Chooser<'_> {
    /// Chooses the peer, once.
    #[inline]
    pub(crate) fn add(&mut self, peer: PeerKey) {
        let Some(slot) = self.slots.get_mut(peer.0 as usize) else {
            return;
        };
        if slot.chosen == self.round {
            return;
        }
        slot.chosen = self.round;
        match slot.room {
            Room::Some => self.targets.push(peer),
            Room::Full => self.dropped = self.dropped.saturating_add(1),
            Room::Absent => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Attach;

    #[test]
    fn a_peer_is_chosen_once_in_every_round_even_when_the_count_of_rounds_wraps() {
        let mut hub = Hub::new();
        let mut fanout = Fanout::new();
        let peer = PeerKey(3);
        let dialed = Attach {
            dialed: true,
            ..Attach::default()
        };
        hub.insert(peer, &dialed);
        fanout.refresh(&hub, peer);
        let mut targets = Vec::new();
        fanout.choose(&mut targets).add(peer);
        fanout.round = u32::MAX - 1;
        for _ in 0..4 {
            let mut chooser = fanout.choose(&mut targets);
            chooser.add(peer);
            chooser.add(peer);
            assert_eq!(targets, [peer]);
        }
    }
}
