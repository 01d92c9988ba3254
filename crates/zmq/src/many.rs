//! Many messages in one call. A small message costs little more than the socket's lock, which they share.

use std::future::poll_fn;

use crate::Message;
use crate::error::{RecvError, SendError, SendFailure};
use crate::handle::Handle;
use crate::verbs::Receiving;
use crate::wait::Wait;

/// Messages on their way, those in front accepted. Whatever becomes of it, what was not accepted is what is left in the list.
struct Batch<'a> {
    messages: &'a mut Vec<Message>,
    accepted: usize,
    /// How many of these hold nothing any more.
    emptied: usize,
    /// The place behind the accepted ones is empty: its message is in `waiting`, or has left from there.
    is_out: bool,
    waiting: Option<Message>,
}

impl<'a> Batch<'a> {
    fn new(messages: &'a mut Vec<Message>) -> Batch<'a> {
        Batch {
            messages,
            accepted: 0,
            emptied: 0,
            is_out: false,
            waiting: None,
        }
    }

    /// Sends as long as `offer`, which is shown what is left and says how many were accepted, takes any.
    fn offer(&mut self, mut offer: impl FnMut(&mut [Message]) -> usize) {
        while let Some(rest @ [_, ..]) = self.messages.get_mut(self.accepted..) {
            let accepted = offer(rest);
            if accepted == 0 {
                break;
            }
            self.accepted = self.accepted.saturating_add(accepted);
        }
    }

    /// Takes the next message out, which has to wait. Says whether there is one.
    fn take_out(&mut self) -> bool {
        let Some(next) = self.messages.get_mut(self.accepted) else {
            return false;
        };
        self.waiting = Some(std::mem::replace(next, Message::empty()));
        self.is_out = true;
        // Whoever waits for the octets of those that were accepted does not wait for the end of the call.
        if let Some(accepted) = self.messages.get_mut(self.emptied..self.accepted) {
            accepted.fill_with(Message::empty);
        }
        self.emptied = self.accepted;
        true
    }

    /// The message that was taken out comes back, or was accepted.
    fn put_back(&mut self) {
        if !std::mem::take(&mut self.is_out) {
            return;
        }
        match (self.waiting.take(), self.messages.get_mut(self.accepted)) {
            (Some(message), Some(place)) => *place = message,
            _ => self.accepted = self.accepted.saturating_add(1),
        }
    }

    /// Takes note of what became of the message that was taken out.
    fn note(&mut self, sent: Result<(), SendError>) -> Result<(), SendFailure> {
        let result = sent.map_err(|error| {
            let (message, reason) = error.into_parts();
            self.waiting = Some(message);
            reason
        });
        self.put_back();
        result
    }
}

impl Drop for Batch<'_> {
    fn drop(&mut self) {
        self.put_back();
        self.messages.drain(..self.accepted);
    }
}

/// Sends all, waiting for room where there is none.
pub(crate) async fn send(handle: &Handle, messages: &mut Vec<Message>) -> Result<(), SendFailure> {
    let mut batch = Batch::new(messages);
    loop {
        batch.offer(|rest| handle.offer_many_in_turn(rest));
        if !batch.take_out() {
            return Ok(());
        }
        let mut wait = Wait::new(handle, None);
        let sent = poll_fn(|cx| handle.poll_send(&mut wait, &mut batch.waiting, cx)).await;
        batch.note(sent)?;
    }
}

/// As [`send`]. Blocks the thread.
pub(crate) fn send_blocking(
    handle: &Handle,
    messages: &mut Vec<Message>,
) -> Result<(), SendFailure> {
    let mut batch = Batch::new(messages);
    loop {
        batch.offer(|rest| handle.offer_many_ready(rest));
        if !batch.take_out() {
            return Ok(());
        }
        let Some(message) = batch.waiting.take() else {
            return Ok(());
        };
        let sent = handle.send_blocking(message, None);
        batch.note(sent)?;
    }
}

/// Waits for one message, and takes those that are there then.
pub(crate) async fn recv(
    handle: &Handle,
    into: &mut Vec<Message>,
    most: usize,
) -> Result<usize, RecvError> {
    if most == 0 {
        return Ok(0);
    }
    let take = |into: &mut _, most| handle.take_many_in_turn(into, most);
    let taken = several(into, most, take);
    if taken > 0 {
        return Ok(taken);
    }
    let first = Receiving::long(handle, None, std::convert::identity).await?;
    // Nothing is waited for from here on: whoever drops this has received nothing.
    into.push(first);
    Ok(several(into, most.saturating_sub(1), take).saturating_add(1))
}

/// As [`recv`]. Blocks the thread.
pub(crate) fn recv_blocking(
    handle: &Handle,
    into: &mut Vec<Message>,
    most: usize,
) -> Result<usize, RecvError> {
    recv_or(handle, into, most, || handle.recv_blocking(None))
}

/// As [`recv`], of what is there.
pub(crate) fn try_recv(
    handle: &Handle,
    into: &mut Vec<Message>,
    most: usize,
) -> Result<usize, RecvError> {
    recv_or(handle, into, most, || handle.try_recv())
}

fn recv_or(
    handle: &Handle,
    into: &mut Vec<Message>,
    most: usize,
    first: impl FnOnce() -> Result<Message, RecvError>,
) -> Result<usize, RecvError> {
    if most == 0 {
        return Ok(0);
    }
    let take = |into: &mut _, most| handle.take_many_ready(into, most);
    let taken = several(into, most, take);
    if taken > 0 {
        return Ok(taken);
    }
    into.push(first()?);
    Ok(several(into, most.saturating_sub(1), take).saturating_add(1))
}

/// Has `take` put messages into a list as long as there are any, and are to be. Says how many.
fn several(
    into: &mut Vec<Message>,
    most: usize,
    mut take: impl FnMut(&mut Vec<Message>, usize) -> usize,
) -> usize {
    let mut taken = 0;
    while taken < most {
        match take(into, most.saturating_sub(taken)) {
            0 => break,
            more => taken = taken.saturating_add(more),
        }
    }
    taken
}
