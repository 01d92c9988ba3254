//! What every pattern shares: who the peers are, and what waits for the engine and the application.

use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;

use bytes::Bytes;
use zmtp_wire::{Frame, Message, Properties};

use crate::{Attach, Limits, Output, PeerKey};

/// What is known of a peer.
#[derive(Default)]
pub(crate) struct Peer {
    pub(crate) dialed: bool,
    pub(crate) immediate: bool,
    pub(crate) linked: bool,
    pub(crate) writable: bool,
    /// Differs between two peers that had the same key one after the other.
    pub(crate) serial: u32,
    pub(crate) routing_id: Option<Bytes>,
    pub(crate) properties: Option<Arc<Properties>>,
}

impl Peer {
    /// Messages may be queued for it, room permitting.
    pub(crate) fn usable(&self) -> bool {
        self.linked || (self.dialed && !self.immediate)
    }

    pub(crate) fn sendable(&self) -> bool {
        self.usable() && self.writable
    }
}

/// The peers, what is to be done, and what is to be received besides the peers' queues.
pub(crate) struct Hub {
    peers: Vec<Option<Peer>>,
    serial: u32,
    pub(crate) outputs: VecDeque<Output>,
    pub(crate) own: VecDeque<Notification>,
    pub(crate) targets: Vec<PeerKey>,
    pub(crate) limits: Limits,
}

/// A message of the pattern's own making, with the peer it is about.
pub(crate) struct Notification {
    pub(crate) message: Message,
    pub(crate) about: PeerKey,
    pub(crate) serial: u32,
}

impl Hub {
    pub(crate) fn new() -> Hub {
        Hub {
            peers: Vec::new(),
            serial: 0,
            outputs: VecDeque::new(),
            own: VecDeque::new(),
            targets: Vec::new(),
            limits: Limits::default(),
        }
    }

    #[inline]
    pub(crate) fn peer(&self, key: PeerKey) -> Option<&Peer> {
        self.peers.get(key.0 as usize)?.as_ref()
    }

    pub(crate) fn peer_mut(&mut self, key: PeerKey) -> Option<&mut Peer> {
        self.peers.get_mut(key.0 as usize)?.as_mut()
    }

    pub(crate) fn sendable(&self, key: PeerKey) -> bool {
        self.peer(key).is_some_and(Peer::sendable)
    }

    /// The peer is still the one that had this serial.
    pub(crate) fn is_still(&self, key: PeerKey, serial: u32) -> bool {
        self.peer(key).is_some_and(|peer| peer.serial == serial)
    }

    pub(crate) fn serial(&self, key: PeerKey) -> u32 {
        self.peer(key).map_or(0, |peer| peer.serial)
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = (PeerKey, &Peer)> {
        let peers = (0..).map(PeerKey).zip(&self.peers);
        peers.filter_map(|(key, peer)| Some((key, peer.as_ref()?)))
    }

    /// `false` if the key is taken or too large.
    pub(crate) fn insert(&mut self, key: PeerKey, attach: &Attach) -> bool {
        let at = key.0 as usize;
        if key > PeerKey::MAX || self.peer(key).is_some() {
            return false;
        }
        if self.peers.len() <= at {
            self.peers.resize_with(at.saturating_add(1), || None);
        }
        self.serial = self.serial.wrapping_add(1);
        if let Some(slot) = self.peers.get_mut(at) {
            *slot = Some(Peer {
                dialed: attach.dialed,
                immediate: attach.immediate,
                writable: true,
                serial: self.serial,
                ..Peer::default()
            });
        }
        true
    }

    pub(crate) fn remove(&mut self, key: PeerKey) {
        if let Some(slot) = self.peers.get_mut(key.0 as usize) {
            *slot = None;
        }
    }

    /// Queues a message for the application.
    pub(crate) fn notify(&mut self, about: PeerKey, mut message: Message) {
        let peer = self.peer(about);
        message.set_properties(peer.and_then(|peer| peer.properties.clone()));
        let serial = peer.map_or(0, |peer| peer.serial);
        self.own.push_back(Notification {
            message,
            about,
            serial,
        });
    }

    /// No room for another notification that a peer may cause.
    pub(crate) fn notifications_full(&self) -> bool {
        self.own.len() >= self.limits.pending_notifications
    }

    pub(crate) fn send_first(&mut self, peer: PeerKey, body: &Bytes) {
        let message = Message::single(Frame::from(body.clone()));
        self.outputs.push_back(Output::Send { peer, message });
    }

    /// Nothing is to be done any more for the link of this peer.
    pub(crate) fn forget_outputs(&mut self, gone: PeerKey) {
        if self.outputs.is_empty() {
            return;
        }
        self.outputs.retain(|output| match output {
            Output::Subscribe { peer, .. }
            | Output::Cancel { peer, .. }
            | Output::Send { peer, .. }
            | Output::DiscardQueued { peer }
            | Output::Close { peer, .. } => *peer != gone,
        });
    }
}
