//! Commands of ZMTP 3.x.
//!
//! ```text
//! command = name-length(1) name data
//! PING    = ttl(u16, tenths of a second) context(0..16)
//! PONG    = context
//! ERROR   = reason-length(1) reason
//! ```

use crate::{CommandName, Misbehaved, Sink};
use nom::Parser;
use nom::bytes::complete::take;
use nom::combinator::{rest, verify};
use nom::multi::length_data;
use nom::number::complete::{be_u8, be_u16};

/// One command, borrowed from the body of its frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Command<'a> {
    /// READY with its metadata, encoded.
    Ready(&'a [u8]),
    /// ERROR with its reason.
    Error(&'a [u8]),
    /// SUBSCRIBE with the topic.
    Subscribe(&'a [u8]),
    /// CANCEL with the topic.
    Cancel(&'a [u8]),
    /// PING
    Ping {
        /// Time to live in tenths of a second, 0 for none.
        ttl: u16,
        /// What PONG must repeat.
        context: &'a [u8],
    },
    /// PONG with the context of the PING.
    Pong(&'a [u8]),
    /// JOIN with the group.
    Join(&'a [u8]),
    /// LEAVE with the group.
    Leave(&'a [u8]),
    /// Any other command.
    Other {
        /// Its name, letters only.
        name: &'a [u8],
        /// What follows the name.
        data: &'a [u8],
    },
}

impl<'a> Command<'a> {
    /// Parses the body of a command frame.
    ///
    /// # Errors
    /// [`Misbehaved::MalformedCommand`] without a proper name, [`Misbehaved::Malformed`] when ERROR or PING do not follow their grammar.
    pub fn parse(body: &'a [u8]) -> Result<Self, Misbehaved> {
        let (data, name) = command_name(body).map_err(|_| Misbehaved::MalformedCommand)?;
        Ok(match name {
            b"READY" => Self::Ready(data),
            b"ERROR" => Self::Error(
                reason(data)
                    .map_err(|_| Misbehaved::Malformed(CommandName::Error))?
                    .1,
            ),
            b"SUBSCRIBE" => Self::Subscribe(data),
            b"CANCEL" => Self::Cancel(data),
            b"PING" => {
                let (_, (ttl, context)) =
                    ping(data).map_err(|_| Misbehaved::Malformed(CommandName::Ping))?;
                Self::Ping { ttl, context }
            }
            b"PONG" => Self::Pong(data),
            b"JOIN" => Self::Join(data),
            b"LEAVE" => Self::Leave(data),
            name => Self::Other { name, data },
        })
    }

    /// Emits the body of a command frame. Reasons longer than 255 octets are cut.
    pub fn emit(&self, out: &mut impl Sink) {
        match *self {
            Self::Ready(metadata) => put(b"READY", metadata, out),
            Self::Error(reason) => {
                let reason = reason.get(..255).unwrap_or(reason);
                put(b"ERROR", &[], out);
                put_short(reason, out);
            }
            Self::Subscribe(topic) => put(b"SUBSCRIBE", topic, out),
            Self::Cancel(topic) => put(b"CANCEL", topic, out),
            Self::Ping { ttl, context } => {
                put(b"PING", &ttl.to_be_bytes(), out);
                out.put(context);
            }
            Self::Pong(context) => put(b"PONG", context, out),
            Self::Join(group) => put(b"JOIN", group, out),
            Self::Leave(group) => put(b"LEAVE", group, out),
            Self::Other { name, data } => put(name, data, out),
        }
    }

    /// Octets [`emit`](Self::emit) writes.
    #[must_use]
    pub fn len(&self) -> usize {
        let mut counter = crate::sink::Counter::default();
        self.emit(&mut counter);
        counter.0
    }

    /// Never: a command has a name.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        false
    }
}

fn put(name: &[u8], data: &[u8], out: &mut impl Sink) {
    put_short(name, out);
    out.put(data);
}

/// A length octet and at most 255 octets.
fn put_short(octets: &[u8], out: &mut impl Sink) {
    let octets = octets.get(..255).unwrap_or(octets);
    // Cut to 255 just above.
    out.put(&[octets.len() as u8]);
    out.put(octets);
}

/// A parser's outcome over borrowed octets.
type Parsed<'a, T> = nom::IResult<&'a [u8], T, nom::error::Error<&'a [u8]>>;

fn command_name(body: &[u8]) -> Parsed<'_, &[u8]> {
    verify(length_data(be_u8), |name: &[u8]| {
        !name.is_empty() && name.iter().all(u8::is_ascii_alphabetic)
    })
    .parse(body)
}

/// The reason of ERROR; octets behind it are not looked at.
fn reason(data: &[u8]) -> Parsed<'_, &[u8]> {
    be_u8.flat_map(take).parse(data)
}

fn ping(data: &[u8]) -> Parsed<'_, (u16, &[u8])> {
    (be_u16, rest).parse(data)
}

/// The ZAP status in the reason of an ERROR, when it is one: `300`, `400` or `500`.
#[must_use]
pub fn status_of_reason(reason: &[u8]) -> Option<u16> {
    match reason {
        b"300" => Some(300),
        b"400" => Some(400),
        b"500" => Some(500),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    fn emitted(command: Command<'_>) -> Vec<u8> {
        let mut out = Vec::new();
        command.emit(&mut out);
        assert_eq!(command.len(), out.len());
        out
    }

    // spec: 37/commands
    #[test]
    fn every_command_comes_back_as_it_went() {
        let cases = [
            (Command::Ready(b"x"), &b"\x05READYx"[..]),
            (Command::Error(b"400"), b"\x05ERROR\x03400"),
            (Command::Subscribe(b"A"), b"\x09SUBSCRIBEA"),
            (Command::Cancel(b"A"), b"\x06CANCELA"),
            (
                Command::Ping {
                    ttl: 100,
                    context: b"",
                },
                b"\x04PING\x00\x64",
            ),
            (
                Command::Ping {
                    ttl: 0,
                    context: b"ctx",
                },
                b"\x04PING\x00\x00ctx",
            ),
            (Command::Pong(b"ctx"), b"\x04PONGctx"),
            (Command::Join(b"TV"), b"\x04JOINTV"),
            (Command::Leave(b"TV"), b"\x05LEAVETV"),
            (
                Command::Other {
                    name: b"FOO",
                    data: b"bar",
                },
                b"\x03FOObar",
            ),
        ];
        for (command, wire) in cases {
            assert_eq!(emitted(command), wire);
            assert_eq!(Command::parse(wire), Ok(command));
        }
    }

    #[test]
    fn commands_that_break_their_grammar_are_refused() {
        let cases: &[(&[u8], Misbehaved)] = &[
            (b"", Misbehaved::MalformedCommand),
            (b"\x00", Misbehaved::MalformedCommand),
            (b"\x20FOO", Misbehaved::MalformedCommand),
            (b"\x03F O", Misbehaved::MalformedCommand),
            (b"\x04PING", Misbehaved::Malformed(CommandName::Ping)),
            (b"\x04PING\x00", Misbehaved::Malformed(CommandName::Ping)),
            (b"\x05ERROR", Misbehaved::Malformed(CommandName::Error)),
            (
                b"\x05ERROR\x09oops!",
                Misbehaved::Malformed(CommandName::Error),
            ),
        ];
        for (wire, fault) in cases {
            assert_eq!(Command::parse(wire), Err(*fault), "{}", wire.escape_ascii());
        }
    }
}
