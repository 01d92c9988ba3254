//! A document as text.

use crate::document::Node;
use crate::line::{self, Line};
use crate::{Dialect, Document};
use alloc::string::String;
use core::fmt::{self, Write as _};
use zeroize::Zeroizing;

/// What cannot be written in the dialect. It does not hold the value, which may be secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrintError {
    /// The name of the property; empty for a comment that belongs to none.
    pub name: String,
    /// What does not fit.
    pub unfit: Unfit,
}

/// What does not fit into the language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unfit {
    /// The name is empty, or has a character that names do not have.
    Name,
    /// The first name of a text without a comment above begins with neither a letter nor a digit.
    Beginning,
    /// The value has a character the dialect does not have, or quotes of both kinds in a way that cannot be told from enclosing ones.
    Value,
    /// The comment has a character the dialect does not have.
    Comment,
}

impl fmt::Display for PrintError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = &self.name;
        match self.unfit {
            Unfit::Name => write!(
                out,
                "{name:?} is no name, expected letters, digits and $-_@.&+/"
            ),
            Unfit::Beginning => write!(
                out,
                "a text cannot begin with {name:?}, expected a letter, a digit or a comment"
            ),
            Unfit::Value => write!(
                out,
                "the value of {name:?} cannot be written, expected printable characters and quotes of one kind"
            ),
            Unfit::Comment => out.write_str("a comment has characters that are not printable"),
        }
    }
}

impl core::error::Error for PrintError {}

/// How a value stands on its line.
#[derive(Clone, Copy)]
enum Style {
    Bare,
    Double,
    Single,
}

impl Document {
    /// The text of the document; read in the same dialect it gives the same document. Wiped when dropped.
    ///
    /// # Errors
    /// [`PrintError`] when something in it, put there by a program or read in the other dialect, cannot be written in this one.
    pub fn to_text(&self, dialect: Dialect) -> Result<Zeroizing<String>, PrintError> {
        let mut text = Zeroizing::new(String::with_capacity(self.room()));
        for comment in &self.banner {
            print_comment(&mut text, 0, comment, dialect)?;
        }
        if !self.banner.is_empty() && !self.nodes.is_empty() {
            text.push('\n');
        }
        if let Some(first) = self.nodes.first()
            && self.banner.is_empty()
            && dialect == Dialect::Rfc
            && !first
                .name
                .starts_with(|letter: char| letter.is_ascii_alphanumeric())
        {
            return Err(unfit(&first.name, Unfit::Beginning));
        }
        for node in &self.nodes {
            for comment in &node.above {
                print_comment(&mut text, node.level, comment, dialect)?;
            }
            print_node(&mut text, node, dialect)?;
        }
        for comment in &self.tail {
            print_comment(&mut text, 0, comment, dialect)?;
        }
        Ok(text)
    }

    /// Octets that the text has at most: it must not grow and leave copies of secrets behind.
    fn room(&self) -> usize {
        let comments = self.banner.iter().chain(&self.tail);
        let nodes = self.nodes.iter().map(|node| {
            let indent = indentation(node.level);
            let above = node
                .above
                .iter()
                .map(|comment| comment.len().saturating_add(indent).saturating_add(2));
            line_room(node).saturating_add(above.sum())
        });
        comments
            .map(|comment| comment.len().saturating_add(2))
            .chain(nodes)
            .fold(1, usize::saturating_add)
    }
}

fn indentation(level: usize) -> usize {
    level.saturating_mul(line::STEP)
}

/// Octets of the longest way to print a property: indentation, name, ` = `, quotes, ` #`, end of the line.
fn line_room(node: &Node) -> usize {
    let value = node.value.as_ref().map_or(0, |value| value.len());
    let comment = node.comment.as_ref().map_or(0, String::len);
    [indentation(node.level), node.name.len(), value, comment, 8]
        .into_iter()
        .fold(0, usize::saturating_add)
}

fn unfit(name: &str, unfit: Unfit) -> PrintError {
    PrintError {
        name: name.into(),
        unfit,
    }
}

fn print_comment(
    text: &mut String,
    level: usize,
    comment: &str,
    dialect: Dialect,
) -> Result<(), PrintError> {
    let start = text.len();
    // Writing to a string cannot fail.
    let _ = write!(text, "{:1$}#{comment}", "", indentation(level));
    let printed = text.as_bytes().get(start..).unwrap_or_default();
    if !matches!(line::read(printed, dialect), Ok(Line::Comment(_))) {
        return Err(unfit("", Unfit::Comment));
    }
    text.push('\n');
    Ok(())
}

/// Prints in the first style that the dialect's own reader reads back as what was meant.
fn print_node(text: &mut String, node: &Node, dialect: Dialect) -> Result<(), PrintError> {
    let value = node.value.as_ref().map(|value| value.as_str());
    let styles = match (dialect, value) {
        (Dialect::Rfc, Some(value)) if !value.is_empty() => {
            [Style::Bare, Style::Double, Style::Single]
        }
        _ => [Style::Double, Style::Single, Style::Bare],
    };
    let mut line = Zeroizing::new(String::with_capacity(line_room(node)));
    for style in styles {
        line.clear();
        write_node(&mut line, node, style);
        let met = line::read(line.as_bytes(), dialect);
        let reads_back = matches!(
            met,
            Ok(Line::Property { level, name, value: met, comment })
                if level == node.level
                    && name == node.name
                    && met == value
                    && comment == node.comment.as_deref().map(trimmed)
        );
        if reads_back {
            text.push_str(&line);
            text.push('\n');
            return Ok(());
        }
    }
    Err(unfit(&node.name, blame(node, dialect)))
}

/// Blanks at the end of a line are nothing.
fn trimmed(comment: &str) -> &str {
    comment.trim_end_matches([' ', '\t'])
}

fn write_node(line: &mut String, node: &Node, style: Style) {
    let quote = match style {
        Style::Bare => "",
        Style::Double => "\"",
        Style::Single => "'",
    };
    // Writing to a string cannot fail.
    let _ = write!(line, "{:1$}{2}", "", indentation(node.level), node.name);
    if let Some(value) = &node.value {
        let _ = write!(line, " = {quote}{}{quote}", value.as_str());
    }
    if let Some(comment) = &node.comment {
        let _ = write!(line, " #{}", trimmed(comment));
    }
}

/// What of a property that cannot be printed is at fault.
fn blame(node: &Node, dialect: Dialect) -> Unfit {
    let alone = line::read(node.name.as_bytes(), dialect);
    let named = matches!(alone, Ok(Line::Property { name, .. }) if name == node.name);
    if !named {
        return Unfit::Name;
    }
    let comment = node.comment.as_deref().unwrap_or_default();
    let mut line = String::from("#");
    line.push_str(trimmed(comment));
    match line::read(line.as_bytes(), dialect) {
        Ok(_) => Unfit::Value,
        Err(_) => Unfit::Comment,
    }
}
