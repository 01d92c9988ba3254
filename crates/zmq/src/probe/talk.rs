//! The conversation: one session over one stream, which says no more than it must.

use std::io::{self, IoSlice};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::event::PollFlags;
use zmq_engine::Deadline;
use zmq_engine::transport::ByteStream;
use zmq_engine::wire::command::Command;
use zmq_engine::wire::greeting::{GREETING, Greeting};
use zmq_engine::wire::metadata::Metadata;
use zmq_engine::wire::{
    Established, Event, Mechanism, Misbehaved, Session, SessionConfig, Step, Time, Verdict,
};

use super::reach;
use crate::SocketType;
use crate::monitor::ProtocolError;

/// Most octets that a probe listens to. A greeting and a handshake have a few hundred.
const MOST: usize = 32 * 1024;

/// The octets of our greeting that libzmq needs to see before it tells all of its own: the signature and the major version. When it sees a
/// mechanism that is not its own it closes, and what it had not told by then is never told.
const OPENING: usize = 11;

/// How long a peer may wait for more than [`OPENING`] before it is given it. Those who wait for the whole greeting are rare.
const HOLD: Duration = Duration::from_millis(300);

/// The longest name of a socket type that is reported.
const LONGEST_TYPE: usize = 32;

/// The mechanism the probe speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tongue {
    Null,
    Plain,
    Curve,
}

/// Who talks.
pub(super) struct Party {
    pub(super) tongue: Tongue,
    /// The handshake; none for NULL, where listening is all there is to do.
    pub(super) client: Option<Box<dyn Mechanism>>,
    /// What we pass for.
    pub(super) socket_type: SocketType,
}

/// What the mechanism saw.
#[derive(Clone, Debug, Default)]
pub(super) struct Notes {
    /// The peer sent HELLO: it is a client, too.
    pub(super) met_hello: bool,
    /// Our HELLO was answered with WELCOME.
    pub(super) answered: bool,
    /// The peer let us in.
    pub(super) admitted: bool,
    /// What the peer tells of itself.
    metadata: Option<Vec<u8>>,
}

/// How a conversation ended.
pub(super) enum Ended {
    /// There is nothing more to learn.
    Learned,
    /// The session gave up.
    Failed(ProtocolError),
    /// The stream ended, or broke.
    Closed(Option<io::Error>),
    /// The peer talks without end.
    TooMuch,
    /// The time was over.
    TimedOut,
}

pub(super) struct Talk {
    stream: Box<dyn ByteStream>,
    session: Session,
    tongue: Tongue,
    notes: Arc<Mutex<Notes>>,
    /// The first octets that came, as many as a greeting has.
    head: Vec<u8>,
    heard: usize,
    /// A peer of 1.0 was recognised by the session.
    unversioned: bool,
    /// Octets written.
    told: usize,
    /// The rest of our greeting waits for all of the peer's.
    holding: bool,
}

impl Talk {
    pub(super) fn new(stream: Box<dyn ByteStream>, party: Party) -> Talk {
        let notes = Arc::new(Mutex::new(Notes::default()));
        let mut config = SessionConfig::new(party.socket_type);
        // The deadline is the caller's.
        config.handshake_timeout_ms = None;
        config.legacy_allowed = party.tongue == Tongue::Null;
        let listener = Listener {
            tongue: party.tongue,
            client: party.client,
            notes: Arc::clone(&notes),
        };
        Talk {
            stream,
            session: Session::new(config, Box::new(listener), NOW),
            tongue: party.tongue,
            notes,
            head: Vec::with_capacity(GREETING),
            heard: 0,
            unversioned: false,
            told: 0,
            holding: true,
        }
    }

    pub(super) fn tongue(&self) -> Tongue {
        self.tongue
    }

    pub(super) fn notes(&self) -> Notes {
        locked(&self.notes).clone()
    }

    /// The peer's greeting, if it is one of 3.x and whole.
    pub(super) fn greeting(&self) -> Option<Greeting> {
        let octets = self.head.first_chunk::<GREETING>()?;
        Greeting::parse(octets).filter(|greeting| greeting.major >= 3)
    }

    /// The version the peer announced.
    pub(super) fn version(&self) -> Option<(u8, u8)> {
        if let Some(greeting) = self.greeting() {
            return Some((greeting.major, greeting.minor));
        }
        match self.old_revision() {
            Some(0) => Some((1, 0)),
            Some(1) => Some((2, 0)),
            _ => self.unversioned.then_some((1, 0)),
        }
    }

    /// The revision in the greeting of a peer older than 3.0.
    fn old_revision(&self) -> Option<u8> {
        match self.head.get(..11)? {
            [0xff, .., end, revision] if end & 1 == 1 && *revision <= 1 => Some(*revision),
            _ => None,
        }
    }

    /// Whether what the peer has sent so far is not the start of a greeting of 3.x. It is told nothing more then: in old versions a greeting
    /// is all it takes to be a peer.
    fn is_old(&self) -> bool {
        let signed =
            |first: &u8, end: Option<&u8>| *first == 0xff && end.is_none_or(|end| end & 1 == 1);
        let first = self.head.first();
        first.is_some_and(|first| !signed(first, self.head.get(9))) || self.old_revision().is_some()
    }

    /// The socket type that the peer tells.
    pub(super) fn socket_type(&self) -> Option<String> {
        if self.old_revision() == Some(1) {
            let number = self.head.get(11)?;
            return SocketType::from_number(*number).map(|kind| kind.name().to_owned());
        }
        let notes = self.notes();
        let mut metadata = Metadata::new(notes.metadata.as_deref()?);
        let property = metadata.find_map(|property| {
            property
                .ok()
                .filter(|property| property.name.eq_ignore_ascii_case("Socket-Type"))
        })?;
        let name = property.value.get(..LONGEST_TYPE).unwrap_or(property.value);
        Some(name.escape_ascii().to_string())
    }

    /// Talks until there is nothing more to learn.
    pub(super) fn run(&mut self, deadline: &Deadline) -> Ended {
        loop {
            if self.has_learned() {
                return Ended::Learned;
            }
            let step = self.step(deadline);
            match step {
                Ok(()) => {}
                Err(ended) => return ended,
            }
        }
    }

    fn step(&mut self, deadline: &Deadline) -> Result<(), Ended> {
        let mut events = PollFlags::IN;
        if !self.is_old() && !self.flush()? {
            events |= PollFlags::OUT;
        }
        let left = deadline.left();
        let held = Deadline::after(left.map(|left| left.min(HOLD)));
        let holds = self.holding && self.told >= OPENING;
        let until = if holds { &held } else { deadline };
        match reach::wait(&*self.stream, events, until) {
            Ok(true) => {}
            Ok(false) if holds && !deadline.left().is_some_and(|left| left.is_zero()) => {
                self.holding = false;
                return Ok(());
            }
            Ok(false) => return Err(Ended::TimedOut),
            Err(error) => return Err(Ended::Closed(Some(error))),
        }
        let mut block = [0; 4096];
        match self.stream.try_read(&mut block) {
            Ok(0) => Err(Ended::Closed(None)),
            Ok(length) => self.hear(&block[..length]),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(()),
            Err(error) => Err(Ended::Closed(Some(error))),
        }
    }

    /// Writes what the session has to say. False: the system has no room for now.
    fn flush(&mut self) -> Result<bool, Ended> {
        self.holding &= self.head.len() < GREETING;
        loop {
            let mut most = match self.holding {
                true => OPENING.saturating_sub(self.told),
                false => usize::MAX,
            };
            let chunks = self.session.output_chunks().map(|chunk| {
                let chunk = &chunk[..chunk.len().min(most)];
                most = most.saturating_sub(chunk.len());
                IoSlice::new(chunk)
            });
            let chunks: Vec<IoSlice<'_>> = chunks.filter(|chunk| !chunk.is_empty()).collect();
            if chunks.is_empty() {
                return Ok(true);
            }
            match self.stream.try_write(&chunks) {
                Ok(written) => {
                    self.told = self.told.saturating_add(written);
                    self.session.output_written(written);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                // What the peer had to say before it closed may still be there to be read.
                Err(_) => return Ok(true),
            }
        }
    }

    fn hear(&mut self, octets: &[u8]) -> Result<(), Ended> {
        let room = GREETING.saturating_sub(self.head.len());
        self.head.extend(octets.iter().take(room));
        self.heard = self.heard.saturating_add(octets.len());
        let mut rest = octets;
        // The session would go on to judge whether two old peers go together.
        while !self.has_learned() {
            match self.session.handle_input(NOW, &mut rest) {
                Err(error) => return Err(Ended::Failed(error)),
                Ok(None) => break,
                Ok(Some(Event::Ready(peer))) if peer.version.is_legacy() => self.unversioned = true,
                Ok(Some(_)) => {}
            }
        }
        if self.heard > MOST {
            return Err(Ended::TooMuch);
        }
        Ok(())
    }

    fn has_learned(&self) -> bool {
        let notes = locked(&self.notes);
        let told = notes.admitted || notes.metadata.is_some();
        // The octet behind the revision of 2.0 is the socket type.
        let old = match self.old_revision() {
            Some(1) => self.head.len() > 11,
            Some(_) => true,
            None => self.unversioned,
        };
        told || old
    }
}

/// The session is given no timers: the deadline of the probe is watched outside.
const NOW: Time = Time::from_millis(0);

fn locked(notes: &Mutex<Notes>) -> std::sync::MutexGuard<'_, Notes> {
    notes.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A mechanism that takes notes, and stops before it makes us a peer.
struct Listener {
    tongue: Tongue,
    /// The real one; none for NULL, where listening is all there is to do.
    client: Option<Box<dyn Mechanism>>,
    notes: Arc<Mutex<Notes>>,
}

impl Mechanism for Listener {
    fn name(&self) -> [u8; 20] {
        match &self.client {
            Some(client) => client.name(),
            None => *b"NULL\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
        }
    }

    fn as_server(&self) -> bool {
        false
    }

    fn start(&mut self, metadata: &[u8]) {
        if let Some(client) = &mut self.client {
            client.start(metadata);
        }
    }

    fn handle_command(&mut self, body: &[u8]) -> Result<(), ProtocolError> {
        let mut notes = locked(&self.notes);
        let Some(client) = &mut self.client else {
            return match Command::parse(body)? {
                Command::Ready(metadata) => {
                    notes.metadata = Some(metadata.to_vec());
                    Ok(())
                }
                _ => Err(Misbehaved::UnexpectedCommand.into()),
            };
        };
        notes.met_hello |= body.starts_with(b"\x05HELLO");
        client.handle_command(body)?;
        notes.answered = true;
        // WELCOME of PLAIN is the verdict; CURVE has one more question to answer.
        notes.admitted |= self.tongue == Tongue::Plain;
        Ok(())
    }

    fn poll(&mut self, out: &mut Vec<u8>) -> Step {
        let mut notes = locked(&self.notes);
        let Some(client) = &mut self.client else {
            return Step::Wait;
        };
        if notes.admitted {
            return Step::Wait;
        }
        let step = client.poll(out);
        if let Step::Established(Established { metadata, .. }) = &step {
            notes.admitted = true;
            notes.metadata = Some(metadata.clone());
        }
        step
    }

    fn handle_verdict(&mut self, _: &Verdict) {}
}
