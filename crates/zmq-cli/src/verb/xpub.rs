//! `zmq xpub`: publishes, and sees who subscribes to what.

use clap::Args;

use crate::arguments::{Audience, Sending, SocketFlags};
use crate::conversation::converse;
use crate::failure::Failure;
use crate::input::Input;
use crate::output::Output;
use crate::socket::{Kind, Opened};

const EXAMPLES: &str = "\
Examples:
  zmq xpub @tcp://*:5556 --subscribers 0 --format hex       # 01.. is a subscription, 00.. its end
  seq 1000 | zmq xpub @tcp://*:5556 --count 1 --format json

Writes subscriptions while it publishes the input: one octet 01 or 00, then the topic.";

/// Publish messages to SUB peers and write their subscriptions
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(flatten)]
    flags: SocketFlags,
    #[command(flatten)]
    sending: Sending,
    #[command(flatten)]
    audience: Audience,
}

pub(crate) fn run(arguments: Arguments) -> Result<(), Failure> {
    let Arguments {
        flags,
        sending,
        audience,
    } = arguments;
    let opened = Opened::new(Kind::XPub, &flags)?;
    opened.wait_for_subscribers(audience.subscribers)?;
    let input = Input::new(sending.message, flags.layout());
    converse(opened, input, Output::new(flags.layout()), flags.count)
}
