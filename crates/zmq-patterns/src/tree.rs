//! A radix tree of octet strings in an arena.
//!
//! Every node is a prefix; its label is what it adds to its parent's. Invariants:
//! - node 0 is the root, with an empty label, and is never removed;
//! - the children of a node begin with different octets and are sorted by them;
//! - a node other than the root has a value or a child; one without a value and with a single child exists only
//!   where the joined label would pass [`Label::MAX`];
//! - the number of a node stays the same until it is removed or [`Tree::compact`] reports that it moved.
//!
//! No operation recurses, dropping included: the depth of a tree is chosen by strangers.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::label::Label;

pub(crate) type NodeId = u32;
const ROOT: NodeId = 0;
/// Below this many nodes the arena is never rebuilt.
const COMPACT_FROM: usize = 1024;

/// What a tree keeps at a prefix.
pub(crate) trait Value: Default {
    /// Nothing is kept here; the node may go.
    fn is_empty(&self) -> bool;
}

#[derive(Clone, Copy)]
struct Child {
    first: u8,
    id: NodeId,
}

/// One cache line: a step down a large tree costs a miss for the node and one for the list of its children.
#[repr(align(64))]
struct Node<V> {
    parent: NodeId,
    label: Label,
    children: Box<[Child]>,
    value: V,
}

impl<V: Value> Default for Node<V> {
    fn default() -> Node<V> {
        Node {
            parent: ROOT,
            label: Label::default(),
            children: Box::default(),
            value: V::default(),
        }
    }
}

impl<V> Node<V> {
    #[inline]
    fn child(&self, first: u8) -> Option<NodeId> {
        if self.children.len() <= 16 {
            return self
                .children
                .iter()
                .find(|child| child.first == first)
                .map(|child| child.id);
        }
        let at = self
            .children
            .binary_search_by_key(&first, |child| child.first)
            .ok()?;
        self.children.get(at).map(|child| child.id)
    }
}

/// Prefixes, each with a value.
pub(crate) struct Tree<V> {
    nodes: Vec<Node<V>>,
    free: Vec<NodeId>,
    /// Octets held outside the arena by labels and child lists.
    heap: usize,
}

impl<V: Value> Tree<V> {
    pub(crate) fn new() -> Tree<V> {
        let mut nodes = Vec::new();
        nodes.reserve_exact(1);
        nodes.push(Node::default());
        Tree {
            nodes,
            free: Vec::new(),
            heap: 0,
        }
    }

    /// Octets of memory held, by capacity.
    pub(crate) fn memory(&self) -> usize {
        let nodes = self.nodes.capacity().saturating_mul(size_of::<Node<V>>());
        let free = self.free.capacity().saturating_mul(size_of::<NodeId>());
        nodes.saturating_add(free).saturating_add(self.heap)
    }

    pub(crate) fn value(&self, id: NodeId) -> Option<&V> {
        self.nodes.get(id as usize).map(|node| &node.value)
    }

    pub(crate) fn value_mut(&mut self, id: NodeId) -> Option<&mut V> {
        self.nodes.get_mut(id as usize).map(|node| &mut node.value)
    }

    /// Calls `visit` with the value of every prefix of `topic`, shortest first, until it answers `false`.
    #[inline]
    pub(crate) fn walk<'a>(&'a self, topic: &[u8], mut visit: impl FnMut(&'a V) -> bool) {
        let mut rest = topic;
        let Some(mut node) = self.nodes.first() else {
            return;
        };
        while visit(&node.value) {
            let Some(&first) = rest.first() else { return };
            let next = node.child(first).and_then(|id| self.nodes.get(id as usize));
            let Some(next) = next else { return };
            let Some(after) = rest.strip_prefix(next.label.octets()) else {
                return;
            };
            rest = after;
            node = next;
        }
    }

    /// The node of exactly `topic`.
    pub(crate) fn find(&self, topic: &[u8]) -> Option<NodeId> {
        let (mut at, mut rest) = (ROOT, topic);
        while let Some(&first) = rest.first() {
            at = self.nodes.get(at as usize)?.child(first)?;
            rest = rest.strip_prefix(self.nodes.get(at as usize)?.label.octets())?;
        }
        Some(at)
    }

    /// The node of exactly `topic`, made if it is missing. `None` when the arena has no numbers left.
    ///
    /// The caller stores a value in it or calls [`Tree::prune`].
    pub(crate) fn insert(&mut self, topic: &[u8]) -> Option<NodeId> {
        let (mut at, mut rest) = (ROOT, topic);
        while let Some(&first) = rest.first() {
            let Some(next) = self.nodes.get(at as usize)?.child(first) else {
                at = self.append(at, rest)?;
                rest = rest.get(Label::MAX..).unwrap_or(&[]);
                continue;
            };
            let label = self.nodes.get(next as usize)?.label.octets();
            let common = label.iter().zip(rest).take_while(|(a, b)| a == b).count();
            at = if common == label.len() {
                next
            } else {
                self.split(next, common)?
            };
            rest = rest.get(common..)?;
        }
        Some(at)
    }

    /// Removes the node if it holds nothing, and what is then useless above it.
    pub(crate) fn prune(&mut self, id: NodeId) {
        let mut at = id;
        while at != ROOT {
            let Some(node) = self.nodes.get(at as usize) else {
                return;
            };
            if !node.value.is_empty() {
                return;
            }
            let parent = node.parent;
            match node.children.as_ref() {
                [] => {
                    let first = node.label.octets().first().copied().unwrap_or_default();
                    self.remove_child(parent, first);
                    self.release(at);
                    at = parent;
                }
                [only] => return self.join(at, only.id),
                _ => return,
            }
        }
    }

    /// The octets of the prefix that `id` stands for.
    pub(crate) fn topic(&self, id: NodeId) -> Vec<u8> {
        let mut length = 0usize;
        let mut at = id;
        while let Some(node) = self.nodes.get(at as usize).filter(|_| at != ROOT) {
            length = length.saturating_add(node.label.octets().len());
            at = node.parent;
        }
        let mut topic = alloc::vec![0; length];
        let mut end = length;
        at = id;
        while let Some(node) = self.nodes.get(at as usize).filter(|_| at != ROOT) {
            let label = node.label.octets();
            let start = end.saturating_sub(label.len());
            if let Some(home) = topic.get_mut(start..end) {
                home.copy_from_slice(label);
            }
            end = start;
            at = node.parent;
        }
        topic
    }

    /// The first node with a value in byte order, or the first one after `previous`.
    pub(crate) fn after(&self, previous: Option<&[u8]>) -> Option<NodeId> {
        let Some(previous) = previous else {
            return self.first_below(ROOT);
        };
        let (mut at, mut rest) = (ROOT, previous);
        while let Some(&first) = rest.first() {
            let Some(next) = self.nodes.get(at as usize)?.child(first) else {
                return self.after_child(at, first);
            };
            let label = self.nodes.get(next as usize)?.label.octets();
            match rest.strip_prefix(label) {
                Some(after) => {
                    at = next;
                    rest = after;
                }
                None if label > rest => return self.first_below(next),
                None => return self.after_child(at, first),
            }
        }
        match self.nodes.get(at as usize)?.children.first() {
            Some(child) => self.first_below(child.id),
            None => self.after_subtree(at),
        }
    }

    /// Rebuilds the arena when most of it is unused and gives the rest back. `moved` learns the new number of each
    /// value that moved. Its cost is paid for by the removals before it.
    pub(crate) fn compact(&mut self, mut moved: impl FnMut(&V, NodeId)) {
        let live = self.nodes.len().saturating_sub(self.free.len());
        if self.nodes.len() < COMPACT_FROM || live > self.nodes.len() / 4 {
            return;
        }
        let mut free = core::mem::take(&mut self.free);
        free.sort_unstable();
        let (holes, gone) = free.split_at(free.partition_point(|id| (*id as usize) < live));
        let mut gone = gone.iter().peekable();
        let mut holes = holes.iter();
        for from in live..self.nodes.len() {
            if gone.next_if(|id| **id as usize == from).is_some() {
                continue;
            }
            if let (Some(&to), Ok(from)) = (holes.next(), NodeId::try_from(from)) {
                self.relocate(from, to);
                if let Some(value) = self.value(to) {
                    moved(value, to);
                }
            }
        }
        self.nodes.truncate(live);
        self.nodes.shrink_to_fit();
    }

    fn relocate(&mut self, from: NodeId, to: NodeId) {
        let Some(node) = self.nodes.get_mut(from as usize).map(core::mem::take) else {
            return;
        };
        let first = node.label.octets().first().copied().unwrap_or_default();
        self.replace_child(node.parent, first, to);
        for child in &node.children {
            if let Some(child) = self.nodes.get_mut(child.id as usize) {
                child.parent = to;
            }
        }
        if let Some(home) = self.nodes.get_mut(to as usize) {
            *home = node;
        }
    }

    fn allocate(&mut self, node: Node<V>) -> Option<NodeId> {
        self.heap = self.heap.saturating_add(outside(&node));
        if let Some(id) = self.free.pop() {
            *self.nodes.get_mut(id as usize)? = node;
            return Some(id);
        }
        let id = NodeId::try_from(self.nodes.len())
            .ok()
            .filter(|id| *id < NodeId::MAX)?;
        if self.nodes.len() == self.nodes.capacity() {
            // An eighth at a time: doubling would leave up to half of a large arena unused.
            self.nodes.reserve_exact((self.nodes.len() / 8).max(8));
        }
        self.nodes.push(node);
        Some(id)
    }

    fn release(&mut self, id: NodeId) {
        if let Some(node) = self.nodes.get_mut(id as usize) {
            let node = core::mem::take(node);
            self.heap = self.heap.saturating_sub(outside(&node));
            self.free.push(id);
        }
    }

    /// A new child of `parent` with as much of `rest` as a label holds.
    fn append(&mut self, parent: NodeId, rest: &[u8]) -> Option<NodeId> {
        let id = self.allocate(Node {
            parent,
            label: Label::new(rest),
            ..Node::default()
        })?;
        self.add_child(parent, rest.first().copied()?, id);
        Some(id)
    }

    /// Puts a new node above `below` that takes the first `at` octets of its label.
    fn split(&mut self, below: NodeId, at: usize) -> Option<NodeId> {
        let node = self.nodes.get(below as usize)?;
        let parent = node.parent;
        let (upper, lower) = node.label.octets().split_at_checked(at)?;
        let (first, second) = (*upper.first()?, *lower.first()?);
        let (upper, lower) = (Label::new(upper), Label::new(lower));
        let middle = self.allocate(Node {
            parent,
            label: upper,
            children: Box::new([Child {
                first: second,
                id: below,
            }]),
            value: V::default(),
        })?;
        self.set_label(below, lower, middle);
        self.replace_child(parent, first, middle);
        Some(middle)
    }

    /// Gives the label of `above`, which has no value, to its only child `below`.
    fn join(&mut self, above: NodeId, below: NodeId) {
        let (Some(upper), Some(lower)) = (
            self.nodes.get(above as usize),
            self.nodes.get(below as usize),
        ) else {
            return;
        };
        let parent = upper.parent;
        let (upper, lower) = (upper.label.octets(), lower.label.octets());
        if upper.len().saturating_add(lower.len()) > Label::MAX {
            return;
        }
        let mut octets = [0; Label::MAX];
        let mut length = 0usize;
        for (home, octet) in octets.iter_mut().zip(upper.iter().chain(lower)) {
            *home = *octet;
            length = length.saturating_add(1);
        }
        let first = octets.first().copied().unwrap_or_default();
        let label = Label::new(octets.get(..length).unwrap_or_default());
        self.set_label(below, label, parent);
        self.replace_child(parent, first, below);
        self.release(above);
    }

    fn set_label(&mut self, id: NodeId, label: Label, parent: NodeId) {
        if let Some(node) = self.nodes.get_mut(id as usize) {
            let before = node.label.heap_octets();
            let after = label.heap_octets();
            self.heap = self.heap.saturating_sub(before).saturating_add(after);
            node.label = label;
            node.parent = parent;
        }
    }

    fn add_child(&mut self, parent: NodeId, first: u8, id: NodeId) {
        let Some(node) = self.nodes.get_mut(parent as usize) else {
            return;
        };
        let at = node.children.partition_point(|child| child.first < first);
        let mut children = Vec::with_capacity(node.children.len().saturating_add(1));
        children.extend_from_slice(node.children.get(..at).unwrap_or_default());
        children.push(Child { first, id });
        children.extend_from_slice(node.children.get(at..).unwrap_or_default());
        node.children = children.into_boxed_slice();
        self.heap = self.heap.saturating_add(size_of::<Child>());
    }

    fn remove_child(&mut self, parent: NodeId, first: u8) {
        let Some(node) = self.nodes.get_mut(parent as usize) else {
            return;
        };
        let before = node.children.len();
        node.children = node
            .children
            .iter()
            .filter(|child| child.first != first)
            .copied()
            .collect();
        let gone = before.saturating_sub(node.children.len());
        self.heap = self
            .heap
            .saturating_sub(gone.saturating_mul(size_of::<Child>()));
    }

    fn replace_child(&mut self, parent: NodeId, first: u8, id: NodeId) {
        let children = self.nodes.get_mut(parent as usize);
        let mut children = children.into_iter().flat_map(|node| &mut node.children);
        if let Some(child) = children.find(|child| child.first == first) {
            child.id = id;
        }
    }

    /// The first node with a value at or below `id`.
    fn first_below(&self, id: NodeId) -> Option<NodeId> {
        let mut at = id;
        loop {
            let node = self.nodes.get(at as usize)?;
            if !node.value.is_empty() {
                return Some(at);
            }
            at = node.children.first()?.id;
        }
    }

    /// The first node with a value below a later child of `parent` than `first`, or after `parent`.
    fn after_child(&self, parent: NodeId, first: u8) -> Option<NodeId> {
        let children = &self.nodes.get(parent as usize)?.children;
        let at = children.partition_point(|child| child.first <= first);
        match children.get(at) {
            Some(child) => self.first_below(child.id),
            None => self.after_subtree(parent),
        }
    }

    fn after_subtree(&self, id: NodeId) -> Option<NodeId> {
        let mut at = id;
        while at != ROOT {
            let node = self.nodes.get(at as usize)?;
            let first = *node.label.octets().first()?;
            let siblings = &self.nodes.get(node.parent as usize)?.children;
            let next = siblings.partition_point(|child| child.first <= first);
            if let Some(sibling) = siblings.get(next) {
                return self.first_below(sibling.id);
            }
            at = node.parent;
        }
        None
    }
}

fn outside<V>(node: &Node<V>) -> usize {
    let children = node.children.len().saturating_mul(size_of::<Child>());
    children.saturating_add(node.label.heap_octets())
}
