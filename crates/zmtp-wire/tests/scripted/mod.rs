//! A peer that follows a script: says octets, expects octets, all in one thread and without a clock.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test binary uses a part of it"
)]

use zmtp_mech_null::Null;
use zmtp_wire::{Error, Event, Message, Session, SessionConfig, SocketType, Time, Version};

pub fn at(millis: u64) -> Time {
    Time::from_millis(millis)
}

/// Octets written as text: pairs of hex digits, or 'quoted' text; blanks do not count.
pub fn wire(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    for (index, part) in text.split('\'').enumerate() {
        if index % 2 == 1 {
            out.extend_from_slice(part.as_bytes());
            continue;
        }
        let digits: Vec<u8> = part
            .bytes()
            .filter(|octet| !octet.is_ascii_whitespace())
            .collect();
        for pair in digits.chunks(2) {
            out.push(u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap());
        }
    }
    out
}

pub fn hex(octets: &[u8]) -> String {
    octets
        .iter()
        .map(|octet| format!("{octet:02x}"))
        .collect::<Vec<_>>()
        .join(" ")
}

/// The 64 octets of a NULL greeting.
pub fn greeting(minor: u8) -> Vec<u8> {
    let mut out = wire("ff 00 00 00 00 00 00 00 01 7f 03");
    out.push(minor);
    out.extend_from_slice(b"NULL");
    out.resize(64, 0);
    out
}

/// READY with these properties, as a frame.
pub fn ready_with(properties: &[(&str, &[u8])]) -> Vec<u8> {
    let mut body = b"\x05READY".to_vec();
    for (name, value) in properties {
        body.push(name.len() as u8);
        body.extend_from_slice(name.as_bytes());
        body.extend_from_slice(&(value.len() as u32).to_be_bytes());
        body.extend_from_slice(value);
    }
    command(&body)
}

/// READY of that socket type, as a frame.
pub fn ready(socket_type: &str) -> Vec<u8> {
    ready_with(&[("Socket-Type", socket_type.as_bytes())])
}

/// A command frame.
pub fn command(body: &[u8]) -> Vec<u8> {
    frame(4, body)
}

/// A frame of 3.x.
pub fn frame(flags: u8, body: &[u8]) -> Vec<u8> {
    let mut out = match u8::try_from(body.len()) {
        Ok(short) => vec![flags, short],
        Err(_) => [&[flags | 2][..], &(body.len() as u64).to_be_bytes()].concat(),
    };
    out.extend_from_slice(body);
    out
}

/// The session under test, and the peer's script.
pub struct Script {
    pub session: Session,
    pub now: u64,
}

impl Script {
    pub fn new(config: SessionConfig) -> Self {
        Self {
            session: Session::new(config, Box::new(Null::new()), at(0)),
            now: 0,
        }
    }

    pub fn of(socket_type: SocketType) -> Self {
        Self::new(SessionConfig::new(socket_type))
    }

    pub fn asking(config: SessionConfig) -> Self {
        Self {
            session: Session::new(
                config,
                Box::new(Null::new().with_authentication(true)),
                at(0),
            ),
            now: 0,
        }
    }

    /// In traffic with a peer of that version and type; what the session said until then is dropped.
    pub fn ready(config: SessionConfig, version: Version, peer: &str) -> Self {
        let mut script = Self::new(config);
        let minor = u8::from(version == Version::V3_1);
        script.say(&[greeting(minor), ready(peer)].concat());
        assert!(script.session.in_traffic());
        script.heard();
        script
    }

    /// The peer says this; all events it leads to.
    pub fn say(&mut self, octets: &[u8]) -> Vec<Event> {
        self.try_say(octets).unwrap()
    }

    pub fn try_say(&mut self, mut octets: &[u8]) -> Result<Vec<Event>, Error> {
        let mut events = Vec::new();
        while let Some(event) = self.session.handle_input(at(self.now), &mut octets)? {
            events.push(event);
        }
        assert!(octets.is_empty(), "None means that all input is eaten");
        Ok(events)
    }

    /// What the session said since it was last asked.
    pub fn heard(&mut self) -> Vec<u8> {
        let octets: Vec<u8> = self.session.output_chunks().flatten().copied().collect();
        assert_eq!(octets.len(), self.session.output_len());
        self.session.output_written(octets.len());
        octets
    }

    #[track_caller]
    pub fn expect(&mut self, text: &str) {
        assert_eq!(hex(&self.heard()), hex(&wire(text)));
    }

    pub fn send(&mut self, frames: &[&[u8]]) {
        self.session.send(&message(frames));
    }

    /// Time passes.
    pub fn wait(&mut self, millis: u64) -> Result<(), Error> {
        self.now += millis;
        self.session.handle_timeout(at(self.now))
    }
}

pub fn message(frames: &[&[u8]]) -> Message {
    frames.iter().copied().collect()
}

/// The frames of the messages among these events.
pub fn messages(events: &[Event]) -> Vec<Vec<Vec<u8>>> {
    events
        .iter()
        .filter_map(|event| match event {
            Event::Message(message) => Some(
                message
                    .frames()
                    .iter()
                    .map(|frame| frame.to_vec())
                    .collect(),
            ),
            _ => None,
        })
        .collect()
}
