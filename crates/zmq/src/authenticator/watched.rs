//! Files and directories that may change between two looks.
//!
//! Whether one has changed is seen by looking at it: its times, its length and which file it is. The system's times are coarse, so a
//! file that was changed a moment ago may change once more without a trace. What was read is therefore trusted only if the last change
//! was some time before we looked; until then it is read again each time.

use std::fs::{File, Metadata};
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use zeroize::Zeroizing;

/// Seconds that must lie between the last change and the look before it: file systems know times to the second at least, and one
/// second may have just begun where the next one is about to.
const SETTLED: i64 = 2;

/// What is seen of a file without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    device: u64,
    inode: u64,
    length: u64,
    /// Seconds and nanoseconds, as those below.
    modified: (i64, i64),
    /// Programs can set the time of modification back; this one they cannot.
    changed: (i64, i64),
}

impl Stamp {
    fn of(seen: &Metadata) -> Stamp {
        Stamp {
            device: seen.dev(),
            inode: seen.ino(),
            length: seen.size(),
            modified: (seen.mtime(), seen.mtime_nsec()),
            changed: (seen.ctime(), seen.ctime_nsec()),
        }
    }

    /// Whether a change after `looked`, a moment in seconds, would be seen. A clock that was set back makes it say no.
    fn is_settled(&self, looked: i64) -> bool {
        let last = self.modified.0.max(self.changed.0);
        last.saturating_add(SETTLED) <= looked
    }
}

/// What was read from a file or a directory, for as long as it is still what is there.
#[derive(Debug)]
pub(super) struct Watched<T> {
    stamp: Option<Stamp>,
    read: Option<T>,
}

impl<T> Default for Watched<T> {
    fn default() -> Watched<T> {
        Watched {
            stamp: None,
            read: None,
        }
    }
}

impl<T> Watched<T> {
    /// Looks at `path`, and reads again if it may have changed. Says whether it has read.
    pub(super) fn refresh(&mut self, path: &Path, read: impl FnOnce() -> T) -> bool {
        let looked = zmq_engine::unix_seconds();
        self.refresh_at(looked, path, read)
    }

    fn refresh_at(&mut self, looked: i64, path: &Path, read: impl FnOnce() -> T) -> bool {
        let seen = std::fs::metadata(path).ok().map(|seen| Stamp::of(&seen));
        if self.read.is_some() && seen.is_some() && seen == self.stamp {
            return false;
        }
        self.read = Some(read());
        self.stamp = seen.filter(|stamp| stamp.is_settled(looked));
        true
    }

    /// What was read last.
    pub(super) fn get(&self) -> Option<&T> {
        self.read.as_ref()
    }
}

/// The content of a file, which may be a secret. Anything but a file is refused unread: to open a pipe may take for ever.
///
/// # Errors
/// Also when it is longer than `most` octets.
pub(super) fn read_at_most(path: &Path, most: usize) -> io::Result<Zeroizing<Vec<u8>>> {
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::Error::other("not a file"));
    }
    // Room for all at once, and for one octet too many: growing would leave copies behind.
    let mut octets = Zeroizing::new(Vec::with_capacity(most.saturating_add(1)));
    let limit = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
    File::open(path)?.take(limit).read_to_end(&mut octets)?;
    if octets.len() > most {
        return Err(io::Error::other(format!(
            "longer than the {most} octets it may have"
        )));
    }
    Ok(octets)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Place(std::path::PathBuf);

    impl Place {
        fn new(name: &str) -> Place {
            let name = format!("zmq-watched-{name}-{}", std::process::id());
            Place(std::env::temp_dir().join(name))
        }

        fn text(&self) -> String {
            std::fs::read_to_string(&self.0).unwrap_or_default()
        }
    }

    impl Drop for Place {
        fn drop(&mut self) {
            let _ = std::fs::remove_file(&self.0);
        }
    }

    #[test]
    fn a_file_that_was_just_written_is_read_at_each_look() {
        let place = Place::new("fresh");
        let mut watched = Watched::default();
        for number in 0..100 {
            // The same length, and mostly within one tick of the system's clock.
            std::fs::write(&place.0, format!("{number:03}")).expect("a file");
            watched.refresh(&place.0, || place.text());
            assert_eq!(watched.get(), Some(&format!("{number:03}")));
        }
    }

    #[test]
    fn a_file_that_has_settled_is_read_once_and_again_when_it_changes() {
        let place = Place::new("settled");
        let mut watched = Watched::default();
        std::fs::write(&place.0, "one").expect("a file");
        let later = zmq_engine::unix_seconds() + 10;
        assert!(watched.refresh_at(later, &place.0, || place.text()));
        assert!(!watched.refresh_at(later, &place.0, || place.text()));
        std::fs::write(&place.0, "three").expect("a file");
        assert!(watched.refresh_at(later, &place.0, || place.text()));
        assert_eq!(watched.get().map(String::as_str), Some("three"));
        std::fs::remove_file(&place.0).expect("it was there");
        assert!(watched.refresh_at(later, &place.0, || place.text()));
        assert!(watched.refresh_at(later, &place.0, || place.text()));
    }

    #[test]
    fn a_file_changed_in_the_second_of_the_look_is_not_trusted() {
        let place = Place::new("second");
        let mut watched = Watched::default();
        std::fs::write(&place.0, "one").expect("a file");
        let seen = std::fs::metadata(&place.0).expect("it is there");
        let changed = seen.mtime().max(seen.ctime());
        for after in [-5, 0, 1] {
            assert!(watched.refresh_at(changed + after, &place.0, || place.text()));
            assert!(watched.refresh_at(changed + after, &place.0, || place.text()));
        }
        assert!(watched.refresh_at(changed + 2, &place.0, || place.text()));
        assert!(!watched.refresh_at(changed + 2, &place.0, || place.text()));
    }

    #[test]
    fn only_files_of_their_length_are_read() {
        let place = Place::new("length");
        std::fs::write(&place.0, "12345").expect("a file");
        assert_eq!(
            read_at_most(&place.0, 5)
                .expect("as long as it may be")
                .len(),
            5
        );
        assert!(read_at_most(&place.0, 4).is_err());
        assert!(read_at_most(&std::env::temp_dir(), 4).is_err());
    }
}
