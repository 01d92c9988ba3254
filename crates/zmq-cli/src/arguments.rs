//! The command line: the verbs, and the groups of options they share.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser};

use crate::endpoint::Endpoint;
use crate::failure::EXIT_CODES;
use crate::format::{Format, Layout};
use crate::security::SecurityArgs;
use crate::verb::Verb;

const EXAMPLES: &str = "\
Endpoints: with @ in front they are bound, without they are connected to.
  @tcp://127.0.0.1:5555  @tcp://*:5555  @tcp://127.0.0.1:*  tcp://example.org:5555  ipc:///tmp/a.sock
A wildcard port is chosen by the system and told on standard error.

A socket can prove who it is and ask who the others are: --curve, --curve-server, --plain, --plain-server.

Examples:
  zmq tour                                        # every pattern at work, in a few seconds
  zmq pull @tcp://127.0.0.1:5555                  # one terminal
  echo hello | zmq push tcp://127.0.0.1:5555      # another one
  zmq push tcp://127.0.0.1:5555 --file disk.img   # for: zmq pull @tcp://127.0.0.1:5555 --into DIR
  zmq sub tcp://127.0.0.1:5556 --subscribe weather. --count 10
  zmq perf thr local tcp://127.0.0.1:5557 64 1000000
  zmq keygen server                               # keys for CURVE: server and server_secret
  zmq doctor tcp://127.0.0.1:5555                 # what is there?
  zmq help push                                   # every verb has its own examples";

/// ZeroMQ on the command line: sockets of every pattern in a shell pipe, proxies, measurements, a tour.
#[derive(Debug, Parser)]
#[command(name = "zmq", version, after_help = format!("{EXAMPLES}\n\n{EXIT_CODES}"))]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

/// What every socket verb takes.
#[derive(Args, Clone, Debug)]
pub(crate) struct SocketFlags {
    /// Bound with @ in front, connected to without; several are used together
    #[arg(required = true, value_name = "ENDPOINT")]
    pub(crate) endpoints: Vec<Endpoint>,
    /// Give up when a peer, a message or room for one takes longer than this, milliseconds [default: wait for ever]
    #[arg(short, long, value_name = "MS", value_parser = milliseconds)]
    pub(crate) timeout: Option<Duration>,
    /// End after N messages: those received; for push and pub those sent; for req and rep the replies
    #[arg(short = 'n', long, value_name = "N")]
    pub(crate) count: Option<u64>,
    /// How messages look on standard input and output
    #[arg(short, long, value_enum, default_value_t = Format::Line)]
    pub(crate) format: Format,
    /// Between the frames of a line: input lines are split at it; without it they are one frame each and received
    /// frames are written with a tabulator between
    #[arg(short, long, value_name = "TEXT", value_parser = separator)]
    pub(crate) separator: Option<String>,
    /// Most messages queued for each peer and direction
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) hwm: u32,
    /// Tell on standard error what happens to connections
    #[arg(short, long)]
    pub(crate) verbose: bool,
    #[command(flatten)]
    pub(crate) security: SecurityArgs,
}

impl SocketFlags {
    /// How lines are read and written.
    pub(crate) fn layout(&self) -> Layout {
        Layout {
            format: self.format,
            separator: self.separator.clone(),
            addressed: false,
        }
    }
}

/// What verbs that send from the input take.
#[derive(Args, Clone, Debug)]
pub(crate) struct Sending {
    /// Send this instead of reading standard input; may be given several times
    #[arg(short, long, value_name = "TEXT")]
    pub(crate) message: Vec<String>,
}

/// How a socket calls itself towards a ROUTER.
#[derive(Args, Clone, Debug)]
pub(crate) struct Naming {
    /// The routing id by which a ROUTER peer knows this socket, 1 to 255 octets
    #[arg(long, value_name = "NAME")]
    pub(crate) routing_id: Option<String>,
}

/// Which messages a subscriber wants.
#[derive(Args, Clone, Debug)]
pub(crate) struct Topics {
    /// Receive messages that begin with this; may be given several times [default: every message]
    #[arg(short = 'S', long, value_name = "PREFIX")]
    pub(crate) subscribe: Vec<String>,
}

impl Topics {
    /// The prefixes to subscribe to: all messages when none was named.
    pub(crate) fn prefixes(&self) -> Vec<&str> {
        if self.subscribe.is_empty() {
            return vec![""];
        }
        self.subscribe.iter().map(String::as_str).collect()
    }
}

/// What verbs that publish take.
#[derive(Args, Clone, Debug)]
pub(crate) struct Audience {
    /// Wait for N subscribers before the first message; 0 sends at once, to whoever is there
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) subscribers: usize,
}

/// Files to send.
#[derive(Args, Clone, Debug)]
pub(crate) struct Files {
    /// Send this file in pieces, for `zmq pull --into`; may be given several times
    #[arg(long, value_name = "PATH", conflicts_with_all = ["message", "format", "separator"])]
    pub(crate) file: Vec<PathBuf>,
}

/// The value of an option that is a time in milliseconds.
pub(crate) fn milliseconds(text: &str) -> Result<Duration, String> {
    match text.parse() {
        Ok(milliseconds) => Ok(Duration::from_millis(milliseconds)),
        Err(_) => Err("expected a whole number of milliseconds".to_owned()),
    }
}

/// A separator may be written with the escapes that shells pass on as they are.
fn separator(text: &str) -> Result<String, String> {
    match text {
        "" => Err("expected at least one character".to_owned()),
        "\\t" => Ok("\t".to_owned()),
        "\\0" => Ok("\0".to_owned()),
        _ => Ok(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn every_verb_shows_examples_in_its_help() {
        let mut command = Arguments::command();
        command.build();
        for verb in command
            .get_subcommands_mut()
            .filter(|verb| verb.get_name() != "help")
        {
            let help = verb.render_long_help().to_string();
            assert!(
                help.contains("Examples:\n  "),
                "zmq {} --help has no examples",
                verb.get_name()
            );
        }
    }
}
