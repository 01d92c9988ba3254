//! Metadata of a connection, as a value.

use alloc::boxed::Box;
use alloc::vec::Vec;
use bytes::Bytes;

/// What is known of the connection a message came from: names and values, in the order they arrived.
///
/// Names compare without regard to ASCII case (RFC 37). When a name occurs twice the first one counts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Properties(Vec<(Box<str>, Bytes)>);

impl Properties {
    /// No properties.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// The value of the first property of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Bytes> {
        self.0
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    /// Appends a property.
    pub fn push(&mut self, name: &str, value: impl Into<Bytes>) {
        self.0.push((name.into(), value.into()));
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Bytes)> {
        self.0.iter().map(|(name, value)| (&**name, value))
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<N: AsRef<str>, V: Into<Bytes>> FromIterator<(N, V)> for Properties {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(iter: I) -> Self {
        Self(
            iter.into_iter()
                .map(|(name, value)| (name.as_ref().into(), value.into()))
                .collect(),
        )
    }
}
