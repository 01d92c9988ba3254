//! Messages encoded as they are accepted, before anybody writes them.

use alloc::sync::Arc;
use alloc::vec::Vec;

use bytes::Bytes;
use smallvec::SmallVec;

use crate::header::{FrameHeader, Framing, HeaderReader, MORE};
use crate::{Frame, Message};

/// Largest body of the short header.
const SHORT: usize = 255;

/// How many messages of one length on the wire stand one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) length: usize,
    pub(crate) count: usize,
}

/// Messages in the encoding of ZMTP 3.x in the clear, one after the other: what [`Session::send_pack`](crate::Session::send_pack) sends
/// as it stands.
///
/// A message that will be copied anyway is copied once, when it is accepted, instead of being kept, looked at again and let go later.
/// What was not sent when a link ends can be had back as messages.
#[derive(Debug, Default)]
pub struct Pack {
    octets: Vec<u8>,
    /// The same, once nothing more is added.
    closed: Bytes,
    rows: SmallVec<[Row; 2]>,
    /// The same, once there are several of it.
    shared: Option<Arc<[Row]>>,
    /// Messages in it.
    count: usize,
    /// Octets of their bodies.
    bodies: usize,
    /// Messages that have wholly left.
    gone: usize,
}

impl Pack {
    /// An empty one with room for so many octets.
    #[must_use]
    pub fn with_capacity(octets: usize) -> Pack {
        Pack {
            octets: Vec::with_capacity(octets),
            ..Pack::default()
        }
    }

    /// Whether messages can be added: it was neither shared nor handed to a session.
    #[must_use]
    #[inline]
    pub fn is_open(&self) -> bool {
        self.closed.is_empty()
    }

    /// Adds a message. Ignored once the pack was handed to a session.
    #[inline]
    pub fn push(&mut self, message: &Message) {
        self.push_frames(message.frames());
    }

    /// Adds a message of these frames. Ignored once the pack was handed to a session.
    #[inline]
    pub fn push_frames(&mut self, frames: &[Frame]) {
        if !self.may_grow() {
            return;
        }
        let Some((last, others)) = frames.split_last() else {
            return;
        };
        let before = self.octets.len();
        let mut bodies = last.len();
        for frame in others {
            self.put(MORE, frame);
            bodies = bodies.saturating_add(frame.len());
        }
        self.put(0, last);
        self.count_one(before, bodies);
    }

    /// Adds a message of one frame with this body. Ignored once the pack was handed to a session.
    #[inline]
    pub fn push_body(&mut self, body: &[u8]) {
        if self.may_grow() {
            let before = self.octets.len();
            self.put(0, body);
            self.count_one(before, body.len());
        }
    }

    #[inline]
    fn may_grow(&self) -> bool {
        let open = self.is_open();
        debug_assert!(open, "nothing is added to what leaves");
        open
    }

    /// Counts a message that was put behind so many octets.
    #[inline]
    fn count_one(&mut self, before: usize, bodies: usize) {
        let length = self.octets.len().saturating_sub(before);
        self.bodies = self.bodies.saturating_add(bodies);
        self.count = self.count.saturating_add(1);
        match self.rows.last_mut() {
            Some(row) if row.length == length => row.count = row.count.saturating_add(1),
            _ => self.rows.push(Row { length, count: 1 }),
        }
    }

    #[inline]
    fn put(&mut self, flags: u8, body: &[u8]) {
        if body.len() <= SHORT {
            self.octets.extend_from_slice(&[flags, body.len() as u8]);
        } else {
            let header = FrameHeader {
                flags,
                size: body.len() as u64,
            };
            header.emit(Framing::V3, &mut self.octets);
        }
        self.octets.extend_from_slice(body);
    }

    /// Messages in it that have not left.
    #[must_use]
    #[inline]
    pub fn len(&self) -> usize {
        self.count.saturating_sub(self.gone)
    }

    /// Whether all of them have left, or there never was one.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Octets of the bodies, those that have left included.
    #[must_use]
    #[inline]
    pub fn body_octets(&self) -> usize {
        self.bodies
    }

    /// Octets on the wire.
    #[must_use]
    pub fn wire_octets(&self) -> usize {
        self.octets.len().max(self.closed.len())
    }

    /// Up to `messages` of them have left; returns how many of these were here.
    pub fn let_go(&mut self, messages: usize) -> usize {
        let gone = messages.min(self.len());
        self.gone = self.gone.saturating_add(gone);
        gone
    }

    /// Nothing more is added; gives the octets and what they are.
    pub(crate) fn close(&mut self) -> (Bytes, &[Row]) {
        if self.closed.is_empty() {
            self.closed = Bytes::from(core::mem::take(&mut self.octets));
        }
        let rows = self.shared.as_deref().unwrap_or(&self.rows);
        (self.closed.clone(), rows)
    }

    /// Another one of the same octets, for another session. Nothing is added to either any more.
    ///
    /// The octets stay in memory until the last of them is gone, and no more room than they need.
    #[must_use]
    pub fn share(&mut self) -> Pack {
        if self.closed.is_empty() && self.octets.len() < self.octets.capacity() / 2 {
            self.closed = Bytes::copy_from_slice(&self.octets);
            self.octets = Vec::new();
        }
        self.close();
        if self.shared.is_none() && self.rows.spilled() {
            self.shared = Some(Arc::from(&*core::mem::take(&mut self.rows)));
        }
        Pack {
            octets: Vec::new(),
            closed: self.closed.clone(),
            rows: self.rows.clone(),
            shared: self.shared.clone(),
            ..*self
        }
    }

    /// The messages that have not left.
    #[must_use]
    pub fn into_messages(mut self) -> Vec<Message> {
        self.close();
        let mut input: &[u8] = &self.closed;
        let mut messages = Vec::with_capacity(self.count);
        let mut frames: Vec<Frame> = Vec::new();
        let mut header = HeaderReader::default();
        // Our own encoding: it ends where it ends, and nothing in it is amiss.
        while let Ok(Some(FrameHeader { flags, size })) = header.read(Framing::V3, &mut input) {
            let Some((body, rest)) = usize::try_from(size)
                .ok()
                .and_then(|size| input.split_at_checked(size))
            else {
                break;
            };
            input = rest;
            frames.push(Frame::copy_from(body));
            if flags & MORE == 0 {
                messages.push(Message::from(core::mem::take(&mut frames)));
            }
        }
        messages.drain(..self.gone.min(messages.len()));
        messages
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn message() -> impl Strategy<Value = Message> {
        prop::collection::vec(prop::collection::vec(any::<u8>(), 0..600), 1..4)
            .prop_map(|frames| frames.into_iter().map(Frame::from).collect())
    }

    proptest! {
        #[test]
        fn what_was_packed_and_has_not_left_comes_back_in_order(
            messages in prop::collection::vec(message(), 0..20),
            gone in 0_usize..25,
        ) {
            let mut pack = Pack::default();
            for message in &messages {
                match message.frames() {
                    // Either way is as good.
                    [frame] if frame.len() % 2 == 0 => pack.push_body(frame),
                    _ => pack.push(message),
                }
            }
            prop_assert_eq!(pack.len(), messages.len());
            prop_assert_eq!(pack.body_octets(), messages.iter().map(Message::byte_len).sum::<usize>());
            let left = pack.let_go(gone);
            prop_assert_eq!(left, gone.min(messages.len()));
            prop_assert_eq!(pack.into_messages(), &messages[left..]);
        }

        #[test]
        fn what_is_shared_leaves_each_for_itself_and_takes_no_room_that_it_does_not_need(
            messages in prop::collection::vec(message(), 1..20),
            gone in 0_usize..25,
            room in 0_usize..100_000,
        ) {
            let mut pack = Pack::with_capacity(room);
            for message in &messages {
                pack.push(message);
            }
            let octets = pack.octets.clone();
            let mut one = pack.share();
            let mut other = one.share();
            let left = one.let_go(gone);
            prop_assert_eq!(other.len(), messages.len());
            prop_assert_eq!(other.body_octets(), pack.body_octets());
            for pack in [&mut pack, &mut one, &mut other] {
                prop_assert!(pack.octets.capacity() == 0 && pack.wire_octets() == octets.len());
                let (closed, rows) = pack.close();
                prop_assert_eq!(&closed, &octets);
                prop_assert_eq!(rows.iter().map(|row| row.length * row.count).sum::<usize>(), octets.len());
            }
            prop_assert_eq!(one.into_messages(), &messages[left..]);
            prop_assert_eq!(other.into_messages(), &messages[..]);
            prop_assert_eq!(pack.into_messages(), messages);
        }
    }
}
