//! The tree of properties.

use crate::{Dialect, Error, Limits, Parser};
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use zeroize::Zeroizing;

/// A property as it stands in the list of all: its children are those behind it that are deeper, up to the next that is not.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Node {
    pub(crate) level: usize,
    pub(crate) name: String,
    pub(crate) value: Option<Zeroizing<String>>,
    /// The comment behind it on its line.
    pub(crate) comment: Option<String>,
    /// The lines of comment above it.
    pub(crate) above: Vec<String>,
}

/// Properties in their order, with their comments. Comments are kept without their `#`; empty lines and the choice of quotes are not kept.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Document {
    /// Comments above the first property.
    pub(crate) banner: Vec<String>,
    /// Every property, parents before their children. Each level is at most one more than the one before.
    pub(crate) nodes: Vec<Node>,
    /// Comments below the last property.
    pub(crate) tail: Vec<String>,
}

impl Document {
    /// A document of nothing.
    #[must_use]
    pub fn new() -> Document {
        Document::default()
    }

    /// Reads a whole text within [`Limits::DEFAULT`].
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn parse(text: &[u8], dialect: Dialect) -> Result<Document, Error> {
        let mut parser = Parser::new(dialect, Limits::DEFAULT);
        parser.feed(text)?;
        parser.finish()
    }

    /// The value of the first property at a path of names with `/` between. `None` when there is no such property or it has no value.
    #[must_use]
    pub fn get(&self, path: &str) -> Option<&str> {
        self.find(path)?.value()
    }

    /// The first property at a path of names with `/` between. Of several with the same name only the first is followed, as in CZMQ.
    #[must_use]
    pub fn find(&self, path: &str) -> Option<Property<'_>> {
        let mut properties = self.properties();
        let mut found = None;
        for name in names(path) {
            let property = properties.find(|property| property.name() == name)?;
            properties = property.children();
            found = Some(property);
        }
        found
    }

    /// The properties that are not indented, in order.
    #[must_use]
    pub fn properties(&self) -> Properties<'_> {
        Properties {
            rest: &self.nodes,
            level: 0,
        }
    }

    /// The number of properties, on every level.
    #[must_use]
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there is no property.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// The lines of comment above the first property, without their `#`.
    #[must_use]
    pub fn banner(&self) -> &[String] {
        &self.banner
    }

    /// Adds a line of comment above the first property.
    pub fn push_banner(&mut self, comment: impl Into<String>) {
        self.banner.push(comment.into());
    }

    /// Gives the first property at a path a value; it is made, with the sections above it, where it does not exist. An empty path does
    /// nothing. Whether names and values can be printed is seen when they are.
    pub fn put(&mut self, path: &str, value: impl Into<String>) {
        let value = Zeroizing::new(value.into());
        let place = self.make(path);
        if let Some(node) = place.and_then(|at| self.nodes.get_mut(at)) {
            node.value = Some(value);
        }
    }

    /// Makes the property at a path, with the sections above it, where it does not exist.
    pub fn section(&mut self, path: &str) {
        self.make(path);
    }

    /// Adds a property as the last child of the first one at the path `parent` (which is made where it does not exist; empty: on the first
    /// level), even when there is one of that name.
    pub fn add(&mut self, parent: &str, name: impl Into<String>, value: Option<&str>) {
        let parent = self.make(parent);
        let at = self.end(parent);
        let mut node = Node::new(self.level_below(parent), name.into());
        node.value = value.map(|value| Zeroizing::new(value.into()));
        self.nodes.insert(at, node);
    }

    /// Adds what was read last.
    pub(crate) fn append(&mut self, mut node: Node, above: Vec<String>) {
        if self.nodes.is_empty() {
            self.banner = above;
        } else {
            node.above = above;
        }
        self.nodes.push(node);
    }

    /// Adds the comments that nothing follows.
    pub(crate) fn close(&mut self, comments: Vec<String>) {
        if self.nodes.is_empty() {
            self.banner = comments;
        } else {
            self.tail = comments;
        }
    }

    /// The deepest level that a next property can have.
    pub(crate) fn deepest_child(&self) -> usize {
        self.nodes
            .last()
            .map_or(0, |last| last.level.saturating_add(1))
    }

    /// The place of the first property at a path, made if need be.
    fn make(&mut self, path: &str) -> Option<usize> {
        let mut parent = None;
        for name in names(path) {
            let level = self.level_below(parent);
            let start = first_child(parent);
            let end = self.end(parent);
            let inside = self.nodes.get(start..end).unwrap_or_default();
            let found = inside
                .iter()
                .position(|node| node.level == level && node.name == name);
            parent = Some(match found {
                Some(offset) => start.saturating_add(offset),
                None => {
                    self.nodes.insert(end, Node::new(level, name.into()));
                    end
                }
            });
        }
        parent
    }

    fn level_below(&self, parent: Option<usize>) -> usize {
        let parent = parent.and_then(|at| self.nodes.get(at));
        parent.map_or(0, |node| node.level.saturating_add(1))
    }

    /// The place behind the last descendant of `parent`.
    fn end(&self, parent: Option<usize>) -> usize {
        let level = self.level_below(parent);
        let start = first_child(parent);
        let behind = self.nodes.get(start..).unwrap_or_default();
        let inside = behind.iter().take_while(|node| node.level >= level).count();
        start.saturating_add(inside)
    }
}

fn first_child(parent: Option<usize>) -> usize {
    parent.map_or(0, |at| at.saturating_add(1))
}

fn names(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|name| !name.is_empty())
}

impl Node {
    fn new(level: usize, name: String) -> Node {
        Node {
            level,
            name,
            value: None,
            comment: None,
            above: Vec::new(),
        }
    }
}

impl fmt::Debug for Document {
    /// Names only: values may be secret.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Document ")?;
        let names = self.nodes.iter().map(|node| (node.level, &node.name));
        out.debug_list().entries(names).finish()
    }
}

/// A property of a [`Document`].
#[derive(Clone, Copy)]
pub struct Property<'a> {
    node: &'a Node,
    /// What stands behind it in the document.
    behind: &'a [Node],
}

impl<'a> Property<'a> {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &'a str {
        &self.node.name
    }

    /// Its value. `None` when nothing was said of one; `Some("")` when an empty one was given.
    #[must_use]
    pub fn value(&self) -> Option<&'a str> {
        self.node.value.as_ref().map(|value| value.as_str())
    }

    /// The comment behind it on its line, without its `#`.
    #[must_use]
    pub fn comment(&self) -> Option<&'a str> {
        self.node.comment.as_deref()
    }

    /// The lines of comment above it, without their `#`; those above the first property are the [`Document::banner`].
    #[must_use]
    pub fn comments_above(&self) -> &'a [String] {
        &self.node.above
    }

    /// Its children, in order.
    #[must_use]
    pub fn children(&self) -> Properties<'a> {
        Properties {
            rest: self.behind,
            level: self.node.level.saturating_add(1),
        }
    }
}

impl fmt::Debug for Property<'_> {
    /// The name only: values may be secret.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Property({})", self.node.name)
    }
}

/// Properties with the same parent, in order.
#[derive(Clone)]
pub struct Properties<'a> {
    rest: &'a [Node],
    level: usize,
}

impl<'a> Iterator for Properties<'a> {
    type Item = Property<'a>;

    fn next(&mut self) -> Option<Property<'a>> {
        loop {
            let (node, behind) = self.rest.split_first()?;
            if node.level < self.level {
                self.rest = &[];
                return None;
            }
            self.rest = behind;
            if node.level == self.level {
                return Some(Property { node, behind });
            }
        }
    }
}

impl core::iter::FusedIterator for Properties<'_> {}

impl fmt::Debug for Properties<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_list().entries(self.clone()).finish()
    }
}
