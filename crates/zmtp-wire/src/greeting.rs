//! The greeting, sent and read in stages, and the detection of old versions (RFC 13, 15, 23, 37).
//!
//! ```text
//! 0      1          9     10     11     12           32         33
//! ff     padding(8) 7f    major  minor  mechanism(20) as-server  filler(31)     3.x, 64 octets
//! ff     padding(8) 7f    01     type   routing id as a short frame             2.0
//! length flags      routing id                                                 1.0: no greeting at all
//! ```
//! Octets go out one decision at a time: ten at once, the rest only when the peer has shown what it is.

use crate::{Error, Foreign, Incompatible, Sink, SocketType, Version};
use nom::bytes::complete::{tag, take};
use nom::error::Error as Unmatched;
use nom::number::complete::u8 as octet;
use nom::{IResult, Parser};

/// Octets of the signature.
pub const SIGNATURE: usize = 10;
/// Octets of a whole 3.x greeting.
pub const GREETING: usize = 64;
/// Octets of a 2.0 greeting, the routing id not included.
const GREETING_V2: usize = 12;

/// A whole 3.x greeting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Greeting {
    /// Version-major, 3 in all greetings of ours.
    pub major: u8,
    /// Version-minor.
    pub minor: u8,
    /// The mechanism, padded with zeros.
    pub mechanism: [u8; 20],
    /// The as-server octet; any value but zero counts as set.
    pub as_server: bool,
}

impl Greeting {
    /// Parses the 64 octets of a greeting; padding and filler may hold anything. `None` when it is not one.
    #[must_use]
    pub fn parse(octets: &[u8; GREETING]) -> Option<Self> {
        greeting(octets).ok().map(|(_, greeting)| greeting)
    }

    /// Emits the 64 octets, with `padding` where 1.0 peers look for the length of a routing id.
    pub fn emit(&self, padding: u64, out: &mut impl Sink) {
        emit_signature(padding, out);
        out.put(&[self.major]);
        self.emit_from_minor(out);
    }

    fn emit_from_minor(&self, out: &mut impl Sink) {
        out.put(&[self.minor]);
        out.put(&self.mechanism);
        out.put(&[u8::from(self.as_server)]);
        out.put(&[0; 31]);
    }
}

fn greeting(input: &[u8]) -> IResult<&[u8], Greeting, Unmatched<&[u8]>> {
    let versioned = nom::combinator::verify(octet, |end: &u8| end & 1 == 1);
    let mechanism = nom::combinator::map_opt(take(20_usize), |field: &[u8]| field.try_into().ok());
    let parts = (
        tag(&[0xff][..]),
        take(8_usize),
        versioned,
        octet,
        octet,
        mechanism,
        octet,
        take(31_usize),
    );
    parts
        .map(
            |(_, _, _, major, minor, mechanism, as_server, _)| Greeting {
                major,
                minor,
                mechanism,
                as_server: as_server != 0,
            },
        )
        .parse(input)
}

fn emit_signature(padding: u64, out: &mut impl Sink) {
    out.put(&[0xff]);
    out.put(&padding.to_be_bytes());
    out.put(&[0x7f]);
}

/// What this side is, as far as the greeting goes.
#[derive(Debug, Clone, Copy)]
pub struct Own {
    /// Its socket type.
    pub socket_type: SocketType,
    /// Octets of its routing id.
    pub routing_id_length: usize,
    /// The mechanism field.
    pub mechanism: [u8; 20],
    /// The as-server octet.
    pub as_server: bool,
    /// The oldest version to speak.
    pub min_version: Version,
    /// The newest version to announce.
    pub max_version: Version,
    /// Whether 1.0 and 2.0 may be spoken at all.
    pub legacy_allowed: bool,
}

/// What the greetings led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// 1.0 without greeting. The octets in [`Greeter::received`] start the peer's first frame; of our own first frame the ten octets of
    /// header have left already, unless nothing newer than 1.0 was to be announced.
    Unversioned {
        /// Whether the header of our routing id frame has left.
        header_sent: bool,
    },
    /// 1.0 frames after a greeting of revision 0.
    Revision0,
    /// 2.0, with the number of the peer's socket type.
    V2(u8),
    /// 3.0 or 3.1, with the same mechanism on both sides.
    V3(Version, Greeting),
}

/// Reads the peer's greeting and sends ours, in stages.
#[derive(Debug, Clone)]
pub struct Greeter {
    own: Own,
    received: [u8; GREETING],
    length: usize,
}

impl Greeter {
    /// Starts, and sends what can be sent before the peer has spoken.
    pub fn new(own: Own, out: &mut impl Sink) -> Self {
        if own.max_version > Version::V1 {
            // A 1.0 peer takes these ten octets for the header of a long frame: its length is the routing id and the flags octet.
            emit_signature((own.routing_id_length as u64).saturating_add(1), out);
        }
        Self {
            own,
            received: [0; GREETING],
            length: 0,
        }
    }

    /// The octets read so far.
    #[must_use]
    pub fn received(&self) -> &[u8] {
        self.received.get(..self.length).unwrap_or_default()
    }

    /// Reads octets from the front of `input`, never more than the greeting has, and sends what may be sent.
    ///
    /// # Errors
    /// [`Error::Incompatible`] when the versions or mechanisms do not fit, or when the octets are those of another protocol.
    pub fn handle_input(
        &mut self,
        input: &mut &[u8],
        out: &mut impl Sink,
    ) -> Result<Option<Outcome>, Error> {
        if self.own.max_version == Version::V1 {
            return Ok(Some(Outcome::Unversioned { header_sent: false }));
        }
        while let Some((octet, rest)) = input.split_first() {
            *input = rest;
            if let Some(slot) = self.received.get_mut(self.length) {
                *slot = *octet;
                self.length = self.length.saturating_add(1);
            }
            if let Some(outcome) = self.judge(out)? {
                return Ok(Some(outcome));
            }
        }
        Ok(None)
    }

    /// Looks at what has been read after one more octet.
    fn judge(&self, out: &mut impl Sink) -> Result<Option<Outcome>, Error> {
        let [first, .., signature_end, revision, kind] = self
            .received
            .first_chunk::<GREETING_V2>()
            .copied()
            .unwrap_or_default();
        match self.length {
            1..SIGNATURE if first != 0xff => match classify_short(self.received()) {
                Guess::Undecided => Ok(None),
                Guess::Zmtp => self.unversioned(),
                Guess::Foreign(foreign) => Err(Incompatible::LooksLike(foreign).into()),
            },
            SIGNATURE if looks_like_telnet(self.received()) => {
                Err(Incompatible::LooksLike(Foreign::Telnet).into())
            }
            SIGNATURE if signature_end & 1 == 0 => self.unversioned(),
            SIGNATURE if self.own.max_version == Version::V2 => {
                out.put(&[1, type_number_v2(self.own.socket_type)]);
                Ok(None)
            }
            SIGNATURE => {
                out.put(&[3]);
                Ok(None)
            }
            11 => self.judge_revision(revision, out),
            GREETING_V2 if revision == 0 => Ok(Some(Outcome::Revision0)),
            GREETING_V2 if revision == 1 || self.own.max_version == Version::V2 => {
                Ok(Some(Outcome::V2(kind)))
            }
            GREETING => self.judge_greeting(),
            _ => Ok(None),
        }
    }

    fn unversioned(&self) -> Result<Option<Outcome>, Error> {
        self.permit(Version::V1)?;
        Ok(Some(Outcome::Unversioned { header_sent: true }))
    }

    fn judge_revision(&self, revision: u8, out: &mut impl Sink) -> Result<Option<Outcome>, Error> {
        if self.own.max_version == Version::V2 {
            // Revision and type left together; a peer of 3.x sees the 01 and sends its type in turn.
            self.permit(if revision == 0 {
                Version::V1
            } else {
                Version::V2
            })?;
        } else if revision <= 1 {
            self.permit(if revision == 0 {
                Version::V1
            } else {
                Version::V2
            })?;
            out.put(&[type_number_v2(self.own.socket_type)]);
        } else {
            let minor = u8::from(self.own.max_version == Version::V3_1);
            let (mechanism, as_server) = (self.own.mechanism, self.own.as_server);
            Greeting {
                major: 3,
                minor,
                mechanism,
                as_server,
            }
            .emit_from_minor(out);
        }
        Ok(None)
    }

    fn judge_greeting(&self) -> Result<Option<Outcome>, Error> {
        let Some(theirs) = Greeting::parse(&self.received) else {
            return Err(Incompatible::LooksLike(Foreign::Unknown).into());
        };
        let announced = if theirs.major == 3 && theirs.minor == 0 {
            Version::V3_0
        } else {
            Version::V3_1
        };
        let version = announced.min(self.own.max_version);
        self.permit(version)?;
        if theirs.mechanism != self.own.mechanism {
            return Err(Incompatible::Mechanism {
                ours: crate::MechanismKind::of(&self.own.mechanism),
                theirs: theirs.mechanism,
            }
            .into());
        }
        Ok(Some(Outcome::V3(version, theirs)))
    }

    fn permit(&self, version: Version) -> Result<(), Error> {
        if version < self.own.min_version || (version.is_legacy() && !self.own.legacy_allowed) {
            return Err(Incompatible::Version(version).into());
        }
        Ok(())
    }
}

/// XPUB and XSUB do not exist in 2.0; they speak as PUB and SUB (RFC 15).
const fn type_number_v2(socket_type: SocketType) -> u8 {
    match socket_type {
        SocketType::XPub => SocketType::Pub.number(),
        SocketType::XSub => SocketType::Sub.number(),
        other => other.number(),
    }
}

/// What the first octets of a peer without signature seem to be.
enum Guess {
    Undecided,
    Zmtp,
    Foreign(Foreign),
}

/// A 1.0 peer starts with the length of its routing id frame and a flags octet, which is 0. That octet is a letter or a version
/// number in every protocol that could be mistaken for it.
fn classify_short(first: &[u8]) -> Guess {
    match first {
        [_, 0, ..] => Guess::Zmtp,
        [_, _, _, _, ..] => Guess::Foreign(classify_foreign(first)),
        _ => Guess::Undecided,
    }
}

fn classify_foreign(first: &[u8]) -> Foreign {
    const HTTP: [&[u8]; 11] = [
        b"GET ", b"POST", b"PUT ", b"HEAD", b"OPTI", b"DELE", b"PATC", b"TRAC", b"CONN", b"PRI ",
        b"HTTP",
    ];
    const SMTP: [&[u8]; 4] = [b"EHLO", b"HELO", b"220 ", b"220-"];
    let starts = |words: &[&[u8]]| words.iter().any(|word| first.starts_with(word));
    match first {
        // Record type handshake or alert, version 3.x.
        [0x15 | 0x16, 3, ..] => Foreign::Tls,
        _ if first.starts_with(b"SSH-") => Foreign::Ssh,
        _ if starts(&HTTP) => Foreign::Http,
        _ if starts(&SMTP) => Foreign::Smtp,
        _ => Foreign::Unknown,
    }
}

/// Telnet opens with option negotiations, `ff` `fb..fe` and an option each, three of them within a signature. Padding is not ours to
/// interpret, but no padding looks like this.
fn looks_like_telnet(first: &[u8]) -> bool {
    const VERBS: core::ops::RangeInclusive<u8> = 0xfb..=0xfe;
    matches!(first, [0xff, a, _, 0xff, b, _, 0xff, c, ..] if [a, b, c].iter().all(|verb| VERBS.contains(verb)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    fn own() -> Own {
        let mut mechanism = [0; 20];
        mechanism[..4].copy_from_slice(b"NULL");
        Own {
            socket_type: SocketType::Dealer,
            routing_id_length: 2,
            mechanism,
            as_server: false,
            min_version: Version::V1,
            max_version: Version::V3_1,
            legacy_allowed: true,
        }
    }

    fn greet(own: Own, mut input: &[u8]) -> (Result<Option<Outcome>, Error>, Vec<u8>) {
        let mut out = Vec::new();
        let mut greeter = Greeter::new(own, &mut out);
        (greeter.handle_input(&mut input, &mut out), out)
    }

    #[test]
    fn foreign_protocols_are_named() {
        let cases: &[(&[u8], Foreign)] = &[
            (b"GET / HTTP/1.1\r\n", Foreign::Http),
            (b"HTTP/1.1 400 Bad Request\r\n", Foreign::Http),
            (b"\x16\x03\x01\x02\x00\x01", Foreign::Tls),
            (b"SSH-2.0-OpenSSH_9.6\r\n", Foreign::Ssh),
            (b"EHLO example.org\r\n", Foreign::Smtp),
            (b"\xff\xfd\x18\xff\xfd\x20\xff\xfd\x23\xfe", Foreign::Telnet),
            (b"\xfb\x18\xff\xfb\x1f\xff\xfb\x20", Foreign::Unknown),
        ];
        for (octets, foreign) in cases {
            assert_eq!(
                greet(own(), octets).0,
                Err(Incompatible::LooksLike(*foreign).into()),
                "{foreign:?}"
            );
        }
    }

    #[test]
    fn a_foreign_protocol_is_told_as_such_even_when_old_versions_are_off() {
        let strict = Own {
            legacy_allowed: false,
            ..own()
        };
        assert_eq!(
            greet(strict, b"GET /").0,
            Err(Incompatible::LooksLike(Foreign::Http).into())
        );
        assert_eq!(
            greet(strict, b"\x01\x00").0,
            Err(Incompatible::Version(Version::V1).into())
        );
    }

    // spec: 37/downgrade, 37/assertive-security
    #[test]
    fn old_versions_are_refused_below_the_minimum() {
        let v2 = b"\xff\0\0\0\0\0\0\0\x01\x7f\x01";
        let v0 = b"\xff\0\0\0\0\0\0\0\x01\x7f\x00";
        for (min_version, wire, refused) in [
            (Version::V2, &b"\x01\x00"[..], Version::V1),
            (Version::V2, v0, Version::V1),
            (Version::V3_0, v2, Version::V2),
        ] {
            let strict = Own {
                min_version,
                ..own()
            };
            assert_eq!(
                greet(strict, wire).0,
                Err(Incompatible::Version(refused).into())
            );
            assert!(greet(own(), wire).0.is_ok());
        }
    }
}
