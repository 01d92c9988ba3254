//! Why a text is not of the language.

use core::fmt;

/// What is wrong with a text, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Error {
    /// The line, counted from 1.
    pub line: usize,
    /// The octet of the line, counted from 1.
    pub column: usize,
    /// What was met there.
    pub problem: Problem,
}

/// What was met, and what was expected instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// So many spaces before a name: no multiple of four.
    Indentation(usize),
    /// A property of this level, where the one above allows at most the other level. Levels count from 0.
    Orphan {
        /// The level that was met.
        met: usize,
        /// The deepest level there can be at this place.
        most: usize,
    },
    /// This character stands where something else is expected.
    Unexpected {
        /// The character.
        met: char,
        /// What could stand there.
        expected: Expected,
    },
    /// A character that the dialect does not have.
    Character(char),
    /// Octets that are no UTF-8.
    NotUtf8,
    /// A quote of this kind that nothing closes.
    Quote(char),
    /// A name that begins or ends with `/`.
    Slash,
    /// More than [`Limits::line`](crate::Limits::line) octets.
    LineTooLong(usize),
    /// More than [`Limits::depth`](crate::Limits::depth) levels.
    TooDeep(usize),
    /// More than [`Limits::nodes`](crate::Limits::nodes) properties and comments.
    TooMany(usize),
}

/// What could have stood at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Expected {
    /// A letter, a digit, or one of `$-_@.&+/`.
    Name,
    /// At the very beginning: `#`, a letter or a digit.
    Beginning,
    /// Behind a name.
    ValueOrEnd,
    /// Behind a value in quotes.
    End,
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "line {}, column {}: {}",
            self.line, self.column, self.problem
        )
    }
}

impl core::error::Error for Error {}

impl fmt::Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Indentation(met) => {
                write!(out, "met {met} spaces, expected four for each level")
            }
            Self::Orphan { met, most } => write!(
                out,
                "met a property of level {met}, expected level {most} at most: a child is indented by four spaces more than its parent"
            ),
            Self::Unexpected { met, expected } => write!(out, "met {met:?}, expected {expected}"),
            Self::Character(met) => write!(out, "met {met:?}, expected a printable character"),
            Self::NotUtf8 => out.write_str("met octets that are not UTF-8, expected text"),
            Self::Quote(met) => {
                write!(
                    out,
                    "met {met} at the start of a value, expected another {met} at its end"
                )
            }
            Self::Slash => {
                out.write_str("met '/' at an end of a name, expected it inside or not at all")
            }
            Self::LineTooLong(most) => {
                write!(out, "met a longer line, expected at most {most} octets")
            }
            Self::TooDeep(most) => write!(out, "met one more level, expected at most {most}"),
            Self::TooMany(most) => write!(
                out,
                "met one more property or comment, expected at most {most}"
            ),
        }
    }
}

impl fmt::Display for Expected {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Name => "a name (letters, digits, $-_@.&+/) behind four spaces for each level",
            Self::Beginning => "'#', a letter or a digit at the beginning",
            Self::ValueOrEnd => "'=', '#' or the end of the line",
            Self::End => "'#' or the end of the line",
        })
    }
}
