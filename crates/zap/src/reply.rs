//! The answer.

use crate::{LONGEST, METADATA, Request, VERSION};
use alloc::vec::Vec;
use bytes::Bytes;
use core::fmt;
use zmtp_wire::metadata::{IDENTITY, Metadata, Property, SOCKET_TYPE};
use zmtp_wire::{Frame, Message, Properties, Verdict};

/// What a handler says of a request.
///
/// ```text
/// "1.0", request id, status code, status text, user id, metadata
/// ```
///
/// The delimiter in front is [`Envelope`](crate::Envelope)'s.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The id of the request.
    pub id: Bytes,
    /// Whether the peer may come in.
    pub status: Status,
    /// Words for people.
    pub text: Bytes,
    /// Who the peer is, when it may come in.
    pub user_id: Bytes,
    /// What else is known of it.
    pub metadata: Properties,
}

/// The status codes of RFC 27.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    /// 200: the peer may come in. The only one that lets anybody in.
    Success,
    /// 300: not now, try later.
    Temporary,
    /// 400: no.
    Denied,
    /// 500: the handler failed.
    Internal,
}

impl Status {
    /// Its number.
    #[must_use]
    pub const fn code(self) -> u16 {
        match self {
            Self::Success => 200,
            Self::Temporary => 300,
            Self::Denied => 400,
            Self::Internal => 500,
        }
    }

    const fn digits(self) -> &'static str {
        match self {
            Self::Success => "200",
            Self::Temporary => "300",
            Self::Denied => "400",
            Self::Internal => "500",
        }
    }

    fn parse(octets: &[u8]) -> Option<Self> {
        [Self::Success, Self::Temporary, Self::Denied, Self::Internal]
            .into_iter()
            .find(|status| status.digits().as_bytes() == octets)
    }
}

/// Why frames are no reply to this request. Nobody comes in by such a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReplyError {
    /// Frames before the first one that are no empty delimiter. Only [`Reply::parse_delimited`] looks there.
    Delimiter,
    /// Not as many frames as a reply has.
    Frames(usize),
    /// The id of another request, or of none.
    RequestId,
    /// Another version than 1.0.
    Version,
    /// No status code.
    Status,
    /// Metadata that ends too early, is too long or has a name without letters; a string that is too long.
    Metadata,
}

impl ReplyError {
    /// The number libzmq's monitor gives to it (`ZMQ_PROTOCOL_ERROR_ZAP_*`).
    #[must_use]
    pub const fn protocol_code(self) -> u32 {
        match self {
            Self::Delimiter => 0x2000_0000,
            Self::Frames(_) => 0x2000_0001,
            Self::RequestId => 0x2000_0002,
            Self::Version => 0x2000_0003,
            Self::Status => 0x2000_0004,
            Self::Metadata => 0x2000_0005,
        }
    }
}

impl fmt::Display for ReplyError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Delimiter => write!(out, "no delimiter before the ZAP reply"),
            Self::Frames(count) => write!(out, "{count} frames are no ZAP reply"),
            Self::RequestId => write!(out, "a ZAP reply to another request"),
            Self::Version => write!(out, "not a reply of ZAP 1.0"),
            Self::Status => write!(out, "a ZAP reply without a status code"),
            Self::Metadata => write!(out, "malformed metadata in a ZAP reply"),
        }
    }
}

impl core::error::Error for ReplyError {}

impl Reply {
    /// Lets the peer in as this user.
    #[must_use]
    pub fn accept(request: &Request, user_id: impl Into<Bytes>) -> Self {
        Self {
            user_id: user_id.into(),
            ..Self::refuse(request, Status::Success, "OK")
        }
    }

    /// Keeps the peer out, for a reason in words.
    #[must_use]
    pub fn refuse(request: &Request, status: Status, text: impl Into<Bytes>) -> Self {
        Self {
            id: request.id.clone(),
            status,
            text: text.into(),
            user_id: Bytes::new(),
            metadata: Properties::new(),
        }
    }

    /// The frames from the version on. Only the reply that lets somebody in says who it is.
    #[must_use]
    pub fn to_message(&self) -> Message {
        let (mut user_id, mut metadata) = (Bytes::new(), Vec::new());
        if self.status == Status::Success {
            user_id = self.user_id.clone();
            for (name, value) in self.metadata.iter() {
                Property { name, value }.emit(&mut metadata);
            }
        }
        [
            Bytes::from_static(VERSION),
            self.id.clone(),
            Bytes::from_static(self.status.digits().as_bytes()),
            self.text.clone(),
            user_id,
            metadata.into(),
        ]
        .into_iter()
        .collect()
    }

    /// Reads the frames from the version on, as the reply to the request of this id.
    ///
    /// # Errors
    /// [`ReplyError`]: let nobody in.
    pub fn parse(frames: &[Frame], id: &[u8]) -> Result<Self, ReplyError> {
        let [version, echoed, status, text, user_id, metadata] = frames else {
            return Err(ReplyError::Frames(frames.len()));
        };
        if *version != VERSION {
            return Err(ReplyError::Version);
        }
        if *echoed != id {
            return Err(ReplyError::RequestId);
        }
        let status = Status::parse(status).ok_or(ReplyError::Status)?;
        if text.len() > LONGEST || user_id.len() > LONGEST || metadata.len() > METADATA {
            return Err(ReplyError::Metadata);
        }
        let mut properties = Properties::new();
        for property in Metadata::new(metadata) {
            let property = property.map_err(|_| ReplyError::Metadata)?;
            properties.push(property.name, Bytes::copy_from_slice(property.value));
        }
        Ok(Self {
            id: echoed.to_bytes(),
            status,
            text: text.to_bytes(),
            user_id: user_id.to_bytes(),
            metadata: properties,
        })
    }

    /// As [`parse`](Self::parse), for who asked without a REQ: with the delimiter in front.
    ///
    /// # Errors
    /// [`ReplyError`]: let nobody in.
    pub fn parse_delimited(frames: &[Frame], id: &[u8]) -> Result<Self, ReplyError> {
        match frames.split_first() {
            Some((delimiter, content)) if frames.len() == 7 && delimiter.is_empty() => {
                Self::parse(content, id)
            }
            _ if frames.len() == 7 => Err(ReplyError::Delimiter),
            _ => Err(ReplyError::Frames(frames.len())),
        }
    }

    /// The request a reply is for, before it is read: for who asks about several connections through one socket. The frames are those from
    /// the version on.
    #[must_use]
    pub fn id_of(frames: &[Frame]) -> Option<&Frame> {
        frames.get(1)
    }

    /// What to tell the session. Accepted peers get `User-Id`, even an empty one as libzmq does, and the metadata; names the protocol
    /// itself looks at are left out, because a handler cannot change a peer's type or routing id.
    #[must_use]
    pub fn into_verdict(self) -> Verdict {
        if self.status != Status::Success {
            return Verdict::Refuse(self.status.code());
        }
        let mut properties = Properties::new();
        properties.push(USER_ID, self.user_id);
        let ours = [USER_ID, SOCKET_TYPE, IDENTITY, "Routing-Id", "Peer-Address"];
        for (name, value) in self.metadata.iter() {
            if !ours.iter().any(|ours| ours.eq_ignore_ascii_case(name)) {
                properties.push(name, value.clone());
            }
        }
        Verdict::Accept(properties)
    }
}

/// The property that says who a peer is.
const USER_ID: &str = "User-Id";
