//! Takes the engine's own files, with the locks and atomics of the model in place of the standard library's. With
//! `ZMQ_PROOFS_MUTANT` one of them is broken first, as `src/mutants` says.

use std::path::{Path, PathBuf};

#[path = "src/mutants/mod.rs"]
mod mutants;

/// What is taken, relative to the crate. Mirrors of what cannot be taken are broken in the same way.
const TAKEN: &[&str] = &[
    "../zmq-engine/src/flushing.rs",
    "../zmq-engine/src/handover/bursts.rs",
    "../zmq-engine/src/handover/callers.rs",
    "../zmq-engine/src/handover/holding.rs",
    "../zmq-engine/src/handover/hunger.rs",
    "../zmq-engine/src/handover/inbox.rs",
    "../zmq-engine/src/handover/orders.rs",
    "../zmq-engine/src/inproc.rs",
    "../zmq-engine/src/poller/signal.rs",
    "../zmq-engine/src/waking.rs",
    "../zmq-lock/src/mutex.rs",
    "../zmq-lock/src/gate.rs",
    "../zmq-lock/src/place.rs",
    "../zmq/src/wait/bell.rs",
    "src/mirror/burst.rs",
    "src/mirror/carry.rs",
    "src/mirror/gated.rs",
    "src/mirror/lane.rs",
    "src/mirror/wait.rs",
];

/// Files whose surroundings are those of one mirror only.
const SURROUNDED: &[(&str, &[&str])] = &[
    (
        "flushing.rs",
        &[
            "crate::core::",
            "crate::effects::",
            "crate::pipe::",
            "crate::shared::",
        ],
    ),
    ("zmq-lock/src/mutex.rs", &["crate::"]),
    ("zmq-lock/src/gate.rs", &["crate::"]),
    ("zmq-lock/src/place.rs", &["crate::"]),
];

/// What follows is not part of the protocols.
const ENDS: &[&str] = &["\n#[cfg(test)]"];

fn main() {
    println!("cargo:rerun-if-env-changed=ZMQ_PROOFS_MUTANT");
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=src/mutants");
    if std::env::var_os("CARGO_CFG_LOOM").is_none() {
        return;
    }
    let wanted = std::env::var("ZMQ_PROOFS_MUTANT").unwrap_or_default();
    let mutant = mutants::all().find(|mutant| mutant.name == wanted);
    assert!(
        wanted.is_empty() || mutant.is_some(),
        "src/mutants has no `{wanted}`"
    );
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets it"));
    for path in TAKEN {
        println!("cargo:rerun-if-changed={path}");
        let mut text =
            std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{path}: {error}"));
        // A mutant that fits nowhere any more is found without being tried.
        for known in mutants::all().filter(|known| path.ends_with(known.file)) {
            for (was, _) in known.changes {
                let count = text.matches(was).count();
                assert_eq!(
                    count, 1,
                    "{}: `{was}` is {count} times in {path}",
                    known.name
                );
            }
        }
        if let Some(mutant) = mutant.filter(|mutant| path.ends_with(mutant.file)) {
            for (was, becomes) in mutant.changes {
                text = text.replace(was, becomes);
            }
        }
        for end in ENDS {
            if let Some(at) = text.find(end) {
                text.truncate(at);
            }
        }
        for (file, names) in SURROUNDED {
            for name in names.iter().filter(|_| path.ends_with(file)) {
                text = text.replace(name, "super::");
            }
        }
        let text = text
            // An included file cannot have a comment about itself.
            .replace("//!", "//")
            .replace("std::sync::", "crate::sync::")
            .replace("zmq_patterns::PeerKey", "crate::mirror::PeerKey");
        let name = Path::new(path).file_name().expect("it names a file");
        std::fs::write(out.join(name), text).expect("the folder is ours");
    }
}
