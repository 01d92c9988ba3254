//! The machine itself.

use super::{Buffers, Config, Event, Mechanism, Peer};
use crate::command::{Command, status_of_reason};
use crate::greeting::{Greeter, Outcome, Own};
use crate::header::{COMMAND, FrameHeader, Framing, HeaderReader, MORE};
use crate::heart::Heart;
use crate::metadata::{Announced, Metadata, OwnMetadata};
use crate::{Error, Misbehaved, NoRoom, Refused, Sink, SocketType, Time, Version, Writer};
use core::ops::Range;

/// The protocol state of one connection, in fixed memory.
#[derive(Debug)]
pub struct Session<'b, M> {
    config: Config<'b>,
    mechanism: M,
    stage: Stage,
    version: Version,
    header: HeaderReader,
    /// The frame whose body is being collected.
    underway: Option<FrameHeader>,
    input: &'b mut [u8],
    /// Octets of the body that have arrived.
    filled: usize,
    output: &'b mut [u8],
    waiting: usize,
    /// Octets that have left since the start.
    left: u64,
    heart: Heart,
    /// Where in the stream the last PONG ends.
    pong_end: u64,
    /// Where in the input buffer the peer's metadata stand.
    metadata: Range<usize>,
}

#[derive(Debug)]
enum Stage {
    Greeting(Greeter),
    Handshake,
    Traffic,
    Closed(Error),
}

/// An event, with places in the input buffer instead of borrows.
enum Found {
    Ready(Option<SocketType>),
    Frame { more: bool },
    Subscribe(Range<usize>),
    Cancel(Range<usize>),
}

impl<'b, M: Mechanism> Session<'b, M> {
    /// A session over a byte stream. `now` starts the handshake timer; the first ten octets are in the output at once.
    pub fn new(config: Config<'b>, mechanism: M, buffers: Buffers<'b>, now: Time) -> Self {
        let own = Own {
            socket_type: config.socket_type,
            routing_id_length: config.routing_id.len(),
            mechanism: mechanism.name(),
            as_server: mechanism.as_server(),
            min_version: Version::V3_0,
            max_version: Version::V3_1,
            legacy_allowed: false,
        };
        let mut writer = Writer::new(buffers.output);
        let greeter = Greeter::new(own, &mut writer);
        let waiting = writer.len();
        Self {
            stage: Stage::Greeting(greeter),
            version: Version::V3_1,
            header: HeaderReader::default(),
            underway: None,
            input: buffers.input,
            filled: 0,
            output: buffers.output,
            waiting,
            left: 0,
            heart: Heart::new(config.handshake_timeout_ms, now),
            pong_end: 0,
            metadata: 0..0,
            config,
            mechanism,
        }
    }

    /// Takes octets from the front of `input`, up to the first event. `None`: all of it is eaten. Call it until it returns `None`.
    ///
    /// # Errors
    /// What ended the session; later calls return it again.
    pub fn handle_input(
        &mut self,
        now: Time,
        input: &mut &[u8],
    ) -> Result<Option<Event<'_>>, Error> {
        self.heart.heard |= !input.is_empty();
        match self.advance(now, input) {
            Ok(found) => Ok(found.map(|found| self.event(found))),
            Err(error) => {
                self.stage = Stage::Closed(error);
                Err(error)
            }
        }
    }

    fn event(&self, found: Found) -> Event<'_> {
        let place = |range: Range<usize>| self.input.get(range).unwrap_or_default();
        match found {
            Found::Frame { more } => Event::Frame {
                body: place(0..self.filled),
                more,
            },
            Found::Subscribe(range) => Event::Subscribe(place(range)),
            Found::Cancel(range) => Event::Cancel(place(range)),
            Found::Ready(socket_type) => {
                let encoded = place(self.metadata.clone());
                let announced = Announced::read(encoded, &self.config.limits).unwrap_or_default();
                let routing_id = announced.routing_id.unwrap_or_default();
                Event::Ready(Peer {
                    version: self.version,
                    socket_type,
                    routing_id,
                    metadata: Metadata::new(encoded),
                })
            }
        }
    }

    fn advance(&mut self, now: Time, input: &mut &[u8]) -> Result<Option<Found>, Error> {
        loop {
            match &mut self.stage {
                Stage::Closed(error) => return Err(*error),
                Stage::Greeting(greeter) => {
                    let mut writer =
                        Writer::new(self.output.get_mut(self.waiting..).unwrap_or_default());
                    let outcome = greeter.handle_input(input, &mut writer);
                    self.waiting = self
                        .waiting
                        .saturating_add(writer.finish().map_err(|NoRoom| Error::OutOfMemory)?);
                    let Some(Outcome::V3(version, _)) = outcome? else {
                        return Ok(None);
                    };
                    self.version = version;
                    self.stage = Stage::Handshake;
                    self.speak()?;
                }
                Stage::Handshake | Stage::Traffic => {
                    let Some(header) = self.read_frame(input)? else {
                        return Ok(None);
                    };
                    let found = match self.stage {
                        Stage::Handshake => self.handle_handshake(now)?,
                        _ if header.command() => self.handle_command(header, now)?,
                        _ => Some(self.handle_message(header)),
                    };
                    if found.is_some() {
                        return Ok(found);
                    }
                }
            }
        }
    }

    /// Collects one frame in the input buffer.
    fn read_frame(&mut self, input: &mut &[u8]) -> Result<Option<FrameHeader>, Error> {
        let header = match self.underway {
            Some(header) => header,
            None => {
                let Some(header) = self.header.read(Framing::V3, input)? else {
                    return Ok(None);
                };
                self.check(header)?;
                self.filled = 0;
                self.underway = Some(header);
                header
            }
        };
        // Not above the buffer's length, hence within usize.
        let size = header.size as usize;
        let arrived = size.saturating_sub(self.filled).min(input.len());
        let end = self.filled.saturating_add(arrived);
        if let (Some(room), Some((part, rest))) = (
            self.input.get_mut(self.filled..end),
            input.split_at_checked(arrived),
        ) {
            room.copy_from_slice(part);
            *input = rest;
            self.filled = end;
        }
        if self.filled < size {
            return Ok(None);
        }
        self.underway = None;
        Ok(Some(header))
    }

    fn check(&self, header: FrameHeader) -> Result<(), Misbehaved> {
        let limits = &self.config.limits;
        let room = self.input.len() as u64;
        let handshake = matches!(self.stage, Stage::Handshake);
        if handshake || header.command() {
            let most = if handshake {
                limits.handshake_command
            } else {
                limits.traffic_command.max(limits.topic)
            };
            if header.size > room.min(most as u64) {
                return Err(Misbehaved::CommandTooLarge(header.size));
            }
        } else if header.size > room.min(limits.max_frame.unwrap_or(u64::MAX)) {
            return Err(Misbehaved::FrameTooLarge(header.size));
        }
        Ok(())
    }

    fn handle_handshake(&mut self, now: Time) -> Result<Option<Found>, Error> {
        let body = self.input.get_mut(..self.filled).unwrap_or_default();
        if let Command::Error(reason) = Command::parse(body)? {
            return Err(Refused::ByPeer(status_of_reason(reason)).into());
        }
        if let Some(range) = self.mechanism.handle_command(body)? {
            self.metadata = range;
        }
        self.speak()?;
        if !self.mechanism.is_established() {
            return Ok(None);
        }
        let encoded = self.input.get(self.metadata.clone()).unwrap_or_default();
        let announced = Announced::read(encoded, &self.config.limits)?;
        let socket_type = announced.compatible_with(self.config.socket_type);
        if socket_type.is_err() {
            self.put(COMMAND, |out| {
                Command::Error(b"Incompatible socket type").emit(out)
            })
            .ok();
        }
        let socket_type = socket_type?;
        let bears_ping = self.version == Version::V3_1 && socket_type != Some(SocketType::Dish);
        self.heart
            .ready(self.config.heartbeat.filter(|_| bears_ping), now);
        self.stage = Stage::Traffic;
        Ok(Some(Found::Ready(socket_type)))
    }

    /// Lets the mechanism say what it has to say.
    fn speak(&mut self) -> Result<(), Error> {
        loop {
            let own = OwnMetadata {
                socket_type: self.config.socket_type,
                routing_id: self.config.routing_id,
                resource: self.config.resource,
            };
            // The short header is two octets; a longer body is moved behind the long one.
            let start = self.waiting.saturating_add(2);
            let mut writer = Writer::new(self.output.get_mut(start..).unwrap_or_default());
            if !self.mechanism.poll(&own, &mut writer)? {
                return Ok(());
            }
            let size = writer.finish().map_err(|NoRoom| Error::OutOfMemory)?;
            self.close_frame(COMMAND, size)
                .map_err(|NoRoom| Error::OutOfMemory)?;
        }
    }

    /// Puts a header before the `size` octets that stand two octets behind the output.
    fn close_frame(&mut self, flags: u8, size: usize) -> Result<(), NoRoom> {
        let mut head = [0; crate::header::MAX_HEADER];
        let mut writer = Writer::new(&mut head);
        FrameHeader {
            flags,
            size: size as u64,
        }
        .emit(Framing::V3, &mut writer);
        let length = writer.finish()?;
        let body = self.waiting.saturating_add(2);
        let (start, end) = (
            self.waiting.saturating_add(length),
            self.waiting.saturating_add(length).saturating_add(size),
        );
        if end > self.output.len() || body.saturating_add(size) > self.output.len() {
            return Err(NoRoom);
        }
        self.output
            .copy_within(body..body.saturating_add(size), start);
        if let (Some(room), Some(head)) =
            (self.output.get_mut(self.waiting..start), head.get(..length))
        {
            room.copy_from_slice(head);
        }
        self.waiting = end;
        Ok(())
    }

    fn put(&mut self, flags: u8, write: impl FnOnce(&mut Writer<'_>)) -> Result<(), NoRoom> {
        let start = self.waiting.saturating_add(2);
        let mut writer = Writer::new(self.output.get_mut(start..).unwrap_or_default());
        write(&mut writer);
        let size = writer.finish()?;
        self.close_frame(flags, size)
    }

    fn handle_command(&mut self, header: FrameHeader, now: Time) -> Result<Option<Found>, Error> {
        if header.more() {
            return Err(Misbehaved::CommandWithMore.into());
        }
        let body = self.input.get(..self.filled).unwrap_or_default();
        let takes = self.config.socket_type.takes_subscriptions();
        match Command::parse(body)? {
            Command::Subscribe(topic) if takes => {
                Ok(Some(Found::Subscribe(tail(self.filled, topic))))
            }
            Command::Cancel(topic) if takes => Ok(Some(Found::Cancel(tail(self.filled, topic)))),
            Command::Error(reason) => Err(Refused::ByPeer(status_of_reason(reason)).into()),
            Command::Ping { ttl, context } => {
                let mut echo = [0; 16];
                let length = context
                    .len()
                    .min(echo.len())
                    .min(self.config.limits.ping_context);
                echo.iter_mut()
                    .zip(context)
                    .for_each(|(to, from)| *to = *from);
                self.heart.handle_ping(ttl, now);
                self.pong(echo.get(..length).unwrap_or_default());
                Ok(None)
            }
            _ => Ok(None),
        }
    }

    /// Answers a PING, unless the last answer is still here or there is no room: a flood of PINGs must not fill the output.
    fn pong(&mut self, context: &[u8]) {
        if self.pong_end <= self.left
            && self
                .put(COMMAND, |out| Command::Pong(context).emit(out))
                .is_ok()
        {
            self.pong_end = self.left.saturating_add(self.waiting as u64);
        }
    }

    fn handle_message(&mut self, header: FrameHeader) -> Found {
        let first = self.input.get(..self.filled).and_then(|body| body.first());
        match (self.config.socket_type.takes_subscriptions(), first) {
            (true, Some(1)) => Found::Subscribe(1..self.filled),
            (true, Some(0)) => Found::Cancel(1..self.filled),
            _ => Found::Frame {
                more: header.more(),
            },
        }
    }

    /// Sends one frame of a message; `more` says that others follow.
    ///
    /// # Errors
    /// [`NoRoom`] when it does not fit the output buffer now, or when the handshake has not ended; nothing was sent then.
    pub fn send(&mut self, body: &[u8], more: bool) -> Result<(), NoRoom> {
        if !self.in_traffic() {
            return Err(NoRoom);
        }
        self.put(if more { MORE } else { 0 }, |out| out.put(body))
    }

    /// Subscribes to a topic at the peer.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub fn subscribe(&mut self, topic: &[u8]) -> Result<(), NoRoom> {
        self.put_subscription(topic, true)
    }

    /// Cancels one subscription to a topic.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub fn cancel(&mut self, topic: &[u8]) -> Result<(), NoRoom> {
        self.put_subscription(topic, false)
    }

    fn put_subscription(&mut self, topic: &[u8], wanted: bool) -> Result<(), NoRoom> {
        if !self.in_traffic() {
            return Err(NoRoom);
        }
        if self.version == Version::V3_1 {
            let command = if wanted {
                Command::Subscribe(topic)
            } else {
                Command::Cancel(topic)
            };
            return self.put(COMMAND, |out| command.emit(out));
        }
        self.put(0, |out| {
            out.put(&[u8::from(wanted)]);
            out.put(topic);
        })
    }

    /// Whether frames may be sent.
    pub const fn in_traffic(&self) -> bool {
        matches!(self.stage, Stage::Traffic)
    }

    /// Octets that wait to be written.
    pub fn output(&self) -> &[u8] {
        self.output.get(..self.waiting).unwrap_or_default()
    }

    /// So many octets were written.
    pub fn output_written(&mut self, octets: usize) {
        let octets = octets.min(self.waiting);
        self.output.copy_within(octets..self.waiting, 0);
        self.waiting = self.waiting.saturating_sub(octets);
        self.left = self.left.saturating_add(octets as u64);
        self.heart.output_reached(self.left);
    }

    /// Says whether the owner goes on reading. While it does not, the clocks on the peer's pulse stand.
    pub fn handle_reading(&mut self, now: Time, reading: bool) {
        self.heart.handle_reading(now, reading);
    }

    /// When to call [`handle_timeout`](Self::handle_timeout) at the latest; `None` for never.
    pub fn poll_timeout(&self) -> Option<Time> {
        if matches!(self.stage, Stage::Closed(_)) {
            None
        } else {
            self.heart.poll_timeout()
        }
    }

    /// Time passed: may put a PING into the output, if there is room.
    ///
    /// # Errors
    /// The timeouts of [`Error`], or what ended the session before.
    pub fn handle_timeout(&mut self, now: Time) -> Result<(), Error> {
        if let Stage::Closed(error) = self.stage {
            return Err(error);
        }
        let wanted = self
            .heart
            .handle_timeout(now)
            .inspect_err(|error| self.stage = Stage::Closed(*error))?;
        let ping = Command::Ping {
            ttl: self.heart.ttl_to_send(),
            context: &[],
        };
        if wanted && self.put(COMMAND, |out| ping.emit(out)).is_ok() {
            self.heart
                .ping_queued(self.left.saturating_add(self.waiting as u64));
        }
        Ok(())
    }
}

/// Where the last octets of a body stand.
fn tail(filled: usize, part: &[u8]) -> Range<usize> {
    filled.saturating_sub(part.len())..filled
}
