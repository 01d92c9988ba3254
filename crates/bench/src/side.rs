//! Who takes part, and what each plays.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Result;
use crate::arguments::Arguments;
use crate::outcome::Outcome;
use crate::perf::Perf;
use crate::place::Place;
use crate::shape::{Kind, Shape};
use crate::worker::{self, Program};

const LIBZMQ_PACKAGE: &str = "libzmq-ref";
const LIBZMQ_PROGRAM: &str = "libzmq-peer";

/// Our faces, by the names of their workers.
pub(crate) const OURS: [&str; 5] = ["blocking", "own", "bare", "tokio", "smol"];
/// The same faces with many messages a call, by the names of their workers.
pub(crate) const LISTS: [&str; 4] = ["blocking-many", "own-many", "tokio-many", "smol-many"];
pub(crate) const RAW: &str = "raw";

/// Octets up to which lists make a difference: of longer messages a list leaves the caches.
const LISTED: usize = 4096;

/// The other libraries, and whether they have both ends in one process. `cargo xtask bench --rivals` builds their programs,
/// `rival-` and the name, up to the first dash.
const RIVALS: [(&str, bool); 4] = [
    ("zeromq", false),
    ("rzmq", true),
    ("omq-tokio", true),
    ("monocoque-rs", false),
];

/// What a side is to the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Group {
    /// This library: what is judged.
    Ours,
    /// What it is measured by.
    Libzmq,
    /// Another library in Rust.
    Rival,
    /// The machine itself.
    Raw,
}

/// One that takes part.
#[derive(Clone, Debug)]
pub(crate) struct Side {
    pub(crate) name: &'static str,
    pub(crate) group: Group,
    player: Player,
}

#[derive(Clone, Debug)]
enum Player {
    Worker(Program),
    /// One that sends and receives lists of messages.
    Lists(Program),
    /// Streams, which know few shapes.
    Streams(Program),
    /// Another library, and whether it has both ends in one process.
    Rival(Program, bool),
    Perf(Perf),
}

impl Side {
    pub(crate) fn worker(name: &'static str, group: Group, path: &Path, verbs: &[&str]) -> Side {
        let program = Program {
            path: path.to_owned(),
            verbs: verbs.iter().map(|&verb| verb.to_owned()).collect(),
        };
        Side {
            name,
            group,
            player: Player::Worker(program),
        }
    }

    fn lists(name: &'static str, path: &Path) -> Side {
        Side {
            name,
            group: Group::Ours,
            player: Player::Lists(Program::worker(path, name)),
        }
    }

    fn raw(path: &Path) -> Side {
        Side {
            name: RAW,
            group: Group::Raw,
            player: Player::Streams(Program::worker(path, RAW)),
        }
    }

    fn rival((name, inproc): (&'static str, bool), folder: &Path) -> Side {
        let short = name.split('-').next().unwrap_or(name);
        let program = Program {
            path: folder.join(format!("rival-{short}")),
            verbs: Vec::new(),
        };
        Side {
            name,
            group: Group::Rival,
            player: Player::Rival(program, inproc),
        }
    }

    fn perf(name: &'static str, group: Group, programs: &Path, library: &Path) -> Side {
        let perf = Perf {
            programs: programs.to_owned(),
            library: library.to_owned(),
        };
        Side {
            name,
            group,
            player: Player::Perf(perf),
        }
    }

    /// Whether this side has that shape.
    pub(crate) fn plays(&self, shape: &Shape) -> bool {
        match &self.player {
            Player::Worker(_) => shape.kind != Kind::MeanReqRep,
            Player::Lists(_) => {
                let kinds = [Kind::PushPull, Kind::PubSub, Kind::PushMany];
                kinds.contains(&shape.kind) && shape.size <= LISTED
            }
            Player::Streams(_) => {
                let kinds = [Kind::PushPull, Kind::ReqRep, Kind::SparseReqRep];
                kinds.contains(&shape.kind) && shape.transport == "tcp" && !shape.sealed
            }
            Player::Rival(_, inproc) => {
                let kinds = [
                    Kind::PushPull,
                    Kind::ReqRep,
                    Kind::SparseReqRep,
                    Kind::PubSub,
                ];
                let transport = match shape.transport {
                    "inproc" => *inproc && shape.kind != Kind::PubSub,
                    transport => transport == "tcp",
                };
                kinds.contains(&shape.kind) && transport && !shape.sealed
            }
            Player::Perf(_) => Perf::plays(shape),
        }
    }

    pub(crate) fn run(&self, shape: &Shape, count: u64, place: &Place) -> Result<Outcome> {
        match &self.player {
            Player::Worker(program)
            | Player::Lists(program)
            | Player::Streams(program)
            | Player::Rival(program, _) => worker::run(program, shape, count, place),
            Player::Perf(perf) => perf.run(shape, count, place),
        }
    }
}

/// Where programs are built.
struct Built {
    /// This one.
    own: PathBuf,
    /// The folder it lies in.
    folder: PathBuf,
}

impl Built {
    fn find() -> Result<Built> {
        let own = env::current_exe()?;
        let folder = own.parent().ok_or("this program is nowhere")?.to_owned();
        Ok(Built { own, folder })
    }

    /// libzmq's program stands beside this one, and is built if it is not up to date.
    fn libzmq(&self) -> Result<PathBuf> {
        let mut build = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        build.args(["build", "--quiet", "-p", LIBZMQ_PACKAGE]);
        build.args(["--bin", LIBZMQ_PROGRAM]);
        if self.folder.ends_with("release") {
            build.arg("--release");
        }
        build.current_dir(env!("CARGO_MANIFEST_DIR"));
        build.env("CARGO_TARGET_DIR", self.target()?);
        if !build.status()?.success() {
            return Err("libzmq cannot be built".into());
        }
        Ok(self.folder.join(LIBZMQ_PROGRAM))
    }

    fn target(&self) -> Result<&Path> {
        Ok(self.folder.parent().ok_or("build results go nowhere")?)
    }
}

/// Where build results go.
pub(crate) fn target_directory() -> Result<PathBuf> {
    Ok(Built::find()?.target()?.to_owned())
}

/// Those asked for, in the order in which they run.
pub(crate) fn chosen(arguments: &Arguments) -> Result<Vec<Side>> {
    let mut all = Vec::new();
    let built = Built::find()?;
    if let Some(folder) = &arguments.capi {
        let programs = folder.join("programs");
        let perf = |name, group, library| Side::perf(name, group, &programs, &folder.join(library));
        all.push(perf("capi", Group::Ours, "ours"));
        all.push(perf("libzmq", Group::Libzmq, "libzmq"));
    } else {
        for name in OURS {
            all.push(Side::worker(
                name,
                Group::Ours,
                &built.own,
                &["worker", name],
            ));
        }
        all.extend(LISTS.map(|name| Side::lists(name, &built.own)));
        all.push(Side::worker(
            "libzmq",
            Group::Libzmq,
            &built.libzmq()?,
            &["perf"],
        ));
        all.push(Side::raw(&built.own));
        if let Some(folder) = &arguments.rivals {
            all.extend(RIVALS.map(|rival| Side::rival(rival, folder)));
        }
    }
    all.retain(|side| arguments.wants(side.name));
    if all.is_empty() {
        return Err(format!("no side is called {}", arguments.sides.join(" or ")).into());
    }
    Ok(all)
}
