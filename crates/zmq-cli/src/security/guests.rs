//! Who is let in by a server of the command line.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;

use zmq::security::CERTIFICATES;
use zmq::{Authenticator, Certificate};

use super::secret;
use crate::failure::Failure;

/// Most octets of a file of users.
const LONGEST: u64 = 1 << 20;

/// The users in a file with a line `NAME=PASSWORD` for each, as CZMQ has them.
pub(super) fn users(file: &Path) -> Result<Authenticator, Failure> {
    let failed = |told: &dyn std::fmt::Display| {
        Failure::Error(format!("users file {}: {told}", file.display()))
    };
    secret::warn(file);
    let opened = File::open(file).map_err(|error| failed(&error))?;
    let mut users = Authenticator::new();
    for (index, line) in BufReader::new(opened.take(LONGEST)).lines().enumerate() {
        let line = line.map_err(|error| failed(&error))?;
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        match line.split_once('=') {
            Some((name, password)) if !name.trim().is_empty() => {
                users = users.user(name.trim(), password.trim());
            }
            _ => {
                let line = index + 1;
                return Err(failed(&format_args!("line {line}: expected NAME=PASSWORD")));
            }
        }
    }
    Ok(users)
}

/// The owners of the certificates in a folder, which is looked at whenever somebody comes. That all of them can be read is seen at once. Secret
/// ones and hidden files are passed over.
pub(super) fn keys(folder: &Path) -> Result<Authenticator, Failure> {
    let failed = |told: &dyn std::fmt::Display| {
        Failure::Error(format!("folder {}: {told}", folder.display()))
    };
    let mut files = 0;
    for entry in fs::read_dir(folder).map_err(|error| failed(&error))? {
        let path = entry.map_err(|error| failed(&error))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with('.') || name.ends_with("_secret") || !path.is_file() {
            continue;
        }
        Certificate::load(&path).map_err(Failure::error)?;
        files += 1;
        if files > CERTIFICATES {
            return Err(failed(&format_args!(
                "more than {CERTIFICATES} certificates"
            )));
        }
    }
    Ok(Authenticator::new().directory(folder))
}
