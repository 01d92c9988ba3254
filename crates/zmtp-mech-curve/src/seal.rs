//! The cipher: NaCl's secret box, XSalsa20 with Poly1305. This file and `few` are all that calls one.
//!
//! Two back ends stand behind [`SecretBox`]. [`Portable`] (`crypto_secretbox`) needs neither std nor a particular processor, and is what
//! tests compare with. [`Fast`] (`dryoc`) picks vector kernels at run time; it is the default, since a library cannot choose its user's
//! compiler flags. Frames of few octets go through [`Few`] instead. None is a primitive of ours.
//!
//! ns by `examples/seal.rs`, default compiler flags, AMD EPYC with AVX-512, two cores under other load, best of 15 rounds; libsodium 1.0.18
//! measured beside `Portable` and `Fast` on such a machine, seal and open together:
//!
//! ```text
//!            Portable           Fast               Few              libsodium
//!            seal     open      seal     open      seal     open    both
//! 1 B        1 165    1 175     246      275       160      176
//! 64 B       1 698    1 672     277      365       249      265     1 400-1 900
//! 96 B       1 667    1 677     296      383       264      281
//! 128 B      1 761    1 769     312      490       369      389
//! 160 B      1 789    1 788     330      434       387      403
//! 256 B      1 981    1 994     340      442
//! 1 KiB      3 298    3 301     463      582                        4 600-5 300
//! 4 KiB      8 505    8 632     1 234    1 340
//! 64 KiB     113 000  114 000   16 500   17 000                     153 000
//! ```
//!
//! So `Fast` is four times as fast as libsodium from 1 KiB on. `Portable` falls behind it where octets are few (its Poly1305 takes 1.2 us to
//! begin) as where they are many (its Salsa20 knows no vectors).
//!
//! CURVE's nonces share their first 16 octets within a direction, so HSalsa20 (87 ns) need be run only once for all its frames. No crate
//! offers a secret box that takes the outcome; [`Few`] puts one together from the parts of three crates. It wins while the blocks of the
//! stream (90 ns each) are two to seal, or three to open: the vectors of `Fast` compute more than is wanted, and opening it computes the
//! first block by itself. Over tcp, frames of 64 octets are bound by the one who opens them: PUSH to PULL went from 1.5 to 2.1 million a
//! second with it, from 1.2 to 1.6 times libzmq with libsodium; while other things ran on the machine, from 1.2 to 1.5 million, 0.9 to 1.1
//! times libzmq.

#[cfg(feature = "fast")]
use crate::few::Few;
use crate::nonce::{Nonce, short};
use alloc::vec::Vec;
use xsalsa20poly1305::aead::{AeadInPlace, KeyInit};
use xsalsa20poly1305::{Kdf, XSalsa20Poly1305};
use zeroize::Zeroizing;

/// Octets a sealed box is longer than its content.
pub(crate) const TAG: usize = 16;

/// Boxes up to here are sealed by [`Few`]: two blocks of Salsa20. From there on the vectors win.
#[cfg(feature = "fast")]
const FEW_SEALED: usize = TAG + 96;
/// Boxes up to here are opened by [`Few`]: three blocks. `Fast` computes the first one by itself before it opens anything.
#[cfg(feature = "fast")]
const FEW_OPENED: usize = TAG + crate::few::LONGEST;

/// The box did not open, or cannot be made: nothing was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unopened;

/// A back end. Boxes are laid out as tag, then content.
pub trait SecretBox {
    /// Turns 16 octets of any value, followed by the content, into a sealed box in place.
    ///
    /// # Errors
    /// When `octets` is shorter than a tag or longer than the cipher goes.
    fn seal(key: &[u8; 32], nonce: &[u8; 24], octets: &mut [u8]) -> Result<(), Unopened>;

    /// Opens a box into `content`, which is 16 octets shorter.
    ///
    /// # Errors
    /// When the tag does not fit. `content` then holds nothing of the content.
    fn open(
        key: &[u8; 32],
        nonce: &[u8; 24],
        sealed: &[u8],
        content: &mut [u8],
    ) -> Result<(), Unopened>;

    /// Opens the content of a box where it stands.
    ///
    /// # Errors
    /// When the tag does not fit. The content then holds nothing that was opened.
    fn open_in_place(
        key: &[u8; 32],
        nonce: &[u8; 24],
        tag: &[u8; TAG],
        content: &mut [u8],
    ) -> Result<(), Unopened>;
}

/// `crypto_secretbox`: no std, any processor.
#[derive(Debug)]
pub struct Portable;

impl SecretBox for Portable {
    fn seal(key: &[u8; 32], nonce: &[u8; 24], octets: &mut [u8]) -> Result<(), Unopened> {
        let (tag, content) = octets.split_first_chunk_mut::<TAG>().ok_or(Unopened)?;
        let made = XSalsa20Poly1305::new(key.into())
            .encrypt_in_place_detached(nonce.into(), &[], content)
            .map_err(|_| Unopened)?;
        *tag = made.into();
        Ok(())
    }

    fn open(
        key: &[u8; 32],
        nonce: &[u8; 24],
        sealed: &[u8],
        content: &mut [u8],
    ) -> Result<(), Unopened> {
        let (tag, body) = sealed.split_first_chunk::<TAG>().ok_or(Unopened)?;
        if body.len() != content.len() {
            return Err(Unopened);
        }
        content.copy_from_slice(body);
        Self::open_in_place(key, nonce, tag, content)
    }

    fn open_in_place(
        key: &[u8; 32],
        nonce: &[u8; 24],
        tag: &[u8; TAG],
        content: &mut [u8],
    ) -> Result<(), Unopened> {
        XSalsa20Poly1305::new(key.into())
            .decrypt_in_place_detached(nonce.into(), &[], content, tag.into())
            .map_err(|_| Unopened)
    }
}

/// `dryoc`: AVX2, AVX-512 or NEON as the processor has it.
#[cfg(feature = "fast")]
#[derive(Debug)]
pub struct Fast;

#[cfg(feature = "fast")]
impl SecretBox for Fast {
    fn seal(key: &[u8; 32], nonce: &[u8; 24], octets: &mut [u8]) -> Result<(), Unopened> {
        let (tag, content) = octets.split_first_chunk_mut::<TAG>().ok_or(Unopened)?;
        // NaCl's box with a key that was derived beforehand is its secret box; `crypto_secretbox` has no call that leaves the content where
        // it stands.
        dryoc::classic::crypto_box::crypto_box_detached_afternm_inplace(content, tag, nonce, key);
        Ok(())
    }

    fn open(
        key: &[u8; 32],
        nonce: &[u8; 24],
        sealed: &[u8],
        content: &mut [u8],
    ) -> Result<(), Unopened> {
        dryoc::classic::crypto_secretbox::crypto_secretbox_open_easy(content, sealed, nonce, key)
            .map_err(|_| Unopened)
    }

    fn open_in_place(
        key: &[u8; 32],
        nonce: &[u8; 24],
        tag: &[u8; TAG],
        content: &mut [u8],
    ) -> Result<(), Unopened> {
        use dryoc::classic::crypto_box::crypto_box_open_detached_afternm_inplace as open;
        open(content, tag, nonce, key).map_err(|_| Unopened)
    }
}

#[cfg(feature = "fast")]
type Cipher = Fast;
#[cfg(not(feature = "fast"))]
type Cipher = Portable;

/// A secret both ends share, or that a server shares with itself. Wiped when dropped. Not to be cloned: the counter that keeps its nonces
/// apart stands beside it.
pub(crate) struct BoxKey(Zeroizing<[u8; 32]>);

impl BoxKey {
    pub(crate) fn new(octets: Zeroizing<[u8; 32]>) -> Self {
        Self(octets)
    }

    /// NaCl's `crypto_box_beforenm`: HSalsa20 over what Diffie and Hellman gave.
    pub(crate) fn derive(shared: &[u8; 32]) -> Self {
        let key = XSalsa20Poly1305::kdf(shared.into(), &[0; 16].into());
        Self(Zeroizing::new(key.into()))
    }

    /// Appends a box that holds `parts`, one after the other.
    pub(crate) fn seal(
        &self,
        nonce: &Nonce,
        parts: &[&[u8]],
        out: &mut Vec<u8>,
    ) -> Result<(), Unopened> {
        append(parts, out, |octets| Cipher::seal(&self.0, nonce, octets))
    }

    /// Opens a box into `content`, which is 16 octets shorter.
    pub(crate) fn open(
        &self,
        nonce: &Nonce,
        sealed: &[u8],
        content: &mut [u8],
    ) -> Result<(), Unopened> {
        Cipher::open(&self.0, nonce, sealed, content)
    }
}

/// Appends `parts` with room for a tag in front, and has `seal` make a box of it.
#[inline]
fn append(
    parts: &[&[u8]],
    out: &mut Vec<u8>,
    seal: impl FnOnce(&mut [u8]) -> Result<(), Unopened>,
) -> Result<(), Unopened> {
    let start = out.len();
    out.extend_from_slice(&[0; TAG]);
    for part in parts {
        out.extend_from_slice(part);
    }
    let sealed = seal(out.get_mut(start..).unwrap_or_default());
    if sealed.is_err() {
        // The content stands there in the clear.
        out.truncate(start);
    }
    sealed
}

/// One direction of a connection: all its nonces begin with the same 16 octets.
pub(crate) struct Direction {
    prefix: &'static [u8; 16],
    #[cfg(feature = "fast")]
    few: Few,
}

impl Direction {
    pub(crate) fn new(key: &BoxKey, prefix: &'static [u8; 16]) -> Self {
        #[cfg(not(feature = "fast"))]
        let _ = key;
        Self {
            prefix,
            #[cfg(feature = "fast")]
            few: Few::new(&key.0, prefix),
        }
    }

    /// Appends a box that holds `parts`, one after the other.
    #[inline]
    pub(crate) fn seal(
        &self,
        key: &BoxKey,
        counter: u64,
        parts: &[&[u8]],
        out: &mut Vec<u8>,
    ) -> Result<(), Unopened> {
        append(parts, out, |octets| {
            #[cfg(feature = "fast")]
            if octets.len() <= FEW_SEALED {
                return self.few.seal(&counter.to_be_bytes(), octets);
            }
            Cipher::seal(&key.0, &short(self.prefix, counter), octets)
        })
    }

    /// Opens a box into `content`, which is 16 octets shorter.
    #[inline]
    pub(crate) fn open(
        &self,
        key: &BoxKey,
        counter: u64,
        sealed: &[u8],
        content: &mut [u8],
    ) -> Result<(), Unopened> {
        #[cfg(feature = "fast")]
        if sealed.len() <= FEW_OPENED {
            return self.few.open(&counter.to_be_bytes(), sealed, content);
        }
        Cipher::open(&key.0, &short(self.prefix, counter), sealed, content)
    }

    /// Opens a box where it stands: its content is what follows the first 16 octets.
    pub(crate) fn open_in_place(
        &self,
        key: &BoxKey,
        counter: u64,
        sealed: &mut [u8],
    ) -> Result<(), Unopened> {
        let (tag, content) = sealed.split_first_chunk_mut::<TAG>().ok_or(Unopened)?;
        Cipher::open_in_place(&key.0, &short(self.prefix, counter), tag, content)
    }
}

#[cfg(test)]
impl BoxKey {
    pub(crate) fn as_octets(&self) -> &[u8; 32] {
        &self.0
    }
}

#[cfg(all(test, feature = "fast"))]
mod tests {
    use super::*;
    use crate::nonce::{MESSAGE_OF_CLIENT, MESSAGE_OF_SERVER};
    use proptest::prelude::*;
    use std::vec;

    fn sealed<C: SecretBox>(key: &[u8; 32], nonce: &[u8; 24], content: &[u8]) -> Vec<u8> {
        let mut octets = [&[0xee; TAG], content].concat();
        C::seal(key, nonce, &mut octets).unwrap();
        octets
    }

    proptest! {
        #[test]
        fn the_back_ends_make_and_open_the_same_boxes(
            key: [u8; 32],
            nonce: [u8; 24],
            content in proptest::collection::vec(any::<u8>(), 0..2000),
            spoilt: proptest::sample::Index,
        ) {
            let mut octets = sealed::<Fast>(&key, &nonce, &content);
            prop_assert_eq!(&octets, &sealed::<Portable>(&key, &nonce, &content));
            let mut opened = vec![0; content.len()];
            prop_assert_eq!(Fast::open(&key, &nonce, &octets, &mut opened), Ok(()));
            prop_assert_eq!(&opened, &content);
            opened.fill(0);
            prop_assert_eq!(Portable::open(&key, &nonce, &octets, &mut opened), Ok(()));
            prop_assert_eq!(&opened, &content);
            let (tag, body) = octets.split_first_chunk::<TAG>().unwrap();
            for open in [Fast::open_in_place, Portable::open_in_place] {
                opened.copy_from_slice(body);
                prop_assert_eq!(open(&key, &nonce, tag, &mut opened), Ok(()));
                prop_assert_eq!(&opened, &content);
                opened.copy_from_slice(body);
                let mut other = *tag;
                other[0] ^= 1;
                prop_assert_eq!(open(&key, &nonce, &other, &mut opened), Err(Unopened));
                prop_assert!(content.len() < 16 || opened != content);
            }

            let at = spoilt.index(octets.len());
            octets[at] ^= 1;
            prop_assert_eq!(Fast::open(&key, &nonce, &octets, &mut opened), Err(Unopened));
            prop_assert_eq!(Portable::open(&key, &nonce, &octets, &mut opened), Err(Unopened));
        }
    }

    /// By [`Direction`], and what it is by [`Portable`].
    fn both_ways(key: [u8; 32], counter: u64, content: &[u8]) -> (Vec<u8>, Vec<u8>) {
        let direction = Direction::new(&BoxKey(Zeroizing::new(key)), MESSAGE_OF_CLIENT);
        let (first, rest) = content.split_at(content.len().min(1));
        let mut octets = vec![];
        let key = BoxKey(Zeroizing::new(key));
        assert_eq!(
            direction.seal(&key, counter, &[first, rest], &mut octets),
            Ok(())
        );
        let mut opened = vec![0; content.len()];
        assert_eq!(
            direction.open(&key, counter, &octets, &mut opened),
            Ok(()),
            "{}",
            content.len()
        );
        assert_eq!(opened, content);
        let nonce = short(MESSAGE_OF_CLIENT, counter);
        (octets, sealed::<Portable>(&key.0, &nonce, content))
    }

    #[test]
    fn a_direction_makes_the_boxes_of_the_portable_back_end_at_every_length() {
        let content: Vec<u8> = (0..=255).cycle().take(1 << 20).collect();
        for length in (0..=300).chain([1000, 1023, 4096, 65_535, 65_537, 1 << 20]) {
            let (ours, portable) = both_ways([3; 32], length as u64, &content[..length]);
            assert!(ours == portable, "{length}");
        }
    }

    #[test]
    fn a_direction_opens_no_box_in_which_an_octet_is_another() {
        let (key, direction) = (
            BoxKey(Zeroizing::new([5; 32])),
            Direction::new(&BoxKey(Zeroizing::new([5; 32])), MESSAGE_OF_SERVER),
        );
        for length in [0, 1, 31, 32, 33, 65, 96, 97, 160, 161, 300] {
            let mut octets = vec![];
            direction
                .seal(&key, 7, &[&vec![1; length]], &mut octets)
                .unwrap();
            let mut opened = vec![0xaa; length];
            for at in 0..octets.len() {
                octets[at] ^= 0x10;
                let met = direction.open(&key, 7, &octets, &mut opened);
                assert_eq!(met, Err(Unopened), "octet {at} of {length}");
                octets[at] ^= 0x10;
            }
            let late = direction.open(&key, 8, &octets, &mut opened);
            assert_eq!(late, Err(Unopened));
            assert_eq!(opened, vec![0xaa; length], "written before it was proven");
        }
    }

    proptest! {
        #[test]
        fn a_direction_and_the_portable_back_end_agree(
            key: [u8; 32],
            counter: u64,
            content in proptest::collection::vec(any::<u8>(), 0..400),
        ) {
            let (ours, portable) = both_ways(key, counter, &content);
            prop_assert_eq!(ours, portable);
        }
    }

    #[test]
    fn lengths_that_cannot_be_are_refused_by_both() {
        let (key, nonce) = ([1; 32], [2; 24]);
        for (sealed, content) in [(0, 0), (15, 0), (16, 1), (17, 0), (40, 25), (40, 23)] {
            let (sealed, mut content) = (vec![0; sealed], vec![0; content]);
            assert!(Fast::open(&key, &nonce, &sealed, &mut content).is_err());
            assert!(Portable::open(&key, &nonce, &sealed, &mut content).is_err());
        }
        let few = Few::new(&key, MESSAGE_OF_CLIENT);
        for (sealed, content) in [(0, 0), (15, 0), (16, 1), (17, 0), (177, 161)] {
            let (sealed, mut content) = (vec![0; sealed], vec![0; content]);
            assert!(few.open(&[0; 8], &sealed, &mut content).is_err());
        }
        assert!(few.seal(&[0; 8], &mut [0; 15]).is_err());
        assert!(few.seal(&[0; 8], &mut [0; 177]).is_err());
        assert!(Fast::seal(&key, &nonce, &mut [0; 15]).is_err());
        assert!(Portable::seal(&key, &nonce, &mut [0; 15]).is_err());
    }
}
