//! libzmq's own test programs, on our C library and on libzmq itself.
//!
//! They come with the package `zeromq-src`. Each is compiled with our header and with libzmq's, both runs are on our library, and
//! once more for libzmq, which is the control: what fails there as well says nothing about us.

mod list;
mod run;
mod stage;

pub(crate) use stage::built_libraries;

use crate::{Result, flags::Flags, process, tree};
use run::{Outcome, Verdict};
use stage::{Headers, Place, Stage};
use std::{path::PathBuf, sync::Mutex, sync::atomic::AtomicUsize, sync::atomic::Ordering};

/// What can be asked for.
struct Asked {
    only: Vec<String>,
    jobs: usize,
    /// Which of the three columns: `ours`, `foreign` (their header), `control`.
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
            columns = ["ours", "foreign", "control"].map(str::to_owned).to_vec();
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
        let (library, headers) = match column.as_str() {
            "ours" => (ours.clone(), Headers::Ours),
            "foreign" => (ours.clone(), Headers::Theirs),
            "control" => (stage::their_library(&place)?, Headers::Control),
            other => return Err(format!("no column `{other}`")),
        };
        let stage = Stage::prepare(&place, headers, library)?;
        println!("{column}: building {} programs", programs.len());
        let outcomes = each(asked.jobs, &programs, |program| {
            let outcome = match stage.build(program) {
                Ok(binary) => run::program(program, &binary, &stage.library),
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
            let second = run::program(program, &binary, &stage.library);
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
        if name != "control" && count(Verdict::Fail) > 0 {
            failed.push(format!("{name}: {} programs failed", count(Verdict::Fail)));
        }
    }
    process::all([if failed.is_empty() {
        Ok(())
    } else {
        Err(failed.join("; "))
    }])
}

/// The folder with libzmq as a shared library.
pub(crate) fn their_folder() -> Result<PathBuf> {
    stage::their_library(&Place::find()?)
}

/// The package's folder of sources.
fn vendor() -> Result<PathBuf> {
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
