//! Blocks that bodies of middling size share.
//!
//! An allocation for each of them costs more than all the rest of cutting a frame, above all when another thread frees it. So
//! bodies of one input that are too large to be kept inside a frame, and small enough to be copied, go side by side into a block where their
//! thread has no memory of its own for them (`line.rs`, `stretch.rs`), which is freed with the last of them. A block is small, so that a message somebody keeps for long holds little beside
//! itself, and as large as the input can fill, so that a single message holds nothing.

use bytes::BytesMut;

use crate::Frame;
use crate::frame::INLINE;

/// The largest body that shares a block.
const LARGEST: usize = 512;

/// The size of a full block.
const BLOCK: usize = 4096;

#[derive(Debug, Default)]
pub(super) struct Shelf(BytesMut);

impl Shelf {
    /// A frame with a copy of the first `size` octets, of which `ahead` octets of input may still follow.
    #[inline]
    pub(super) fn frame(&mut self, octets: &[u8], size: usize, ahead: usize) -> Frame {
        let mut frame = Frame::empty();
        self.fill(&mut frame, octets, size, ahead);
        frame
    }

    /// As [`frame`](Self::frame), in the place of an empty frame.
    #[inline]
    pub(super) fn fill(&mut self, frame: &mut Frame, octets: &[u8], size: usize, ahead: usize) {
        if size > INLINE && frame.fill_line(octets, size) {
            return;
        }
        let body = octets.get(..size).unwrap_or_default();
        if size <= INLINE || !frame.fill_stretch(body) {
            *frame = self.part(body, ahead);
        }
    }

    /// A part of a block, for a body of middling size.
    fn part(&mut self, body: &[u8], ahead: usize) -> Frame {
        if body.len() <= INLINE || body.len() > LARGEST {
            return Frame::copy_from(body);
        }
        if self.0.capacity() < body.len() {
            let wanted = body.len().saturating_add(ahead);
            self.0 = BytesMut::with_capacity(wanted.min(BLOCK));
        }
        self.0.extend_from_slice(body);
        Frame::shared(self.0.split().freeze())
    }

    /// The input is used up: what is left of the block is given back.
    pub(super) fn clear(&mut self) {
        if self.0.capacity() > 0 {
            self.0 = BytesMut::new();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_share_a_block_and_a_single_one_holds_nothing_else() {
        let mut shelf = Shelf::default();
        let body = [7; 100];
        let single = shelf.frame(&body, 100, 0);
        assert_eq!(single.as_slice(), body);
        for size in 0..100 {
            assert_eq!(shelf.frame(&body, size, 0).as_slice(), &body[..size]);
            let elsewhere = shelf.part(&body[..size], 0);
            assert_eq!(elsewhere.as_slice(), &body[..size]);
        }
        assert_eq!(shelf.0.capacity(), 0);
        let frames: [Frame; 3] = core::array::from_fn(|_| shelf.part(&body, 200));
        assert!(shelf.0.capacity() <= BLOCK);
        for frame in &frames {
            assert_eq!(frame.as_slice(), body);
        }
        shelf.clear();
        assert_eq!(shelf.0.capacity(), 0);
        assert_eq!(frames[2].as_slice(), body);
    }
}
