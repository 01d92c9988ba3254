//! Both directions at once: the input is sent while what comes is written.
//!
//! Three threads. One reads standard input; nothing can wake it, so nobody joins it. One sends. The main one receives, and
//! decides when the conversation is over.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, channel, sync_channel};
use std::thread;
use std::time::Duration;

use zmq::Message;

use crate::failure::Failure;
use crate::input::Input;
use crate::output::Output;
use crate::receive::write_all;
use crate::socket::Opened;

/// Messages read ahead of the socket.
const READ_AHEAD: usize = 64;
/// How long a sender that has no room waits before it looks whether the conversation is over.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// What the reading thread says to the sending one.
enum Read {
    Message(Message),
    Failed(Failure),
    /// No more input, or nobody wants it.
    End,
}

/// Sends the input and writes what comes, until `count` messages were received and the input is sent. Somebody at a
/// terminal has said it all when `count` is reached.
pub(crate) fn converse(
    opened: Opened,
    mut input: Input,
    mut output: Output,
    count: Option<u64>,
) -> Result<(), Failure> {
    let (reader, lines) = sync_channel(READ_AHEAD);
    let end = reader.clone();
    let ends = input.ends();
    thread::spawn(move || read(&mut input, &reader));
    let over = AtomicBool::new(false);
    let (received, sent) = thread::scope(|scope| {
        let (sending, all_sent) = channel::<()>();
        let (opened, over) = (&opened, &over);
        let sender = scope.spawn(move || {
            let sent = send(opened, lines, over);
            if sent.is_err() {
                // The receiver may be waiting for a peer that will never hear from us.
                opened.interrupt();
            }
            drop(sending);
            sent
        });
        let received = write_all(opened, &mut output, count);
        let received = received.and_then(|()| match ends {
            true => wait_for_end(&all_sent, opened.timeout()),
            false => Ok(()),
        });
        over.store(true, Ordering::Relaxed);
        // A full channel means that the sender has no room; it looks at `over` by itself.
        let _ = end.try_send(Read::End);
        (received, sender.join())
    });
    let sent = sent.unwrap_or_else(|_| Err(Failure::Error("the sending thread broke".to_owned())));
    // What the sender met made the receiver stop, so it is the better explanation.
    sent.and(received)?;
    opened.close()
}

/// Nothing is ever said through the channel; its end is the news.
fn wait_for_end(all_sent: &Receiver<()>, timeout: Option<Duration>) -> Result<(), Failure> {
    let waited = match timeout {
        Some(timeout) => all_sent.recv_timeout(timeout),
        None => all_sent.recv().map_err(RecvTimeoutError::from),
    };
    match waited {
        Err(RecvTimeoutError::Timeout) => Err(Failure::TimedOut(
            "all was received, but the input has not ended".to_owned(),
        )),
        _ => Ok(()),
    }
}

fn read(input: &mut Input, reader: &SyncSender<Read>) {
    loop {
        let read = match input.next() {
            Ok(Some(message)) => Read::Message(message),
            Ok(None) => Read::End,
            Err(failure) => Read::Failed(failure),
        };
        let last = !matches!(read, Read::Message(_));
        if reader.send(read).is_err() || last {
            return;
        }
    }
}

fn send(opened: &Opened, lines: Receiver<Read>, over: &AtomicBool) -> Result<(), Failure> {
    for read in lines {
        let mut message = match read {
            Read::Message(message) => message,
            Read::Failed(failure) => return Err(failure),
            Read::End => return Ok(()),
        };
        while let Some(refused) = opened.offer(message, LOOK_AGAIN)? {
            if over.load(Ordering::Relaxed) {
                return Ok(());
            }
            message = refused;
        }
    }
    Ok(())
}
