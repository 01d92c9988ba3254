//! The ordinary test run: unit, property, conversation and doc tests, and the fuzz corpora.

use crate::{
    Result, flags, fuzz,
    process::{self, cargo, run_counted},
    totals::Totals,
};

pub(crate) fn run(arguments: &[String]) -> Result {
    flags::none(arguments)?;
    let mut totals = Totals::default();
    let outcome = run_with(&mut totals);
    println!("{} passed, {} failed", totals.passed, totals.failed);
    outcome
}

/// Both halves run whatever becomes of the first.
pub(crate) fn run_with(totals: &mut Totals) -> Result {
    let tests = run_counted(cargo(&["test", "--workspace", "--no-fail-fast"]), totals);
    let corpora = fuzz::replay(&fuzz::targets()?, totals);
    process::all([tests, corpora])
}
