//! What is read off a run.

use crate::outcome::Outcome;

/// What is read off a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Metric {
    /// Messages a second.
    Rate,
    /// Connections made in a second.
    SetUp,
    /// Octets of memory for each peer or topic.
    Octets,
    /// Nanoseconds to find out who wants a message.
    Match,
    /// Nanoseconds of a round trip on average.
    Mean,
    /// Nanoseconds of a round trip, half of them.
    P50,
    /// Nanoseconds of a round trip, 99 in 100 of them.
    P99,
    /// Nanoseconds of a round trip, 999 in 1000 of them.
    P999,
}

impl Metric {
    pub(crate) fn of(self, outcome: &Outcome) -> f64 {
        let timed = &outcome.timed;
        let (messages, time) = (
            timed.messages.max(1) as f64,
            timed.nanoseconds.max(1) as f64,
        );
        match self {
            Metric::Rate => timed.messages as f64 * 1e9 / time,
            Metric::SetUp => 1e9 / timed.setup_each.max(1) as f64,
            Metric::Octets => outcome.octets_each,
            Metric::Mean | Metric::Match => time / messages,
            Metric::P50 => timed.percentiles.p50 as f64,
            Metric::P99 => timed.percentiles.p99 as f64,
            Metric::P999 => timed.percentiles.p999 as f64,
        }
    }

    pub(crate) fn more_is_better(self) -> bool {
        matches!(self, Metric::Rate | Metric::SetUp)
    }

    /// Above 1 where `one` is better.
    pub(crate) fn ratio(self, one: f64, other: f64) -> f64 {
        if self.more_is_better() {
            one / other
        } else {
            other / one
        }
    }

    /// What stands behind the name of the shape.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Metric::Rate => "",
            Metric::SetUp => " set-up",
            Metric::Octets => " memory each",
            Metric::Match => " match",
            Metric::Mean => " mean",
            Metric::P50 => " p50",
            Metric::P99 => " p99",
            Metric::P999 => " p99.9",
        }
    }

    pub(crate) fn unit(self) -> &'static str {
        match self {
            Metric::Rate => "messages per second",
            Metric::SetUp => "connections per second",
            Metric::Octets => "octets",
            _ => "nanoseconds",
        }
    }

    /// What to divide by for people, and the unit after that.
    pub(crate) fn scale(self, value: f64) -> (f64, &'static str) {
        match self {
            Metric::Rate if value >= 1e6 => (1e6, "M/s"),
            Metric::Rate | Metric::SetUp => (1e3, "k/s"),
            Metric::Octets => (1.0, "octets"),
            Metric::Match => (1.0, "ns"),
            _ => (1e3, "us"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use peer_script::{Measurement, Percentiles};

    #[test]
    fn a_ratio_above_one_is_in_favour_of_the_first_for_rates_and_for_times() {
        let timed = Measurement {
            messages: 1000,
            nanoseconds: 1_000_000,
            percentiles: Percentiles {
                p50: 10,
                p99: 40,
                p999: 50,
            },
            ..Measurement::default()
        };
        let outcome = Outcome::alone(timed);
        assert_eq!(Metric::Rate.of(&outcome), 1e6);
        assert_eq!(Metric::Mean.of(&outcome), 1e3);
        assert_eq!(Metric::Rate.ratio(2e6, 1e6), 2.0);
        assert_eq!(Metric::P99.ratio(10.0, Metric::P99.of(&outcome)), 4.0);
    }
}
