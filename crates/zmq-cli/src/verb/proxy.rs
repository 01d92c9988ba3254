//! `zmq proxy`: carries messages between two endpoints, both ways.

use clap::{Args, ValueEnum};

use crate::endpoint::Endpoint;
use crate::failure::Failure;
use crate::security::SecurityArgs;
use crate::socket::Forwarding;

const EXAMPLES: &str = "\
Examples:
  zmq proxy @tcp://*:5558 @tcp://*:5559                       # clients (REQ) in front, workers (REP) behind
  zmq proxy @tcp://*:5556 @tcp://*:5557 --type forwarder      # publishers in front, subscribers behind
  zmq proxy @tcp://*:5555 @tcp://*:5554 --type streamer       # PUSH in front, PULL behind
  zmq proxy @tcp://*:5558 @tcp://*:5559 --capture @ipc:///tmp/tap.sock   # zmq sub ipc:///tmp/tap.sock sees all

Runs until it is stopped. Security is that of all its sockets: clients in front and behind prove themselves to one server.";

/// Which sockets stand in front and behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ProxyType {
    /// ROUTER in front, DEALER behind: requests and replies
    Queue,
    /// XSUB in front, XPUB behind: publishers and subscribers
    Forwarder,
    /// PULL in front, PUSH behind: a pipeline
    Streamer,
}

/// Carry messages between two endpoints, both ways
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// Where clients, publishers or pushers are
    frontend: Endpoint,
    /// Where workers, subscribers or pullers are
    backend: Endpoint,
    /// Which sockets stand in front and behind
    #[arg(long = "type", value_enum, default_value_t = ProxyType::Queue)]
    kind: ProxyType,
    /// A PUB socket here publishes a copy of every message that passes
    #[arg(long, value_name = "ENDPOINT")]
    capture: Option<Endpoint>,
    /// Most messages queued for each peer and direction
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..))]
    hwm: u32,
    /// Tell on standard error what happens to connections
    #[arg(short, long)]
    verbose: bool,
    #[command(flatten)]
    security: SecurityArgs,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    Forwarding {
        kind: arguments.kind,
        frontend: arguments.frontend.clone(),
        backend: arguments.backend.clone(),
        capture: arguments.capture.clone(),
        hwm: arguments.hwm,
        verbose: arguments.verbose,
        security: arguments.security.read()?,
    }
    .run()
}
