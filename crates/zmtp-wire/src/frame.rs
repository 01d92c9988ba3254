//! One frame of a message, as a value.

use alloc::string::String;
use alloc::vec::Vec;
use bytes::Bytes;

#[cfg(not(feature = "std"))]
use crate::no_line::{Line, Stretch};
#[cfg(feature = "std")]
use crate::{line::Line, stretch::Stretch};

/// Longest body that is kept inside the value, without allocation.
pub const INLINE: usize = 38;

/// The body of one frame: up to 38 octets inside the value, more in a shared [`Bytes`], or, up to 1024 of them, in memory that its thread keeps for
/// such bodies (feature `std`).
///
/// A short frame copies, so that it never keeps a large read buffer alive. Cloning is cheap at any length: it copies up to 1024 octets, and counts
/// references of more, or of what [`share`](Self::share) was called for.
#[derive(Clone)]
pub struct Frame(Repr);

enum Repr {
    Inline { length: u8, octets: [u8; INLINE] },
    Shared(Bytes),
    Line(Line),
    Stretch(Stretch),
}

impl Clone for Repr {
    #[inline]
    fn clone(&self) -> Self {
        let body = match self {
            Self::Inline { length, octets } => {
                return Self::Inline {
                    length: *length,
                    octets: *octets,
                };
            }
            Self::Shared(bytes) => return Self::Shared(bytes.clone()),
            Self::Line(line) => {
                if let Some(line) = line.copied() {
                    return Self::Line(line);
                }
                line.as_slice()
            }
            Self::Stretch(stretch) => stretch.as_slice(),
        };
        Frame::copy_of_long(body).0
    }
}

impl Frame {
    /// A frame without octets.
    #[must_use]
    pub const fn empty() -> Self {
        Self(Repr::Inline {
            length: 0,
            octets: [0; INLINE],
        })
    }

    /// A frame that points at constant data.
    #[must_use]
    pub const fn from_static(body: &'static [u8]) -> Self {
        Self(Repr::Shared(Bytes::from_static(body)))
    }

    /// A frame that holds on to `body` however short it is, for those who want to know when it was let go.
    #[inline]
    #[must_use]
    pub const fn shared(body: Bytes) -> Self {
        Self(Repr::Shared(body))
    }

    /// A frame with a copy of `body`: no allocation up to 38 octets, one above, up to 1024 only where there is no memory to be used again.
    #[inline]
    #[must_use]
    pub fn copy_from(body: &[u8]) -> Self {
        let mut octets = [0; INLINE];
        match octets.get_mut(..body.len()) {
            Some(room) => {
                room.copy_from_slice(body);
                // Within INLINE, hence within u8.
                Self(Repr::Inline {
                    length: body.len() as u8,
                    octets,
                })
            }
            None => Self::copy_of_long(body),
        }
    }

    /// As [`copy_from`](Self::copy_from), of more octets than are kept inside the value.
    fn copy_of_long(body: &[u8]) -> Self {
        if let Some(line) = Line::of_front(body, body.len()) {
            return Self(Repr::Line(line));
        }
        if let Some(stretch) = Stretch::of_body(body) {
            return Self(Repr::Stretch(stretch));
        }
        Self(Repr::Shared(Bytes::copy_from_slice(body)))
    }

    /// Makes an empty frame one of so many octets, to be filled by [`own_mut`](Self::own_mut): inside the value, or where they do not fit there, in
    /// memory that is used again. All of them are zeros. Says whether it did: there was room, and the frame was empty.
    #[inline]
    pub fn widen(&mut self, to: usize) -> bool {
        match &mut self.0 {
            Repr::Inline { length, octets } if *length == 0 && to <= INLINE => {
                *octets = [0; INLINE];
                // Within INLINE, hence within u8.
                *length = to as u8;
                return true;
            }
            Repr::Inline { length: 0, .. } => {}
            _ => return false,
        }
        if let Some(line) = Line::wide(to) {
            self.0 = Repr::Line(line);
            return true;
        }
        match Stretch::wide(to) {
            Some(stretch) => {
                self.0 = Repr::Stretch(stretch);
                true
            }
            None => false,
        }
    }

    /// The body to change in place, when it is nobody else's: shared octets are nobody's to change.
    #[inline]
    #[must_use]
    pub fn own_mut(&mut self) -> Option<&mut [u8]> {
        match &mut self.0 {
            Repr::Inline { length, octets } => octets.get_mut(..usize::from(*length)),
            Repr::Line(line) => Some(line.as_mut_slice()),
            Repr::Stretch(stretch) => Some(stretch.as_mut_slice()),
            Repr::Shared(_) => None,
        }
    }

    /// Whether the body is kept inside the value, so that dropping it lets go of nothing.
    #[inline]
    #[must_use]
    pub const fn is_inline(&self) -> bool {
        matches!(self.0, Repr::Inline { .. })
    }

    /// A frame with a copy of the first `length` octets of a run of fixed length, `length` being no more than that.
    ///
    /// A copy of variable length costs more than everything else in cutting a short frame. The octets behind the body are never looked at.
    #[inline]
    pub(crate) const fn of_run(run: &[u8; INLINE], length: u8) -> Self {
        Self(Repr::Inline {
            length,
            octets: *run,
        })
    }

    /// As [`of_run`](Self::of_run), in the place of a frame, which should be inside the value.
    #[inline]
    pub(crate) fn fill(&mut self, run: &[u8; INLINE], length: u8) {
        match &mut self.0 {
            Repr::Inline {
                length: place,
                octets,
            } => {
                *place = length;
                *octets = *run;
            }
            _ => *self = Self::of_run(run, length),
        }
    }

    /// Makes a frame inside the value one of the first `length` of some octets, if there is a line for them. The octets behind the body are never
    /// looked at. Says whether it did.
    #[inline]
    pub(crate) fn fill_line(&mut self, octets: &[u8], length: usize) -> bool {
        self.is_inline()
            && Line::of_front(octets, length)
                .map(|line| self.0 = Repr::Line(line))
                .is_some()
    }

    /// As [`fill_line`](Self::fill_line), if there is a stretch for them.
    #[inline]
    pub(crate) fn fill_stretch(&mut self, body: &[u8]) -> bool {
        self.is_inline()
            && Stretch::of_body(body)
                .map(|stretch| self.0 = Repr::Stretch(stretch))
                .is_some()
    }

    /// The body.
    #[inline]
    #[must_use]
    pub fn as_slice(&self) -> &[u8] {
        match &self.0 {
            Repr::Inline { length, octets } => {
                octets.get(..usize::from(*length)).unwrap_or_default()
            }
            Repr::Shared(bytes) => bytes,
            Repr::Line(line) => line.as_slice(),
            Repr::Stretch(stretch) => stretch.as_slice(),
        }
    }

    /// The body as shared octets; copies (and allocates) when it is not shared yet.
    #[must_use]
    pub fn to_bytes(&self) -> Bytes {
        match &self.0 {
            Repr::Shared(bytes) => bytes.clone(),
            _ => Bytes::copy_from_slice(self.as_slice()),
        }
    }

    /// As [`to_bytes`](Self::to_bytes), without touching the reference count; copies up to 64 octets only.
    #[inline]
    #[must_use]
    pub fn into_bytes(self) -> Bytes {
        match self.0 {
            Repr::Shared(bytes) => bytes,
            Repr::Stretch(stretch) => stretch.into_bytes(),
            _ => Bytes::copy_from_slice(self.as_slice()),
        }
    }

    /// Has clones of this frame count references to its body from now on, where it is longer than 64 octets: for whoever makes several of them,
    /// and for those that live long.
    #[inline]
    pub fn share(&mut self) {
        if matches!(self.0, Repr::Stretch(_)) {
            *self = Self::shared(core::mem::take(self).into_bytes());
        }
    }

    /// The shared octets, when the body is in such.
    #[inline]
    #[must_use]
    pub const fn as_shared(&self) -> Option<&Bytes> {
        match &self.0 {
            Repr::Shared(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// The shared octets, to put others in their place, when the body is in such.
    #[inline]
    #[must_use]
    pub const fn as_shared_mut(&mut self) -> Option<&mut Bytes> {
        match &mut self.0 {
            Repr::Shared(bytes) => Some(bytes),
            _ => None,
        }
    }
}

impl Default for Frame {
    fn default() -> Self {
        Self::empty()
    }
}

impl core::ops::Deref for Frame {
    type Target = [u8];
    #[inline]
    fn deref(&self) -> &[u8] {
        self.as_slice()
    }
}

impl AsRef<[u8]> for Frame {
    fn as_ref(&self) -> &[u8] {
        self.as_slice()
    }
}

impl PartialEq for Frame {
    fn eq(&self, other: &Self) -> bool {
        self.as_slice() == other.as_slice()
    }
}

impl Eq for Frame {}

impl core::hash::Hash for Frame {
    fn hash<H: core::hash::Hasher>(&self, state: &mut H) {
        self.as_slice().hash(state);
    }
}

impl PartialEq<[u8]> for Frame {
    fn eq(&self, other: &[u8]) -> bool {
        self.as_slice() == other
    }
}

impl PartialEq<&[u8]> for Frame {
    fn eq(&self, other: &&[u8]) -> bool {
        self.as_slice() == *other
    }
}

impl<const N: usize> PartialEq<[u8; N]> for Frame {
    fn eq(&self, other: &[u8; N]) -> bool {
        self.as_slice() == other
    }
}

impl<const N: usize> PartialEq<&[u8; N]> for Frame {
    fn eq(&self, other: &&[u8; N]) -> bool {
        self.as_slice() == *other
    }
}

impl PartialEq<str> for Frame {
    fn eq(&self, other: &str) -> bool {
        self.as_slice() == other.as_bytes()
    }
}

impl PartialEq<&str> for Frame {
    fn eq(&self, other: &&str) -> bool {
        self.as_slice() == other.as_bytes()
    }
}

/// Octets shown by `Debug`; the rest is counted only, so that a log line stays a line.
const SHOWN: usize = 24;

impl core::fmt::Debug for Frame {
    fn fmt(&self, out: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let body = self.as_slice();
        write!(
            out,
            "\"{}\"",
            body.get(..SHOWN).unwrap_or(body).escape_ascii()
        )?;
        match body.len().checked_sub(SHOWN) {
            Some(more) if more > 0 => write!(out, "+{more}"),
            _ => Ok(()),
        }
    }
}

impl From<&[u8]> for Frame {
    fn from(body: &[u8]) -> Self {
        Self::copy_from(body)
    }
}

impl From<&str> for Frame {
    fn from(body: &str) -> Self {
        Self::copy_from(body.as_bytes())
    }
}

impl From<String> for Frame {
    fn from(body: String) -> Self {
        Self::from(body.into_bytes())
    }
}

impl From<Vec<u8>> for Frame {
    #[inline]
    fn from(body: Vec<u8>) -> Self {
        if body.len() <= INLINE {
            return Self::copy_from(&body);
        }
        Self::shared(Bytes::from(body))
    }
}

impl From<Bytes> for Frame {
    #[inline]
    fn from(body: Bytes) -> Self {
        if body.len() <= INLINE {
            return Self::copy_from(&body);
        }
        Self::shared(body)
    }
}

impl<const N: usize> From<[u8; N]> for Frame {
    fn from(body: [u8; N]) -> Self {
        Self::copy_from(&body)
    }
}

impl<const N: usize> From<&[u8; N]> for Frame {
    fn from(body: &[u8; N]) -> Self {
        Self::copy_from(body)
    }
}

impl From<Frame> for Bytes {
    fn from(frame: Frame) -> Self {
        frame.into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_takes_forty_octets() {
        assert_eq!(size_of::<Frame>(), 40);
    }

    #[test]
    fn short_bodies_are_inline_and_long_ones_are_not() {
        for length in 0..100_usize {
            let body = alloc::vec![7_u8; length];
            for frame in [
                Frame::from(&body[..]),
                Frame::from(body.clone()),
                Frame::from(Bytes::from(body.clone())),
            ] {
                assert_eq!(frame.as_slice(), &body[..]);
                assert_eq!(frame.is_inline(), length <= INLINE, "length {length}");
                assert_eq!(frame.clone(), frame);
                assert_eq!(frame.clone().into_bytes(), frame.to_bytes());
                assert_eq!(frame.into_bytes(), &body[..]);
            }
        }
    }

    #[test]
    fn what_is_nobody_elses_can_be_filled_where_it_is() {
        let mut frame = Frame::empty();
        assert!(!frame.widen(1025));
        assert!(frame.widen(INLINE));
        assert_eq!(frame, [0; INLINE]);
        frame.own_mut().unwrap().fill(7);
        assert_eq!(frame, [7; INLINE]);
        assert!(!frame.widen(1), "it is not empty");
        assert_eq!(Frame::shared(Bytes::from_static(b"a")).own_mut(), None);
    }

    #[test]
    fn what_has_a_line_is_nobody_elses_either() {
        for length in INLINE + 1..=64 {
            let mut frame = Frame::from(&[7; 64][..length]);
            assert_eq!(frame.as_shared().is_none(), cfg!(feature = "std"));
            let copy = frame.clone();
            if let Some(body) = frame.own_mut() {
                body.fill(8);
                assert_eq!(frame, &[8; 64][..length]);
            }
            assert_eq!(copy, &[7; 64][..length]);
        }
        let long = Frame::from(&[7; 1025][..]);
        assert!(long.as_shared().is_some());
        let mut frame = Frame::empty();
        let kept = cfg!(all(feature = "std", not(any(fuzzing, zmq_fresh_bodies))));
        assert_eq!(frame.widen(64), kept);
        assert_eq!(frame.len(), if kept { 64 } else { 0 });
        let mut frame = Frame::empty();
        assert_eq!(frame.widen(1000), kept);
        assert_eq!(frame.len(), if kept { 1000 } else { 0 });
    }

    #[test]
    fn what_is_shared_is_copied_no_more() {
        for length in 0..1100 {
            let mut frame = Frame::from(&[7; 1100][..length]);
            frame.share();
            let copy = frame.clone();
            assert_eq!(copy, &[7; 1100][..length]);
            let same = copy.as_slice().as_ptr() == frame.as_slice().as_ptr();
            assert_eq!(same, frame.as_shared().is_some(), "length {length}");
            assert!(same || length <= 64, "length {length}");
        }
    }

    #[test]
    fn what_is_outside_of_the_value_can_be_exchanged_there() {
        let mut frame = Frame::shared(Bytes::new());
        *frame.as_shared_mut().unwrap() = Bytes::from_static(b"a");
        assert_eq!(frame, *b"a");
        assert_eq!(Frame::from("a").as_shared_mut(), None);
    }

    #[test]
    fn debug_is_short_and_escaped() {
        assert_eq!(alloc::format!("{:?}", Frame::from("a\n\"")), r#""a\n\"""#);
        assert_eq!(
            alloc::format!("{:?}", Frame::from([b'x'; 30])),
            r#""xxxxxxxxxxxxxxxxxxxxxxxx"+6"#
        );
    }
}
