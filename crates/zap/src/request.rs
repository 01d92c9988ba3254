//! The question.

use crate::{LONGEST, VERSION};
use alloc::vec::Vec;
use bytes::Bytes;
use core::fmt;
use zmtp_wire::{Credentials, Frame, Message};

/// Who wants to come in, where, and what it offers as proof.
///
/// ```text
/// "1.0", request id, domain, address, identity, mechanism, credentials...
/// ```
///
/// The delimiter in front is [`Envelope`](crate::Envelope)'s.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    /// What the reply must repeat. One question per connection is under way at a time.
    pub id: Bytes,
    /// The domain the socket was given. RFC 27 wants one; libzmq may send none.
    pub domain: Bytes,
    /// The peer's address without port: `127.0.0.1`, `::1`, or `localhost:uid:gid:pid` for IPC.
    pub address: Bytes,
    /// The peer's routing id by RFC 27. libzmq sends the asking socket's own.
    pub identity: Bytes,
    /// The mechanism and what it brought.
    pub credentials: Claim,
}

/// The credentials of a request.
#[derive(Clone, PartialEq, Eq)]
pub enum Claim {
    /// Those of a mechanism known here.
    Known(Credentials),
    /// Those of another one.
    Other {
        /// Its name.
        mechanism: Bytes,
        /// Its frames.
        credentials: Vec<Bytes>,
    },
}

impl From<Credentials> for Claim {
    fn from(credentials: Credentials) -> Self {
        Self::Known(credentials)
    }
}

/// Why frames are no request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RequestError {
    /// Fewer than six frames.
    Frames(usize),
    /// Another version than 1.0.
    Version,
    /// A string of more than 255 octets.
    TooLong(usize),
    /// Credentials that do not fit their mechanism.
    Credentials,
}

impl fmt::Display for RequestError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Frames(count) => write!(out, "{count} frames are no ZAP request"),
            Self::Version => write!(out, "not a request of ZAP 1.0"),
            Self::TooLong(length) => write!(out, "a string of {length} octets"),
            Self::Credentials => write!(out, "the credentials do not fit the mechanism"),
        }
    }
}

impl core::error::Error for RequestError {}

impl Request {
    /// The frames from the version on.
    #[must_use]
    pub fn to_message(&self) -> Message {
        let head = [
            Bytes::from_static(VERSION),
            self.id.clone(),
            self.domain.clone(),
            self.address.clone(),
            self.identity.clone(),
        ];
        let (mechanism, credentials) = self.credentials.to_frames();
        head.into_iter()
            .chain([mechanism])
            .chain(credentials)
            .collect()
    }

    /// Reads the frames from the version on.
    ///
    /// # Errors
    /// [`RequestError`]; RFC 27 does not say what to answer then, and there may be no id to answer to.
    pub fn parse(frames: &[Frame]) -> Result<Self, RequestError> {
        let [
            version,
            id,
            domain,
            address,
            identity,
            mechanism,
            credentials @ ..,
        ] = frames
        else {
            return Err(RequestError::Frames(frames.len()));
        };
        if *version != VERSION {
            return Err(RequestError::Version);
        }
        if let Some(long) = frames.iter().find(|frame| frame.len() > LONGEST) {
            return Err(RequestError::TooLong(long.len()));
        }
        Ok(Self {
            id: id.to_bytes(),
            domain: domain.to_bytes(),
            address: address.to_bytes(),
            identity: identity.to_bytes(),
            credentials: Claim::parse(mechanism, credentials)?,
        })
    }
}

impl Claim {
    fn parse(mechanism: &Frame, frames: &[Frame]) -> Result<Self, RequestError> {
        let known = match (&**mechanism, frames) {
            (b"NULL", []) => Credentials::Null,
            (b"PLAIN", [username, password]) => Credentials::Plain {
                username: username.to_vec(),
                password: password.to_vec(),
            },
            (b"CURVE", [key]) => Credentials::Curve {
                public_key: (**key).try_into().map_err(|_| RequestError::Credentials)?,
            },
            (b"GSSAPI", [principal]) => Credentials::Gssapi {
                principal: principal.to_vec(),
            },
            (b"NULL" | b"PLAIN" | b"CURVE" | b"GSSAPI", _) => {
                return Err(RequestError::Credentials);
            }
            _ => {
                return Ok(Self::Other {
                    mechanism: mechanism.to_bytes(),
                    credentials: frames.iter().map(Frame::to_bytes).collect(),
                });
            }
        };
        Ok(Self::Known(known))
    }

    /// The mechanism's frame and those behind it.
    fn to_frames(&self) -> (Bytes, Vec<Bytes>) {
        let own = |octets: &[u8]| Bytes::copy_from_slice(octets);
        let (mechanism, credentials) = match self {
            Self::Known(Credentials::Null) => ("NULL", Vec::new()),
            Self::Known(Credentials::Plain { username, password }) => {
                ("PLAIN", [own(username), own(password)].into())
            }
            Self::Known(Credentials::Curve { public_key }) => ("CURVE", [own(public_key)].into()),
            Self::Known(Credentials::Gssapi { principal }) => ("GSSAPI", [own(principal)].into()),
            Self::Other {
                mechanism,
                credentials,
            } => return (mechanism.clone(), credentials.clone()),
            // A mechanism added to the wire crate and not here: no handler knows it, so none lets it in.
            Self::Known(_) => ("", Vec::new()),
        };
        (Bytes::from_static(mechanism.as_bytes()), credentials)
    }
}

impl fmt::Debug for Claim {
    /// Secrets stay out of logs.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(credentials) => credentials.fmt(out),
            Self::Other { mechanism, .. } => {
                write!(out, "Other(\"{}\", ..)", mechanism.escape_ascii())
            }
        }
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Request")
            .field("id", &self.id)
            .field("domain", &self.domain)
            .field("address", &self.address)
            .field("identity", &self.identity)
            .field("credentials", &self.credentials)
            .finish()
    }
}
