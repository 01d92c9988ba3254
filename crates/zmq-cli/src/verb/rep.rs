//! `zmq rep`: a reply for each request.

use std::io::Write as _;
use std::process::{Command, Stdio};

use clap::Args;
use zmq::Message;

use crate::arguments::SocketFlags;
use crate::failure::{Failure, note};
use crate::format::Layout;
use crate::input::Input;
use crate::output::Output;
use crate::socket::{Service, not_sent};

const EXAMPLES: &str = "\
Examples:
  zmq rep @tcp://127.0.0.1:5558 --echo
  zmq rep @tcp://127.0.0.1:5558 --reply pong --count 1
  zmq rep @tcp://127.0.0.1:5558 --exec 'tr a-z A-Z'
  zmq rep @tcp://127.0.0.1:5558                          # requests are written, replies read line by line

With --exec the request is the input of the command and its output is the reply. Whoever reaches the endpoint makes the
command run.";

/// Answer requests of REQ or DEALER peers
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(flatten)]
    flags: SocketFlags,
    #[command(flatten)]
    answer: Answer,
}

/// Where replies come from; standard input if nothing is said.
#[derive(Args, Clone, Debug)]
#[group(multiple = false)]
struct Answer {
    /// The reply is the request
    #[arg(long)]
    echo: bool,
    /// The reply is always this
    #[arg(long, value_name = "TEXT")]
    reply: Option<String>,
    /// The reply is what this shell command makes of the request
    #[arg(long, value_name = "COMMAND")]
    exec: Option<String>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let Arguments { flags, answer } = arguments;
    let layout = flags.layout();
    let service = Service::new(flags)?;
    let mut input = Input::new(Vec::new(), layout.clone());
    let mut output = Output::new(layout.clone());
    let mut replies = 0;
    while flags.count.is_none_or(|count| replies < count) {
        let (request, responder) = service.next()?;
        let reply = if answer.echo {
            request
        } else if let Some(text) = &answer.reply {
            layout.parse(text.as_bytes()).map_err(Failure::Usage)?
        } else if let Some(command) = &answer.exec {
            execute(command, &request, &layout)?
        } else {
            output.write(&request)?;
            output.flush()?;
            match input.next()? {
                Some(reply) => reply,
                None => break,
            }
        };
        responder.reply(reply).map_err(|error| not_sent(&error))?;
        replies += 1;
    }
    service.close()
}

/// What the command makes of the request: an output without its last newline.
fn execute(command: &str, request: &Message, layout: &Layout) -> Result<Message, Failure> {
    let failed = |error| Failure::Error(format!("cannot run `{command}`: {error}"));
    let mut child = Command::new("sh")
        .args(["-c", command])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    let mut text = Vec::new();
    layout.emit(request, &mut text);
    let stdin = child.stdin.take();
    let output = std::thread::scope(|scope| {
        // A command that writes before it has read all must not wait for us while we wait for it. One that does not
        // read its input closes it early, which is its right.
        scope.spawn(move || stdin.map(|mut stdin| stdin.write_all(&text)));
        child.wait_with_output()
    })
    .map_err(failed)?;
    if !output.status.success() {
        note(format_args!("`{command}` ended with {}", output.status));
    }
    let text = output.stdout.strip_suffix(b"\n").unwrap_or(&output.stdout);
    layout
        .parse(text)
        .map_err(|why| Failure::Error(format!("the output of `{command}`: {why}")))
}
