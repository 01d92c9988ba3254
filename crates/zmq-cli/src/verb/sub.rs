//! `zmq sub`: the messages one has subscribed to.

use clap::Args;

use crate::arguments::{SocketFlags, Topics};
use crate::failure::Failure;
use crate::output::Output;
use crate::receive::write_all;
use crate::socket::{Kind, Opened};

const EXAMPLES: &str = "\
Examples:
  zmq sub tcp://127.0.0.1:5556
  zmq sub tcp://127.0.0.1:5556 tcp://127.0.0.1:5557 --subscribe weather. --subscribe traffic.
  zmq sub tcp://127.0.0.1:5556 --format json --count 10

The topic is the beginning of the first frame, so it is part of what is printed.";

/// Receive messages from PUB peers
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(flatten)]
    flags: SocketFlags,
    #[command(flatten)]
    topics: Topics,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let Arguments { flags, topics } = arguments;
    let opened = Opened::subscribed(Kind::Sub, flags, &topics.prefixes())?;
    let mut output = Output::new(flags.layout());
    write_all(&opened, &mut output, flags.count)?;
    opened.close()
}
