//! libzmq's own test programs, on our C library and on libzmq itself.
//!
//! They come with the package `zeromq-src`. Each is compiled with our header and with libzmq's, both runs are on our library, and
//! once more for libzmq, which is the control: what fails there as well says nothing about us. What was compiled with our
//! header and linked with our library is then run, as it is, on libzmq: that is the way back.

mod list;
mod run;
mod sanitize;
mod stage;

pub(crate) use sanitize::run as sanitize;
pub(crate) use stage::{built_libraries, name_library};

use crate::{Result, flags::Flags, process, tree};
use run::{Outcome, Verdict};
use stage::{Headers, Place, Stage};
use std::{path::PathBuf, sync::Mutex, sync::atomic::AtomicUsize, sync::atomic::Ordering};

const COLUMNS: [&str; 4] = ["ours", "foreign", "back", "control"];

/// What can be asked for.
struct Asked {
    only: Vec<String>,
    jobs: usize,
    /// Which of the columns: `ours`, `foreign` (their header), `back` (the programs of `ours`, on libzmq), `control`.
    columns: Vec<String>,
    profile: String,
}

impl Asked {
    fn read(arguments: &[String]) -> Result<Asked> {
        let mut flags = Flags::new(arguments);
        let mut only = Vec::new();
        while let Some(name) = flags.value("--only")? {
            only.push(name);
        }
        let mut columns = Vec::new();
        while let Some(name) = flags.value("--column")? {
            columns.push(name);
        }
        if columns.is_empty() {
            columns = COLUMNS.map(str::to_owned).to_vec();
        }
        let jobs = flags.number("--jobs")?.unwrap_or(2);
        let profile = flags.value("--profile")?.unwrap_or("release".to_owned());
        flags.finish()?;
        Ok(Asked {
            only,
            jobs: usize::try_from(jobs).unwrap_or(1).max(1),
            columns,
            profile,
        })
    }

    fn wants(&self, program: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|name| program.contains(name.as_str()))
    }
}

/// `cargo xtask conformance`.
pub(crate) fn run(arguments: &[String]) -> Result {
    let asked = Asked::read(arguments)?;
    let place = Place::find()?;
    let (programs, left_out) = list::programs(&place.vendor)?;
    let programs: Vec<_> = programs
        .into_iter()
        .filter(|program| asked.wants(&program.name))
        .collect();
    let ours = if asked.columns.iter().any(|column| column != "control") {
        stage::our_library(&place, &asked.profile)?
    } else {
        PathBuf::new()
    };
    let mut columns = Vec::new();
    for column in &asked.columns {
        let stage = match column.as_str() {
            "ours" => Stage::prepare(&place, Headers::Ours, ours.clone())?,
            "foreign" => Stage::prepare(&place, Headers::Theirs, ours.clone())?,
            "back" => {
                let theirs = stage::their_library(&place)?;
                Stage::prepare(&place, Headers::Ours, ours.clone())?.run_on(theirs)
            }
            "control" => {
                let theirs = stage::their_library(&place)?;
                Stage::prepare(&place, Headers::Control, theirs)?
            }
            other => return Err(format!("no column `{other}`")),
        };
        let runner = stage.runner();
        println!("{column}: building {} programs", programs.len());
        let outcomes = each(asked.jobs, &programs, |program| {
            let outcome = match stage.build(program) {
                _ if column == "back" && list::knows_its_library(&program.name) => {
                    Outcome::skipped("asks how its library was built")
                }
                Ok(binary) => run::program(program, &binary, &runner),
                Err(why) => Outcome::failed(format!("does not compile: {why}")),
            };
            println!("  {column} {} {outcome}", program.name);
            outcome
        });
        let outcomes = again(&stage, &programs, outcomes);
        columns.push((column.clone(), outcomes));
    }
    table(&programs, &columns);
    for (name, why) in &left_out {
        if asked.wants(name) && asked.only.is_empty() {
            println!("skip {name}: {why}");
        }
    }
    totals(&columns, left_out.len())
}

/// These programs wait for fixed times and measure others: what failed in company has one more try alone.
fn again(stage: &Stage, programs: &[list::Program], outcomes: Vec<Outcome>) -> Vec<Outcome> {
    let tries = programs.iter().zip(outcomes);
    tries
        .map(|(program, first)| {
            if first.verdict != Verdict::Fail {
                return first;
            }
            let Ok(binary) = stage.build(program) else {
                return first;
            };
            let runner = stage.runner();
            let second = run::program(program, &binary, &runner);
            println!("  again {} {second}", program.name);
            second.after(&first)
        })
        .collect()
}

/// Does this with each item, on so many threads; what comes out is in the order of the items.
fn each<T: Sync, O: Send>(jobs: usize, items: &[T], work: impl Fn(&T) -> O + Sync) -> Vec<O> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(item) = items.get(at) else { return };
                    let out = work(item);
                    if let Ok(mut done) = done.lock() {
                        done.push((at, out));
                    }
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_default();
    done.sort_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, out)| out).collect()
}

type Column = (String, Vec<Outcome>);

fn table(programs: &[list::Program], columns: &[Column]) {
    print!("\n{:<34}", "program");
    for (name, _) in columns {
        print!("{name:<9}");
    }
    println!();
    for (at, program) in programs.iter().enumerate() {
        print!("{:<34}", program.name);
        for (_, outcomes) in columns {
            print!("{:<9}", outcomes[at].verdict.word());
        }
        let first = columns.first().map(|(_, outcomes)| &outcomes[at]);
        println!("{}", first.map_or("", |outcome| outcome.why.as_str()));
    }
}

fn totals(columns: &[Column], left_out: usize) -> Result {
    let mut failed = Vec::new();
    for (name, outcomes) in columns {
        let count = |verdict| outcomes.iter().filter(|one| one.verdict == verdict).count();
        println!(
            "{name}: {} passed, {} failed, {} skipped",
            count(Verdict::Pass),
            count(Verdict::Fail),
            count(Verdict::Skip) + left_out
        );
        let failures = match name.as_str() {
            "control" => 0,
            "back" => count(Verdict::Fail) - failures_of_both(columns),
            _ => count(Verdict::Fail),
        };
        if failures > 0 {
            failed.push(format!("{name}: {failures} programs failed"));
        }
    }
    process::all([if failed.is_empty() {
        Ok(())
    } else {
        Err(failed.join("; "))
    }])
}

/// How many programs fail on libzmq with either header, which is not the header's fault.
fn failures_of_both(columns: &[Column]) -> usize {
    let outcomes = |wanted| columns.iter().find(|(name, _)| name == wanted);
    let (Some((_, back)), Some((_, control))) = (outcomes("back"), outcomes("control")) else {
        return 0;
    };
    let fails = |outcome: &Outcome| outcome.verdict == Verdict::Fail;
    let pairs = back.iter().zip(control);
    pairs
        .filter(|(one, other)| fails(one) && fails(other))
        .count()
}

/// The folder with libzmq as a shared library.
pub(crate) fn their_folder() -> Result<PathBuf> {
    stage::their_library(&Place::find()?)
}

/// The package's folder of sources.
pub(crate) fn vendor() -> Result<PathBuf> {
    let metadata = tree::metadata()?;
    let package = metadata
        .packages
        .iter()
        .find(|package| package.name.as_str() == "zeromq-src")
        .ok_or("the workspace does not use zeromq-src")?;
    let folder = package
        .manifest_path
        .parent()
        .ok_or("a package lies in no folder")?;
    Ok(folder.join("vendor").into_std_path_buf())
}
