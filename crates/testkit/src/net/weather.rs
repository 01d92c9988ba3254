//! What the network does to what passes through it.

use std::time::Duration;

/// How a network behaves. Connections take what holds when they are made.
#[derive(Clone, Debug)]
pub struct Weather {
    /// The most octets one write takes; `None` takes all there is room for.
    pub write: Option<usize>,
    /// The most octets one read gives; `None` gives all there is.
    pub read: Option<usize>,
    /// Whether reads and writes take a random part of their most, instead of the most.
    pub random_parts: bool,
    /// Octets under way in one direction before a writer has to wait. A framed stream takes one unit more.
    pub room: usize,
    /// The longest time octets are under way.
    pub delay: Duration,
    /// Connection attempts refused, of a hundred.
    pub refused: u64,
    /// Links that are cut after a random number of octets, of a hundred.
    pub cut: u64,
    /// The most octets before such a cut.
    pub cut_within: u64,
    /// Call wakers only when something becomes ready that was not, as an edge-triggered poller does. Otherwise they are
    /// called also when a read or write has left something.
    pub edges_only: bool,
}

impl Default for Weather {
    fn default() -> Weather {
        Weather {
            write: None,
            read: None,
            random_parts: false,
            room: 64 * 1024,
            delay: Duration::ZERO,
            refused: 0,
            cut: 0,
            cut_within: 4_096,
            edges_only: true,
        }
    }
}

impl Weather {
    /// One octet at a time, both ways.
    #[must_use]
    pub fn drip() -> Weather {
        Weather {
            write: Some(1),
            read: Some(1),
            ..Weather::default()
        }
    }

    /// Parts of any size, little room, delays; nothing is lost.
    #[must_use]
    pub fn rough() -> Weather {
        Weather {
            write: Some(700),
            read: Some(300),
            random_parts: true,
            room: 1_500,
            delay: Duration::from_millis(3),
            ..Weather::default()
        }
    }

    /// Rough, and links are refused and cut.
    #[must_use]
    pub fn storm() -> Weather {
        Weather {
            refused: 20,
            cut: 60,
            cut_within: 3_000,
            ..Weather::rough()
        }
    }
}
