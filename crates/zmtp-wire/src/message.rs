//! A whole message: one frame or several, and where it came from.

use crate::{Frame, Properties};
use alloc::sync::Arc;
use alloc::vec::Vec;
use smallvec::SmallVec;

/// Frames that room is made for with the second one: an envelope and a body need one allocation.
const NEAR: usize = 4;

/// One or more frames that travel together. A message never has zero frames.
///
/// A single frame is kept inside the value; several share one allocation.
///
/// The list hides from the compiler which bit patterns a frame never has. It would use them to say "none" or "error" around a message, and
/// then take the message apart whenever it is moved out of an option or a result; reading it as a whole right afterwards has the processor
/// wait for the parts. On the way from the wire to the application that costs more than everything else.
pub struct Message {
    frames: SmallVec<[Frame; 1]>,
    properties: Option<Arc<Properties>>,
}

impl Message {
    /// A message of one frame.
    #[inline]
    #[must_use]
    pub const fn single(frame: Frame) -> Self {
        Self {
            frames: SmallVec::from_const([frame]),
            properties: None,
        }
    }

    /// A message of one frame without octets: what stands where a message was taken.
    #[inline]
    #[must_use]
    pub const fn empty() -> Self {
        Self::single(Frame::empty())
    }

    /// A message that will get more frames: room for some is made at once.
    pub(crate) fn opening(frame: Frame) -> Self {
        let mut frames = SmallVec::with_capacity(NEAR);
        frames.push(frame);
        Self {
            frames,
            properties: None,
        }
    }

    /// The frames, at least one.
    #[inline]
    #[must_use]
    pub fn frames(&self) -> &[Frame] {
        &self.frames
    }

    /// The frames, to change in place.
    #[must_use]
    pub fn frames_mut(&mut self) -> &mut [Frame] {
        &mut self.frames
    }

    /// Has clones of this message count references to long bodies instead of copying them: see [`Frame::share`]. Who sends a message to several
    /// sockets, or keeps it for those who come later, saves memory by it.
    #[inline]
    pub fn share(&mut self) {
        self.frames.iter_mut().for_each(Frame::share);
    }

    /// The only frame, to change in place; `None` when there are several.
    #[inline]
    pub(crate) fn only_mut(&mut self) -> Option<&mut Frame> {
        match &mut *self.frames {
            [frame] => Some(frame),
            _ => None,
        }
    }

    /// The first frame.
    #[must_use]
    pub fn first(&self) -> &[u8] {
        self.frames()
            .first()
            .map(Frame::as_slice)
            .unwrap_or_default()
    }

    /// Number of frames, at least 1.
    #[expect(clippy::len_without_is_empty, reason = "a message is never empty")]
    #[must_use]
    pub fn len(&self) -> usize {
        self.frames().len()
    }

    /// Octets in all frames together.
    #[must_use]
    #[inline]
    pub fn byte_len(&self) -> usize {
        self.frames
            .iter()
            .fold(0, |sum, frame| sum.saturating_add(frame.len()))
    }

    /// Puts a frame before all others.
    pub fn push_front(&mut self, frame: Frame) {
        self.many().insert(0, frame);
    }

    /// Puts a frame behind all others.
    pub fn push_back(&mut self, frame: Frame) {
        self.many().push(frame);
    }

    /// Takes the first frame off; `None`, and the message unchanged, when it is the only one.
    pub fn pop_front(&mut self) -> Option<Frame> {
        if self.frames.len() <= 1 {
            return None;
        }
        let first = self.frames.remove(0);
        if self.frames.len() == 1 {
            // The list may have been long.
            self.frames.shrink_to_fit();
        }
        Some(first)
    }

    /// The frames by value, at least one.
    #[must_use]
    pub fn into_frames(self) -> Vec<Frame> {
        self.frames.into_vec()
    }

    /// The only frame, or the whole message back when there are several.
    ///
    /// # Errors
    /// The message itself, when it has more than one frame.
    #[inline]
    pub fn into_single(mut self) -> Result<Frame, Self> {
        if self.frames.len() > 1 {
            return Err(self);
        }
        Ok(self.frames.pop().unwrap_or_default())
    }

    /// Whether all of it is inside the value, so that dropping it lets go of nothing: a single frame of up to 38 octets, without
    /// metadata.
    #[inline]
    #[must_use]
    pub fn is_inline(&self) -> bool {
        !self.frames.spilled()
            && self.properties.is_none()
            && self.frames.iter().all(Frame::is_inline)
    }

    /// The only frame and the metadata, to change in place, where the frame is kept inside the value.
    #[inline]
    #[must_use]
    pub fn sole_mut(&mut self) -> Option<(&mut Frame, &mut Option<Arc<Properties>>)> {
        if self.frames.spilled() {
            return None;
        }
        match &mut *self.frames {
            [frame] => Some((frame, &mut self.properties)),
            _ => None,
        }
    }

    /// Metadata of the connection the message came from, if it was kept.
    #[must_use]
    pub fn properties(&self) -> Option<&Arc<Properties>> {
        self.properties.as_ref()
    }

    /// Sets that metadata.
    #[inline]
    pub fn set_properties(&mut self, properties: Option<Arc<Properties>>) {
        self.properties = properties;
    }

    /// The list, with room for an envelope.
    fn many(&mut self) -> &mut SmallVec<[Frame; 1]> {
        if !self.frames.spilled() {
            self.frames.grow(NEAR);
        }
        &mut self.frames
    }
}

impl Clone for Message {
    fn clone(&self) -> Self {
        let frames = match &*self.frames {
            [frame] => SmallVec::from_const([frame.clone()]),
            frames => frames.iter().cloned().collect(),
        };
        Self {
            frames,
            properties: self.properties.clone(),
        }
    }
}

impl<T: Into<Frame>> From<T> for Message {
    fn from(frame: T) -> Self {
        Self::single(frame.into())
    }
}

impl From<Vec<Frame>> for Message {
    /// An empty list becomes one empty frame.
    fn from(frames: Vec<Frame>) -> Self {
        frames.into_iter().collect()
    }
}

impl<const N: usize> From<[Frame; N]> for Message {
    /// An empty array becomes one empty frame.
    fn from(frames: [Frame; N]) -> Self {
        frames.into_iter().collect()
    }
}

impl<T: Into<Frame>> FromIterator<T> for Message {
    /// No item at all becomes one empty frame.
    fn from_iter<I: IntoIterator<Item = T>>(iter: I) -> Self {
        let mut iter = iter.into_iter();
        let mut message = Self::single(iter.next().map_or_else(Frame::empty, Into::into));
        for frame in iter {
            message.push_back(frame.into());
        }
        message
    }
}

impl IntoIterator for Message {
    type Item = Frame;
    type IntoIter = alloc::vec::IntoIter<Frame>;
    fn into_iter(self) -> Self::IntoIter {
        self.into_frames().into_iter()
    }
}

impl PartialEq for Message {
    /// Compares frames; where the messages came from does not matter.
    fn eq(&self, other: &Self) -> bool {
        self.frames() == other.frames()
    }
}

impl Eq for Message {}

impl core::fmt::Debug for Message {
    fn fmt(&self, out: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        out.debug_list().entries(self.frames()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_takes_fifty_six_octets_and_nothing_is_hidden_in_them() {
        assert_eq!(size_of::<Message>(), 56);
        // Else it would be taken apart with every option it comes out of.
        assert_eq!(size_of::<Option<Message>>(), 64);
    }

    #[test]
    fn the_last_frame_cannot_be_taken_off() {
        let mut message = Message::from([Frame::from("a"), Frame::from("b"), Frame::from("c")]);
        assert_eq!(message.len(), 3);
        assert_eq!(message.pop_front().unwrap(), "a");
        assert_eq!(message.pop_front().unwrap(), "b");
        assert_eq!(message.pop_front(), None);
        assert_eq!(message, Message::from("c"));
        message.push_front(Frame::empty());
        assert_eq!(message.into_frames(), [Frame::empty(), Frame::from("c")]);
    }

    #[test]
    fn what_is_inline_holds_on_to_nothing_outside() {
        assert!(Message::from([1; 38]).is_inline());
        assert!(!Message::from([1; 39]).is_inline());
        assert!(!Message::from(Frame::shared(bytes::Bytes::new())).is_inline());
        assert!(!Message::from(["a", "b"].map(Frame::from)).is_inline());
        let mut told = Message::from("a");
        told.set_properties(Some(Arc::new(Properties::new())));
        assert!(!told.is_inline());
    }

    #[test]
    fn a_frame_that_is_all_of_a_message_can_be_changed_for_another() {
        let mut message = Message::from("a");
        *message.sole_mut().unwrap().0 = Frame::from("b");
        assert_eq!(message, Message::from("b"));
        assert!(
            Message::from(["a", "b"].map(Frame::from))
                .sole_mut()
                .is_none()
        );
    }

    #[test]
    fn no_frames_become_one_empty_frame() {
        assert_eq!(Message::from(Vec::<Frame>::new()), Message::from(""));
    }
}
