//! Everything deterministic, in order, with timings. A failed step does not keep the others from running: one run shows
//! all there is to mend.

use crate::{
    Result, budgets, conformance, deny, dist, docs,
    flags::Flags,
    lint, loom, no_std,
    programs::{INTEROP, SIM, SOAK},
    pyzmq, spec, test, tidy,
    totals::Totals,
};
use std::time::{Duration, Instant};

/// Enough to see a leak, few enough for the descriptor limit of an ordinary shell.
const SOAK_ARGUMENTS: [&str; 4] = ["--peers", "400", "--cycles", "100"];
/// Any fixed number does: a seed of the simulation that gives trouble becomes a test of its own.
const SIM_ARGUMENTS: [&str; 2] = ["--seed", "1"];

/// What of a reason the table shows; the whole of it stands where the step failed.
const OUTCOME_LETTERS: usize = 90;

struct Step {
    name: &'static str,
    run: fn(&mut Totals) -> Result,
}

const STEPS: &[Step] = &[
    Step {
        name: "format",
        run: |_| lint::run_format(),
    },
    Step {
        name: "tidy",
        run: |_| tidy::run(&[]),
    },
    Step {
        name: "clippy",
        run: |_| lint::run_clippy(),
    },
    Step {
        name: "test",
        run: test::run_with,
    },
    Step {
        name: "portable",
        run: test::run_portable_with,
    },
    Step {
        name: "no-std",
        run: |_| no_std::run(),
    },
    Step {
        name: "conformance",
        run: |_| conformance::run(&["--column".to_owned(), "ours".to_owned()]),
    },
    Step {
        name: "dist",
        run: |_| dist::run(&["--check".to_owned()]),
    },
    Step {
        name: "pyzmq",
        run: |_| pyzmq::run(&["--no-control".to_owned()]),
    },
    Step {
        name: "docs",
        run: |_| docs::run(),
    },
    Step {
        name: "spec",
        run: |_| spec::run(&[]),
    },
    Step {
        name: "deny",
        run: |_| deny::run(),
    },
    Step {
        name: "sim",
        run: |totals| SIM.run_with(&SIM_ARGUMENTS.map(str::to_owned), totals),
    },
    Step {
        name: "loom",
        run: loom::run_with,
    },
    Step {
        name: "budgets",
        run: budgets::run_with,
    },
    Step {
        name: "interop",
        run: |totals| INTEROP.run_with(&[], totals),
    },
    Step {
        name: "soak",
        run: |totals| SOAK.run_with(&SOAK_ARGUMENTS.map(str::to_owned), totals),
    },
];

struct Ended {
    name: &'static str,
    took: Duration,
    outcome: Result,
}

pub(crate) fn run(arguments: &[String]) -> Result {
    let mut flags = Flags::new(arguments);
    let fail_fast = flags.switch("--fail-fast");
    flags.finish()?;
    let mut totals = Totals::default();
    let mut ended = Vec::new();
    for step in STEPS {
        println!("\n==> {}", step.name);
        let failed_before = totals.failed;
        let begun = Instant::now();
        let outcome = (step.run)(&mut totals);
        if let Err(why) = &outcome {
            println!("step {} failed: {why}", step.name);
            // A step that fails without a failed test of its own still fails the closing line.
            totals.failed += u64::from(totals.failed == failed_before);
        }
        let failed = outcome.is_err();
        ended.push(Ended {
            name: step.name,
            took: begun.elapsed(),
            outcome,
        });
        if failed && fail_fast {
            break;
        }
    }
    println!("\n{}", table(&ended));
    println!("{} passed, {} failed", totals.passed, totals.failed);
    let failed: Vec<&str> = ended
        .iter()
        .filter(|step| step.outcome.is_err())
        .map(|step| step.name)
        .collect();
    if failed.is_empty() {
        Ok(())
    } else {
        Err(format!("failed: {}", failed.join(", ")))
    }
}

fn table(ended: &[Ended]) -> String {
    let mut text = String::from("step        seconds  outcome\n");
    for step in ended {
        let outcome = match &step.outcome {
            Ok(()) => "ok",
            Err(why) => why.lines().next().unwrap_or("failed"),
        };
        let outcome: String = outcome.chars().take(OUTCOME_LETTERS).collect();
        text.push_str(&format!(
            "{:<10} {:>8.1}  {outcome}\n",
            step.name,
            step.took.as_secs_f64()
        ));
    }
    let whole: Duration = ended.iter().map(|step| step.took).sum();
    text.push_str(&format!("{:<10} {:>8.1}\n", "all", whole.as_secs_f64()));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_says_which_step_failed_and_why_in_one_line() {
        let ended = [
            Ended {
                name: "format",
                took: Duration::from_millis(1500),
                outcome: Ok(()),
            },
            Ended {
                name: "test",
                took: Duration::from_secs(60),
                outcome: Err("two\nlines".into()),
            },
        ];
        assert_eq!(
            table(&ended),
            "step        seconds  outcome\nformat          1.5  ok\ntest           60.0  two\nall            61.5\n"
        );
    }
}
