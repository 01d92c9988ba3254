//! What must not occur where: clocks, async, locks, sleeps, programs, unsafe code.

use super::{
    Finding,
    source::{Source, find_word, line_at},
};
use crate::{Result, tree};
use cargo_metadata::Metadata;

/// Words absent from some crates.
struct Absence {
    words: &'static [&'static str],
    why: &'static str,
    /// Crate folders where the words are absent; a trailing `*` stands for all that begin so.
    rooms: Rooms,
    /// Paths that begin so are left out.
    except: &'static [&'static str],
    /// Whether tests are meant too.
    in_tests: bool,
}

enum Rooms {
    Only(&'static [&'static str]),
    AllBut(&'static [&'static str]),
}

const MACHINES: &[&str] = &["zmtp-wire", "zmtp-mech-*", "zap", "zmq-patterns", "zpl"];
/// Programs and their props, which measure and wait.
const PROGRAMS: &[&str] = &[
    "zmq-cli",
    "bench",
    "proofs",
    "interop",
    "testkit",
    "libzmq-ref",
    "peer-script",
    "xtask",
    "bench-rivals",
];

const ABSENCES: &[Absence] = &[
    Absence {
        words: &["Instant", "SystemTime"],
        why: "time is a number handed in; clocks live in the engine's clock module",
        rooms: Rooms::AllBut(PROGRAMS),
        except: &[
            "crates/zmq-engine/src/clock.rs",
            "crates/zmq-engine/src/clock/",
            "crates/zmq-capi/src/clock.rs",
            "crates/zmq-engine/examples/",
            "crates/zmq-patterns/examples/",
            "crates/zmtp-wire/examples/",
            "crates/zmtp-mech-curve/examples/",
        ],
        in_tests: false,
    },
    Absence {
        words: &["async", "await"],
        why: "no async below zmq-transport",
        rooms: Rooms::Only(MACHINES),
        except: &[],
        in_tests: true,
    },
    Absence {
        words: &["Mutex", "RwLock", "Condvar", "RefCell", "UnsafeCell"],
        why: "no lock in a protocol machine",
        rooms: Rooms::Only(MACHINES),
        // Memory of a thread, which no machine sees.
        except: &["crates/zmtp-wire/src/kept.rs"],
        in_tests: false,
    },
    Absence {
        words: &["std::net", "std::fs", "std::io", "std::thread", "std::env"],
        why: "a protocol machine knows no operating system",
        rooms: Rooms::Only(MACHINES),
        except: &[],
        in_tests: false,
    },
    Absence {
        words: &["thread::sleep", "sleep_ms"],
        why: "a sleep hides a race: wait for the thing itself",
        rooms: Rooms::AllBut(PROGRAMS),
        except: &[],
        in_tests: true,
    },
];

/// Where `unsafe` is at home: the C ABI, the lock, and the binding to the library that tests compare with, which is never shipped.
const UNSAFE_ROOMS: &[&str] = &["zmq-capi", "zmq-lock", "libzmq-ref"];

pub(crate) fn check(metadata: &Metadata, sources: &[Source]) -> Result<Vec<Finding>> {
    let mut findings: Vec<Finding> = ABSENCES
        .iter()
        .flat_map(|absence| absence.check(sources))
        .collect();
    findings.extend(stray_programs(sources));
    findings.extend(unforbidden(metadata)?);
    Ok(findings)
}

impl Absence {
    fn check(&self, sources: &[Source]) -> Vec<Finding> {
        let mut findings = Vec::new();
        for source in sources.iter().filter(|source| self.covers(source)) {
            let text = if self.in_tests {
                &source.code
            } else {
                &source.shipped
            };
            for word in self.words {
                findings.extend(find_word(text, word).map(|at| {
                    let place = format!("{}:{}", source.path, line_at(text, at));
                    Finding::new(place, format!("`{word}`: {}", self.why))
                }));
            }
        }
        findings
    }

    fn covers(&self, source: &Source) -> bool {
        let among = |rooms: &[&str]| {
            rooms.iter().any(|pattern| match pattern.strip_suffix('*') {
                Some(start) => source.room().starts_with(start),
                None => source.room() == *pattern,
            })
        };
        let covered = match self.rooms {
            Rooms::Only(rooms) => among(rooms),
            Rooms::AllBut(rooms) => !among(rooms),
        };
        covered
            && !self
                .except
                .iter()
                .any(|start| source.path.starts_with(start))
    }
}

/// Programs stand in `main.rs`, `bin/`, `examples/`, `benches/` and build scripts; a `fn main` anywhere else is a leftover.
fn stray_programs(sources: &[Source]) -> Vec<Finding> {
    let is_program = |path: &str| {
        ["main.rs", "build.rs"]
            .iter()
            .any(|name| path.rsplit('/').next() == Some(name))
            || ["/bin/", "/examples/", "/benches/"]
                .iter()
                .any(|folder| path.contains(folder))
    };
    let stray = sources.iter().filter(|source| !is_program(&source.path));
    stray
        .flat_map(|source| {
            find_word(&source.code, "fn main").map(|at| {
                let place = format!("{}:{}", source.path, line_at(&source.code, at));
                Finding::new(place, "`fn main` outside a program")
            })
        })
        .collect()
}

fn unforbidden(metadata: &Metadata) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    let root = format!("{}/", metadata.workspace_root);
    for package in metadata.workspace_packages() {
        let roots = package
            .targets
            .iter()
            .filter(|target| target.is_lib() || target.is_bin() || target.is_proc_macro());
        for target in roots.filter(|_| !UNSAFE_ROOMS.contains(&package.name.as_str())) {
            let path = target.src_path.as_str();
            let path = path.strip_prefix(&root).unwrap_or(path);
            if !tree::read(path)?.contains("#![forbid(unsafe_code)]") {
                findings.push(Finding::new(path, "`#![forbid(unsafe_code)]` is missing"));
            }
        }
    }
    Ok(findings)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(path: &str, text: &str) -> usize {
        let sources = [Source::new(path, text)];
        ABSENCES
            .iter()
            .flat_map(|absence| absence.check(&sources))
            .count()
            + stray_programs(&sources).len()
    }

    #[test]
    fn each_absence_speaks_where_it_holds_and_nowhere_else() {
        for (path, text, expected) in [
            (
                "crates/zmq-engine/src/link.rs",
                "let now = Instant::now();",
                1,
            ),
            (
                "crates/zmq-engine/src/clock.rs",
                "let now = Instant::now();",
                0,
            ),
            ("crates/zmq-cli/src/main.rs", "let now = Instant::now();", 0),
            (
                "crates/zmq-engine/tests/a.rs",
                "let now = Instant::now();",
                0,
            ),
            ("crates/zmtp-wire/src/a.rs", "async fn a() { b().await }", 2),
            ("crates/zmq-transport/src/a.rs", "async fn a() {}", 0),
            (
                "crates/zmtp-mech-null/src/a.rs",
                "// Mutex\nlet m: Mutex<u8>;",
                1,
            ),
            ("crates/zmq-engine/tests/a.rs", "std::thread::sleep(d);", 1),
            ("crates/zmq-engine/src/a.rs", "fn main() {}", 1),
            ("crates/zmq/examples/a.rs", "fn main() {}", 0),
        ] {
            assert_eq!(findings(path, text), expected, "{path}: {text}");
        }
    }
}
