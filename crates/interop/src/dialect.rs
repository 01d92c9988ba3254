//! The versions of ZMTP as a peer without a library speaks them (RFC 13, 15, 23, 37).

use crate::arena::{Outcome, fail};
use crate::wire::{Wire, hex};

/// A version, and for 1.0 how it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// 1.0: no greeting, a routing id frame first.
    Unversioned,
    /// 1.0 with the routing id in a frame of the long form, whose tenth octet makes the difference to a greeting.
    UnversionedLong,
    /// 1.0 frames behind a greeting of revision 0.
    Revision0,
    /// 2.0.
    V2,
    /// 3.0: as 3.1, but subscriptions are messages.
    V3_0,
    /// 3.1.
    V3_1,
}

/// What the scripted peer says it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Face<'a> {
    /// Its socket type.
    pub(crate) kind: &'a str,
    /// Its routing id.
    pub(crate) id: &'a [u8],
    /// Its socket type's number, where a version knows only numbers.
    pub(crate) number: u8,
}

/// The number of a socket type, libzmq's where RFC 23 has none.
pub(crate) fn number(kind: &str) -> u8 {
    const TYPES: [&str; 11] = [
        "PAIR", "PUB", "SUB", "REQ", "REP", "DEALER", "ROUTER", "PULL", "PUSH", "XPUB", "XSUB",
    ];
    let index = TYPES
        .iter()
        .position(|name| *name == kind)
        .unwrap_or_default();
    u8::try_from(index).unwrap_or_default()
}

fn signature(padding: u64) -> Vec<u8> {
    [&[0xff][..], &padding.to_be_bytes(), &[0x7f]].concat()
}

/// What follows the major version in a 3.x greeting with the NULL mechanism.
fn rest_of_greeting(minor: u8) -> Vec<u8> {
    let mut rest = vec![minor];
    rest.extend_from_slice(b"NULL");
    rest.resize(1 + 20 + 1 + 31, 0);
    rest
}

fn property(name: &str, value: &[u8]) -> Vec<u8> {
    let length = u32::try_from(value.len()).unwrap_or_default().to_be_bytes();
    let name_length = u8::try_from(name.len()).unwrap_or_default();
    [&[name_length][..], name.as_bytes(), &length, value].concat()
}

impl Dialect {
    pub(crate) const ALL: [Dialect; 6] = [
        Dialect::Unversioned,
        Dialect::UnversionedLong,
        Dialect::Revision0,
        Dialect::V2,
        Dialect::V3_0,
        Dialect::V3_1,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Dialect::Unversioned => "1.0",
            Dialect::UnversionedLong => "1.0-long-id",
            Dialect::Revision0 => "1.0-revision-0",
            Dialect::V2 => "2.0",
            Dialect::V3_0 => "3.0",
            Dialect::V3_1 => "3.1",
        }
    }

    /// Whether the peer has no greeting, tells no subscriptions and is sent everything.
    pub(crate) fn is_unversioned(self) -> bool {
        matches!(self, Dialect::Unversioned | Dialect::UnversionedLong)
    }

    fn has_old_frames(self) -> bool {
        self.is_unversioned() || self == Dialect::Revision0
    }

    /// One frame of a message.
    pub(crate) fn frame(self, more: bool, body: &[u8]) -> Vec<u8> {
        let more = u8::from(more);
        let (length, flags) = (
            body.len() as u64,
            body.len() + usize::from(self.has_old_frames()),
        );
        if self.has_old_frames() {
            return match u8::try_from(flags) {
                Ok(short) if short < 0xff => [&[short, more][..], body].concat(),
                _ => [&[0xff][..], &(length + 1).to_be_bytes(), &[more], body].concat(),
            };
        }
        match u8::try_from(body.len()) {
            Ok(short) => [&[more, short][..], body].concat(),
            Err(_) => [&[more | 2][..], &length.to_be_bytes(), body].concat(),
        }
    }

    /// A message.
    pub(crate) fn message(self, frames: &[Vec<u8>]) -> Vec<u8> {
        let last = frames.len().saturating_sub(1);
        let frames = frames.iter().enumerate();
        frames
            .flat_map(|(index, body)| self.frame(index < last, body))
            .collect()
    }

    /// How a subscription (verb 1) or its end (verb 0) is told.
    pub(crate) fn subscription(self, verb: u8, topic: &[u8]) -> Vec<u8> {
        if self != Dialect::V3_1 {
            return self.frame(false, &[&[verb], topic].concat());
        }
        let name: &[u8] = if verb == 1 {
            b"\x09SUBSCRIBE"
        } else {
            b"\x06CANCEL"
        };
        let mut frame = self.frame(false, &[name, topic].concat());
        frame[0] |= 4;
        frame
    }

    /// All that an old peer says before its first message, whatever it hears.
    pub(crate) fn opening(self, kind: &str, id: &[u8]) -> Vec<u8> {
        let revision = match self {
            Dialect::Unversioned => return self.frame(false, id),
            Dialect::UnversionedLong => {
                let length = (id.len() as u64 + 1).to_be_bytes();
                return [&[0xff][..], &length, &[0], id].concat();
            }
            _ => u8::from(self == Dialect::V2),
        };
        let numbers = [revision, number(kind)];
        [signature(0), numbers.to_vec(), self.frame(false, id)].concat()
    }

    /// Shakes hands as `own` with a socket under test that is `other`, octet by octet as libzmq does it in these stages.
    pub(crate) fn greet(self, wire: &mut Wire, own: Face<'_>, other: Face<'_>) -> Outcome {
        wire.hear("signature", &signature(other.id.len() as u64 + 1))?;
        if self.is_unversioned() {
            let id = match self {
                Dialect::Unversioned => self.frame(false, own.id),
                _ => [
                    &[0xff][..],
                    &(own.id.len() as u64 + 1).to_be_bytes(),
                    &[0],
                    own.id,
                ]
                .concat(),
            };
            wire.say(&id)?;
            return wire.hear("routing id behind the ten octets of its header", other.id);
        }
        wire.say(&signature(0))?;
        wire.hear("major version", &[3])?;
        match self {
            Dialect::V3_0 => self.greet_ready(wire, own, (other, 0)),
            Dialect::V3_1 => self.greet_ready(wire, own, (other, 1)),
            _ => {
                wire.say(&[u8::from(self == Dialect::V2)])?;
                wire.hear("socket type", &[other.number])?;
                wire.say(&[own.number])?;
                wire.say(&self.frame(false, own.id))?;
                wire.hear("routing id", &self.frame(false, other.id))
            }
        }
    }

    fn greet_ready(
        self,
        wire: &mut Wire,
        own: Face<'_>,
        (other, minor): (Face<'_>, u8),
    ) -> Outcome {
        wire.say(&[3])?;
        wire.hear("greeting", &rest_of_greeting(1))?;
        wire.say(&rest_of_greeting(minor))?;
        wire.say(&ready(own))?;
        let head = wire.read(2)?;
        let [4, length] = head[..] else {
            return fail(format!("{} begins no command", hex(&head)));
        };
        let body = wire.read(usize::from(length))?;
        let expected = ready(other);
        // The order of properties is free, and a routing id may be left out where it is empty.
        let socket_type = property("Socket-Type", other.kind.as_bytes());
        let with_id = other.id.is_empty() || contains(&body, &property("Identity", other.id));
        if body.starts_with(b"\x05READY") && contains(&body, &socket_type) && with_id {
            return Ok(());
        }
        fail(format!(
            "READY: heard {} instead of {}",
            hex(&body),
            hex(&expected[2..])
        ))
    }
}

fn contains(octets: &[u8], part: &[u8]) -> bool {
    octets.windows(part.len()).any(|window| window == part)
}

/// READY as a command frame.
fn ready(face: Face<'_>) -> Vec<u8> {
    let mut body = b"\x05READY".to_vec();
    body.extend(property("Socket-Type", face.kind.as_bytes()));
    body.extend(property("Identity", face.id));
    let length = u8::try_from(body.len()).unwrap_or_default();
    [&[4, length][..], &body].concat()
}
