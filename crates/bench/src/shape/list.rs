//! Which shapes there are.

use super::{Kind, Shape};

/// Sizes of messages in octets, for throughput.
const SIZES: [usize; 7] = [16, 64, 256, 1024, 4096, 65_536, 1_048_576];
/// The same for sealed traffic.
const SEALED_SIZES: [usize; 3] = [64, 1024, 65_536];
/// The same for libzmq's own programs.
const PERF_SIZES: [usize; 5] = [16, 64, 256, 1024, 65_536];
/// How many the many are.
const MANY: u64 = 100;
const CROWD: u64 = 5000;
/// Subscriptions of one subscriber.
const TOPICS: [u64; 3] = [1, 10_000, 1_000_000];
/// What a topic of the list is long.
const TOPIC_OCTETS: usize = 19;

fn shape(kind: Kind, transport: &'static str, size: usize) -> Shape {
    let peers = match kind {
        Kind::PubSub | Kind::PushMany | Kind::ManyPush => MANY,
        Kind::Crowd => CROWD,
        _ => 1,
    };
    Shape {
        kind,
        transport,
        size,
        sealed: false,
        peers,
    }
}

fn throughput() -> Vec<Shape> {
    let of = |transport| SIZES.map(|size| shape(Kind::PushPull, transport, size));
    let inproc = [64, 1024].map(|size| shape(Kind::PushPull, "inproc", size));
    ["tcp", "ipc"]
        .into_iter()
        .flat_map(of)
        .chain(inproc)
        .collect()
}

fn latency() -> Vec<Shape> {
    vec![
        shape(Kind::ReqRep, "tcp", 1),
        shape(Kind::DealerRouter, "tcp", 1),
        shape(Kind::SparseReqRep, "tcp", 1),
        shape(Kind::ReqRep, "inproc", 1),
    ]
}

fn fans() -> Vec<Shape> {
    vec![
        shape(Kind::PubSub, "tcp", 64),
        shape(Kind::PubSub, "inproc", 64),
        shape(Kind::PushMany, "tcp", 64),
        shape(Kind::ManyPush, "tcp", 64),
    ]
}

fn sealed() -> Vec<Shape> {
    let mut all: Vec<Shape> = SEALED_SIZES
        .map(|size| shape(Kind::PushPull, "tcp", size))
        .to_vec();
    all.push(shape(Kind::Dial, "tcp", 1));
    for shape in &mut all {
        shape.sealed = true;
    }
    all
}

fn many() -> Vec<Shape> {
    let mut all = vec![shape(Kind::Dial, "tcp", 1), shape(Kind::Crowd, "tcp", 64)];
    all.extend(TOPICS.map(|peers| Shape {
        peers,
        ..shape(Kind::Topics, "tcp", TOPIC_OCTETS)
    }));
    all
}

/// Whether a filter chooses a shape: by a part of its name, or by all of it behind `=`.
fn is_chosen(shape: &Shape, filter: &str) -> bool {
    let name = shape.name();
    match filter.strip_prefix('=') {
        Some(all) => name == all,
        None => name.contains(filter),
    }
}

/// All shapes that `filter` chooses.
pub(crate) fn chosen(filter: &str) -> Vec<Shape> {
    let all = [throughput(), latency(), fans(), sealed(), many()];
    let all = all.into_iter().flatten();
    all.filter(|shape| is_chosen(shape, filter)).collect()
}

/// Those of libzmq's own programs.
pub(crate) fn of_perf_programs(filter: &str) -> Vec<Shape> {
    let mut all = Vec::new();
    for transport in ["tcp", "inproc"] {
        all.extend(PERF_SIZES.map(|size| shape(Kind::PushPull, transport, size)));
        all.push(shape(Kind::MeanReqRep, transport, 1));
    }
    all.retain(|shape| is_chosen(shape, filter));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_choose_shapes_and_no_two_are_alike() {
        let all = chosen("");
        let mut names: Vec<String> = all.iter().map(Shape::name).collect();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), all.len());
        assert_eq!(
            chosen("push-pull tcp").len(),
            SIZES.len() + SEALED_SIZES.len() + 1
        );
        assert!(chosen("curve").iter().all(|shape| shape.sealed));
        assert!(chosen("carrier pigeon").is_empty());
        assert!(chosen("push-pull tcp 64").len() > 1);
        assert_eq!(chosen("=push-pull tcp 64").len(), 1);
    }
}
