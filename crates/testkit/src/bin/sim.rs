//! A random day of every pattern, twice: `sim --seed N [--steps N] [--days N] [--log]`.
//!
//! Prints the hash of the log, what was received and what is wrong, if anything. Ends with a failure if something is, or if
//! the second run of the same seed had another log.
#![forbid(unsafe_code)]
// A program that talks to its terminal.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::process::ExitCode;

use zmq_testkit::scenario;

const USAGE: &str = "sim [--seed N] [--steps N] [--days N] [--log]";

struct Arguments {
    seed: u64,
    steps: u64,
    /// Seeds tried: from `seed` on.
    days: u64,
    log: bool,
}

fn parse(mut words: impl Iterator<Item = String>) -> Option<Arguments> {
    let mut arguments = Arguments {
        seed: 1,
        steps: 4_000,
        days: 1,
        log: false,
    };
    while let Some(word) = words.next() {
        let (name, value) = match word.split_once('=') {
            Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
            None => (word, None),
        };
        if name == "--log" && value.is_none() {
            arguments.log = true;
            continue;
        }
        let number = value.or_else(|| words.next())?.parse().ok()?;
        match name.as_str() {
            "--seed" => arguments.seed = number,
            "--steps" => arguments.steps = number,
            "--days" => arguments.days = number,
            _ => return None,
        }
    }
    Some(arguments)
}

fn main() -> ExitCode {
    let Some(arguments) = parse(std::env::args().skip(1)) else {
        eprintln!("{USAGE}");
        return ExitCode::FAILURE;
    };
    let mut good = true;
    for seed in (arguments.seed..).take(usize::try_from(arguments.days).unwrap_or(usize::MAX)) {
        good &= live(seed, &arguments);
    }
    if good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn live(seed: u64, arguments: &Arguments) -> bool {
    let first = scenario::run(seed, arguments.steps);
    let second = scenario::run(seed, arguments.steps);
    if arguments.log {
        for line in &first.log {
            println!("{line}");
        }
    }
    let same = first.log == second.log;
    println!(
        "seed {seed}: log {:016x} ({} lines), {} messages received over {} connections, {} faults{}",
        first.hash,
        first.log.len(),
        first.received,
        first.connections,
        first.faults.len(),
        if same { "" } else { ", AND NOT THE SAME TWICE" }
    );
    for fault in &first.faults {
        println!("  {fault}");
    }
    if !same {
        let at = first
            .log
            .iter()
            .zip(&second.log)
            .take_while(|(one, other)| one == other)
            .count();
        println!("  the logs differ from line {at} on:");
        println!("  {:?}\n  {:?}", first.log.get(at), second.log.get(at));
    }
    same && first.faults.is_empty()
}
