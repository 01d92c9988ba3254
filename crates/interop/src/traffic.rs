//! What must be understood, passed over or refused on the wire beside plain messages (RFC 37; the rows of libzmq's own
//! behaviour), at sockets of both sides.

use std::time::Duration;

use crate::arena::{Arena, Outcome, Player, Sock, describe, fail};
use crate::cell::Cell;
use crate::dialect::{Dialect, Face, number};
use crate::wire::Wire;

type Run = fn(&mut Arena, &Sock, &mut Wire) -> Outcome;

const RUNS: [(&str, Run); 5] = [
    ("a PING is answered with its context", ping),
    (
        "a PING may stand between the frames of a message",
        ping_inside,
    ),
    ("an unknown command is passed over", unknown_command),
    ("the long form of a small frame is taken", long_form),
    ("half a message is not delivered", cut_message),
];

/// The cells.
#[must_use]
pub(crate) fn cells() -> Vec<Cell> {
    let mut cells = Vec::new();
    for player in Player::BOTH {
        for dialect in [Dialect::V3_0, Dialect::V3_1] {
            for (what, run) in RUNS {
                let name = format!("traffic/{}/{} {what}", dialect.name(), player.name());
                cells.push(Cell::new(name, move |arena| {
                    let (sock, mut wire) = meet(arena, player)?;
                    let face = |kind| Face {
                        kind,
                        id: b"",
                        number: number(kind),
                    };
                    dialect.greet(&mut wire, face("ROUTER"), face("DEALER"))?;
                    run(arena, &sock, &mut wire)
                }));
            }
        }
    }
    for (what, octets, shared) in refused() {
        for player in Player::BOTH {
            if shared || player == Player::Ours {
                let octets = octets.clone();
                let name = format!("refused/{} {what}", player.name());
                cells.push(Cell::new(name, move |arena| {
                    let (_sock, mut wire) = meet(arena, player)?;
                    wire.say(&octets)?;
                    wire.hear_end()
                }));
            }
        }
    }
    cells
}

fn meet(arena: &mut Arena, player: Player) -> Outcome<(Sock, Wire)> {
    let sock = arena.open(player, "DEALER")?;
    arena.monitor(&sock)?;
    let wire = Wire::join(arena, &sock, true)?;
    Ok((sock, wire))
}

/// A command frame.
fn command(name: &str, data: &[u8]) -> Vec<u8> {
    let length = |octets: usize| u8::try_from(octets).unwrap_or_default();
    let (name_length, size) = (length(name.len()), length(1 + name.len() + data.len()));
    [&[4, size, name_length], name.as_bytes(), data].concat()
}

fn ping(_: &mut Arena, _: &Sock, wire: &mut Wire) -> Outcome {
    for context in [&b""[..], b"ctx", b"sixteen octets 16"[..16].as_ref()] {
        wire.say(&command("PING", &[&[0, 0], context].concat()))?;
        wire.hear("PONG", &command("PONG", context))?;
    }
    Ok(())
}

/// libzmq puts its PING before the next frame, not before the next message.
fn ping_inside(arena: &mut Arena, sock: &Sock, wire: &mut Wire) -> Outcome {
    let ping = command("PING", &[0, 0]);
    wire.say(&[b"\x01\x01a", &ping[..], b"\x00\x01b"].concat())?;
    wire.hear("PONG", &command("PONG", b""))?;
    arena.expect(sock, &[b"a".to_vec(), b"b".to_vec()])
}

fn unknown_command(arena: &mut Arena, sock: &Sock, wire: &mut Wire) -> Outcome {
    wire.say(&command("FOO", b"bar"))?;
    wire.say(b"\x00\x02hi")?;
    arena.expect(sock, &[b"hi".to_vec()])
}

fn long_form(arena: &mut Arena, sock: &Sock, wire: &mut Wire) -> Outcome {
    wire.say(b"\x02\0\0\0\0\0\0\0\x03abc")?;
    arena.expect(sock, &[b"abc".to_vec()])
}

fn cut_message(arena: &mut Arena, sock: &Sock, wire: &mut Wire) -> Outcome {
    wire.say(b"\x00\x05whole\x01\x03cut")?;
    wire.finish()?;
    arena.expect(sock, &[b"whole".to_vec()])?;
    arena.event(sock, "DISCONNECTED")?;
    match arena.try_recv(sock, Duration::from_millis(20))? {
        Err(_) => Ok(()),
        Ok(frames) => fail(format!("received half a message: {}", describe(&frames))),
    }
}

/// What must end the connection, and whether libzmq does it as well: it takes strangers for 1.0 peers and keeps them, and
/// after ERROR it waits for the handshake timer.
fn refused() -> Vec<(&'static str, Vec<u8>, bool)> {
    let greeting = |mechanism: &[u8]| {
        let mut octets = b"\xff\0\0\0\0\0\0\0\0\x7f\x03\x01".to_vec();
        octets.extend_from_slice(mechanism);
        octets.resize(64, 0);
        octets
    };
    let after = |octets: Vec<u8>| [greeting(b"NULL"), octets].concat();
    let ready = |kind: &[u8]| command("READY", &[b"\x0bSocket-Type\0\0\0\x03", kind].concat());
    vec![
        ("another mechanism", greeting(b"PLAIN"), true),
        ("an incompatible type", after(ready(b"PUB")), true),
        ("an unknown type", after(ready(b"FOO")), true),
        ("a READY that is cut short", after(ready(b"RE")), true),
        (
            "a message before READY",
            after(b"\x00\x02hi".to_vec()),
            true,
        ),
        ("a frame of length 0 in 1.0", b"\x01\x00\x00".to_vec(), true),
        ("ERROR", after(command("ERROR", b"\x03400")), false),
        ("HTTP", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n".to_vec(), false),
        (
            "TLS",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(),
            false,
        ),
        ("SSH", b"SSH-2.0-OpenSSH_9.2\r\n".to_vec(), false),
    ]
}
