//! Peers that come late, die, and come back.

use std::net::TcpListener;
use std::time::Duration;

use crate::arena::{Arena, Outcome, Player, Sock, Transport, Verdict, fail};
use crate::cell::Cell;
use crate::guard::Guard;
use crate::pairs::await_subscription;

/// What connects, and what it connects to.
const PAIRS: [(&str, &str); 5] = [
    ("PUSH", "PULL"),
    ("DEALER", "ROUTER"),
    ("REQ", "REP"),
    ("SUB", "PUB"),
    ("PULL", "PUSH"),
];

/// The cells.
#[must_use]
pub(crate) fn cells(transports: &[Transport]) -> Vec<Cell> {
    cells_behind(Guard::Null, transports)
}

/// The cells, sealed with CURVE; those who are bound are the servers.
#[must_use]
pub(crate) fn sealed(transports: &[Transport]) -> Vec<Cell> {
    let cells = cells_behind(Guard::Curve, transports).into_iter();
    cells.map(|cell| cell.under("curve")).collect()
}

fn cells_behind(guard: Guard, transports: &[Transport]) -> Vec<Cell> {
    let mut cells = Vec::new();
    for &transport in transports {
        for (dialer, binder) in PAIRS {
            for player in Player::BOTH {
                let name = |what: &str| {
                    format!(
                        "reconnect/{what}/{}/{} {dialer} dials {binder}",
                        transport.name(),
                        player.name()
                    )
                };
                let kinds = (dialer, binder);
                cells.push(Cell::new(name("binder-restarts"), move |arena| {
                    binder_restarts(arena, player, kinds, (guard, transport))
                }));
                cells.push(Cell::new(name("dialer-restarts"), move |arena| {
                    dialer_restarts(arena, player, kinds, (guard, transport))
                }));
                cells.push(Cell::new(name("connect-before-bind"), move |arena| {
                    connect_before_bind(arena, player, kinds, (guard, transport))
                }));
            }
        }
        for player in Player::BOTH {
            let name = format!(
                "reconnect/queued-while-away/{}/{} PUSH dials PULL",
                transport.name(),
                player.name()
            );
            cells.push(Cell::new(name, move |arena| {
                queued_while_away(arena, player, (guard, transport))
            }));
        }
    }
    cells
}

fn open_binder(arena: &mut Arena, player: Player, (guard, kind): (Guard, &str)) -> Outcome<Sock> {
    let sock = arena.open(player, kind)?;
    guard.server(arena, &sock)?;
    Ok(sock)
}

fn open_dialer(arena: &mut Arena, player: Player, (guard, kind): (Guard, &str)) -> Outcome<Sock> {
    let sock = arena.open(player, kind)?;
    guard.client(arena, &sock)?;
    arena.set(&sock, "RECONNECT_IVL", 20)?;
    if kind == "SUB" {
        arena.subscribe(&sock, b"topic")?;
    }
    Ok(sock)
}

/// One message from the side that may speak first, and its answer where there is one.
fn greet(arena: &mut Arena, dialer: &Sock, binder: &Sock) -> Outcome {
    let hello = vec![b"hello".to_vec()];
    match dialer.kind.as_str() {
        "PUSH" => {
            arena.send(dialer, &hello)?;
            arena.expect(binder, &hello)
        }
        "PULL" => push_until_pulled(arena, binder, dialer),
        "SUB" => await_subscription(arena, binder, dialer, b"topic"),
        _ => {
            arena.send(dialer, &hello)?;
            let request = arena.recv(binder)?;
            arena.send(binder, &request)?;
            arena.expect(dialer, &hello)
        }
    }
}

/// A PUSH tells that a peer is gone before its sending calls know, and may hand a message to it: sends again until one arrives.
fn push_until_pulled(arena: &mut Arena, push: &Sock, pull: &Sock) -> Outcome {
    let word = vec![arena.unique()];
    for _ in 0..5 {
        arena.send(push, &word)?;
        while let Ok(met) = arena.try_recv(pull, Duration::from_secs(1))? {
            if met == word {
                return Ok(());
            }
        }
    }
    fail("none of five messages came through")
}

fn binder_restarts(
    arena: &mut Arena,
    player: Player,
    kinds: (&str, &str),
    (guard, transport): (Guard, Transport),
) -> Outcome {
    let dialer = open_dialer(arena, player, (guard, kinds.0))?;
    arena.monitor(&dialer)?;
    let binder = open_binder(arena, player.other(), (guard, kinds.1))?;
    let endpoint = arena.join(&binder, &dialer, transport)?;
    greet(arena, &dialer, &binder)?;
    for _ in 0..2 {
        arena.kill(player.other());
        arena.event(&dialer, "DISCONNECTED")?;
        let binder = open_binder(arena, player.other(), (guard, kinds.1))?;
        arena.bind(&binder, &endpoint)?;
        greet(arena, &dialer, &binder)?;
    }
    Ok(())
}

fn dialer_restarts(
    arena: &mut Arena,
    player: Player,
    kinds: (&str, &str),
    (guard, transport): (Guard, Transport),
) -> Outcome {
    let binder = open_binder(arena, player.other(), (guard, kinds.1))?;
    arena.monitor(&binder)?;
    let endpoint = arena.fresh(transport);
    let endpoint = arena.bind(&binder, &endpoint)?;
    for _ in 0..3 {
        let dialer = open_dialer(arena, player, (guard, kinds.0))?;
        arena.connect(&dialer, &endpoint)?;
        greet(arena, &dialer, &binder)?;
        arena.kill(player);
        // A PUSH that has not yet noticed would hand its message to the dead peer.
        arena.event(&binder, "DISCONNECTED")?;
    }
    Ok(())
}

/// An endpoint nobody is bound to.
fn free_endpoint(arena: &mut Arena, transport: Transport) -> Outcome<String> {
    if transport == Transport::Ipc {
        return Ok(arena.fresh(transport));
    }
    let port = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    port.map(|address| format!("tcp://{address}"))
        .map_err(|error| Verdict::Failed(error.to_string()))
}

fn connect_before_bind(
    arena: &mut Arena,
    player: Player,
    kinds: (&str, &str),
    (guard, transport): (Guard, Transport),
) -> Outcome {
    let endpoint = free_endpoint(arena, transport)?;
    let dialer = open_dialer(arena, player, (guard, kinds.0))?;
    arena.monitor(&dialer)?;
    arena.connect(&dialer, &endpoint)?;
    arena.event(&dialer, "CONNECT_RETRIED")?;
    let binder = open_binder(arena, player.other(), (guard, kinds.1))?;
    arena.bind(&binder, &endpoint)?;
    greet(arena, &dialer, &binder)
}

fn queued_while_away(
    arena: &mut Arena,
    player: Player,
    (guard, transport): (Guard, Transport),
) -> Outcome {
    let endpoint = free_endpoint(arena, transport)?;
    let dialer = open_dialer(arena, player, (guard, "PUSH"))?;
    arena.set(&dialer, "SNDHWM", 5)?;
    arena.connect(&dialer, &endpoint)?;
    let messages: Vec<_> = (0..5u8).map(|index| vec![vec![index]]).collect();
    for message in &messages {
        arena.send(&dialer, message)?;
    }
    match arena.try_send(&dialer, &messages[0], Duration::ZERO)? {
        Err(code) if code == "EAGAIN" => {}
        other => return fail(format!("the sixth message with a mark of five: {other:?}")),
    }
    let binder = open_binder(arena, player.other(), (guard, "PULL"))?;
    arena.bind(&binder, &endpoint)?;
    for message in &messages {
        arena.expect(&binder, message)?;
    }
    Ok(())
}
