//! What travels through a pipe.

use bytes::Bytes;
use smallvec::SmallVec;
use zmtp_wire::{Message, Pack};

/// What travels through a pipe towards a peer. Subscriptions keep their place among messages.
#[derive(Debug)]
pub(crate) enum Item {
    Message(Message),
    Subscribe(Bytes),
    Cancel(Bytes),
    /// Small messages of a burst, encoded as they came.
    Pack(Box<Pack>),
}

impl Item {
    pub(crate) fn octets(&self) -> usize {
        match self {
            Item::Message(message) => message.byte_len(),
            Item::Subscribe(topic) | Item::Cancel(topic) => topic.len(),
            Item::Pack(pack) => pack.body_octets(),
        }
    }

    pub(crate) fn is_message(&self) -> bool {
        matches!(self, Item::Message(_) | Item::Pack(_))
    }

    /// Itself, or the messages of a pack that have not left.
    pub(crate) fn unpack(self) -> SmallVec<[Item; 1]> {
        match self {
            Item::Pack(pack) => pack
                .into_messages()
                .into_iter()
                .map(Item::Message)
                .collect(),
            item => SmallVec::from_buf([item]),
        }
    }
}
