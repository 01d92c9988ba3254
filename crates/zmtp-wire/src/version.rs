//! The dialects of ZMTP.

/// A version of the protocol, ordered from old to new.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// ZMTP 1.0 (RFC 13): no greeting, length before flags.
    V1,
    /// ZMTP 2.0 (RFC 15): greeting with a socket type, flags before length.
    V2,
    /// ZMTP 3.0 (RFC 23): mechanisms, commands, metadata.
    V3_0,
    /// ZMTP 3.1 (RFC 37): subscriptions as commands, heartbeats.
    V3_1,
}

impl Version {
    /// Whether this is a version without mechanisms (1.0 or 2.0).
    #[must_use]
    pub const fn is_legacy(self) -> bool {
        matches!(self, Self::V1 | Self::V2)
    }

    /// Major and minor number.
    #[must_use]
    pub const fn numbers(self) -> (u8, u8) {
        match self {
            Self::V1 => (1, 0),
            Self::V2 => (2, 0),
            Self::V3_0 => (3, 0),
            Self::V3_1 => (3, 1),
        }
    }
}
