//! `zmq pair`: two ends, both directions.

use clap::Args;

use crate::arguments::{Sending, SocketFlags};
use crate::conversation::converse;
use crate::failure::Failure;
use crate::input::Input;
use crate::output::Output;
use crate::socket::{Kind, Opened};

const EXAMPLES: &str = "\
Examples:
  zmq pair @tcp://127.0.0.1:5560      # a chat: one terminal
  zmq pair tcp://127.0.0.1:5560       # the other one

Reads and writes at the same time. Ends when --count messages were received and the input is sent, or when nothing came
for --timeout.";

/// Talk to one PAIR peer in both directions at once
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(flatten)]
    flags: SocketFlags,
    #[command(flatten)]
    sending: Sending,
}

pub(crate) fn run(arguments: Arguments) -> Result<(), Failure> {
    let Arguments { flags, sending } = arguments;
    let opened = Opened::new(Kind::Pair, &flags)?;
    let input = Input::new(sending.message, flags.layout());
    converse(opened, input, Output::new(flags.layout()), flags.count)
}
