//! The tables and the verdict.

use crate::goal::{Against, goals};
use crate::metric::Metric;
use crate::row::{Entry, Row};
use crate::side::{Group, Side};
use crate::statistics::Spread;

/// One column a side: the median, and how many times better than libzmq that is.
pub(crate) fn at_a_glance(sides: &[Side], rows: &[Row]) -> String {
    let mut table = "| shape, octets |".to_owned();
    for side in sides {
        table += &format!(" {} |", side.name);
    }
    table += &format!("\n|---|{}\n", "---|".repeat(sides.len()));
    for row in rows {
        table += &format!("| {} |", row.name());
        for side in sides {
            let entry = row.entries.iter().find(|entry| entry.side == side.name);
            let cell = entry.map(|entry| cell(row, entry)).unwrap_or_default();
            table += &format!(" {cell} |");
        }
        table += "\n";
    }
    table
}

fn cell(row: &Row, entry: &Entry) -> String {
    let Some(value) = entry.spread() else {
        return "did not finish".to_owned();
    };
    let (scale, unit) = row.metric.scale(value.median);
    let value = format!("{:.2} {unit}", value.median / scale);
    match row.ratio(entry, Against::Libzmq) {
        Some(ratio) => format!("{value}, {:.2}", ratio.median),
        None => value,
    }
}

/// One line for each side of each shape, with everything.
pub(crate) fn in_full(rows: &[Row]) -> String {
    let mut table =
        "| shape, octets | side | median [min..max] | CPU ns a message, sender + receiver \
        | to libzmq [min..max] | to the best rival [min..max] | to raw [min..max] |\n"
            .to_owned();
    table += &format!("|{}\n", "---|".repeat(7));
    for row in rows {
        for entry in &row.entries {
            let value = entry.spread().map(|value| quantity(&value, row.metric));
            let value = value.unwrap_or_else(|| "did not finish".to_owned());
            let rival = row.other(entry, Against::Rivals);
            let rival = rival.map(|rival| format!(" {}", rival.side));
            let beside = entry.group == Group::Ours;
            let times = |against| {
                let ratio = row
                    .ratio(entry, against)
                    .filter(|_| beside || against == Against::Libzmq);
                ratio.map(times).unwrap_or_default()
            };
            table += &format!(
                "| {} | {} | {value} | {:.0} + {:.0} | {} | {}{} | {} |\n",
                row.name(),
                entry.side,
                entry.sender_cpu,
                entry.receiver_cpu,
                times(Against::Libzmq),
                times(Against::Rivals),
                rival.filter(|_| beside).unwrap_or_default(),
                times(Against::Raw),
            );
        }
    }
    table
}

/// How many goals are reached, and which ones are not.
pub(crate) fn verdict(rows: &[Row]) -> String {
    let (mut missed, mut all) = (Vec::new(), 0);
    for row in rows {
        for entry in row.ours() {
            for goal in goals(entry.side, &row.shape, row.metric) {
                let Some(reached) = row.reached(entry, &goal) else {
                    continue;
                };
                all += 1;
                if !reached {
                    let met = match row.ratio(entry, goal.against) {
                        Some(ratio) => format!("{:.2}", ratio.median),
                        None => cell(row, entry),
                    };
                    let (name, side, goal) = (row.name(), entry.side, goal.text());
                    missed.push(format!("- {name}, {side}: {met} (goal: {goal})\n"));
                }
            }
        }
    }
    let reached = all - missed.len();
    format!("{reached} of {all} goals reached\n{}", missed.concat())
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
    use crate::shape::chosen;
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
            shape: chosen(&format!("push-pull tcp {size}"))[0],
            metric: Metric::Rate,
            entries: vec![
                entry("blocking", Group::Ours, ratio * 1e6),
                entry("libzmq", Group::Libzmq, 1e6),
            ],
        }
    }

    #[test]
    fn the_verdict_names_what_is_slower() {
        let rows = [row(16, 3.0), row(64, 4.1), row(256, 0.5)];
        assert_eq!(
            verdict(&rows),
            "2 of 3 goals reached\n- push-pull tcp 256, blocking: 0.50 (goal: 4.00 of libzmq)\n"
        );
        assert_eq!(verdict(&rows[..2]), "2 of 2 goals reached\n");
    }

    #[test]
    fn every_line_of_a_table_has_as_many_cells() {
        let side = |name, group| Side::worker(name, group, Path::new("-"), &[]);
        let sides = [side("blocking", Group::Ours), side("libzmq", Group::Libzmq)];
        let rows = [row(16, 2.0), row(256, 0.5)];
        let table = at_a_glance(&sides, &rows);
        assert!(table.contains("| push-pull tcp 256 | 500.00 k/s, 0.50 | 1.00 M/s |"));
        assert!(table.lines().all(|line| line.matches('|').count() == 4));
        let table = in_full(&rows);
        assert_eq!(table.lines().count(), 6);
        assert!(table.lines().all(|line| line.matches('|').count() == 8));
    }
}
