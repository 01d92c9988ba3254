//! `zmq pub`: every message goes to all who subscribed to it.

use clap::Args;
use zmq::Frame;

use crate::arguments::{Audience, Sending, SocketFlags};
use crate::failure::Failure;
use crate::input::Input;
use crate::socket::{Kind, Opened};

const EXAMPLES: &str = "\
Examples:
  seq 1000 | zmq pub @tcp://*:5556
  echo 'weather.oslo -3' | zmq pub @tcp://*:5556 --subscribers 2
  vmstat 1 | zmq pub @tcp://*:5556 --topic vmstat --subscribers 0

Subscribers choose by the first octets of the first frame. Who is not there when a message is sent does not get it;
a subscriber whose queue is full loses messages.";

/// Publish messages to SUB peers
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(flatten)]
    flags: SocketFlags,
    #[command(flatten)]
    sending: Sending,
    #[command(flatten)]
    audience: Audience,
    /// Put this frame in front of each message
    #[arg(long, value_name = "TEXT")]
    topic: Option<String>,
}

pub(crate) fn run(arguments: Arguments) -> Result<(), Failure> {
    let Arguments {
        flags,
        sending,
        audience,
        topic,
    } = arguments;
    let opened = Opened::new(Kind::Pub, &flags)?;
    opened.wait_for_subscribers(audience.subscribers)?;
    let mut input = Input::new(sending.message, flags.layout());
    let mut sent = 0;
    while flags.count.is_none_or(|count| sent < count) {
        let Some(mut message) = input.next()? else {
            break;
        };
        if let Some(topic) = &topic {
            message.push_front(Frame::from(topic.as_str()));
        }
        opened.send(message)?;
        sent += 1;
    }
    opened.close()
}
