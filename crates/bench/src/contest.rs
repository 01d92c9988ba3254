//! Rounds of runs, the sides in turns.

use std::io::{Write, stderr};

use crate::Result;
use crate::arguments::Arguments;
use crate::outcome::Outcome;
use crate::place::Place;
use crate::row::{Row, Runs};
use crate::shape::Shape;
use crate::side::{Group, Side};

/// Nanoseconds a run should take.
const RUN: f64 = 0.5e9;
const QUICK_RUN: f64 = 0.1e9;
/// Runs to find out how many messages that is.
const TRIES: u32 = 8;
/// How much more than before a try may take on: a rate measured over a short time may be far off.
const GROWTH: f64 = 16.0;
/// A run must be at least this part of the time wanted before its rate is believed.
const ENOUGH: f64 = 0.4;

/// Everything measured so far.
pub(crate) struct Contest<'a> {
    sides: &'a [Side],
    arguments: &'a Arguments,
    place: Place,
    rows: Vec<Row>,
    failures: Vec<String>,
}

impl<'a> Contest<'a> {
    pub(crate) fn new(sides: &'a [Side], arguments: &'a Arguments) -> Result<Contest<'a>> {
        Ok(Contest {
            sides,
            arguments,
            place: Place::new(arguments.pinned)?,
            rows: Vec::new(),
            failures: Vec::new(),
        })
    }

    /// Measures a shape. A side that fails is out of it; the others go on.
    pub(crate) fn measure(&mut self, shape: &Shape) {
        let playing = self.sides.iter().filter(|side| side.plays(shape));
        let mut all: Vec<Runs<'_>> = playing.map(Runs::new).collect();
        for runs in &mut all {
            match self.count(runs.side, shape) {
                Ok(count) => runs.count = count,
                Err(error) => runs.failure = Some(error.to_string()),
            }
        }
        for _ in 0..self.arguments.pairs {
            for runs in all.iter_mut().filter(|runs| runs.failure.is_none()) {
                match runs.side.run(shape, runs.count, &self.place) {
                    Ok(outcome) => runs.outcomes.push(outcome),
                    Err(error) => runs.failure = Some(error.to_string()),
                }
            }
        }
        self.keep(shape, &all);
    }

    fn keep(&mut self, shape: &Shape, all: &[Runs<'_>]) {
        let name = shape.name();
        for metric in shape.metrics() {
            let row = Row::of(shape, *metric, all);
            // Progress only: nothing is lost if nobody can see it.
            let _ = writeln!(stderr(), "{}", row.brief());
            self.rows.push(row);
        }
        for runs in all {
            let Some(why) = &runs.failure else {
                continue;
            };
            let failure = format!("{name}, {}: {why}", runs.side.name);
            let _ = writeln!(stderr(), "{failure}");
            // What another library cannot do is a result, and stands in the table.
            if runs.side.group != Group::Rival {
                self.failures.push(failure);
            }
        }
    }

    /// The rows, and what failed.
    pub(crate) fn finish(self) -> (Vec<Row>, Vec<String>) {
        (self.rows, self.failures)
    }

    /// How many messages a run needs to take the time wanted.
    fn count(&self, side: &Side, shape: &Shape) -> Result<u64> {
        let wanted = if self.arguments.quick { QUICK_RUN } else { RUN };
        let mut count = shape.first_count();
        for _ in 0..TRIES {
            let Outcome { timed, .. } = side.run(shape, count, &self.place)?;
            let took = timed.nanoseconds.max(1) as f64;
            count = (count as f64 * (wanted / took).clamp(1.0 / GROWTH, GROWTH)) as u64;
            count = count.max(2);
            if took >= ENOUGH * wanted {
                break;
            }
        }
        Ok(count)
    }
}
