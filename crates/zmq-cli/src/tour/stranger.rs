//! Somebody at the door who speaks another language.

use std::io::Write as _;
use std::net::TcpStream;
use std::time::Instant;

use zmq::Context;
use zmq::blocking::{Monitor, Pull, Push};
use zmq::monitor::Happening;

use super::place::Transport;
use super::story::Story;
use super::{PATIENCE, Stop, Trouble, ensure};
use crate::events::Words;

pub(super) const HTTP: Stop = Stop {
    name: "stranger",
    title: "A stranger over tcp: an HTTP client finds a PULL socket",
    about: "It is turned away with the reason, which the monitor tells; nothing of it becomes a message.",
    run: http,
};

fn http(story: &mut Story) -> Result<(), Trouble> {
    let context = Context::new();
    let pull = Pull::new(&context);
    let mut monitor = pull.monitor()?;
    let endpoint = pull.bind(Transport::Tcp.endpoint())?;
    let address = endpoint.as_str().trim_start_matches("tcp://");
    let mut client = TcpStream::connect(address)?;
    client.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")?;
    story.tell(format_args!("the monitor says: {}", closing(&mut monitor)?));

    let push = Push::new(&context);
    push.connect(&endpoint)?;
    push.send_timeout("a real peer", PATIENCE)?;
    let message = pull.recv_timeout(PATIENCE)?;
    ensure(message.first() == b"a real peer", || {
        format!("the stranger's octets became {message:?}")
    })?;
    story.tell("a real peer that came afterwards was served, and its message was the first one");
    Ok(())
}

/// What the monitor says about the first connection that was closed.
pub(super) fn closing(monitor: &mut Monitor) -> Result<String, Trouble> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let event = monitor
            .next_timeout(left)
            .ok_or("no connection was closed")?;
        if matches!(event.what, Happening::Closed { .. }) {
            return Ok(Words(&event).to_string());
        }
    }
}
