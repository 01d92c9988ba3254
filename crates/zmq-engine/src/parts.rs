//! Sending a message part by part, as the C library's users do: the peer is chosen with the first part, the message leaves whole
//! with the last.

use std::time::Duration;

use zmtp_wire::{Frame, Message};

use crate::effects::Effects;
use crate::error::{SendError, SendFailure};
use crate::socket::Socket;
use crate::waiting::Sleep;

/// The way a message will take, chosen when its first part was given. Dropping it gives the choice up; nothing was sent.
#[derive(Debug)]
pub struct Reservation(zmq_patterns::Reservation);

impl Socket {
    /// Begins a message with its first part, without waiting: chooses the peer (or on a REQ or REP socket checks the turn), and
    /// says now what would otherwise be said at the end.
    ///
    /// # Errors
    /// [`SendFailure`], as [`try_send`](Socket::try_send) would give it for a message that begins so.
    pub fn try_begin(&self, first: &Frame) -> Result<Reservation, SendFailure> {
        match self.reserve(first) {
            Err(SendFailure::WouldBlock) => {
                self.shared.flush();
                self.shared.turn();
                self.reserve(first)
            }
            done => done,
        }
    }

    /// Like [`try_begin`](Socket::try_begin), waiting up to `timeout` for room (`None` waits for ever). Blocks the thread.
    ///
    /// # Errors
    /// [`SendFailure`].
    pub fn begin(
        &self,
        first: &Frame,
        timeout: Option<Duration>,
    ) -> Result<Reservation, SendFailure> {
        match self.reserve(first) {
            Err(SendFailure::WouldBlock) => {}
            done => return done,
        }
        let deadline = self.deadline(timeout);
        self.shared.flush();
        let mut waiter = self.waiter();
        loop {
            match self.reserve(first) {
                Err(SendFailure::WouldBlock) => {}
                done => return done,
            }
            match waiter.sleep(deadline) {
                Ok(()) => {}
                Err(Sleep::TimedOut) => return Err(SendFailure::TimedOut),
                Err(Sleep::Interrupted) => return Err(SendFailure::Interrupted),
            }
        }
    }

    /// Sends the whole message, first part included, the way that was chosen. Never waits: a peer that became full meanwhile
    /// still takes it. For a peer that is gone it is counted as lost, as it would be had it left a moment earlier.
    ///
    /// # Errors
    /// [`SendError`] gives the message back: the socket was closed or the pattern refuses the message.
    pub fn commit(&self, reservation: Reservation, mut message: Message) -> Result<(), SendError> {
        let mut effects = Effects::default();
        let mut core = self.shared.enter_to_send(&mut effects);
        let result = core.send_by(&mut message, &mut effects, |pattern, message| {
            pattern.commit(reservation.0, message)
        });
        drop(core);
        self.shared.run(effects);
        result.map_err(|reason| SendError { message, reason })
    }

    fn reserve(&self, first: &Frame) -> Result<Reservation, SendFailure> {
        let mut effects = Effects::default();
        let mut core = self.shared.enter_to_send(&mut effects);
        let result = core.reserve(first).map(Reservation);
        core.settle(&mut effects);
        drop(core);
        self.shared.run(effects);
        result
    }
}
