//! The table and the verdict.

use crate::contest::Row;
use crate::shape::Metric;
use crate::statistics::Spread;

impl Row {
    /// The shape, and what of it.
    pub(crate) fn name(&self) -> String {
        let name = self.shape.name();
        match self.metric {
            Metric::Rate => name,
            Metric::P50 => format!("{name} p50"),
            Metric::P99 => format!("{name} p99"),
        }
    }
}

pub(crate) fn markdown(rows: &[Row]) -> String {
    let mut table = "| shape, octets | ours [min..max] | libzmq [min..max] | ratio [min..max] |\n\
        |---|---|---|---|\n"
        .to_owned();
    for row in rows {
        let (ours, libzmq) = (&row.ours.value, &row.libzmq.value);
        let (name, ours) = (row.name(), quantity(ours, row.metric));
        let libzmq = quantity(libzmq, row.metric);
        let Spread { median, min, max } = row.ratio;
        table += &format!("| {name} | {ours} | {libzmq} | {median:.2} [{min:.2}..{max:.2}] |\n");
    }
    table
}

/// On how many shapes the ratio is what it should be, and on which ones it is not.
pub(crate) fn verdict(rows: &[Row]) -> String {
    let slow: Vec<String> = rows
        .iter()
        .filter(|row| row.ratio.median < row.shape.goal())
        .map(|row| format!("{} (goal {})", row.name(), row.shape.goal()))
        .collect();
    let (good, all) = (rows.len() - slow.len(), rows.len());
    let below = if slow.is_empty() {
        String::new()
    } else {
        format!("; below: {}", slow.join(", "))
    };
    format!("ratio as it should be on {good} of {all} shapes{below}")
}

fn quantity(spread: &Spread, metric: Metric) -> String {
    let (scale, unit) = match metric {
        Metric::Rate if spread.median >= 1e6 => (1e6, "M/s"),
        Metric::Rate => (1e3, "k/s"),
        Metric::P50 | Metric::P99 => (1e3, "us"),
    };
    let [median, min, max] = [spread.median, spread.min, spread.max].map(|value| value / scale);
    format!("{median:.2} [{min:.2}..{max:.2}] {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contest::Side;
    use crate::shape::{Kind, Shape};

    fn row(size: usize, ratio: f64) -> Row {
        let spread = |median| Spread {
            median,
            min: median,
            max: median,
        };
        let side = |median| Side {
            value: spread(median),
            sender_cpu: 0.0,
            receiver_cpu: 0.0,
            count: 1,
        };
        Row {
            shape: Shape {
                kind: Kind::PushPull,
                transport: "tcp",
                size,
                sealed: false,
            },
            metric: Metric::Rate,
            ours: side(ratio * 1e6),
            libzmq: side(1e6),
            ratio: spread(ratio),
        }
    }

    #[test]
    fn the_verdict_names_what_is_slower() {
        let rows = [row(16, 2.0), row(64, 0.96), row(256, 0.5)];
        assert_eq!(
            verdict(&rows),
            "ratio as it should be on 2 of 3 shapes; below: push-pull tcp 256 (goal 0.95)"
        );
        assert_eq!(
            verdict(&rows[..2]),
            "ratio as it should be on 2 of 2 shapes"
        );
        let table = markdown(&rows);
        assert!(table.contains("| push-pull tcp 256 | 500.00 [500.00..500.00] k/s |"));
        assert_eq!(table.lines().count(), 5);
    }
}
