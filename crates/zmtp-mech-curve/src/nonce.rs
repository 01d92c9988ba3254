//! The 24 octets no two boxes of a key may share (RFC 26).
//!
//! ```text
//! short nonce = prefix(16) counter(u64)     one counter for each direction of a connection
//! long nonce  = prefix(8) random(16)
//! ```

use zmtp_wire::{Error, Misbehaved};

/// A whole nonce.
pub(crate) type Nonce = [u8; 24];
/// The random part of a long nonce.
pub(crate) type Random = [u8; 16];

pub(crate) const HELLO: &[u8; 16] = b"CurveZMQHELLO---";
pub(crate) const INITIATE: &[u8; 16] = b"CurveZMQINITIATE";
pub(crate) const READY: &[u8; 16] = b"CurveZMQREADY---";
pub(crate) const MESSAGE_OF_CLIENT: &[u8; 16] = b"CurveZMQMESSAGEC";
pub(crate) const MESSAGE_OF_SERVER: &[u8; 16] = b"CurveZMQMESSAGES";
pub(crate) const WELCOME: &[u8; 8] = b"WELCOME-";
pub(crate) const COOKIE: &[u8; 8] = b"COOKIE--";
pub(crate) const VOUCH: &[u8; 8] = b"VOUCH---";

pub(crate) fn short(prefix: &[u8; 16], counter: u64) -> Nonce {
    let mut nonce = [0; 24];
    if let Some((head, tail)) = nonce.split_first_chunk_mut::<16>() {
        *head = *prefix;
        tail.copy_from_slice(&counter.to_be_bytes());
    }
    nonce
}

pub(crate) fn long(prefix: &[u8; 8], random: &Random) -> Nonce {
    let mut nonce = [0; 24];
    if let Some((head, tail)) = nonce.split_first_chunk_mut::<8>() {
        *head = *prefix;
        tail.copy_from_slice(random);
    }
    nonce
}

/// The counter of what we send. Not to be cloned: a copy would use the same numbers again.
#[derive(Debug)]
pub(crate) struct Sent(Option<u64>);

impl Sent {
    /// Nothing was sent yet; the first number is 1.
    pub(crate) const fn nothing() -> Self {
        Self(Some(0))
    }

    /// The next number, used by taking it.
    ///
    /// # Errors
    /// When there is none left. It stays so.
    pub(crate) fn next(&mut self) -> Result<u64, Error> {
        self.0 = self.0.and_then(|last| last.checked_add(1));
        self.0.ok_or(Error::NoncesUsedUp)
    }
}

/// The last number of the peer. The first may be any; each later one must be larger, and gaps are no fault.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Received(u64);

impl Received {
    pub(crate) const fn first(counter: u64) -> Self {
        Self(counter)
    }

    /// What to remember when the box with this number has opened.
    ///
    /// # Errors
    /// When the number does not come after the last one.
    pub(crate) fn advance(self, counter: u64) -> Result<Self, Misbehaved> {
        if counter > self.0 {
            Ok(Self(counter))
        } else {
            Err(Misbehaved::Sequence)
        }
    }
}

#[cfg(test)]
impl Sent {
    pub(crate) const fn after(last: u64) -> Self {
        Self(Some(last))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_end_for_good_after_the_last_one() {
        let mut sent = Sent::nothing();
        assert_eq!((sent.next(), sent.next()), (Ok(1), Ok(2)));
        let mut sent = Sent::after(u64::MAX - 1);
        assert_eq!(sent.next(), Ok(u64::MAX));
        assert_eq!(sent.next(), Err(Error::NoncesUsedUp));
        assert_eq!(sent.next(), Err(Error::NoncesUsedUp));
    }

    // spec: 26/nonce-rises, 26/nonce-gaps
    #[test]
    fn only_larger_numbers_are_accepted() {
        let received = Received::first(7);
        for (counter, fine) in [
            (0, false),
            (6, false),
            (7, false),
            (8, true),
            (u64::MAX, true),
        ] {
            assert_eq!(received.advance(counter).is_ok(), fine, "{counter}");
        }
    }

    #[test]
    fn prefixes_tell_all_boxes_apart() {
        let shorts = [HELLO, INITIATE, READY, MESSAGE_OF_CLIENT, MESSAGE_OF_SERVER];
        let longs = [WELCOME, COOKIE, VOUCH];
        let mut nonces: std::vec::Vec<Nonce> = shorts.map(|prefix| short(prefix, 1)).to_vec();
        nonces.extend(longs.map(|prefix| long(prefix, &[1; 16])));
        nonces.sort_unstable();
        nonces.dedup();
        assert_eq!(nonces.len(), 8);
        assert_eq!(&short(HELLO, 0x0102)[22..], [1, 2]);
    }
}
