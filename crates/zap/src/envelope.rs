//! What stands before a request when the handler's socket is no REP.

use alloc::vec::Vec;
use zmtp_wire::{Frame, Message};

/// Routing ids and the empty delimiter in front of a request, to be put in front of its reply unchanged.
///
/// A DEALER that asks puts only the delimiter there; a ROUTER that answers sees the asker's routing id before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope(Vec<Frame>);

impl Envelope {
    /// Of a DEALER that asks: only the delimiter.
    #[must_use]
    pub fn delimiter() -> Self {
        Self([Frame::empty()].into())
    }

    /// Takes a message apart at its first empty frame; `None` when there is none.
    #[must_use]
    pub fn split(message: &Message) -> Option<(Self, &[Frame])> {
        let frames = message.frames();
        let delimiter = frames.iter().position(|frame| frame.is_empty())?;
        let (envelope, content) = frames.split_at_checked(delimiter.saturating_add(1))?;
        Some((Self(envelope.to_vec()), content))
    }

    /// The content with this in front.
    #[must_use]
    pub fn wrap(self, content: Message) -> Message {
        self.0.into_iter().chain(content).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_envelope_goes_around_the_reply_as_it_came_around_the_request() {
        let content = ["1.0", "7"].map(Frame::from);
        for routing in [&[][..], &["a"], &["a", "b"]] {
            let mut frames: Vec<Frame> = routing.iter().copied().map(Frame::from).collect();
            frames.push(Frame::empty());
            frames.extend(content.clone());
            let message = Message::from(frames);
            let (envelope, met) = Envelope::split(&message).unwrap();
            assert_eq!(met, content);
            assert_eq!(envelope.wrap(content.clone().into()), message);
        }
        assert_eq!(Envelope::split(&content.into()), None);
    }

    #[test]
    fn a_dealer_puts_the_delimiter_there() {
        let asked = Envelope::delimiter().wrap("1.0".into());
        assert_eq!(asked.frames(), ["", "1.0"]);
    }
}
