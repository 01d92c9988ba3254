//! Secret boxes of few octets, whose nonces share their first 16: those of one direction of a connection.
//!
//! XSalsa20 with Poly1305 as NaCl puts them together, from the parts other crates publish: HSalsa20 over key and prefix gives the key of
//! Salsa20, once for a direction (`crypto_secretbox`); Salsa20 with the nonce's last 8 octets gives the stream (`salsa20`); its first 32
//! octets key Poly1305 (`dryoc`) over the sealed content, the following ones hide the content. Nothing here computes a primitive, and
//! tests hold it against `crypto_secretbox` for every length.

use crate::seal::{TAG, Unopened};
use dryoc::classic::crypto_onetimeauth::crypto_onetimeauth;
use salsa20::SalsaCore;
use salsa20::cipher::consts::U10;
use salsa20::cipher::generic_array::GenericArray;
use salsa20::cipher::{KeyIvInit, StreamCipherCore};
use subtle::ConstantTimeEq;
use xsalsa20poly1305::{Kdf, XSalsa20Poly1305};
use zeroize::{Zeroizing, optimization_barrier};

/// Octets of a block of Salsa20.
const BLOCK: usize = 64;
/// Blocks of the longest box.
const BLOCKS: usize = 3;
/// Octets of the stream that key Poly1305.
const MAC_KEY: usize = 32;
/// The longest content.
pub(crate) const LONGEST: usize = BLOCKS * BLOCK - MAC_KEY;

/// The key of Salsa20 for all nonces that begin with the same 16 octets. Wiped when dropped.
pub struct Few(Zeroizing<[u8; 32]>);

impl core::fmt::Debug for Few {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Few")
    }
}

impl Few {
    /// For nonces that begin with `prefix`.
    #[must_use]
    pub fn new(key: &[u8; 32], prefix: &[u8; 16]) -> Self {
        let subkey = Zeroizing::new(XSalsa20Poly1305::kdf(key.into(), prefix.into()));
        let mut kept = Zeroizing::new([0; 32]);
        kept.copy_from_slice(&subkey);
        Self(kept)
    }

    /// Turns 16 octets of any value, followed by the content, into a sealed box in place. `rest` is what follows the nonce's prefix.
    ///
    /// # Errors
    /// When `octets` is shorter than a tag, or the content longer than [`LONGEST`].
    #[inline]
    pub fn seal(&self, rest: &[u8; 8], octets: &mut [u8]) -> Result<(), Unopened> {
        let (tag, content) = octets.split_first_chunk_mut::<TAG>().ok_or(Unopened)?;
        let stream = self.stream(rest, content.len())?;
        let (mac_key, pad) = stream.split()?;
        for (octet, pad) in content.iter_mut().zip(pad) {
            *octet ^= pad;
        }
        crypto_onetimeauth(tag, content, mac_key);
        Ok(())
    }

    /// Opens a box into `content`, which is 16 octets shorter.
    ///
    /// # Errors
    /// When the tag does not fit, or the content is longer than [`LONGEST`]. Nothing was written to `content`.
    #[inline]
    pub fn open(&self, rest: &[u8; 8], sealed: &[u8], content: &mut [u8]) -> Result<(), Unopened> {
        let (tag, body) = sealed.split_first_chunk::<TAG>().ok_or(Unopened)?;
        if body.len() != content.len() {
            return Err(Unopened);
        }
        let stream = self.stream(rest, body.len())?;
        let (mac_key, pad) = stream.split()?;
        // The tag these octets would need: not for anybody who sent another.
        let mut due = [0; TAG];
        crypto_onetimeauth(&mut due, body, mac_key);
        let fits = bool::from(due.ct_eq(tag));
        due.fill(0);
        optimization_barrier(&due);
        if !fits {
            return Err(Unopened);
        }
        for ((octet, sealed), pad) in content.iter_mut().zip(body).zip(pad) {
            *octet = sealed ^ pad;
        }
        Ok(())
    }

    #[inline]
    fn stream(&self, rest: &[u8; 8], content: usize) -> Result<Stream, Unopened> {
        if content > LONGEST {
            return Err(Unopened);
        }
        let mut stream = Stream([0; BLOCKS * BLOCK]);
        let blocks = content.saturating_add(MAC_KEY).div_ceil(BLOCK);
        // Its state is wiped when it is dropped.
        let mut cipher = SalsaCore::<U10>::new(self.0.as_slice().into(), rest.into());
        for block in stream.0.chunks_exact_mut(BLOCK).take(blocks) {
            cipher.write_keystream_block(GenericArray::from_mut_slice(block));
        }
        Ok(stream)
    }
}

/// What Salsa20 gave for one box. Wiped when dropped, at once and not octet by octet, which would take as long as a block.
struct Stream([u8; BLOCKS * BLOCK]);

impl Stream {
    #[inline]
    fn split(&self) -> Result<(&[u8; MAC_KEY], &[u8]), Unopened> {
        self.0.split_first_chunk().ok_or(Unopened)
    }
}

impl Drop for Stream {
    #[inline]
    fn drop(&mut self) {
        self.0.fill(0);
        optimization_barrier(&self.0);
    }
}
