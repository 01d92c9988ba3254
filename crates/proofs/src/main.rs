//! Models of every hand-over of the engine, which loom steps through all orders of events: `cargo xtask loom`.
//!
//! The protocols are the engine's own files, taken by the build script with loom's locks and atomics in them. What surrounds
//! them, `mirror`, says for each step which function of the engine it mirrors. `mutants` lists ways to break either; each
//! of them must fail the model it names.
#![forbid(unsafe_code)]
// A program that talks to its terminal.
#![allow(clippy::print_stdout, clippy::print_stderr)]

#[cfg(loom)]
mod kernel;
#[cfg(loom)]
mod mirror;
#[cfg(loom)]
mod models;
mod mutants;
#[cfg(loom)]
mod sync;

/// The engine's protocols, as the build script has taken them.
#[cfg(loom)]
#[allow(dead_code, reason = "not every function is part of a model")]
mod handover {
    mod bursts {
        include!(concat!(env!("OUT_DIR"), "/bursts.rs"));
    }
    mod callers {
        include!(concat!(env!("OUT_DIR"), "/callers.rs"));
    }
    mod holding {
        include!(concat!(env!("OUT_DIR"), "/holding.rs"));
    }
    mod hunger {
        include!(concat!(env!("OUT_DIR"), "/hunger.rs"));
    }
    mod inbox {
        include!(concat!(env!("OUT_DIR"), "/inbox.rs"));
    }
    mod orders {
        include!(concat!(env!("OUT_DIR"), "/orders.rs"));
    }
    pub(crate) use bursts::Bursts;
    pub(crate) use callers::{Callers, Looks, Whose};
    pub(crate) use holding::Holding;
    pub(crate) use hunger::Hunger;
    pub(crate) use inbox::Inbox;
    pub(crate) use orders::Orders;
}

#[cfg(loom)]
#[allow(dead_code, reason = "not every function is part of a model")]
mod waking {
    include!(concat!(env!("OUT_DIR"), "/waking.rs"));
}

#[cfg(loom)]
#[allow(dead_code, reason = "not every function is part of a model")]
mod inproc {
    include!(concat!(env!("OUT_DIR"), "/inproc.rs"));
}

#[cfg(loom)]
mod poller {
    #[allow(dead_code, reason = "not every function is part of a model")]
    pub(crate) mod signal {
        include!(concat!(env!("OUT_DIR"), "/signal.rs"));
    }
    pub(crate) type Signal = signal::Signal<crate::kernel::Wire>;
}

/// The facade's protocol.
#[cfg(loom)]
mod bell {
    include!(concat!(env!("OUT_DIR"), "/bell.rs"));
}

/// What `inproc` needs of the engine's `pipe` and `shared`.
#[cfg(loom)]
mod pipe {
    pub(crate) use crate::mirror::Item;
}
#[cfg(loom)]
mod shared {
    pub(crate) use crate::mirror::{Apart, Notice, SocketShared};
}

use std::process::ExitCode;
#[cfg(loom)]
use std::sync::atomic::{AtomicUsize, Ordering};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (mut only, mut bound) = (None, None);
    let mut left = arguments.iter().map(String::as_str);
    while let Some(argument) = left.next() {
        match (argument, left.next()) {
            ("--mutants", None) => {
                for mutant in mutants::all() {
                    println!("{}\t{}\t{}", mutant.name, mutant.model, mutant.why);
                }
                return ExitCode::SUCCESS;
            }
            ("--only", Some(name)) => only = Some(name),
            ("--bound", Some(number)) if number.parse::<usize>().is_ok() => {
                bound = number.parse().ok();
            }
            _ => {
                eprintln!("proofs --mutants | [--only MODEL] [--bound PREEMPTIONS]");
                return ExitCode::FAILURE;
            }
        }
    }
    run(only, bound)
}

#[cfg(not(loom))]
fn run(_: Option<&str>, _: Option<usize>) -> ExitCode {
    eprintln!("proofs: the models are compiled by `cargo xtask loom` only");
    ExitCode::FAILURE
}

#[cfg(loom)]
fn run(only: Option<&str>, bound: Option<usize>) -> ExitCode {
    let chosen: Vec<_> = models::MODELS
        .iter()
        .filter(|model| only.is_none_or(|only| only == model.name))
        .collect();
    let next = AtomicUsize::new(0);
    let (passed, failed) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some(model) = chosen.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let counted = if check(model, bound) {
                        &passed
                    } else {
                        &failed
                    };
                    counted.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    let (passed, failed) = (passed.into_inner(), failed.into_inner());
    println!("{passed} passed, {failed} failed");
    if failed == 0 && passed > 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

#[cfg(loom)]
fn check(model: &'static models::Model, bound: Option<usize>) -> bool {
    let begun = std::time::Instant::now();
    // In a thread of its own, so that what a failed model leaves behind does not reach the next.
    let outcome = std::thread::spawn(move || model.check(bound)).join();
    let seconds = begun.elapsed().as_secs_f64();
    match outcome {
        Ok(orders) => println!(
            "{:<20} {orders:>7} orders of events {seconds:>6.1} s",
            model.name
        ),
        Err(_) => println!("{:<20} FAILED: {}", model.name, model.claim),
    }
    outcome.is_ok()
}
