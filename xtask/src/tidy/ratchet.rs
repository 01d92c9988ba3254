//! `xtask/ratchet.txt`: what was over a bound when it was recorded. It may only shrink.
//!
//! A line is `kind what size`. Something over a bound must stand there and be no larger than recorded; something that has
//! become smaller must be recorded so (`cargo xtask tidy --shrink`); and against an earlier commit no line may be new or larger.

use super::{Finding, bounds::Excess};
use crate::{Result, process, tree};
use std::{collections::BTreeMap, process::Command};

const PATH: &str = "xtask/ratchet.txt";

/// (kind, what) -> size.
type Recorded = BTreeMap<(String, String), usize>;

pub(crate) fn check(met: &[Excess], base: &str) -> Result<Vec<Finding>> {
    let recorded = parse(&tree::read(PATH)?)?;
    let mut findings = compare(met, &recorded);
    let mut earlier = Command::new("git");
    earlier.args(["show", &format!("{base}:{PATH}")]);
    // No earlier record (a first commit, a shallow clone): nothing to have grown from.
    if let Ok(text) = process::capture(earlier) {
        findings.extend(growth(&recorded, &parse(&text)?, base));
    }
    Ok(findings)
}

/// Rewrites the record with what is met where that is less; never adds a line, never raises one.
pub(crate) fn shrink(met: &[Excess]) -> Result {
    let text = tree::read(PATH)?;
    let met = by_place(met);
    let mut kept = String::new();
    for line in text.lines() {
        let Some((key, size)) = parse_line(line)? else {
            kept.push_str(&format!("{line}\n"));
            continue;
        };
        if let Some(excess) = met.get(&key) {
            kept.push_str(&format!("{} {} {}\n", key.0, key.1, size.min(excess.met)));
        }
    }
    std::fs::write(PATH, kept).map_err(|error| format!("{PATH}: {error}"))
}

fn compare(met: &[Excess], recorded: &Recorded) -> Vec<Finding> {
    let met = by_place(met);
    let mut findings = Vec::new();
    for (key, excess) in &met {
        let Excess {
            kind,
            what,
            met,
            bound,
        } = excess;
        match recorded.get(key) {
            None => findings.push(Finding::new(what, format!("{kind}: {met}, bound {bound}"))),
            Some(size) if met > size => {
                findings.push(Finding::new(
                    what,
                    format!("{kind}: {met}, recorded {size}, bound {bound}"),
                ));
            }
            Some(size) if met < size => {
                findings.push(Finding::new(
                    PATH,
                    format!("{kind} {what} is {met} now: run `cargo xtask tidy --shrink`"),
                ));
            }
            Some(_) => {}
        }
    }
    for (kind, what) in recorded.keys().filter(|key| !met.contains_key(key)) {
        findings.push(Finding::new(
            PATH,
            format!("{kind} {what} is within bounds now: run `cargo xtask tidy --shrink`"),
        ));
    }
    findings
}

fn growth(now: &Recorded, earlier: &Recorded, base: &str) -> Vec<Finding> {
    now.iter()
        .filter(|(key, size)| earlier.get(key).is_none_or(|earlier| *size > earlier))
        .map(|((kind, what), size)| {
            Finding::new(
                PATH,
                format!("{kind} {what} {size} is new or larger than at {base}"),
            )
        })
        .collect()
}

/// The largest of each place: functions of one name in one file share a line.
fn by_place(met: &[Excess]) -> BTreeMap<(String, String), Excess> {
    let mut places: BTreeMap<(String, String), Excess> = BTreeMap::new();
    for excess in met {
        let key = (excess.kind.to_owned(), excess.what.clone());
        let largest = places.entry(key).or_insert_with(|| excess.clone());
        largest.met = largest.met.max(excess.met);
    }
    places
}

fn parse(text: &str) -> Result<Recorded> {
    text.lines()
        .filter_map(|line| parse_line(line).transpose())
        .collect()
}

fn parse_line(line: &str) -> Result<Option<((String, String), usize)>> {
    if line.trim().is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    let words: Vec<&str> = line.split_whitespace().collect();
    match words[..] {
        [kind, what, size] => match size.parse() {
            Ok(size) => Ok(Some(((kind.to_owned(), what.to_owned()), size))),
            Err(_) => Err(format!("{PATH}: `{line}` wants a number at its end")),
        },
        _ => Err(format!("{PATH}: `{line}` is not `kind what size`")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn excess(met: usize) -> Excess {
        Excess {
            kind: "function",
            what: "a.rs#f".into(),
            met,
            bound: 70,
        }
    }

    #[test]
    fn only_the_recorded_size_passes() {
        let recorded = parse("# why\nfunction a.rs#f 80\n").expect("well formed");
        assert!(compare(&[excess(80)], &recorded).is_empty());
        for met in [vec![excess(81)], vec![excess(79)], vec![]] {
            assert_eq!(compare(&met, &recorded).len(), 1);
        }
        assert_eq!(compare(&[excess(71)], &Recorded::new()).len(), 1);
    }

    #[test]
    fn the_record_may_not_grow() {
        let earlier = parse("function a.rs#f 80\n").expect("well formed");
        for (now, findings) in [
            ("function a.rs#f 80", 0),
            ("function a.rs#f 81", 1),
            ("file b.rs 600", 1),
            ("", 0),
        ] {
            assert_eq!(
                growth(&parse(now).expect("well formed"), &earlier, "x").len(),
                findings,
                "{now}"
            );
        }
    }
}
