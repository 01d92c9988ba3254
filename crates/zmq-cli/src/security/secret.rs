//! Files that hold secrets.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;

use crate::failure::{Failure, note};

/// The longest first line of a password file, octets. A password of PLAIN has at most 255.
const LONGEST: u64 = 1024;

/// The first line of a file, without its end.
pub(super) fn first_line(file: &Path) -> Result<String, Failure> {
    let failed = |told: &dyn std::fmt::Display| {
        Failure::Error(format!("password file {}: {told}", file.display()))
    };
    warn(file);
    let opened = File::open(file).map_err(|error| failed(&error))?;
    let mut line = String::new();
    BufReader::new(opened.take(LONGEST))
        .read_line(&mut line)
        .map_err(|error| failed(&error))?;
    let password = line.trim_end_matches(['\r', '\n']);
    match password.len() {
        1..=255 => Ok(password.to_owned()),
        met => Err(failed(&format_args!(
            "expected a password of 1 to 255 octets in the first line, met {met}"
        ))),
    }
}

/// Says so when others can read a file with a secret. They may have a reason, so that it is no error: pyzmq writes such files.
#[cfg(unix)]
pub(super) fn warn(file: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    if let Ok(met) = file.metadata()
        && met.permissions().mode() & 0o077 != 0
    {
        note(format_args!(
            "others can read {}, which holds a secret: chmod 600 it",
            file.display()
        ));
    }
}

#[cfg(not(unix))]
pub(super) fn warn(_: &Path) {}
