//! Messages, subscriptions and heartbeats, after the handshake.

use super::cutter::{Body, Bounds};
use super::output::Unit;
use super::plain::whole_frame;
use super::{Session, Stage};
use crate::command::{Command, status_of_reason};
use crate::header::{COMMAND, FrameHeader, Framing, MORE};
use crate::{
    Error, Event, Frame, Message, Misbehaved, Refused, SocketType, SubscriptionFrames, Time,
    Version,
};
use alloc::boxed::Box;
use alloc::vec::Vec;
use bytes::Bytes;

/// Longest context of a PING by RFC 37.
const MAX_CONTEXT: usize = 16;
/// Longest group by RFC 48.
const MAX_GROUP: usize = 255;
/// Octets in front of the topic of SUBSCRIBE.
const SUBSCRIBE_HEAD: u64 = 10;
/// Sizes up to here fit the short header.
const SHORT: u64 = 255;
/// Sealed frames up to here are opened in a place of their own; larger ones where their body stays.
const SMALL: usize = 512;

/// Answers to PINGs: one in the output at most, so that a flood of PINGs whose answers nobody reads stays small.
#[derive(Default)]
pub(super) struct Pong {
    /// Where in the stream the last answer ends; it has left when the stream is there.
    end: u64,
    /// The context of the latest PING that found the last answer still here.
    waiting: Option<([u8; MAX_CONTEXT], usize)>,
}

impl Session {
    /// Whether nothing stands between the input and the frames in it.
    pub(super) fn is_between_frames(&self) -> bool {
        self.in_traffic()
            && self.framing != Framing::V1
            && self.units.is_none()
            && self.deferred.is_none()
            && self.stash.octets.is_empty()
            && self.cutter.is_idle()
    }

    /// The short path for sealed frames: those that are wholly in `input` and small are opened one after the other in one place, and
    /// their bodies put together as those of frames in the clear.
    pub(super) fn read_sealed(
        &mut self,
        now: Time,
        input: &mut &[u8],
    ) -> Result<Option<Event>, Error> {
        if self.transform.is_none() || !self.is_between_frames() {
            return Ok(None);
        }
        while let Some((_, size, octets, behind)) = whole_frame(input, &self.bounds) {
            if size > SMALL {
                return Ok(None);
            }
            *input = behind;
            let sealed = octets.get(..size).unwrap_or_default();
            let Some(transform) = &mut self.transform else {
                return Ok(None);
            };
            let mut opened = core::mem::take(&mut self.opened);
            opened.clear();
            // The outer flags are anybody's: only what was sealed counts.
            let flags = transform.open(sealed, &mut opened)?;
            let plain = flags & !MORE == 0;
            let event = if plain && self.config.subscriptions == SubscriptionFrames::Never {
                let frame = self.shelf.frame(&opened, opened.len(), behind.len());
                self.collect(frame, flags != 0)?.map(Event::Message)
            } else {
                self.handle_clear(flags, Body::Borrowed(&opened), now)?
            };
            self.opened = opened;
            if event.is_some() {
                return Ok(event);
            }
            if self.deferred.is_some() {
                break;
            }
        }
        Ok(None)
    }

    /// What frames may be from now on.
    pub(super) fn set_traffic_bounds(&mut self) {
        let limits = &self.config.limits;
        let overhead = self
            .transform
            .as_ref()
            .map_or(0, |transform| transform.overhead() as u64);
        let topic = (limits.topic as u64).saturating_add(SUBSCRIBE_HEAD);
        let frame = limits
            .max_frame
            .unwrap_or(u64::MAX)
            .saturating_add(overhead);
        let message = limits.max_message.saturating_add(overhead);
        // Sealed frames show their kind only when opened.
        let command = match self.transform {
            Some(_) => frame.min(message),
            None => topic.max(limits.traffic_command as u64),
        };
        self.whole_message = message;
        self.bounds = Bounds {
            frame,
            message,
            command,
            step: limits.grow_step.max(1),
        };
    }

    pub(super) fn read_traffic(
        &mut self,
        now: Time,
        input: &mut &[u8],
    ) -> Result<Option<Event>, Error> {
        while let Some((flags, body)) = self.cutter.cut(self.framing, &self.bounds, input)? {
            if let Some(event) = self.handle_frame(flags, body, now)? {
                return Ok(Some(event));
            }
        }
        Ok(None)
    }

    pub(super) fn handle_frame(
        &mut self,
        flags: u8,
        body: Body<'_>,
        now: Time,
    ) -> Result<Option<Event>, Error> {
        let Some(transform) = &mut self.transform else {
            return self.handle_clear(flags, body, now);
        };
        // The outer flags are anybody's: only what was sealed counts.
        let (flags, open) = match body {
            Body::Owned(body) => transform.open_owned(body)?,
            // No longer than the block it was read in.
            body => transform.open_owned(body.as_slice().to_vec())?,
        };
        self.handle_clear(flags, Body::Shared(open), now)
    }

    fn handle_clear(
        &mut self,
        flags: u8,
        body: Body<'_>,
        now: Time,
    ) -> Result<Option<Event>, Error> {
        if flags & COMMAND != 0 {
            if flags & MORE != 0 {
                return Err(Misbehaved::CommandWithMore.into());
            }
            return self.handle_command(body.as_slice(), now);
        }
        let more = flags & MORE != 0;
        if self.config.subscriptions != SubscriptionFrames::Never
            && let Some(event) = self.subscription_frame(body.as_slice(), more)?
        {
            return Ok(Some(event));
        }
        Ok(self.collect(body.into_frame(), more)?.map(Event::Message))
    }

    /// Adds a frame to the message under way; returns the message when that was its last.
    #[inline]
    pub(super) fn collect(&mut self, frame: Frame, more: bool) -> Result<Option<Message>, Error> {
        self.bounds.message = self.bounds.message.saturating_sub(frame.len() as u64);
        match &mut self.partial {
            Some(message) if message.len() >= self.config.limits.max_parts => {
                return self.settle(Err(
                    Misbehaved::TooManyParts(self.config.limits.max_parts).into()
                ));
            }
            Some(message) => message.push_back(frame),
            None => {
                self.partial = Some(if more {
                    Message::opening(frame)
                } else {
                    Message::single(frame)
                })
            }
        }
        Ok(if more { None } else { self.take_partial() })
    }

    fn take_partial(&mut self) -> Option<Message> {
        self.bounds.message = self.whole_message;
        self.partial.take()
    }

    /// A message frame that is a subscription: 01 or 00, then the topic.
    fn subscription_frame(&mut self, body: &[u8], more: bool) -> Result<Option<Event>, Error> {
        let counts = match self.config.subscriptions {
            SubscriptionFrames::Never => false,
            SubscriptionFrames::FirstFrame => self.partial.is_none(),
            SubscriptionFrames::EveryFrame => true,
        };
        let (topic, wanted) = match body {
            [1, topic @ ..] if counts => (topic, true),
            [0, topic @ ..] if counts => (topic, false),
            _ => return Ok(None),
        };
        let topic = self.topic(topic)?;
        // The frames before it are a message of their own.
        if !more && let Some(message) = self.take_partial() {
            self.deferred = Some(Box::new(Event::Message(message)));
        }
        Ok(Some(if wanted {
            Event::Subscribe(topic)
        } else {
            Event::Cancel(topic)
        }))
    }

    fn topic(&self, topic: &[u8]) -> Result<Bytes, Error> {
        if topic.len() > self.config.limits.topic {
            return Err(Misbehaved::TopicTooLong(topic.len()).into());
        }
        Ok(Bytes::copy_from_slice(topic))
    }

    fn handle_command(&mut self, body: &[u8], now: Time) -> Result<Option<Event>, Error> {
        let takes_subscriptions = self.config.subscriptions != SubscriptionFrames::Never;
        let takes_groups = self.config.socket_type == SocketType::Radio;
        let command = Command::parse(body)?;
        if !matches!(command, Command::Subscribe(_) | Command::Cancel(_))
            && body.len() > self.config.limits.traffic_command
        {
            return Err(Misbehaved::CommandTooLarge(body.len() as u64).into());
        }
        Ok(match command {
            Command::Subscribe(topic) if takes_subscriptions => {
                Some(Event::Subscribe(self.topic(topic)?))
            }
            Command::Cancel(topic) if takes_subscriptions => {
                Some(Event::Cancel(self.topic(topic)?))
            }
            Command::Join(group) if takes_groups => Some(Event::Join(bounded_group(group)?)),
            Command::Leave(group) if takes_groups => Some(Event::Leave(bounded_group(group)?)),
            Command::Ping { ttl, context } => {
                self.heart.handle_ping(ttl, now);
                self.answer(context);
                None
            }
            Command::Error(reason) => return Err(Refused::ByPeer(status_of_reason(reason)).into()),
            // PONG has done its work by arriving. A second READY, commands of other socket types and unknown ones are passed over, as
            // libzmq does.
            _ => None,
        })
    }

    fn answer(&mut self, context: &[u8]) {
        let most = self.config.limits.ping_context.min(MAX_CONTEXT);
        let context = context.get(..most).unwrap_or(context);
        if self.pong.end > self.output_position() {
            let mut kept = [0; MAX_CONTEXT];
            kept.iter_mut()
                .zip(context)
                .for_each(|(to, from)| *to = *from);
            self.pong.waiting = Some((kept, context.len()));
            return;
        }
        self.pong.end = self.put_command(&Command::Pong(context));
    }

    /// The stream has left up to this position.
    #[inline]
    pub(super) fn output_reached(&mut self, position: u64) {
        self.heart.output_reached(position);
        if self.pong.waiting.is_some() && position >= self.pong.end && self.in_traffic() {
            let (context, length) = self.pong.waiting.take().unwrap_or_default();
            self.answer(context.get(..length).unwrap_or_default());
        }
    }

    pub(super) fn ping(&mut self) {
        let command = Command::Ping {
            ttl: self.heart.ttl_to_send(),
            context: &[],
        };
        let end = self.put_command(&command);
        self.heart.ping_queued(end);
    }

    /// Encodes a command into the output; returns where in the stream it ends.
    fn put_command(&mut self, command: &Command<'_>) -> u64 {
        let mut body = Vec::with_capacity(command.len());
        command.emit(&mut body);
        self.put_frame(COMMAND, &body)
    }

    /// Encodes a frame that is no part of a message of ours; returns where in the stream it ends.
    pub(super) fn put_frame(&mut self, flags: u8, body: &[u8]) -> u64 {
        self.encode(flags, body, None);
        self.boundary(Unit::Control)
    }

    /// Sends a message: encodes it into the output, where its octets count as one unit. Ignored before [`Event::Ready`] and after the
    /// end.
    #[inline]
    pub fn send(&mut self, message: &Message) {
        if !self.may_speak() {
            return;
        }
        if let Some((last, others)) = message.frames().split_last() {
            for frame in others {
                self.encode(MORE, frame, frame.as_shared());
            }
            self.encode(0, last, last.as_shared());
            self.boundary(Unit::Message);
        }
    }

    /// Subscribes to a topic at the peer, in the encoding of its version. A 1.0 peer without greeting knows no subscriptions: it sends
    /// everything, and the owner filters.
    pub fn subscribe(&mut self, topic: &[u8]) {
        self.put_subscription(topic, true);
    }

    /// Cancels one subscription to a topic.
    pub fn cancel(&mut self, topic: &[u8]) {
        self.put_subscription(topic, false);
    }

    fn put_subscription(&mut self, topic: &[u8], wanted: bool) {
        if !self.may_speak() || !self.peer.as_ref().is_some_and(|peer| peer.filters_upstream) {
            return;
        }
        if self.version == Some(Version::V3_1) {
            self.put_command(&if wanted {
                Command::Subscribe(topic)
            } else {
                Command::Cancel(topic)
            });
            return;
        }
        let mut body = Vec::with_capacity(topic.len().saturating_add(1));
        body.push(u8::from(wanted));
        body.extend_from_slice(topic);
        self.put_frame(0, &body);
    }

    /// Joins a group at a RADIO (RFC 48). Groups are at most 255 octets long; longer ones are ignored.
    pub fn join(&mut self, group: &[u8]) {
        self.put_group(group, Command::Join(group));
    }

    /// Leaves a group at a RADIO (RFC 48).
    pub fn leave(&mut self, group: &[u8]) {
        self.put_group(group, Command::Leave(group));
    }

    fn put_group(&mut self, group: &[u8], command: Command<'_>) {
        if self.may_speak() && group.len() <= MAX_GROUP && self.version >= Some(Version::V3_0) {
            self.put_command(&command);
        }
    }

    #[inline]
    pub(super) fn may_speak(&self) -> bool {
        let closed = matches!(self.stage, Stage::Closed(_));
        debug_assert!(
            self.in_traffic() || closed,
            "nothing can be sent before Event::Ready"
        );
        self.in_traffic()
    }

    /// Encodes one frame into the output, without closing the unit.
    #[inline]
    fn encode(&mut self, flags: u8, body: &[u8], shared: Option<&Bytes>) {
        if let Some(units) = &mut self.units {
            // Half a message must not leave; there will be no other.
            if let Err(error) = units.encode(flags, body, self.transform.as_deref_mut()) {
                self.close(error);
            }
        } else if self.transform.is_some() {
            self.encode_sealed(flags, body);
        } else if self.framing == Framing::V3 && body.len() <= SHORT as usize {
            // By hand for the same reason as in `handle_input`.
            self.output
                .copied()
                .extend_from_slice(&[flags, body.len() as u8]);
            self.output.appended(2);
            self.output.body(body, None);
        } else {
            self.put_header(flags, body.len());
            self.output.body(body, shared);
        }
    }

    fn put_header(&mut self, flags: u8, size: usize) {
        let framing = self.framing;
        let before = self.output.copied().len();
        FrameHeader {
            flags,
            size: size as u64,
        }
        .emit(framing, self.output.copied());
        let header = self.output.copied().len().saturating_sub(before);
        self.output.appended(header);
    }

    fn encode_sealed(&mut self, flags: u8, body: &[u8]) {
        let Some(mut transform) = self.transform.take() else {
            return;
        };
        self.put_header(
            transform.outer_flags(),
            body.len().saturating_add(transform.overhead()),
        );
        let before = self.output.copied().len();
        match transform.seal(flags, body, self.output.copied()) {
            Ok(()) => {
                let sealed = self.output.copied().len().saturating_sub(before);
                self.output.appended(sealed);
                self.transform = Some(transform);
            }
            // A half-written frame must not leave; there will be no other.
            Err(error) => self.close(error),
        }
    }

    #[inline]
    fn boundary(&mut self, what: Unit) -> u64 {
        match &mut self.units {
            Some(units) => units.position(),
            None => self.output.boundary(what),
        }
    }

    fn output_position(&self) -> u64 {
        match &self.units {
            Some(units) => units.left(),
            None => self.output.position(),
        }
    }
}

fn bounded_group(group: &[u8]) -> Result<Bytes, Error> {
    if group.len() > MAX_GROUP {
        return Err(Misbehaved::TopicTooLong(group.len()).into());
    }
    Ok(Bytes::copy_from_slice(group))
}
