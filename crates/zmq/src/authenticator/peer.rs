//! What is asked about a peer, and what is answered.

use std::fmt;
use std::net::IpAddr;

use bytes::Bytes;
use zeroize::Zeroizing;
use zmq_engine::wire::{Credentials, Verdict};
use zmq_engine::{Answer, Properties, Question, zap};

use super::origin::Place;
use super::users::Password;
#[cfg(feature = "curve")]
use crate::curve::PublicKey;

/// A peer that wants to come in: where it is, and what it says or has proved about itself.
pub struct Peer {
    address: String,
    place: Place,
    domain: Bytes,
    claim: Claim,
}

pub(super) enum Claim {
    Nothing,
    Password {
        name: Vec<u8>,
        password: Zeroizing<Vec<u8>>,
    },
    #[cfg(feature = "curve")]
    Key(PublicKey),
    /// A mechanism of the application's.
    Other,
}

impl Peer {
    pub(super) fn of(question: &Question<'_>) -> Peer {
        let claim = match question.credentials {
            Credentials::Null => Claim::Nothing,
            Credentials::Plain { username, password } => Claim::Password {
                name: username.clone(),
                password: Zeroizing::new(password.clone()),
            },
            #[cfg(feature = "curve")]
            Credentials::Curve { public_key } => Claim::Key(PublicKey::from_octets(*public_key)),
            _ => Claim::Other,
        };
        Peer {
            address: question.address.to_owned(),
            place: Place::read(question.address),
            domain: Bytes::copy_from_slice(question.domain),
            claim,
        }
    }

    /// One that brings nothing, from nowhere.
    #[cfg(test)]
    pub(super) fn nobody() -> Peer {
        Peer {
            address: String::new(),
            place: Place::Elsewhere,
            domain: Bytes::new(),
            claim: Claim::Nothing,
        }
    }

    /// Where it is, as its `Peer-Address`: a numeric address without port, or `localhost:uid:gid:pid` over `ipc`.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Its network address, if it has one. IPv4 in IPv6 clothes is IPv4.
    #[must_use]
    pub fn ip(&self) -> Option<IpAddr> {
        match self.place {
            Place::Network(address) => Some(address),
            _ => None,
        }
    }

    /// The ZAP domain of the socket it wants to come in at: see [`Security::zap_domain`](crate::Security::zap_domain).
    #[must_use]
    pub fn domain(&self) -> &[u8] {
        &self.domain
    }

    /// The key it has proved to own (CURVE).
    #[cfg(feature = "curve")]
    #[must_use]
    pub fn public_key(&self) -> Option<PublicKey> {
        match self.claim {
            Claim::Key(key) => Some(key),
            _ => None,
        }
    }

    /// The name it calls itself (PLAIN), at most 255 octets, of any kind. Proves nothing without its password.
    #[must_use]
    pub fn name(&self) -> Option<&[u8]> {
        match &self.claim {
            Claim::Password { name, .. } => Some(name),
            _ => None,
        }
    }

    /// The password it gives (PLAIN). To compare it with another use [`has_password`](Peer::has_password).
    #[must_use]
    pub fn password(&self) -> Option<&[u8]> {
        match &self.claim {
            Claim::Password { password, .. } => Some(password),
            _ => None,
        }
    }

    /// Whether its password (PLAIN) is this one; takes as long for a nearly right one as for a wrong one.
    #[must_use]
    pub fn has_password(&self, expected: impl AsRef<[u8]>) -> bool {
        let met = self.password().and_then(Password::new);
        let expected = Password::new(expected.as_ref());
        matches!((met, expected), (Some(met), Some(expected)) if met.is(&expected))
    }

    pub(super) fn place(&self) -> Place {
        self.place
    }

    pub(super) fn claim(&self) -> &Claim {
        &self.claim
    }
}

impl fmt::Debug for Peer {
    /// Secrets stay out of logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut peer = f.debug_struct("Peer");
        peer.field("address", &self.address);
        match &self.claim {
            Claim::Nothing | Claim::Other => {}
            Claim::Password { name, .. } => {
                peer.field("name", &name.escape_ascii().to_string());
            }
            #[cfg(feature = "curve")]
            Claim::Key(key) => {
                peer.field("public_key", key);
            }
        }
        peer.finish_non_exhaustive()
    }
}

/// Whether a peer may come in, and what is known of it then.
///
/// Where one is expected `true` does for [`accept`](Decision::accept) without a name, and `false` for [`deny`](Decision::deny).
///
/// ```
/// use zmq::security::Decision;
///
/// let welcome = Decision::accept("ann").with("Role", "admin");
/// let no = Decision::deny("left the company");
/// let not_now = Decision::later("the database is down");
/// # drop((welcome, no, not_now));
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Decision(Outcome);

#[derive(Clone, PartialEq, Eq)]
enum Outcome {
    Accept {
        user_id: Bytes,
        metadata: Properties,
    },
    Refuse {
        status: zap::Status,
        why: String,
    },
}

impl Decision {
    /// Lets the peer in. Its messages carry `user_id` as their property `User-Id`: at most 255 octets, or else the peer is kept out.
    #[must_use]
    pub fn accept(user_id: impl Into<Bytes>) -> Decision {
        Decision(Outcome::Accept {
            user_id: user_id.into(),
            metadata: Properties::new(),
        })
    }

    /// Says something more about a peer that is let in; its messages carry it as a property. What is said here stands in for what the
    /// peer says under the same name; `Socket-Type`, `Identity`, `Routing-Id`, `User-Id` and `Peer-Address` cannot be said. A name has 1
    /// to 255 octets; all of it together at most 64 KiB, or else the peer is kept out.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Bytes>) -> Decision {
        if let Outcome::Accept { metadata, .. } = &mut self.0 {
            metadata.push(name, value);
        }
        self
    }

    /// Keeps the peer out. It learns that, and does not try again by itself; the reason is for this side's monitor alone.
    #[must_use]
    pub fn deny(why: impl Into<String>) -> Decision {
        Decision::refuse(zap::Status::Denied, why)
    }

    /// Keeps the peer out for now. It learns nothing, and tries again by itself; the reason is for this side's monitor alone.
    #[must_use]
    pub fn later(why: impl Into<String>) -> Decision {
        Decision::refuse(zap::Status::Temporary, why)
    }

    /// Keeps the peer out because we failed.
    pub(super) fn failed(why: impl Into<String>) -> Decision {
        Decision::refuse(zap::Status::Internal, why)
    }

    fn refuse(status: zap::Status, why: impl Into<String>) -> Decision {
        let why = why.into();
        Decision(Outcome::Refuse { status, why })
    }

    /// Whether it lets the peer in.
    #[must_use]
    pub fn is_accept(&self) -> bool {
        matches!(self.0, Outcome::Accept { .. })
    }

    /// Whether something in it is too long to be said.
    fn is_too_long(&self) -> bool {
        let Outcome::Accept { user_id, metadata } = &self.0 else {
            return false;
        };
        // As it would be written: an octet and a name, four octets and a value.
        let octets: usize = metadata
            .iter()
            .map(|(name, value)| name.len() + value.len() + 5)
            .sum();
        let mut names = metadata.iter().map(|(name, _)| name.len());
        user_id.len() > zap::LONGEST
            || octets > zap::METADATA
            || names.any(|name| !(1..=zap::LONGEST).contains(&name))
    }

    pub(super) fn give(self, answer: Answer) {
        if self.is_too_long() {
            let status = zap::Status::Internal.code();
            return answer.deny(
                status,
                "the authenticator says more about the peer than a connection may carry",
            );
        }
        match self.0 {
            Outcome::Accept { user_id, metadata } => {
                let reply = zap::Reply {
                    id: Bytes::new(),
                    status: zap::Status::Success,
                    text: Bytes::new(),
                    user_id,
                    metadata,
                };
                let verdict: Verdict = reply.into_verdict();
                answer.give(verdict);
            }
            Outcome::Refuse { status, why } => answer.deny(status.code(), why),
        }
    }
}

impl From<bool> for Decision {
    fn from(accept: bool) -> Decision {
        if accept {
            Decision::accept("")
        } else {
            Decision::deny("the authenticator said no")
        }
    }
}

impl fmt::Debug for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Outcome::Accept { user_id, metadata } => f
                .debug_struct("Accept")
                .field("user_id", user_id)
                .field("metadata", metadata)
                .finish(),
            Outcome::Refuse { status, why } => f
                .debug_struct("Refuse")
                .field("status", &status.code())
                .field("why", why)
                .finish(),
        }
    }
}
