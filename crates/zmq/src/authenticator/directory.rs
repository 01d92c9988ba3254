//! Keys in a directory of certificates, which is looked at before each answer.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use super::peer::Decision;
use super::watched::Watched;
use crate::Certificate;
use crate::curve::PublicKey;

/// Most files of a directory of keys. One with more lets nobody in.
pub const CERTIFICATES: usize = 10_000;

/// The metadata of a certificate that says who its owner is.
const USER_ID: &str = "user-id";

/// Whom a certificate lets in, and as whom; or why it is none.
type Entry = Result<(PublicKey, Decision), String>;

/// A directory of certificates that may change while we look.
#[derive(Debug)]
pub(super) struct KeyDirectory {
    path: PathBuf,
    names: Watched<Result<Vec<OsString>, String>>,
    files: HashMap<OsString, Watched<Entry>>,
}

impl KeyDirectory {
    pub(super) fn new(path: PathBuf) -> KeyDirectory {
        KeyDirectory {
            path,
            names: Watched::default(),
            files: HashMap::new(),
        }
    }

    /// Looks at the directory and at each file in it, and reads what may have changed. Blocks for as long as the system takes.
    pub(super) fn refresh(&mut self) {
        let path = &self.path;
        let listed = self.names.refresh(path, || list(path));
        let Some(Ok(names)) = self.names.get() else {
            self.files.clear();
            return;
        };
        if listed {
            self.files
                .retain(|name, _| names.binary_search(name).is_ok());
        }
        for name in names {
            let file = path.join(name);
            let entry = self.files.entry(name.clone()).or_default();
            entry.refresh(&file, || read(&file));
        }
    }

    /// What the directory said of a key when it was last looked at.
    pub(super) fn find(&self, key: &PublicKey) -> Result<Decision, String> {
        match self.names.get() {
            Some(Err(error)) => return Err(error.clone()),
            None => return Err("not read yet".to_owned()),
            Some(Ok(_)) => {}
        }
        let mut unread = None;
        for entry in self.files.values().filter_map(Watched::get) {
            match entry {
                Ok((known, decision)) if known == key => return Ok(decision.clone()),
                Ok(_) => {}
                Err(error) => unread = Some(error),
            }
        }
        let place = self.path.display();
        Err(match unread {
            None => format!("no certificate in {place} has the key {key}"),
            Some(error) => {
                format!(
                    "no certificate in {place} has the key {key}, but not all can be read: {error}"
                )
            }
        })
    }
}

/// The names of what may be certificates: all but hidden files, which may be half written, and those with secrets.
fn list(path: &Path) -> Result<Vec<OsString>, String> {
    let told = |error: std::io::Error| format!("{}: {error}", path.display());
    let mut names = Vec::new();
    for entry in std::fs::read_dir(path).map_err(told)? {
        let name = entry.map_err(told)?.file_name();
        if is_passed_over(&name) {
            continue;
        }
        if names.len() == CERTIFICATES {
            return Err(format!(
                "{}: more than the {CERTIFICATES} files it may have",
                path.display()
            ));
        }
        names.push(name);
    }
    names.sort_unstable();
    Ok(names)
}

fn is_passed_over(name: &OsStr) -> bool {
    let name = name.as_bytes();
    name.starts_with(b".") || name.ends_with(b"_secret")
}

fn read(path: &Path) -> Entry {
    // To open a pipe may take for ever.
    match std::fs::metadata(path) {
        Ok(seen) if !seen.is_file() => return Err(format!("{}: not a file", path.display())),
        _ => {}
    }
    let certificate = Certificate::load(path).map_err(|error| error.to_string())?;
    let key = certificate.public_key();
    let said = certificate.metadata();
    let mut user_id = None;
    let mut others = Vec::new();
    for (name, value) in said {
        if name.eq_ignore_ascii_case(USER_ID) {
            user_id = Some(value.to_owned());
        } else {
            others.push((name, value));
        }
    }
    let welcome = Decision::accept(user_id.unwrap_or_else(|| key.to_z85()));
    let welcome = others.into_iter().fold(welcome, |welcome, (name, value)| {
        welcome.with(name, value.to_owned())
    });
    Ok((key, welcome))
}
