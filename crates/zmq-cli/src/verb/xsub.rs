//! `zmq xsub`: subscribes, and may send messages upstream.

use clap::Args;

use crate::arguments::{Sending, SocketFlags, Topics};
use crate::conversation::converse;
use crate::failure::Failure;
use crate::input::Input;
use crate::output::Output;
use crate::socket::{Kind, Opened};

const EXAMPLES: &str = "\
Examples:
  zmq xsub tcp://127.0.0.1:5556 --subscribe weather.
  printf '0177656174686572\\n' | zmq xsub tcp://127.0.0.1:5556 --format hex   # 01 and a topic subscribes, 00 cancels

Input lines are sent to all publishers; one that begins with the octet 01 or 00 is a subscription or its end.";

/// Receive messages from PUB or XPUB peers; what is sent goes upstream
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(flatten)]
    flags: SocketFlags,
    #[command(flatten)]
    sending: Sending,
    #[command(flatten)]
    topics: Topics,
}

pub(crate) fn run(arguments: Arguments) -> Result<(), Failure> {
    let Arguments {
        flags,
        sending,
        topics,
    } = arguments;
    // Without --subscribe the input may do the subscribing.
    let prefixes: Vec<&str> = topics.subscribe.iter().map(String::as_str).collect();
    let opened = Opened::subscribed(Kind::XSub, &flags, &prefixes)?;
    let input = Input::new(sending.message, flags.layout());
    converse(opened, input, Output::new(flags.layout()), flags.count)
}
