//! `zmq dealer`: sends in turn to all peers and receives from all, without waiting for replies.

use clap::Args;

use crate::arguments::{Naming, Sending, SocketFlags};
use crate::conversation::converse;
use crate::failure::Failure;
use crate::input::Input;
use crate::output::Output;
use crate::socket::{Kind, Opened};

const EXAMPLES: &str = "\
Examples:
  seq 10 | zmq dealer tcp://127.0.0.1:5559 --count 10               # with a ROUTER or DEALER
  zmq dealer tcp://127.0.0.1:5558 -s '|' -m '|question' --count 1   # with a REP: an empty frame comes first

Reads and writes at the same time. Ends when --count messages were received and the input is sent, or when nothing came
for --timeout.";

/// Talk to ROUTER, REP or DEALER peers in both directions at once
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(flatten)]
    flags: SocketFlags,
    #[command(flatten)]
    sending: Sending,
    #[command(flatten)]
    naming: Naming,
}

pub(crate) fn run(arguments: Arguments) -> Result<(), Failure> {
    let Arguments {
        flags,
        sending,
        naming,
    } = arguments;
    let opened = Opened::named(Kind::Dealer, &flags, naming.routing_id.as_deref())?;
    let input = Input::new(sending.message, flags.layout());
    converse(opened, input, Output::new(flags.layout()), flags.count)
}
