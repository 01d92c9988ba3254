//! ZMTP 3 as octets (RFC 37), written and read by other means than those that are judged.

use std::ops::Range;

use zmtp_wire::Message;

use super::choices::bodies;

const GREETING: usize = 64;

pub(super) fn greeting(minor: u8) -> Vec<u8> {
    let mut octets = vec![0xFF, 0, 0, 0, 0, 0, 0, 0, 1, 0x7F, 3, minor];
    octets.extend_from_slice(b"NULL");
    octets.resize(GREETING, 0);
    octets
}

fn frame(flags: u8, body: &[u8], into: &mut Vec<u8>) {
    match u8::try_from(body.len()) {
        Ok(length) => into.extend_from_slice(&[flags, length]),
        Err(_) => {
            into.push(flags | 2);
            into.extend_from_slice(&(body.len() as u64).to_be_bytes());
        }
    }
    into.extend_from_slice(body);
}

pub(super) fn command(name: &str, data: &[u8]) -> Vec<u8> {
    let mut body = vec![u8::try_from(name.len()).unwrap_or(0)];
    body.extend_from_slice(name.as_bytes());
    body.extend_from_slice(data);
    let mut octets = Vec::new();
    frame(4, &body, &mut octets);
    octets
}

pub(super) fn ready(socket_type: &str, identity: &[u8]) -> Vec<u8> {
    let mut data = Vec::new();
    for (name, value) in [
        ("Socket-Type", socket_type.as_bytes()),
        ("Identity", identity),
    ] {
        data.push(u8::try_from(name.len()).unwrap_or(0));
        data.extend_from_slice(name.as_bytes());
        data.extend_from_slice(&u32::try_from(value.len()).unwrap_or(0).to_be_bytes());
        data.extend_from_slice(value);
    }
    command("READY", &data)
}

/// A message behind the frames of its envelope.
pub(super) fn message(envelope: &[Vec<u8>], message: &Message) -> Vec<u8> {
    let bodies = envelope
        .iter()
        .map(Vec::as_slice)
        .chain(bodies(message))
        .collect::<Vec<_>>();
    let mut octets = Vec::new();
    for (place, body) in bodies.iter().enumerate() {
        frame(u8::from(place + 1 < bodies.len()), body, &mut octets);
    }
    octets
}

/// Reads one direction of a connection of ZMTP 3.
#[derive(Default)]
pub(super) struct Hearing {
    octets: Vec<u8>,
    greeted: bool,
    /// Commands that nobody knows are welcome.
    lenient: bool,
    /// The first command has come.
    pub(super) ready: bool,
    /// Where in `octets` the frames of a message are that has not ended.
    parts: Vec<Range<usize>>,
    /// How far `octets` was read.
    at: usize,
    /// Whole messages.
    pub(super) messages: u64,
}

impl Hearing {
    pub(super) fn lenient() -> Hearing {
        Hearing {
            lenient: true,
            ..Hearing::default()
        }
    }

    /// Takes octets in, and gives the frames of each whole message to `tell`.
    pub(super) fn hear(
        &mut self,
        octets: &[u8],
        mut tell: impl FnMut(&[&[u8]]),
    ) -> Result<(), String> {
        self.octets.extend_from_slice(octets);
        if !self.greeted {
            self.greet()?;
        }
        while self.greeted
            && let Some((flags, body)) = self.next_frame()?
        {
            self.at = body.end;
            let octets = &self.octets[body.clone()];
            if flags & 4 != 0 {
                if !self.lenient || !self.ready {
                    obey(octets, self.ready, self.parts.is_empty())?;
                }
                self.ready = true;
                continue;
            }
            if !self.ready {
                return Err("a message before READY".to_owned());
            }
            self.parts.push(body);
            if flags & 1 == 0 {
                let parts = self.parts.drain(..);
                let frames: Vec<&[u8]> = parts.map(|part| &self.octets[part]).collect();
                self.messages += 1;
                tell(&frames);
            }
        }
        if self.parts.is_empty() && self.greeted {
            self.octets.drain(..self.at);
            self.at = 0;
        }
        Ok(())
    }

    fn greet(&mut self) -> Result<(), String> {
        let met = &self.octets[..self.octets.len().min(GREETING)];
        let right = |place: usize, octet: u8| match place {
            0 => octet == 0xFF,
            9 => octet == 0x7F,
            10 => octet == 3,
            11 => octet <= 1,
            12..16 => octet == b"NULL"[place - 12],
            16.. => octet == 0,
            _ => true,
        };
        let wrong = met
            .iter()
            .enumerate()
            .find(|(place, octet)| !right(*place, **octet));
        if let Some((place, octet)) = wrong {
            return Err(format!("octet {place} of the greeting is {octet}"));
        }
        self.greeted = met.len() == GREETING;
        self.at = if self.greeted { GREETING } else { 0 };
        Ok(())
    }

    fn next_frame(&self) -> Result<Option<(u8, Range<usize>)>, String> {
        let rest = &self.octets[self.at..];
        let Some(flags) = rest.first().copied() else {
            return Ok(None);
        };
        if flags & !7 != 0 || flags & 5 == 5 {
            return Err(format!("flags {flags}"));
        }
        let (header, length) = if flags & 2 == 0 {
            (2, rest.get(1).map(|length| u64::from(*length)))
        } else {
            let long = rest.get(1..9).and_then(|long| long.try_into().ok());
            (9, long.map(u64::from_be_bytes))
        };
        let Some(length) = length else {
            return Ok(None);
        };
        if length > 1 << 32 {
            return Err(format!("a frame of {length} octets"));
        }
        let begin = self.at + header;
        let end = begin + usize::try_from(length).unwrap_or(usize::MAX);
        Ok((end <= self.octets.len()).then_some((flags, begin..end)))
    }
}

/// Looks at a command.
fn obey(body: &[u8], ready: bool, alone: bool) -> Result<(), String> {
    let known: &[&[u8]] = if ready {
        &[b"SUBSCRIBE", b"CANCEL", b"PING", b"PONG", b"ERROR"]
    } else {
        &[b"READY", b"ERROR"]
    };
    let name = body
        .split_first()
        .and_then(|(length, rest)| rest.get(..usize::from(*length)));
    if !name.is_some_and(|name| known.contains(&name)) {
        return Err(format!("the command {}", body.escape_ascii()));
    }
    if !alone {
        return Err("a command within a message".to_owned());
    }
    Ok(())
}
