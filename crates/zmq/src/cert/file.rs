//! Files that appear whole, with the right access from the start, and follow no symbolic link.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

/// Access of files with secrets.
pub(super) const OWNER_ONLY: u32 = 0o600;
/// Access of all others, before the process's mask.
pub(super) const EVERYBODY: u32 = 0o644;

/// Names tried for a file that is being written. A name is taken when an earlier run of this process id was killed.
const ATTEMPTS: u32 = 64;

/// A file to write.
pub(super) struct Part {
    pub(super) path: PathBuf,
    pub(super) text: Zeroizing<String>,
    pub(super) access: u32,
}

/// What becomes of a file that is there already.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// It stays, and nothing is written.
    New,
    /// It is replaced.
    Replace,
}

/// The content of a file; `None` when it is longer than `most` octets.
pub(super) fn read(path: &Path, most: usize) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
    // Room for all at once, and for one octet too many: growing would leave copies behind.
    let room = most.saturating_add(1);
    let mut octets = Zeroizing::new(vec![0; room]);
    let mut file = File::open(path)?;
    let mut length = 0;
    while length < room {
        match file.read(&mut octets[length..]) {
            Ok(0) => break,
            Ok(more) => length += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    octets.truncate(length);
    Ok((length <= most).then_some(octets))
}

/// Writes all of them, or none. All are on the disk under names of their own before the first gets the name it is to have.
pub(super) fn write(parts: &[Part], mode: Mode) -> Result<(), (PathBuf, io::Error)> {
    let told = |part: &Part| {
        let path = part.path.clone();
        move |error| (path, error)
    };
    if mode == Mode::New {
        for part in parts {
            // The answer may be out of date at once; placing asks again, without a gap.
            if fs::symlink_metadata(&part.path).is_ok() {
                return Err(told(part)(io::ErrorKind::AlreadyExists.into()));
            }
        }
    }
    let mut drafts = Vec::new();
    for part in parts {
        drafts.push((part, Draft::write(part).map_err(told(part))?));
    }
    let mut placed: Vec<&Part> = Vec::new();
    for (part, draft) in drafts {
        match draft.place(&part.path, mode) {
            Ok(()) => placed.push(part),
            Err(error) => {
                if mode == Mode::New {
                    for earlier in placed {
                        let _ = fs::remove_file(&earlier.path);
                    }
                }
                return Err(told(part)(error));
            }
        }
    }
    Ok(())
}

/// A file that has its content and not yet its name. Dropped, it is gone.
struct Draft {
    path: PathBuf,
    named: bool,
}

impl Draft {
    fn write(part: &Part) -> io::Result<Draft> {
        let (mut file, draft) = Draft::create(&part.path, part.access)?;
        file.write_all(part.text.as_bytes())?;
        file.sync_all()?;
        Ok(draft)
    }

    /// A new file beside `path`: what has its name is neither opened nor followed, and nobody but those meant can ever open it.
    fn create(path: &Path, access: u32) -> io::Result<(File, Draft)> {
        let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
        for attempt in 0..ATTEMPTS {
            let mut draft = OsString::from(".");
            draft.push(name);
            draft.push(format!(".{}-{attempt}.new", std::process::id()));
            let path = path.with_file_name(draft);
            match new_file(&path, access) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
                Ok(file) => return Ok((file, Draft { path, named: false })),
            }
        }
        Err(io::Error::other(
            "every name for a file to be written first is taken",
        ))
    }

    fn place(mut self, path: &Path, mode: Mode) -> io::Result<()> {
        match mode {
            Mode::Replace => {
                fs::rename(&self.path, path)?;
                self.named = true;
            }
            // A second name for the file: unlike renaming it fails when the name is taken. The first one goes with the draft.
            Mode::New => fs::hard_link(&self.path, path)?,
        }
        // The names themselves reach the disk when the system likes; what is lost then is both, never one half.
        Ok(())
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.named {
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn new_file(path: &Path, access: u32) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, access);
    #[cfg(not(unix))]
    let _ = access;
    options.open(path)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn a_secret_file_is_its_owners_before_it_has_content() {
        let name = format!("zmq-draft-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        let (file, draft) = Draft::create(&path, OWNER_ONLY).unwrap();
        let met = file.metadata().unwrap();
        assert_eq!(met.len(), 0);
        assert_eq!(met.permissions().mode() & 0o777, OWNER_ONLY);
        let (_, second) = Draft::create(&path, OWNER_ONLY).unwrap();
        assert_ne!(
            second.path, draft.path,
            "a name that is taken is left alone"
        );
        let drafts = [draft.path.clone(), second.path.clone()];
        drop((draft, second));
        for path in drafts {
            assert!(!path.exists());
        }
    }

    #[test]
    fn a_file_that_came_since_we_looked_is_left_alone() {
        let name = format!("zmq-place-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        let (_, draft) = Draft::create(&path, OWNER_ONLY).unwrap();
        let first = draft.path.clone();
        fs::write(&path, "precious").unwrap();
        let error = draft.place(&path, Mode::New).unwrap_err();
        let kept = fs::read(&path);
        fs::remove_file(&path).unwrap();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(kept.unwrap(), b"precious");
        assert!(!first.exists());
    }
}
