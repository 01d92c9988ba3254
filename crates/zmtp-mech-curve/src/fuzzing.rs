//! What must hold for any octets at all; called by the fuzz target.

use crate::{Client, KeyPair, SecretKey, Server, z85};
use alloc::vec::Vec;
use core::convert::Infallible;
use zmtp_wire::{Credentials, Established, Mechanism, Step, Transform, Verdict};

const OF_CLIENT: &[u8] = b"\x0bSocket-Type\0\0\0\x04PUSH";
const OF_SERVER: &[u8] = b"\x0bSocket-Type\0\0\0\x04PULL";
const HELLO: &[u8] = b"\x05HELLO";
/// HELLO has this much padding behind its name and version, which counts for nothing.
const PADDING: core::ops::Range<usize> = 8..80;

/// A handshake and a few frames between honest peers, with somebody on the line who changes, replaces, repeats or drops what they say: who
/// comes in is who it says it is, nothing forged is delivered, and nothing twice.
pub fn curve(data: &[u8]) {
    let mut line = Line {
        script: data,
        tainted: false,
    };
    let (Ok(mut client), Ok(mut server)) = (
        Client::new(pair(1), pair(2).public(), fill(3)),
        Server::new(pair(2), fill(4)),
    );
    server = server.with_authentication(true);
    client.start(OF_CLIENT);
    server.start(OF_SERVER);
    let (mut of_client, mut of_server) = (None, None);
    // HELLO and WELCOME, INITIATE and READY, and what follows.
    for _ in 0..3 {
        if !speak(&mut client, &mut server, &mut line, &mut of_client) {
            return;
        }
        if !speak(&mut server, &mut client, &mut line, &mut of_server) {
            return;
        }
    }
    if let (Some(client), Some(server)) = (of_client, of_server) {
        assert_eq!(client.metadata, OF_SERVER);
        assert_eq!(server.metadata, OF_CLIENT);
        if let (Some(mut client), Some(mut server)) = (client.transform, server.transform) {
            exchange(&mut *client, &mut *server, &mut line);
            exchange(&mut *server, &mut *client, &mut line);
        }
    }
}

/// Lets one side say what it has to say; false when a side has failed.
fn speak(
    from: &mut dyn Mechanism,
    to: &mut dyn Mechanism,
    line: &mut Line<'_>,
    ended: &mut Option<Established>,
) -> bool {
    while ended.is_none() {
        let mut body = Vec::new();
        match from.poll(&mut body) {
            Step::Command => {
                let carried = line.carry(&body);
                let heard = to.handle_command(&carried);
                // The top bit of a key counts for nothing in the box of HELLO; the vouch shows that it was changed.
                assert!(heard.is_err() || !line.tainted || body.starts_with(HELLO));
                if heard.is_err() {
                    assert!(matches!(to.poll(&mut Vec::new()), Step::Failed(_)));
                    return false;
                }
            }
            Step::Authenticate(credentials) => {
                assert!(!line.tainted);
                let public_key = *pair(1).public().as_octets();
                assert_eq!(credentials, Credentials::Curve { public_key });
                from.handle_verdict(&Verdict::accept());
            }
            Step::Established(established) => {
                assert!(!line.tainted);
                *ended = Some(established);
            }
            Step::Failed(_) => return false,
            _ => break,
        }
    }
    true
}

/// Frames from one side to the other, of lengths around those where another cipher seals, or opens.
fn exchange(from: &mut dyn Transform, to: &mut dyn Transform, line: &mut Line<'_>) {
    let frames: [&[u8]; 7] = [
        b"one", b"", b"three", &[7; 95], &[7; 96], &[7; 159], &[7; 160],
    ];
    for frame in frames {
        let (mut sealed, mut open) = (Vec::new(), Vec::new());
        if from.seal(1, frame, &mut sealed).is_err() {
            return;
        }
        let carried = line.carry(&sealed);
        match to.open(&carried, &mut open) {
            Ok(flags) => {
                assert!(carried == sealed && flags == 1 && open == frame);
                assert!(to.open(&carried, &mut open).is_err());
                assert_eq!(open, frame);
            }
            Err(_) => {
                assert!(carried != sealed && open.is_empty());
                // What was forged has not moved the window.
                assert_eq!(to.open(&sealed, &mut open), Ok(1));
            }
        }
    }
}

/// Whether something was changed that counts.
fn differs(sent: &[u8], carried: &[u8]) -> bool {
    let mut pairs = sent.iter().zip(carried).enumerate();
    let counts = |at: usize| !(sent.starts_with(HELLO) && PADDING.contains(&at));
    sent.len() != carried.len() || pairs.any(|(at, (sent, carried))| sent != carried && counts(at))
}

/// Somebody on the line, led by a script.
struct Line<'a> {
    script: &'a [u8],
    /// Something was changed that counts.
    tainted: bool,
}

impl<'a> Line<'a> {
    fn take(&mut self, most: usize) -> &'a [u8] {
        let (taken, rest) = self.script.split_at(self.script.len().min(most));
        self.script = rest;
        taken
    }

    fn octet(&mut self) -> u8 {
        self.take(1).first().copied().unwrap_or(0)
    }

    fn carry(&mut self, body: &[u8]) -> Vec<u8> {
        let mut carried = body.to_vec();
        match self.octet() {
            // One octet changed.
            1 => {
                let at = usize::from(self.octet());
                let change = self.octet();
                if let Some(octet) = carried.get_mut(at) {
                    *octet ^= change;
                }
            }
            2 => {
                let cut = usize::from(self.octet());
                carried.truncate(carried.len().saturating_sub(cut));
            }
            3 => {
                let more = self.octet();
                carried.extend_from_slice(self.take(usize::from(more)));
            }
            4 => {
                let length = self.octet();
                carried = self.take(usize::from(length)).to_vec();
            }
            // The start kept, the rest made up.
            5 => {
                let kept = usize::from(self.octet());
                carried.truncate(kept);
                let more = self.octet();
                carried.extend_from_slice(self.take(usize::from(more)));
            }
            _ => {}
        }
        self.tainted |= differs(body, &carried);
        carried
    }
}

/// Text as keys: what is read prints the same.
pub fn keys(data: &[u8]) {
    let Ok(text) = core::str::from_utf8(data) else {
        return;
    };
    if let Ok(octets) = z85::decode(text) {
        assert_eq!(z85::encode(&octets).as_deref(), Ok(text));
    }
    if let Ok(key) = text.parse::<SecretKey>() {
        assert_eq!(*key.to_z85(), text);
    }
}

fn pair(seed: u8) -> KeyPair {
    SecretKey::from_octets([seed; 32]).into()
}

fn fill(seed: u8) -> impl FnOnce(&mut [u8]) -> Result<(), Infallible> {
    move |octets| {
        octets.fill(seed);
        Ok(())
    }
}
