//! Memory of bodies of middling size, which each thread keeps for its next ones.
//!
//! What `line.rs` does for bodies that are a little too long for a frame, this does for those of up to [`LONGEST`] octets. To allocate and to free
//! each takes a fifth of the time of receiving 1 KiB, as so many are under way at once that an allocator finds none of them quickly; parts
//! of blocks whose references are counted take a sixth with 256 octets.
//!
//! There are four sizes, each twice the one before, so that a body holds less than twice what it needs (those of 39 to 64 octets, which come here when
//! the lines are used up, hold 128). What is kept is bounded as the lines are, by [2 MiB](crate::kept::most) for each size: 9 MiB of one thread in all, with the
//! lists of them and what an allocator adds. Where nothing is kept, no body lies here.

use bytes::Bytes;

use crate::kept::{KEPT, Kept, Piece, most, zeros};

/// The longest body that has memory of this kind.
pub(crate) const LONGEST: usize = 1024;

/// The shortest piece.
const SHORTEST: usize = 128;

/// How many sizes there are.
const SIZES: usize = 4;

type Room = Piece<[u8]>;

std::thread_local! {
    static STRETCHES: [Kept<[u8]>; SIZES] = const {
        [
            Kept::none(most(SHORTEST)),
            Kept::none(most(SHORTEST * 2)),
            Kept::none(most(SHORTEST * 4)),
            Kept::none(most(SHORTEST * 8)),
        ]
    };
}

/// Which of the sizes a body of `length` octets, or a piece of that, has.
#[inline]
fn rank(length: usize) -> usize {
    const FIRST: u32 = (SHORTEST - 1).ilog2();
    let last = length.saturating_sub(1).max(SHORTEST - 1);
    last.ilog2().saturating_sub(FIRST) as usize
}

/// A piece of any content that has room for so many octets. `None`, too, in a thread that is about to end.
#[inline]
fn take(length: usize) -> Option<Room> {
    let rank = rank(length);
    let taken = STRETCHES.try_with(|sizes| sizes.get(rank)?.take(|| zeros(SHORTEST << rank)));
    taken.ok().flatten()
}

/// Keeps a piece, unless there are enough or the thread is about to end. A call of its own, so that letting go of other frames stays short.
#[inline(never)]
fn give_back(room: Room) {
    let _ = STRETCHES.try_with(|sizes| {
        if let Some(kept) = sizes.get(rank(room.len())) {
            kept.give_back(room);
        }
    });
}

/// A body in a piece of its own.
pub(crate) struct Stretch {
    length: u16,
    /// There until it is let go of.
    room: Option<Room>,
}

impl Stretch {
    /// A piece of so many zero octets, if there is one that was used before, or may be later, and they fit.
    #[inline]
    pub(crate) fn wide(length: usize) -> Option<Stretch> {
        if length > LONGEST || !KEPT {
            return None;
        }
        let mut room = take(length)?;
        // What was in it is nobody's business.
        room.get_mut(..length)?.fill(0);
        Some(Stretch {
            // Within LONGEST, hence within u16.
            length: length as u16,
            room: Some(room),
        })
    }

    /// A copy of a body, if there is a piece for it.
    #[inline]
    pub(crate) fn of_body(body: &[u8]) -> Option<Stretch> {
        if body.len() > LONGEST || !KEPT {
            return None;
        }
        let mut room = take(body.len())?;
        room.get_mut(..body.len())?.copy_from_slice(body);
        Some(Stretch {
            // Within LONGEST, hence within u16.
            length: body.len() as u16,
            room: Some(room),
        })
    }

    /// The same piece as shared octets; it comes back when the last of them is let go of.
    pub(crate) fn into_bytes(self) -> Bytes {
        Bytes::from_owner(self)
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

impl AsRef<[u8]> for Stretch {
    fn as_ref(&self) -> &[u8] {
        self.as_slice()
    }
}

impl Drop for Stretch {
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

    const MOST: usize = most(512);
    use alloc::vec::Vec;

    fn kept() -> [usize; SIZES] {
        STRETCHES.with(|sizes| core::array::from_fn(|rank| sizes[rank].count()))
    }

    #[test]
    fn a_body_is_in_the_shortest_piece_that_holds_it() {
        for length in 65..=LONGEST {
            let octets = SHORTEST << rank(length);
            assert!(
                octets >= length && octets / 2 < length.max(SHORTEST),
                "{length}"
            );
            assert_eq!(rank(octets), rank(length));
        }
        assert_eq!(rank(LONGEST), SIZES - 1);
    }

    #[test]
    fn a_body_is_as_long_as_it_was_whatever_was_there_before() {
        apart(|| {
            let octets: Vec<u8> = (0..LONGEST).map(|number| number as u8).collect();
            for length in (65..=LONGEST).rev() {
                let stretch = Stretch::of_body(&octets[..length]);
                assert_eq!(stretch.is_some(), KEPT);
                let Some(mut stretch) = stretch else { return };
                assert_eq!(stretch.as_slice(), &octets[..length]);
                assert_eq!(stretch.as_mut_slice().len(), length);
                assert_eq!(
                    Stretch::of_body(stretch.as_slice()).unwrap().as_slice(),
                    &octets[..length]
                );
                assert_eq!(stretch.into_bytes(), &octets[..length]);
            }
            assert!(Stretch::of_body(&[0; LONGEST + 1]).is_none());
        });
    }

    #[test]
    fn nobody_reads_what_was_in_a_piece_before() {
        apart(|| {
            for length in [65, 128, 129, LONGEST] {
                drop(Stretch::of_body(&alloc::vec![1; length]));
                let wide = Stretch::wide(length);
                assert_eq!(wide.is_some(), KEPT);
                assert!(wide.is_none_or(|wide| wide.as_slice() == alloc::vec![0; length]));
            }
            assert!(Stretch::wide(LONGEST + 1).is_none());
        });
    }

    #[test]
    fn a_piece_that_was_let_go_of_holds_the_next_body_of_its_size() {
        if !KEPT {
            return;
        }
        apart(|| {
            let first = Stretch::of_body(&[1; 200]).unwrap();
            let place = first.as_slice().as_ptr();
            let other = Stretch::of_body(first.as_slice()).unwrap();
            assert_ne!(other.as_slice().as_ptr(), place, "still in use");
            drop(first);
            assert_eq!(kept(), [0, 1, 0, 0]);
            let longer = Stretch::of_body(&[2; 300]).unwrap();
            assert_ne!(longer.as_slice().as_ptr(), place, "too long for it");
            let next = Stretch::of_body(&[3; 250]).unwrap();
            assert_eq!(next.as_slice().as_ptr(), place);
            assert_eq!(other.as_slice(), [1; 200]);
            // Shared octets are it, and it is used again when the last of them is gone.
            let shared = next.into_bytes();
            let part = shared.slice(10..20);
            assert_eq!(shared.as_ptr(), place);
            drop(shared);
            assert_eq!(kept(), [0; SIZES]);
            assert_eq!(part, [3; 10][..]);
            drop(part);
            assert_eq!(kept(), [0, 1, 0, 0]);
        });
    }

    #[test]
    fn a_thread_makes_no_more_than_its_bound_and_then_bodies_lie_elsewhere() {
        if !KEPT {
            return;
        }
        apart(|| {
            let frames: Vec<Frame> = (0..2 * MOST).map(|_| Frame::from([7; 500])).collect();
            let own = frames.iter().filter(|frame| frame.as_shared().is_none());
            assert_eq!(own.count(), MOST);
            assert!(frames.iter().all(|frame| *frame == [7; 500]));
            // Of another size there are some still.
            assert!(Frame::from([7; 100]).as_shared().is_none());
            drop(frames);
            assert_eq!(kept(), [1, 0, MOST, 0]);
        });
        let frames: Vec<Frame> = apart(|| (0..MOST).map(|_| Frame::from([7; 500])).collect());
        // One that lets go of what others made keeps no more either.
        apart(move || {
            let copies = frames.clone();
            drop(frames);
            drop(copies);
            assert_eq!(kept(), [0, 0, MOST, 0]);
        });
    }
}
