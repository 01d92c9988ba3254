//! Who carries the messages of a pipe: from the moment it is linked until its peer will not come back.

use zmq_patterns::{DropReason, PeerKey};

use crate::clock::Nanos;
use crate::core::Core;
use crate::counters::Loss;
use crate::pipe::{Carrier, Pace};

impl Core {
    pub(crate) fn mark_live(&mut self, key: PeerKey, carrier: Carrier) {
        if let Some(pipe) = self.pipe(key) {
            if let Carrier::Inproc(lane, side) = &carrier {
                pipe.report_step = lane.report_step(*side);
            }
            pipe.carrier = carrier;
            pipe.packs = false;
            pipe.live = true;
            pipe.stalled = false;
            pipe.paused = false;
            pipe.pace = Pace::Idle;
            pipe.last_write = Nanos(0);
            self.live = self.live.saturating_add(1);
            self.counters.links_made = self.counters.links_made.saturating_add(1);
        }
    }

    pub(crate) fn link_down(&mut self, key: PeerKey) {
        if let Some(pipe) = self.pipe(key) {
            pipe.carrier = Carrier::None;
            if std::mem::replace(&mut pipe.live, false) {
                self.live = self.live.saturating_sub(1);
                self.counters.links_lost = self.counters.links_lost.saturating_add(1);
                self.pattern.link_down(key);
            }
        }
    }

    /// The peer behind a pipe without a link will not come back. What waits for it is counted; what it sent can still be
    /// received, and then the pipe goes.
    pub(crate) fn retire(&mut self, key: PeerKey, reason: Loss) {
        let Some(pipe) = self.pipe(key) else { return };
        pipe.dialer = None;
        pipe.dying = true;
        pipe.full = true;
        let unsent = pipe.queued_messages().saturating_add(pipe.in_flight);
        pipe.out.clear();
        pipe.in_flight = 0;
        pipe.recount();
        let drained = pipe.input.is_empty();
        let endpoint = pipe.facts.endpoint.clone();
        self.bursts.end(key);
        self.link_down(key);
        self.pattern.retire(key);
        self.lose(reason, unsent as u64, &endpoint);
        if drained {
            self.detach(key, reason);
        }
    }

    /// Throws away what a peer has sent and nobody will be able to make sense of.
    pub(crate) fn lose_input(&mut self, key: PeerKey, reason: DropReason) {
        let Some(pipe) = self.pipe(key) else { return };
        let count = pipe.input.len() as u64;
        pipe.input.clear();
        pipe.input_octets = 0;
        let endpoint = pipe.facts.endpoint.clone();
        self.lose(Loss::Pattern(reason), count, &endpoint);
    }
}
