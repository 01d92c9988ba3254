//! Every command and every repository rule: `cargo xtask` lists them.
#![forbid(unsafe_code)]
// A program that talks to its terminal.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod bench;
mod budgets;
mod ci;
mod conformance;
mod deny;
mod dist;
mod docs;
mod flags;
mod fuzz;
mod installed;
mod lint;
mod loom;
mod no_std;
mod process;
mod programs;
mod pyzmq;
mod spec;
mod test;
mod tidy;
mod tools;
mod totals;
mod tree;

use std::process::ExitCode;

/// What every command ends with: nothing, or the lines that say what is wrong.
type Result<T = ()> = std::result::Result<T, String>;

/// One command: its name, its arguments as the usage shows them, what it does, and where.
struct Command {
    name: &'static str,
    arguments: &'static str,
    purpose: &'static str,
    run: fn(&[String]) -> Result,
}

const COMMANDS: &[Command] = &[
    Command {
        name: "ci",
        arguments: "[--fail-fast]",
        purpose: "everything deterministic, in order, with timings; what .ci/run calls",
        run: ci::run,
    },
    Command {
        name: "tidy",
        arguments: "[--base REF] [--shrink]",
        purpose: "dependency edges, absences, bounds, names; --shrink lowers xtask/ratchet.txt to what is met",
        run: tidy::run,
    },
    Command {
        name: "lint",
        arguments: "",
        purpose: "rustfmt and clippy over every workspace, warnings are errors",
        run: |arguments| flags::none(arguments).and_then(|()| lint::run()),
    },
    Command {
        name: "test",
        arguments: "",
        purpose: "unit, property, conversation and doc tests of the workspace",
        run: test::run,
    },
    Command {
        name: "portable",
        arguments: "",
        purpose: "transports, engine and facade tested as on systems without epoll",
        run: test::run_portable,
    },
    Command {
        name: "no-std",
        arguments: "",
        purpose: "zmtp-wire links with no allocator; with alloc, the pure crates build without std",
        run: |arguments| flags::none(arguments).and_then(|()| no_std::run()),
    },
    Command {
        name: "fuzz",
        arguments: "[--seconds N] [--target NAME]... [--replay]",
        purpose: "every fuzz target for N seconds (60); --replay only feeds the committed corpora, on stable",
        run: fuzz::run,
    },
    Command {
        name: "deny",
        arguments: "",
        purpose: "cargo deny check licenses bans sources; installs cargo-deny if it is missing",
        run: |arguments| flags::none(arguments).and_then(|()| deny::run()),
    },
    Command {
        name: "sim",
        arguments: "[--seed N] ...",
        purpose: "the engine over in-memory links and a virtual clock",
        run: |arguments| programs::SIM.run(arguments),
    },
    Command {
        name: "loom",
        arguments: "[--only MODEL] [--bound PREEMPTIONS] [--no-mutants]",
        purpose: "models of the engine's hand-overs in every order of events, and mutants that they must notice",
        run: loom::run,
    },
    Command {
        name: "interop",
        arguments: "...",
        purpose: "against libzmq and other engines; arguments go to the program",
        run: |arguments| programs::INTEROP.run(arguments),
    },
    Command {
        name: "soak",
        arguments: "[--peers N] [--cycles N] ...",
        purpose: "memory of idle peers, leaks over connect and disconnect",
        run: |arguments| programs::SOAK.run(arguments),
    },
    Command {
        name: "budgets",
        arguments: "[--accept] [--only PREFIX]",
        purpose: "instructions and allocations of the hot paths against crates/budgets/budgets.toml; --accept writes it",
        run: budgets::run,
    },
    Command {
        name: "transitions",
        arguments: "[--count N]",
        purpose: "N messages (1,000,000) that each fill and empty a queue, each way, without a lost wake-up",
        run: test::run_transitions,
    },
    Command {
        name: "bench",
        arguments: "[--capi | --rivals] [--pairs N] [--filter TEXT] [--side NAME]... [--quick] [--unpinned] [--plot FILE.json]",
        purpose: "side by side with libzmq; --rivals: with other Rust libraries; --capi: by libzmq's own C programs, on our C library and on libzmq; --plot: draws what was measured",
        run: bench::run,
    },
    Command {
        name: "conformance",
        arguments: "[--only NAME]... [--column ours|foreign|back|control]... [--jobs N] [--profile NAME]",
        purpose: "libzmq's own test programs on our C library with either header, back on libzmq, and on libzmq as the control",
        run: conformance::run,
    },
    Command {
        name: "sanitize",
        arguments: "[--with address|valgrind] [--only NAME]... [--jobs N]",
        purpose: "the C library's tests and libzmq's programs under the address and leak sanitizers and valgrind; wants nightly",
        run: conformance::sanitize,
    },
    Command {
        name: "pyzmq",
        arguments: "[--only NAME]... [--no-control] [--profile NAME]",
        purpose: "pyzmq's own tests on our C library, and on libzmq as the control",
        run: pyzmq::run,
    },
    Command {
        name: "dist",
        arguments: "[--prefix DIR] [--profile NAME] [--check]",
        purpose: "the C library as it is installed: libzmq.so.5, headers, pkg-config and CMake files; --check builds programs with it",
        run: dist::run,
    },
    Command {
        name: "docs",
        arguments: "",
        purpose: "rustdoc without warnings, links and layout of the book; mdbook build if it is installed",
        run: |arguments| flags::none(arguments).and_then(|()| docs::run()),
    },
    Command {
        name: "spec",
        arguments: "[--strict]",
        purpose: "RFC clauses of docs/spec-clauses.txt that no test is marked with",
        run: spec::run,
    },
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some((name, rest)) = arguments.split_first() else {
        print!("{}", usage());
        return ExitCode::FAILURE;
    };
    if ["help", "--help", "-h"].contains(&name.as_str()) {
        print!("{}", usage());
        return ExitCode::SUCCESS;
    }
    let Some(command) = COMMANDS.iter().find(|command| command.name == name) else {
        eprint!("xtask: no command `{name}`\n\n{}", usage());
        return ExitCode::FAILURE;
    };
    match tree::enter_root().and_then(|()| (command.run)(rest)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("xtask {name}: {why}");
            ExitCode::FAILURE
        }
    }
}

fn usage() -> String {
    let mut text = String::from("cargo xtask COMMAND\n\n");
    for command in COMMANDS {
        let head = format!("{} {}", command.name, command.arguments);
        text.push_str(&format!(
            "  {}\n      {}\n",
            head.trim_end(),
            command.purpose
        ));
    }
    text
}
