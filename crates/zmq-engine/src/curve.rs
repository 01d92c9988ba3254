//! Keys of the CURVE mechanism (RFC 26).

use std::io;

pub use zmtp_mech_curve::z85::Error as KeyError;
pub use zmtp_mech_curve::{Client, KeyPair, PublicKey, SecretKey, Server, ServerKeys, z85};

/// A new key pair from the system's generator.
///
/// # Errors
/// The system has no entropy to give.
pub fn generate() -> io::Result<KeyPair> {
    KeyPair::generate(getrandom::fill).map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_pairs_are_equal() {
        let (one, other) = (generate().unwrap(), generate().unwrap());
        assert_ne!(one.public(), other.public());
        assert_eq!(one.public(), one.secret().public());
    }
}
