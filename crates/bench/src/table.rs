//! The table and the verdict.

use crate::metric::Metric;
use crate::row::Row;
use crate::side::{Group, Side};
use crate::statistics::Spread;

/// One column a side, and one for how many times better than libzmq it is.
pub(crate) fn markdown(sides: &[Side], rows: &[Row]) -> String {
    let mut head = vec!["shape, octets".to_owned()];
    for side in sides {
        head.push(format!("{} [min..max]", side.name));
        if side.group != Group::Libzmq {
            head.push("to libzmq [min..max]".to_owned());
        }
    }
    let rule = "---|".repeat(head.len());
    let mut table = format!("| {} |\n|{rule}\n", head.join(" | "));
    for row in rows {
        table += &format!("| {} |", row.name());
        for side in sides {
            let entry = row.entries.iter().find(|entry| entry.side == side.name);
            let value = entry.and_then(|entry| Some(quantity(&entry.spread()?, row.metric)));
            table += &format!(" {} |", value.unwrap_or_default());
            if side.group != Group::Libzmq {
                let ratio = entry.and_then(|entry| row.to_libzmq(entry)).map(times);
                table += &format!(" {} |", ratio.unwrap_or_default());
            }
        }
        table += "\n";
    }
    table
}

/// On how many shapes the ratio is what it should be, and on which ones it is not.
pub(crate) fn verdict(rows: &[Row]) -> String {
    let mut slow = Vec::new();
    let mut all = 0;
    for row in rows {
        for entry in row.ours() {
            let Some(ratio) = row.to_libzmq(entry) else {
                continue;
            };
            all += 1;
            if ratio.median < row.shape.goal() {
                slow.push(format!(
                    "{} {} (goal {})",
                    entry.side,
                    row.name(),
                    row.shape.goal()
                ));
            }
        }
    }
    let below = if slow.is_empty() {
        String::new()
    } else {
        format!("; below: {}", slow.join(", "))
    };
    format!(
        "ratio as it should be on {} of {all}{below}",
        all - slow.len()
    )
}

fn times(ratio: Spread) -> String {
    let Spread { median, min, max } = ratio;
    format!("{median:.2} [{min:.2}..{max:.2}]")
}

fn quantity(spread: &Spread, metric: Metric) -> String {
    let (scale, unit) = metric.scale(spread.median);
    let [median, min, max] = [spread.median, spread.min, spread.max].map(|value| value / scale);
    format!("{median:.2} [{min:.2}..{max:.2}] {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::row::Entry;
    use crate::shape::{Kind, Shape};
    use std::path::Path;

    fn row(size: usize, ratio: f64) -> Row {
        let entry = |side, group, value| Entry {
            side,
            group,
            count: 1,
            values: vec![value],
            sender_cpu: 0.0,
            receiver_cpu: 0.0,
            failure: None,
        };
        Row {
            shape: Shape {
                kind: Kind::PushPull,
                transport: "tcp",
                size,
                sealed: false,
            },
            metric: Metric::Rate,
            entries: vec![
                entry("ours", Group::Ours, ratio * 1e6),
                entry("libzmq", Group::Libzmq, 1e6),
            ],
        }
    }

    #[test]
    fn the_verdict_names_what_is_slower() {
        let rows = [row(16, 2.0), row(64, 0.96), row(256, 0.5)];
        assert_eq!(
            verdict(&rows),
            "ratio as it should be on 2 of 3; below: ours push-pull tcp 256 (goal 0.95)"
        );
        assert_eq!(verdict(&rows[..2]), "ratio as it should be on 2 of 2");
    }

    #[test]
    fn every_line_of_the_table_has_as_many_cells() {
        let side = |name, group| Side::worker(name, group, Path::new("-"), &[]);
        let sides = [side("ours", Group::Ours), side("libzmq", Group::Libzmq)];
        let table = markdown(&sides, &[row(16, 2.0), row(256, 0.5)]);
        assert!(
            table.contains(
                "| push-pull tcp 256 | 500.00 [500.00..500.00] k/s | 0.50 [0.50..0.50] |"
            )
        );
        assert_eq!(table.lines().count(), 4);
        assert!(table.lines().all(|line| line.matches('|').count() == 5));
    }
}
