//! When the driver has to look at what.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::clock::Nanos;

struct Entry<T> {
    at: Nanos,
    /// Breaks ties in the order of setting, so that a simulation is the same each time.
    order: u64,
    what: T,
}

impl<T> PartialEq for Entry<T> {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.order) == (other.at, other.order)
    }
}

impl<T> Eq for Entry<T> {}

impl<T> PartialOrd for Entry<T> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for Entry<T> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.order).cmp(&(other.at, other.order))
    }
}

/// So many timers that will find nothing to do are not worth looking for.
const FEW: usize = 1024;

/// Timers by the moment they are due. Hardly any is taken back: whoever is woken looks whether there is something to do.
pub(crate) struct Timers<T> {
    heap: BinaryHeap<Reverse<Entry<T>>>,
    order: u64,
    /// Those that were told to be idle since the idle ones were last let go of.
    idle: usize,
}

impl<T> Timers<T> {
    pub(crate) fn new() -> Timers<T> {
        Timers {
            heap: BinaryHeap::new(),
            order: 0,
            idle: 0,
        }
    }

    pub(crate) fn set(&mut self, at: Nanos, what: T) {
        if at == Nanos::NEVER {
            return;
        }
        self.order = self.order.wrapping_add(1);
        self.heap.push(Reverse(Entry {
            at,
            order: self.order,
            what,
        }));
    }

    /// One timer may find nothing to do. When as many may be such as may not, those that `is_idle` says so of are let go of: peers who come
    /// and go would otherwise leave one each until it is due.
    pub(crate) fn idle(&mut self, is_idle: impl Fn(&T) -> bool) {
        self.idle = self.idle.saturating_add(1);
        if self.idle >= FEW.max(self.heap.len() / 2) {
            self.idle = 0;
            self.heap.retain(|entry| !is_idle(&entry.0.what));
            self.heap.shrink_to(FEW.max(self.heap.len()));
        }
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.heap.len()
    }

    pub(crate) fn next(&self) -> Nanos {
        self.heap.peek().map_or(Nanos::NEVER, |entry| entry.0.at)
    }

    pub(crate) fn due(&mut self, now: Nanos) -> Option<T> {
        if self.next() > now {
            return None;
        }
        self.heap.pop().map(|entry| entry.0.what)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timers_come_in_order_and_ties_in_the_order_of_setting() {
        let mut timers = Timers::new();
        timers.set(Nanos(5), 'c');
        timers.set(Nanos(1), 'a');
        timers.set(Nanos(5), 'd');
        timers.set(Nanos(2), 'b');
        timers.set(Nanos::NEVER, 'x');
        assert_eq!(timers.due(Nanos(0)), None);
        let mut seen = String::new();
        while let Some(what) = timers.due(Nanos(5)) {
            seen.push(what);
        }
        assert_eq!(seen, "abcd");
        assert_eq!(timers.next(), Nanos::NEVER);
    }

    #[test]
    fn timers_that_will_find_nothing_do_not_pile_up() {
        let mut timers = Timers::new();
        for live in 0..10_u64 {
            timers.set(Nanos(1_000_000 + live), live);
        }
        for gone in 10..100_000 {
            timers.set(Nanos(gone), gone);
            timers.idle(|what| *what >= 10 && *what <= gone);
            assert!(timers.heap.len() <= 2 * FEW);
        }
        let left = std::iter::from_fn(|| timers.due(Nanos(u64::MAX - 1)));
        let live: Vec<u64> = left.filter(|what| *what < 10).collect();
        assert_eq!(live, Vec::from_iter(0..10));
    }
}
