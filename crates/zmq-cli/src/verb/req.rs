//! `zmq req`: a request, its reply, the next request.

use clap::Args;

use crate::arguments::{Naming, Sending, SocketFlags};
use crate::failure::Failure;
use crate::input::Input;
use crate::output::Output;
use crate::socket::Client;

const EXAMPLES: &str = "\
Examples:
  zmq req tcp://127.0.0.1:5558 -m ping --timeout 1000
  cat questions | zmq req tcp://127.0.0.1:5558 > answers

Each line is a request; its reply is written before the next line is read.";

/// Send requests to REP or ROUTER peers and write their replies
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
    let client = Client::new(&flags, naming.routing_id.as_deref())?;
    let mut input = Input::new(sending.message, flags.layout());
    let mut output = Output::new(flags.layout());
    let mut replies = 0;
    while flags.count.is_none_or(|count| replies < count) {
        let Some(request) = input.next()? else {
            break;
        };
        output.write(&client.ask(request)?)?;
        output.flush()?;
        replies += 1;
    }
    client.close()
}
