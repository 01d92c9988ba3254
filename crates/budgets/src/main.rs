//! What the hot paths cost in numbers that do not depend on what else the machine does: `cargo xtask budgets`.
//!
//! Each case is made ready, run a few times so that buffers have their sizes, and then run in [`budget_measured`]. The
//! allocations in there are counted by the program itself, the instructions by callgrind, which collects while that function
//! runs.
#![forbid(unsafe_code)]
// A program that talks to its terminal.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod engine;
mod pattern;
mod wire;

use std::process::ExitCode;

/// Runs before the one that counts.
const WARM: usize = 4;

/// Something whose cost is kept.
struct Case {
    name: String,
    /// Messages in each run.
    messages: u64,
    make: Box<dyn Fn() -> Run>,
}

type Run = Box<dyn FnMut()>;

impl Case {
    fn new(name: impl Into<String>, messages: u64, make: impl Fn() -> Run + 'static) -> Case {
        Case {
            name: name.into(),
            messages,
            make: Box::new(make),
        }
    }
}

fn cases() -> Vec<Case> {
    let mut cases = wire::cases();
    cases.extend(pattern::cases());
    cases.extend(engine::cases());
    cases
}

/// What callgrind looks for by its name.
#[inline(never)]
fn budget_measured(run: &mut dyn FnMut()) {
    run();
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        // A line for each case: its name, its messages, their allocations.
        ["allocations"] => {
            for case in cases() {
                let mut run = ready(&case);
                let info = allocation_counter::measure(|| budget_measured(&mut run));
                println!("{}\t{}\t{}", case.name, case.messages, info.count_total);
            }
        }
        // One case, for callgrind to watch.
        ["run", name] => {
            let Some(case) = cases().into_iter().find(|case| case.name == name) else {
                eprintln!("budgets: no case `{name}`");
                return ExitCode::FAILURE;
            };
            budget_measured(&mut ready(&case));
        }
        _ => {
            eprintln!("budgets allocations | run CASE (under callgrind: cargo xtask budgets)");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

fn ready(case: &Case) -> Run {
    let mut run = (case.make)();
    for _ in 0..WARM {
        run();
    }
    run
}
