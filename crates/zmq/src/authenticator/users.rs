//! Users and their passwords: told one by one, or read from a file.

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::watched::{Watched, read_at_most};

/// Longest name or password (RFC 24).
const LONGEST: usize = 255;

/// Most octets of a file of passwords: some twenty thousand users. A longer one is not read, and lets nobody in.
pub const LONGEST_PASSWORDS: usize = 1 << 20;

/// A password of 0 to 255 octets, compared in a time that depends on neither. Wiped when dropped, never printed.
#[derive(Clone)]
pub(super) struct Password(Box<Zeroizing<[u8; LONGEST + 1]>>);

impl Password {
    /// `None` when it is longer than any peer can send.
    pub(super) fn new(octets: &[u8]) -> Option<Password> {
        let length = u8::try_from(octets.len()).ok()?;
        let mut padded = Box::new(Zeroizing::new([0; LONGEST + 1]));
        // The length is in it, as zeros at the end of a password are not those behind it.
        padded
            .iter_mut()
            .zip(octets)
            .for_each(|(to, from)| *to = *from);
        if let Some(last) = padded.last_mut() {
            *last = length;
        }
        Some(Password(padded))
    }

    pub(super) fn is(&self, other: &Password) -> bool {
        self.0.as_slice().ct_eq(other.0.as_slice()).into()
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(..)")
    }
}

/// Names and their passwords.
#[derive(Clone, Debug, Default)]
pub(super) struct Users(HashMap<Vec<u8>, Password>);

impl Users {
    /// A password that is too long for any peer to send leaves the user out.
    pub(super) fn insert(&mut self, name: &[u8], password: &[u8]) {
        match Password::new(password) {
            Some(password) => self.0.insert(name.to_vec(), password),
            None => self.0.remove(name),
        };
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether this is the password of that user. An unknown name takes as long as a wrong password.
    pub(super) fn has(&self, name: &[u8], password: &[u8]) -> bool {
        let Some(met) = Password::new(password) else {
            return false;
        };
        match self.0.get(name) {
            Some(expected) => met.is(expected),
            None => {
                std::hint::black_box(met.is(&met));
                false
            }
        }
    }

    /// Reads lines of `name=password`. Everything behind the first `=` is the password, blanks included. Empty lines, and those that
    /// begin with `#`, say nothing.
    pub(super) fn parse(text: &[u8]) -> Result<Users, String> {
        let mut users = Users::default();
        for (number, line) in text.split(|octet| *octet == b'\n').enumerate() {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if line.is_empty() || line.starts_with(b"#") {
                continue;
            }
            let split = line.iter().position(|octet| *octet == b'=');
            let Some((name, password)) = split.and_then(|at| line.split_at_checked(at)) else {
                // The line may be a password, so it is not shown.
                return Err(format!("line {}: expected name=password", number + 1));
            };
            users.insert(name, password.get(1..).unwrap_or_default());
        }
        Ok(users)
    }
}

/// A file of users that may change while we look.
#[derive(Debug)]
pub(super) struct PasswordFile {
    path: PathBuf,
    read: Watched<Result<Users, String>>,
}

impl PasswordFile {
    pub(super) fn new(path: PathBuf) -> PasswordFile {
        PasswordFile {
            path,
            read: Watched::default(),
        }
    }

    /// Looks at the file, and reads it if it may have changed. Blocks for as long as the system takes.
    pub(super) fn refresh(&mut self) {
        let path = &self.path;
        self.read.refresh(path, || read(path));
    }

    /// The users as the file had them when it was last looked at.
    pub(super) fn users(&self) -> Result<&Users, &str> {
        match self.read.get() {
            Some(users) => users.as_ref().map_err(String::as_str),
            None => Err("not read yet"),
        }
    }
}

fn read(path: &Path) -> Result<Users, String> {
    let told = |what: &dyn fmt::Display| format!("{}: {what}", path.display());
    let text = read_at_most(path, LONGEST_PASSWORDS).map_err(|error| told(&error))?;
    Users::parse(&text).map_err(|error| told(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_that_differ_in_zeros_or_length_are_not_the_same() {
        let password = |octets: &[u8]| Password::new(octets).expect("short enough");
        assert!(password(b"abc").is(&password(b"abc")));
        for other in [&b"abd"[..], b"ab", b"abc\0", b"", b"Abc"] {
            assert!(!password(b"abc").is(&password(other)), "{other:?}");
        }
        assert!(password(&[0; 255]).is(&password(&[0; 255])));
        assert!(!password(&[0; 255]).is(&password(&[0; 254])));
        assert!(Password::new(&[0; 256]).is_none());
    }

    #[test]
    fn a_file_is_read_as_it_is_written() {
        let text = b"# who\nann=s3cret\r\nbob= a=b \n\n=empty\ncarl=\n";
        let users = Users::parse(text).expect("a file of users");
        assert_eq!(users.len(), 4);
        assert!(users.has(b"ann", b"s3cret"));
        assert!(users.has(b"bob", b" a=b "));
        assert!(users.has(b"", b"empty"));
        assert!(users.has(b"carl", b""));
        assert!(!users.has(b"ann", b"s3cre"));
        assert!(!users.has(b"dora", b""));
        assert!(!users.has(b"ann", &[b'x'; 256]));
        let error = Users::parse(b"ann=1\nhunter2\n").expect_err("no `=`");
        assert!(
            error.contains("line 2") && !error.contains("hunter2"),
            "{error}"
        );
    }

    #[test]
    fn neither_users_nor_passwords_are_printed() {
        let mut users = Users::default();
        users.insert(b"ann", b"s3cret");
        let printed = format!("{users:?}");
        assert!(
            !printed.contains("s3cret") && printed.contains("(..)"),
            "{printed}"
        );
    }
}
