//! The same programs under those who watch memory: the address sanitizer, which looks for leaks as well, and valgrind.
//!
//! Not part of `ci`: it takes some ten minutes. What neither can see is written in the crate, in its module `raw`.

use super::list::{self, Program};
use super::run::{self, Runner, Verdict};
use super::stage::{self, Headers, Place, Stage};
use super::{Outcome, each};
use crate::{Result, flags::Flags, process};
use std::path::Path;
use std::process::Command;
use std::time::Instant;

const TARGET: &str = "x86_64-unknown-linux-gnu";

/// The sanitizer, and the checks that the standard library and this crate make where they are asked to. The standard library
/// itself is not instrumented; what it inlines is.
const RUST_FLAGS: &str = "-Zsanitizer=address -Cdebug-assertions=on --cfg zmq_fresh_bodies";

/// Memory that is used again looks well to those who watch.
const FRESH: &str = "--cfg zmq_fresh_bodies";

const SANITIZER_SAYS: &[&str] = &["AddressSanitizer", "LeakSanitizer"];
const VALGRIND_SAYS: &[&str] = &[
    "Invalid read",
    "Invalid write",
    "Invalid free",
    "uninitialised",
    "unaddressable",
    "definitely lost in loss record",
    "overlap in mem",
];

/// What valgrind is not to say, each with the reason.
const SUPPRESSIONS: &str = "xtask/src/conformance/valgrind.supp";

/// Valgrind is slow, and these wait for nothing but each other: one of every family.
const WITH_VALGRIND: &[&str] = &[
    "test_ancillaries",
    "test_atomics",
    "test_base85",
    "test_bind_after_connect_tcp",
    "test_connect_rid",
    "test_ctx_options",
    "test_disconnect_inproc",
    "test_filter_ipc",
    "test_getsockopt_memset",
    "test_inproc_connect",
    "test_iov",
    "test_last_endpoint",
    "test_mock_pub_sub",
    "test_monitor",
    "test_msg_ffn",
    "test_msg_flags",
    "test_msg_init",
    "test_pair_inproc",
    "test_pair_ipc",
    "test_pair_tcp",
    "test_poller",
    "test_probe_router",
    "test_proxy_single_socket",
    "test_reqrep_device",
    "test_reqrep_inproc",
    "test_reqrep_tcp",
    "test_router_handover",
    "test_security_curve",
    "test_security_plain",
    "test_sockopt_hwm",
    "test_spec_pushpull",
    "test_spec_rep",
    "test_srcfd",
    "test_sub_forward",
    "test_timers",
    "test_unbind_wildcard",
    "test_use_fd",
    "test_xpub_manual",
    "test_xpub_welcome_msg",
    "test_zmq_poll_fd",
    "test_zmq_ppoll_fd",
];

/// A program that does wrong, so that nobody trusts somebody who sleeps.
const PLANTED: &str = include_str!("planted.cpp");
const FAULTS: [&str; 5] = ["beyond", "after", "late", "late in a short body", "leak"];

/// `cargo xtask sanitize`.
pub(crate) fn run(arguments: &[String]) -> Result {
    let mut flags = Flags::new(arguments);
    let mut only = Vec::new();
    while let Some(name) = flags.value("--only")? {
        only.push(name);
    }
    let with = flags.value("--with")?;
    let jobs = flags.number("--jobs")?.unwrap_or(2);
    flags.finish()?;
    let jobs = usize::try_from(jobs).unwrap_or(1).max(1);
    let place = Place::find()?;
    let wants = |program: &Program| {
        only.is_empty() || only.iter().any(|name| program.name.contains(name.as_str()))
    };
    let mut programs = list::programs(&place.vendor)?.0;
    programs.retain(wants);
    let with = |name: &str| with.as_deref().is_none_or(|with| with == name);
    let address = if with("address") {
        let tests = if only.is_empty() {
            own_tests(&place)
        } else {
            Ok(())
        };
        process::all([tests, address(&place, &programs, jobs)])
    } else {
        Ok(())
    };
    let valgrind = if with("valgrind") {
        programs.retain(|program| WITH_VALGRIND.contains(&program.name.as_str()));
        valgrind(&place, &programs, jobs)
    } else {
        Ok(())
    };
    process::all([address, valgrind])
}

/// The nightly cargo, with the sanitizer, in a target folder of its own.
fn nightly(place: &Place, verb: &str) -> Command {
    let mut command = process::cargo_of("nightly", &[verb, "-p", "zmq-capi", "--lib"]);
    command.args(["--release", "--target", TARGET, "--target-dir"]);
    command.arg(place.target.join("sanitizer-target"));
    command.env("RUSTFLAGS", RUST_FLAGS);
    // Its work would be done for each try anew, and inlining across crates hides from a reader where something was found.
    command.env("CARGO_PROFILE_RELEASE_LTO", "off");
    command
}

/// The crate's own tests.
fn own_tests(place: &Place) -> Result {
    process::run(nightly(place, "test"))
}

fn address(place: &Place, programs: &[Program], jobs: usize) -> Result {
    let library = stage::special_library(place, "ours-sanitized", nightly(place, "build"))?;
    let stage = Stage::prepare(place, Headers::Sanitized, library)?;
    let mut runner = stage.runner();
    runner.findings = SANITIZER_SAYS;
    watched("address", &stage, (programs, jobs), &runner)
}

fn valgrind(place: &Place, programs: &[Program], jobs: usize) -> Result {
    if !process::found("valgrind") {
        return Err("valgrind is missing".to_owned());
    }
    let mut command = process::cargo(&["build", "-p", "zmq-capi", "--lib", "--release"]);
    command.arg("--target-dir");
    command.arg(place.target.join("valgrind-target"));
    command.env("RUSTFLAGS", FRESH);
    let library = stage::special_library(place, "ours-fresh", command)?;
    let stage = Stage::prepare(place, Headers::Ours, library)?;
    let words = [
        "valgrind",
        "--quiet",
        "--fair-sched=yes",
        "--leak-check=full",
        "--errors-for-leak-kinds=definite",
        "--show-leak-kinds=definite",
        "--error-exitcode=99",
    ];
    let suppressions = std::path::absolute(SUPPRESSIONS).map_err(|error| error.to_string())?;
    let mut before = words.map(str::to_owned).to_vec();
    before.push(format!("--suppressions={}", suppressions.display()));
    let runner = Runner {
        before,
        findings: VALGRIND_SAYS,
        ..stage.runner()
    };
    watched("valgrind", &stage, (programs, jobs), &runner)
}

/// Runs the programs with somebody who watches. A program that fails because it is watched (they measure times) has found nothing,
/// and is counted by itself.
fn watched(name: &str, stage: &Stage, work: (&[Program], usize), runner: &Runner) -> Result {
    let (programs, jobs) = work;
    awake(name, stage, runner)?;
    let begun = Instant::now();
    let outcomes = each(jobs, programs, |program| {
        let outcome = match stage.build(program) {
            Ok(binary) => attempt(program, &binary, runner),
            Err(why) => Outcome::failed(format!("does not compile: {why}")),
        };
        println!("  {name} {} {outcome}", program.name);
        outcome
    });
    let count = |verdict| outcomes.iter().filter(|one| one.verdict == verdict).count();
    println!(
        "{name}: {} clean, {} with findings, {} fail when they are watched, {} skipped, {:.0} s",
        count(Verdict::Pass),
        count(Verdict::Found),
        count(Verdict::Fail),
        count(Verdict::Skip),
        begun.elapsed().as_secs_f64(),
    );
    match count(Verdict::Found) {
        0 => Ok(()),
        found => Err(format!("{name}: {found} programs with findings")),
    }
}

/// Whether planted faults are found.
fn awake(name: &str, stage: &Stage, runner: &Runner) -> Result {
    let program = Program {
        name: "planted".to_owned(),
        draft: false,
    };
    stage.plant(&program.name, PLANTED)?;
    let binary = stage.build(&program)?;
    for fault in FAULTS {
        let mut runner = runner.clone();
        runner.environment.push(("PLANTED", fault.to_owned()));
        let outcome = run::program(&program, &binary, &runner);
        if outcome.verdict != Verdict::Found {
            return Err(format!(
                "{name} does not find the planted fault `{fault}`: {outcome}"
            ));
        }
    }
    println!("  {name} finds what is planted: {}", FAULTS.join(", "));
    Ok(())
}

fn attempt(program: &Program, binary: &Path, runner: &Runner) -> Outcome {
    let first = run::program(program, binary, runner);
    if first.verdict != Verdict::Fail {
        return first;
    }
    run::program(program, binary, runner).after(&first)
}
