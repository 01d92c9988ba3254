//! Who is let in by a server of the command line.

use std::collections::{HashMap, HashSet};
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;

use zmq::Certificate;
use zmq::curve::PublicKey;
use zmq::security::{Answer, Authenticator, Credentials, Question, Verdict};

use super::secret;
use crate::failure::Failure;

/// Most octets of a file of users.
const LONGEST: u64 = 1 << 20;

/// Most certificates in a folder.
const MOST: usize = 10_000;

/// Those who are let in.
pub(super) enum Guests {
    /// PLAIN: who knows the password of a name.
    Users(HashMap<String, String>),
    /// CURVE: the owners of these keys.
    Keys(HashSet<PublicKey>),
    /// CURVE: the owner of any key.
    AnyKey,
}

impl Guests {
    /// The users in a file with a line `NAME=PASSWORD` for each, as CZMQ has them.
    pub(super) fn users(file: &Path) -> Result<Guests, Failure> {
        let failed = |told: &dyn std::fmt::Display| {
            Failure::Error(format!("users file {}: {told}", file.display()))
        };
        secret::warn(file);
        let opened = File::open(file).map_err(|error| failed(&error))?;
        let mut users = HashMap::new();
        for (index, line) in BufReader::new(opened.take(LONGEST)).lines().enumerate() {
            let line = line.map_err(|error| failed(&error))?;
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            match line.split_once('=') {
                Some((name, password)) if !name.trim().is_empty() => {
                    users.insert(name.trim().to_owned(), password.trim().to_owned());
                }
                _ => {
                    let line = index + 1;
                    return Err(failed(&format_args!("line {line}: expected NAME=PASSWORD")));
                }
            }
        }
        Ok(Guests::Users(users))
    }

    /// The owners of the certificates in a folder. Secret ones and hidden files are passed over.
    pub(super) fn keys(folder: &Path) -> Result<Guests, Failure> {
        let failed = |told: &dyn std::fmt::Display| {
            Failure::Error(format!("folder {}: {told}", folder.display()))
        };
        let mut keys = HashSet::new();
        for entry in fs::read_dir(folder).map_err(|error| failed(&error))? {
            let path = entry.map_err(|error| failed(&error))?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if name.starts_with('.') || name.ends_with("_secret") || !path.is_file() {
                continue;
            }
            let certificate = Certificate::load(&path).map_err(Failure::error)?;
            keys.insert(certificate.public_key());
            if keys.len() > MOST {
                return Err(failed(&format_args!("more than {MOST} certificates")));
            }
        }
        Ok(Guests::Keys(keys))
    }

    fn welcome(&self, credentials: &Credentials) -> bool {
        match (self, credentials) {
            (Guests::Users(users), Credentials::Plain { username, password }) => {
                let known = std::str::from_utf8(username)
                    .ok()
                    .and_then(|name| users.get(name));
                known.is_some_and(|known| same(known.as_bytes(), password))
            }
            (Guests::Keys(keys), Credentials::Curve { public_key }) => {
                keys.contains(&PublicKey::from_octets(*public_key))
            }
            (Guests::AnyKey, Credentials::Curve { .. }) => true,
            _ => false,
        }
    }
}

/// Takes as long for a password that begins well as for any other of its length.
fn same(one: &[u8], other: &[u8]) -> bool {
    let differences = one
        .iter()
        .zip(other)
        .fold(0, |met, (one, other)| met | (one ^ other));
    one.len() == other.len() && differences == 0
}

impl Authenticator for Guests {
    fn authenticate(&self, question: Question<'_>, answer: Answer) {
        if self.welcome(question.credentials) {
            answer.give(Verdict::accept());
        } else {
            answer.deny(400, "not among those to be let in");
        }
    }
}

impl std::fmt::Debug for Guests {
    /// Without passwords.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Guests::Users(users) => write!(f, "Users({})", users.len()),
            Guests::Keys(keys) => write!(f, "Keys({})", keys.len()),
            Guests::AnyKey => f.write_str("AnyKey"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_equal_passwords_are_the_same() {
        for (one, other, expected) in [
            ("xyzzy", "xyzzy", true),
            ("", "", true),
            ("xyzzy", "xyzz", false),
            ("xyzzy", "xyzzy!", false),
            ("xyzzy", "xyzzZ", false),
            ("", "a", false),
        ] {
            assert_eq!(
                same(one.as_bytes(), other.as_bytes()),
                expected,
                "{one} {other}"
            );
        }
    }
}
