//! What must hold in the middle of a run and at its end.

use std::time::Duration;

use zmq_patterns::DropReason;
use zmtp_wire::SocketType;

use super::Run;
use crate::counters::{Counters, Loss};

/// Steps of the clock in which closing must end.
const LAST_STEPS: usize = 5_000;

/// Looks until what is told of peers and numbers belongs together.
const LOOKS: usize = 100;

/// Whether what was lost had come from a peer. A reply that was given up was never a message.
fn is_inward(loss: Loss) -> bool {
    match loss {
        Loss::Unread | Loss::Conflated => true,
        Loss::Pattern(reason) => matches!(
            reason,
            DropReason::FilteredOut
                | DropReason::Malformed
                | DropReason::StaleReply
                | DropReason::Unexpected
        ),
        _ => false,
    }
}

fn lost(counters: &Counters, inward: bool) -> u64 {
    let losses = counters.losses().iter();
    losses
        .filter(|(loss, _)| is_inward(*loss) == inward && *loss != Loss::Abandoned)
        .map(|(_, count)| count)
        .sum()
}

impl Run<'_> {
    pub(super) fn fans_out(&self) -> bool {
        matches!(
            self.own,
            SocketType::Pub | SocketType::XPub | SocketType::XSub
        )
    }

    /// What is queued, out and in, and the numbers of the same moment.
    fn moment(&mut self) -> (Counters, u64, u64) {
        for _ in 0..LOOKS {
            let before = self.socket.counters();
            let peers = self.socket.peers();
            let after = self.socket.counters();
            self.look();
            for peer in &peers {
                self.check_marks(peer.queued_out, peer.queued_in);
            }
            if before == after {
                let out = peers.iter().map(|peer| peer.queued_out as u64).sum();
                let queued_in = peers.iter().map(|peer| peer.queued_in as u64).sum();
                return (after, out, queued_in);
            }
        }
        panic!("the numbers do not come to rest");
    }

    fn check_marks(&self, queued_out: usize, queued_in: usize) {
        if self.conflate && !matches!(self.own, SocketType::Push | SocketType::Pull) {
            return;
        }
        if let Some(mark) = self.send_mark {
            assert!(
                queued_out <= mark as usize || self.conflate,
                "{queued_out} wait to leave, where {mark} may"
            );
        }
        if let Some(mark) = self.recv_mark {
            assert!(
                queued_in <= mark as usize,
                "{queued_in} wait to be received, where {mark} may"
            );
        }
    }

    /// Every message is somewhere.
    pub(super) fn check(&mut self) {
        let (counters, out, queued_in) = self.moment();
        self.check_numbers(&counters, out, queued_in);
    }

    fn check_numbers(&self, counters: &Counters, out: u64, queued_in: u64) {
        assert_eq!(counters.accepted, u64::from(self.sent), "{counters:?}");
        assert_eq!(counters.delivered, self.received, "{counters:?}");
        // What takes the place of another leaves its number in both directions.
        let conflated = counters.lost(Loss::Conflated);
        // As does what is left of a link whose name another has taken.
        let handed_over = counters.lost(Loss::Pattern(DropReason::HandedOver));
        if handed_over > 0 {
            let begun = counters.accepted + counters.arrived;
            let lost = lost(counters, true) + lost(counters, false);
            let known = counters.transmitted + counters.delivered + lost + out + queued_in;
            assert_eq!(begun, known, "in both directions: {counters:?}");
            return;
        }
        if !self.fans_out() && conflated == 0 {
            let known = counters.transmitted + lost(counters, false) + out;
            assert_eq!(
                counters.accepted, known,
                "accepted, and transmitted, lost or kept ({out}): {counters:?}"
            );
        }
        if self.peers.iter().all(|peer| !peer.unknown) {
            let heard: u64 = self
                .peers
                .iter()
                .map(|peer| peer.hearing.messages - peer.foreign)
                .sum();
            assert_eq!(counters.transmitted, heard, "{counters:?}");
        }
        let known = counters.delivered + lost(counters, true) + queued_in;
        let own = self.own == SocketType::XPub;
        let conflated_out = conflated > 0 && self.own != SocketType::Pull;
        // What comes from a peer that was left unheard is counted when it has gone.
        let unheard = self.unheard && counters.arrived > known;
        assert!(
            counters.arrived == known
                || own && counters.arrived < known
                || conflated_out
                || unheard,
            "arrived, and delivered, lost or waiting ({queued_in}): {counters:?}"
        );
    }

    // ---- the end ----

    /// Ends the run, in one of some ways.
    pub(super) fn end(mut self) {
        self.look();
        self.check();
        let heals = self.ends & 1 == 0;
        if heals {
            self.heal();
            self.rest(Duration::from_millis(50));
            self.drain();
        }
        if self.ends & 0x0E == 0x0E {
            self.context.shutdown();
        }
        if !self.closing {
            self.begin_close();
        }
        self.await_end();
        let counters = self.socket.counters();
        self.look();
        self.unheard = false;
        self.check_numbers(&counters, 0, 0);
        self.settle();
        for wire in 0..self.wires.count() {
            let closed = self.wires.with(wire, |wire| wire.closed);
            assert!(closed, "wire {wire} was left open");
        }
    }

    pub(super) fn begin_close(&mut self) {
        let lingers = [
            None,
            Some(Duration::ZERO),
            Some(Duration::from_millis(1)),
            Some(Duration::from_secs(2)),
        ];
        let mut linger = lingers[usize::from(self.ends >> 4 & 3)];
        if self.ends & 1 != 0 {
            // Who never reads is waited for in vain.
            linger = linger.or(Some(Duration::from_secs(1)));
        }
        self.closing = true;
        self.socket.begin_close(linger);
    }

    fn await_end(&mut self) {
        self.settle();
        for _ in 0..LAST_STEPS {
            if self.socket.poll_closed().is_some() {
                return;
            }
            let next = self.context.next_timer();
            let next = next.expect("while a socket closes, something is waited for");
            self.clock.advance(next.max(Duration::from_micros(1)));
            self.settle();
        }
        panic!("closing does not end: {:?}", self.socket.counters());
    }

    /// Receives all there is, now that nothing is in the way.
    fn drain(&mut self) {
        if self.closing {
            return;
        }
        loop {
            // Where nothing is wanted, some of it is passed over with each look, and whoever waits is woken for the next.
            let before = self.socket.counters();
            self.receive_many(usize::MAX - 1);
            let owed = self.own == SocketType::Rep && self.socket.abandon_reply();
            self.rest(Duration::from_millis(5));
            if self.socket.counters() == before && !owed {
                break;
            }
        }
        // Callers were here, and have left: it takes the driver up to 40 ms to see that.
        self.rest(Duration::from_millis(200));
        self.check();
        self.check_drained();
    }

    fn check_drained(&mut self) {
        let (counters, ..) = self.moment();
        let stuck = self
            .socket
            .peers()
            .iter()
            .filter(|peer| peer.ready && peer.queued_out > 0)
            .count();
        assert_eq!(stuck, 0, "peers that take all are sent all: {counters:?}");
        let disturbed = self.parted
            || counters.links_lost > 0
            || counters.handshakes_failed > 0
            || self.own == SocketType::Req
            || self.peers.iter().any(|peer| peer.spoilt);
        if disturbed {
            return;
        }
        let old_subscribers = matches!(self.own, SocketType::Pub | SocketType::XPub)
            && self.peers.iter().any(|peer| peer.minor == 0);
        if !old_subscribers {
            let spoken: u64 = self.peers.iter().map(|peer| peer.spoken.messages).sum();
            assert_eq!(counters.arrived, spoken, "what was said arrives");
        }
        for peer in &self.peers {
            let read = self
                .wires
                .with(peer.wire, |wire| wire.is_read() || wire.closed);
            assert!(read, "not all that peer {} said was read", peer.wire);
            assert!(
                lost(&counters, true) > 0 || !peer.greeted || peer.received == peer.said,
                "of {} messages {} were received",
                peer.said,
                peer.received
            );
        }
    }
}
