//! The models of the engine's hand-overs, and the mutants that show that the models would notice.

use crate::{
    Result,
    flags::Flags,
    process::{self, cargo},
    totals::Totals,
};
use std::process::Command;

const PACKAGE: &str = "zmq-proofs";
/// The build script of the models breaks one file as this mutant says.
const MUTANT: &str = "ZMQ_PROOFS_MUTANT";
/// One program is built for each mutant: what a release takes its time for does not matter here.
const PROFILE: &[(&str, &str)] = &[
    ("RUSTFLAGS", "--cfg loom"),
    ("CARGO_PROFILE_RELEASE_LTO", "off"),
    ("CARGO_PROFILE_RELEASE_DEBUG", "0"),
    ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16"),
];

pub(crate) fn run(arguments: &[String]) -> Result {
    let mut totals = Totals::default();
    let mut flags = Flags::new(arguments);
    let only = flags.value("--only")?;
    let bound = flags.number("--bound")?;
    let mutants = !flags.switch("--no-mutants");
    flags.finish()?;
    let mut words = Vec::new();
    for (name, value) in [
        ("--only", &only),
        ("--bound", &bound.map(|bound| bound.to_string())),
    ] {
        if let Some(value) = value {
            words.extend([name.to_owned(), value.clone()]);
        }
    }
    let proved = process::run_counted(models(&words), &mut totals);
    let noticed = if mutants {
        try_mutants(only.as_deref(), &mut totals)
    } else {
        Ok(())
    };
    println!("{} passed, {} failed", totals.passed, totals.failed);
    process::all([proved, noticed])
}

pub(crate) fn run_with(totals: &mut Totals) -> Result {
    let proved = process::run_counted(models(&[]), totals);
    process::all([proved, try_mutants(None, totals)])
}

fn command(verb: &str) -> Command {
    let mut command = cargo(&[verb, "--release", "--quiet", "-p", PACKAGE]);
    command.envs(PROFILE.iter().copied());
    command
}

fn models(words: &[String]) -> Command {
    let mut command = command("run");
    command.arg("--").args(words);
    command
}

/// Each mutant must be built, and then fail its model.
fn try_mutants(only: Option<&str>, totals: &mut Totals) -> Result {
    let listed = process::capture(models(&["--mutants".to_owned()]))?;
    let mut survived = Vec::new();
    for line in listed.lines() {
        let parts: Vec<&str> = line.split('\t').collect();
        let &[name, model, why] = &parts[..] else {
            return Err(format!("a mutant was expected, met `{line}`"));
        };
        if only.is_some_and(|only| only != model) {
            continue;
        }
        let mut build = command("build");
        build.env(MUTANT, name);
        process::capture(build)?;
        let mut run = models(&["--only".to_owned(), model.to_owned()]);
        run.env(MUTANT, name);
        if process::capture(run).is_err() {
            totals.passed += 1;
            println!("{model:<20} notices {name}: {why}");
        } else {
            totals.failed += 1;
            println!("{model:<20} DOES NOT NOTICE {name}: {why}");
            survived.push(name);
        }
    }
    if survived.is_empty() {
        Ok(())
    } else {
        Err(format!("not noticed: {}", survived.join(", ")))
    }
}
