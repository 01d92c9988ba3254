//! Octets, as they arrive, to a document.

use crate::document::Node;
use crate::line::{self, Fault, Line};
use crate::{Dialect, Document, Error, Expected, Limits, Problem};
use alloc::string::String;
use alloc::vec::Vec;
use zeroize::Zeroizing;

/// Room for the line that is being read, taken at once: growing would leave copies of secrets behind.
const ROOM: usize = 8192;

/// Reads a text that comes in pieces of any size.
///
/// ```
/// use zpl::{Dialect, Limits, Parser};
///
/// let mut parser = Parser::new(Dialect::Rfc, Limits::DEFAULT);
/// parser.feed(b"main\n    ty")?;
/// parser.feed(b"pe = queue")?;
/// assert_eq!(parser.finish()?.get("main/type"), Some("queue"));
/// # Ok::<(), zpl::Error>(())
/// ```
pub struct Parser {
    dialect: Dialect,
    limits: Limits,
    /// What is there of a line whose end has not come.
    line: Zeroizing<Vec<u8>>,
    /// Lines that are complete.
    lines: usize,
    /// The last octet was a CR: an LF that follows ends the same line.
    returned: bool,
    /// Comments that wait for the property they stand above.
    comments: Vec<String>,
    /// Comments so far.
    commented: usize,
    document: Document,
    failed: Option<Error>,
}

impl Parser {
    /// At the beginning of a text.
    #[must_use]
    pub fn new(dialect: Dialect, limits: Limits) -> Parser {
        Parser {
            dialect,
            limits,
            line: Zeroizing::new(Vec::with_capacity(limits.line.min(ROOM))),
            lines: 0,
            returned: false,
            comments: Vec::new(),
            commented: 0,
            document: Document::new(),
            failed: None,
        }
    }

    /// Takes the next octets. How a text is cut into pieces makes no difference.
    ///
    /// # Errors
    /// The first thing that is wrong; the same one again from then on.
    pub fn feed(&mut self, octets: &[u8]) -> Result<(), Error> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let fed = self.feed_lines(octets);
        self.failed = fed.err();
        fed
    }

    /// The document, when the text has ended. Its last line needs no end.
    ///
    /// # Errors
    /// As [`Parser::feed`].
    pub fn finish(mut self) -> Result<Document, Error> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        self.end_line()?;
        let comments = core::mem::take(&mut self.comments);
        self.document.close(comments);
        Ok(core::mem::take(&mut self.document))
    }

    fn feed_lines(&mut self, mut octets: &[u8]) -> Result<(), Error> {
        while !octets.is_empty() {
            if core::mem::take(&mut self.returned)
                && let Some(rest) = octets.strip_prefix(b"\n")
            {
                octets = rest;
                continue;
            }
            let ends =
                |octet: &u8| *octet == b'\n' || (*octet == b'\r' && self.dialect == Dialect::Rfc);
            let Some(end) = octets.iter().position(ends) else {
                return self.extend(octets);
            };
            let (part, rest) = octets.split_at_checked(end).unwrap_or((octets, &[]));
            self.extend(part)?;
            self.end_line()?;
            self.returned = rest.starts_with(b"\r");
            octets = rest.get(1..).unwrap_or_default();
        }
        Ok(())
    }

    fn extend(&mut self, part: &[u8]) -> Result<(), Error> {
        let room = self.limits.line.saturating_sub(self.line.len());
        if part.len() > room {
            return Err(self.error(Fault {
                at: self.limits.line,
                problem: Problem::LineTooLong(self.limits.line),
            }));
        }
        self.line.extend_from_slice(part);
        Ok(())
    }

    fn error(&self, fault: Fault) -> Error {
        Error {
            line: self.lines.saturating_add(1),
            column: fault.at.saturating_add(1),
            problem: fault.problem,
        }
    }

    fn end_line(&mut self) -> Result<(), Error> {
        let taken = self.take_line();
        taken.map_err(|fault| self.error(fault))?;
        zeroize::Zeroize::zeroize(&mut *self.line);
        self.lines = self.lines.saturating_add(1);
        Ok(())
    }

    fn take_line(&mut self) -> Result<(), Fault> {
        let (level, name, value, comment) = match line::read(&self.line, self.dialect)? {
            Line::Blank => return Ok(()),
            Line::Comment(comment) => {
                let comment = String::from(comment);
                self.count(1)?;
                self.commented = self.commented.saturating_add(1);
                self.comments.push(comment);
                return Ok(());
            }
            Line::Property {
                level,
                name,
                value,
                comment,
            } => (level, name, value, comment),
        };
        let at = level.saturating_mul(line::STEP);
        let fault = |problem| Err(Fault { at, problem });
        let most = self.document.deepest_child();
        if level > most {
            return fault(Problem::Orphan { met: level, most });
        }
        if level >= self.limits.depth {
            return fault(Problem::TooDeep(self.limits.depth));
        }
        let first = name.chars().next().unwrap_or('\n');
        let beginning = self.document.is_empty() && self.comments.is_empty();
        if beginning && self.dialect == Dialect::Rfc && !first.is_ascii_alphanumeric() {
            return fault(Problem::Unexpected {
                met: first,
                expected: Expected::Beginning,
            });
        }
        let comments = usize::from(comment.is_some());
        self.count(comments.saturating_add(1))?;
        let node = Node {
            level,
            name: name.into(),
            value: value.map(|value| Zeroizing::new(value.into())),
            comment: comment.map(String::from),
            above: Vec::new(),
        };
        self.commented = self.commented.saturating_add(comments);
        let above = core::mem::take(&mut self.comments);
        self.document.append(node, above);
        Ok(())
    }

    /// Whether there may be so many properties and comments more.
    fn count(&self, more: usize) -> Result<(), Fault> {
        let met = self.document.len().saturating_add(self.commented);
        if met.saturating_add(more) > self.limits.nodes {
            return Err(Fault {
                at: 0,
                problem: Problem::TooMany(self.limits.nodes),
            });
        }
        Ok(())
    }
}

impl core::fmt::Debug for Parser {
    /// Without what was read, which may be secret.
    fn fmt(&self, out: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        out.debug_struct("Parser")
            .field("dialect", &self.dialect)
            .field("lines", &self.lines)
            .field("failed", &self.failed)
            .finish_non_exhaustive()
    }
}
