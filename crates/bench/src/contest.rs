//! Pairs of runs, in turns.

use std::io::{Write, stderr};

use crate::Result;
use crate::arguments::Arguments;
use crate::run::{Corner, Outcome, Program, Programs, run};
use crate::shape::{Metric, Shape};
use crate::statistics::Spread;

/// Nanoseconds a run should take.
const RUN: f64 = 0.5e9;
const QUICK_RUN: f64 = 0.1e9;
/// Runs to find out how many messages that is.
const TRIES: u32 = 8;
/// How much more than before a try may take on: a rate measured over a short time may be far off.
const GROWTH: f64 = 16.0;
/// A run must be at least this part of the time wanted before its rate is believed.
const ENOUGH: f64 = 0.4;

/// The outcomes of one shape for both sides.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) shape: Shape,
    pub(crate) metric: Metric,
    pub(crate) ours: Side,
    pub(crate) libzmq: Side,
    /// How many times better ours is, pair by pair.
    pub(crate) ratio: Spread,
}

/// The runs of one side.
#[derive(Clone, Debug)]
pub(crate) struct Side {
    /// Messages a second, or nanoseconds.
    pub(crate) value: Spread,
    /// Median nanoseconds of processor time for each message.
    pub(crate) sender_cpu: f64,
    pub(crate) receiver_cpu: f64,
    /// Messages of one run.
    pub(crate) count: u64,
}

/// Everything measured so far.
pub(crate) struct Contest<'a> {
    programs: &'a Programs,
    arguments: &'a Arguments,
    corner: Corner,
    rows: Vec<Row>,
    failures: Vec<String>,
}

impl<'a> Contest<'a> {
    pub(crate) fn new(programs: &'a Programs, arguments: &'a Arguments) -> Result<Contest<'a>> {
        Ok(Contest {
            programs,
            arguments,
            corner: Corner::new()?,
            rows: Vec::new(),
            failures: Vec::new(),
        })
    }

    /// Measures a shape. Failures are kept for the end: the other shapes are still worth measuring.
    pub(crate) fn measure(&mut self, shape: &Shape) {
        let name = shape.name();
        let said = match self.pairs(shape) {
            Ok(rows) => {
                let ratios: Vec<String> = rows
                    .iter()
                    .map(|row| format!("{:.2}", row.ratio.median))
                    .collect();
                self.rows.extend(rows);
                ratios.join(", ")
            }
            Err(error) => {
                self.failures.push(format!("{name}: {error}"));
                format!("failed: {error}")
            }
        };
        // Progress only: nothing is lost if nobody can see it.
        let _ = writeln!(stderr(), "{name}: {said}");
    }

    /// The rows, and what failed.
    pub(crate) fn finish(self) -> (Vec<Row>, Vec<String>) {
        (self.rows, self.failures)
    }

    fn pairs(&self, shape: &Shape) -> Result<Vec<Row>> {
        let Programs { ours, libzmq, .. } = self.programs;
        let counts = (self.count(ours, shape)?, self.count(libzmq, shape)?);
        let mut outcomes: Vec<(Outcome, Outcome)> = Vec::new();
        for _ in 0..self.arguments.pairs {
            outcomes.push((
                self.run(ours, shape, counts.0)?,
                self.run(libzmq, shape, counts.1)?,
            ));
        }
        let row = |metric: &Metric| {
            let values = outcomes
                .iter()
                .map(|(ours, libzmq)| (metric.of(ours), metric.of(libzmq)));
            Some(Row {
                shape: *shape,
                metric: *metric,
                ours: Side::of(counts.0, metric, outcomes.iter().map(|pair| &pair.0))?,
                libzmq: Side::of(counts.1, metric, outcomes.iter().map(|pair| &pair.1))?,
                ratio: Spread::of(values.map(|(ours, libzmq)| metric.ratio(ours, libzmq)))?,
            })
        };
        let rows: Option<Vec<Row>> = shape.metrics().iter().map(row).collect();
        Ok(rows.ok_or("nothing was measured")?)
    }

    fn run(&self, program: &Program, shape: &Shape, count: u64) -> Result<Outcome> {
        let place = (&self.corner, self.arguments.pinned);
        run(program, shape, count, place)
    }

    /// How many messages a run needs to take the time wanted.
    fn count(&self, program: &Program, shape: &Shape) -> Result<u64> {
        let wanted = if self.arguments.quick { QUICK_RUN } else { RUN };
        let mut count = shape.first_count();
        for _ in 0..TRIES {
            let took = self.run(program, shape, count)?.timed.nanoseconds.max(1) as f64;
            count = (count as f64 * (wanted / took).clamp(1.0 / GROWTH, GROWTH)) as u64;
            count = count.max(2);
            if took >= ENOUGH * wanted {
                break;
            }
        }
        Ok(count)
    }
}

impl Metric {
    fn of(self, outcome: &Outcome) -> f64 {
        let timed = &outcome.timed;
        match self {
            Metric::Rate => timed.messages as f64 * 1e9 / timed.nanoseconds.max(1) as f64,
            Metric::P50 => timed.percentiles.p50 as f64,
            Metric::P99 => timed.percentiles.p99 as f64,
        }
    }

    /// Above 1 where ours is better.
    fn ratio(self, ours: f64, libzmq: f64) -> f64 {
        match self {
            Metric::Rate => ours / libzmq,
            Metric::P50 | Metric::P99 => libzmq / ours,
        }
    }
}

impl Side {
    fn of<'a>(
        count: u64,
        metric: &Metric,
        outcomes: impl Iterator<Item = &'a Outcome> + Clone,
    ) -> Option<Side> {
        let median = |value: fn(&Outcome) -> f64| Spread::of(outcomes.clone().map(value));
        Some(Side {
            value: Spread::of(outcomes.clone().map(|outcome| metric.of(outcome)))?,
            sender_cpu: median(|outcome| outcome.sender_cpu)?.median,
            receiver_cpu: median(|outcome| outcome.receiver_cpu)?.median,
            count,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use peer_script::{Measurement, Percentiles};

    #[test]
    fn a_ratio_above_one_is_in_our_favour_for_rates_and_for_times() {
        let timed = Measurement {
            messages: 1000,
            nanoseconds: 1_000_000,
            cpu_nanoseconds: 0,
            percentiles: Percentiles { p50: 10, p99: 40 },
        };
        let outcome = Outcome {
            timed,
            ..Outcome::default()
        };
        assert_eq!(Metric::Rate.of(&outcome), 1e6);
        assert_eq!(Metric::Rate.ratio(2e6, 1e6), 2.0);
        assert_eq!(Metric::P99.ratio(10.0, Metric::P99.of(&outcome)), 4.0);
    }
}
