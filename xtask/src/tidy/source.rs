//! A Rust file with its comments, strings and test modules blanked, so that what is left can be read word by word.
//!
//! Not a parser: it knows tokens and brackets, which is all that the rules ask about.

use std::ops::Range;

/// One file. Every text below has the same length and the same line breaks.
pub(crate) struct Source {
    pub(crate) path: String,
    /// Code, tests included; comments and the insides of literals are blanks.
    pub(crate) code: String,
    /// [`Source::code`] with `#[cfg(test)]` items blanked too; empty lines only if the whole file is a test.
    pub(crate) shipped: String,
    /// How many lines come before the tests at the bottom of the file.
    pub(crate) shipped_lines: usize,
}

/// A function: its name, its parameters besides the receiver, its lines from `fn` to the closing brace.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Function {
    pub(crate) name: String,
    pub(crate) line: usize,
    pub(crate) lines: usize,
    pub(crate) parameters: usize,
    /// Where `fn` stands in the text.
    pub(crate) at: usize,
    /// From `fn` to the body.
    pub(crate) signature: String,
}

impl Source {
    pub(crate) fn new(path: &str, text: &str) -> Source {
        let code = blank_comments_and_literals(text);
        let shipped = if is_test_file(path) {
            blank(&code, 0, code.len())
        } else {
            blank_test_items(&code)
        };
        let shipped_lines = shipped.trim_end().lines().count();
        Source {
            path: path.to_owned(),
            code,
            shipped,
            shipped_lines,
        }
    }

    /// The crate's folder name under `crates/`, or `xtask`.
    pub(crate) fn room(&self) -> &str {
        let mut parts = self.path.split('/');
        match parts.next() {
            Some("crates") => parts.next().unwrap_or_default(),
            Some(first) => first,
            None => "",
        }
    }
}

/// Files that hold tests only.
pub(crate) fn is_test_file(path: &str) -> bool {
    path.ends_with("/tests.rs") || path.split('/').any(|part| part == "tests")
}

/// The line, counted from one, of a place in the text.
pub(crate) fn line_at(text: &str, at: usize) -> usize {
    text.as_bytes()[..at]
        .iter()
        .filter(|&&octet| octet == b'\n')
        .count()
        + 1
}

/// Where `word` stands as a whole word (or path, such as `thread::sleep`).
pub(crate) fn find_word<'a>(text: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    text.match_indices(word)
        .map(|(at, _)| at)
        .filter(move |&at| {
            let before = text[..at].chars().next_back();
            let after = text[at + word.len()..].chars().next();
            !before.is_some_and(is_word) && !after.is_some_and(is_word)
        })
}

/// Every function with a body in the text.
pub(crate) fn functions(text: &str) -> Vec<Function> {
    find_word(text, "fn")
        .filter_map(|at| function(text, at))
        .collect()
}

/// The place behind the bracket that closes the one at `open`.
pub(crate) fn closing(text: &str, open: usize) -> usize {
    let mut depth = 0usize;
    for (at, octet) in text.bytes().enumerate().skip(open) {
        match octet {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return at + 1;
                }
            }
            _ => {}
        }
    }
    text.len()
}

fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

fn function(text: &str, at: usize) -> Option<Function> {
    let after = at + 2;
    let name_at = after + (text[after..].len() - text[after..].trim_start().len());
    let name: String = text[name_at..]
        .chars()
        .take_while(|&letter| is_word(letter))
        .collect();
    if name.is_empty() {
        return None;
    }
    let open = parameters_open(text, name_at + name.len())?;
    let close = closing(text, open);
    let body = body_open(text, close)?;
    let end = closing(text, body);
    Some(Function {
        line: line_at(text, at),
        lines: text[at..end].lines().count(),
        parameters: count_parameters(&text[open + 1..close - 1]),
        signature: text[at..body].to_owned(),
        at,
        name,
    })
}

/// The opening parenthesis behind the generics, if there are any.
fn parameters_open(text: &str, from: usize) -> Option<usize> {
    let mut angles = 0usize;
    let mut before = b' ';
    for (at, octet) in text.bytes().enumerate().skip(from) {
        match octet {
            b'<' => angles += 1,
            b'>' if before != b'-' => angles = angles.saturating_sub(1),
            b'(' if angles == 0 => return Some(at),
            b'{' | b';' if angles == 0 => return None,
            _ => {}
        }
        before = octet;
    }
    None
}

/// The brace of the body; none for a declaration without one.
fn body_open(text: &str, from: usize) -> Option<usize> {
    let mut at = from;
    while let Some(octet) = text.as_bytes().get(at) {
        match octet {
            b'{' => return Some(at),
            b';' => return None,
            b'(' | b'[' => at = closing(text, at),
            _ => at += 1,
        }
    }
    None
}

fn count_parameters(inside: &str) -> usize {
    let mut parts = vec![String::new()];
    let (mut depth, mut before) = (0i32, ' ');
    for letter in inside.chars() {
        match letter {
            '(' | '[' | '{' | '<' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            '>' if before != '-' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(String::new());
                before = letter;
                continue;
            }
            _ => {}
        }
        before = letter;
        parts
            .last_mut()
            .into_iter()
            .for_each(|part| part.push(letter));
    }
    let is_receiver = |part: &str| {
        let pattern = part.split(':').next().unwrap_or_default().trim();
        pattern == "self" || pattern.ends_with(" self") || pattern == "&self"
    };
    parts
        .iter()
        .filter(|part| !part.trim().is_empty() && !is_receiver(part))
        .count()
}

/// Blanks everything between two places but line breaks.
fn blank(text: &str, from: usize, to: usize) -> String {
    let mut octets = text.as_bytes().to_vec();
    for octet in &mut octets[from..to] {
        if *octet != b'\n' {
            *octet = b' ';
        }
    }
    String::from_utf8(octets).unwrap_or_default()
}

fn blank_test_items(code: &str) -> String {
    let mut shipped = code.to_owned();
    let mut from = 0;
    while let Some(found) = shipped[from..].find("#[cfg(test)]") {
        let at = from + found;
        let end = item_end(&shipped, at + "#[cfg(test)]".len());
        shipped = blank(&shipped, at, end);
        from = end;
    }
    shipped
}

/// The end of the item that starts here: behind its block, or behind its semicolon.
fn item_end(text: &str, from: usize) -> usize {
    let mut at = from;
    while let Some(octet) = text.as_bytes().get(at) {
        match octet {
            b';' => return at + 1,
            b'{' => return closing(text, at),
            b'(' | b'[' => at = closing(text, at),
            _ => at += 1,
        }
    }
    text.len()
}

fn blank_comments_and_literals(text: &str) -> String {
    let octets = text.as_bytes();
    let mut out = octets.to_vec();
    let mut at = 0;
    while at < octets.len() {
        let Some(Opaque { inside, end }) = opaque(octets, at) else {
            at += 1;
            continue;
        };
        for octet in &mut out[inside] {
            if *octet != b'\n' {
                *octet = b' ';
            }
        }
        at = end;
    }
    String::from_utf8(out).unwrap_or_default()
}

/// A comment or a literal: what of it to blank, and where the code goes on.
struct Opaque {
    inside: Range<usize>,
    end: usize,
}

/// The comment or literal that starts here, if one does. The quotes of a literal stay.
fn opaque(octets: &[u8], at: usize) -> Option<Opaque> {
    let comment = |end: usize| Opaque {
        inside: at..end,
        end,
    };
    let literal = |end: usize| Opaque {
        inside: at + 1..(end - 1).max(at + 1),
        end,
    };
    match (octets[at], octets.get(at + 1)) {
        (b'/', Some(b'/')) => Some(comment(line_end(octets, at))),
        (b'/', Some(b'*')) => Some(comment(comment_end(octets, at))),
        (b'"', _) => Some(literal(quoted_end(octets, at))),
        (b'r' | b'b' | b'c', _) if !preceded_by_word(octets, at) => {
            raw_string(octets, at).map(literal)
        }
        (b'\'', _) => character_end(octets, at).map(literal),
        _ => None,
    }
}

fn line_end(octets: &[u8], from: usize) -> usize {
    octets[from..]
        .iter()
        .position(|&octet| octet == b'\n')
        .map_or(octets.len(), |length| from + length)
}

fn comment_end(octets: &[u8], from: usize) -> usize {
    let mut depth = 0usize;
    let mut at = from;
    while at + 1 < octets.len() {
        match &octets[at..at + 2] {
            b"/*" => (depth, at) = (depth + 1, at + 2),
            b"*/" if depth == 1 => return at + 2,
            b"*/" => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
    }
    octets.len()
}

fn quoted_end(octets: &[u8], from: usize) -> usize {
    let mut at = from + 1;
    while at < octets.len() {
        match octets[at] {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    octets.len()
}

/// The end of `r"..."`, `br#"..."#` and the like, if that is what starts here.
fn raw_string(octets: &[u8], from: usize) -> Option<usize> {
    let mut at = from + usize::from(octets[from] != b'r');
    if octets.get(at) != Some(&b'r') {
        return None;
    }
    at += 1;
    let hashes = octets[at..]
        .iter()
        .take_while(|&&octet| octet == b'#')
        .count();
    at += hashes;
    if octets.get(at) != Some(&b'"') {
        return None;
    }
    let close = [&b"\""[..], &b"#".repeat(hashes)].concat();
    let found = octets[at + 1..]
        .windows(close.len())
        .position(|window| window == close)?;
    Some(at + 1 + found + close.len())
}

/// The end of a character literal; none for a lifetime.
fn character_end(octets: &[u8], from: usize) -> Option<usize> {
    if octets.get(from + 1) == Some(&b'\\') {
        let close = octets[from + 3..]
            .iter()
            .position(|&octet| octet == b'\'')?;
        return Some(from + 3 + close + 1);
    }
    let letter = std::str::from_utf8(&octets[from + 1..(from + 5).min(octets.len())])
        .or_else(|error| std::str::from_utf8(&octets[from + 1..from + 1 + error.valid_up_to()]))
        .ok()?;
    let length = letter.chars().next()?.len_utf8();
    (octets.get(from + 1 + length) == Some(&b'\'')).then_some(from + 2 + length)
}

fn preceded_by_word(octets: &[u8], at: usize) -> bool {
    at > 0 && (octets[at - 1].is_ascii_alphanumeric() || octets[at - 1] == b'_')
}

#[cfg(test)]
mod tests;
