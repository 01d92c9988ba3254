//! Which crate may use which, and which foreign crates must not be reachable from where.

use super::Finding;
use cargo_metadata::{DependencyKind, Metadata, Package, PackageId};
use std::collections::{BTreeMap, BTreeSet};

/// Shipped crates and what of ours each may use, from the wire up. A name that ends in `*` stands for all that begin so.
const EDGES: &[(&str, &[&str])] = &[
    ("zmtp-wire", &[]),
    ("zmtp-mech-*", &["zmtp-wire"]),
    ("zap", &["zmtp-wire"]),
    ("zmq-patterns", &["zmtp-wire"]),
    ("zmq-lock", &[]),
    ("zmq-transport", &[]),
    ("zpl", &[]),
    (
        "zmq-engine",
        &[
            "zmtp-wire",
            "zmtp-mech-*",
            "zap",
            "zmq-patterns",
            "zmq-lock",
            "zmq-transport",
        ],
    ),
    ("zmq", &["zmq-engine", "zpl"]),
    ("zmq-capi", &["zmq-engine", "zmq-lock"]),
    ("zmq-cli", &["zmq"]),
];

/// Crates that are never shipped may use any of ours and are used by none of the above, save in their tests.
const TOOLS: &[&str] = &[
    "xtask",
    "zmq-testkit",
    "zmq-interop",
    "zmq-bench",
    "zmq-proofs",
    "zmq-budgets",
    "libzmq-ref",
    "peer-script",
];

/// Protocol machines: no runtime, no entropy, no clock, no operating system.
const PURE: &[&str] = &["zmtp-wire", "zmtp-mech-*", "zap", "zmq-patterns", "zpl"];

const RUNTIMES: &[&str] = &[
    "async-io",
    "async-net",
    "blocking",
    "async-std",
    "mio",
    "polling",
    "smol",
    "tokio",
];
const SYSTEM: &[&str] = &["getrandom", "libc", "rand", "rustix", "socket2", "time"];

/// The fast cipher of CURVE. It links entropy and memory protection for parts of it that we never call: CURVE is handed its entropy.
const CIPHER: &str = "dryoc";
/// The one room with an async surface; what stands on it reaches runtimes through it and in no other way.
const ASYNC_ROOM: &str = "zmq-transport";

pub(crate) fn check(metadata: &Metadata) -> Vec<Finding> {
    let mut findings = Vec::new();
    for package in metadata.workspace_packages() {
        findings.extend(own_edges(metadata, package));
    }
    let graph = Graph::new(metadata);
    for package in metadata.workspace_packages() {
        let name = package.name.as_str();
        let place = package
            .manifest_path
            .as_str()
            .rsplit_once("/crates/")
            .map_or(name, |(_, path)| path);
        let absent: Vec<&str> = if PURE.iter().any(|pattern| matches(pattern, name)) {
            RUNTIMES.iter().chain(SYSTEM).copied().collect()
        } else if name == "zmq-engine" {
            RUNTIMES.to_vec()
        } else {
            continue;
        };
        for (met, path) in graph.reach(&package.id) {
            if absent.contains(&met) && !path.contains(&CIPHER) {
                findings.push(Finding::new(
                    place,
                    format!("{name} must not reach {met}: {}", path.join(" -> ")),
                ));
            }
        }
    }
    findings
}

fn own_edges(metadata: &Metadata, package: &Package) -> Vec<Finding> {
    let name = package.name.as_str();
    if TOOLS.contains(&name) {
        return Vec::new();
    }
    let Some((_, allowed)) = EDGES.iter().find(|(pattern, _)| matches(pattern, name)) else {
        return vec![Finding::new(
            name,
            "a crate that xtask/src/tidy/edges.rs does not place: say what it may use",
        )];
    };
    let ours: BTreeSet<&str> = metadata
        .workspace_packages()
        .iter()
        .map(|package| package.name.as_str())
        .collect();
    package
        .dependencies
        .iter()
        .filter(|edge| {
            edge.kind != DependencyKind::Development
                && edge.path.is_some()
                && ours.contains(edge.name.as_str())
        })
        .filter(|edge| !allowed.iter().any(|pattern| matches(pattern, &edge.name)))
        .map(|edge| {
            Finding::new(
                name,
                format!(
                    "may not use {} (allowed: {})",
                    edge.name,
                    allowed.join(", ")
                ),
            )
        })
        .collect()
}

fn matches(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => pattern == name,
    }
}

/// Normal dependencies as resolved for this machine.
struct Graph<'a> {
    names: BTreeMap<&'a PackageId, &'a str>,
    edges: BTreeMap<&'a PackageId, Vec<&'a PackageId>>,
}

impl<'a> Graph<'a> {
    fn new(metadata: &'a Metadata) -> Graph<'a> {
        let names = metadata
            .packages
            .iter()
            .map(|package| (&package.id, package.name.as_str()))
            .collect();
        let nodes = metadata.resolve.iter().flat_map(|resolve| &resolve.nodes);
        let normal = |node: &'a cargo_metadata::Node| {
            let edges = node.deps.iter().filter(|edge| {
                edge.dep_kinds
                    .iter()
                    .any(|kind| kind.kind == DependencyKind::Normal)
            });
            (&node.id, edges.map(|edge| &edge.pkg).collect())
        };
        Graph {
            names,
            edges: nodes.map(normal).collect(),
        }
    }

    /// Every package on the normal path, with the way to it; what lies behind the async room is left out.
    fn reach(&self, from: &'a PackageId) -> Vec<(&'a str, Vec<&'a str>)> {
        let mut seen = BTreeSet::from([from]);
        let mut open = vec![(from, vec![self.names[from]])];
        let mut met = Vec::new();
        while let Some((at, path)) = open.pop() {
            for &next in self.edges.get(at).into_iter().flatten() {
                let name = self.names[next];
                if name == ASYNC_ROOM || !seen.insert(next) {
                    continue;
                }
                let way: Vec<&str> = path.iter().copied().chain([name]).collect();
                met.push((name, way.clone()));
                open.push((next, way));
            }
        }
        met
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_a_family() {
        assert!(matches("zmtp-mech-*", "zmtp-mech-null"));
        assert!(!matches("zmtp-mech-*", "zmtp-wire"));
        assert!(!matches("zmq", "zmq-engine"));
    }

    #[test]
    fn the_table_never_points_upwards() {
        for (index, (name, allowed)) in EDGES.iter().enumerate() {
            for used in *allowed {
                let below = EDGES[..index].iter().any(|(earlier, _)| earlier == used);
                assert!(below, "{name} -> {used}");
            }
        }
    }
}
