//! Keys of Curve25519, and what two of them share.

use crate::seal::BoxKey;
use crate::z85;
use alloc::string::String;
use core::fmt;
use core::str::FromStr;
use curve25519_dalek::MontgomeryPoint;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, Zeroizing};

/// Octets of a key.
const KEY: usize = 32;

/// A public key: 32 octets, 40 letters of Z85 in print.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PublicKey([u8; KEY]);

impl PublicKey {
    /// The key of these octets.
    #[must_use]
    pub const fn from_octets(octets: [u8; KEY]) -> Self {
        Self(octets)
    }

    /// Its octets.
    #[must_use]
    pub const fn as_octets(&self) -> &[u8; KEY] {
        &self.0
    }

    /// Its 40 letters.
    #[must_use]
    pub fn to_z85(&self) -> String {
        // 32 is a multiple of four.
        z85::encode(&self.0).unwrap_or_default()
    }
}

impl FromStr for PublicKey {
    type Err = z85::Error;

    /// Reads 40 letters of Z85.
    fn from_str(text: &str) -> Result<Self, z85::Error> {
        parse(text).map(|octets| Self(*octets))
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(&self.to_z85())
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "PublicKey({})", self.to_z85())
    }
}

/// A secret key. Wiped when dropped, compared in constant time, never printed by accident.
#[derive(Clone)]
pub struct SecretKey(Zeroizing<[u8; KEY]>);

impl SecretKey {
    /// The key of these octets.
    #[must_use]
    pub fn from_octets(octets: [u8; KEY]) -> Self {
        Self(Zeroizing::new(octets))
    }

    /// A new key from `entropy`, which fills a slice with octets nobody can guess.
    ///
    /// # Errors
    /// Those of `entropy`.
    pub fn generate<E>(entropy: impl FnOnce(&mut [u8]) -> Result<(), E>) -> Result<Self, E> {
        let mut octets = Zeroizing::new([0; KEY]);
        entropy(&mut *octets)?;
        Ok(Self(octets))
    }

    /// Its octets. Whoever has them is the owner of the key.
    #[must_use]
    pub fn as_octets(&self) -> &[u8; KEY] {
        &self.0
    }

    /// Its 40 letters, wiped when dropped. Whoever has them is the owner of the key.
    #[must_use]
    pub fn to_z85(&self) -> Zeroizing<String> {
        // 32 is a multiple of four.
        Zeroizing::new(z85::encode(&*self.0).unwrap_or_default())
    }

    /// The public key that belongs to it.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey(MontgomeryPoint::mul_base_clamped(*self.0).0)
    }

    /// What the owner of this key and the owner of the other one share. `None` when the other key is a point of low order: anybody would
    /// share the same with it.
    pub(crate) fn agree(&self, theirs: &PublicKey) -> Option<BoxKey> {
        let mut point = MontgomeryPoint(theirs.0).mul_clamped(*self.0);
        let shared = Zeroizing::new(point.0);
        point.zeroize();
        let trivial = shared.ct_eq(&[0; KEY]);
        (!bool::from(trivial)).then(|| BoxKey::derive(&shared))
    }
}

impl FromStr for SecretKey {
    type Err = z85::Error;

    /// Reads 40 letters of Z85.
    fn from_str(text: &str) -> Result<Self, z85::Error> {
        parse(text).map(Self)
    }
}

impl PartialEq for SecretKey {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&*other.0).into()
    }
}

impl Eq for SecretKey {}

impl fmt::Debug for SecretKey {
    /// Secrets stay out of logs.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("SecretKey(..)")
    }
}

/// A secret key with its public one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyPair {
    public: PublicKey,
    secret: SecretKey,
}

impl KeyPair {
    /// The pair of this secret key.
    #[must_use]
    pub fn new(secret: SecretKey) -> Self {
        Self {
            public: secret.public(),
            secret,
        }
    }

    /// A new pair from `entropy`, which fills a slice with octets nobody can guess.
    ///
    /// # Errors
    /// Those of `entropy`.
    pub fn generate<E>(entropy: impl FnOnce(&mut [u8]) -> Result<(), E>) -> Result<Self, E> {
        SecretKey::generate(entropy).map(Self::new)
    }

    /// The public key.
    #[must_use]
    pub const fn public(&self) -> PublicKey {
        self.public
    }

    /// The secret key.
    #[must_use]
    pub const fn secret(&self) -> &SecretKey {
        &self.secret
    }
}

impl From<SecretKey> for KeyPair {
    fn from(secret: SecretKey) -> Self {
        Self::new(secret)
    }
}

fn parse(text: &str) -> Result<Zeroizing<[u8; KEY]>, z85::Error> {
    if text.len() != 40 {
        return Err(z85::Error::Length(text.len()));
    }
    let octets = Zeroizing::new(z85::decode(text)?);
    let mut key = Zeroizing::new([0; KEY]);
    // 40 letters are 32 octets.
    key.iter_mut()
        .zip(&*octets)
        .for_each(|(to, from)| *to = *from);
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(first: u8) -> SecretKey {
        SecretKey::from_octets(core::array::from_fn(|at| first + at as u8))
    }

    #[test]
    fn both_ends_share_the_secret_libsodium_finds() {
        let shared = "541f02ad30774030052f1d5b8c61f93a2b846520da466770e9db2aa885bfbb91";
        let (server, client) = (key(0x40), key(0x60));
        for key in [
            server.agree(&client.public()),
            client.agree(&server.public()),
        ] {
            let octets = *key.unwrap().as_octets();
            let digits: std::string::String = octets
                .iter()
                .map(|octet| std::format!("{octet:02x}"))
                .collect();
            assert_eq!(digits, shared);
        }
    }

    // spec: 26/low-order-key
    #[test]
    fn points_of_low_order_share_nothing() {
        let prime = {
            let mut octets = [0xff_u8; 32];
            (octets[0], octets[31]) = (0xed, 0x7f);
            octets
        };
        let near = |offset: i8| {
            let mut octets = prime;
            octets[0] = octets[0].wrapping_add_signed(offset);
            octets
        };
        let (zero, mut one) = ([0; 32], [0; 32]);
        one[0] = 1;
        let of_order_eight = [
            "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
            "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        ]
        .map(|digits| {
            core::array::from_fn(|at| u8::from_str_radix(&digits[2 * at..2 * at + 2], 16).unwrap())
        });
        let points = [zero, one, near(-1), prime, near(1)];
        for mut octets in points.into_iter().chain(of_order_eight) {
            for top_bit in [0, 0x80] {
                octets[31] |= top_bit;
                let point = PublicKey::from_octets(octets);
                assert!(key(0x40).agree(&point).is_none(), "{octets:02x?}");
            }
        }
    }
}
