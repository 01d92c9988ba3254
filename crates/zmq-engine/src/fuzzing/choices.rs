//! What the fuzzer's octets are read as, and messages that can be told from all others.

use zmtp_wire::{Frame, Message};

/// Reads choices off the fuzzer's octets; zeros when they are used up.
pub(super) struct Choices<'a>(&'a [u8]);

impl<'a> Choices<'a> {
    pub(super) fn new(octets: &'a [u8]) -> Choices<'a> {
        Choices(octets)
    }

    pub(super) fn is_over(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn octet(&mut self) -> u8 {
        match self.0 {
            [first, rest @ ..] => {
                self.0 = rest;
                *first
            }
            [] => 0,
        }
    }

    pub(super) fn octets(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at_checked(count).unwrap_or((self.0, &[]));
        self.0 = rest;
        taken
    }

    /// One of these.
    pub(super) fn of<T: Copy>(&mut self, among: &[T]) -> T {
        among[usize::from(self.octet()) % among.len()]
    }
}

/// What the first frame of a peer's message begins with. No garbage has this octet, and no message has it but there.
pub(super) const PEERS: u8 = 0xA5;

/// What the first frame of the application's message begins with.
pub(super) const OURS: u8 = 0x5B;

/// What first frames have at least, to be told from numbers and addresses.
const HEAD: usize = 8;

/// Sizes of first frames: on both sides of what is kept within a frame, has a short header, is packed, is read into its own place,
/// and is read at once. None has [`PEERS`] in its header.
pub(super) const SIZES: [usize; 12] = [
    HEAD, 9, 39, 40, 255, 256, 1_000, 8_192, 8_193, 33_000, 131_100, 300_000,
];

/// Sizes of further frames.
const MORE: [usize; 4] = [0, 1, 39, 260];

/// The message with this number: all of it follows from what its first eight octets say.
pub(super) fn compose(tag: u8, owner: u8, number: u32, shape: u8) -> Message {
    let size = SIZES[usize::from(shape & 15) % SIZES.len()];
    let more = usize::from(shape >> 4 & 3);
    let digit = |place: u32| u8::try_from(number >> (7 * place) & 127).unwrap_or(0);
    let mut first = vec![
        tag,
        owner,
        digit(3),
        digit(2),
        digit(1),
        digit(0),
        shape & 63,
    ];
    first.resize(size, 0x11);
    let mut message = Message::from(Frame::from(first));
    for place in 0..more {
        let size = MORE[(number as usize + place) % MORE.len()];
        message.push_back(Frame::from(vec![0x22; size]));
    }
    message
}

/// A message that somebody composed, as it arrived.
pub(super) struct Met {
    pub(super) owner: u8,
    pub(super) number: u32,
    /// All is as it was composed.
    pub(super) whole: bool,
    /// Frames before it: envelopes and addresses.
    pub(super) before: usize,
}

/// Finds the message that somebody composed with this tag.
pub(super) fn recognise(tag: u8, frames: &[&[u8]]) -> Option<Met> {
    let before = frames
        .iter()
        .position(|frame| frame.len() >= HEAD && frame.first() == Some(&tag))?;
    let first = frames[before];
    let [_, owner, d3, d2, d1, d0, shape, ..] = *first else {
        return None;
    };
    let number = [d3, d2, d1, d0]
        .iter()
        .fold(0, |number, digit| number << 7 | u32::from(*digit));
    let composed = compose(tag, owner, number, shape);
    let expected = composed.frames().iter().map(Frame::as_slice);
    let whole = expected.eq(frames[before..].iter().copied());
    Some(Met {
        owner,
        number,
        whole,
        before,
    })
}

/// The frames of a message.
pub(super) fn bodies(message: &Message) -> Vec<&[u8]> {
    message.frames().iter().map(Frame::as_slice).collect()
}
