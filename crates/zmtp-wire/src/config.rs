//! What a session has to be told before it starts.

use crate::{Heartbeat, Limits, SocketType, Version};
use alloc::string::String;
use alloc::vec::Vec;
use bytes::Bytes;

/// Settings of one session; fixed for its life.
#[derive(Debug, Clone)]
pub struct SessionConfig {
    /// The type of the local socket.
    pub socket_type: SocketType,
    /// The local routing id, at most 255 octets and not starting with zero; empty for none.
    pub routing_id: Bytes,
    /// Application properties to announce; names should start with `X-`.
    pub properties: Vec<(String, Bytes)>,
    /// The resource to announce (RFC 37, `Resource`).
    pub resource: Option<String>,
    /// The oldest version to speak.
    pub min_version: Version,
    /// The newest version to announce; below 3.1 for tests and for peers that cannot bear more.
    pub max_version: Version,
    /// Whether versions without mechanisms may be spoken. Must be false when a mechanism other than NULL, or a ZAP domain, is set.
    pub legacy_allowed: bool,
    /// Bounds on what the peer can demand.
    pub limits: Limits,
    /// Milliseconds from the start to [`Event::Ready`](crate::Event::Ready), all included; `None` waits for ever.
    pub handshake_timeout_ms: Option<u64>,
    /// Whether and how to send PINGs (only to 3.1 peers, unless `ping_before_3_1`).
    pub heartbeat: Option<Heartbeat>,
    /// Send PINGs to 3.0 peers as well. They need not know the command; libzmq does so, and its 3.0 releases bear it.
    pub ping_before_3_1: bool,
    /// Which message frames are taken as subscriptions.
    pub subscriptions: SubscriptionFrames,
}

impl SessionConfig {
    /// Settings for a socket of this type: no routing id, every version, 30 s for the handshake, no heartbeats.
    #[must_use]
    pub const fn new(socket_type: SocketType) -> Self {
        Self {
            socket_type,
            routing_id: Bytes::new(),
            properties: Vec::new(),
            resource: None,
            min_version: Version::V1,
            max_version: Version::V3_1,
            legacy_allowed: true,
            limits: Limits::DEFAULT,
            handshake_timeout_ms: Some(30_000),
            heartbeat: None,
            ping_before_3_1: false,
            subscriptions: if socket_type.takes_subscriptions() {
                SubscriptionFrames::EveryFrame
            } else {
                SubscriptionFrames::Never
            },
        }
    }
}

/// Which message frames starting with 01 or 00 are subscriptions. SUBSCRIBE and CANCEL commands are heeded unless `Never`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SubscriptionFrames {
    /// None: the socket takes no subscriptions, in whatever form.
    Never,
    /// The first frame of a message.
    FirstFrame,
    /// Any frame of a message, as libzmq does by default.
    EveryFrame,
}
