//! Received messages on standard output.

use std::io::{self, BufWriter, Stdout, Write as _};

use zmq::Message;

use crate::failure::Failure;
use crate::format::Layout;

/// Buffered: whoever waits for the next message flushes first, so that a flood costs few writes and a trickle shows at
/// once.
pub(crate) struct Output {
    layout: Layout,
    stdout: BufWriter<Stdout>,
    line: Vec<u8>,
}

impl Output {
    pub(crate) fn new(layout: Layout) -> Output {
        Output {
            layout,
            stdout: BufWriter::with_capacity(1 << 16, io::stdout()),
            line: Vec::new(),
        }
    }

    pub(crate) fn write(&mut self, message: &Message) -> Result<(), Failure> {
        self.line.clear();
        self.layout.emit(message, &mut self.line);
        self.stdout
            .write_all(&self.line)
            .map_err(|error| Failure::output(&error))
    }

    pub(crate) fn flush(&mut self) -> Result<(), Failure> {
        self.stdout.flush().map_err(|error| Failure::output(&error))
    }
}
