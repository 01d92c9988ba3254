//! The ordinary test run: unit, property, conversation and doc tests, and the fuzz corpora.

use crate::{
    Result,
    flags::{self, Flags},
    fuzz,
    process::{self, cargo, run_counted},
    totals::Totals,
};

pub(crate) fn run(arguments: &[String]) -> Result {
    counted(arguments, run_with)
}

pub(crate) fn run_portable(arguments: &[String]) -> Result {
    counted(arguments, run_portable_with)
}

fn counted(arguments: &[String], run: fn(&mut Totals) -> Result) -> Result {
    flags::none(arguments)?;
    let mut totals = Totals::default();
    let outcome = run(&mut totals);
    println!("{} passed, {} failed", totals.passed, totals.failed);
    outcome
}

/// All run whatever becomes of the first.
pub(crate) fn run_with(totals: &mut Totals) -> Result {
    let tests = run_counted(cargo(&["test", "--workspace", "--no-fail-fast"]), totals);
    // The same tests, with the other way to wait.
    let tokio = [
        "test",
        "-p",
        "zmq",
        "--features",
        "tokio",
        "--test",
        "facade",
    ];
    let reactor = run_counted(cargo(&tokio), totals);
    let corpora = fuzz::replay(&fuzz::targets()?, totals);
    process::all([tests, reactor, corpora])
}

/// What touches the operating system, once more, by the ways of systems that have no epoll and no flags for new sockets.
pub(crate) fn run_portable_with(totals: &mut Totals) -> Result {
    let mut command = cargo(&["test", "--no-fail-fast", "--lib", "--tests"]);
    command.args(["-p", "zmq-transport", "-p", "zmq-engine", "-p", "zmq"]);
    command.args(["--features", "zmq-engine/portable-poll"]);
    run_counted(command, totals)
}

/// The test of the same name, which the ordinary run sends fewer messages through.
pub(crate) fn run_transitions(arguments: &[String]) -> Result {
    let mut flags = Flags::new(arguments);
    let count = flags.number("--count")?.unwrap_or(1_000_000);
    flags.finish()?;
    let mut command = cargo(&["test", "--release", "-p", "zmq-engine"]);
    command.args(["--test", "transitions"]);
    command.env("ZMQ_TRANSITIONS", count.to_string());
    process::run(command)
}
