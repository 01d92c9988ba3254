//! The `zmq` program: a tour, sockets on the command line, proxies, measurements.
#![forbid(unsafe_code)]

mod arguments;
mod conversation;
mod endpoint;
mod events;
mod failure;
mod file;
mod format;
mod input;
mod output;
mod perf;
mod receive;
mod security;
mod socket;
mod tour;
mod verb;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    let arguments = arguments::Arguments::parse();
    match verb::run(arguments.verb) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
