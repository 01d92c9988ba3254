//! Whole conversations in every dialect, octet for octet, as annotated dumps.

mod scripted;

use scripted::*;
use std::fmt::Write;
use zmtp_wire::command::Command;
use zmtp_wire::header::{FrameHeader, Framing};
use zmtp_wire::{Event, Heartbeat, SessionConfig, SocketType};

/// What both sides said, in order, with what the session made of it.
struct Transcript {
    script: Script,
    framing: Framing,
    text: String,
}

impl Transcript {
    fn new(config: SessionConfig, framing: Framing) -> Self {
        let mut transcript = Self {
            script: Script::new(config),
            framing,
            text: String::new(),
        };
        transcript.listen("signature");
        transcript
    }

    /// The peer says something that is no frame.
    fn say(&mut self, what: &str, octets: &[u8]) {
        self.dump("peer", what, octets);
        let events = self.script.say(octets);
        self.note(&events);
    }

    /// The peer says frames; each is dumped on its own.
    fn say_frames(&mut self, octets: &[u8]) {
        self.frames("peer", octets);
        let events = self.script.say(octets);
        self.note(&events);
    }

    /// What the session says now, which is no frame.
    fn listen(&mut self, what: &str) {
        let octets = self.script.heard();
        self.dump("we", what, &octets);
    }

    /// The frames the session says now.
    fn listen_frames(&mut self) {
        let octets = self.script.heard();
        self.frames("we", &octets);
    }

    fn note(&mut self, events: &[Event]) {
        for event in events {
            let _ = match event {
                Event::Ready(peer) => writeln!(
                    self.text,
                    "  => Ready {:?} {:?} routing id \"{}\" {:?}",
                    peer.version,
                    peer.socket_type,
                    peer.routing_id.escape_ascii(),
                    peer.properties.iter().collect::<Vec<_>>(),
                ),
                other => writeln!(self.text, "  => {other:?}"),
            };
        }
    }

    fn frames(&mut self, who: &str, mut octets: &[u8]) {
        while !octets.is_empty() {
            let (header, length) = FrameHeader::parse(self.framing, octets).unwrap().unwrap();
            let (frame, rest) = octets.split_at(length + header.size as usize);
            let more = if header.more() { ", more follow" } else { "" };
            let what = match Command::parse(&frame[length..]) {
                Ok(command) if header.command() => name(&command),
                _ => format!("frame of {}{more}", header.size),
            };
            self.dump(who, &what, frame);
            octets = rest;
        }
    }

    fn dump(&mut self, who: &str, what: &str, octets: &[u8]) {
        let _ = writeln!(self.text, "{who}: {what}");
        let rows: Vec<&[u8]> = octets.chunks(16).collect();
        for (index, row) in rows.iter().enumerate() {
            // As hexdump does: equal rows are folded.
            if index > 0 && index + 1 < rows.len() && rows[index - 1] == *row {
                if !self.text.ends_with("*\n") {
                    self.text.push_str("     *\n");
                }
                continue;
            }
            let printable: String = row
                .iter()
                .map(|octet| {
                    if octet.is_ascii_graphic() {
                        char::from(*octet)
                    } else {
                        '.'
                    }
                })
                .collect();
            let _ = writeln!(self.text, "     {:<47}  {printable}", hex(row));
        }
    }
}

fn name(command: &Command<'_>) -> String {
    match command {
        Command::Ready(_) => "READY".into(),
        Command::Ping { ttl, context } => {
            format!("PING ttl {ttl}00 ms, {} octets of context", context.len())
        }
        Command::Pong(context) => format!("PONG, {} octets of context", context.len()),
        Command::Subscribe(topic) => format!("SUBSCRIBE \"{}\"", topic.escape_ascii()),
        Command::Cancel(topic) => format!("CANCEL \"{}\"", topic.escape_ascii()),
        other => format!("{other:?}"),
    }
}

fn dealer_me() -> SessionConfig {
    SessionConfig {
        routing_id: "ME".into(),
        ..SessionConfig::new(SocketType::Dealer)
    }
}

/// Greets as a 3.x peer does that decides as late as we do.
fn greet(transcript: &mut Transcript, minor: u8) {
    let theirs = greeting(minor);
    transcript.say("signature", &theirs[..10]);
    transcript.listen("major");
    transcript.say("major", &theirs[10..11]);
    transcript.listen("minor, mechanism, as-server, filler");
    transcript.say("minor, mechanism, as-server, filler", &theirs[11..]);
    transcript.listen_frames();
}

// spec: 37/greeting
#[test]
fn a_dealer_speaks_3_1_with_a_router() {
    let heartbeat = Some(Heartbeat {
        interval_ms: 200,
        timeout_ms: 500,
        ttl_ms: 10_000,
    });
    let mut transcript = Transcript::new(
        SessionConfig {
            heartbeat,
            ..dealer_me()
        },
        Framing::V3,
    );
    greet(&mut transcript, 1);
    transcript.say_frames(&ready_with(&[
        ("Socket-Type", b"ROUTER"),
        ("Identity", b"BOB"),
        ("X-Foo", b"bar"),
    ]));
    transcript.script.send(&[b"", b"hi"]);
    transcript.script.send(&[&[b'x'; 256]]);
    transcript.listen_frames();
    transcript.say_frames(&wire("01 00 00 05 'hello' 04 0a 04 'PING' 00 00 'ctx'"));
    transcript.listen_frames();
    transcript.script.wait(200).unwrap();
    transcript.listen_frames();
    transcript.say_frames(&wire("04 05 04 'PONG'"));
    insta::assert_snapshot!(transcript.text);
}

// spec: 37/subscribe
#[test]
fn a_subscriber_speaks_3_1_with_a_publisher() {
    let mut transcript = Transcript::new(SessionConfig::new(SocketType::Sub), Framing::V3);
    greet(&mut transcript, 1);
    transcript.say_frames(&ready("PUB"));
    transcript.script.session.subscribe(b"A");
    transcript.script.session.subscribe(b"");
    transcript.script.session.cancel(b"A");
    transcript.listen_frames();
    transcript.say_frames(&wire("00 06 'A news'"));
    insta::assert_snapshot!(transcript.text);
}

// spec: 23/greeting
#[test]
fn a_subscriber_speaks_3_0_with_a_publisher() {
    let mut transcript = Transcript::new(SessionConfig::new(SocketType::Sub), Framing::V3);
    greet(&mut transcript, 0);
    transcript.say_frames(&ready("PUB"));
    transcript.script.session.subscribe(b"A");
    transcript.script.session.cancel(b"A");
    transcript.listen_frames();
    transcript.say_frames(&wire("00 06 'A news'"));
    insta::assert_snapshot!(transcript.text);
}

// spec: 15/greeting
#[test]
fn a_dealer_speaks_2_0_with_a_router() {
    let mut transcript = Transcript::new(dealer_me(), Framing::V2);
    transcript.say("signature", &wire("ff 00 00 00 00 00 00 00 01 7f"));
    transcript.listen("major");
    transcript.say("revision 1", &wire("01"));
    transcript.listen("socket type");
    transcript.say("socket type", &wire("06"));
    transcript.listen_frames();
    transcript.say_frames(&wire("00 00"));
    transcript.script.send(&[b"", b"hi"]);
    transcript.listen_frames();
    transcript.say_frames(&wire("01 00 00 02 'hi'"));
    insta::assert_snapshot!(transcript.text);
}

// spec: 13/connection
#[test]
fn a_dealer_speaks_1_0_with_a_peer_that_knows_no_greeting() {
    let mut transcript = Transcript::new(dealer_me(), Framing::V1);
    transcript.say_frames(&wire("04 00 'BOB'"));
    transcript.listen("the rest of our routing id frame");
    transcript.script.send(&[b"", b"hi"]);
    transcript.script.send(&[&[b'x'; 254]]);
    transcript.listen_frames();
    transcript.say_frames(&wire("01 01 03 00 'hi'"));
    insta::assert_snapshot!(transcript.text);
}
