//! The loop of a program that plays a side.

use std::io::{self, BufRead, Write};

use crate::{Failure, Request, Side, encode_frames};

/// Answers each line of `input` with one line on `output` until the input ends.
///
/// # Errors
/// When reading or writing fails.
pub fn serve(
    side: &mut dyn Side,
    mut input: impl BufRead,
    mut output: impl Write,
) -> io::Result<()> {
    let mut line = String::new();
    loop {
        line.clear();
        if input.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let answer = match Request::parse(&line).and_then(|request| perform(side, &request)) {
            Ok(text) => format!("ok {text}\n"),
            Err(failure) => format!("err {} {}\n", failure.code, failure.text.replace('\n', " ")),
        };
        output.write_all(answer.as_bytes())?;
        output.flush()?;
    }
}

fn perform(side: &mut dyn Side, request: &Request) -> Result<String, Failure> {
    match request {
        Request::Open { socket, kind } => side.open(socket, kind)?,
        Request::Set {
            socket,
            option,
            value,
        } => side.set(socket, option, value)?,
        Request::Bind { socket, endpoint } => return side.bind(socket, endpoint),
        Request::Connect { socket, endpoint } => side.connect(socket, endpoint)?,
        Request::Unbind { socket, endpoint } => side.unbind(socket, endpoint)?,
        Request::Disconnect { socket, endpoint } => side.disconnect(socket, endpoint)?,
        Request::Subscribe { socket, topic } => side.subscribe(socket, topic)?,
        Request::Unsubscribe { socket, topic } => side.unsubscribe(socket, topic)?,
        Request::Send {
            socket,
            wait,
            frames,
        } => side.send(socket, frames, *wait)?,
        Request::Recv { socket, wait } => {
            return side
                .recv(socket, *wait)
                .map(|frames| encode_frames(&frames));
        }
        Request::Monitor { socket } => side.monitor(socket)?,
        Request::Event { socket, name, wait } => return side.event(socket, name, *wait),
        Request::Property { socket, name } => return side.property(socket, name),
        Request::Close { socket } => side.close(socket)?,
        Request::Version => return side.version(),
    }
    Ok(String::new())
}
