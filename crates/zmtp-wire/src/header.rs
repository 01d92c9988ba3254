//! Frame headers of every dialect, and the flags in them.
//!
//! ```text
//! ZMTP 1.0    length(1..254) flags body            length counts the flags octet
//!             ff length(u64) flags body
//! ZMTP 2.0+   flags size(1) body                   size counts the body only
//!             flags|LONG size(u64) body
//! flags       bit 0 MORE, bit 1 LONG, bit 2 COMMAND (3.x), the others sent as 0 and not looked at
//! ```

use crate::{Misbehaved, Sink};
use nom::error::Error as Unmatched;
use nom::number::streaming::{be_u8, be_u64};
use nom::{IResult, Parser};

/// More frames of the same message follow.
pub const MORE: u8 = 0x01;
/// The size takes eight octets.
pub const LONG: u8 = 0x02;
/// The frame is a command.
pub const COMMAND: u8 = 0x04;

/// The longest header of any dialect.
pub const MAX_HEADER: usize = 10;

/// The largest size a header may name: 2^63 - 1 (RFC 37).
const MAX_SIZE: u64 = (1 << 63) - 1;

/// How frames are delimited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// ZMTP 1.0: the length comes first and counts the flags.
    V1,
    /// ZMTP 2.0: flags first; there are no commands.
    V2,
    /// ZMTP 3.x: as 2.0, with commands.
    V3,
}

/// What a frame header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameHeader {
    /// MORE and COMMAND; the other bits are cleared.
    pub flags: u8,
    /// Octets of the body.
    pub size: u64,
}

impl FrameHeader {
    /// Whether more frames of the message follow.
    #[must_use]
    pub const fn more(self) -> bool {
        self.flags & MORE != 0
    }

    /// Whether the frame is a command.
    #[must_use]
    pub const fn command(self) -> bool {
        self.flags & COMMAND != 0
    }

    /// Parses a header from the start of `input`: the header and its length, or `None` when octets are missing.
    ///
    /// # Errors
    /// [`Misbehaved::FrameLength`] for lengths no frame can have.
    pub fn parse(framing: Framing, input: &[u8]) -> Result<Option<(Self, usize)>, Misbehaved> {
        let parsed = match framing {
            Framing::V1 => header_v1(input),
            Framing::V2 | Framing::V3 => header_v2(input),
        };
        let Ok((rest, (flags, length))) = parsed else {
            return Ok(None);
        };
        let (keep, size) = match framing {
            Framing::V1 => (
                MORE,
                length
                    .checked_sub(1)
                    .ok_or(Misbehaved::FrameLength(length))?,
            ),
            Framing::V2 => (MORE, length),
            Framing::V3 => (MORE | COMMAND, length),
        };
        if length > MAX_SIZE {
            return Err(Misbehaved::FrameLength(length));
        }
        Ok(Some((
            Self {
                flags: flags & keep,
                size,
            },
            input.len().saturating_sub(rest.len()),
        )))
    }

    /// Emits the shortest header for this frame.
    pub fn emit(self, framing: Framing, out: &mut impl Sink) {
        match framing {
            Framing::V1 => match u8::try_from(self.size.saturating_add(1)) {
                Ok(short) if short < 0xff => out.put(&[short, self.flags & MORE]),
                _ => {
                    out.put(&[0xff]);
                    out.put(&self.size.saturating_add(1).to_be_bytes());
                    out.put(&[self.flags & MORE]);
                }
            },
            Framing::V2 | Framing::V3 => match u8::try_from(self.size) {
                Ok(short) => out.put(&[self.flags, short]),
                Err(_) => {
                    out.put(&[self.flags | LONG]);
                    out.put(&self.size.to_be_bytes());
                }
            },
        }
    }
}

/// Reads headers from a stream that may be cut anywhere.
#[derive(Debug, Clone, Default)]
pub struct HeaderReader {
    octets: [u8; MAX_HEADER],
    length: usize,
}

impl HeaderReader {
    /// Whether no header is under way.
    #[must_use]
    pub const fn is_idle(&self) -> bool {
        self.length == 0
    }

    /// Takes octets from the front of `input` until a header is whole.
    ///
    /// # Errors
    /// As [`FrameHeader::parse`].
    pub fn read(
        &mut self,
        framing: Framing,
        input: &mut &[u8],
    ) -> Result<Option<FrameHeader>, Misbehaved> {
        if self.is_idle()
            && let Some((header, length)) = FrameHeader::parse(framing, input)?
        {
            *input = input.get(length..).unwrap_or_default();
            return Ok(Some(header));
        }
        while let Some((octet, rest)) = input.split_first() {
            *input = rest;
            if let Some(slot) = self.octets.get_mut(self.length) {
                *slot = *octet;
            }
            self.length = self.length.saturating_add(1);
            let kept = self.octets.get(..self.length).unwrap_or_default();
            if let Some((header, _)) = FrameHeader::parse(framing, kept)? {
                self.length = 0;
                return Ok(Some(header));
            }
        }
        Ok(None)
    }
}

/// Flags and length as they stand in a 1.0 header. A length of zero ends the header: no flags octet belongs to it.
fn header_v1(input: &[u8]) -> IResult<&[u8], (u8, u64), Unmatched<&[u8]>> {
    let (rest, length) = match be_u8.parse(input)? {
        (rest, 0xff) => be_u64.parse(rest)?,
        (rest, short) => (rest, u64::from(short)),
    };
    if length == 0 {
        return Ok((rest, (0, 0)));
    }
    let (rest, flags) = be_u8.parse(rest)?;
    Ok((rest, (flags, length)))
}

/// Flags and size as they stand in a header of 2.0 and later.
fn header_v2(input: &[u8]) -> IResult<&[u8], (u8, u64), Unmatched<&[u8]>> {
    let (rest, flags) = be_u8.parse(input)?;
    let (rest, size) = if flags & LONG == 0 {
        be_u8.map(u64::from).parse(rest)?
    } else {
        be_u64.parse(rest)?
    };
    Ok((rest, (flags, size)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec;
    use std::vec::Vec;

    // spec: 13/frame-length, 15/frame-size, 23/frame-size, 37/frame-size
    #[test]
    fn the_long_form_starts_where_each_dialect_says() {
        let cases: &[(Framing, u64, &[u8])] = &[
            (Framing::V1, 0, &[1, 0]),
            (Framing::V1, 253, &[0xfe, 0]),
            (Framing::V1, 254, &[0xff, 0, 0, 0, 0, 0, 0, 0, 0xff, 0]),
            (Framing::V2, 255, &[0, 0xff]),
            (Framing::V2, 256, &[2, 0, 0, 0, 0, 0, 0, 1, 0]),
            (Framing::V3, 0, &[0, 0]),
        ];
        for (framing, size, wire) in cases {
            let header = FrameHeader {
                flags: 0,
                size: *size,
            };
            let mut out = Vec::new();
            header.emit(*framing, &mut out);
            assert_eq!(&out, wire);
            assert_eq!(
                FrameHeader::parse(*framing, &out),
                Ok(Some((header, wire.len())))
            );
            for cut in 0..wire.len() {
                assert_eq!(
                    FrameHeader::parse(*framing, wire.get(..cut).unwrap()),
                    Ok(None)
                );
            }
        }
    }

    #[test]
    fn a_long_header_with_a_small_size_is_accepted() {
        let wire = [2, 0, 0, 0, 0, 0, 0, 0, 3];
        assert_eq!(
            FrameHeader::parse(Framing::V3, &wire),
            Ok(Some((FrameHeader { flags: 0, size: 3 }, 9)))
        );
        let wire = [0xff, 0, 0, 0, 0, 0, 0, 0, 3, 1];
        assert_eq!(
            FrameHeader::parse(Framing::V1, &wire),
            Ok(Some((FrameHeader { flags: 1, size: 2 }, 10)))
        );
    }

    #[test]
    fn impossible_lengths_are_refused() {
        assert_eq!(
            FrameHeader::parse(Framing::V1, &[0]),
            Err(Misbehaved::FrameLength(0))
        );
        assert_eq!(
            FrameHeader::parse(Framing::V1, &[0xff, 0, 0, 0, 0, 0, 0, 0, 0]),
            Err(Misbehaved::FrameLength(0))
        );
        let mut wire = vec![0xff; 10];
        assert_eq!(
            FrameHeader::parse(Framing::V1, &wire),
            Err(Misbehaved::FrameLength(u64::MAX))
        );
        assert_eq!(
            FrameHeader::parse(Framing::V3, &wire),
            Err(Misbehaved::FrameLength(u64::MAX))
        );
        wire = vec![2, 0x80, 0, 0, 0, 0, 0, 0, 0];
        assert_eq!(
            FrameHeader::parse(Framing::V2, &wire),
            Err(Misbehaved::FrameLength(1 << 63))
        );
    }

    #[test]
    fn reserved_bits_are_not_looked_at() {
        assert_eq!(
            FrameHeader::parse(Framing::V3, &[0xf8, 2]),
            Ok(Some((FrameHeader { flags: 0, size: 2 }, 2)))
        );
        assert_eq!(
            FrameHeader::parse(Framing::V2, &[0xfd, 2]),
            Ok(Some((FrameHeader { flags: 1, size: 2 }, 2)))
        );
    }
}
