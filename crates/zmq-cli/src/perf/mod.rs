//! `zmq perf`: the four measuring programs of libzmq, with the same arguments, the same conversations on the wire and
//! the same lines of output, so that either end may be one of libzmq's.

mod latency;
mod throughput;

use std::fmt;
use std::io::Write as _;
use std::time::Duration;

use clap::{Args, Subcommand};
use zmq::Message;

use crate::arguments::milliseconds;
use crate::endpoint::Endpoint;
use crate::failure::Failure;
use crate::security::SecurityArgs;

const EXAMPLES: &str = "\
Examples:
  zmq perf thr local tcp://127.0.0.1:5557 64 1000000 & zmq perf thr remote tcp://127.0.0.1:5557 64 1000000
  zmq perf lat local tcp://127.0.0.1:5558 1 10000 & zmq perf lat remote tcp://127.0.0.1:5558 1 10000
  zmq perf thr local tcp://127.0.0.1:5557 64 1000000 & remote_thr tcp://127.0.0.1:5557 64 1000000   # libzmq's

The local end binds, the remote end connects. thr: the local end (PULL) prints; lat: the remote end (REQ) prints half of
the mean round trip. Build with --release before believing any number.";

/// Measure throughput or latency; either end may be libzmq's local_thr, remote_thr, local_lat, remote_lat
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    measure: Measure,
}

#[derive(Debug, Subcommand)]
enum Measure {
    /// Messages per second, PUSH to PULL
    #[command(subcommand)]
    Thr(End),
    /// Microseconds for one way, REQ and REP
    #[command(subcommand)]
    Lat(End),
}

#[derive(Debug, Subcommand)]
enum End {
    /// The end that binds
    Local(Run),
    /// The end that connects
    Remote(Run),
}

/// The shape of a run: the same at both ends.
#[derive(Args, Clone, Debug)]
pub(crate) struct Run {
    /// Where the two ends meet
    endpoint: Endpoint,
    /// Octets of each message
    #[arg(value_name = "MESSAGE-SIZE")]
    size: usize,
    /// Messages, or round trips
    #[arg(value_name = "COUNT", value_parser = clap::value_parser!(u64).range(1..))]
    count: u64,
    /// Give up when the other end is silent for this long, milliseconds [default: wait for ever]
    #[arg(short, long, value_name = "MS", value_parser = milliseconds)]
    timeout: Option<Duration>,
    #[command(flatten)]
    security: SecurityArgs,
}

impl Run {
    /// The endpoint for the end that binds, whether or not it was written with `@`: libzmq's programs have none.
    fn bound(&self) -> Endpoint {
        match &self.endpoint {
            Endpoint::Bind(address) | Endpoint::Connect(address) => Endpoint::Bind(address.clone()),
        }
    }

    /// A message of the agreed size.
    fn message(&self) -> Message {
        Message::from(vec![0_u8; self.size])
    }

    fn check(&self, message: &Message) -> Result<(), Failure> {
        match message.byte_len() {
            met if met == self.size => Ok(()),
            met => Err(Failure::Error(format!(
                "expected messages of {} octets, met one of {met}: give both ends the same size",
                self.size
            ))),
        }
    }
}

pub(crate) fn run(arguments: Arguments) -> Result<(), Failure> {
    match arguments.measure {
        Measure::Thr(End::Local(run)) => throughput::local(&run),
        Measure::Thr(End::Remote(run)) => throughput::remote(&run),
        Measure::Lat(End::Local(run)) => latency::local(&run),
        Measure::Lat(End::Remote(run)) => latency::remote(&run),
    }
}

fn print(lines: impl fmt::Display) -> Result<(), Failure> {
    let mut stdout = std::io::stdout().lock();
    write!(stdout, "{lines}")
        .and_then(|()| stdout.flush())
        .map_err(|error| Failure::output(&error))
}
