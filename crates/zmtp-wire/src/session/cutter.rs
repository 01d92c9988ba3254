//! Cuts frames out of a byte stream.

use crate::header::{FrameHeader, Framing, HeaderReader};
use crate::{Error, Frame, Misbehaved};
use alloc::vec::Vec;
use bytes::Bytes;

/// A body that still misses this much is read into its own buffer.
const OWN_READ: usize = 8 * 1024;

/// What the next frame may be.
#[derive(Clone, Copy)]
pub(super) struct Bounds {
    /// Largest body of a message frame.
    pub(super) frame: u64,
    /// The most a larger one is blamed on: the whole message, not the frame.
    pub(super) message: u64,
    /// Largest body of a command.
    pub(super) command: u64,
    /// How far a buffer may run ahead of what has arrived.
    pub(super) step: usize,
}

impl Bounds {
    pub(super) fn check(&self, header: FrameHeader) -> Result<(), Misbehaved> {
        if header.command() && header.size > self.command {
            return Err(Misbehaved::CommandTooLarge(header.size));
        }
        if !header.command() && header.size > self.frame {
            return Err(Misbehaved::FrameTooLarge(header.size));
        }
        if !header.command() && header.size > self.message {
            return Err(Misbehaved::MessageTooLarge(header.size));
        }
        Ok(())
    }
}

/// The body of one frame.
pub(super) enum Body<'a> {
    /// Still in the caller's buffer.
    Borrowed(&'a [u8]),
    Owned(Vec<u8>),
    /// Part of something larger.
    Shared(Bytes),
}

impl Body<'_> {
    pub(super) fn as_slice(&self) -> &[u8] {
        match self {
            Self::Borrowed(body) => body,
            Self::Owned(body) => body,
            Self::Shared(body) => body,
        }
    }

    pub(super) fn into_frame(self) -> Frame {
        match self {
            Self::Borrowed(body) => Frame::copy_from(body),
            Self::Owned(body) => Frame::from(body),
            Self::Shared(body) => Frame::from(body),
        }
    }
}

/// A frame under way: what has arrived of it.
#[derive(Default)]
pub(super) struct Cutter {
    header: HeaderReader,
    body: Option<Underway>,
}

struct Underway {
    flags: u8,
    size: usize,
    buffer: Vec<u8>,
}

impl Underway {
    fn missing(&self) -> usize {
        self.size.saturating_sub(self.buffer.len())
    }

    /// Makes room for `arrived` octets, running ahead of them by one step or by what has arrived before.
    fn grow(&mut self, arrived: usize, step: usize) -> Result<(), Error> {
        let spare = self.buffer.capacity().saturating_sub(self.buffer.len());
        if spare >= arrived && spare > 0 {
            return Ok(());
        }
        let ahead = arrived.max(step).max(self.buffer.len());
        self.buffer
            .try_reserve_exact(ahead.min(self.missing()))
            .map_err(|_| Error::OutOfMemory)
    }
}

impl Cutter {
    /// Whether no frame is under way.
    pub(super) fn is_idle(&self) -> bool {
        self.header.is_idle() && self.body.is_none()
    }

    /// Takes octets from the front of `input`; returns the flags and body of a frame once it is whole.
    pub(super) fn cut<'a>(
        &mut self,
        framing: Framing,
        bounds: &Bounds,
        input: &mut &'a [u8],
    ) -> Result<Option<(u8, Body<'a>)>, Error> {
        if self.body.is_none() {
            let Some(header) = self.header.read(framing, input)? else {
                return Ok(None);
            };
            bounds.check(header)?;
            let size = usize::try_from(header.size).map_err(|_| Error::OutOfMemory)?;
            if let Some((body, rest)) = input.split_at_checked(size) {
                *input = rest;
                return Ok(Some((header.flags, Body::Borrowed(body))));
            }
            self.body = Some(Underway {
                flags: header.flags,
                size,
                buffer: Vec::new(),
            });
        }
        if let Some(body) = &mut self.body {
            let arrived = body.missing().min(input.len());
            let (part, rest) = input.split_at_checked(arrived).unwrap_or_default();
            if arrived > 0 {
                body.grow(arrived, bounds.step)?;
            }
            body.buffer.extend_from_slice(part);
            *input = rest;
        }
        Ok(self
            .finish()
            .map(|(flags, body)| (flags, Body::Owned(body))))
    }

    /// The frame, if its body is whole.
    pub(super) fn finish(&mut self) -> Option<(u8, Vec<u8>)> {
        self.body
            .take_if(|body| body.missing() == 0)
            .map(|body| (body.flags, body.buffer))
    }

    /// Octets of the body under way when it will be whole.
    pub(super) fn size(&self) -> usize {
        self.body.as_ref().map_or(0, |body| body.size)
    }

    /// The buffer of a large frame, with room for a part of what it misses.
    pub(super) fn body_buffer(&mut self, step: usize) -> Option<&mut Vec<u8>> {
        let body = self
            .body
            .as_mut()
            .filter(|body| body.missing() >= OWN_READ)?;
        body.grow(0, step).ok()?;
        let spare = body.buffer.capacity().saturating_sub(body.buffer.len());
        // An allocator may give more than was asked for; the owner would then read into the next frame.
        (spare <= body.missing()).then_some(&mut body.buffer)
    }
}
