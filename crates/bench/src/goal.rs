//! What is good enough.

use crate::metric::Metric;
use crate::shape::{Kind, Shape};

/// What a value is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Against {
    Libzmq,
    /// The best of the other Rust libraries.
    Rivals,
    /// The machine's own streams.
    Raw,
    /// Nothing: the value itself is bounded, in its own unit.
    Bound,
}

/// What a value has to reach: so many times better than the other, or at most so much.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Goal {
    pub(crate) against: Against,
    pub(crate) least: f64,
}

/// Ratios from here on count as no slower: the machine is never quiet.
const NO_SLOWER: f64 = 0.95;
/// Octets of a connection.
const CONNECTION: f64 = 8.0 * 1024.0;
/// Octets of a subscription, and nanoseconds to find out that it does not match.
const TOPIC: f64 = 160.0;
const MATCH: f64 = 500.0;

fn libzmq(least: f64) -> Goal {
    Goal {
        against: Against::Libzmq,
        least,
    }
}

fn raw(least: f64) -> Goal {
    Goal {
        against: Against::Raw,
        least,
    }
}

fn at_most(least: f64) -> Goal {
    Goal {
        against: Against::Bound,
        least,
    }
}

const AHEAD: Goal = Goal {
    against: Against::Rivals,
    least: 1.0,
};

/// What this side is to reach there.
pub(crate) fn goals(side: &str, shape: &Shape, metric: Metric) -> Vec<Goal> {
    match (shape.kind, shape.transport) {
        _ if side == "capi" => capi(shape),
        (Kind::PushPull, _) if shape.sealed => vec![libzmq(2.0)],
        (Kind::PushPull, "tcp") => stream(shape.size),
        (Kind::PushPull, "inproc") => vec![libzmq(2.5)],
        (Kind::ReqRep, "tcp") => trips(side, metric),
        (Kind::SparseReqRep, _) => vec![libzmq(1.0 / 0.7), raw(1.0 / 1.3)],
        (Kind::PubSub, "tcp") => vec![libzmq(3.0), AHEAD],
        (Kind::Topics, _) if metric == Metric::Match => vec![at_most(MATCH)],
        (Kind::Topics, _) => vec![at_most(TOPIC)],
        (Kind::Crowd, _) if metric == Metric::Octets => vec![at_most(CONNECTION)],
        (Kind::Crowd, _) if metric == Metric::SetUp => vec![libzmq(1.0)],
        _ => vec![libzmq(NO_SLOWER)],
    }
}

fn stream(size: usize) -> Vec<Goal> {
    match size {
        0..=16 => vec![libzmq(3.0), AHEAD],
        17..=256 => vec![libzmq(4.0), AHEAD],
        257..=4096 => vec![libzmq(3.5)],
        _ => vec![libzmq(2.0), raw(0.85)],
    }
}

/// Executors with a reactor on another thread have a hop that the others have not.
fn trips(side: &str, metric: Metric) -> Vec<Goal> {
    let hops = ["tokio", "smol"].contains(&side);
    match metric {
        Metric::P50 if hops => vec![libzmq(2.0)],
        Metric::P50 => vec![libzmq(2.5), raw(1.0 / 1.4)],
        Metric::P999 => vec![libzmq(1.0), raw(0.5)],
        _ => vec![libzmq(NO_SLOWER)],
    }
}

fn capi(shape: &Shape) -> Vec<Goal> {
    let small = shape.kind == Kind::PushPull && shape.transport == "tcp" && shape.size <= 1024;
    vec![libzmq(if small { 2.5 } else { NO_SLOWER })]
}

impl Goal {
    pub(crate) fn text(&self) -> String {
        let least = self.least;
        match self.against {
            Against::Libzmq => format!("{least:.2} of libzmq"),
            Against::Rivals => "ahead of the best rival".to_owned(),
            Against::Raw => format!("{least:.2} of raw"),
            Against::Bound => format!("at most {least}"),
        }
    }
}
