//! The commands of the handshake (RFC 24).
//!
//! ```text
//! HELLO     05 "HELLO"  length(1) name  length(1) password
//! WELCOME   07 "WELCOME"
//! INITIATE  08 "INITIATE"  metadata
//! READY     05 "READY"  metadata
//! ERROR     05 "ERROR"  length(1) reason
//! ```

use zmtp_wire::metadata::Metadata;
use zmtp_wire::{CommandName, Error, Misbehaved};

pub(crate) const HELLO: &[u8] = b"\x05HELLO";
pub(crate) const WELCOME: &[u8] = b"\x07WELCOME";
pub(crate) const INITIATE: &[u8] = b"\x08INITIATE";
pub(crate) const READY: &[u8] = b"\x05READY";
/// ERROR as libzmq's PLAIN servers spell it: in C, `"\x05ERROR"` starts with the octet 5e.
const MANGLED_ERROR: &[u8] = b"\x5eRROR";

/// Name and password of HELLO; nothing may follow them.
pub(crate) fn parse_hello(body: &[u8]) -> Result<(&[u8], &[u8]), Error> {
    let data = data(body, HELLO)?;
    let read = || {
        let (name, rest) = short(data)?;
        let (password, rest) = short(rest)?;
        rest.is_empty().then_some((name, password))
    };
    read().ok_or(Misbehaved::Malformed(CommandName::Hello).into())
}

/// WELCOME says nothing but its name.
pub(crate) fn parse_welcome(body: &[u8]) -> Result<(), Error> {
    match data(body, WELCOME)? {
        [] => Ok(()),
        _ => Err(Misbehaved::Malformed(CommandName::Welcome).into()),
    }
}

/// The metadata of INITIATE or READY, whole to its end.
pub(crate) fn parse_metadata<'a>(body: &'a [u8], name: &[u8]) -> Result<&'a [u8], Error> {
    let metadata = data(body, name)?;
    Metadata::new(metadata).try_for_each(|property| property.map(|_| ()))?;
    Ok(metadata)
}

/// The reason of an ERROR in libzmq's spelling, when it is one.
pub(crate) fn parse_mangled_error(body: &[u8]) -> Option<Result<&[u8], Error>> {
    let data = body.strip_prefix(MANGLED_ERROR)?;
    let malformed = Misbehaved::Malformed(CommandName::Error).into();
    Some(short(data).map(|(reason, _)| reason).ok_or(malformed))
}

fn data<'a>(body: &'a [u8], name: &[u8]) -> Result<&'a [u8], Error> {
    body.strip_prefix(name)
        .ok_or(Misbehaved::UnexpectedCommand.into())
}

/// A length octet, as many octets, and the rest.
fn short(octets: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&length, rest) = octets.split_first()?;
    rest.split_at_checked(usize::from(length))
}
