//! Receiving into the output.

use crate::failure::Failure;
use crate::output::Output;
use crate::socket::Opened;
use zmq::Message;

/// The next message; `before_waiting` is done first if none is there yet.
pub(crate) fn receive(
    opened: &Opened,
    before_waiting: impl FnOnce() -> Result<(), Failure>,
) -> Result<Message, Failure> {
    if let Some(message) = opened.try_recv()? {
        return Ok(message);
    }
    before_waiting()?;
    opened.recv()
}

/// Writes what comes, up to `count` messages.
pub(crate) fn write_all(
    opened: &Opened,
    output: &mut Output,
    count: Option<u64>,
) -> Result<(), Failure> {
    let mut received = 0;
    while count.is_none_or(|count| received < count) {
        let message = receive(opened, || output.flush())?;
        output.write(&message)?;
        received += 1;
    }
    output.flush()
}
