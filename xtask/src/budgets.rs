//! The regression gate: instructions and allocations of the hot paths against what `crates/budgets/budgets.toml` grants.

use crate::{
    Result,
    flags::Flags,
    process::{self, cargo},
    totals::Totals,
    tree,
};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

const PACKAGE: &str = "zmq-budgets";
const PROGRAM: &str = "budgets";
const FILE: &str = "crates/budgets/budgets.toml";
const VALGRIND: &str = "valgrind";
/// The function of the program that callgrind collects in.
const MEASURED: &str = "*budget_measured*";

/// Of a budget, in thousandths, by which instructions may differ: hash seeds and the kernel's timing of sockets move them a
/// little, and so does another processor by what the C library chooses for it.
const TOLERANCE: u64 = 30;

const HEAD: &str = "\
# What the hot paths may cost: instructions and allocations of a number of messages, checked by `cargo xtask budgets`.
# Written by `cargo xtask budgets --accept`; a commit that changes a number upwards says why it is worth it.
# No allocation more is granted, and 3 % of the instructions. What has become cheaper is accepted too, so that it stays so.
# Instructions are those of x86-64 with AVX2.

";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cost {
    messages: u64,
    instructions: u64,
    allocations: u64,
}

pub(crate) fn run(arguments: &[String]) -> Result {
    let mut flags = Flags::new(arguments);
    let accept = flags.switch("--accept");
    let only = flags.value("--only")?.unwrap_or_default();
    flags.finish()?;
    let granted = read(&std::fs::read_to_string(FILE).unwrap_or_default())?;
    let met = measure(&only)?;
    print!("{}", table(&granted, &met));
    if accept {
        let mut kept = granted;
        if only.is_empty() {
            kept.clear();
        }
        kept.extend(met);
        std::fs::write(FILE, write(&kept)).map_err(|error| format!("{FILE}: {error}"))?;
        println!("budgets: {FILE} is as met now");
        return Ok(());
    }
    let mut totals = Totals::default();
    judge(&granted, &met, only.is_empty(), &mut totals)
}

pub(crate) fn run_with(totals: &mut Totals) -> Result {
    let granted = read(&tree::read(FILE)?)?;
    let met = measure("")?;
    print!("{}", table(&granted, &met));
    judge(&granted, &met, true, totals)
}

type Costs = BTreeMap<String, Cost>;

fn measure(only: &str) -> Result<Costs> {
    if !process::found(VALGRIND) {
        return Err(format!("{VALGRIND} is missing: apt-get install valgrind"));
    }
    let mut build = cargo(&["build", "--release", "--quiet", "-p", PACKAGE]);
    // As it is released, whatever somebody has set for other purposes.
    for name in ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS"] {
        build.env_remove(name);
    }
    process::run(build)?;
    let target = tree::metadata()?.target_directory.into_std_path_buf();
    let program = target.join("release").join(PROGRAM);
    let mut list = Command::new(&program);
    list.arg("allocations");
    let mut costs = Costs::new();
    for line in process::capture(list)?.lines() {
        let parts: Vec<&str> = line.split('\t').collect();
        let number = |index: usize| parts.get(index).and_then(|part| part.parse().ok());
        let (Some(&name), Some(messages), Some(allocations)) =
            (parts.first(), number(1), number(2))
        else {
            return Err(format!("a case was expected, met `{line}`"));
        };
        if name.starts_with(only) {
            let instructions = instructions(&program, &target, name)?;
            let cost = Cost {
                messages,
                instructions,
                allocations,
            };
            costs.insert(name.to_owned(), cost);
        }
    }
    Ok(costs)
}

fn instructions(program: &Path, target: &Path, case: &str) -> Result<u64> {
    let out: PathBuf = target.join("callgrind.out");
    let mut command = Command::new(VALGRIND);
    command
        .args(["--tool=callgrind", "--collect-atstart=no"])
        .arg(format!("--toggle-collect={MEASURED}"))
        .arg(format!("--callgrind-out-file={}", out.display()))
        .arg(program)
        .args(["run", case]);
    process::capture(command)?;
    let text =
        std::fs::read_to_string(&out).map_err(|error| format!("{}: {error}", out.display()))?;
    text.lines()
        .find_map(|line| line.strip_prefix("summary: ")?.trim().parse().ok())
        .filter(|instructions| *instructions > 0)
        .ok_or_else(|| format!("callgrind has collected nothing for {case}"))
}

/// The lines that [`write()`] writes.
fn read(text: &str) -> Result<Costs> {
    let mut costs = Costs::new();
    for line in text.lines() {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let cost =
            cost(line).ok_or_else(|| format!("{FILE}: a budget was expected, met `{line}`"))?;
        costs.insert(cost.0, cost.1);
    }
    Ok(costs)
}

fn cost(line: &str) -> Option<(String, Cost)> {
    let (name, table) = line.split_once(" = ")?;
    let mut numbers = BTreeMap::new();
    for pair in table.strip_prefix('{')?.strip_suffix('}')?.split(',') {
        let (key, number) = pair.split_once('=')?;
        numbers.insert(key.trim(), number.trim().parse().ok()?);
    }
    let cost = Cost {
        messages: *numbers.get("messages")?,
        instructions: *numbers.get("instructions")?,
        allocations: *numbers.get("allocations")?,
    };
    Some((name.trim_matches('"').to_owned(), cost))
}

fn write(costs: &Costs) -> String {
    let mut text = HEAD.to_owned();
    for (name, cost) in costs {
        text.push_str(&format!(
            "\"{name}\" = {{ messages = {}, instructions = {}, allocations = {} }}\n",
            cost.messages, cost.instructions, cost.allocations
        ));
    }
    text
}

/// What is wrong with a cost, if anything is.
fn fault(granted: Option<&Cost>, met: &Cost) -> Option<String> {
    let Some(granted) = granted else {
        return Some("has no budget".to_owned());
    };
    if granted.messages != met.messages {
        return Some(format!(
            "{} messages, not {}",
            met.messages, granted.messages
        ));
    }
    if met.allocations > granted.allocations {
        return Some(format!(
            "{} allocations, {} are granted",
            met.allocations, granted.allocations
        ));
    }
    if met.instructions > granted.instructions.saturating_add(margin(granted)) && counts() {
        return Some(format!(
            "{} instructions, {} are granted",
            met.instructions, granted.instructions
        ));
    }
    None
}

fn margin(granted: &Cost) -> u64 {
    granted.instructions.saturating_mul(TOLERANCE) / 1000
}

/// Whether a case has become so much cheaper that its budget should be lowered.
fn is_cheaper(granted: &Cost, met: &Cost) -> bool {
    met.allocations < granted.allocations
        || met.instructions < granted.instructions.saturating_sub(margin(granted))
}

/// Whether instructions are those that the budgets were written for: callgrind hides AVX-512, and ciphers and the C library choose by
/// the rest.
fn counts() -> bool {
    static COUNTS: OnceLock<bool> = OnceLock::new();
    *COUNTS.get_or_init(|| {
        let same = std::fs::read_to_string("/proc/cpuinfo")
            .is_ok_and(|text| text.split_whitespace().any(|flag| flag == "avx2"));
        if !same {
            println!("budgets: not judged by instructions, as this is no x86-64 with AVX2");
        }
        same
    })
}

fn judge(granted: &Costs, met: &Costs, all: bool, totals: &mut Totals) -> Result {
    let mut faults = Vec::new();
    for (name, cost) in met {
        match fault(granted.get(name), cost) {
            None => {
                totals.passed += 1;
                if granted
                    .get(name)
                    .is_some_and(|granted| is_cheaper(granted, cost))
                {
                    println!("budgets: {name} has become cheaper; `--accept` keeps it so");
                }
            }
            Some(fault) => faults.push(format!("{name}: {fault}")),
        }
    }
    if all {
        let gone = granted.keys().filter(|name| !met.contains_key(*name));
        faults.extend(gone.map(|name| format!("{name}: has a budget and is no case")));
    }
    totals.failed += faults.len() as u64;
    if faults.is_empty() {
        return Ok(());
    }
    faults.push(
        "what is wanted is accepted by `cargo xtask budgets --accept`, and the commit says why"
            .to_owned(),
    );
    Err(faults.join("\n"))
}

fn table(granted: &Costs, met: &Costs) -> String {
    let mut text = format!(
        "{:<26} {:>12} {:>8} {:>12}\n",
        "per message", "instructions", "budget", "allocations"
    );
    for (name, cost) in met {
        let each = |whole: u64| whole as f64 / cost.messages as f64;
        let change = granted.get(name).map_or(String::new(), |granted| {
            let change = cost.instructions as f64 / granted.instructions as f64 - 1.0;
            format!("{:+.1} %", change * 100.0)
        });
        text.push_str(&format!(
            "{name:<26} {:>12.1} {change:>8} {:>12.3}\n",
            each(cost.instructions),
            each(cost.allocations)
        ));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const COST: Cost = Cost {
        messages: 10,
        instructions: 1000,
        allocations: 3,
    };

    #[test]
    fn what_is_written_is_read() {
        let costs = Costs::from([("wire/a".to_owned(), COST)]);
        assert_eq!(read(&write(&costs)), Ok(costs));
        assert!(read("\"wire/a\" = { messages = 10 }\n").is_err());
    }

    #[test]
    fn no_allocation_more_is_granted_and_a_margin_of_instructions() {
        let with = |change: fn(&mut Cost)| {
            let mut cost = COST;
            change(&mut cost);
            (
                fault(Some(&COST), &cost).is_some(),
                is_cheaper(&COST, &cost),
            )
        };
        assert_eq!(with(|_| {}), (false, false));
        assert_eq!(with(|cost| cost.instructions = 1030), (false, false));
        assert_eq!(with(|cost| cost.instructions = 1031), (counts(), false));
        assert_eq!(with(|cost| cost.instructions = 970), (false, false));
        assert_eq!(with(|cost| cost.instructions = 969), (false, true));
        assert_eq!(with(|cost| cost.allocations = 4), (true, false));
        assert_eq!(with(|cost| cost.allocations = 2), (false, true));
        assert!(with(|cost| cost.messages = 11).0);
        assert!(fault(None, &COST).is_some());
    }

    #[test]
    fn a_budget_without_a_case_is_a_fault() {
        let granted = Costs::from([("a".to_owned(), COST), ("b".to_owned(), COST)]);
        let met = Costs::from([("a".to_owned(), COST)]);
        let mut totals = Totals::default();
        assert!(judge(&granted, &met, true, &mut totals).is_err());
        assert!(judge(&granted, &met, false, &mut totals).is_ok());
        assert_eq!((totals.passed, totals.failed), (2, 1));
    }
}
