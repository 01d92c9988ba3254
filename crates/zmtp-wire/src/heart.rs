//! The clocks of a session: the handshake's, and the peer's pulse (RFC 37, PING).
//!
//! A PING starts its clock when it has left, not when it is queued, and no clock runs while we do not read: a peer cannot be
//! blamed for the silence we asked for.

use crate::{Error, Time};

/// When and how to ask a silent peer whether it lives (RFC 37, PING). All in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heartbeat {
    /// From one PING to the next.
    pub interval_ms: u64,
    /// From a PING that has left to the end of the link, if nothing arrives.
    pub timeout_ms: u64,
    /// Time to live the peer is told; 0 tells none. Sent in tenths of a second, never above 65.5 s, because libzmq
    /// computes larger ones wrongly.
    pub ttl_ms: u64,
}

/// Longest time to live to announce, in tenths of a second: libzmq multiplies by 100 in 16 bits.
const MAX_TTL: u64 = 655;

/// Milliseconds in the unit of a PING's time to live.
const TTL_UNIT_MS: u64 = 100;

#[derive(Debug)]
pub(crate) struct Heart {
    handshake: Option<Time>,
    heartbeat: Option<Heartbeat>,
    next_ping: Option<Time>,
    ping: Ping,
    /// What the peer's last PING announced, and when it runs out.
    ttl: Option<(u64, Time)>,
    /// Something arrived since the clocks were last looked at. Set per read, so that frames cost nothing.
    pub(crate) heard: bool,
    reading: bool,
    /// The latest moment seen.
    now: Time,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ping {
    Idle,
    /// In the output; has left when the stream reaches this position.
    Queued(u64),
    /// Has left, at a moment nobody told us.
    Left,
    /// An answer, or anything else, is due.
    Due(Time),
}

impl Heart {
    pub(crate) fn new(handshake_timeout_ms: Option<u64>, now: Time) -> Self {
        Self {
            handshake: handshake_timeout_ms.map(|timeout| now.saturating_add(timeout)),
            heartbeat: None,
            next_ping: None,
            ping: Ping::Idle,
            ttl: None,
            heard: false,
            reading: true,
            now,
        }
    }

    /// The handshake has ended.
    pub(crate) fn ready(&mut self, heartbeat: Option<Heartbeat>, now: Time) {
        self.handshake = None;
        self.heartbeat = heartbeat.filter(|heartbeat| heartbeat.interval_ms > 0);
        self.next_ping = self
            .heartbeat
            .map(|heartbeat| now.saturating_add(heartbeat.interval_ms));
    }

    /// The moment is `now`: forget clocks that something heard has stopped, start the one of a PING that has left.
    pub(crate) fn tick(&mut self, now: Time) {
        self.now = self.now.max(now);
        if core::mem::take(&mut self.heard) {
            self.ttl = None;
            if !matches!(self.ping, Ping::Queued(_)) {
                self.ping = Ping::Idle;
            }
        }
        if self.ping == Ping::Left {
            let timeout = self.heartbeat.map_or(0, |heartbeat| heartbeat.timeout_ms);
            self.ping = if timeout == 0 {
                Ping::Idle
            } else {
                Ping::Due(now.saturating_add(timeout))
            };
        }
    }

    /// Time passed. `true` asks for a PING.
    pub(crate) fn handle_timeout(&mut self, now: Time) -> Result<bool, Error> {
        self.tick(now);
        if self.handshake.is_some_and(|deadline| now >= deadline) {
            return Err(Error::HandshakeTimeout);
        }
        if self.reading {
            if matches!(self.ping, Ping::Due(deadline) if now >= deadline) {
                return Err(Error::HeartbeatTimeout);
            }
            if matches!(self.ttl, Some((_, deadline)) if now >= deadline) {
                return Err(Error::TtlExpired);
            }
        }
        match (self.next_ping, self.heartbeat) {
            (Some(due), Some(heartbeat)) if now >= due => {
                self.next_ping = Some(now.saturating_add(heartbeat.interval_ms));
                Ok(!matches!(self.ping, Ping::Queued(_)))
            }
            _ => Ok(false),
        }
    }

    /// The time to live our PINGs carry.
    pub(crate) fn ttl_to_send(&self) -> u16 {
        let tenths = self
            .heartbeat
            .map_or(0, |heartbeat| heartbeat.ttl_ms.div_euclid(TTL_UNIT_MS));
        // Bounded just above what u16 can hold.
        tenths.min(MAX_TTL) as u16
    }

    pub(crate) fn ping_queued(&mut self, end: u64) {
        // A clock that runs already is not started again.
        if !matches!(self.ping, Ping::Due(_)) {
            self.ping = Ping::Queued(end);
        }
    }

    pub(crate) fn output_reached(&mut self, position: u64) {
        if matches!(self.ping, Ping::Queued(end) if position >= end) {
            self.ping = Ping::Left;
        }
    }

    /// The peer sent a PING.
    pub(crate) fn handle_ping(&mut self, ttl: u16, now: Time) {
        self.heard = true;
        self.tick(now);
        if ttl > 0 {
            let millis = u64::from(ttl).saturating_mul(TTL_UNIT_MS);
            self.ttl = Some((millis, now.saturating_add(millis)));
        }
    }

    pub(crate) fn handle_reading(&mut self, now: Time, reading: bool) {
        self.tick(now);
        if reading && !self.reading {
            if let Ping::Due(_) = self.ping {
                self.ping = Ping::Left;
            }
            self.ttl = self
                .ttl
                .map(|(millis, _)| (millis, now.saturating_add(millis)));
        }
        self.reading = reading;
    }

    pub(crate) fn poll_timeout(&self) -> Option<Time> {
        let pulse = self.reading && !self.heard;
        let ping = match self.ping {
            Ping::Due(deadline) if pulse => Some(deadline),
            Ping::Left if pulse => Some(self.now),
            _ => None,
        };
        let ttl = self.ttl.filter(|_| pulse).map(|(_, deadline)| deadline);
        [self.handshake, self.next_ping, ping, ttl]
            .into_iter()
            .flatten()
            .min()
    }
}
