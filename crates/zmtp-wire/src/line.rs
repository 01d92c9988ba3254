//! Memory of short bodies, which each thread keeps for its next ones.
//!
//! A body that is a little too long for a frame's own room would need an allocation, or a part of a block whose references are counted: two
//! atomic operations, which with so short a body cost more than all the rest of receiving it. So it lies in a line of the processor's cache
//! that belongs to one frame alone. Whoever lets go of the frame keeps the line for its next ones.
//!
//! What is kept is bounded: a thread makes no more than [`MOST`] lines, and keeps no more than that (80 KiB with what an allocator adds). One that
//! makes bodies which others let go of soon has none to give: blocks and allocations serve then, as if there were no lines.
//!
//! An octet that is written too late would be in somebody else's message and no sanitizer would see it. So there are no lines in fuzzed builds
//! and those with `--cfg zmq_fresh_bodies`.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::cell::Cell;

/// The longest body that lies in a line.
pub(crate) const LINE: usize = 64;

/// Lines that a thread makes, and keeps, at most.
const MOST: usize = 1024;

/// An array, not a slice: to copy a length that is known beforehand is no call.
type Room = Box<[u8; LINE]>;

std::thread_local! {
    /// What this thread has to give. Taken out while it is looked at.
    static FREE: Cell<Vec<Room>> = const { Cell::new(Vec::new()) };
    /// How many lines it has made.
    static MADE: Cell<usize> = const { Cell::new(0) };
}

/// A line of any content. `None`, too, in a thread that is about to end.
#[inline]
fn take() -> Option<Room> {
    let taken = FREE.try_with(|own| {
        let mut free = own.take();
        let room = free.pop();
        own.set(free);
        room.or_else(make)
    });
    taken.ok().flatten()
}

#[cold]
fn make() -> Option<Room> {
    let made = MADE.get();
    if made >= MOST || cfg!(any(fuzzing, zmq_fresh_bodies)) {
        return None;
    }
    MADE.set(made.saturating_add(1));
    Some(Box::new([0; LINE]))
}

/// Keeps a line, or frees it where there are enough, and where the thread is about to end. A call of its own, so that letting go of other
/// frames, which have nothing to do with it, stays short.
#[inline(never)]
fn give_back(room: Room) {
    let _ = FREE.try_with(|own| {
        let mut free = own.take();
        if free.len() < free.capacity() {
            free.push(room);
        } else if free.capacity() == 0 {
            free = with_room_for_all(room);
        }
        own.set(free);
    });
}

#[cold]
fn with_room_for_all(room: Room) -> Vec<Room> {
    let mut free = Vec::with_capacity(MOST);
    free.push(room);
    free
}

/// A body in a line of its own.
pub(crate) struct Line {
    length: u8,
    /// There until it is let go of.
    room: Option<Room>,
}

impl Line {
    /// A line of so many octets of any content, if there is one and they fit.
    #[inline]
    pub(crate) fn wide(length: usize) -> Option<Line> {
        if length > LINE {
            return None;
        }
        Some(Line {
            // Within LINE, hence within u8.
            length: length as u8,
            room: Some(take()?),
        })
    }

    /// A copy of the first `length` octets, if there is a line and they fit. What is behind them is never looked at.
    #[inline]
    pub(crate) fn of_front(octets: &[u8], length: usize) -> Option<Line> {
        if length > LINE {
            return None;
        }
        let body = octets.get(..length)?;
        let mut room = take()?;
        match octets.first_chunk() {
            Some(run) => *room = *run,
            None => fill(&mut room, body),
        }
        Some(Line {
            // Within LINE, hence within u8.
            length: length as u8,
            room: Some(room),
        })
    }

    #[inline]
    pub(crate) fn as_slice(&self) -> &[u8] {
        let length = usize::from(self.length);
        let body = self.room.as_ref().and_then(|room| room.get(..length));
        body.unwrap_or_default()
    }

    #[inline]
    pub(crate) fn as_mut_slice(&mut self) -> &mut [u8] {
        let length = usize::from(self.length);
        let body = self.room.as_mut().and_then(|room| room.get_mut(..length));
        body.unwrap_or_default()
    }
}

/// A call of its own, so that the two copies are not made one, of a length that is not known.
#[inline(never)]
fn fill(room: &mut Room, body: &[u8]) {
    if let Some(room) = room.get_mut(..body.len()) {
        room.copy_from_slice(body);
    }
}

impl Clone for Line {
    fn clone(&self) -> Line {
        let copy = |octets: &Room| match take() {
            Some(mut room) => {
                *room = **octets;
                room
            }
            None => octets.clone(),
        };
        Line {
            length: self.length,
            room: self.room.as_ref().map(copy),
        }
    }
}

impl Drop for Line {
    #[inline]
    fn drop(&mut self) {
        if let Some(room) = self.room.take() {
            give_back(room);
        }
    }
}

// Where nothing is kept there is nothing to test.
#[cfg(test)]
#[cfg(not(any(fuzzing, zmq_fresh_bodies)))]
mod tests {
    use super::*;
    use crate::Frame;
    use core::cell::RefCell;
    use std::thread;

    /// Each thread has its own lines; what other tests did in this one is not known.
    fn apart<T: Send + 'static>(test: impl FnOnce() -> T + Send + 'static) -> T {
        thread::spawn(test).join().unwrap()
    }

    /// How many it keeps, and how many it could.
    fn kept() -> (usize, usize) {
        let free = FREE.take();
        let kept = (free.len(), free.capacity());
        FREE.set(free);
        kept
    }

    #[test]
    fn a_body_is_as_long_as_it_was_whatever_came_behind_it_or_was_there_before() {
        apart(|| {
            let octets: Vec<u8> = (0..100).collect();
            for length in (0..=LINE).rev() {
                for all in [length, LINE, 100] {
                    let mut line = Line::of_front(&octets[..all.max(length)], length).unwrap();
                    assert_eq!(line.as_slice(), &octets[..length]);
                    assert_eq!(line.as_mut_slice().len(), length);
                    assert_eq!(line.clone().as_slice(), &octets[..length]);
                }
            }
            assert!(Line::of_front(&octets, LINE + 1).is_none());
            assert!(
                Line::of_front(&octets[..40], 41).is_none(),
                "there are not so many"
            );
        });
    }

    #[test]
    fn a_line_that_was_let_go_of_holds_the_next_body() {
        apart(|| {
            let first = Line::of_front(&[1; LINE], 50).unwrap();
            let place = first.as_slice().as_ptr();
            let other = first.clone();
            assert_ne!(other.as_slice().as_ptr(), place, "still in use");
            drop(first);
            let next = Line::of_front(&[2; LINE], 60).unwrap();
            assert_eq!(next.as_slice().as_ptr(), place);
            assert_eq!(
                (next.as_slice(), other.as_slice()),
                (&[2; 60][..], &[1; 50][..])
            );
        });
    }

    #[test]
    fn a_thread_makes_no_more_than_its_bound_and_then_bodies_lie_elsewhere() {
        let frames = apart(|| {
            let frames: Vec<Frame> = (0..3 * MOST).map(|_| Frame::from([7; LINE])).collect();
            let lines = frames.iter().filter(|frame| frame.as_shared().is_none());
            assert_eq!(lines.count(), MOST);
            assert!(frames.iter().all(|frame| *frame == [7; LINE]));
            // They come back to where they are let go of.
            let copies: Vec<Frame> = frames.clone();
            drop(frames);
            assert_eq!(kept(), (MOST, MOST));
            copies
        });
        // One that lets go of what others made keeps no more either.
        apart(move || {
            let copies = frames.clone();
            drop(frames);
            drop(copies);
            assert_eq!(kept(), (MOST, MOST));
        });
    }

    #[test]
    fn a_frame_may_outlive_what_its_thread_keeps() {
        std::thread_local! {
            static BEFORE: RefCell<Option<Frame>> = const { RefCell::new(None) };
            static AFTER: RefCell<Option<Frame>> = const { RefCell::new(None) };
        }
        apart(|| {
            // Whichever end first: one of them is let go of when the lines are gone.
            BEFORE.with_borrow_mut(|held| *held = None);
            let frame = Frame::from([7; LINE]);
            AFTER.with_borrow_mut(|held| *held = Some(frame.clone()));
            BEFORE.with_borrow_mut(|held| *held = Some(frame));
        });
    }
}
