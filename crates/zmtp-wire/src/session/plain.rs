//! The short paths of nearly all traffic: whole frames of messages in the clear, in and out.

use super::Session;
use super::cutter::Bounds;
use crate::frame::INLINE;
use crate::header::{Framing, LONG, MORE};
use crate::{Message, Pack, SubscriptionFrames};

/// Finds one frame of a message at the front of `input`: its MORE flag, the octets from its body on, and the octets behind it. `None`
/// when it is not wholly here, when it is anything but such a frame, or when it is out of bounds.
///
/// By hand, not by the grammar in `header`: nearly every frame there is comes this way, and it takes a third of the time
/// (examples/speed.rs).
#[inline]
pub(super) fn whole_frame<'a>(
    input: &'a [u8],
    bounds: &Bounds,
) -> Option<(u8, usize, &'a [u8], &'a [u8])> {
    let (flags, size, rest) = match *input {
        [flags @ (0 | MORE), size, ref rest @ ..] => (flags, u64::from(size), rest),
        [
            flags @ (LONG | LONG_MORE),
            a,
            b,
            c,
            d,
            e,
            f,
            g,
            h,
            ref rest @ ..,
        ] => (
            flags & MORE,
            u64::from_be_bytes([a, b, c, d, e, f, g, h]),
            rest,
        ),
        _ => return None,
    };
    if size > bounds.frame || size > bounds.message {
        return None;
    }
    let size = usize::try_from(size).ok()?;
    let behind = rest.get(size..)?;
    Some((flags, size, rest, behind))
}

/// Where messages stay that are found one after the other.
pub trait Places {
    /// The place of the next one, with an [empty](Message::empty) message in it; `None` if there is no room.
    fn next(&mut self) -> Option<&mut Message>;
}

/// A long frame of a message that goes on.
const LONG_MORE: u8 = LONG | MORE;

impl Session {
    /// Whether a frame without flags (but MORE and LONG) can be nothing but a part of a message.
    pub(super) fn may_be_plain(&self) -> bool {
        self.config.subscriptions == SubscriptionFrames::Never
            && self.transform.is_none()
            && self.is_between_frames()
    }

    /// The shortest path: puts the messages of one frame in the clear at the front of `input` into `places`, `most` of them at most, and
    /// returns how many octets they hold. Stops in front of everything else, which is for [`handle_input`](Self::handle_input).
    ///
    /// Each message is filled where it stays. One that is made here and moved there is written in pieces and read as a whole at once, and the
    /// processor waits until these pieces, and whatever was written before them, have left its store buffer.
    #[inline]
    pub fn take_messages(
        &mut self,
        input: &mut &[u8],
        most: usize,
        places: &mut impl Places,
    ) -> usize {
        if !self.plain || self.partial.is_some() {
            return 0;
        }
        let mut rest = *input;
        let mut octets_taken = 0_usize;
        for _ in 0..most {
            let Some((0, size, octets, behind)) = whole_frame(rest, &self.bounds) else {
                break;
            };
            let Some(frame) = places.next().and_then(Message::only_mut) else {
                break;
            };
            rest = behind;
            octets_taken = octets_taken.saturating_add(size);
            if size <= INLINE
                && let Some(run) = octets.first_chunk()
            {
                frame.fill(run, size as u8);
            } else {
                self.shelf.fill(frame, octets, size, behind.len());
            }
        }
        if rest.len() < input.len() {
            self.heart.heard = true;
            *input = rest;
        }
        octets_taken
    }

    /// Whether messages may come in a [`Pack`]: they travel as ZMTP 3.x frames in the clear, over a stream.
    #[must_use]
    pub fn takes_packs(&self) -> bool {
        self.in_traffic()
            && self.framing == Framing::V3
            && self.transform.is_none()
            && self.units.is_none()
    }

    /// Sends what is in a pack, as [`send`](Self::send) would one message after the other. Nothing can be added to the pack any more. Ignored
    /// unless [`takes_packs`](Self::takes_packs).
    pub fn send_pack(&mut self, pack: &mut Pack) {
        if self.may_speak() && self.takes_packs() && !pack.is_empty() {
            let (octets, rows) = pack.close();
            self.output.pack(octets, rows);
        }
    }
}
