//! The grammar of one line.
//!
//! ```text
//! line     = *SP property [ *WSP comment ]  /  *WSP [ comment ]
//! property = name [ *WSP "=" *WSP value ]
//! comment  = "#" text
//! ```

use crate::{Dialect, Expected, Problem};

/// Spaces of one level.
pub(crate) const STEP: usize = 4;

/// What a line says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line<'a> {
    Blank,
    Comment(&'a str),
    Property {
        level: usize,
        name: &'a str,
        value: Option<&'a str>,
        comment: Option<&'a str>,
    },
}

/// A problem and the octet of the line, counted from 0, at which it is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) at: usize,
    pub(crate) problem: Problem,
}

const BLANK: [char; 2] = [' ', '\t'];

/// Reads a line that has lost its end.
pub(crate) fn read(octets: &[u8], dialect: Dialect) -> Result<Line<'_>, Fault> {
    let text = decode(octets, dialect)?;
    let fault = |rest: &str, problem| {
        let at = text.len().saturating_sub(rest.len());
        Fault { at, problem }
    };
    let content = text.trim_start_matches(' ');
    let spaces = text.len().saturating_sub(content.len());
    let unblank = content.trim_start_matches(BLANK);
    if unblank.is_empty() {
        return Ok(Line::Blank);
    }
    if let Some(comment) = unblank.strip_prefix('#') {
        return Ok(Line::Comment(comment));
    }
    let (name, rest) = split_name(content);
    if name.is_empty() {
        return Err(fault(content, unexpected(content, Expected::Name)));
    }
    if !spaces.is_multiple_of(STEP) {
        return Err(fault(content, Problem::Indentation(spaces)));
    }
    if dialect == Dialect::Czmq && (name.starts_with('/') || name.ends_with('/')) {
        return Err(fault(content, Problem::Slash));
    }
    let rest = rest.trim_start_matches(BLANK);
    let (value, rest) = match rest.strip_prefix('=') {
        None => (None, rest),
        Some(rest) => {
            let rest = rest.trim_start_matches(BLANK);
            let (value, behind) =
                split_value(rest, dialect).map_err(|(rest, problem)| fault(rest, problem))?;
            (Some(value), behind)
        }
    };
    let comment = rest.strip_prefix('#');
    if comment.is_none() && !rest.is_empty() {
        return Err(fault(rest, unexpected(rest, Expected::ValueOrEnd)));
    }
    Ok(Line::Property {
        level: spaces / STEP,
        name,
        value,
        comment,
    })
}

/// The text of a line without the blanks at its end.
fn decode(octets: &[u8], dialect: Dialect) -> Result<&str, Fault> {
    let text = core::str::from_utf8(octets).map_err(|error| Fault {
        at: error.valid_up_to(),
        problem: Problem::NotUtf8,
    })?;
    let text = text.trim_end_matches(|letter| {
        BLANK.contains(&letter) || (letter == '\r' && dialect == Dialect::Czmq)
    });
    let foreign = |letter: char| match dialect {
        _ if letter == '\t' => false,
        Dialect::Rfc => !letter.is_ascii() || letter.is_control(),
        Dialect::Czmq => letter.is_control(),
    };
    match text.char_indices().find(|(_, letter)| foreign(*letter)) {
        None => Ok(text),
        Some((at, letter)) => Err(Fault {
            at,
            problem: Problem::Character(letter),
        }),
    }
}

fn split_name(text: &str) -> (&str, &str) {
    let end = text.find(|letter| !is_name(letter)).unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, ""))
}

fn is_name(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || "$-_@.&+/".contains(letter)
}

/// The value at the start of `text`, and what follows it and its blanks.
fn split_value(text: &str, dialect: Dialect) -> Result<(&str, &str), (&str, Problem)> {
    let quote = text
        .chars()
        .next()
        .filter(|first| ['"', '\''].contains(first));
    if let Some(quote) = quote {
        let inside = text.strip_prefix(quote).unwrap_or(text);
        let closed = inside.split_once(quote);
        let behind = closed.map(|(_, behind)| behind.trim_start_matches(BLANK));
        match (closed, behind) {
            (Some((value, _)), Some(behind)) if behind.is_empty() || behind.starts_with('#') => {
                return Ok((value, behind));
            }
            (Some(_), Some(behind)) if dialect == Dialect::Czmq => {
                return Err((behind, unexpected(behind, Expected::End)));
            }
            (None, _) if dialect == Dialect::Czmq => return Err((text, Problem::Quote(quote))),
            // Quotes that do not enclose the whole value are part of it.
            _ => {}
        }
    }
    let end = text.find('#').unwrap_or(text.len());
    let (value, behind) = text.split_at_checked(end).unwrap_or((text, ""));
    Ok((value.trim_end_matches(BLANK), behind))
}

fn unexpected(rest: &str, expected: Expected) -> Problem {
    // Never called at the end of a line.
    let met = rest.chars().next().unwrap_or('\n');
    Problem::Unexpected { met, expected }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn property<'a>(
        level: usize,
        name: &'a str,
        value: Option<&'a str>,
        comment: Option<&'a str>,
    ) -> Result<Line<'a>, Fault> {
        Ok(Line::Property {
            level,
            name,
            value,
            comment,
        })
    }

    // spec: 4/lines
    #[test]
    fn both_dialects_agree_on_ordinary_lines() {
        for (text, expected) in [
            ("", Ok(Line::Blank)),
            (" \t ", Ok(Line::Blank)),
            ("# a  ", Ok(Line::Comment(" a"))),
            (" \t#a#b", Ok(Line::Comment("a#b"))),
            ("context", property(0, "context", None, None)),
            ("a #b", property(0, "a", None, Some("b"))),
            ("    a=1", property(1, "a", Some("1"), None)),
            (
                "        a\t =\t1 2  # c",
                property(2, "a", Some("1 2"), Some(" c")),
            ),
            ("a =", property(0, "a", Some(""), None)),
            ("a = # c", property(0, "a", Some(""), Some(" c"))),
            ("a = b#c", property(0, "a", Some("b"), Some("c"))),
            ("a = \"#2\"", property(0, "a", Some("#2"), None)),
            ("a = ' \" ' # c", property(0, "a", Some(" \" "), Some(" c"))),
            ("a = b=c\"d'", property(0, "a", Some("b=c\"d'"), None)),
            ("$-_@.&+9/z = x", property(0, "$-_@.&+9/z", Some("x"), None)),
        ] {
            for dialect in [Dialect::Rfc, Dialect::Czmq] {
                assert_eq!(read(text.as_bytes(), dialect), expected, "{text:?}");
            }
        }
    }

    #[test]
    fn both_dialects_refuse_what_is_no_line() {
        for (text, at, problem) in [
            ("   a", 3, Problem::Indentation(3)),
            ("     a = 1", 5, Problem::Indentation(5)),
            (
                "a b",
                2,
                Problem::Unexpected {
                    met: 'b',
                    expected: Expected::ValueOrEnd,
                },
            ),
            (
                "a: b",
                1,
                Problem::Unexpected {
                    met: ':',
                    expected: Expected::ValueOrEnd,
                },
            ),
            (
                "= b",
                0,
                Problem::Unexpected {
                    met: '=',
                    expected: Expected::Name,
                },
            ),
            (
                "\ta = b",
                0,
                Problem::Unexpected {
                    met: '\t',
                    expected: Expected::Name,
                },
            ),
            (
                "    \ta",
                4,
                Problem::Unexpected {
                    met: '\t',
                    expected: Expected::Name,
                },
            ),
            ("a = b\u{7}", 5, Problem::Character('\u{7}')),
            ("a\0", 1, Problem::Character('\0')),
        ] {
            for dialect in [Dialect::Rfc, Dialect::Czmq] {
                let fault = read(text.as_bytes(), dialect).unwrap_err();
                assert_eq!((fault.at, fault.problem), (at, problem), "{text:?}");
            }
        }
        let fault = read(b"a = \xff", Dialect::Czmq).unwrap_err();
        assert_eq!((fault.at, fault.problem), (4, Problem::NotUtf8));
    }

    // spec: 4/quotes
    #[test]
    fn quotes_that_enclose_nothing_belong_to_the_value_or_are_refused() {
        for (text, value, at, problem) in [
            ("a = \"b", "\"b", 4, Problem::Quote('"')),
            ("a = \"b # c", "\"b", 4, Problem::Quote('"')),
            ("a = 'b\"", "'b\"", 4, Problem::Quote('\'')),
            (
                "a = \"b\" c",
                "\"b\" c",
                8,
                Problem::Unexpected {
                    met: 'c',
                    expected: Expected::End,
                },
            ),
        ] {
            let Ok(Line::Property { value: met, .. }) = read(text.as_bytes(), Dialect::Rfc) else {
                panic!("{text}");
            };
            assert_eq!(met, Some(value));
            let fault = read(text.as_bytes(), Dialect::Czmq).unwrap_err();
            assert_eq!((fault.at, fault.problem), (at, problem), "{text:?}");
        }
    }

    #[test]
    fn only_czmq_has_letters_beyond_ascii_and_ignores_a_return() {
        let text = "name = Zoë\r";
        assert_eq!(
            read(text.as_bytes(), Dialect::Czmq),
            property(0, "name", Some("Zoë"), None)
        );
        let fault = read("name = Zoë".as_bytes(), Dialect::Rfc).unwrap_err();
        assert_eq!((fault.at, fault.problem), (9, Problem::Character('ë')));
    }

    #[test]
    fn czmq_has_no_slash_at_an_end_of_a_name() {
        for text in ["/a", "a/ = 1"] {
            assert!(read(text.as_bytes(), Dialect::Rfc).is_ok());
            let fault = read(text.as_bytes(), Dialect::Czmq).unwrap_err();
            assert_eq!((fault.at, fault.problem), (0, Problem::Slash));
        }
    }
}
