//! `zmq router`: knows its peers by name.

use clap::Args;

use crate::arguments::{Naming, Sending, SocketFlags};
use crate::conversation::converse;
use crate::failure::Failure;
use crate::format::Layout;
use crate::input::Input;
use crate::output::Output;
use crate::socket::{Kind, Opened};

const EXAMPLES: &str = "\
Examples:
  zmq router @tcp://127.0.0.1:5559                     # writes: routing id, tabulator, message
  printf 'worker-7\\tgo\\n' | zmq router @tcp://*:5559   # and reads the same
  zmq router @tcp://*:5559 --format json

The first frame of each message is the routing id of the peer. Ids that are no plain text are written as 0x and digits,
and may be given so. A message to an unknown peer is an error.";

/// Talk to REQ, DEALER or ROUTER peers by their routing ids
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
    let layout = Layout {
        addressed: true,
        ..flags.layout()
    };
    let opened = Opened::named(Kind::Router, &flags, naming.routing_id.as_deref())?;
    let input = Input::new(sending.message, layout.clone());
    converse(opened, input, Output::new(layout), flags.count)
}
