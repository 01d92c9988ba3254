//! Measures this library and libzmq side by side: the same shapes of traffic, the same loops, in turns, each end in a
//! process of its own.
//!
//! ```text
//! bench [--pairs N] [--filter TEXT] [--side NAME]... [--json FILE] [--quick] [--unpinned]
//!       [--rivals FOLDER | --capi FOLDER]
//! bench plot FILE.json FOLDER
//! ```
//!
//! Writes Markdown tables to standard output and everything measured to `bench.json` in the target directory. Single
//! numbers of a shared machine say little; what counts is the median of the ratios within each round of runs, which see
//! the same neighbours. `bench worker SIDE ...` is one end of a run of this library; libzmq's is `libzmq-peer perf ...`.
#![forbid(unsafe_code)]

mod arguments;
mod contest;
mod goal;
mod json;
mod metric;
mod ours;
mod outcome;
mod perf;
mod place;
mod plot;
mod raw;
mod row;
mod shape;
mod side;
mod statistics;
mod table;
mod worker;

use std::error::Error;
use std::io::{Write, stderr, stdin, stdout};
use std::path::Path;
use std::process::ExitCode;

use peer_script::{Job, work};

use crate::arguments::Arguments;
use crate::contest::Contest;
use crate::ours::{Asynchronous, Blocking, Executor, LIST};
use crate::raw::Raw;
use crate::row::Row;
use crate::side::{RAW, Side};

type Result<T, E = Box<dyn Error + Send + Sync>> = std::result::Result<T, E>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments.split_first() {
        Some((verb, job)) if verb == "worker" => worker(job),
        Some((verb, [file, folder])) if verb == "plot" => plots(file, folder),
        _ => compare(&arguments),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nobody is left to tell when this fails too.
            let _ = writeln!(stderr(), "bench: {error}");
            ExitCode::FAILURE
        }
    }
}

/// One end of a run, by the side that its first argument names.
fn worker(arguments: &[String]) -> Result<()> {
    let (side, job) = arguments.split_first().ok_or("worker: of which side?")?;
    let job: Job = job.join(" ").parse()?;
    let (face, at_once) = match side.strip_suffix("-many") {
        Some(face) => (face, LIST),
        None => (side.as_str(), 1),
    };
    let asynchronous = |executor| {
        let make = |job: &Job| Asynchronous::new(job, executor, at_once);
        work(make, &job, stdin(), &mut stdout().lock())
    };
    match face {
        "blocking" => {
            let make = |job: &Job| Blocking::new(job, at_once);
            work(make, &job, stdin(), &mut stdout().lock())
        }
        "own" => asynchronous(Executor::Own),
        "bare" => asynchronous(Executor::Bare),
        "tokio" => asynchronous(Executor::Tokio),
        "smol" => asynchronous(Executor::Smol),
        RAW => work(|job| Ok(Raw::new(job)), &job, stdin(), &mut stdout().lock()),
        _ => Err(format!("no side is called {side}").into()),
    }
}

fn plots(file: &str, folder: &str) -> Result<()> {
    let count = plot::draw(Path::new(file), Path::new(folder))?;
    Ok(writeln!(stdout(), "{count} plots in {folder}")?)
}

fn compare(arguments: &[String]) -> Result<()> {
    let arguments = Arguments::parse(arguments)?;
    let (shapes, file) = match arguments.capi {
        None => (shape::chosen(&arguments.filter), "bench.json"),
        Some(_) => (
            shape::of_perf_programs(&arguments.filter),
            "bench-capi.json",
        ),
    };
    if shapes.is_empty() {
        let filter = arguments.filter;
        return Err(
            format!("{filter:?} is in no shape's name, nor, behind `=`, all of one").into(),
        );
    }
    let sides = side::chosen(&arguments)?;
    let mut contest = Contest::new(&sides, &arguments)?;
    for shape in &shapes {
        contest.measure(shape);
    }
    let (rows, failures) = contest.finish();
    let place = match &arguments.json {
        Some(place) => place.clone(),
        None => side::target_directory()?.join(file),
    };
    std::fs::write(&place, format!("{:#}\n", json::report(&arguments, &rows)))?;
    report(&sides, &rows, &place)?;
    if failures.is_empty() {
        return Ok(());
    }
    Err(format!("{} runs failed:\n{}", failures.len(), failures.join("\n")).into())
}

fn report(sides: &[Side], rows: &[Row], place: &Path) -> Result<()> {
    let mut output = stdout().lock();
    writeln!(output, "{}", table::at_a_glance(sides, rows))?;
    writeln!(output, "{}", table::in_full(rows))?;
    writeln!(output, "Everything measured is in {}.", place.display())?;
    Ok(write!(output, "{}", table::verdict(rows))?)
}
