//! Fuzz targets: run for a while under the nightly toolchain, or fed their committed corpora on the stable one.

use crate::{
    Result,
    flags::Flags,
    process::{self, cargo, cargo_of},
    tools::Tool,
    totals::Totals,
    tree,
};
use std::{
    process::{Command, Stdio},
    sync::{Mutex, PoisonError},
};

pub(crate) const MANIFEST: &str = "fuzz/Cargo.toml";
pub(crate) const TARGETS: &str = "fuzz/fuzz_targets";
pub(crate) const CORPUS: &str = "fuzz/corpus";

const CARGO_FUZZ: Tool = Tool {
    package: "cargo-fuzz",
    version: "0.13.2",
};
const DEFAULT_SECONDS: u64 = 60;
/// No input may make us ask for this much at once, whatever length it claims (MiB).
const SINGLE_ALLOCATION: u32 = 64;
/// An input that takes longer than this is a finding (seconds).
const ONE_INPUT: u32 = 10;
/// Corpus files named on one command line.
const FILES_AT_ONCE: usize = 500;

pub(crate) fn run(arguments: &[String]) -> Result {
    let mut flags = Flags::new(arguments);
    let seconds = flags.number("--seconds")?;
    let only_replay = flags.switch("--replay");
    let mut chosen = Vec::new();
    while let Some(name) = flags.value("--target")? {
        chosen.push(name);
    }
    flags.finish()?;
    let known = targets()?;
    if let Some(unknown) = chosen.iter().find(|name| !known.contains(name)) {
        return Err(format!(
            "{TARGETS} has no `{unknown}`; it has {}",
            known.join(", ")
        ));
    }
    let chosen = if chosen.is_empty() { known } else { chosen };
    if chosen.is_empty() {
        return Err(format!("{TARGETS} holds no target"));
    }
    if only_replay {
        let mut totals = Totals::default();
        let outcome = replay(&chosen, &mut totals);
        println!("{} passed, {} failed", totals.passed, totals.failed);
        return outcome;
    }
    fuzz(&chosen, seconds.unwrap_or(DEFAULT_SECONDS))
}

/// Names of all targets.
pub(crate) fn targets() -> Result<Vec<String>> {
    let files = tree::files()?;
    let names = files.iter().filter_map(|path| {
        path.strip_prefix(TARGETS)?
            .strip_prefix('/')?
            .strip_suffix(".rs")
    });
    Ok(names.map(str::to_owned).collect())
}

/// Feeds every committed corpus file to its target once, without instrumentation: an ordinary test of each.
pub(crate) fn replay(targets: &[String], totals: &mut Totals) -> Result {
    let files = tree::files()?;
    let mut failed = Vec::new();
    for name in targets {
        let folder = format!("{CORPUS}/{name}/");
        let corpus: Vec<&String> = files
            .iter()
            .filter(|path| path.starts_with(&folder))
            .collect();
        for part in corpus.chunks(FILES_AT_ONCE) {
            let mut command = cargo(&[
                "run",
                "--quiet",
                "--manifest-path",
                MANIFEST,
                "--bin",
                name,
                "--",
            ]);
            command.args(part).stderr(Stdio::piped());
            let output = command
                .output()
                .map_err(|error| format!("{}: {error}", process::line(&command)))?;
            if output.status.success() {
                totals.passed += part.len() as u64;
            } else {
                println!("{}", String::from_utf8_lossy(&output.stderr));
                totals.failed += 1;
                failed.push(name.as_str());
            }
        }
        println!("replayed {name}: {} inputs", corpus.len());
    }
    if failed.is_empty() {
        Ok(())
    } else {
        Err(format!("corpus replay failed: {}", failed.join(", ")))
    }
}

/// Runs every target for so many seconds, as many at a time as there are cores.
fn fuzz(targets: &[String], seconds: u64) -> Result {
    CARGO_FUZZ.ensure()?;
    process::capture(cargo_of("nightly", &["--version"])).map_err(|_| {
        "the nightly toolchain is missing, get it by `rustup toolchain install nightly`".to_owned()
    })?;
    process::run(cargo_of("nightly", &["fuzz", "build"]))?;
    let open = Mutex::new(targets.iter());
    let failed = Mutex::new(Vec::new());
    let lanes = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..lanes {
            scope.spawn(|| {
                // The guard of a `while let` would live through the body: take the name first.
                let next = || open.lock().unwrap_or_else(PoisonError::into_inner).next();
                while let Some(name) = next() {
                    if let Err(why) = fuzz_one(name, seconds) {
                        println!("{name}: {why}");
                        failed
                            .lock()
                            .unwrap_or_else(PoisonError::into_inner)
                            .push(name.clone());
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap_or_else(PoisonError::into_inner);
    println!(
        "{} passed, {} failed",
        targets.len() - failed.len(),
        failed.len()
    );
    if failed.is_empty() {
        Ok(())
    } else {
        Err(format!("found something: {}", failed.join(", ")))
    }
}

fn fuzz_one(name: &str, seconds: u64) -> Result {
    // New inputs go to a folder of their own: the committed corpus grows by choice only.
    let found = format!("fuzz/target/found/{name}");
    std::fs::create_dir_all(&found).map_err(|error| format!("{found}: {error}"))?;
    let mut command: Command = cargo_of("nightly", &["fuzz", "run", name, &found]);
    let corpus = format!("{CORPUS}/{name}");
    if std::path::Path::new(&corpus).is_dir() {
        command.arg(corpus);
    }
    command.arg("--").args([
        format!("-max_total_time={seconds}"),
        format!("-timeout={ONE_INPUT}"),
        format!("-malloc_limit_mb={SINGLE_ALLOCATION}"),
        "-print_final_stats=1".to_owned(),
    ]);
    let output = command
        .output()
        .map_err(|error| format!("did not start: {error}"))?;
    let text = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        return Err(format!("\n{text}"));
    }
    let executed = text
        .lines()
        .find_map(|line| line.strip_prefix("stat::number_of_executed_units:"));
    println!(
        "{name}: clean, {} inputs in {seconds} s",
        executed.map_or("?", str::trim)
    );
    Ok(())
}
