//! What must hold for any octets at all; called by the fuzz target.

use std::str::FromStr;

use super::{Certificate, CertificateFault};

/// The text of a certificate file: what is read is printed and read again, and an error shows no line of the file.
pub fn certificate(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    match Certificate::from_str(text) {
        Ok(read) => {
            let public = read.public_text().expect("what was read can be printed");
            let known = Certificate::from_str(&public).expect("what was printed can be read");
            assert_eq!(known.public_key(), read.public_key());
            assert!(known.keys().is_none());
            assert!(known.metadata().eq(read.metadata()));
            if let Some(keys) = read.keys() {
                let secret = read.secret_text(keys).expect("as the public part");
                assert_eq!(Certificate::from_str(&secret).ok(), Some(read));
            }
        }
        Err(error) => {
            let told = error.to_string();
            let secret = text.lines().find(|line| line.contains("secret-key"));
            let value = secret.and_then(|line| line.split('"').nth(1));
            if let Some(value) = value.filter(|value| value.len() >= 10) {
                assert!(!told.contains(value), "{told}");
            }
            assert!(!matches!(error.fault(), CertificateFault::System(_)));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::curve::{KeyPair, SecretKey};

    proptest! {
        #[test]
        fn certificates_come_back_however_they_were_damaged(
            seed in any::<[u8; 32]>(),
            pairs in proptest::collection::vec(("[a-z/$@.-]{1,8}", "[ -~]{0,12}"), 0..4),
            at in any::<prop::sample::Index>(),
            other in prop_oneof![Just(b'"'), Just(b'\n'), Just(b'='), Just(b' '), any::<u8>()],
        ) {
            let mut written = Certificate::new(KeyPair::new(SecretKey::from_octets(seed)));
            for (name, value) in pairs {
                written.set(name, value);
            }
            let Some(keys) = written.keys() else { return Ok(()) };
            let Ok(text) = written.secret_text(keys) else { return Ok(()) };
            prop_assert_eq!(Certificate::from_str(&text).ok(), Some(written.clone()));
            let mut text = text.as_bytes().to_vec();
            let at = at.index(text.len());
            text[at] = other;
            certificate(&text);
            certificate(&text[..at]);
        }
    }
}
