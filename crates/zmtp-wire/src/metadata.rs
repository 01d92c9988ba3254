//! Metadata: the properties READY and INITIATE carry.
//!
//! ```text
//! property = name-length(1, 1..255) name value-length(u32, below 2^31) value
//! ```

use crate::{Incompatible, Limits, Misbehaved, Sink, SocketType};
use nom::combinator::{map_opt, verify};
use nom::error::Error as Unmatched;
use nom::multi::length_data;
use nom::number::complete::{be_u8, be_u32};
use nom::{IResult, Parser};

/// The property that names the socket type.
pub const SOCKET_TYPE: &str = "Socket-Type";
/// The property that carries the routing id.
pub const IDENTITY: &str = "Identity";
/// The property that names a resource (RFC 37).
pub const RESOURCE: &str = "Resource";

/// One property, borrowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Property<'a> {
    /// Its name: printable ASCII, at least one octet. Compare it without regard to case.
    pub name: &'a str,
    /// Its value.
    pub value: &'a [u8],
}

impl Property<'_> {
    /// Emits the property. Names longer than 255 octets, and values of 2^31 octets and more, cannot be sent and are left out.
    pub fn emit(&self, out: &mut impl Sink) {
        let (Ok(name_length), Ok(value_length)) = (
            u8::try_from(self.name.len()),
            i32::try_from(self.value.len()),
        ) else {
            return;
        };
        out.put(&[name_length]);
        out.put(self.name.as_bytes());
        out.put(&value_length.to_be_bytes());
        out.put(self.value);
    }
}

/// Walks over encoded metadata. After the first error it ends.
#[derive(Debug, Clone)]
pub struct Metadata<'a> {
    rest: &'a [u8],
}

impl<'a> Metadata<'a> {
    /// Walks over these octets.
    #[must_use]
    pub const fn new(encoded: &'a [u8]) -> Self {
        Self { rest: encoded }
    }
}

impl<'a> Iterator for Metadata<'a> {
    type Item = Result<Property<'a>, Misbehaved>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let parsed = property(self.rest);
        let (rest, item) = match parsed {
            Ok((rest, property)) => (rest, Ok(property)),
            Err(_) => (&[][..], Err(Misbehaved::MalformedMetadata)),
        };
        self.rest = rest;
        Some(item)
    }
}

fn property(input: &[u8]) -> IResult<&[u8], Property<'_>, Unmatched<&[u8]>> {
    let name = map_opt(length_data(be_u8), property_name);
    let value = length_data(verify(be_u32, |length| i32::try_from(*length).is_ok()));
    (name, value)
        .map(|(name, value)| Property { name, value })
        .parse(input)
}

/// RFC 37 allows letters, digits and "-_.+"; applications of libzmq may name anything, so printable ASCII is let through. Control
/// characters are not: names end up in logs.
fn property_name(octets: &[u8]) -> Option<&str> {
    let printable = !octets.is_empty() && octets.iter().all(|octet| (0x20..0x7f).contains(octet));
    core::str::from_utf8(octets).ok().filter(|_| printable)
}

/// What this side announces.
#[derive(Debug, Clone, Copy)]
pub struct OwnMetadata<'a> {
    /// The local socket type.
    pub socket_type: SocketType,
    /// The local routing id; sent, even when empty, by the types that send one.
    pub routing_id: &'a [u8],
    /// The resource, if any.
    pub resource: Option<&'a str>,
}

impl OwnMetadata<'_> {
    /// Emits the properties in the order libzmq uses.
    pub fn emit(&self, out: &mut impl Sink) {
        Property {
            name: SOCKET_TYPE,
            value: self.socket_type.name().as_bytes(),
        }
        .emit(out);
        if self.socket_type.sends_routing_id() {
            Property {
                name: IDENTITY,
                value: self.routing_id,
            }
            .emit(out);
        }
        if let Some(resource) = self.resource {
            Property {
                name: RESOURCE,
                value: resource.as_bytes(),
            }
            .emit(out);
        }
    }
}

/// The properties the protocol itself looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Announced<'a> {
    /// `Socket-Type`, when it was there.
    pub socket_type: Option<&'a [u8]>,
    /// `Identity`, when it was there: at most 255 octets, not starting with zero.
    pub routing_id: Option<&'a [u8]>,
    /// `Resource`, when it was there.
    pub resource: Option<&'a [u8]>,
}

impl<'a> Announced<'a> {
    /// Reads metadata to its end.
    ///
    /// # Errors
    /// Malformed metadata, a property of the protocol that occurs twice, more properties than allowed, a bad routing id.
    pub fn read(encoded: &'a [u8], limits: &Limits) -> Result<Self, Misbehaved> {
        let mut announced = Self::default();
        for (position, property) in Metadata::new(encoded).enumerate() {
            let property = property?;
            if position >= limits.properties {
                return Err(Misbehaved::TooManyProperties(limits.properties));
            }
            let slot = if property.name.eq_ignore_ascii_case(SOCKET_TYPE) {
                &mut announced.socket_type
            } else if property.name.eq_ignore_ascii_case(IDENTITY) {
                check_routing_id(property.value)?;
                &mut announced.routing_id
            } else if property.name.eq_ignore_ascii_case(RESOURCE) {
                &mut announced.resource
            } else {
                continue;
            };
            if slot.replace(property.value).is_some() {
                return Err(Misbehaved::MalformedMetadata);
            }
        }
        Ok(announced)
    }
}

impl Announced<'_> {
    /// The peer's socket type, when it told one we know.
    ///
    /// # Errors
    /// When it does not go together with `local`. A peer that does not tell its type goes with everything, as libzmq has it.
    pub fn compatible_with(&self, local: SocketType) -> Result<Option<SocketType>, Incompatible> {
        let Some(name) = self.socket_type else {
            return Ok(None);
        };
        let theirs = SocketType::from_name(name);
        match theirs {
            Some(known) if local.accepts(known) => Ok(theirs),
            _ => Err(Incompatible::SocketType(theirs)),
        }
    }
}

/// Whether a peer may claim this routing id: at most 255 octets, the first one not zero.
///
/// # Errors
/// [`Misbehaved::RoutingId`].
pub fn check_routing_id(routing_id: &[u8]) -> Result<(), Misbehaved> {
    if routing_id.len() > 255 || routing_id.first() == Some(&0) {
        return Err(Misbehaved::RoutingId {
            length: routing_id.len(),
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    fn encode(properties: &[(&str, &[u8])]) -> Vec<u8> {
        let mut out = Vec::new();
        for (name, value) in properties {
            Property { name, value }.emit(&mut out);
        }
        out
    }

    // spec: 37/metadata
    #[test]
    fn metadata_cut_anywhere_inside_a_property_is_refused() {
        let whole = encode(&[("Socket-Type", b"DEALER"), ("Identity", b"ME")]);
        let first = 1 + 11 + 4 + 6;
        for cut in 0..whole.len() {
            let read = Announced::read(whole.get(..cut).unwrap(), &Limits::DEFAULT);
            assert_eq!(read.is_ok(), cut == 0 || cut == first, "cut at {cut}");
        }
        let announced = Announced::read(&whole, &Limits::DEFAULT).unwrap();
        assert_eq!(announced.socket_type, Some(&b"DEALER"[..]));
        assert_eq!(announced.routing_id, Some(&b"ME"[..]));
    }

    // spec: 37/metadata-names-ignore-case
    #[test]
    fn names_are_known_in_any_case() {
        let encoded = encode(&[("socket-TYPE", b"PUB")]);
        assert_eq!(
            Announced::read(&encoded, &Limits::DEFAULT)
                .unwrap()
                .socket_type,
            Some(&b"PUB"[..])
        );
    }

    #[test]
    fn metadata_that_breaks_the_rules_is_refused() {
        let long = [b'x'; 256];
        let cases = [
            (
                encode(&[("Identity", b"\0abc")]),
                Misbehaved::RoutingId { length: 4 },
            ),
            (
                encode(&[("Identity", &long)]),
                Misbehaved::RoutingId { length: 256 },
            ),
            (
                encode(&[("Socket-Type", b"PUB"), ("SOCKET-TYPE", b"SUB")]),
                Misbehaved::MalformedMetadata,
            ),
            (encode(&[("", b"x")]), Misbehaved::MalformedMetadata),
            (encode(&[("X-\n", b"x")]), Misbehaved::MalformedMetadata),
            (
                b"\x01X\x80\x00\x00\x00".to_vec(),
                Misbehaved::MalformedMetadata,
            ),
            (
                encode(&[("X-A", b"".as_slice()); 257]),
                Misbehaved::TooManyProperties(256),
            ),
        ];
        for (encoded, fault) in cases {
            assert_eq!(Announced::read(&encoded, &Limits::DEFAULT), Err(fault));
        }
    }
}
