//! `zmq tour`: real sockets of every pattern over real transports, exchanging messages, with words and numbers.
//!
//! Each stop checks what it claims, so that the tour is a self-test too. Nothing in it waits longer than [`PATIENCE`].

mod backpressure;
mod losses;
mod matrix;
mod pair;
mod pipeline;
mod place;
mod proxies;
mod publish;
mod reconnect;
mod request;
mod route;
mod story;
mod stranger;

use std::io;
use std::time::{Duration, Instant};

use clap::Args;

use crate::failure::Failure;
use story::Story;

/// The longest any single step may take before the stop counts as failed.
const PATIENCE: Duration = Duration::from_secs(5);

const EXAMPLES: &str = "\
Examples:
  zmq tour
  zmq tour --only reconnect --only losses
  zmq tour --list

Ends by itself in a few seconds, with exit code 1 if a stop did not go as it should.";

/// Show every pattern at work over tcp, ipc and inproc, and check it
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// Make this stop only; may be given several times
    #[arg(long, value_name = "STOP")]
    only: Vec<String>,
    /// Name the stops and end
    #[arg(long)]
    list: bool,
}

/// Anything that can go wrong on the way.
type Trouble = Box<dyn std::error::Error + Send + Sync>;

/// One thing to see.
struct Stop {
    name: &'static str,
    title: &'static str,
    /// What is shown, in a sentence or two.
    about: &'static str,
    run: fn(&mut Story) -> Result<(), Trouble>,
}

const STOPS: &[Stop] = &[
    pipeline::ORDER,
    pipeline::SHARE,
    publish::TOPICS,
    request::ROUND_TRIPS,
    route::BY_NAME,
    pair::THREADS,
    proxies::BROKER,
    proxies::SUBSCRIPTIONS,
    reconnect::RESTART,
    backpressure::MARKS,
    losses::SLOW_READER,
    losses::CLOSING,
    stranger::HTTP,
    pipeline::LARGE,
    matrix::ALL,
];

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let mut story = Story::new(io::stdout());
    if arguments.list {
        for stop in STOPS {
            story.listed(stop.name, stop.title);
        }
        return story.end();
    }
    for name in &arguments.only {
        if !STOPS.iter().any(|stop| stop.name == name) {
            return Err(Failure::Usage(format!(
                "the tour has no stop \"{name}\"; `zmq tour --list` names them"
            )));
        }
    }
    let wanted = |stop: &&Stop| {
        arguments.only.is_empty() || arguments.only.iter().any(|name| stop.name == name)
    };
    let begun = Instant::now();
    let mut failed = Vec::new();
    let mut made = 0;
    for stop in STOPS.iter().filter(wanted) {
        made += 1;
        story.begins(made, stop.title, stop.about);
        let stop_begun = Instant::now();
        let outcome = (stop.run)(&mut story);
        match outcome {
            Ok(()) => story.went_well(stop_begun.elapsed()),
            Err(trouble) => {
                story.went_wrong(&trouble);
                failed.push(stop.name);
            }
        }
        story.flush()?;
    }
    story.sums_up(made, &failed, begun.elapsed());
    story.end()?;
    match failed.is_empty() {
        true => Ok(()),
        false => Err(Failure::Error(format!(
            "tour stops failed: {}",
            failed.join(", ")
        ))),
    }
}

/// The claim of a stop.
fn ensure(holds: bool, what: impl FnOnce() -> String) -> Result<(), Trouble> {
    match holds {
        true => Ok(()),
        false => Err(what().into()),
    }
}

/// What a thread of a stop has found out.
fn joined<T>(thread: std::thread::ScopedJoinHandle<'_, Result<T, Trouble>>) -> Result<T, Trouble> {
    thread
        .join()
        .unwrap_or_else(|_| Err("a thread of this stop panicked".into()))
}
