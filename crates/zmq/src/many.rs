//! Many messages in one call. A small message costs little more than the socket's lock, which they share.

use std::future::poll_fn;
use std::task::{self, Poll};

use zmq_engine as engine;

use crate::Message;
use crate::error::{RecvError, SendFailure};
use crate::handle::Handle;
use crate::wait::{Look, Wait, Waited};

/// Most calls of the engine in one of ours: what comes in meanwhile is left for the next.
const CALLS: usize = 16;

/// Messages on their way, those in front accepted. Whatever becomes of it, what was not accepted is what is left in the list.
struct Batch<'a> {
    list: &'a mut Vec<Message>,
    /// What was in the list. One who forgets this has no message twice.
    messages: Vec<Message>,
    accepted: usize,
    /// How many of these hold nothing any more.
    emptied: usize,
}

impl<'a> Batch<'a> {
    fn new(list: &'a mut Vec<Message>) -> Batch<'a> {
        let messages = std::mem::take(list);
        Batch {
            list,
            messages,
            accepted: 0,
            emptied: 0,
        }
    }

    /// What is left, and where to count what is accepted of it.
    fn rest(&mut self) -> (&mut [Message], &mut usize) {
        let rest = self.messages.get_mut(self.accepted..).unwrap_or_default();
        (rest, &mut self.accepted)
    }

    fn is_over(&self) -> bool {
        self.accepted >= self.messages.len()
    }

    /// Sends as long as `offer` takes any.
    fn offer(&mut self, mut offer: impl FnMut(&mut [Message]) -> usize) {
        while !self.is_over() {
            match offer(self.rest().0) {
                0 => break,
                more => self.accepted = self.accepted.saturating_add(more),
            }
        }
    }

    /// Lets go of what was accepted: whoever waits for those octets does not wait for the end of the call.
    fn empty_accepted(&mut self) {
        if let Some(accepted) = self.messages.get_mut(self.emptied..self.accepted) {
            accepted.fill_with(Message::empty);
        }
        self.emptied = self.accepted;
    }
}

impl Drop for Batch<'_> {
    fn drop(&mut self) {
        // The list first: to let go of what was accepted may be code of the application, which may panic.
        std::mem::swap(self.list, &mut self.messages);
        self.list.drain(..self.accepted);
    }
}

/// Sends all, waiting for room where there is none.
pub(crate) async fn send(handle: &Handle, messages: &mut Vec<Message>) -> Result<(), SendFailure> {
    let mut batch = Batch::new(messages);
    loop {
        batch.offer(|rest| handle.offer_many_in_turn(rest));
        if batch.is_over() {
            return Ok(());
        }
        batch.empty_accepted();
        let mut wait = Wait::new(handle, None);
        let before = batch.accepted;
        poll_fn(|cx| poll_send(handle, &mut wait, &mut batch, cx)).await?;
        handle.count_more(batch.accepted.saturating_sub(before));
    }
}

/// Sends one at least.
fn poll_send(
    handle: &Handle,
    wait: &mut Wait<'_>,
    batch: &mut Batch<'_>,
    cx: &mut task::Context<'_>,
) -> Poll<Result<(), SendFailure>> {
    let waited = task::ready!(wait.poll(cx, |_| {
        let (rest, accepted) = batch.rest();
        let sent = match handle.socket() {
            Ok(socket) => socket.try_send_many(rest, accepted),
            Err(error) => return Some(Err(SendFailure::NotOpen(error))),
        };
        match sent {
            Err(engine::SendFailure::WouldBlock) => None,
            done => Some(done.map_err(SendFailure::from)),
        }
    }));
    Poll::Ready(match waited {
        Waited::Done(done) => done,
        Waited::TimedOut => Err(SendFailure::TimedOut),
        Waited::Failed(error) => Err(SendFailure::NotOpen(error)),
    })
}

/// As [`send`]. Blocks the thread.
pub(crate) fn send_blocking(
    handle: &Handle,
    messages: &mut Vec<Message>,
) -> Result<(), SendFailure> {
    let mut batch = Batch::new(messages);
    loop {
        batch.offer(|rest| handle.offer_many_ready(rest));
        if batch.is_over() {
            return Ok(());
        }
        batch.empty_accepted();
        let socket = handle.socket().map_err(SendFailure::NotOpen)?;
        let (rest, accepted) = batch.rest();
        match socket.send_many(rest, accepted, None) {
            Err(engine::SendFailure::Interrupted) => {}
            done => done?,
        }
    }
}

/// Waits for one message, and takes those that are there then.
pub(crate) async fn recv(
    handle: &Handle,
    into: &mut Vec<Message>,
    most: usize,
) -> Result<usize, RecvError> {
    let before = into.len();
    let take = |into: &mut _, most| handle.take_many_in_turn(into, most);
    if most == 0 || several(into, most, take) > 0 {
        return Ok(into.len().saturating_sub(before));
    }
    let mut wait = Wait::new(handle, None);
    // Messages are taken in the poll that is ready, and nothing is waited for after it: whoever drops this has received nothing.
    let waited = poll_fn(|cx| wait.poll(cx, |look| take_some(handle, look, into, most))).await;
    match waited {
        Waited::Done(done) => done?,
        Waited::TimedOut => return Err(RecvError::TimedOut),
        Waited::Failed(error) => return Err(RecvError::NotOpen(error)),
    }
    let received = into.len().saturating_sub(before);
    handle.count_more(received);
    several(into, most.saturating_sub(received), take);
    Ok(into.len().saturating_sub(before))
}

/// Takes one at least, as far as has to be looked.
fn take_some(
    handle: &Handle,
    look: Look,
    into: &mut Vec<Message>,
    most: usize,
) -> Option<Result<(), RecvError>> {
    let taken = match handle.socket() {
        Err(error) => return Some(Err(RecvError::NotOpen(error))),
        Ok(socket) => match look {
            Look::Queued => socket.try_recv_many_queued(into, most),
            Look::Unread => socket.try_recv_many_unread(into, most),
            Look::Streams => socket.try_recv_many(into, most),
        },
    };
    match taken {
        Err(engine::RecvError::WouldBlock) => None,
        done => Some(done.map_err(RecvError::from)),
    }
}

/// As [`recv`]. Blocks the thread.
pub(crate) fn recv_blocking(
    handle: &Handle,
    into: &mut Vec<Message>,
    most: usize,
) -> Result<usize, RecvError> {
    recv_or(handle, into, most, |socket, into| {
        loop {
            match socket.recv_many(into, most, None) {
                Err(engine::RecvError::Interrupted) => {}
                done => return done,
            }
        }
    })
}

/// As [`recv`], of what is there.
pub(crate) fn try_recv(
    handle: &Handle,
    into: &mut Vec<Message>,
    most: usize,
) -> Result<usize, RecvError> {
    recv_or(handle, into, most, |socket, into| {
        socket.try_recv_many(into, most)
    })
}

fn recv_or(
    handle: &Handle,
    into: &mut Vec<Message>,
    most: usize,
    first: impl FnOnce(&engine::Socket, &mut Vec<Message>) -> Result<(), engine::RecvError>,
) -> Result<usize, RecvError> {
    let before = into.len();
    let take = |into: &mut _, most| handle.take_many_ready(into, most);
    if most == 0 || several(into, most, take) > 0 {
        return Ok(into.len().saturating_sub(before));
    }
    first(handle.socket().map_err(RecvError::NotOpen)?, into)?;
    let left = most.saturating_sub(into.len().saturating_sub(before));
    several(into, left, take);
    Ok(into.len().saturating_sub(before))
}

/// Has `take` put messages into a list as long as there are any, and are to be. Says how many.
fn several(
    into: &mut Vec<Message>,
    most: usize,
    mut take: impl FnMut(&mut Vec<Message>, usize) -> usize,
) -> usize {
    let mut taken = 0_usize;
    for _ in 0..CALLS {
        let more = take(into, most.saturating_sub(taken));
        taken = taken.saturating_add(more);
        if more == 0 || taken >= most {
            break;
        }
    }
    taken
}
