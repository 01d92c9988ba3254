//! Whose handshake goes on next: those who come from different places take turns, however many connections each place has.

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;
use std::ops::Bound;

/// Bits of an IPv6 address that one host can choose at will: all of them are one place.
const HOST_BITS: u32 = 64;

/// Where a peer is, as far as it cannot choose: of what kind the place is, and its number. Numbers alone, so that no comparison looks at
/// octets of a variant that is not there, which those who watch memory take for a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place(Kind, u128);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    V4,
    V6,
    /// A user of this machine.
    User,
    Elsewhere,
}

impl Place {
    const ELSEWHERE: Place = Place(Kind::Elsewhere, 0);

    /// Reads what a transport says of a peer.
    pub(crate) fn of(address: &str) -> Place {
        if let Some(process) = address.strip_prefix("localhost:") {
            let user = process.split(':').next().unwrap_or_default();
            return user
                .parse::<u32>()
                .map_or(Place::ELSEWHERE, |user| Place(Kind::User, u128::from(user)));
        }
        let numeric = address.split('%').next().unwrap_or_default();
        match numeric
            .parse::<IpAddr>()
            .map(|address| address.to_canonical())
        {
            Ok(IpAddr::V6(address)) => Place(Kind::V6, address.to_bits() >> HOST_BITS << HOST_BITS),
            Ok(IpAddr::V4(address)) => Place(Kind::V4, u128::from(address.to_bits())),
            Err(_) => Place::ELSEWHERE,
        }
    }
}

/// Handshakes that have something to do, by where their peers are.
#[derive(Debug, Default)]
pub(crate) struct Turns {
    waiting: BTreeMap<Place, VecDeque<u64>>,
    last: Option<Place>,
}

impl Turns {
    pub(crate) fn push(&mut self, place: Place, id: u64) {
        self.waiting.entry(place).or_default().push_back(id);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// The oldest of the place behind the one whose turn it was last.
    pub(crate) fn pop(&mut self) -> Option<u64> {
        let behind = match &self.last {
            Some(last) => Bound::Excluded(last),
            None => Bound::Unbounded,
        };
        let next = self.waiting.range((behind, Bound::Unbounded)).next();
        let place = *next.or_else(|| self.waiting.iter().next())?.0;
        let queue = self.waiting.get_mut(&place)?;
        let id = queue.pop_front();
        if queue.is_empty() {
            self.waiting.remove(&place);
        }
        self.last = Some(place);
        id
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_take_turns_and_each_is_served_in_the_order_of_coming() {
        let mut turns = Turns::default();
        for (place, ids) in [("10.0.0.1", 0..5), ("10.0.0.2", 10..12), ("::1", 20..21)] {
            for id in ids {
                turns.push(Place::of(place), id);
            }
        }
        let mut order = vec![turns.pop(), turns.pop()];
        // One who comes late waits for one turn of each, no longer.
        turns.push(Place::of("10.0.0.9"), 30);
        order.extend(std::iter::from_fn(|| turns.pop()).map(Some));
        let order: Vec<u64> = order.into_iter().flatten().collect();
        assert_eq!(order, [0, 10, 30, 20, 1, 11, 2, 3, 4]);
        assert!(turns.is_empty());
    }

    #[test]
    fn what_a_peer_can_choose_makes_no_other_place() {
        for (one, other, same) in [
            ("192.0.2.1", "::ffff:192.0.2.1", true),
            ("192.0.2.1", "192.0.2.2", false),
            ("2001:db8::1", "2001:db8::2:3:4:5", true),
            ("2001:db8::1", "2001:db8:0:1::1", false),
            ("fe80::1%eth0", "fe80::2%eth1", true),
            ("localhost:1000:5:7", "localhost:1000:6:8", true),
            ("localhost:1000:5:7", "localhost:1001:5:7", false),
            ("somewhere", "", true),
        ] {
            assert_eq!(Place::of(one) == Place::of(other), same, "{one} {other}");
        }
    }
}
