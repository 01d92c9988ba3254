//! What the sides have done on one shape, and how they compare.

use crate::outcome::Outcome;
use crate::shape::{Metric, Shape};
use crate::side::{Group, Side};
use crate::statistics::Spread;

/// The runs of one side on one shape.
pub(crate) struct Runs<'a> {
    pub(crate) side: &'a Side,
    /// Messages of one run.
    pub(crate) count: u64,
    pub(crate) outcomes: Vec<Outcome>,
    /// Why there are no more of them.
    pub(crate) failure: Option<String>,
}

impl<'a> Runs<'a> {
    pub(crate) fn new(side: &'a Side) -> Runs<'a> {
        Runs {
            side,
            count: 0,
            outcomes: Vec::new(),
            failure: None,
        }
    }
}

/// One metric of one shape, for all sides.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) shape: Shape,
    pub(crate) metric: Metric,
    pub(crate) entries: Vec<Entry>,
}

/// One metric of one side.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) side: &'static str,
    pub(crate) group: Group,
    /// Messages of one run.
    pub(crate) count: u64,
    /// Round by round.
    pub(crate) values: Vec<f64>,
    /// Median nanoseconds of processor time for each message.
    pub(crate) sender_cpu: f64,
    pub(crate) receiver_cpu: f64,
    pub(crate) failure: Option<String>,
}

impl Row {
    pub(crate) fn of(shape: &Shape, metric: Metric, all: &[Runs<'_>]) -> Row {
        Row {
            shape: *shape,
            metric,
            entries: all.iter().map(|runs| Entry::of(metric, runs)).collect(),
        }
    }

    /// The shape, and what of it.
    pub(crate) fn name(&self) -> String {
        let (name, what) = (self.shape.name(), self.metric.name());
        format!("{name}{what}")
    }

    pub(crate) fn ours(&self) -> impl Iterator<Item = &Entry> {
        self.entries
            .iter()
            .filter(|entry| entry.group == Group::Ours)
    }

    fn libzmq(&self) -> Option<&Entry> {
        let mut entries = self.entries.iter();
        entries.find(|entry| entry.group == Group::Libzmq)
    }

    /// How many times better than libzmq this entry is, round by round. None for libzmq itself.
    pub(crate) fn to_libzmq(&self, entry: &Entry) -> Option<Spread> {
        let libzmq = self.libzmq()?;
        (entry.side != libzmq.side).then(|| self.ratio(entry, libzmq))?
    }

    /// How many times better one is than the other, round by round: the rounds see the same neighbours.
    fn ratio(&self, one: &Entry, other: &Entry) -> Option<Spread> {
        let rounds = one.values.iter().zip(&other.values);
        Spread::of(rounds.map(|(&one, &other)| self.metric.ratio(one, other)))
    }

    /// One line: the ratios of ours.
    pub(crate) fn brief(&self) -> String {
        let mut line = self.name();
        for entry in self.ours() {
            if let Some(ratio) = self.to_libzmq(entry) {
                line += &format!(", {} {:.2}", entry.side, ratio.median);
            }
        }
        line
    }
}

impl Entry {
    fn of(metric: Metric, runs: &Runs<'_>) -> Entry {
        let median = |value: fn(&Outcome) -> f64| {
            Spread::of(runs.outcomes.iter().map(value)).map_or(0.0, |spread| spread.median)
        };
        Entry {
            side: runs.side.name,
            group: runs.side.group,
            count: runs.count,
            values: runs
                .outcomes
                .iter()
                .map(|outcome| metric.of(outcome))
                .collect(),
            sender_cpu: median(|outcome| outcome.sender_cpu),
            receiver_cpu: median(|outcome| outcome.receiver_cpu),
            failure: runs.failure.clone(),
        }
    }

    pub(crate) fn spread(&self) -> Option<Spread> {
        Spread::of(self.values.iter().copied())
    }
}
