//! Where things stand in the commands (RFC 26). Boxes are 16 octets longer than what they hold.
//!
//! ```text
//! HELLO     05 "HELLO" 01 00  zeros(72)  C'(32)  nonce(8)  box(64 zeros)
//! WELCOME   07 "WELCOME"  nonce(16)  box(S'(32) cookie(96))
//! INITIATE  08 "INITIATE"  cookie(96)  nonce(8)  box(C(32) vouch(96) metadata)
//! READY     05 "READY"  nonce(8)  box(metadata)
//! MESSAGE   07 "MESSAGE"  nonce(8)  box(flags(1) data)
//!
//! cookie    nonce(16)  box(C'(32) s'(32))
//! vouch     nonce(16)  box(C'(32) S(32))
//! ```

use crate::seal::TAG;
use zmtp_wire::{CommandName, Error, Misbehaved};

pub(crate) const HELLO: &[u8; 8] = b"\x05HELLO\x01\x00";
pub(crate) const WELCOME: &[u8; 8] = b"\x07WELCOME";
pub(crate) const INITIATE: &[u8; 9] = b"\x08INITIATE";
pub(crate) const READY: &[u8; 6] = b"\x05READY";
pub(crate) const MESSAGE: &[u8; 8] = b"\x07MESSAGE";

/// Makes HELLO larger than WELCOME, so that a forged sender turns a server into no amplifier.
pub(crate) const PADDING: [u8; 72] = [0; 72];
/// What the box of HELLO holds.
pub(crate) const SIGNATURE: [u8; 64] = [0; 64];
/// The box of HELLO.
const SIGNED: usize = SIGNATURE.len() + TAG;
/// A short nonce's counter.
const COUNTER: usize = 8;
/// A long nonce's random part, and a box around two keys.
pub(crate) const KEYS_IN_BOX: usize = 16 + TAG + 64;
/// What INITIATE's box holds before the metadata.
pub(crate) const PROOF: usize = 32 + KEYS_IN_BOX;
/// What MESSAGE puts around its data: name, nonce, tag, flags.
pub(crate) const OVERHEAD: usize = MESSAGE.len() + COUNTER + TAG + 1;

/// HELLO, taken apart.
pub(crate) struct Hello<'a> {
    pub(crate) client_short: [u8; 32],
    pub(crate) counter: u64,
    pub(crate) signature: &'a [u8],
}

impl<'a> Hello<'a> {
    pub(crate) fn parse(body: &'a [u8]) -> Result<Self, Error> {
        // The version must be 1.0; the padding may hold anything, as with libzmq.
        let read = || {
            let rest = body.strip_prefix(HELLO)?.get(PADDING.len()..)?;
            let (client_short, rest) = rest.split_first_chunk()?;
            let (counter, signature) = rest.split_first_chunk()?;
            (signature.len() == SIGNED).then(|| Self {
                client_short: *client_short,
                counter: u64::from_be_bytes(*counter),
                signature,
            })
        };
        read().ok_or_else(|| fault(body, READ_HELLO))
    }
}

/// WELCOME, taken apart.
pub(crate) struct Welcome<'a> {
    pub(crate) nonce: [u8; 16],
    pub(crate) sealed: &'a [u8],
}

impl<'a> Welcome<'a> {
    pub(crate) fn parse(body: &'a [u8]) -> Result<Self, Error> {
        let read = || {
            let (nonce, sealed) = body.strip_prefix(WELCOME)?.split_first_chunk()?;
            (sealed.len() == 32 + KEYS_IN_BOX + TAG).then_some(Self {
                nonce: *nonce,
                sealed,
            })
        };
        read().ok_or_else(|| fault(body, (WELCOME, CommandName::Welcome)))
    }
}

/// INITIATE, taken apart.
pub(crate) struct Initiate<'a> {
    pub(crate) cookie: &'a [u8; KEYS_IN_BOX],
    pub(crate) counter: u64,
    pub(crate) sealed: &'a [u8],
}

impl<'a> Initiate<'a> {
    pub(crate) fn parse(body: &'a [u8]) -> Result<Self, Error> {
        let read = || {
            let (cookie, rest) = body.strip_prefix(INITIATE)?.split_first_chunk()?;
            let (counter, sealed) = rest.split_first_chunk()?;
            (sealed.len() >= PROOF + TAG).then(|| Self {
                cookie,
                counter: u64::from_be_bytes(*counter),
                sealed,
            })
        };
        read().ok_or_else(|| fault(body, (INITIATE, CommandName::Initiate)))
    }
}

/// READY or MESSAGE, taken apart.
pub(crate) struct Counted<'a> {
    pub(crate) counter: u64,
    pub(crate) sealed: &'a [u8],
}

impl<'a> Counted<'a> {
    pub(crate) fn parse_ready(body: &'a [u8]) -> Result<Self, Error> {
        Self::read(body, READY, TAG).ok_or_else(|| fault(body, (READY, CommandName::Ready)))
    }

    #[inline]
    pub(crate) fn parse_message(body: &'a [u8]) -> Result<Self, Error> {
        Self::read(body, MESSAGE, TAG + 1)
            .ok_or_else(|| fault(body, (MESSAGE, CommandName::Message)))
    }

    #[inline]
    fn read(body: &'a [u8], name: &[u8], least: usize) -> Option<Self> {
        let (counter, sealed) = body.strip_prefix(name)?.split_first_chunk()?;
        (sealed.len() >= least).then(|| Self {
            counter: u64::from_be_bytes(*counter),
            sealed,
        })
    }
}

/// The nonce and the box of a cookie or a vouch.
pub(crate) fn split_keys(octets: &[u8; KEYS_IN_BOX]) -> Option<(&[u8; 16], &[u8])> {
    octets.split_first_chunk()
}

/// Two keys, as cookies and vouches hold them.
pub(crate) fn split_pair(octets: &[u8; 64]) -> Option<(&[u8; 32], &[u8; 32])> {
    let (first, second) = octets.split_first_chunk()?;
    Some((first, second.first_chunk()?))
}

const READ_HELLO: (&[u8], CommandName) = (b"\x05HELLO", CommandName::Hello);

/// The command that was due, broken; or another one.
#[cold]
fn fault(body: &[u8], (name, due): (&[u8], CommandName)) -> Error {
    if body.starts_with(name) {
        Misbehaved::Malformed(due).into()
    } else {
        Misbehaved::UnexpectedCommand.into()
    }
}
