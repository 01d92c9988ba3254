//! Keys of CURVE, as options bring them: 32 octets, or 40 letters of Z85 with or without a zero behind them.

use crate::z85;

pub(super) const OCTETS: usize = 32;
pub(super) const LETTERS: usize = 40;

pub(super) fn parse(value: &[u8]) -> Option<[u8; OCTETS]> {
    if let Ok(key) = value.try_into() {
        return Some(key);
    }
    let letters = match value.len() {
        LETTERS => value,
        // The last one should be the zero at the end of a C string.
        41 => value.get(..LETTERS)?,
        _ => return None,
    };
    z85::decode(letters)?.try_into().ok()
}
