//! Transports that keep the boundaries of frames (WebSocket, RFC 45): one unit per frame.
//!
//! ```text
//! unit = flags(1) body        flags: 00 last frame, 01 more follow, 02 command
//! ```

use super::cutter::Body;
use super::opening::Legacy;
use super::{Session, Stage};
use crate::header::{COMMAND, FrameHeader, Framing, MORE};
use crate::{Error, Event, Mechanism, Misbehaved, SessionConfig, Time, Transform, Version};
use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;
use bytes::Bytes;

/// The flag of a command in a unit; in a stream it is [`COMMAND`].
const UNIT_COMMAND: u8 = 0x02;

/// Units in the order they leave.
#[derive(Default)]
pub(super) struct Units {
    waiting: VecDeque<Bytes>,
    put: u64,
}

impl Units {
    pub(super) fn encode(
        &mut self,
        flags: u8,
        body: &[u8],
        transform: Option<&mut (dyn Transform + 'static)>,
    ) -> Result<(), Error> {
        let overhead = transform
            .as_ref()
            .map_or(0, |transform| transform.overhead());
        let mut unit = Vec::with_capacity(body.len().saturating_add(overhead).saturating_add(1));
        match transform {
            None => {
                let command = if flags & COMMAND != 0 {
                    UNIT_COMMAND
                } else {
                    0
                };
                unit.push((flags & MORE) | command);
                unit.extend_from_slice(body);
            }
            Some(transform) => {
                unit.push(transform.outer_flags());
                transform.seal(flags, body, &mut unit)?;
            }
        }
        self.waiting.push_back(Bytes::from(unit));
        self.put = self.put.saturating_add(1);
        Ok(())
    }

    /// Units ever put.
    pub(super) fn position(&self) -> u64 {
        self.put
    }

    /// Units that have left.
    pub(super) fn left(&self) -> u64 {
        self.put.saturating_sub(self.waiting.len() as u64)
    }
}

impl Session {
    /// A session over a transport that delivers whole frames and has agreed on the mechanism already: no greeting. Speaks as ZMTP 3.0
    /// does, and leaves heartbeats to the transport.
    ///
    /// Whatever the mechanism starts with can be polled at once; an [`Event::Authenticate`] it starts with comes from
    /// [`handle_input`](Self::handle_input) with no octets.
    #[must_use]
    pub fn framed(
        config: impl Into<Arc<SessionConfig>>,
        mechanism: Box<dyn Mechanism>,
        now: Time,
    ) -> Self {
        let mut session = Self::empty(config.into(), now);
        session.units = Some(Box::default());
        session.version = Some(Version::V3_0);
        session.stage = Stage::Handshake(mechanism);
        match session.start_mechanism(now) {
            Ok(event) => session.deferred = event.map(Box::new),
            Err(error) => session.close(error),
        }
        session
    }

    /// As [`framed`](Self::framed), without a mechanism: the first unit each way is the routing id, then come messages.
    #[must_use]
    pub fn framed_bare(config: impl Into<Arc<SessionConfig>>, now: Time) -> Self {
        let mut session = Self::empty(config.into(), now);
        session.units = Some(Box::default());
        session.framing = Framing::V2;
        session.version = Some(Version::V2);
        let routing_id = session.config.routing_id.clone();
        session.put_frame(0, &routing_id);
        session.stage = Stage::RoutingId(Legacy {
            version: Version::V2,
            socket_type: None,
            filters_upstream: true,
        });
        session
    }

    /// Takes one unit: a flags octet and the body of a frame.
    ///
    /// # Errors
    /// What ended the session.
    pub fn handle_unit(&mut self, now: Time, unit: &[u8]) -> Result<Option<Event>, Error> {
        self.heart.heard = true;
        let outcome = self.take_unit(now, unit);
        self.settle(outcome)
    }

    fn take_unit(&mut self, now: Time, unit: &[u8]) -> Result<Option<Event>, Error> {
        if let Stage::Closed(error) = self.stage {
            return Err(error);
        }
        let Some((&flags, body)) = unit.split_first() else {
            return Err(Misbehaved::EmptyUnit.into());
        };
        let command = if flags & UNIT_COMMAND != 0 && self.framing == Framing::V3 {
            COMMAND
        } else {
            0
        };
        let header = FrameHeader {
            flags: (flags & MORE) | command,
            size: body.len() as u64,
        };
        self.bounds.check(header)?;
        match &self.stage {
            _ if self.deferred.is_some() || !self.stash.octets.is_empty() => {}
            Stage::Handshake(_) => return self.handle_handshake_command(body, now),
            Stage::RoutingId(_) => {
                return self.end_legacy(Bytes::copy_from_slice(body), now).map(Some);
            }
            Stage::Traffic => return self.handle_frame(header.flags, Body::Borrowed(body), now),
            _ => {}
        }
        // It must wait its turn: units queue up in the form of a stream.
        let mut encoded = Vec::new();
        header.emit(Framing::V3, &mut encoded);
        encoded.extend_from_slice(body);
        let mut encoded = &encoded[..];
        if matches!(self.stage, Stage::Verdict(_)) {
            self.keep(&mut encoded)?;
            return Ok(None);
        }
        self.stash.octets.extend_from_slice(encoded);
        self.drive(now, &mut &[][..])
    }

    /// The next unit to send.
    pub fn poll_unit(&mut self) -> Option<Bytes> {
        let units = self.units.as_mut()?;
        let unit = units.waiting.pop_front()?;
        let left = units.left();
        self.output_reached(left);
        Some(unit)
    }
}
