//! Every compatible pair of types, both ways round, over both transports, with every payload.

use std::time::Duration;

use crate::arena::{Arena, Outcome, Player, Sock, Transport, WAIT, fail};
use crate::cell::Cell;

type Frames = Vec<Vec<u8>>;

/// The compatible pairs; the first one speaks first.
pub(crate) const PAIRS: [(&str, &str); 12] = [
    ("REQ", "REP"),
    ("REQ", "ROUTER"),
    ("DEALER", "REP"),
    ("DEALER", "DEALER"),
    ("DEALER", "ROUTER"),
    ("ROUTER", "ROUTER"),
    ("PUB", "SUB"),
    ("PUB", "XSUB"),
    ("XPUB", "SUB"),
    ("XPUB", "XSUB"),
    ("PUSH", "PULL"),
    ("PAIR", "PAIR"),
];

/// Messages in the payload `burst`.
const BURST: u8 = 200;

/// What is sent: each a list of messages in order.
pub(crate) fn payloads() -> Vec<(&'static str, Vec<Frames>)> {
    vec![
        ("single", vec![vec![b"hello".to_vec()]]),
        (
            "multipart",
            vec![vec![b"a".to_vec(), b"bb".to_vec(), b"ccc".to_vec()]],
        ),
        ("empty", vec![vec![vec![]]]),
        ("empty-parts", vec![vec![vec![], b"x".to_vec(), vec![]]]),
        ("255+256", vec![vec![octets(255), octets(256)]]),
        ("300", vec![vec![octets(300)]]),
        ("100-parts", vec![(0..100).map(octets).collect()]),
        ("70KiB", vec![vec![octets(70 << 10)]]),
        ("1MiB", vec![vec![octets(1 << 20), b"end".to_vec()]]),
        (
            "burst",
            (0..BURST).map(|index| vec![vec![b'm', index]]).collect(),
        ),
    ]
}

/// A frame whose octets tell their place.
pub(crate) fn octets(size: usize) -> Vec<u8> {
    (0..size).map(|index| (index % 251) as u8).collect()
}

/// The cells of all pairs over these transports.
#[must_use]
pub(crate) fn cells(transports: &[Transport]) -> Vec<Cell> {
    let mut cells = Vec::new();
    for (first, second) in PAIRS {
        for &transport in transports {
            for binder in Player::BOTH {
                for speaker in Player::BOTH {
                    if first == second && speaker == Player::Theirs {
                        continue;
                    }
                    for (payload, messages) in payloads() {
                        let name = format!(
                            "pairs/{first}-{second}/{}/{}-bind/{first}-is-{}/{payload}",
                            transport.name(),
                            binder.name(),
                            speaker.name()
                        );
                        cells.push(Cell::new(name, move |arena| {
                            let ends = open(arena, speaker, (first, second))?;
                            meet(arena, &ends, binder, transport)?;
                            converse(arena, &ends, &messages)
                        }));
                    }
                }
            }
        }
    }
    cells
}

pub(crate) fn open(
    arena: &mut Arena,
    speaker: Player,
    (first, second): (&str, &str),
) -> Outcome<[Sock; 2]> {
    let ends = [
        arena.open(speaker, first)?,
        arena.open(speaker.other(), second)?,
    ];
    if first == "ROUTER" && second == "ROUTER" {
        for (end, id) in ends.iter().zip(["one", "two"]) {
            arena.set(end, "ROUTING_ID", id)?;
            arena.set(end, "ROUTER_MANDATORY", 1)?;
        }
    }
    Ok(ends)
}

fn meet(arena: &mut Arena, ends: &[Sock; 2], binder: Player, transport: Transport) -> Outcome {
    meet_through(arena, ends, (binder, transport), |_| Ok(()))
}

/// Joins the ends, lets `gate` do what must be done before they are let in, and waits for their subscriptions.
pub(crate) fn meet_through(
    arena: &mut Arena,
    ends: &[Sock; 2],
    (binder, transport): (Player, Transport),
    gate: impl FnOnce(&mut Arena) -> Outcome,
) -> Outcome {
    let [first, second] = ends;
    let (bound, connected) = if first.player == binder {
        (first, second)
    } else {
        (second, first)
    };
    if ["SUB", "XSUB"].contains(&second.kind.as_str()) {
        arena.subscribe(second, b"")?;
    }
    arena.join(bound, connected, transport)?;
    gate(arena)?;
    match first.kind.as_str() {
        "XPUB" => arena.expect(first, &[vec![1]]),
        "PUB" => await_subscription(arena, first, second, b""),
        _ => Ok(()),
    }
}

/// A PUB does not tell when a subscription has arrived: asks until the first message comes through, then clears the rest.
pub(crate) fn await_subscription(
    arena: &mut Arena,
    publisher: &Sock,
    subscriber: &Sock,
    topic: &[u8],
) -> Outcome {
    let message = |word: &[u8]| vec![[topic, word].concat()];
    let started = std::time::Instant::now();
    loop {
        arena.send(publisher, &message(b"probe"))?;
        match arena.try_recv(subscriber, Duration::from_millis(20))? {
            Ok(_) => break,
            Err(_) if started.elapsed() < WAIT => {}
            Err(code) => return fail(format!("no subscription: {} {code}", subscriber.kind)),
        }
    }
    arena.send(publisher, &message(b"go"))?;
    while arena.recv(subscriber)? != message(b"go") {}
    Ok(())
}

/// The frames an application hands to `sender` so that `receiver` gets `body`; `id` is what a ROUTER calls its peer.
fn outgoing(sender: &Sock, receiver: &Sock, (id, body): (&[u8], &Frames)) -> Frames {
    let mut frames = match (sender.kind.as_str(), receiver.kind.as_str()) {
        ("DEALER", "REP") => vec![vec![]],
        ("ROUTER", "REQ") => vec![id.to_vec(), vec![]],
        ("ROUTER", _) => vec![id.to_vec()],
        _ => vec![],
    };
    frames.extend_from_slice(body);
    frames
}

/// Receives `body` behind the envelope of the pair; returns the id a ROUTER puts in front.
fn take(arena: &mut Arena, receiver: &Sock, sender: &Sock, body: &Frames) -> Outcome<Vec<u8>> {
    let mut met = arena.recv(receiver)?;
    let id = if receiver.kind == "ROUTER" {
        met.remove(0)
    } else {
        Vec::new()
    };
    let delimiter = matches!(
        (receiver.kind.as_str(), sender.kind.as_str()),
        ("ROUTER", "REQ") | ("DEALER", "REP")
    );
    if delimiter && (met.is_empty() || !met.remove(0).is_empty()) {
        return fail(format!("{} received no delimiter", receiver.kind));
    }
    if met != *body {
        let (met, body) = (crate::arena::describe(&met), crate::arena::describe(body));
        return fail(format!(
            "{} {} received {met} instead of {body}",
            receiver.player.name(),
            receiver.kind
        ));
    }
    Ok(id)
}

/// A ROUTER that dials learns its peer's id from the handshake: asks until it has.
fn send_when_known(arena: &mut Arena, router: &Sock, frames: &Frames) -> Outcome {
    let started = std::time::Instant::now();
    loop {
        match arena.try_send(router, frames, WAIT)? {
            Ok(()) => return Ok(()),
            Err(code) if code == "EHOSTUNREACH" && started.elapsed() < WAIT => {
                // Also lets libzmq, which learns about peers on the caller's thread, look at its mailbox.
                let _ = arena.try_recv(router, Duration::from_millis(5))?;
            }
            Err(code) => return fail(format!("{} ROUTER send: {code}", router.player.name())),
        }
    }
}

pub(crate) fn converse(arena: &mut Arena, ends: &[Sock; 2], messages: &[Frames]) -> Outcome {
    let [first, second] = ends;
    let one_way = ["PUB", "XPUB", "PUSH"].contains(&first.kind.as_str());
    let in_turn = first.kind == "REQ" || second.kind == "REP";
    let two: &[u8] = b"two";
    if in_turn {
        for body in messages {
            arena.send(first, &outgoing(first, second, (two, body)))?;
            let id = take(arena, second, first, body)?;
            arena.send(second, &outgoing(second, first, (&id, body)))?;
            take(arena, first, second, body)?;
        }
        return Ok(());
    }
    for body in messages {
        let frames = outgoing(first, second, (two, body));
        if first.kind == "ROUTER" {
            send_when_known(arena, first, &frames)?;
        } else {
            arena.send(first, &frames)?;
        }
    }
    let mut id = Vec::new();
    for body in messages {
        id = take(arena, second, first, body)?;
    }
    if !one_way {
        for body in messages {
            arena.send(second, &outgoing(second, first, (&id, body)))?;
        }
        for body in messages {
            take(arena, first, second, body)?;
        }
    }
    Ok(())
}
