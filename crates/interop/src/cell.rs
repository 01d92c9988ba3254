//! A table of cells and the loop that runs it.

use std::fmt;
use std::ops::Add;
use std::time::Instant;

use crate::arena::{Arena, Outcome, Verdict};

/// One thing to try.
pub struct Cell {
    /// Words from coarse to fine, separated by slashes; filters look for a part of it.
    pub name: String,
    run: Box<dyn Fn(&mut Arena) -> Outcome>,
}

impl Cell {
    /// A cell.
    pub fn new(name: impl Into<String>, run: impl Fn(&mut Arena) -> Outcome + 'static) -> Cell {
        Cell {
            name: name.into(),
            run: Box::new(run),
        }
    }

    /// The same under a name with a word in front.
    #[must_use]
    pub fn under(self, word: &str) -> Cell {
        Cell {
            name: format!("{word}/{}", self.name),
            ..self
        }
    }

    /// Whether the name contains each of the filters.
    #[must_use]
    pub fn is_wanted(&self, filters: &[String]) -> bool {
        filters
            .iter()
            .all(|filter| self.name.contains(filter.as_str()))
    }

    /// A cell that cannot be run, with the reason.
    pub fn skipped(name: impl Into<String>, why: impl Into<String>) -> Cell {
        let why = why.into();
        Cell::new(name, move |_| Err(Verdict::Skipped(why.clone())))
    }
}

impl fmt::Debug for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cell({})", self.name)
    }
}

/// How many cells came to what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// As they must.
    pub passed: u32,
    /// Otherwise.
    pub failed: u32,
    /// Not at all.
    pub skipped: u32,
}

impl Add for Tally {
    type Output = Tally;

    fn add(self, other: Tally) -> Tally {
        Tally {
            passed: self.passed + other.passed,
            failed: self.failed + other.failed,
            skipped: self.skipped + other.skipped,
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} passed, {} failed, {} skipped",
            self.passed, self.failed, self.skipped
        )
    }
}

/// Runs the cells whose name contains each of the filters, and tells `report` about each that did not pass.
pub fn run(
    arena: &mut Arena,
    cells: &[Cell],
    filters: &[String],
    report: &mut dyn FnMut(&str),
) -> Tally {
    let mut tally = Tally::default();
    for cell in cells {
        if !cell.is_wanted(filters) {
            continue;
        }
        let started = Instant::now();
        let outcome = (cell.run)(arena);
        let history = if outcome.is_err() {
            arena.history()
        } else {
            String::new()
        };
        arena.clear(matches!(outcome, Err(Verdict::Failed(_))));
        match outcome {
            Ok(()) => tally.passed += 1,
            Err(Verdict::Failed(reason)) => {
                tally.failed += 1;
                report(&format!(
                    "FAILED  {} ({:.1?}): {reason}{history}",
                    cell.name,
                    started.elapsed()
                ));
            }
            Err(Verdict::Skipped(reason)) => {
                tally.skipped += 1;
                report(&format!("skipped {}: {reason}", cell.name));
            }
        }
    }
    tally
}
