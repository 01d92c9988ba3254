//! One connection as a state machine.
//!
//! ```text
//! Greeting --1.0, 2.0--> RoutingId ------------------------> Traffic
//!     \------3.x-------> Handshake <--verdict-- Verdict        |
//!                            \---------established-------------^
//! any of them --error--> Closed
//! ```

mod cutter;
mod framed;
mod opening;
mod output;
mod plain;
mod shelf;
mod traffic;

use crate::greeting::Own;
use crate::header::Framing;
use crate::heart::Heart;
use crate::metadata::check_routing_id;
use crate::{
    Error, Event, Frame, INLINE, Mechanism, Message, Misbehaved, Peer, Properties, SessionConfig,
    Time, Transform, Verdict, Version,
};
use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use bytes::Bytes;

use cutter::{Bounds, Cutter};
use output::Output;
pub use plain::Places;
use shelf::Shelf;

/// The protocol state of one connection, from the first octet to the last.
///
/// It does no I/O and knows no clock: octets and moments are handed in with `handle_*`, octets to send are looked at with
/// [`output_chunks`](Self::output_chunks). The first error ends it: every later call returns that error again. What the output then
/// still holds (an ERROR command, perhaps) is worth one attempt to write.
pub struct Session {
    /// Shared: what is the same for many connections costs each of them a pointer.
    config: Arc<SessionConfig>,
    stage: Stage,
    /// Whether the next frame may take the short path of [`Self::handle_input`].
    plain: bool,
    framing: Framing,
    version: Option<Version>,
    bounds: Bounds,
    cutter: Cutter,
    /// Frames of a message that is not whole yet.
    partial: Option<Message>,
    /// What `bounds.message` is when no message is under way.
    whole_message: u64,
    /// An event that waits because two came at once.
    deferred: Option<Box<Event>>,
    handshake_commands: u8,
    /// The length of the last command of the handshake, of which the mechanism may keep as much.
    judged: u32,
    stash: Stash,
    /// Where the bodies of the frames of one input are put together.
    shelf: Shelf,
    /// Where small sealed frames of one input are opened.
    opened: Vec<u8>,
    /// What the authenticator added to the peer's metadata.
    vouched: Properties,
    transform: Option<Box<dyn Transform>>,
    heart: Heart,
    pong: traffic::Pong,
    output: Output,
    /// In framed mode: units that wait to leave.
    units: Option<Box<framed::Units>>,
    /// Behind a pointer, as the one above: a stranger in its handshake costs no room for it.
    peer: Option<Box<Peer>>,
}

/// What the session awaits.
enum Stage {
    Greeting(Box<opening::Greeting>),
    Handshake(Box<dyn Mechanism>),
    Verdict(Box<dyn Mechanism>),
    RoutingId(opening::Legacy),
    Traffic,
    Closed(Error),
}

/// Octets that arrived while a verdict was awaited.
#[derive(Default)]
struct Stash {
    octets: Vec<u8>,
    used: usize,
}

impl Session {
    /// A session over a byte stream. `now` starts the handshake timer; the first ten octets are in the output at once.
    /// Sessions that are to be alike may share one `config`.
    #[must_use]
    pub fn new(
        config: impl Into<Arc<SessionConfig>>,
        mechanism: Box<dyn Mechanism>,
        now: Time,
    ) -> Self {
        let mut session = Self::empty(config.into(), now);
        let own = Own {
            socket_type: session.config.socket_type,
            routing_id_length: session.config.routing_id.len(),
            mechanism: mechanism.name(),
            as_server: mechanism.as_server(),
            min_version: session.config.min_version,
            max_version: session.config.max_version,
            legacy_allowed: session.config.legacy_allowed,
        };
        session.start_greeting(own, mechanism);
        session
    }

    fn empty(mut config: Arc<SessionConfig>, now: Time) -> Self {
        if check_routing_id(&config.routing_id).is_err() {
            debug_assert!(false, "routing ids are checked where they are set");
            Arc::make_mut(&mut config).routing_id = Bytes::new();
        }
        let bounds = Bounds::handshake(&config.limits);
        Self {
            stage: Stage::Closed(Error::HandshakeTimeout),
            plain: false,
            framing: Framing::V3,
            version: None,
            bounds,
            cutter: Cutter::default(),
            partial: None,
            whole_message: 0,
            deferred: None,
            handshake_commands: 0,
            judged: 0,
            stash: Stash::default(),
            shelf: Shelf::default(),
            opened: Vec::new(),
            vouched: Properties::new(),
            transform: None,
            heart: Heart::new(config.handshake_timeout_ms, now),
            pong: traffic::Pong::default(),
            output: Output::default(),
            units: None,
            peer: None,
            config,
        }
    }

    /// Takes octets from the front of `input`, up to the first event. `None`: all of it is eaten and nothing waits.
    ///
    /// Call it until it returns `None`; an event may be left even when `input` is empty already. Frames that are not whole yet, and
    /// what arrives while a verdict is awaited, are kept inside.
    ///
    /// # Errors
    /// What ended the session.
    #[inline]
    pub fn handle_input(&mut self, now: Time, input: &mut &[u8]) -> Result<Option<Event>, Error> {
        if self.plain
            && let Some((more, size, octets, behind)) = plain::whole_frame(input, &self.bounds)
        {
            *input = behind;
            self.heart.heard = true;
            if more == 0 && self.partial.is_none() {
                // Two ways out, so that the frame is built where it goes: each time it moves costs as much as cutting it.
                if size <= INLINE
                    && let Some(run) = octets.first_chunk()
                {
                    return Ok(Some(Event::Message(Message::single(Frame::of_run(
                        run, size as u8,
                    )))));
                }
                let frame = self.shelf.frame(octets, size, behind.len());
                return Ok(Some(Event::Message(Message::single(frame))));
            }
            let frame = self.shelf.frame(octets, size, behind.len());
            if let Some(message) = self.collect(frame, more != 0)? {
                return Ok(Some(Event::Message(message)));
            }
        }
        self.handle_any_input(now, input)
    }

    /// As [`Self::handle_input`], for every state and frame.
    fn handle_any_input(&mut self, now: Time, input: &mut &[u8]) -> Result<Option<Event>, Error> {
        if !input.is_empty() {
            self.heart.heard = true;
        }
        while self.plain
            && let Some((more, size, octets, behind)) = plain::whole_frame(input, &self.bounds)
        {
            *input = behind;
            let frame = self.shelf.frame(octets, size, behind.len());
            if let Some(message) = self.collect(frame, more != 0)? {
                return Ok(Some(Event::Message(message)));
            }
        }
        let outcome = match self.read_sealed(now, input) {
            Ok(None) => self.drive(now, input),
            outcome => outcome,
        };
        if input.is_empty() {
            self.shelf.clear();
            self.opened = Vec::new();
        }
        self.settle(outcome)
    }

    fn drive(&mut self, now: Time, input: &mut &[u8]) -> Result<Option<Event>, Error> {
        if let Some(event) = self.deferred.take() {
            return Ok(Some(*event));
        }
        if !self.stash.octets.is_empty() && !matches!(self.stage, Stage::Verdict(_)) {
            let mut stash = core::mem::take(&mut self.stash);
            let mut kept = stash.octets.get(stash.used..).unwrap_or_default();
            let event = self.step(now, &mut kept)?;
            stash.used = stash.octets.len().saturating_sub(kept.len());
            if !kept.is_empty() {
                self.stash = stash;
            }
            if event.is_some() {
                return Ok(event);
            }
        }
        self.step(now, input)
    }

    /// Eats `input` in whatever stage the session is, up to the first event.
    fn step(&mut self, now: Time, input: &mut &[u8]) -> Result<Option<Event>, Error> {
        loop {
            let event = match &mut self.stage {
                Stage::Traffic => return self.read_traffic(now, input),
                Stage::Greeting(_) => self.read_greeting(now, input)?,
                Stage::Handshake(_) => self.read_handshake(now, input)?,
                Stage::RoutingId(_) => self.read_routing_id(now, input)?,
                Stage::Verdict(_) => {
                    self.keep(input)?;
                    None
                }
                Stage::Closed(error) => return Err(*error),
            };
            if event.is_some() || input.is_empty() {
                return Ok(event);
            }
        }
    }

    /// Keeps what must wait for the verdict, beside what the mechanism may keep of the command that asked for it.
    fn keep(&mut self, input: &mut &[u8]) -> Result<(), Error> {
        let total = self.stash.octets.len().saturating_add(input.len());
        let most = self.config.limits.handshake_command;
        let room = most.saturating_sub(self.judged as usize);
        if total > room {
            return Err(Misbehaved::TooEager(total).into());
        }
        if total > self.stash.octets.capacity() {
            // Twice as much each time, but never more than may come.
            let wanted = total.saturating_mul(2).min(room);
            let more = wanted.saturating_sub(self.stash.octets.len());
            self.stash.octets.reserve_exact(more);
        }
        self.stash.octets.extend_from_slice(input);
        *input = &[];
        Ok(())
    }

    /// Ends the session when `outcome` is an error, and finds out whether the short path may be taken.
    fn settle<T>(&mut self, outcome: Result<T, Error>) -> Result<T, Error> {
        if let Err(error) = outcome {
            self.close(error);
        }
        self.plain = self.may_be_plain();
        outcome
    }

    fn close(&mut self, error: Error) {
        if !matches!(self.stage, Stage::Closed(_)) {
            self.stage = Stage::Closed(error);
            self.cutter = Cutter::default();
            self.partial = None;
            self.stash = Stash::default();
            self.transform = None;
        }
    }

    /// Whether [`Self::handle_input`] has something to give though nothing new was read: octets that waited for a verdict, or a
    /// second event of one frame.
    #[must_use]
    pub fn has_waiting(&self) -> bool {
        self.deferred.is_some()
            || !(self.stash.octets.is_empty()
                || matches!(self.stage, Stage::Verdict(_) | Stage::Closed(_)))
    }

    /// The buffer of a large frame under way, to read the stream into directly: append to it, then call [`Self::handle_body`].
    ///
    /// Its spare capacity is above zero and never exceeds what the frame still misses. `None` when no large frame is under way.
    pub fn body_buffer(&mut self) -> Option<&mut Vec<u8>> {
        if !self.in_traffic() || !self.stash.octets.is_empty() {
            return None;
        }
        self.cutter.body_buffer(self.bounds.step)
    }

    /// How long the body under way will be, as its header has announced; 0 between frames.
    #[must_use]
    pub fn body_size(&self) -> usize {
        self.cutter.size()
    }

    /// Octets were appended to [`Self::body_buffer`].
    ///
    /// # Errors
    /// What ended the session.
    pub fn handle_body(&mut self, now: Time) -> Result<Option<Event>, Error> {
        self.heart.heard = true;
        self.handle_any_input(now, &mut &[][..])
    }

    /// When to call [`Self::handle_timeout`] at the latest; `None` for never. A moment that has passed means at once.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Time> {
        if matches!(self.stage, Stage::Closed(_)) {
            None
        } else {
            self.heart.poll_timeout()
        }
    }

    /// Time passed: may put a PING into the output.
    ///
    /// # Errors
    /// [`Error::HandshakeTimeout`], [`Error::HeartbeatTimeout`], [`Error::TtlExpired`], or what ended the session before.
    pub fn handle_timeout(&mut self, now: Time) -> Result<(), Error> {
        if let Stage::Closed(error) = self.stage {
            return Err(error);
        }
        let ping = self.heart.handle_timeout(now);
        if self.settle(ping)? {
            self.ping();
        }
        Ok(())
    }

    /// The answer to [`Event::Authenticate`]; ignored when none was asked for. Call [`Self::handle_input`] afterwards, until it returns
    /// `None`: octets may have waited.
    ///
    /// # Errors
    /// [`Refused::ByVerdict`](crate::Refused::ByVerdict), or what ended the session before.
    pub fn handle_verdict(&mut self, verdict: Verdict, now: Time) -> Result<Option<Event>, Error> {
        let outcome = self.judge(verdict, now);
        self.settle(outcome)
    }

    /// Says whether the owner goes on reading. While it does not (its queues are full), the clocks on the peer's pulse stand.
    pub fn handle_reading(&mut self, now: Time, reading: bool) {
        self.heart.handle_reading(now, reading);
    }

    /// Commands the peer has sent in its handshake so far.
    #[must_use]
    pub const fn handshake_commands(&self) -> u8 {
        self.handshake_commands
    }

    /// Whether messages may be sent.
    #[must_use]
    pub const fn in_traffic(&self) -> bool {
        matches!(self.stage, Stage::Traffic)
    }

    /// The dialect, once it is settled.
    #[must_use]
    pub const fn version(&self) -> Option<Version> {
        self.version
    }

    /// The peer, once the handshake has ended.
    #[must_use]
    pub const fn peer(&self) -> Option<&Peer> {
        match &self.peer {
            Some(peer) => Some(peer),
            None => None,
        }
    }

    /// Whether traffic is sealed with keys and numbers of this session: nobody may go on with a copy of it, such as a forked child has.
    #[must_use]
    pub const fn is_sealed(&self) -> bool {
        self.transform.is_some()
    }

    /// Octets that wait to be written.
    #[must_use]
    pub fn output_len(&self) -> usize {
        self.output.len()
    }

    /// The octets that wait, in order: few chunks, none of them empty. Large bodies are chunks of their own.
    pub fn output_chunks(&self) -> impl Iterator<Item = &[u8]> + '_ {
        self.output.chunks()
    }

    /// So many octets were written. Returns how many whole messages have thereby left.
    pub fn output_written(&mut self, octets: usize) -> usize {
        let messages = self.output.written(octets);
        self.output_reached(self.output.position());
        messages
    }

    /// Whether the first message that waits has been written in part.
    #[must_use]
    pub fn output_cut(&self) -> bool {
        self.output.is_cut()
    }

    /// Lends an empty buffer with room for the output; what waits moves into it.
    pub fn lend_buffer(&mut self, buffer: Vec<u8>) {
        self.output.lend(buffer);
    }

    /// Takes the buffer back; `None` while octets wait in it, or when there is none.
    pub fn reclaim_buffer(&mut self) -> Option<Vec<u8>> {
        self.output.reclaim()
    }
}

impl core::fmt::Debug for Session {
    fn fmt(&self, out: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let stage = match self.stage {
            Stage::Greeting(_) => "Greeting",
            Stage::Handshake(_) => "Handshake",
            Stage::Verdict(_) => "Verdict",
            Stage::RoutingId(_) => "RoutingId",
            Stage::Traffic => "Traffic",
            Stage::Closed(_) => "Closed",
        };
        out.debug_struct("Session")
            .field("stage", &stage)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}
