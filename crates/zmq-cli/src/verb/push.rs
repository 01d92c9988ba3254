//! `zmq push`: every message goes to one of the peers in turn.

use clap::Args;

use crate::arguments::{Files, Sending, SocketFlags};
use crate::failure::Failure;
use crate::file;
use crate::input::Input;
use crate::socket::{Kind, Opened};

const EXAMPLES: &str = "\
Examples:
  seq 1000 | zmq push @tcp://*:5555
  zmq push tcp://127.0.0.1:5555 -m hello -m again
  printf 'a|b|c\\n' | zmq push tcp://127.0.0.1:5555 --separator '|'    # three frames
  zmq push tcp://127.0.0.1:5555 --format raw < picture.png             # one message
  zmq push tcp://127.0.0.1:5555 --file disk.img                        # in pieces, any size
  zmq push tcp://127.0.0.1:5555 -m hello --curve server --curve-cert ann_secret   # proves who sends

Waits for a peer, then for room, and ends when everything has left.";

/// Send messages to PULL peers, each to one of them in turn
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(flatten)]
    flags: SocketFlags,
    #[command(flatten)]
    sending: Sending,
    #[command(flatten)]
    files: Files,
}

pub(crate) fn run(arguments: Arguments) -> Result<(), Failure> {
    let Arguments {
        flags,
        sending,
        files,
    } = arguments;
    let opened = if files.file.is_empty() {
        Opened::new(Kind::Push, &flags)?
    } else {
        let small = SocketFlags {
            hwm: flags.hwm.min(file::PIECES_QUEUED),
            ..flags.clone()
        };
        Opened::new(Kind::Push, &small)?
    };
    opened.wait_for_peer()?;
    if files.file.is_empty() {
        send_all(
            &opened,
            &mut Input::new(sending.message, flags.layout()),
            flags.count,
        )?;
    }
    for path in &files.file {
        file::send(&opened, path)?;
    }
    opened.close()
}

/// Sends what the input has, up to `count` messages.
pub(crate) fn send_all(
    opened: &Opened,
    input: &mut Input,
    count: Option<u64>,
) -> Result<(), Failure> {
    let mut sent = 0;
    while count.is_none_or(|count| sent < count) {
        let Some(message) = input.next()? else {
            break;
        };
        opened.send(message)?;
        sent += 1;
    }
    Ok(())
}
