//! What a socket is bound and connected to.

use zmq_patterns::PeerKey;

/// One bind or connect of a socket.
#[derive(Clone, Debug)]
pub(crate) struct EndpointRecord {
    /// As the caller wrote it.
    pub(crate) written: String,
    /// As it really is: with the port that was given, say.
    pub(crate) real: String,
    pub(crate) kind: EndpointKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EndpointKind {
    Bound { listener: u64 },
    Dialed { dialer: u64, key: PeerKey },
    InprocBound,
    InprocDialed { dialer: u64, key: PeerKey },
}

impl EndpointRecord {
    pub(crate) fn is(&self, endpoint: &str) -> bool {
        self.real == endpoint || self.written == endpoint
    }

    pub(crate) fn is_dialed_to(&self, endpoint: &str) -> bool {
        self.written == endpoint && matches!(self.kind, EndpointKind::Dialed { .. })
    }

    pub(crate) fn is_dialer(&self, id: u64) -> bool {
        matches!(
            self.kind,
            EndpointKind::Dialed { dialer, .. } | EndpointKind::InprocDialed { dialer, .. }
                if dialer == id
        )
    }

    pub(crate) fn is_bound(&self) -> bool {
        matches!(
            self.kind,
            EndpointKind::Bound { .. } | EndpointKind::InprocBound
        )
    }
}
