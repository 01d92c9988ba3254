//! Z85: octets as letters that survive source code and shells (RFC 32).
//!
//! Four octets, most significant first, become five letters in base 85.

use alloc::string::String;
use alloc::vec::Vec;

/// The 85 letters, by value.
const LETTERS: &[u8; 85] =
    b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";

/// Marks octets that are no letter of Z85.
const FOREIGN: u8 = 0xff;

/// The value of each octet as a letter.
const VALUES: [u8; 256] = values();

#[expect(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "evaluated by the compiler"
)]
const fn values() -> [u8; 256] {
    let mut values = [FOREIGN; 256];
    let mut value = 0;
    while value < LETTERS.len() {
        values[LETTERS[value] as usize] = value as u8;
        value += 1;
    }
    values
}

/// Why something is no Z85. Positions count from zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// Of this length: octets come in fours, letters in fives (a key has 40).
    Length(usize),
    /// What stands at this position is no letter of Z85.
    Letter(usize),
    /// The five letters from this position on stand for more than 2^32-1.
    Group(usize),
}

impl core::fmt::Display for Error {
    fn fmt(&self, out: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Length(length) => write!(out, "a length of {length} cannot be Z85"),
            Self::Letter(at) => write!(out, "the letter at {at} is not one of Z85"),
            Self::Group(at) => write!(out, "the five letters at {at} stand for too large a number"),
        }
    }
}

impl core::error::Error for Error {}

/// Encodes octets; their number must be a multiple of four.
///
/// # Errors
/// [`Error::Length`].
pub fn encode(octets: &[u8]) -> Result<String, Error> {
    let (groups, rest) = octets.as_chunks::<4>();
    if !rest.is_empty() {
        return Err(Error::Length(octets.len()));
    }
    let mut text = String::with_capacity(groups.len().saturating_mul(5));
    for group in groups {
        let number = u32::from_be_bytes(*group);
        for power in POWERS {
            // A remainder of 85 is always one of the 85 letters.
            let letter = number.checked_div(power).unwrap_or(0) % 85;
            text.push(
                LETTERS
                    .get(letter as usize)
                    .map_or('0', |&letter| char::from(letter)),
            );
        }
    }
    Ok(text)
}

/// 85^4 down to 85^0.
const POWERS: [u32; 5] = [52_200_625, 614_125, 7_225, 85, 1];

/// Decodes letters; their number must be a multiple of five.
///
/// # Errors
/// [`Error`], saying where.
pub fn decode(text: &str) -> Result<Vec<u8>, Error> {
    let (groups, rest) = text.as_bytes().as_chunks::<5>();
    if !rest.is_empty() {
        return Err(Error::Length(text.len()));
    }
    // Room for all at once, so that no part of a secret is left behind by growing.
    let mut octets = Vec::with_capacity(groups.len().saturating_mul(4));
    for (position, group) in groups.iter().enumerate() {
        let at = position.saturating_mul(5);
        octets.extend_from_slice(&decode_group(group, at)?.to_be_bytes());
    }
    Ok(octets)
}

fn decode_group(group: &[u8; 5], at: usize) -> Result<u32, Error> {
    let mut number = 0_u64;
    for (offset, letter) in group.iter().enumerate() {
        let value = VALUES.get(usize::from(*letter)).copied().unwrap_or(FOREIGN);
        if value == FOREIGN {
            return Err(Error::Letter(at.saturating_add(offset)));
        }
        // Five letters stay below 85^5, far from the end of 64 bits.
        number = number.saturating_mul(85).saturating_add(u64::from(value));
    }
    u32::try_from(number).map_err(|_| Error::Group(at))
}

#[cfg(test)]
mod tests {
    use super::*;

    // spec: 32/encode
    #[test]
    fn the_sample_of_the_rfc_goes_both_ways() {
        let octets = [0x86, 0x4f, 0xd2, 0x6f, 0xb5, 0x59, 0xf7, 0x5b];
        assert_eq!(encode(&octets).unwrap(), "HelloWorld");
        assert_eq!(decode("HelloWorld").unwrap(), octets);
        assert_eq!(encode(&[]).unwrap(), "");
        assert_eq!(encode(&[0xff; 4]).unwrap(), "%nSc0");
    }

    // spec: 32/decode-rejects
    #[test]
    fn what_is_no_z85_is_refused_with_its_place() {
        for (text, error) in [
            ("Hello1", Error::Length(6)),
            ("Hell", Error::Length(4)),
            ("HelloWor d", Error::Letter(8)),
            ("Hello~orld", Error::Letter(5)),
            ("Hello%nSc1", Error::Group(5)),
            ("#####", Error::Group(0)),
            ("Hellö", Error::Length(6)),
            ("Helö", Error::Letter(3)),
        ] {
            assert_eq!(decode(text), Err(error), "{text}");
        }
        assert_eq!(encode(&[1, 2, 3]), Err(Error::Length(3)));
    }
}
