//! Sessions whose frames are sealed, with a cipher only a test would use.

mod scripted;

use scripted::*;
use zmtp_wire::command::Command;
use zmtp_wire::{
    Error, Established, Event, Mechanism, Misbehaved, Session, SessionConfig, SocketType, Step,
    Transform, Verdict,
};

/// Announces itself in one command, then seals frames: inner flags and body, each octet flipped.
#[derive(Default)]
struct Toy {
    ours: Vec<u8>,
    said: bool,
    theirs: Option<Vec<u8>>,
}

struct Flip;

impl Mechanism for Toy {
    fn name(&self) -> [u8; 20] {
        *b"TOY\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
    }
    fn as_server(&self) -> bool {
        true
    }
    fn start(&mut self, metadata: &[u8]) {
        self.ours = metadata.to_vec();
    }
    fn handle_command(&mut self, body: &[u8]) -> Result<(), Error> {
        let Command::Ready(metadata) = Command::parse(body)? else {
            return Err(Misbehaved::UnexpectedCommand.into());
        };
        self.theirs = Some(metadata.to_vec());
        Ok(())
    }
    fn poll(&mut self, out: &mut Vec<u8>) -> Step {
        if !std::mem::replace(&mut self.said, true) {
            Command::Ready(&self.ours).emit(out);
            return Step::Command;
        }
        match self.theirs.take() {
            Some(metadata) => Step::Established(Established {
                metadata,
                transform: Some(Box::new(Flip)),
            }),
            None => Step::Wait,
        }
    }
    fn handle_verdict(&mut self, _: &Verdict) {}
}

impl Transform for Flip {
    fn overhead(&self) -> usize {
        1
    }
    fn seal(&mut self, flags: u8, body: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
        out.push(!flags);
        out.extend(body.iter().map(|octet| !octet));
        Ok(())
    }
    fn open(&mut self, body: &[u8], out: &mut Vec<u8>) -> Result<u8, Error> {
        let (flags, body) = body.split_first().ok_or(Misbehaved::Cryptographic)?;
        out.extend(body.iter().map(|octet| !octet));
        if !flags & !5 != 0 {
            return Err(Misbehaved::Cryptographic.into());
        }
        Ok(!flags)
    }
}

fn sealed(flags: u8, body: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    Flip.seal(flags, body, &mut out).unwrap();
    out
}

fn in_traffic(kind: SocketType, peer: &str) -> Script {
    let session = Session::new(SessionConfig::new(kind), Box::new(Toy::default()), at(0));
    let mut script = Script { session, now: 0 };
    let mut theirs = greeting(1);
    theirs[12..16].copy_from_slice(b"TOY\0");
    let events = script.say(&[theirs, ready(peer)].concat());
    assert!(matches!(events[..], [Event::Ready(_)]));
    assert_eq!(script.heard()[32], 1, "as-server");
    script
}

// threats C3: libzmq keeps the outer flags, which anybody on the way can change.
#[test]
fn only_the_sealed_flags_count() {
    for outer in 0..8 {
        let mut script = in_traffic(SocketType::Dealer, "ROUTER");
        let said = [
            frame(outer & !2, &sealed(1, b"a")),
            frame(outer & !2, &sealed(0, &[b'b'; 300])),
        ]
        .concat();
        assert_eq!(
            messages(&script.say(&said)),
            [[b"a".to_vec(), vec![b'b'; 300]]],
            "outer flags {outer}"
        );
    }
}

#[test]
fn frames_and_commands_leave_sealed() {
    let mut script = in_traffic(SocketType::Sub, "PUB");
    script.session.subscribe(b"A");
    assert_eq!(script.heard(), frame(0, &sealed(4, b"\x09SUBSCRIBEA")));
    script.say(&frame(0, &sealed(4, b"\x04PING\0\0ctx")));
    assert_eq!(script.heard(), frame(0, &sealed(4, b"\x04PONGctx")));
    let mut script = in_traffic(SocketType::Dealer, "ROUTER");
    script.send(&[b"a", &[b'b'; 255]]);
    assert_eq!(
        script.heard(),
        [
            frame(0, &sealed(1, b"a")),
            frame(0, &sealed(0, &[b'b'; 255]))
        ]
        .concat()
    );
    assert_eq!(script.session.output_written(0), 0);
}

#[test]
fn a_frame_that_does_not_open_ends_it() {
    for body in [&b""[..], b"\x00abc"] {
        let mut script = in_traffic(SocketType::Dealer, "ROUTER");
        assert_eq!(
            script.try_say(&frame(0, body)),
            Err(Misbehaved::Cryptographic.into())
        );
    }
}

#[test]
fn units_are_sealed_too() {
    let config = SessionConfig::new(SocketType::Dealer);
    let mut session = Session::framed(config, Box::new(Toy::default()), at(0));
    assert!(session.poll_unit().is_some());
    assert!(session.poll_unit().is_none());
    let event = session
        .handle_unit(at(0), &[&[2][..], &ready("ROUTER")[2..]].concat())
        .unwrap();
    assert!(matches!(event, Some(Event::Ready(_))));
    session.send(&message(&[b"a"]));
    assert_eq!(
        session.poll_unit().unwrap(),
        [&[0][..], &sealed(0, b"a")].concat()
    );
    let event = session
        .handle_unit(at(0), &[&[0][..], &sealed(0, b"b")].concat())
        .unwrap();
    assert_eq!(event, Some(Event::Message(message(&[b"b"]))));
}
