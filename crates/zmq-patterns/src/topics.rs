//! Block: which peers hold which prefixes (RFC 29), and whom a message concerns.
//!
//! A set of (prefix, peer) over a radix tree. Each peer also lists the nodes it is in, and each entry of a node knows
//! its place in that list, so that what a peer holds is removed without a look at anything else.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::PeerKey;
use crate::tree::{NodeId, Tree, Value};

/// A peer that holds a prefix.
#[derive(Clone, Copy)]
struct Holder {
    peer: PeerKey,
    /// Where the peer's list has this node.
    place: u32,
}

/// The holders of one prefix, sorted by peer.
#[derive(Default)]
enum Holders {
    #[default]
    Nobody,
    One(Holder),
    /// Boxed: a node stays within one cache line.
    #[expect(clippy::box_collection, reason = "keeps the node small")]
    Many(Box<Vec<Holder>>),
}

impl Value for Holders {
    fn is_empty(&self) -> bool {
        matches!(self, Holders::Nobody)
    }
}

impl Holders {
    #[inline]
    fn as_slice(&self) -> &[Holder] {
        match self {
            Holders::Nobody => &[],
            Holders::One(holder) => core::slice::from_ref(holder),
            Holders::Many(holders) => holders,
        }
    }

    fn get_mut(&mut self, peer: PeerKey) -> Option<&mut Holder> {
        match self {
            Holders::Nobody => None,
            Holders::One(holder) => (holder.peer == peer).then_some(holder),
            Holders::Many(holders) => {
                let at = holders.binary_search_by_key(&peer, |h| h.peer).ok()?;
                holders.get_mut(at)
            }
        }
    }

    fn contains(&self, peer: PeerKey) -> bool {
        let holders = self.as_slice();
        holders.binary_search_by_key(&peer, |h| h.peer).is_ok()
    }

    fn heap(&self) -> usize {
        match self {
            Holders::Nobody | Holders::One(_) => 0,
            Holders::Many(holders) => holders
                .capacity()
                .saturating_mul(size_of::<Holder>())
                .saturating_add(size_of::<Vec<Holder>>()),
        }
    }

    /// The peer is not in it yet.
    fn insert(&mut self, holder: Holder) {
        match self {
            Holders::Nobody => *self = Holders::One(holder),
            Holders::One(other) => {
                let mut both = Vec::with_capacity(2);
                both.extend([*other, holder]);
                both.sort_unstable_by_key(|h| h.peer);
                *self = Holders::Many(Box::new(both));
            }
            Holders::Many(holders) => {
                let at = holders.partition_point(|h| h.peer < holder.peer);
                holders.insert(at, holder);
            }
        }
    }

    fn remove(&mut self, peer: PeerKey) -> Option<Holder> {
        match self {
            Holders::Nobody => None,
            Holders::One(holder) if holder.peer == peer => {
                let holder = *holder;
                *self = Holders::Nobody;
                Some(holder)
            }
            Holders::One(_) => None,
            Holders::Many(holders) => {
                let at = holders.binary_search_by_key(&peer, |h| h.peer).ok()?;
                let gone = holders.remove(at);
                match holders.as_slice() {
                    [only] => *self = Holders::One(*only),
                    few if few.len() < holders.capacity() / 4 => holders.shrink_to_fit(),
                    _ => {}
                }
                Some(gone)
            }
        }
    }
}

/// What one peer holds.
#[derive(Default)]
struct Held {
    nodes: Vec<NodeId>,
    octets: usize,
}

/// What [`Topics::insert`] changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Added {
    /// Nobody held the prefix before.
    First,
    /// Others hold it too.
    Joined,
    /// The peer held it already.
    Already,
}

/// What [`Topics::remove`] changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removed {
    /// Nobody holds the prefix any more.
    Last,
    /// Others still hold it.
    Left,
    /// The peer did not hold it, others do.
    NotHeld,
    /// Nobody held it.
    Unknown,
}

/// A set of (prefix, peer) that answers which peers a topic concerns.
///
/// Peers are small numbers (they index a table).
///
/// ```
/// # use zmq_patterns::{PeerKey, Topics};
/// let mut topics = Topics::new();
/// topics.insert(PeerKey(7), b"weather.");
/// let mut concerned = Vec::new();
/// topics.for_each_match(b"weather.oslo", |peer| concerned.push(peer));
/// assert_eq!(concerned, [PeerKey(7)]);
/// ```
pub struct Topics {
    tree: Tree<Holders>,
    held: Vec<Held>,
    prefixes: usize,
    peers: usize,
    /// Octets held by sets of several holders and by the lists of the peers.
    heap: usize,
}

impl Default for Topics {
    fn default() -> Topics {
        Topics::new()
    }
}

impl Topics {
    /// Nobody holds anything.
    #[must_use]
    pub fn new() -> Topics {
        Topics {
            tree: Tree::new(),
            held: Vec::new(),
            prefixes: 0,
            peers: 0,
            heap: 0,
        }
    }

    /// Distinct prefixes held by anybody.
    #[must_use]
    pub fn len(&self) -> usize {
        self.prefixes
    }

    /// Nobody holds anything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.prefixes == 0
    }

    /// Peers that hold at least one prefix.
    #[must_use]
    pub fn peers(&self) -> usize {
        self.peers
    }

    /// How many prefixes the peer holds, and their octets.
    #[must_use]
    pub fn held(&self, peer: PeerKey) -> (usize, usize) {
        self.held
            .get(peer.0 as usize)
            .map_or((0, 0), |held| (held.nodes.len(), held.octets))
    }

    /// Octets of memory held, counted by capacity.
    #[must_use]
    pub fn memory(&self) -> usize {
        self.tree
            .memory()
            .saturating_add(self.heap)
            .saturating_add(self.held.capacity().saturating_mul(size_of::<Held>()))
    }

    /// The peer holds exactly this prefix.
    #[must_use]
    pub fn contains(&self, peer: PeerKey, topic: &[u8]) -> bool {
        let holders = self.tree.find(topic).and_then(|node| self.tree.value(node));
        holders.is_some_and(|holders| holders.contains(peer))
    }

    /// Lets the peer hold the prefix. `None` if there is no room in the index at all, or the key is above
    /// [`PeerKey::MAX`].
    pub fn insert(&mut self, peer: PeerKey, topic: &[u8]) -> Option<Added> {
        if peer > PeerKey::MAX {
            return None;
        }
        let node = self.tree.insert(topic)?;
        let at = peer.0 as usize;
        if self.held.len() <= at {
            self.held.resize_with(at.saturating_add(1), Held::default);
        }
        let held = self.held.get_mut(at)?;
        let holders = self.tree.value_mut(node)?;
        if holders.contains(peer) {
            return Some(Added::Already);
        }
        let first = holders.is_empty();
        let place = u32::try_from(held.nodes.len()).ok()?;
        let before = holders.heap().saturating_add(list_heap(held));
        holders.insert(Holder { peer, place });
        if held.nodes.len() == held.nodes.capacity() {
            held.nodes.reserve_exact((held.nodes.len() / 4).max(4));
        }
        held.nodes.push(node);
        held.octets = held.octets.saturating_add(topic.len());
        let after = holders.heap().saturating_add(list_heap(held));
        self.heap = self.heap.saturating_add(after).saturating_sub(before);
        if place == 0 {
            self.peers = self.peers.saturating_add(1);
        }
        if first {
            self.prefixes = self.prefixes.saturating_add(1);
            Some(Added::First)
        } else {
            Some(Added::Joined)
        }
    }

    /// Takes the prefix from the peer.
    pub fn remove(&mut self, peer: PeerKey, topic: &[u8]) -> Removed {
        let Some(node) = self.tree.find(topic) else {
            return Removed::Unknown;
        };
        let Some(holders) = self.tree.value_mut(node).filter(|h| !h.is_empty()) else {
            return Removed::Unknown;
        };
        let before = holders.heap();
        let Some(gone) = holders.remove(peer) else {
            return Removed::NotHeld;
        };
        let (last, after) = (holders.is_empty(), holders.heap());
        self.heap = self.heap.saturating_add(after).saturating_sub(before);
        self.unlist(gone, topic.len());
        if !last {
            return Removed::Left;
        }
        self.vacate(node);
        self.compact();
        Removed::Last
    }

    /// Takes everything from the peer; `gone` learns each prefix and whether nobody else holds it. The order is that
    /// of no promise.
    pub fn remove_peer(&mut self, peer: PeerKey, mut gone: impl FnMut(Vec<u8>, bool)) {
        self.clear_peer(peer, |tree, node, last| gone(tree.topic(node), last));
    }

    /// As [`Topics::remove_peer`], for those who do not want to know.
    pub fn forget_peer(&mut self, peer: PeerKey) {
        self.clear_peer(peer, |_, _, _| {});
    }

    /// Calls `concern` with each peer that holds a prefix of `topic`; several times if it holds several.
    #[inline]
    pub fn for_each_match(&self, topic: &[u8], mut concern: impl FnMut(PeerKey)) {
        self.tree.walk(topic, |holders| {
            for holder in holders.as_slice() {
                concern(holder.peer);
            }
            true
        });
    }

    fn clear_peer(&mut self, peer: PeerKey, mut gone: impl FnMut(&Tree<Holders>, NodeId, bool)) {
        let Some(held) = self.held.get_mut(peer.0 as usize) else {
            return;
        };
        let held = core::mem::take(held);
        if !held.nodes.is_empty() {
            self.peers = self.peers.saturating_sub(1);
        }
        self.heap = self.heap.saturating_sub(list_heap(&held));
        for node in held.nodes {
            let Some(holders) = self.tree.value_mut(node) else {
                continue;
            };
            let before = holders.heap();
            holders.remove(peer);
            let (last, after) = (holders.is_empty(), holders.heap());
            self.heap = self.heap.saturating_add(after).saturating_sub(before);
            gone(&self.tree, node, last);
            if last {
                self.vacate(node);
            }
        }
        // Not before: the list above names nodes by number.
        self.compact();
    }

    /// The last holder of `node` is gone.
    fn vacate(&mut self, node: NodeId) {
        self.prefixes = self.prefixes.saturating_sub(1);
        self.tree.prune(node);
    }

    fn compact(&mut self) {
        let lists = &mut self.held;
        self.tree.compact(|holders, id| {
            for holder in holders.as_slice() {
                let list = lists.get_mut(holder.peer.0 as usize);
                if let Some(node) = list.and_then(|held| held.nodes.get_mut(holder.place as usize))
                {
                    *node = id;
                }
            }
        });
    }

    /// Takes an entry out of its peer's list; the last one of the list takes its place.
    fn unlist(&mut self, gone: Holder, octets: usize) {
        let Some(held) = self.held.get_mut(gone.peer.0 as usize) else {
            return;
        };
        let before = list_heap(held);
        let place = gone.place as usize;
        if place < held.nodes.len() {
            held.nodes.swap_remove(place);
        }
        held.octets = held.octets.saturating_sub(octets);
        if held.nodes.len() < held.nodes.capacity() / 4 {
            held.nodes.shrink_to_fit();
        }
        self.heap = self
            .heap
            .saturating_add(list_heap(held))
            .saturating_sub(before);
        if held.nodes.is_empty() {
            self.peers = self.peers.saturating_sub(1);
        }
        let moved = held.nodes.get(place).copied();
        if let Some(holders) = moved.and_then(|node| self.tree.value_mut(node))
            && let Some(holder) = holders.get_mut(gone.peer)
        {
            holder.place = gone.place;
        }
    }
}

fn list_heap(held: &Held) -> usize {
    held.nodes.capacity().saturating_mul(size_of::<NodeId>())
}
