//! Measures this library and libzmq side by side: the same shapes of traffic, the same loops, in turns, each end in a
//! process of its own.
//!
//! ```text
//! bench [--pairs N] [--filter TEXT] [--quick] [--unpinned]
//! ```
//!
//! Writes a Markdown table to standard output and everything measured to `bench.json` in the target directory. Single
//! numbers of a shared machine say little; what counts is the median of the ratios within each pair of runs, which see
//! the same neighbours. `bench worker ...` is one end of a run of this library; libzmq's is `libzmq-peer perf ...`.
#![forbid(unsafe_code)]

mod arguments;
mod contest;
mod json;
mod ours;
mod run;
mod shape;
mod statistics;
mod table;

use std::error::Error;
use std::io::{Write, stderr, stdin, stdout};
use std::path::Path;
use std::process::ExitCode;

use peer_script::work;

use crate::arguments::Arguments;
use crate::contest::{Contest, Row};
use crate::ours::Ours;
use crate::run::Programs;

type Result<T, E = Box<dyn Error + Send + Sync>> = std::result::Result<T, E>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments.split_first() {
        Some((verb, job)) if verb == "worker" => worker(job),
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

fn worker(job: &[String]) -> Result<()> {
    let job = job.join(" ").parse()?;
    work(Ours::new, &job, &mut stdin().lock(), &mut stdout().lock())
}

fn compare(arguments: &[String]) -> Result<()> {
    let arguments = Arguments::parse(arguments)?;
    let shapes = shape::chosen(&arguments.filter);
    if shapes.is_empty() {
        return Err(format!("no shape contains {:?}", arguments.filter).into());
    }
    let programs = Programs::find()?;
    let mut contest = Contest::new(&programs, &arguments)?;
    for shape in &shapes {
        contest.measure(shape);
    }
    let (rows, failures) = contest.finish();
    let place = programs.target_directory().join("bench.json");
    std::fs::write(&place, format!("{:#}\n", json::report(&arguments, &rows)))?;
    report(&rows, &place)?;
    if failures.is_empty() {
        return Ok(());
    }
    Err(format!("{} runs failed:\n{}", failures.len(), failures.join("\n")).into())
}

fn report(rows: &[Row], place: &Path) -> Result<()> {
    let mut output = stdout().lock();
    writeln!(output, "{}", table::markdown(rows))?;
    writeln!(output, "Everything measured is in {}.", place.display())?;
    Ok(writeln!(output, "{}", table::verdict(rows))?)
}
