//! What travels through a pipe.

use std::sync::Arc;

use bytes::Bytes;
use smallvec::SmallVec;
use zmtp_wire::{Frame, Message, Pack, Properties};

use crate::pace::FRAME_HEAD;

/// Longest body behind a short head.
const SHORT: usize = 255;

/// What travels through a pipe towards a peer. Subscriptions keep their place among messages.
#[derive(Debug)]
pub(crate) enum Item {
    Message(Message),
    Subscribe(Bytes),
    Cancel(Bytes),
    /// Small messages of a burst, encoded as they came.
    Pack(Box<Pack>),
    /// Messages to several inproc peers, the same for all of them.
    Shared(Arc<[Message]>),
}

impl Item {
    pub(crate) fn octets(&self) -> usize {
        match self {
            Item::Message(message) => message.byte_len(),
            Item::Subscribe(topic) | Item::Cancel(topic) => topic.len(),
            Item::Pack(pack) => pack.body_octets(),
            Item::Shared(messages) => messages.iter().map(Message::byte_len).sum(),
        }
    }

    /// Octets of the heads that its frames have on the wire.
    pub(crate) fn heads(&self) -> usize {
        let head = |frame: &Frame| if frame.len() > SHORT { FRAME_HEAD } else { 2 };
        match self {
            Item::Message(message) => message.frames().iter().map(head).sum(),
            Item::Pack(pack) => pack.wire_octets().saturating_sub(pack.body_octets()),
            _ => FRAME_HEAD,
        }
    }

    /// Messages in it beyond one.
    pub(crate) fn others(&self) -> usize {
        match self {
            Item::Pack(pack) => pack.len().saturating_sub(1),
            Item::Shared(messages) => messages.len().saturating_sub(1),
            _ => 0,
        }
    }

    pub(crate) fn is_message(&self) -> bool {
        matches!(self, Item::Message(_) | Item::Pack(_) | Item::Shared(_))
    }

    /// Itself, or the messages in it that have not left.
    pub(crate) fn unpack(self) -> SmallVec<[Item; 1]> {
        match self {
            Item::Pack(pack) => pack
                .into_messages()
                .into_iter()
                .map(Item::Message)
                .collect(),
            Item::Shared(messages) => messages.iter().cloned().map(Item::Message).collect(),
            item => SmallVec::from_buf([item]),
        }
    }
}

/// What an application sends from, and receives into, where it stands: a message, or the frame that is all of one.
///
/// A value that was just written and is read at once, but in pieces of another size, has to wait until the pieces have left the
/// processor's store buffer. So a frame is not made a message on the way, nor the other way round.
pub(crate) trait Slot {
    fn frames(&self) -> &[Frame];
    /// The message, taken away; nothing of meaning is left.
    fn take(&mut self) -> Message;
    /// Whether nothing has to be let go of when it is overwritten.
    fn is_inline(&self) -> bool;
    /// Changes places with a message, if that fits here.
    fn change_for(&mut self, message: &mut Message) -> bool;
    /// Takes the place of a message, if that fits here, where nothing has to be let go of ([`is_inline`](Slot::is_inline)). Nothing that has to be is left in
    /// `message` either.
    fn accept(&mut self, message: &mut Message) -> bool;
}

impl Slot for Message {
    #[inline]
    fn frames(&self) -> &[Frame] {
        Message::frames(self)
    }

    #[inline]
    fn take(&mut self) -> Message {
        std::mem::replace(self, Message::empty())
    }

    #[inline]
    fn is_inline(&self) -> bool {
        Message::is_inline(self)
    }

    #[inline]
    fn change_for(&mut self, message: &mut Message) -> bool {
        std::mem::swap(self, message);
        true
    }

    #[inline]
    fn accept(&mut self, message: &mut Message) -> bool {
        move_whole(message, self, Message::empty);
        true
    }
}

impl Slot for Frame {
    #[inline]
    fn frames(&self) -> &[Frame] {
        std::slice::from_ref(self)
    }

    #[inline]
    fn take(&mut self) -> Message {
        Message::single(std::mem::take(self))
    }

    #[inline]
    fn is_inline(&self) -> bool {
        Frame::is_inline(self)
    }

    #[inline]
    fn change_for(&mut self, message: &mut Message) -> bool {
        match message.sole_mut() {
            Some((frame, None)) => {
                std::mem::swap(self, frame);
                true
            }
            _ => false,
        }
    }

    #[inline]
    fn accept(&mut self, message: &mut Message) -> bool {
        match message.sole_mut() {
            Some((frame, None)) => {
                move_whole(frame, self, Frame::empty);
                true
            }
            _ => false,
        }
    }
}

/// A frame that is received, and where its metadata goes; both empty.
pub(crate) struct Place<'a> {
    pub(crate) frame: &'a mut Frame,
    pub(crate) properties: &'a mut Option<Arc<Properties>>,
}

impl Slot for Place<'_> {
    #[inline]
    fn frames(&self) -> &[Frame] {
        std::slice::from_ref(self.frame)
    }

    fn take(&mut self) -> Message {
        *self.properties = None;
        Message::single(std::mem::take(self.frame))
    }

    #[inline]
    fn is_inline(&self) -> bool {
        self.frame.is_inline() && self.properties.is_none()
    }

    #[inline]
    fn change_for(&mut self, message: &mut Message) -> bool {
        let Some((frame, properties)) = message.sole_mut() else {
            return false;
        };
        std::mem::swap(self.frame, frame);
        std::mem::swap(self.properties, properties);
        true
    }

    #[inline]
    fn accept(&mut self, message: &mut Message) -> bool {
        let Some((frame, properties)) = message.sole_mut() else {
            return false;
        };
        move_whole(frame, self.frame, Frame::empty);
        *self.properties = properties.take();
        true
    }
}

/// Moves a value to where one is that nobody has to let go of, which is not even read. An empty one is left. A call of its own, so that the value
/// is moved in as few pieces as there can be: an exchange reads what was just written, and both ways it goes word by word, while the receiver's next
/// move takes two words at a time, and so waits for both.
#[inline(never)]
fn move_whole<T>(from: &mut T, into: &mut T, empty: impl FnOnce() -> T) {
    let value = std::mem::replace(from, empty());
    std::mem::forget(std::mem::replace(into, value));
}

/// Octets in all frames together.
#[inline]
pub(crate) fn octets_of(frames: &[Frame]) -> usize {
    frames
        .iter()
        .fold(0, |sum, frame| sum.saturating_add(frame.len()))
}
