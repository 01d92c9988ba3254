//! `zmq pull`: messages from all peers, fairly.

use std::path::PathBuf;

use clap::Args;

use crate::arguments::SocketFlags;
use crate::failure::Failure;
use crate::receive::{receive, write_all};
use crate::socket::{Kind, Opened};
use crate::{file, output::Output};

const EXAMPLES: &str = "\
Examples:
  zmq pull @tcp://127.0.0.1:5555
  zmq pull tcp://127.0.0.1:5555 --count 1 --timeout 1000 || echo nothing there
  zmq pull @ipc:///tmp/jobs.sock --format json | jq -r '.[0]'
  zmq pull @tcp://*:5555 --into downloads --count 2     # two files from zmq push --file
  zmq pull @tcp://*:5555 --curve-server server_secret --allow-dir friends      # who is let in";

/// Receive messages from PUSH peers
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(flatten)]
    flags: SocketFlags,
    /// Write files that come from `zmq push --file` into this folder; --count then counts files
    #[arg(long, value_name = "DIR", conflicts_with_all = ["format", "separator"])]
    into: Option<PathBuf>,
    /// Let a received file replace one of the same name
    #[arg(long, requires = "into")]
    force: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let Arguments { flags, into, force } = arguments;
    let Some(folder) = into else {
        let opened = Opened::new(Kind::Pull, flags)?;
        let mut output = Output::new(flags.layout());
        write_all(&opened, &mut output, flags.count)?;
        return opened.close();
    };
    let small = SocketFlags {
        hwm: flags.hwm.min(file::PIECES_QUEUED),
        ..flags.clone()
    };
    let opened = Opened::new(Kind::Pull, &small)?;
    let mut incoming = file::Incoming::new(folder, *force)?;
    let wanted = |done: u64| flags.count.is_none_or(|count| done < count);
    let mut done = 0;
    while wanted(done) {
        let message = receive(&opened, || Ok(()))?;
        done += u64::from(incoming.take(&message)?);
    }
    opened.close()
}
