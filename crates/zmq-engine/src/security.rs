//! The seam to the security mechanisms: who makes one for a new link, and who answers when one asks about a peer.

use core::fmt;
use std::sync::Arc;

use zmtp_mech_null::Null;
use zmtp_wire::{Credentials, Mechanism, Verdict};

/// How the links of a socket are secured.
#[derive(Clone, Default)]
pub struct Security(Option<Arc<dyn MechanismFactory>>);

impl Security {
    /// Clear text and no proof of who is there: the NULL mechanism. ZMTP 1.0 and 2.0 peers are welcome.
    #[must_use]
    pub fn none() -> Security {
        Security(None)
    }

    /// Links secured by what `factory` makes. Peers of ZMTP 1.0 and 2.0 are refused, as they have no mechanisms.
    #[must_use]
    pub fn with(factory: Arc<dyn MechanismFactory>) -> Security {
        Security(Some(factory))
    }

    pub(crate) fn mechanism(&self) -> Box<dyn Mechanism> {
        match &self.0 {
            None => Box::new(Null::new()),
            Some(factory) => factory.mechanism(),
        }
    }

    pub(crate) fn legacy_allowed(&self) -> bool {
        self.0.is_none()
    }
}

impl fmt::Debug for Security {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() {
            "Security(mechanism)"
        } else {
            "Security(none)"
        })
    }
}

/// Makes the mechanism of each new link of a socket.
pub trait MechanismFactory: Send + Sync {
    /// A mechanism at the start of its handshake, for one link.
    fn mechanism(&self) -> Box<dyn Mechanism>;
}

/// Decides about peers that a mechanism wants to have authenticated.
pub trait Authenticator: Send + Sync + fmt::Debug {
    /// Must not block. The answer may be given at once or later, from any thread; an `answer` that is dropped denies.
    fn authenticate(&self, question: Question<'_>, answer: Answer);
}

/// What is asked about a peer.
#[derive(Debug)]
pub struct Question<'a> {
    /// What the peer proved or claimed.
    pub credentials: &'a Credentials,
    /// Where the peer is: a numeric address without port, or `localhost:uid:gid:pid` for ipc.
    pub address: &'a str,
    /// The routing id of the asking socket itself.
    pub routing_id: &'a [u8],
}

/// Carries one verdict back to the link that waits for it.
pub struct Answer {
    give: Option<Box<dyn FnOnce(Verdict) + Send>>,
}

impl Answer {
    pub(crate) fn new(give: impl FnOnce(Verdict) + Send + 'static) -> Answer {
        Answer {
            give: Some(Box::new(give)),
        }
    }

    /// Gives the verdict.
    pub fn give(mut self, verdict: Verdict) {
        if let Some(give) = self.give.take() {
            give(verdict);
        }
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        if let Some(give) = self.give.take() {
            give(Verdict::Refuse(500));
        }
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Answer")
    }
}
