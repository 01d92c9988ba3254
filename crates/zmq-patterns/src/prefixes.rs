//! Block: what we subscribe to ourselves (RFC 29): prefixes, each with a count.

use bytes::Bytes;

use crate::tree::{Tree, Value};

#[derive(Default)]
struct Count(u32);

impl Value for Count {
    fn is_empty(&self) -> bool {
        self.0 == 0
    }
}

/// A multiset of prefixes that answers whether a topic begins with one of them.
pub struct Prefixes {
    tree: Tree<Count>,
    distinct: usize,
}

impl Default for Prefixes {
    fn default() -> Prefixes {
        Prefixes::new()
    }
}

impl Prefixes {
    /// The empty multiset; it matches nothing.
    #[must_use]
    pub fn new() -> Prefixes {
        Prefixes {
            tree: Tree::new(),
            distinct: 0,
        }
    }

    /// Distinct prefixes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.distinct
    }

    /// There are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.distinct == 0
    }

    /// Octets of memory held, counted by capacity.
    #[must_use]
    pub fn memory(&self) -> usize {
        self.tree.memory()
    }

    /// Counts the prefix once more. `false` if there is no room in the index at all.
    pub fn insert(&mut self, topic: &[u8]) -> bool {
        let Some(node) = self.tree.insert(topic) else {
            return false;
        };
        if let Some(count) = self.tree.value_mut(node) {
            if count.0 == 0 {
                self.distinct = self.distinct.saturating_add(1);
            }
            count.0 = count.0.saturating_add(1);
        }
        true
    }

    /// Counts the prefix once less; `true` if that was the last time.
    pub fn remove(&mut self, topic: &[u8]) -> bool {
        let Some(node) = self.tree.find(topic) else {
            return false;
        };
        match self.tree.value_mut(node) {
            Some(Count(count @ 1)) => {
                *count = 0;
                self.distinct = self.distinct.saturating_sub(1);
                self.tree.prune(node);
                self.tree.compact(|_, _| {});
                true
            }
            Some(Count(count)) => {
                *count = count.saturating_sub(1);
                false
            }
            None => false,
        }
    }

    /// One of the prefixes is a prefix of `topic`.
    #[inline]
    #[must_use]
    pub fn matches(&self, topic: &[u8]) -> bool {
        let mut found = false;
        self.tree.walk(topic, |count| {
            found = !count.is_empty();
            !found
        });
        found
    }

    /// The first prefix in byte order, or the first one after `previous`.
    #[must_use]
    pub fn after(&self, previous: Option<&[u8]>) -> Option<Bytes> {
        let node = self.tree.after(previous)?;
        Some(Bytes::from(self.tree.topic(node)))
    }
}
