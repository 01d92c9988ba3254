//! The driver's list of sockets whose callers may have gone.

use std::sync::Arc;

use crate::clock::Nanos;
use crate::handover::Looks;
use crate::shared::SocketShared;

/// The shortest time between two looks whether callers are still there.
const MILLIS: u64 = 5;

/// The longest, in these. A look costs a caller that is busy about as much as a message does.
const LONGEST: u32 = 4;

/// A socket whose callers may have gone.
struct Beat {
    socket: Arc<SocketShared>,
    looks: Looks,
    at: Nanos,
}

impl Beat {
    fn look_next(&mut self) {
        // All at the same times: the driver wakes once for them.
        let tick = self.socket.ctx.clock.now().0 / (MILLIS * 1_000_000);
        let next = tick.saturating_add(u64::from(self.looks.every()));
        self.at = Nanos(next.saturating_mul(MILLIS * 1_000_000));
    }
}

/// Which sockets to look at, and when.
pub(crate) struct Patrol {
    beats: Vec<Beat>,
    next: Nanos,
}

impl Default for Patrol {
    fn default() -> Patrol {
        Patrol {
            beats: Vec::new(),
            next: Nanos::NEVER,
        }
    }
}

impl Patrol {
    pub(crate) fn begin(&mut self, socket: Arc<SocketShared>) {
        let looks = socket.callers.looks(LONGEST);
        self.add(socket, looks);
    }

    /// As [`begin`](Self::begin), for callers who may stay away for a while.
    pub(crate) fn bear(&mut self, socket: Arc<SocketShared>) {
        let looks = socket.callers.bear(LONGEST);
        self.add(socket, looks);
    }

    fn add(&mut self, socket: Arc<SocketShared>, looks: Looks) {
        let at = Nanos::NEVER;
        let mut beat = Beat { socket, looks, at };
        beat.look_next();
        self.next = self.next.min(beat.at);
        self.beats.push(beat);
    }

    /// Something waits for the streams of this socket: what its callers leave when they go must not wait for long.
    pub(crate) fn hurry(&mut self, socket: u64) {
        if let Some(beat) = self.beats.iter_mut().find(|beat| beat.socket.id == socket) {
            beat.looks.hurry_from(beat.socket.callers.turns());
            beat.look_next();
            self.next = self.next.min(beat.at);
        }
    }

    /// Keeps the sockets that stay.
    pub(crate) fn retain(&mut self, stays: impl Fn(&SocketShared) -> bool) {
        self.beats.retain(|beat| stays(&beat.socket));
    }

    /// When the next look is due.
    pub(crate) fn next(&self) -> Nanos {
        self.next
    }

    /// Looks whether the callers of each socket that is due are still there.
    pub(crate) fn round(&mut self, now: Nanos) {
        if now < self.next {
            return;
        }
        self.next = Nanos::NEVER;
        let mut next = Nanos::NEVER;
        self.beats.retain_mut(|beat| {
            if now >= beat.at {
                let late = now.since(beat.at).as_millis() / u128::from(MILLIS);
                beat.looks.late(u32::try_from(late).unwrap_or(u32::MAX));
                if !beat.socket.stays_on_patrol(&mut beat.looks) {
                    return false;
                }
                beat.look_next();
            }
            next = next.min(beat.at);
            true
        });
        self.next = next;
    }
}
