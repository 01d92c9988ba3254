//! What the sides have done on one shape, and how they compare.

use crate::goal::{Against, Goal};
use crate::metric::Metric;
use crate::outcome::Outcome;
use crate::shape::Shape;
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

    fn of_group(&self, group: Group) -> impl Iterator<Item = &Entry> {
        self.entries
            .iter()
            .filter(move |entry| entry.group == group)
    }

    /// What this entry is compared with.
    pub(crate) fn other(&self, entry: &Entry, against: Against) -> Option<&Entry> {
        let other = match against {
            Against::Libzmq => self.of_group(Group::Libzmq).next(),
            Against::Raw => self.of_group(Group::Raw).next(),
            Against::Rivals => self.best_rival(),
            Against::Bound => None,
        };
        other.filter(|other| other.side != entry.side)
    }

    fn best_rival(&self) -> Option<&Entry> {
        let rivals = self.of_group(Group::Rival);
        let rivals = rivals.filter_map(|rival| Some((rival, rival.spread()?.median)));
        let best = rivals.max_by(|(_, one), (_, other)| {
            if self.metric.more_is_better() {
                one.total_cmp(other)
            } else {
                other.total_cmp(one)
            }
        });
        best.map(|(rival, _)| rival)
    }

    /// How many times better than the other this entry is, round by round: the rounds see the same neighbours.
    pub(crate) fn ratio(&self, entry: &Entry, against: Against) -> Option<Spread> {
        let other = self.other(entry, against)?;
        let rounds = entry.values.iter().zip(&other.values);
        Spread::of(rounds.map(|(&one, &other)| self.metric.ratio(one, other)))
    }

    /// Whether a goal is reached; none if it cannot be said.
    pub(crate) fn reached(&self, entry: &Entry, goal: &Goal) -> Option<bool> {
        match goal.against {
            Against::Bound => Some(entry.spread()?.median <= goal.least),
            against => Some(self.ratio(entry, against)?.median >= goal.least),
        }
    }

    /// One line: the ratios of ours.
    pub(crate) fn brief(&self) -> String {
        let mut line = self.name();
        for entry in self.ours() {
            if let Some(ratio) = self.ratio(entry, Against::Libzmq) {
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
