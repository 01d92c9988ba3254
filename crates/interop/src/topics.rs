//! Subscriptions: counting, removing, many, long ones, and what an XPUB tells.

use std::time::Duration;

use crate::arena::{Arena, Outcome, Player, Sock, Transport, fail};
use crate::cell::Cell;
use crate::guard::{Guard, Handler};
use crate::pairs::octets;

/// Subscriptions of one subscriber in the cell `many`.
const MANY: usize = 2000;

type Run = fn(&mut Arena, &Sock, &Sock, &Gate) -> Outcome;

/// The cells.
#[must_use]
pub(crate) fn cells() -> Vec<Cell> {
    cells_behind(Guard::Null)
}

/// The cells, where the publisher is the server.
#[must_use]
pub(crate) fn secured() -> Vec<Cell> {
    let behind = |guard: Guard| {
        let cells = cells_behind(guard).into_iter();
        cells.map(move |cell| cell.under(guard.name()))
    };
    behind(Guard::Plain).chain(behind(Guard::Curve)).collect()
}

fn cells_behind(guard: Guard) -> Vec<Cell> {
    let tries: [(&str, Run); 8] = [
        ("many", many),
        ("unsubscribe", unsubscribe),
        ("counted-at-the-subscriber", counted),
        ("long-topics", long_topics),
        ("closing-takes-back", closing_takes_back),
        ("before-connect", before_connect),
        ("verbose", verbose),
        ("welcome", welcome),
    ];
    let mut cells = Vec::new();
    for player in Player::BOTH {
        for kind in ["SUB", "XSUB"] {
            for (what, run) in tries {
                // XSUB does not count subscriptions sent as messages as SUB does, and filters nothing.
                let fits = kind == "SUB"
                    || !["counted-at-the-subscriber", "before-connect"].contains(&what);
                if fits {
                    let name = format!(
                        "topics/{what}/{} {kind} at {} XPUB",
                        player.name(),
                        player.other().name()
                    );
                    cells.push(Cell::new(name, move |arena| {
                        within(arena, (guard, player), kind, run)
                    }));
                }
            }
        }
        let name = format!(
            "topics/upstream-message/{} XSUB at {} XPUB",
            player.name(),
            player.other().name()
        );
        cells.push(Cell::new(name, move |arena| {
            within(arena, (guard, player), "XSUB", upstream_message)
        }));
    }
    cells
}

/// Runs a cell with a subscriber of `player` at an XPUB of the other's.
fn within(arena: &mut Arena, (guard, player): (Guard, Player), kind: &str, run: Run) -> Outcome {
    let handler = match guard {
        Guard::Plain => Some(Handler::open(arena, player.other())?),
        _ => None,
    };
    let publisher = arena.open(player.other(), "XPUB")?;
    let subscriber = arena.open(player, kind)?;
    guard.secure(arena, &publisher, &subscriber)?;
    let gate = Gate { handler };
    run(arena, &publisher, &subscriber, &gate)?;
    match gate.handler {
        Some(handler) => handler.close(arena),
        None => Ok(()),
    }
}

/// What stands between the ends of a cell.
struct Gate {
    handler: Option<Handler>,
}

impl Gate {
    fn join(&self, arena: &mut Arena, publisher: &Sock, subscriber: &Sock) -> Outcome {
        arena.join(publisher, subscriber, Transport::Tcp)?;
        match &self.handler {
            Some(handler) => handler.let_in(arena).map(drop),
            None => Ok(()),
        }
    }
}

fn join(arena: &mut Arena, publisher: &Sock, subscriber: &Sock, gate: &Gate) -> Outcome {
    gate.join(arena, publisher, subscriber)?;
    // XSUB drops what it sends while nobody is there, subscriptions apart: an event tells that somebody is.
    if subscriber.kind == "XSUB" {
        arena.subscribe(subscriber, b"joined")?;
        arena.expect(publisher, &[b"\x01joined".to_vec()])?;
    }
    Ok(())
}

fn told(arena: &mut Arena, publisher: &Sock, verb: u8, topic: &[u8]) -> Outcome {
    arena.expect(publisher, &[[&[verb], topic].concat()])
}

fn publish(arena: &mut Arena, publisher: &Sock, words: &[&[u8]]) -> Outcome {
    words
        .iter()
        .try_for_each(|word| arena.send(publisher, &[word.to_vec(), b"body".to_vec()]))
}

fn receive(arena: &mut Arena, subscriber: &Sock, words: &[&[u8]]) -> Outcome {
    words
        .iter()
        .try_for_each(|word| arena.expect(subscriber, &[word.to_vec(), b"body".to_vec()]))
}

fn many(arena: &mut Arena, publisher: &Sock, subscriber: &Sock, gate: &Gate) -> Outcome {
    // Each subscription is a message queued at the XPUB, and in the subscriber's pipe.
    for sock in [publisher, subscriber] {
        arena.set(sock, "SNDHWM", 0)?;
        arena.set(sock, "RCVHWM", 0)?;
    }
    join(arena, publisher, subscriber, gate)?;
    for index in 0..MANY {
        arena.subscribe(subscriber, format!("topic-{index:05}").as_bytes())?;
    }
    for index in 0..MANY {
        told(arena, publisher, 1, format!("topic-{index:05}").as_bytes())?;
    }
    publish(
        arena,
        publisher,
        &[
            b"topic-0",
            b"topic-01234",
            b"topic-99999",
            b"topic-00000x",
            b"topic-01999",
        ],
    )?;
    receive(
        arena,
        subscriber,
        &[b"topic-01234", b"topic-00000x", b"topic-01999"],
    )
}

fn unsubscribe(arena: &mut Arena, publisher: &Sock, subscriber: &Sock, gate: &Gate) -> Outcome {
    join(arena, publisher, subscriber, gate)?;
    for topic in [b"A", b"B"] {
        arena.subscribe(subscriber, topic)?;
        told(arena, publisher, 1, topic)?;
    }
    publish(arena, publisher, &[b"A1", b"B1", b"C1"])?;
    receive(arena, subscriber, &[b"A1", b"B1"])?;
    arena.unsubscribe(subscriber, b"A")?;
    told(arena, publisher, 0, b"A")?;
    publish(arena, publisher, &[b"A2", b"B2"])?;
    receive(arena, subscriber, &[b"B2"])?;
    arena.subscribe(subscriber, b"A")?;
    told(arena, publisher, 1, b"A")?;
    publish(arena, publisher, &[b"A3"])?;
    receive(arena, subscriber, &[b"A3"])
}

fn counted(arena: &mut Arena, publisher: &Sock, subscriber: &Sock, gate: &Gate) -> Outcome {
    join(arena, publisher, subscriber, gate)?;
    for _ in 0..2 {
        arena.subscribe(subscriber, b"A")?;
    }
    arena.subscribe(subscriber, b"mark")?;
    told(arena, publisher, 1, b"A")?;
    told(arena, publisher, 1, b"mark")?;
    arena.unsubscribe(subscriber, b"A")?;
    arena.unsubscribe(subscriber, b"mark")?;
    told(arena, publisher, 0, b"mark")?;
    publish(arena, publisher, &[b"A1"])?;
    receive(arena, subscriber, &[b"A1"])?;
    arena.unsubscribe(subscriber, b"A")?;
    told(arena, publisher, 0, b"A")
}

fn long_topics(arena: &mut Arena, publisher: &Sock, subscriber: &Sock, gate: &Gate) -> Outcome {
    join(arena, publisher, subscriber, gate)?;
    // Around the sizes where the command and the message change to the long form.
    for size in [245, 246, 254, 255, 256, 300, 4000] {
        let topic = [format!("{size}:").into_bytes(), octets(size - 4)].concat();
        arena.subscribe(subscriber, &topic)?;
        told(arena, publisher, 1, &topic)?;
        publish(arena, publisher, &[&topic])?;
        receive(arena, subscriber, &[&topic])?;
    }
    Ok(())
}

fn closing_takes_back(
    arena: &mut Arena,
    publisher: &Sock,
    subscriber: &Sock,
    gate: &Gate,
) -> Outcome {
    join(arena, publisher, subscriber, gate)?;
    arena.subscribe(subscriber, b"A")?;
    told(arena, publisher, 1, b"A")?;
    arena.close(subscriber)?;
    told(arena, publisher, 0, b"A")
}

/// Everything subscribed before the connection is told once it is there, each topic once.
fn before_connect(arena: &mut Arena, publisher: &Sock, subscriber: &Sock, gate: &Gate) -> Outcome {
    for topic in [b"C", b"A", b"A", b"B"] {
        arena.subscribe(subscriber, topic)?;
    }
    join(arena, publisher, subscriber, gate)?;
    let mut met = Vec::new();
    for _ in 0..3 {
        met.extend(arena.recv(publisher)?);
    }
    met.sort();
    if met != [b"\x01A", b"\x01B", b"\x01C"] {
        return fail(format!("XPUB was told {}", crate::arena::describe(&met)));
    }
    match arena.try_recv(publisher, Duration::ZERO)? {
        Err(code) if code == "EAGAIN" => Ok(()),
        other => fail(format!("XPUB was told more: {other:?}")),
    }
}

fn verbose(arena: &mut Arena, publisher: &Sock, subscriber: &Sock, gate: &Gate) -> Outcome {
    arena.set(publisher, "XPUB_VERBOSE", 1)?;
    join(arena, publisher, subscriber, gate)?;
    for _ in 0..3 {
        arena.subscribe(subscriber, b"A")?;
        told(arena, publisher, 1, b"A")?;
    }
    Ok(())
}

fn welcome(arena: &mut Arena, publisher: &Sock, subscriber: &Sock, gate: &Gate) -> Outcome {
    arena.set(publisher, "XPUB_WELCOME_MSG", "welcome")?;
    if subscriber.kind == "SUB" {
        arena.subscribe(subscriber, b"w")?;
    }
    gate.join(arena, publisher, subscriber)?;
    arena.expect(subscriber, &[b"welcome".to_vec()])
}

fn upstream_message(
    arena: &mut Arena,
    publisher: &Sock,
    subscriber: &Sock,
    gate: &Gate,
) -> Outcome {
    join(arena, publisher, subscriber, gate)?;
    let message = vec![b"upstream".to_vec(), b"two".to_vec()];
    arena.send(subscriber, &message)?;
    arena.expect(publisher, &message)
}
