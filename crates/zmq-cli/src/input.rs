//! Messages from the command line or from standard input.

use std::io::{self, BufRead, IsTerminal as _, Read};

use zmq::Message;

use crate::failure::Failure;
use crate::format::{Format, Layout};

/// The messages to send, in order.
pub(crate) struct Input {
    layout: Layout,
    /// Given with `-m`; then standard input is not read.
    given: Option<std::vec::IntoIter<String>>,
    line: u64,
    ended: bool,
}

impl Input {
    pub(crate) fn new(given: Vec<String>, layout: Layout) -> Input {
        let given = (!given.is_empty()).then(|| given.into_iter());
        Input {
            layout,
            given,
            line: 0,
            ended: false,
        }
    }

    /// Whether it ends by itself, as what is given with `-m`, files and pipes do. Nobody can know about a terminal.
    pub(crate) fn ends(&self) -> bool {
        self.given.is_some() || !io::stdin().is_terminal()
    }

    /// The next message, or `None` at the end. May wait for standard input.
    pub(crate) fn next(&mut self) -> Result<Option<Message>, Failure> {
        if let Some(given) = &mut self.given {
            let Some(text) = given.next() else {
                return Ok(None);
            };
            let parsed = self.layout.parse(text.as_bytes());
            return parsed
                .map(Some)
                .map_err(|why| Failure::Usage(format!("message \"{text}\": {why}")));
        }
        if self.ended {
            return Ok(None);
        }
        let octets = match self.layout.format {
            Format::Raw => read_all(&mut io::stdin().lock()).map(Some),
            Format::Line | Format::Hex | Format::Json => read_line(&mut io::stdin().lock()),
        };
        let octets =
            octets.map_err(|error| Failure::Error(format!("cannot read the input: {error}")))?;
        self.line += 1;
        self.ended = octets.is_none() || self.layout.format == Format::Raw;
        let Some(octets) = octets else {
            return Ok(None);
        };
        let parsed = self.layout.parse(&octets);
        parsed
            .map(Some)
            .map_err(|why| Failure::Error(format!("line {} of the input: {why}", self.line)))
    }
}

fn read_all(from: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut octets = Vec::new();
    from.read_to_end(&mut octets)?;
    Ok(octets)
}

/// A line without its end; the last one may lack it.
fn read_line(from: &mut impl BufRead) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    if from.read_until(b'\n', &mut line)? == 0 {
        return Ok(None);
    }
    if line.last() == Some(&b'\n') {
        line.pop();
    }
    Ok(Some(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_at_newlines_and_the_last_needs_none() {
        let mut text = &b"a\n\nb\r\nlast"[..];
        let mut lines = Vec::new();
        while let Some(line) = read_line(&mut text).unwrap() {
            lines.push(line);
        }
        assert_eq!(lines, [&b"a"[..], b"", b"b\r", b"last"]);
    }
}
