//! Frames after the handshake: each travels as a MESSAGE command (RFC 26).

use crate::layout::{Counted, MESSAGE, OVERHEAD};
use crate::nonce::{MESSAGE_OF_CLIENT, MESSAGE_OF_SERVER, Received, Sent};
use crate::seal::{BoxKey, Direction, TAG};
use alloc::vec::Vec;
use bytes::{Buf, Bytes};
use zmtp_wire::{Error, Misbehaved, Transform};

/// MORE, in the box as in the header of a frame.
const MORE: u8 = 0x01;
/// A command, in the box. libzmq's addition to RFC 26, which reserves the bit.
const SEALED_COMMAND: u8 = 0x02;
/// A command, in the header of a frame.
const COMMAND: u8 = 0x04;

/// Both directions of one connection. Each has a nonce prefix of its own, so nothing sent by one end opens when it comes back to it.
pub(crate) struct Messages {
    key: BoxKey,
    ours: Direction,
    theirs: Direction,
    sent: Sent,
    received: Received,
}

impl Messages {
    pub(crate) fn of_client(key: BoxKey, sent: Sent, received: Received) -> Self {
        let (ours, theirs) = (MESSAGE_OF_CLIENT, MESSAGE_OF_SERVER);
        Self {
            ours: Direction::new(&key, ours),
            theirs: Direction::new(&key, theirs),
            key,
            sent,
            received,
        }
    }

    pub(crate) fn of_server(key: BoxKey, sent: Sent, received: Received) -> Self {
        let (ours, theirs) = (MESSAGE_OF_SERVER, MESSAGE_OF_CLIENT);
        Self {
            ours: Direction::new(&key, ours),
            theirs: Direction::new(&key, theirs),
            key,
            sent,
            received,
        }
    }
}

impl Transform for Messages {
    /// MESSAGE is a command by RFC 26, but libzmq goes by the outer flags and drops what has COMMAND there.
    fn outer_flags(&self) -> u8 {
        0
    }

    fn overhead(&self) -> usize {
        OVERHEAD
    }

    fn seal(&mut self, flags: u8, body: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
        let counter = self.sent.next()?;
        let mut inside = flags & MORE;
        if flags & COMMAND != 0 {
            inside |= SEALED_COMMAND;
        }
        out.reserve(body.len().saturating_add(OVERHEAD));
        out.extend_from_slice(MESSAGE);
        out.extend_from_slice(&counter.to_be_bytes());
        self.ours
            .seal(&self.key, counter, &[&[inside], body], out)
            .map_err(|_| Misbehaved::Cryptographic.into())
    }

    fn open(&mut self, body: &[u8], out: &mut Vec<u8>) -> Result<u8, Error> {
        let Counted { counter, sealed } = Counted::parse_message(body)?;
        let received = self.received.advance(counter)?;
        let content = sealed.len().saturating_sub(TAG);
        let start = out.len();
        out.try_reserve_exact(content)
            .map_err(|_| Error::OutOfMemory)?;
        out.resize(start.saturating_add(content), 0);
        let room = out.get_mut(start..).unwrap_or_default();
        let opened = self.theirs.open(&self.key, counter, sealed, room);
        if opened.is_err() {
            out.truncate(start);
            return Err(Misbehaved::Cryptographic.into());
        }
        self.received = received;
        // The flags stand in front of the data and leave.
        let inside = room.first().copied().unwrap_or_default();
        room.copy_within(1.., 0);
        out.pop();
        Ok(flags(inside))
    }

    fn open_owned(&mut self, mut body: Vec<u8>) -> Result<(u8, Bytes), Error> {
        let Counted { counter, sealed } = Counted::parse_message(&body)?;
        let received = self.received.advance(counter)?;
        let start = body.len().saturating_sub(sealed.len());
        let sealed = body.get_mut(start..).unwrap_or_default();
        self.theirs
            .open_in_place(&self.key, counter, sealed)
            .map_err(|_| Misbehaved::Cryptographic)?;
        self.received = received;
        let inside = sealed.get(TAG).copied().unwrap_or_default();
        let mut plain = Bytes::from(body);
        plain.advance(plain.len().min(start.saturating_add(TAG).saturating_add(1)));
        Ok((flags(inside), plain))
    }
}

/// The flags that were sealed, in the form of ZMTP 3.x frames. Bits without a meaning are passed over, as libzmq does.
const fn flags(inside: u8) -> u8 {
    let command = if inside & SEALED_COMMAND != 0 {
        COMMAND
    } else {
        0
    };
    inside & MORE | command
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec;
    use zeroize::Zeroizing;

    fn key() -> BoxKey {
        BoxKey::new(Zeroizing::new([7; 32]))
    }

    fn pair() -> (Messages, Messages) {
        (
            Messages::of_client(key(), Sent::nothing(), Received::first(0)),
            Messages::of_server(key(), Sent::nothing(), Received::first(0)),
        )
    }

    #[test]
    fn a_body_opened_where_it_stands_is_the_one_opened_elsewhere() {
        for length in [0, 1, 40, 1_000, 70_000] {
            for flags in [0, MORE, COMMAND] {
                let (mut client, mut server) = pair();
                let content = vec![7; length];
                for owned in [true, false, true] {
                    let mut sealed = Vec::new();
                    client.seal(flags, &content, &mut sealed).unwrap();
                    if owned {
                        let mut spoilt = sealed.clone();
                        *spoilt.last_mut().unwrap() ^= 1;
                        assert!(server.open_owned(spoilt).is_err());
                        let (found, body) = server.open_owned(sealed.clone()).unwrap();
                        assert_eq!((found, &body[..]), (flags, &content[..]));
                        assert!(server.open_owned(sealed).is_err(), "a second time");
                    } else {
                        let mut open = Vec::new();
                        assert_eq!(server.open(&sealed, &mut open), Ok(flags));
                        assert_eq!(open, content);
                    }
                }
            }
        }
    }

    #[test]
    fn after_the_last_nonce_nothing_is_sealed_any_more() {
        let (_, mut server) = pair();
        let mut client = Messages::of_client(key(), Sent::after(u64::MAX - 1), Received::first(0));
        let (mut out, mut open) = (Vec::new(), Vec::new());
        assert_eq!(client.seal(0, b"last", &mut out), Ok(()));
        for _ in 0..2 {
            let before = out.clone();
            assert_eq!(client.seal(0, b"more", &mut out), Err(Error::NoncesUsedUp));
            assert_eq!(out, before);
        }
        assert_eq!(server.open(&out, &mut open), Ok(0));
        assert_eq!(open, b"last");
        assert_eq!(
            server.open(&out, &mut open),
            Err(Misbehaved::Sequence.into())
        );
    }

    #[test]
    fn a_frame_that_does_not_open_leaves_nothing_and_moves_nothing() {
        let (mut client, mut server) = pair();
        let (mut out, mut open) = (Vec::new(), vec![1, 2, 3]);
        client.seal(MORE, b"secret", &mut out).unwrap();
        let mut forged = out.clone();
        forged[15] = 200;
        assert_eq!(
            server.open(&forged, &mut open),
            Err(Misbehaved::Cryptographic.into())
        );
        assert_eq!(open, [1, 2, 3]);
        // The forged number was not believed.
        assert_eq!(server.open(&out, &mut open), Ok(MORE));
        assert_eq!(open, b"\x01\x02\x03secret");
    }
}
