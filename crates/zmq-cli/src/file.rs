//! Files in pieces, so that any size fits through a queue.
//!
//! A piece is a message of four frames: the name of the file, the offset of this piece and the size of the whole file
//! in octets (both as decimal digits), and the octets. The last piece ends at the size; an empty file is one empty
//! piece. The receiving side takes pieces in order only, so one sender should have one receiver.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use zmq::{Frame, Message};

use crate::failure::{Failure, note};
use crate::socket::Opened;

/// Octets of a piece: large enough that the cost of a message does not show, small enough to fit a queue.
const PIECE: u64 = 256 * 1024;
/// Pieces in a queue: 16 MiB.
pub(crate) const PIECES_QUEUED: u32 = 64;
/// Smaller files are over before a bar would be seen.
const LONG: u64 = 4 * 1024 * 1024;
/// A file on its way has this at the end of its name.
const UNFINISHED: &str = "part";

/// Sends one file.
pub(crate) fn send(opened: &Opened, path: &Path) -> Result<(), Failure> {
    let failed = |error| Failure::Error(format!("{}: {error}", path.display()));
    let name = path
        .file_name()
        .and_then(|name| name.to_str())
        .ok_or_else(|| {
            Failure::Usage(format!("{}: expected a file name in UTF-8", path.display()))
        })?;
    let mut file = File::open(path).map_err(failed)?;
    let metadata = file.metadata().map_err(failed)?;
    if !metadata.is_file() {
        return Err(Failure::Usage(format!(
            "{}: expected a regular file",
            path.display()
        )));
    }
    let size = metadata.len();
    let bar = bar(name, size);
    let mut offset = 0;
    loop {
        let length = PIECE.min(size - offset);
        let mut octets = Vec::with_capacity(length as usize);
        let read = (&mut file)
            .take(length)
            .read_to_end(&mut octets)
            .map_err(failed)? as u64;
        if read < length {
            return Err(Failure::Error(format!(
                "{}: became shorter while it was sent",
                path.display()
            )));
        }
        opened.send(piece(name, offset, size, octets))?;
        offset += length;
        bar.set_position(offset);
        if offset == size {
            bar.finish_and_clear();
            return Ok(());
        }
    }
}

fn piece(name: &str, offset: u64, size: u64, octets: Vec<u8>) -> Message {
    Message::from([
        Frame::from(name),
        Frame::from(offset.to_string()),
        Frame::from(size.to_string()),
        Frame::from(octets),
    ])
}

/// Shown on a terminal only, and for long files only.
fn bar(name: &str, size: u64) -> ProgressBar {
    let target = match size {
        LONG.. => ProgressDrawTarget::stderr(),
        _ => ProgressDrawTarget::hidden(),
    };
    let bar = ProgressBar::with_draw_target(Some(size), target).with_message(name.to_owned());
    let style = "{msg} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta}";
    match ProgressStyle::with_template(style) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// Files on their way in.
pub(crate) struct Incoming {
    folder: PathBuf,
    replace: bool,
    under_way: HashMap<String, UnderWay>,
}

struct UnderWay {
    file: File,
    written: u64,
    bar: ProgressBar,
}

/// What a piece says about itself.
#[derive(Debug, PartialEq, Eq)]
struct Piece<'a> {
    name: &'a str,
    offset: u64,
    size: u64,
    octets: &'a [u8],
}

impl Incoming {
    /// Files go into `folder`, which is made if it is not there.
    pub(crate) fn new(folder: &Path, replace: bool) -> Result<Incoming, Failure> {
        fs::create_dir_all(folder)
            .map_err(|error| Failure::Error(format!("{}: {error}", folder.display())))?;
        Ok(Incoming {
            folder: folder.to_owned(),
            replace,
            under_way: HashMap::new(),
        })
    }

    /// Takes a piece; tells whether its file is complete now.
    pub(crate) fn take(&mut self, message: &Message) -> Result<bool, Failure> {
        let piece = parse(message).map_err(|why| {
            Failure::Error(format!(
                "expected a piece of a file from `zmq push --file`: {why}"
            ))
        })?;
        let target = self.folder.join(piece.name);
        let part = self.folder.join(format!("{}.{UNFINISHED}", piece.name));
        let failed = |error| Failure::Error(format!("{}: {error}", part.display()));
        if piece.offset == 0 {
            if target.exists() && !self.replace {
                return Err(Failure::Error(format!(
                    "{} is there already; --force replaces it",
                    target.display()
                )));
            }
            let file = File::create(&part).map_err(failed)?;
            let bar = bar(piece.name, piece.size);
            self.under_way.insert(
                piece.name.to_owned(),
                UnderWay {
                    file,
                    written: 0,
                    bar,
                },
            );
        }
        let written = self
            .under_way
            .get(piece.name)
            .map_or(0, |file| file.written);
        let Some(file) = self
            .under_way
            .get_mut(piece.name)
            .filter(|_| written == piece.offset)
        else {
            return Err(Failure::Error(format!(
                "{}: expected the piece at {written}, met the one at {}; does the sender have another receiver?",
                piece.name, piece.offset
            )));
        };
        file.file.write_all(piece.octets).map_err(failed)?;
        file.written += piece.octets.len() as u64;
        file.bar.set_position(file.written);
        if file.written < piece.size {
            return Ok(false);
        }
        file.bar.finish_and_clear();
        note(format_args!("{} ({} octets)", target.display(), piece.size));
        self.under_way.remove(piece.name);
        fs::rename(&part, &target).map_err(failed)?;
        Ok(true)
    }
}

fn parse(message: &Message) -> Result<Piece<'_>, &'static str> {
    let [name, offset, size, octets] = message.frames() else {
        return Err("it does not have four frames");
    };
    let text = |frame| std::str::from_utf8(frame).map_err(|_| "it is not in UTF-8");
    let number = |frame| {
        text(frame)?
            .parse()
            .map_err(|_| "an offset or size is not a number")
    };
    let name = text(name)?;
    // The name comes from a stranger: it may not lead out of the folder, nor name what is on its way.
    let has_control = name.chars().any(char::is_control);
    let unfinished = Path::new(name)
        .extension()
        .is_some_and(|end| end == UNFINISHED);
    if Path::new(name).file_name().is_none_or(|own| own != name) || has_control || unfinished {
        return Err("its file name is not one that is taken from a stranger");
    }
    let (offset, size): (u64, u64) = (number(offset)?, number(size)?);
    let end = offset.checked_add(octets.len() as u64);
    if end.is_none_or(|end| end > size || (octets.is_empty() && size > 0)) {
        return Err("its octets do not fit the size");
    }
    Ok(Piece {
        name,
        offset,
        size,
        octets,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(name: &str, offset: u64, size: u64, octets: &[u8]) -> Message {
        piece(name, offset, size, octets.to_vec())
    }

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("zmq-cli-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        folder
    }

    #[test]
    fn pieces_in_order_become_the_file() {
        let folder = folder("order");
        let mut incoming = Incoming::new(&folder, false).unwrap();
        assert!(!incoming.take(&made("a", 0, 4, b"ab")).unwrap());
        assert!(incoming.take(&made("empty", 0, 0, b"")).unwrap());
        assert!(incoming.take(&made("a", 2, 4, b"cd")).unwrap());
        assert_eq!(fs::read(folder.join("a")).unwrap(), b"abcd");
        assert_eq!(fs::read(folder.join("empty")).unwrap(), b"");
        assert!(
            incoming.take(&made("a", 0, 1, b"x")).is_err(),
            "replaced without --force"
        );
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_missing_piece_is_noticed() {
        let folder = folder("gap");
        let mut incoming = Incoming::new(&folder, false).unwrap();
        assert!(!incoming.take(&made("a", 0, 6, b"ab")).unwrap());
        assert!(incoming.take(&made("a", 4, 6, b"ef")).is_err());
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn names_that_lead_elsewhere_are_refused() {
        for name in [
            "../a",
            "/etc/passwd",
            "a/b",
            "..",
            ".",
            "",
            "a/",
            "a\n",
            "a.part",
        ] {
            let message = made(name, 0, 1, b"x");
            assert!(parse(&message).is_err(), "{name:?} was accepted");
        }
        assert_eq!(
            parse(&made(".profile", 0, 1, b"x")),
            Ok(Piece {
                name: ".profile",
                offset: 0,
                size: 1,
                octets: b"x"
            })
        );
    }

    #[test]
    fn octets_beyond_the_size_are_refused() {
        for (offset, size, octets) in [(0, 1, &b"ab"[..]), (u64::MAX, 1, b"a"), (0, 1, b"")] {
            assert!(parse(&made("a", offset, size, octets)).is_err());
        }
    }
}
