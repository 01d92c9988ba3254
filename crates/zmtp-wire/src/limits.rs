//! Every number a peer can push against.

/// Bounds on what one session lets its peer make it keep. Sizes are octets.
///
/// The defaults accept everything libzmq sends in ordinary use and keep a stranger small: before READY a session holds at
/// most one command of `handshake_command` octets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Largest command body before the handshake ends, and most octets kept while a verdict is awaited.
    pub handshake_command: usize,
    /// Largest body of one frame; `None` leaves it to `max_message`.
    pub max_frame: Option<u64>,
    /// Most octets in all frames of one message.
    pub max_message: u64,
    /// Most frames in one message.
    pub max_parts: usize,
    /// How far a buffer may run ahead of what has arrived; larger buffers double instead.
    pub grow_step: usize,
    /// Longest subscription topic or group.
    pub topic: usize,
    /// Largest body of a command after the handshake that is neither SUBSCRIBE nor CANCEL.
    pub traffic_command: usize,
    /// Most properties in the metadata of a handshake.
    pub properties: usize,
    /// Longest context of a PING that is echoed; the rest is cut off (RFC 37 allows at most 16).
    pub ping_context: usize,
}

impl Limits {
    /// The defaults, usable in constants.
    pub const DEFAULT: Self = Self {
        handshake_command: 8 * 1024,
        max_frame: None,
        max_message: 1 << 30,
        max_parts: 65_536,
        grow_step: 64 * 1024,
        topic: 64 * 1024,
        traffic_command: 8 * 1024,
        properties: 256,
        ping_context: 16,
    };
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}
