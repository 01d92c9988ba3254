//! A whole message: one frame or several, and where it came from.

use crate::{Frame, Properties};
use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use smallvec::SmallVec;

/// Frames a message holds before its list needs a second allocation.
const NEAR: usize = 4;

/// One or more frames that travel together. A message never has zero frames.
///
/// A single frame is kept inside the value; several share one allocation.
#[derive(Clone)]
pub struct Message {
    body: Body,
    properties: Option<Arc<Properties>>,
}

#[derive(Clone)]
enum Body {
    One(Frame),
    Many(Box<SmallVec<[Frame; NEAR]>>),
}

impl Message {
    /// A message of one frame.
    #[inline]
    #[must_use]
    pub const fn single(frame: Frame) -> Self {
        Self {
            body: Body::One(frame),
            properties: None,
        }
    }

    /// A message that will get more frames: the first one goes where the others will be.
    pub(crate) fn opening(frame: Frame) -> Self {
        let mut frames = Box::new(SmallVec::new());
        frames.push(frame);
        Self {
            body: Body::Many(frames),
            properties: None,
        }
    }

    /// The frames, at least one.
    #[inline]
    #[must_use]
    pub fn frames(&self) -> &[Frame] {
        match &self.body {
            Body::One(frame) => core::slice::from_ref(frame),
            Body::Many(frames) => frames,
        }
    }

    /// The frames, to change in place.
    #[must_use]
    pub fn frames_mut(&mut self) -> &mut [Frame] {
        match &mut self.body {
            Body::One(frame) => core::slice::from_mut(frame),
            Body::Many(frames) => frames,
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
    pub fn byte_len(&self) -> usize {
        self.frames()
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
        match &mut self.body {
            Body::Many(frames) if frames.len() > 1 => {
                let first = frames.remove(0);
                if frames.len() == 1
                    && let Some(last) = frames.pop()
                {
                    self.body = Body::One(last);
                }
                Some(first)
            }
            _ => None,
        }
    }

    /// The frames by value, at least one.
    #[must_use]
    pub fn into_frames(self) -> Vec<Frame> {
        match self.body {
            Body::One(frame) => alloc::vec![frame],
            Body::Many(frames) => frames.into_vec(),
        }
    }

    /// The only frame, or the whole message back when there are several.
    ///
    /// # Errors
    /// The message itself, when it has more than one frame.
    pub fn into_single(self) -> Result<Frame, Self> {
        match self.body {
            Body::One(frame) => Ok(frame),
            Body::Many(mut frames) if frames.len() == 1 => Ok(frames.pop().unwrap_or_default()),
            Body::Many(_) => Err(self),
        }
    }

    /// Whether all of it is inside the value, so that dropping it lets go of nothing: a single frame of up to 38 octets, without
    /// metadata.
    #[inline]
    #[must_use]
    pub fn is_inline(&self) -> bool {
        matches!(&self.body, Body::One(frame) if frame.as_shared().is_none())
            && self.properties.is_none()
    }

    /// Metadata of the connection the message came from, if it was kept.
    #[must_use]
    pub fn properties(&self) -> Option<&Arc<Properties>> {
        self.properties.as_ref()
    }

    /// Sets that metadata.
    pub fn set_properties(&mut self, properties: Option<Arc<Properties>>) {
        self.properties = properties;
    }

    fn many(&mut self) -> &mut SmallVec<[Frame; NEAR]> {
        if let Body::One(frame) = &mut self.body {
            let mut frames = Box::new(SmallVec::new());
            frames.push(core::mem::take(frame));
            self.body = Body::Many(frames);
        }
        match &mut self.body {
            Body::Many(frames) => frames,
            Body::One(_) => unreachable!("made many just above"),
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
    fn a_message_takes_forty_eight_octets() {
        assert_eq!(size_of::<Message>(), 48);
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
    fn no_frames_become_one_empty_frame() {
        assert_eq!(Message::from(Vec::<Frame>::new()), Message::from(""));
    }
}
