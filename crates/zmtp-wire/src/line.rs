//! Memory of short bodies, which each thread keeps for its next ones.
//!
//! A body that is a little too long for a frame's own room would need an allocation, or a part of a block whose references are counted: two
//! atomic operations, which with so short a body cost more than all the rest of receiving it. So it has a *line* of its own: memory as long as
//! a line of the processor's cache. Whoever lets go of the frame keeps the line for its next ones.
//!
//! What is kept is bounded: a thread makes no more than [2 MiB](crate::kept::most) of lines, and keeps no more than that until it ends (2.8 MiB, with the
//! list of them and what an allocator adds). One that makes bodies which others let go of soon has
//! none to give: longer pieces (`stretch.rs`), blocks and allocations serve then. Where nothing is kept, each line is an allocation.

use alloc::boxed::Box;

use crate::kept::{KEPT, Kept, Piece, most, zeros};

/// The longest body that has a line.
pub(crate) const LINE: usize = 64;

/// An array, not a slice: to copy a length that is known beforehand is no call.
type Octets = [u8; LINE];
type Room = Piece<Octets>;

std::thread_local! {
    static LINES: Kept<Octets> = const { Kept::none(most(LINE)) };
}

/// A line of any content. `None`, too, in a thread that is about to end.
#[inline]
fn take() -> Option<Room> {
    let taken = LINES.try_with(|lines| lines.take(|| Box::try_from(zeros(LINE)?).ok()));
    taken.ok().flatten()
}

/// Keeps a line, unless there are enough or the thread is about to end. A call of its own, so that letting go of other frames, which have
/// nothing to do with it, stays short.
#[inline(never)]
fn give_back(room: Room) {
    let _ = LINES.try_with(|lines| lines.give_back(room));
}

/// A body in a line of its own.
pub(crate) struct Line {
    length: u8,
    /// There until it is let go of.
    room: Option<Room>,
}

impl Line {
    /// A line of so many zero octets, if there is one that was used before, or may be later, and they fit.
    #[inline]
    pub(crate) fn wide(length: usize) -> Option<Line> {
        // Elsewhere a body is as long as its memory, so that whoever writes beyond it is seen.
        if length > LINE || !KEPT {
            return None;
        }
        let mut room = take()?;
        // What was in it is nobody's business.
        *room = [0; LINE];
        Some(Line {
            // Within LINE, hence within u8.
            length: length as u8,
            room: Some(room),
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

    /// Another one of the same octets, if there is a line for it.
    #[inline]
    pub(crate) fn copied(&self) -> Option<Line> {
        let mut room = take()?;
        *room = **self.room.as_ref()?;
        Some(Line {
            length: self.length,
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

impl Drop for Line {
    #[inline]
    fn drop(&mut self) {
        if let Some(room) = self.room.take() {
            give_back(room);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Frame;
    use crate::kept::tests::apart;

    const MOST: usize = most(LINE);
    use alloc::vec::Vec;

    fn kept() -> usize {
        LINES.with(Kept::count)
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
                    assert_eq!(line.copied().unwrap().as_slice(), &octets[..length]);
                }
            }
            assert!(Line::of_front(&octets, LINE + 1).is_none());
            let too_few = Line::of_front(&octets[..40], 41);
            assert!(too_few.is_none());
        });
    }

    #[test]
    fn a_line_that_was_let_go_of_holds_the_next_body_where_lines_are_kept() {
        apart(|| {
            let first = Line::of_front(&[1; LINE], 50).unwrap();
            let place = first.as_slice().as_ptr();
            let other = first.copied().unwrap();
            assert_ne!(other.as_slice().as_ptr(), place, "still in use");
            drop(first);
            assert_eq!(kept(), usize::from(KEPT));
            let next = Line::of_front(&[2; LINE], 60).unwrap();
            assert!(!KEPT || next.as_slice().as_ptr() == place);
            assert_eq!(next.as_slice(), [2; 60]);
            assert_eq!(other.as_slice(), [1; 50]);
        });
    }

    #[test]
    fn nobody_reads_what_was_in_a_line_before() {
        apart(|| {
            drop(Line::of_front(&[1; LINE], LINE));
            let wide = Line::wide(LINE);
            assert_eq!(wide.is_some(), KEPT);
            assert!(wide.is_none_or(|line| line.as_slice() == [0; LINE]));
            assert!(Line::wide(LINE + 1).is_none());
        });
    }

    #[test]
    fn a_thread_makes_no_more_than_its_bound_and_then_bodies_lie_elsewhere() {
        let bound = if KEPT { MOST } else { 0 };
        apart(move || {
            let frames: Vec<Frame> = (0..3 * MOST).map(|_| Frame::from([7; LINE])).collect();
            let lines = frames.iter().filter(|frame| frame.as_shared().is_none());
            // The next ones are in longer pieces.
            let longer = most(2 * LINE);
            assert_eq!(lines.count(), if KEPT { MOST + longer } else { 3 * MOST });
            assert!(frames.iter().all(|frame| *frame == [7; LINE]));
            // They come back to where they are let go of.
            drop(frames);
            assert_eq!(kept(), bound);
        });
        let frames: Vec<Frame> = apart(|| (0..MOST).map(|_| Frame::from([7; LINE])).collect());
        // One that lets go of what others made keeps no more either.
        apart(move || {
            let copies = frames.clone();
            drop(frames);
            drop(copies);
            assert_eq!(kept(), bound);
        });
    }
}
