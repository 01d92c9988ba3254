//! From the first octet to [`Event::Ready`].

use super::cutter::Bounds;
use super::output::Unit;
use super::{Session, Stage};
use crate::command::{Command, status_of_reason};
use crate::greeting::{Greeter, Outcome, Own};
use crate::header::{COMMAND, FrameHeader, Framing};
use crate::metadata::{Announced, Metadata, OwnMetadata, Property, check_routing_id};
use crate::{
    Error, Established, Event, Incompatible, Limits, Mechanism, Misbehaved, Peer, Properties,
    Refused, Sink, SocketType, Step, Time, Verdict, Version,
};
use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use bytes::Bytes;

/// What the greeting needs until it is over.
pub(super) struct Greeting {
    greeter: Greeter,
    mechanism: Box<dyn Mechanism>,
}

/// What is known of a 1.0 or 2.0 peer before its routing id has come.
pub(super) struct Legacy {
    pub(super) version: Version,
    pub(super) socket_type: Option<SocketType>,
    pub(super) filters_upstream: bool,
}

/// Properties no peer tells of itself.
const OURS: [&str; 2] = ["User-Id", "Peer-Address"];

/// The buffer of a command before READY runs ahead of what has arrived by this much only.
const HANDSHAKE_STEP: usize = 1024;

impl Bounds {
    pub(super) fn handshake(limits: &Limits) -> Self {
        let command = limits.handshake_command as u64;
        // A frame of a handshake is a command whatever its flags say. libzmq holds handshake commands to the largest frame, too.
        let command = command.min(limits.max_frame.unwrap_or(command));
        Self {
            frame: command,
            message: command,
            command,
            step: HANDSHAKE_STEP,
        }
    }

    fn routing_id() -> Self {
        Self {
            frame: 255,
            message: 255,
            command: 0,
            step: 255,
        }
    }
}

impl Session {
    pub(super) fn start_greeting(&mut self, own: Own, mechanism: Box<dyn Mechanism>) {
        let greeter = self.put_control(|out| Greeter::new(own, out));
        self.stage = Stage::Greeting(Box::new(Greeting { greeter, mechanism }));
        if own.max_version == Version::V1 {
            let outcome = Outcome::Unversioned { header_sent: false };
            self.begin_legacy(outcome);
        }
    }

    /// Lets `write` append to the output, as something that is not a message.
    pub(super) fn put_control<R>(&mut self, write: impl FnOnce(&mut Vec<u8>) -> R) -> R {
        let before = self.output.copied().len();
        let result = write(self.output.copied());
        let written = self.output.copied().len().saturating_sub(before);
        self.output.appended(written);
        self.output.boundary(Unit::Control);
        result
    }

    pub(super) fn read_greeting(
        &mut self,
        now: Time,
        input: &mut &[u8],
    ) -> Result<Option<Event>, Error> {
        let Stage::Greeting(greeting) = &mut self.stage else {
            return Ok(None);
        };
        let before = self.output.copied().len();
        let outcome = greeting.greeter.handle_input(input, self.output.copied());
        let written = self.output.copied().len().saturating_sub(before);
        self.output.appended(written);
        self.output.boundary(Unit::Control);
        match outcome? {
            None => Ok(None),
            Some(Outcome::V3(version, _)) => self.begin_handshake(version, now),
            Some(outcome) => {
                let received = greeting.greeter.received();
                let mut head = [0; crate::greeting::SIGNATURE];
                let length = received.len().min(head.len());
                head.iter_mut()
                    .zip(received)
                    .for_each(|(to, from)| *to = *from);
                self.begin_legacy(outcome);
                if !matches!(outcome, Outcome::Unversioned { .. }) {
                    return Ok(None);
                }
                // Octets read as a greeting were the start of the peer's first frame.
                self.read_routing_id(now, &mut head.get(..length).unwrap_or_default())
            }
        }
    }

    /// Sends the routing id in the way of old versions, and awaits the peer's.
    pub(super) fn begin_legacy(&mut self, outcome: Outcome) {
        let routing_id = self.config.routing_id.clone();
        let (version, framing, socket_type, header) = match outcome {
            Outcome::V2(number) => (
                Version::V2,
                Framing::V2,
                SocketType::from_number(number),
                true,
            ),
            Outcome::Unversioned { header_sent } => (Version::V1, Framing::V1, None, !header_sent),
            _ => (Version::V1, Framing::V1, None, true),
        };
        self.put_control(|out| {
            if header {
                FrameHeader {
                    flags: 0,
                    size: routing_id.len() as u64,
                }
                .emit(framing, out);
            }
            out.put(&routing_id);
        });
        self.framing = framing;
        self.version = Some(version);
        self.bounds = Bounds::routing_id();
        let filters_upstream = !matches!(outcome, Outcome::Unversioned { .. });
        self.stage = Stage::RoutingId(Legacy {
            version,
            socket_type,
            filters_upstream,
        });
    }

    pub(super) fn read_routing_id(
        &mut self,
        now: Time,
        input: &mut &[u8],
    ) -> Result<Option<Event>, Error> {
        let cut =
            self.cutter
                .cut(self.framing, &self.bounds, input)
                .map_err(|error| match error {
                    Error::Misbehaved(Misbehaved::FrameTooLarge(length)) => Misbehaved::RoutingId {
                        length: usize::try_from(length).unwrap_or(usize::MAX),
                    }
                    .into(),
                    other => other,
                })?;
        match cut {
            Some((_, body)) => self
                .end_legacy(Bytes::copy_from_slice(body.as_slice()), now)
                .map(Some),
            None => Ok(None),
        }
    }

    pub(super) fn end_legacy(&mut self, routing_id: Bytes, now: Time) -> Result<Event, Error> {
        check_routing_id(&routing_id)?;
        let Stage::RoutingId(legacy) = &self.stage else {
            return Err(Misbehaved::UnexpectedCommand.into());
        };
        if let Some(theirs) = legacy.socket_type
            && !self.config.socket_type.accepts(theirs)
        {
            return Err(Incompatible::SocketType(Some(theirs)).into());
        }
        let peer = Peer {
            version: legacy.version,
            socket_type: legacy.socket_type,
            routing_id,
            properties: Arc::default(),
            filters_upstream: legacy.filters_upstream,
        };
        Ok(self.begin_traffic(peer, now))
    }

    fn begin_handshake(&mut self, version: Version, now: Time) -> Result<Option<Event>, Error> {
        self.framing = Framing::V3;
        self.version = Some(version);
        self.stage = match core::mem::replace(&mut self.stage, Stage::Traffic) {
            Stage::Greeting(greeting) => Stage::Handshake(greeting.mechanism),
            other => other,
        };
        self.start_mechanism(now)
    }

    pub(super) fn start_mechanism(&mut self, now: Time) -> Result<Option<Event>, Error> {
        let metadata = self.own_metadata();
        if let Stage::Handshake(mechanism) = &mut self.stage {
            mechanism.start(&metadata);
        }
        self.pump(now)
    }

    /// What READY (or INITIATE) announces.
    fn own_metadata(&self) -> Vec<u8> {
        let config = &self.config;
        let own = OwnMetadata {
            socket_type: config.socket_type,
            routing_id: &config.routing_id,
            resource: config.resource.as_deref(),
        };
        let mut out = Vec::new();
        own.emit(&mut out);
        for (name, value) in &config.properties {
            Property { name, value }.emit(&mut out);
        }
        out
    }

    pub(super) fn read_handshake(
        &mut self,
        now: Time,
        input: &mut &[u8],
    ) -> Result<Option<Event>, Error> {
        match self.cutter.cut(self.framing, &self.bounds, input)? {
            // libzmq accepts handshake commands whatever the flags of the frame; so do we.
            Some((_, body)) => self.handle_handshake_command(body.as_slice(), now),
            None => Ok(None),
        }
    }

    pub(super) fn handle_handshake_command(
        &mut self,
        body: &[u8],
        now: Time,
    ) -> Result<Option<Event>, Error> {
        self.handshake_commands = self.handshake_commands.saturating_add(1);
        // What is no command at all is for the mechanism to judge: libzmq's PLAIN spells ERROR in a way of its own.
        if let Ok(Command::Error(reason)) = Command::parse(body) {
            return Err(Refused::ByPeer(status_of_reason(reason)).into());
        }
        let Stage::Handshake(mechanism) = &mut self.stage else {
            return Err(Misbehaved::UnexpectedCommand.into());
        };
        self.judged = u32::try_from(body.len()).unwrap_or(u32::MAX);
        mechanism.handle_command(body)?;
        self.pump(now)
    }

    pub(super) fn judge(&mut self, verdict: Verdict, now: Time) -> Result<Option<Event>, Error> {
        self.stage = match core::mem::replace(&mut self.stage, Stage::Traffic) {
            Stage::Verdict(mut mechanism) => {
                mechanism.handle_verdict(&verdict);
                Stage::Handshake(mechanism)
            }
            other => {
                self.stage = other;
                return if let Stage::Closed(error) = self.stage {
                    Err(error)
                } else {
                    Ok(None)
                };
            }
        };
        if let Verdict::Accept(properties) = verdict {
            self.vouched = properties;
        }
        self.pump(now)
    }

    /// Lets the mechanism speak until it waits for something.
    fn pump(&mut self, now: Time) -> Result<Option<Event>, Error> {
        let mut body = Vec::new();
        while let Stage::Handshake(mechanism) = &mut self.stage {
            body.clear();
            match mechanism.poll(&mut body) {
                Step::Command => {
                    self.put_frame(COMMAND, &body);
                }
                Step::Wait => break,
                Step::Authenticate(credentials) => {
                    self.stage = match core::mem::replace(&mut self.stage, Stage::Traffic) {
                        Stage::Handshake(mechanism) => Stage::Verdict(mechanism),
                        other => other,
                    };
                    return Ok(Some(Event::Authenticate(credentials)));
                }
                Step::Established(established) => {
                    return self.establish(established, now).map(Some);
                }
                Step::Failed(error) => return Err(error),
            }
        }
        Ok(None)
    }

    fn establish(&mut self, established: Established, now: Time) -> Result<Event, Error> {
        let announced = Announced::read(&established.metadata, &self.config.limits)?;
        let fits = announced.compatible_with(self.config.socket_type);
        if fits.is_err() {
            // RFC 37 wants ERROR first; libzmq only closes. A libzmq peer ignores the command and sees the same end.
            if established.transform.is_none() {
                let mut body = Vec::new();
                Command::Error(b"Incompatible socket type").emit(&mut body);
                self.put_frame(COMMAND, &body);
            }
        }
        let socket_type = fits?;
        let mut properties = Properties::new();
        for property in Metadata::new(&established.metadata) {
            let property = property?;
            if !self.speaks_for_us(property.name) {
                properties.push(property.name, Bytes::copy_from_slice(property.value));
            }
        }
        for (name, value) in self.vouched.iter() {
            properties.push(name, value.clone());
        }
        let peer = Peer {
            version: self.version.unwrap_or(Version::V3_0),
            socket_type,
            routing_id: announced
                .routing_id
                .map(Bytes::copy_from_slice)
                .unwrap_or_default(),
            properties: Arc::new(properties),
            filters_upstream: true,
        };
        self.transform = established.transform;
        Ok(self.begin_traffic(peer, now))
    }

    /// Whether a property is ours to tell of the peer: what the authenticator says, and what a stranger must not say in its place.
    fn speaks_for_us(&self, name: &str) -> bool {
        self.vouched.get(name).is_some() || OURS.iter().any(|ours| ours.eq_ignore_ascii_case(name))
    }

    fn begin_traffic(&mut self, peer: Peer, now: Time) -> Event {
        // A PING nobody asked for goes to 3.1 peers only, and never to DISH: libzmq's DISH dies of it.
        let bears_ping = self.units.is_none()
            && (peer.version == Version::V3_1
                || self.config.ping_before_3_1 && peer.version == Version::V3_0)
            && peer.socket_type != Some(SocketType::Dish);
        self.heart
            .ready(self.config.heartbeat.filter(|_| bears_ping), now);
        self.vouched = Properties::new();
        self.stage = Stage::Traffic;
        self.peer = Some(Box::new(peer.clone()));
        self.set_traffic_bounds();
        Event::Ready(peer)
    }
}
