//! Messages that are cut from the input of a link.

use std::collections::VecDeque;

use zmtp_wire::{Message, Places};

use crate::item::Item;

/// The places of those that follow, behind what is in a queue.
///
/// Several are made at once, without a check in between whether there is room. With one, an empty message is made somewhere else and moved there,
/// and reading it as a whole waits until the pieces in which it was written have left the processor's store buffer.
pub(crate) struct Decoded<'a> {
    queue: &'a mut VecDeque<Item>,
    used: usize,
    /// How many are made next: one, and twice as many each time.
    next: usize,
    /// How many there may be still.
    room: usize,
}

impl Decoded<'_> {
    /// Places that are made at once, at most.
    const PLACES: usize = 16;

    /// Up to `room` places.
    pub(crate) fn behind(queue: &mut VecDeque<Item>, room: usize) -> Decoded<'_> {
        let used = queue.len();
        Decoded {
            queue,
            used,
            next: 1,
            room,
        }
    }
}

impl Places for Decoded<'_> {
    #[inline]
    fn next(&mut self) -> Option<&mut Message> {
        if self.used == self.queue.len() {
            let places = std::iter::repeat_with(|| Item::Message(Message::empty()));
            let made = self.next.min(self.room);
            self.queue.extend(places.take(made));
            self.room -= made;
            self.next = (2 * self.next).min(Self::PLACES);
        }
        let place = self.queue.get_mut(self.used)?;
        self.used += 1;
        match place {
            Item::Message(message) => Some(message),
            _ => None,
        }
    }
}

impl Drop for Decoded<'_> {
    fn drop(&mut self) {
        self.queue.truncate(self.used);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_filled_stays_and_no_place_is_left_over() {
        for before in [0, 1, 5] {
            for count in [
                0,
                1,
                Decoded::PLACES - 1,
                Decoded::PLACES,
                3 * Decoded::PLACES + 1,
            ] {
                let text = |number: usize| Message::from(number.to_string().as_str());
                let mut queue: VecDeque<Item> = (0..before).map(text).map(Item::Message).collect();
                let mut places = Decoded::behind(&mut queue, count);
                for number in 0..count {
                    let place = places.next().unwrap();
                    assert_eq!(*place, Message::empty());
                    *place = text(before + number);
                }
                assert!(places.next().is_none());
                drop(places);
                let got: Vec<Message> = queue
                    .into_iter()
                    .filter_map(|item| match item {
                        Item::Message(message) => Some(message),
                        _ => None,
                    })
                    .collect();
                assert_eq!(got, (0..before + count).map(text).collect::<Vec<_>>());
            }
        }
    }
    #[test]
    fn no_more_places_are_made_than_there_is_room_for() {
        let mut queue = VecDeque::with_capacity(64);
        let capacity = queue.capacity();
        let mut places = Decoded::behind(&mut queue, capacity);
        for _ in 0..capacity {
            assert!(places.next().is_some());
        }
        assert!(places.next().is_none());
        drop(places);
        assert_eq!((queue.len(), queue.capacity()), (capacity, capacity));
    }
}
