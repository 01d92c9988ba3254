//! What many idle peers cost, and whether peers that come and go leave anything behind.
//!
//! `soak [--peers N] [--cycles N] [--beats N] [--type NAME]...`: a child process binds; this one brings the peers, which are
//! plain tcp streams that shake hands. The child is asked for its memory and its descriptors, which `/proc/self` tells it.
//! Prints the numbers; ends with a failure if one is beyond its bound.
#![forbid(unsafe_code)]
// A program that talks to its terminal.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod arguments;
mod bound;
mod measure;
mod peers;

use std::process::ExitCode;

use arguments::Arguments;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let result = match Arguments::parse(&words) {
        None => Err(arguments::USAGE.to_owned()),
        Some(arguments) => match &arguments.serve {
            Some(kind) => bound::serve(*kind).map_err(|error| error.to_string()),
            None => measure::run(&arguments),
        },
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("soak: {why}");
            ExitCode::FAILURE
        }
    }
}
