//! Receiving: from what was taken in already, from what inproc peers have gathered, and from streams, before anybody sleeps.
//!
//! Messages are moved to where the caller wants them, in one piece. One that is handed from function to function inside results is
//! taken apart and put together at each step, and the processor waits for its own writes each time.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use zmtp_wire::{Frame, Message, Properties};

use crate::clock::Nanos;
use crate::core::Core;
use crate::effects::Effects;
use crate::error::RecvError;
use crate::item::Place;
use crate::lookout::{LOOK_MICROS, UNHURRIED_MICROS};
use crate::round;
use crate::socket::{ROUNDS, Socket};
use crate::waiting::Sleep;

/// Takes what comes next, to wherever it goes. The waiting is the same for a message and for a list of them.
pub(crate) trait Taker {
    fn take(&mut self, core: &mut Core, effects: &mut Effects) -> Result<(), RecvError>;
}

impl Taker for Message {
    #[inline]
    fn take(&mut self, core: &mut Core, effects: &mut Effects) -> Result<(), RecvError> {
        core.receive(self, effects)
    }
}

impl Socket {
    /// Receives what was read already, or is with an inproc peer: never touches a stream.
    ///
    /// # Errors
    /// [`RecvError`]; [`RecvError::WouldBlock`] if there is nothing. Then there may still be something for
    /// [`try_recv`](Socket::try_recv).
    #[inline]
    pub fn try_recv_queued(&self) -> Result<Message, RecvError> {
        let mut message = Message::empty();
        self.take_queued(&mut message)?;
        Ok(message)
    }

    pub(crate) fn take_queued(&self, into: &mut impl Taker) -> Result<(), RecvError> {
        self.take_all(into).inspect_err(|_| {
            // The thread may be about to wait.
            round::end();
        })
    }

    /// Receives without waiting.
    ///
    /// # Errors
    /// [`RecvError`]; [`RecvError::WouldBlock`] if no message is there.
    pub fn try_recv(&self) -> Result<Message, RecvError> {
        let mut message = Message::empty();
        self.try_recv_into(&mut message)?;
        Ok(message)
    }

    /// As [`try_recv`](Self::try_recv) for one who is about to watch the [`descriptor`](Socket::descriptor): what gathered to be sent leaves, and
    /// the streams are left unread, as the descriptor tells of them.
    ///
    /// # Errors
    /// [`RecvError`]; [`RecvError::WouldBlock`] if there is nothing. Once the descriptor is readable, call [`try_recv`](Self::try_recv).
    pub fn try_recv_unread(&self) -> Result<Message, RecvError> {
        let mut message = Message::empty();
        self.take_unread(&mut message)?;
        Ok(message)
    }

    pub(crate) fn take_unread(&self, into: &mut impl Taker) -> Result<(), RecvError> {
        match self.take_queued(into) {
            Err(RecvError::WouldBlock) => {}
            done => return done,
        }
        self.shared.flush();
        self.take_queued(into)
    }

    /// As [`try_recv`](Self::try_recv), into a message that is already there, as [`recv_into`](Self::recv_into) does.
    ///
    /// # Errors
    /// [`RecvError`].
    pub fn try_recv_into(&self, into: &mut Message) -> Result<(), RecvError> {
        empty(into);
        self.take_now(into)
    }

    pub(crate) fn take_now(&self, into: &mut impl Taker) -> Result<(), RecvError> {
        match self.take_all(into) {
            Err(RecvError::WouldBlock) => {}
            done => return done,
        }
        self.shared.flush();
        round::end();
        for _ in 0..ROUNDS {
            if !self.shared.turn() {
                break;
            }
            match self.take_all(into) {
                Err(RecvError::WouldBlock) => {}
                done => return done,
            }
        }
        // What arrived between the look and the turn is in the queue without anything being ready.
        self.take_all(into)
    }

    /// Receives, waiting up to `timeout` for a message (`None` waits for ever). Blocks the thread.
    ///
    /// # Errors
    /// [`RecvError`].
    #[inline]
    pub fn recv(&self, timeout: Option<Duration>) -> Result<Message, RecvError> {
        let mut message = Message::empty();
        self.recv_into(&mut message, timeout)?;
        Ok(message)
    }

    /// As [`recv`](Self::recv), into a message that is already there; what it held is let go, also when nothing
    /// is received. Saves those who receive many short messages moving each of them about.
    ///
    /// # Errors
    /// [`RecvError`].
    #[inline]
    pub fn recv_into(
        &self,
        message: &mut Message,
        timeout: Option<Duration>,
    ) -> Result<(), RecvError> {
        if self.take_ready(message) {
            return Ok(());
        }
        self.take_or_wait(message, timeout)
    }

    /// Takes the next message into `slot` if that is all there is to do: a message waits, the type of the socket hands it on as it came, and
    /// nobody has to be told. `false` says nothing: ask [`try_recv`](Socket::try_recv). Never waits.
    ///
    /// It is what the other verbs begin with. A caller that wraps their results in results of its own begins with it by itself, as a message
    /// that passes through them is moved each time.
    #[inline]
    pub fn take_ready(&self, slot: &mut Message) -> bool {
        empty(slot);
        !self.shared.has_notices() && self.shared.lock_amid().receive_plain(slot)
    }

    /// As [`take_ready`](Socket::take_ready), for a message of one frame, which comes into the place of an empty one, and its metadata.
    #[inline]
    pub fn take_frame_ready(
        &self,
        frame: &mut Frame,
        properties: &mut Option<Arc<Properties>>,
    ) -> bool {
        debug_assert!(frame.is_empty() && properties.is_none());
        let mut place = Place { frame, properties };
        !self.shared.has_notices() && self.shared.lock_amid().receive_plain(&mut place)
    }

    #[inline(never)]
    pub(crate) fn take_or_wait(
        &self,
        into: &mut impl Taker,
        timeout: Option<Duration>,
    ) -> Result<(), RecvError> {
        match self.take(into) {
            Err(RecvError::WouldBlock) => self.wait_and_take(into, timeout),
            done => done,
        }
    }

    #[cold]
    fn wait_and_take(
        &self,
        into: &mut impl Taker,
        timeout: Option<Duration>,
    ) -> Result<(), RecvError> {
        if timeout.is_some_and(|timeout| timeout.is_zero()) {
            return self.take_now(into).map_err(|error| match error {
                RecvError::WouldBlock => RecvError::TimedOut,
                error => error,
            });
        }
        let deadline = self.deadline(timeout);
        self.shared.flush();
        round::end();
        let spin = self.shared.lock().options.spin;
        let looked = match spin {
            Some(spin) => self.spin(into, spin, deadline),
            None => self.look_out(into, deadline),
        };
        if let Some(done) = looked {
            return done;
        }
        for _ in 0..self.shared.patience() {
            self.shared.glance();
            match self.take_all(into) {
                Err(RecvError::WouldBlock) => {}
                done => return done,
            }
        }
        let mut waiter = self.waiter();
        loop {
            match self.take_all(into) {
                Err(RecvError::WouldBlock) => {}
                done => return done,
            }
            match waiter.sleep(deadline) {
                Ok(()) => {}
                Err(Sleep::TimedOut) => return Err(RecvError::TimedOut),
                Err(Sleep::Interrupted) => return Err(RecvError::Interrupted),
            }
        }
    }

    /// Looks again and again for a short while, where the socket was told to.
    fn spin(
        &self,
        into: &mut impl Taker,
        spin: Duration,
        deadline: Option<Nanos>,
    ) -> Option<Result<(), RecvError>> {
        let until = self.shared.ctx.clock.now().plus(spin);
        let until = deadline.map_or(until, |deadline| deadline.min(until));
        loop {
            // Another thread or an inproc peer may have brought something without anything being ready here.
            self.shared.turn();
            match self.take_all(into) {
                Err(RecvError::WouldBlock) => {}
                done => return Some(done),
            }
            if self.shared.ctx.clock.now() >= until {
                return None;
            }
        }
    }

    /// Looks for a moment before the caller sleeps, where messages come in a flood.
    fn look_out(
        &self,
        into: &mut impl Taker,
        deadline: Option<Nanos>,
    ) -> Option<Result<(), RecvError>> {
        let shared = &self.shared;
        // For inproc peers it glances, as that costs them nothing.
        let streams = !shared.has_lanes.load(Ordering::Relaxed) && !shared.ctx.simulated;
        if !streams || !shared.is_flooded() || !shared.lookout.is_worth_while() {
            return None;
        }
        let began = shared.ctx.clock.now();
        // Whoever is given way to may take some time.
        if deadline.is_some_and(|deadline| deadline < began.plus_micros(UNHURRIED_MICROS)) {
            return None;
        }
        let until = began.plus_micros(LOOK_MICROS);
        // It is one call, however often it looks: who calls rarely has the driver read for him in between.
        shared.turn();
        loop {
            match self.take_all(into) {
                Err(RecvError::WouldBlock) => {}
                done => {
                    shared.lookout.found();
                    return Some(done);
                }
            }
            if shared.ctx.clock.now() >= until {
                return None;
            }
            thread::yield_now();
            shared.peek();
        }
    }

    fn take(&self, into: &mut impl Taker) -> Result<(), RecvError> {
        let mut effects = Effects::default();
        let mut core = self.shared.enter(&mut effects);
        let result = into.take(&mut core, &mut effects);
        if matches!(result, Err(RecvError::WouldBlock)) {
            self.shared.note_dry(&mut core);
        }
        drop(core);
        self.shared.run(effects);
        result
    }

    /// Takes the next message, also if an inproc peer has it still. Whoever waits must have called this, and in vain; what is left
    /// because nothing of so much was wanted wakes who waits.
    fn take_all(&self, into: &mut impl Taker) -> Result<(), RecvError> {
        let mut rounds = 0;
        loop {
            match self.take(into) {
                Err(RecvError::WouldBlock) if self.shared.fetch() && rounds < ROUNDS => rounds += 1,
                done => return done,
            }
        }
    }
}

/// Lets go of what a message holds while no lock is held: that may be code of the application's.
#[inline]
fn empty(message: &mut Message) {
    if !message.is_inline() {
        *message = Message::empty();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Context, SocketOptions, SocketType};

    /// Two sockets with a stream between them.
    fn pair(context: &Context) -> (Socket, Socket) {
        let open = || Socket::open(context, SocketType::Pair, SocketOptions::default()).unwrap();
        let (left, right) = (open(), open());
        left.connect(&right.bind("tcp://127.0.0.1:0").unwrap())
            .unwrap();
        (left, right)
    }

    #[test]
    fn a_large_message_of_a_stream_is_a_flood_and_a_small_one_is_none() {
        let context = Context::new().unwrap();
        let (left, right) = pair(&context);
        for (octets, flood) in [(1, false), (100_000, true), (1, false)] {
            let long = Some(Duration::from_secs(20));
            left.send(vec![0; octets].into(), long).unwrap();
            assert_eq!(right.recv(long).unwrap().byte_len(), octets);
            assert_eq!(right.try_recv(), Err(RecvError::WouldBlock));
            assert_eq!(right.shared.is_flooded(), flood);
        }
    }

    #[test]
    fn to_look_before_sleeping_is_one_call() {
        let context = Context::new().unwrap();
        let (left, right) = pair(&context);
        left.send(vec![0; 100_000].into(), None).unwrap();
        right.recv(None).unwrap();
        assert_eq!(right.try_recv(), Err(RecvError::WouldBlock));
        assert!(right.shared.is_flooded());
        let before = right.shared.callers.turns();
        let short = Some(Duration::from_millis(5));
        assert_eq!(right.recv(short), Err(RecvError::TimedOut));
        // One to look, two to sleep, and perhaps two to sleep again.
        let calls = right.shared.callers.turns() - before;
        assert!(calls <= 5, "{calls} calls");
    }
}
