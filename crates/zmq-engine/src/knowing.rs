//! What a socket tells about itself: peers, numbers, events.

use zmtp_wire::{SocketType, Version};

use crate::core::Life;
use crate::counters::Counters;
use crate::effects::Effects;
use crate::monitor::{CloseReason, Monitor};
use crate::socket::Socket;

/// One peer of a socket, as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PeerSnapshot {
    /// The endpoint of this socket that the peer came by.
    pub endpoint: String,
    /// The peer's address, while there is a connection.
    pub address: Option<String>,
    /// The peer's socket type, if it told.
    pub socket_type: Option<SocketType>,
    /// The version of ZMTP spoken with it; `None` for inproc and before the handshake.
    pub version: Option<Version>,
    /// The routing id this socket knows it by, if the pattern uses one.
    pub routing_id: Option<bytes::Bytes>,
    /// Whether messages flow.
    pub ready: bool,
    /// Messages waiting to leave, those half way into the kernel included.
    pub queued_out: usize,
    /// Messages waiting to be received.
    pub queued_in: usize,
}

impl Socket {
    /// Hears of everything that happens to the connections from now on.
    ///
    /// # Errors
    /// When the system gives no descriptor.
    pub fn monitor(&self) -> std::io::Result<Monitor> {
        let (monitor, queue) = Monitor::new()?;
        let mut core = self.shared.lock();
        if matches!(core.life, Life::Open | Life::Closing) {
            core.monitors.push(queue);
        } else {
            queue.end();
        }
        drop(core);
        Ok(monitor)
    }

    /// The peers this socket knows: connected ones, and dialed ones that may not be.
    #[must_use]
    pub fn peers(&self) -> Vec<PeerSnapshot> {
        self.shared.fetch_early(None);
        let mut effects = Effects::default();
        let core = self.shared.enter(&mut effects);
        let peers = core
            .pipes()
            .map(|(key, pipe)| PeerSnapshot {
                endpoint: pipe.facts.endpoint.clone(),
                address: pipe.facts.address.clone(),
                socket_type: pipe.facts.socket_type,
                version: pipe.facts.version,
                routing_id: core.pattern.routing_id(key).cloned(),
                ready: pipe.live,
                queued_out: pipe.queued_messages().saturating_add(pipe.in_flight)
                    + pipe.waiting_in_lane(),
                queued_in: pipe.input.len(),
            })
            .collect();
        drop(core);
        self.shared.run(effects);
        peers
    }

    /// How many peers are connected and past their handshake.
    #[must_use]
    pub fn connected_peers(&self) -> usize {
        let mut effects = Effects::default();
        let core = self.shared.enter(&mut effects);
        let live = core.live;
        drop(core);
        self.shared.run(effects);
        live
    }

    /// How many peers hold at least one subscription (PUB, XPUB).
    #[must_use]
    pub fn subscriber_count(&self) -> usize {
        let mut effects = Effects::default();
        let core = self.shared.enter(&mut effects);
        let count = core.pattern.subscriber_count();
        drop(core);
        self.shared.run(effects);
        count
    }

    /// Whether nobody will come any more without a further `bind` or `connect`: the socket is bound nowhere, and every
    /// dialer it had has given up.
    #[must_use]
    pub fn has_given_up(&self) -> bool {
        let core = self.shared.lock();
        core.gave_up && core.endpoints.is_empty()
    }

    /// How many distinct topics there are: of all subscribers (PUB, XPUB), or of this one (SUB, XSUB). `None` for other types.
    #[must_use]
    pub fn topics_count(&self) -> Option<usize> {
        use zmtp_wire::SocketType::{Pub, Sub, XPub, XSub};
        if !matches!(self.socket_type(), Pub | XPub | Sub | XSub) {
            return None;
        }
        // Subscriptions that have arrived and were not read count.
        let _ = self.events();
        Some(self.shared.lock().pattern.topics_count())
    }

    /// The last connection that ended before its handshake did, or the last attempt that failed: the endpoint, and why.
    #[must_use]
    pub fn last_failure(&self) -> Option<(String, CloseReason)> {
        self.shared.lock().last_failure.clone()
    }

    /// What it has done so far, in numbers.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.shared.lock().counters.clone()
    }
}
