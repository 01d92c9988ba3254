//! Frames after the handshake, as somebody on the wire may change them.

mod fixed;
mod forge;
mod wired;

use fixed::{CLIENT_METADATA, INITIATE, MESSAGE_HELLO, MESSAGE_PART, READY, octets};
use wired::{NOW, config, heard, joined, said};
use zmtp_wire::{
    CommandName, Error, Event, Mechanism, Message, Misbehaved, Session, SocketType, Step, Transform,
};

const FORGED: Error = Error::Misbehaved(Misbehaved::Cryptographic);
const SEQUENCE: Error = Error::Misbehaved(Misbehaved::Sequence);
const MALFORMED: Error = Error::Misbehaved(Misbehaved::Malformed(CommandName::Message));

/// The server's end of the fixed conversation.
fn server() -> Box<dyn Transform> {
    let mut server = fixed::server();
    server.handle_command(&octets(fixed::HELLO)).unwrap();
    server.poll(&mut Vec::new());
    server.handle_command(&octets(INITIATE)).unwrap();
    server.poll(&mut Vec::new());
    transform(&mut server)
}

/// The client's end.
fn client() -> Box<dyn Transform> {
    let mut client = fixed::client();
    client.start(&octets(CLIENT_METADATA));
    client.poll(&mut Vec::new());
    client.handle_command(&octets(fixed::WELCOME)).unwrap();
    client.poll(&mut Vec::new());
    client.handle_command(&octets(READY)).unwrap();
    transform(&mut client)
}

fn transform(mechanism: &mut dyn Mechanism) -> Box<dyn Transform> {
    match mechanism.poll(&mut Vec::new()) {
        Step::Established(established) => established.transform.unwrap(),
        _ => panic!("not established"),
    }
}

fn open(transform: &mut dyn Transform, body: &[u8]) -> Result<(u8, Vec<u8>), Error> {
    let mut out = Vec::new();
    let opened = transform.open(body, &mut out);
    assert!(opened.is_ok() || out.is_empty());
    opened.map(|flags| (flags, out))
}

#[test]
fn a_message_cut_longer_or_changed_anywhere_is_refused() {
    let message = octets(MESSAGE_HELLO);
    for cut in 0..message.len() {
        let met = open(&mut *server(), &message[..cut]);
        match cut {
            0..8 => assert_eq!(met, Err(Misbehaved::UnexpectedCommand.into())),
            8..33 => assert_eq!(met, Err(MALFORMED)),
            _ => assert_eq!(met, Err(FORGED)),
        }
    }
    let longer = [&message[..], b"\0"].concat();
    assert_eq!(open(&mut *server(), &longer), Err(FORGED));
    for at in 0..message.len() {
        for bit in 0..8 {
            let mut body = message.clone();
            body[at] ^= 1 << bit;
            assert!(open(&mut *server(), &body).is_err(), "bit {bit} at {at}");
        }
    }
}

// spec: 26/nonce-rises, 26/nonce-gaps
#[test]
fn a_message_comes_once_and_after_those_before_it() {
    let (mut server, honest) = (server(), |counter| forge::message(b'C', counter, b"\0x"));
    assert_eq!(
        open(&mut *server, &octets(MESSAGE_HELLO)).unwrap().1,
        b"hello"
    );
    for (counter, fine) in [
        (3, false),
        (2, false),
        (0, false),
        (4, true),
        (4, false),
        (1000, true),
        (999, false),
        (5, false),
        (u64::MAX, true),
        (u64::MAX, false),
        (0, false),
    ] {
        let met = open(&mut *server, &honest(counter));
        assert_eq!(
            met,
            if fine {
                Ok((0, b"x".to_vec()))
            } else {
                Err(SEQUENCE)
            },
            "{counter}"
        );
    }
}

#[test]
fn the_numbers_of_the_handshake_count_for_messages() {
    for counter in [0, 1, 2] {
        let early = forge::message(b'C', counter, b"\0x");
        assert_eq!(open(&mut *server(), &early), Err(SEQUENCE));
    }
    assert!(open(&mut *server(), &forge::message(b'C', 3, b"\0x")).is_ok());
    for counter in [0, 1] {
        let early = forge::message(b'S', counter, b"\0x");
        assert_eq!(open(&mut *client(), &early), Err(SEQUENCE));
    }
    assert!(open(&mut *client(), &forge::message(b'S', 2, b"\0x")).is_ok());
}

#[test]
fn what_a_side_said_does_not_open_when_it_comes_back() {
    let (mut client, mut server) = (client(), server());
    for end in [&mut client, &mut server] {
        let mut own = Vec::new();
        for _ in 0..3 {
            own.clear();
            end.seal(0, b"mirror", &mut own).unwrap();
        }
        assert_eq!(open(&mut **end, &own), Err(FORGED));
    }
    assert_eq!(open(&mut *client, &octets(MESSAGE_HELLO)), Err(FORGED));
    assert_eq!(open(&mut *server, &octets(MESSAGE_PART)), Err(SEQUENCE));
}

#[test]
fn flags_without_a_meaning_are_passed_over() {
    for (inside, flags) in [(0xfc, 0), (0xfd, 1), (0xfe, 4), (2, 4), (1, 1), (4, 0)] {
        let body = forge::message(b'C', 3, &[inside, b'x']);
        assert_eq!(open(&mut *server(), &body), Ok((flags, b"x".to_vec())));
    }
    // A box without flags.
    assert_eq!(
        open(&mut *server(), &forge::message(b'C', 3, b"")),
        Err(MALFORMED)
    );
}

/// A client, a server, and the frame of the client's first message: header, body.
fn sent() -> (Session, [u8; 2], Vec<u8>) {
    let (mut push, pull) = joined(config(SocketType::Push), config(SocketType::Pull));
    push.send(&Message::from("hello"));
    let octets = said(&mut push);
    let (header, body) = octets.split_at(2);
    (pull, header.try_into().unwrap(), body.to_vec())
}

// spec: 26/message-flags-inside
#[test]
fn the_flags_of_the_frame_outside_count_for_nothing() {
    let hello = [Event::Message(Message::from("hello"))];
    // MORE and COMMAND as libzmq and RFC 26 may send them, or anybody on the wire.
    for outer in [0x00, 0x01, 0x04] {
        let (mut pull, header, body) = sent();
        assert_eq!(header, [0, 38]);
        let frame = [&[outer, 38], &body[..]].concat();
        assert_eq!(heard(&mut pull, &frame).unwrap(), hello, "{outer:02x}");
    }
    for outer in [0x02, 0x03, 0x06] {
        let (mut pull, _, body) = sent();
        let frame = [&[outer, 0, 0, 0, 0, 0, 0, 0, 38], &body[..]].concat();
        assert_eq!(heard(&mut pull, &frame).unwrap(), hello, "{outer:02x}");
    }
}

#[test]
fn a_frame_replayed_swapped_or_in_the_clear_ends_the_session() {
    let (mut push, mut pull) = joined(config(SocketType::Push), config(SocketType::Pull));
    push.send(&Message::from("one"));
    let one = said(&mut push);
    push.send(&Message::from("two"));
    let two = said(&mut push);
    assert_eq!(
        heard(&mut pull, &two).unwrap(),
        [Event::Message(Message::from("two"))]
    );
    assert_eq!(heard(&mut pull, &one), Err(SEQUENCE));
    // It stays ended, whatever comes.
    push.send(&Message::from("three"));
    let three = said(&mut push);
    assert_eq!(heard(&mut pull, &three), Err(SEQUENCE));

    for (clear, error) in [
        (&b"\x00\x05hello"[..], Misbehaved::UnexpectedCommand),
        (b"\x04\x0a\x05ERROR\x03400", Misbehaved::UnexpectedCommand),
        (b"\x04\x07\x04PING\0\0", Misbehaved::UnexpectedCommand),
        (b"\x00\x00", Misbehaved::UnexpectedCommand),
    ] {
        let (_, mut pull) = joined(config(SocketType::Push), config(SocketType::Pull));
        assert_eq!(heard(&mut pull, clear), Err(error.into()));
        assert_eq!(said(&mut pull), b"", "no word to a stranger");
    }
}

#[test]
fn a_ping_too_short_to_be_one_is_answered_by_nothing() {
    let (mut push, mut pull) = joined(config(SocketType::Push), config(SocketType::Pull));
    let body = forge::message(b'C', 3, b"\x02\x04PING");
    let frame = [&[0, body.len() as u8], &body[..]].concat();
    let refused = Misbehaved::Malformed(CommandName::Ping).into();
    assert_eq!(heard(&mut pull, &frame), Err(refused));
    assert_eq!(said(&mut pull), b"");
    push.handle_timeout(NOW).unwrap();
}
