//! Keys of CURVE, as options bring them: 32 octets, or 40 letters of Z85 with or without a zero behind them.

use zeroize::Zeroizing;

use crate::z85;

pub(super) const OCTETS: usize = 32;
pub(super) const LETTERS: usize = 40;

/// A key, wiped when it goes: the table of keys does not tell public ones from secret ones.
pub(super) type Key = Zeroizing<[u8; OCTETS]>;

pub(super) fn parse(value: &[u8]) -> Option<Key> {
    if let Ok(key) = value.try_into() {
        return Some(Zeroizing::new(key));
    }
    let letters = match value.len() {
        LETTERS => value,
        // The last one should be the zero at the end of a C string.
        41 => value.get(..LETTERS)?,
        _ => return None,
    };
    let octets = Zeroizing::new(z85::decode(letters)?);
    Some(Zeroizing::new(octets.as_slice().try_into().ok()?))
}
