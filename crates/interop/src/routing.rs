//! Routing ids, and the options of ROUTER, REQ and PAIR.

use std::time::{Duration, Instant};

use crate::arena::{Arena, Outcome, Player, Sock, Transport, WAIT, fail};
use crate::cell::Cell;
use crate::pairs::octets;

type Run = fn(&mut Arena, Player) -> Outcome;

/// The cells; the player is the one with the ROUTER (or REQ, PUSH, bound PAIR).
#[must_use]
pub(crate) fn cells() -> Vec<Cell> {
    let tries: [(&str, Run); 11] = [
        ("routing/id-of-dealer", id_of_dealer),
        ("routing/id-of-255-octets", long_id),
        ("routing/mandatory", mandatory),
        ("routing/unroutable-is-dropped", unroutable),
        ("routing/handover", handover),
        ("routing/duplicate-is-ignored", duplicate),
        ("routing/probe", probe),
        ("routing/connect-routing-id", connect_routing_id),
        ("routing/twenty-dealers", twenty_dealers),
        ("routing/req-correlate", correlate),
        ("routing/req-relaxed", relaxed),
    ];
    let more: [(&str, Run); 2] = [
        ("pair/second-peer", second_peer),
        ("back-pressure/push-pull", back_pressure),
    ];
    let mut cells = Vec::new();
    for (what, run) in tries.into_iter().chain(more) {
        for player in Player::BOTH {
            cells.push(Cell::new(
                format!("{what}/{}", player.name()),
                move |arena| run(arena, player),
            ));
        }
    }
    cells
}

fn word(text: &str) -> Vec<u8> {
    text.as_bytes().to_vec()
}

/// A bound ROUTER of the player, a DEALER of the other, and the ROUTER's endpoint.
fn router_and_dealer(
    arena: &mut Arena,
    player: Player,
    id: &[u8],
) -> Outcome<(Sock, Sock, String)> {
    let router = arena.open(player, "ROUTER")?;
    let dealer = arena.open(player.other(), "DEALER")?;
    arena.set(
        &dealer,
        "ROUTING_ID",
        peer_script::Value::Bytes(id.to_vec()),
    )?;
    let endpoint = arena.join(&router, &dealer, Transport::Tcp)?;
    Ok((router, dealer, endpoint))
}

fn id_of_dealer(arena: &mut Arena, player: Player) -> Outcome {
    let (router, dealer, _) = router_and_dealer(arena, player, b"ME")?;
    arena.send(&dealer, &[word("hello")])?;
    arena.expect(&router, &[word("ME"), word("hello")])?;
    arena.send(&router, &[word("ME"), word("hi")])?;
    arena.expect(&dealer, &[word("hi")])
}

fn long_id(arena: &mut Arena, player: Player) -> Outcome {
    let id: Vec<u8> = octets(256)[1..].to_vec();
    let (router, dealer, _) = router_and_dealer(arena, player, &id)?;
    arena.send(&dealer, &[word("hello")])?;
    arena.expect(&router, &[id.clone(), word("hello")])?;
    arena.send(&router, &[id, word("hi")])?;
    arena.expect(&dealer, &[word("hi")])
}

fn mandatory(arena: &mut Arena, player: Player) -> Outcome {
    let (router, dealer, _) = router_and_dealer(arena, player, b"ME")?;
    arena.set(&router, "ROUTER_MANDATORY", 1)?;
    match arena.try_send(&router, &[word("nobody"), word("hi")], WAIT)? {
        Err(code) if code == "EHOSTUNREACH" => {}
        other => return fail(format!("ROUTER to an unknown id: {other:?}")),
    }
    arena.send(&dealer, &[word("hello")])?;
    arena.expect(&router, &[word("ME"), word("hello")])?;
    arena.send(&router, &[word("ME"), word("hi")])?;
    arena.expect(&dealer, &[word("hi")])
}

fn unroutable(arena: &mut Arena, player: Player) -> Outcome {
    let (router, dealer, _) = router_and_dealer(arena, player, b"ME")?;
    arena.send(&dealer, &[word("hello")])?;
    arena.expect(&router, &[word("ME"), word("hello")])?;
    arena.send(&router, &[word("nobody"), word("lost")])?;
    arena.send(&router, &[word("ME"), word("hi")])?;
    arena.expect(&dealer, &[word("hi")])
}

fn handover(arena: &mut Arena, player: Player) -> Outcome {
    let router = arena.open(player, "ROUTER")?;
    arena.set(&router, "ROUTER_HANDOVER", 1)?;
    let endpoint = arena.fresh(Transport::Tcp);
    let endpoint = arena.bind(&router, &endpoint)?;
    for _ in 0..3 {
        let dealer = arena.open(player.other(), "DEALER")?;
        arena.set(&dealer, "ROUTING_ID", "ME")?;
        // The one that was replaced must not come back and replace its successor.
        arena.set(&dealer, "RECONNECT_IVL", -1)?;
        arena.connect(&dealer, &endpoint)?;
        arena.send(&dealer, &[word("hello")])?;
        arena.expect(&router, &[word("ME"), word("hello")])?;
        arena.send(&router, &[word("ME"), word("hi")])?;
        arena.expect(&dealer, &[word("hi")])?;
    }
    Ok(())
}

fn duplicate(arena: &mut Arena, player: Player) -> Outcome {
    let (router, first, endpoint) = router_and_dealer(arena, player, b"ME")?;
    arena.send(&first, &[word("one")])?;
    arena.expect(&router, &[word("ME"), word("one")])?;
    let second = arena.open(player.other(), "DEALER")?;
    arena.set(&second, "ROUTING_ID", "ME")?;
    arena.monitor(&second)?;
    arena.connect(&second, &endpoint)?;
    arena.event(&second, "HANDSHAKE_SUCCEEDED")?;
    arena.send(&second, &[word("two")])?;
    arena.send(&first, &[word("three")])?;
    arena.expect(&router, &[word("ME"), word("three")])?;
    arena.send(&router, &[word("ME"), word("hi")])?;
    arena.expect(&first, &[word("hi")])
}

fn probe(arena: &mut Arena, player: Player) -> Outcome {
    let router = arena.open(player, "ROUTER")?;
    let dealer = arena.open(player.other(), "DEALER")?;
    arena.set(&dealer, "ROUTING_ID", "ME")?;
    arena.set(&dealer, "PROBE_ROUTER", 1)?;
    arena.join(&router, &dealer, Transport::Tcp)?;
    arena.expect(&router, &[word("ME"), word("")])
}

/// The pipe of a dialed peer with a given id is there at once, before the handshake.
fn connect_routing_id(arena: &mut Arena, player: Player) -> Outcome {
    let router = arena.open(player, "ROUTER")?;
    let dealer = arena.open(player.other(), "DEALER")?;
    let endpoint = arena.fresh(Transport::Tcp);
    let endpoint = arena.bind(&dealer, &endpoint)?;
    arena.set(&router, "CONNECT_ROUTING_ID", "given")?;
    arena.connect(&router, &endpoint)?;
    arena.send(&router, &[word("given"), word("hi")])?;
    arena.expect(&dealer, &[word("hi")])?;
    arena.send(&dealer, &[word("hello")])?;
    arena.expect(&router, &[word("given"), word("hello")])
}

fn twenty_dealers(arena: &mut Arena, player: Player) -> Outcome {
    let router = arena.open(player, "ROUTER")?;
    let endpoint = arena.fresh(Transport::Tcp);
    let endpoint = arena.bind(&router, &endpoint)?;
    let mut dealers = Vec::new();
    for index in 0..20u8 {
        let dealer = arena.open(player.other(), "DEALER")?;
        arena.connect(&dealer, &endpoint)?;
        arena.send(&dealer, &[vec![index]])?;
        dealers.push(dealer);
    }
    for _ in &dealers {
        let request = arena.recv(&router)?;
        arena.send(&router, &request)?;
    }
    for (index, dealer) in (0..20u8).zip(&dealers) {
        arena.expect(dealer, &[vec![index]])?;
    }
    Ok(())
}

fn correlate(arena: &mut Arena, player: Player) -> Outcome {
    let req = arena.open(player, "REQ")?;
    arena.set(&req, "REQ_CORRELATE", 1)?;
    let router = arena.open(player.other(), "ROUTER")?;
    arena.join(&router, &req, Transport::Tcp)?;
    for _ in 0..3 {
        arena.send(&req, &[word("q")])?;
        let request = arena.recv(&router)?;
        let shape: Vec<usize> = request.iter().skip(1).map(Vec::len).collect();
        if shape != [4, 0, 1] {
            return fail(format!(
                "a correlated request: {}",
                crate::arena::describe(&request)
            ));
        }
        let mut stale = request.clone();
        stale[1][0] ^= 0x55;
        stale[3] = word("stale");
        arena.send(&router, &stale)?;
        arena.send(&router, &request)?;
        arena.expect(&req, &[word("q")])?;
    }
    Ok(())
}

fn relaxed(arena: &mut Arena, player: Player) -> Outcome {
    let req = arena.open(player, "REQ")?;
    arena.set(&req, "REQ_CORRELATE", 1)?;
    arena.set(&req, "REQ_RELAXED", 1)?;
    let rep = arena.open(player.other(), "REP")?;
    arena.join(&rep, &req, Transport::Tcp)?;
    arena.send(&req, &[word("one")])?;
    arena.expect(&rep, &[word("one")])?;
    arena.send(&req, &[word("two")])?;
    arena.send(&rep, &[word("answer one")])?;
    arena.expect(&rep, &[word("two")])?;
    arena.send(&rep, &[word("answer two")])?;
    arena.expect(&req, &[word("answer two")])
}

fn second_peer(arena: &mut Arena, player: Player) -> Outcome {
    let bound = arena.open(player, "PAIR")?;
    let first = arena.open(player.other(), "PAIR")?;
    // Tells, should a message not come, whether this connection was lost.
    arena.monitor(if player == Player::Ours {
        &bound
    } else {
        &first
    })?;
    let endpoint = arena.join(&bound, &first, Transport::Tcp)?;
    arena.send(&first, &[word("one")])?;
    arena.expect(&bound, &[word("one")])?;
    let second = arena.open(player.other(), "PAIR")?;
    arena.monitor(&second)?;
    arena.connect(&second, &endpoint)?;
    arena.event(&second, "CONNECTED")?;
    let _ = arena.try_send(&second, &[word("intruder")], Duration::from_millis(50))?;
    arena.send(&first, &[word("two")])?;
    arena.expect(&bound, &[word("two")])?;
    arena.send(&bound, &[word("three")])?;
    arena.expect(&first, &[word("three")])
}

/// A reader that does not read stops the writer; nothing is lost.
fn back_pressure(arena: &mut Arena, player: Player) -> Outcome {
    let push = arena.open(player, "PUSH")?;
    let pull = arena.open(player.other(), "PULL")?;
    arena.set(&push, "SNDHWM", 10)?;
    arena.set(&pull, "RCVHWM", 10)?;
    arena.join(&pull, &push, Transport::Tcp)?;
    let message = |index: u32| vec![index.to_be_bytes().to_vec(), octets(60_000)];
    let started = Instant::now();
    let mut sent = 0;
    loop {
        match arena.try_send(&push, &message(sent), Duration::from_millis(300))? {
            Ok(()) if started.elapsed() < 4 * WAIT => sent += 1,
            Ok(()) => return fail(format!("{sent} messages and no back-pressure")),
            Err(code) if code == "EAGAIN" => break,
            Err(code) => return fail(format!("PUSH send: {code}")),
        }
    }
    for index in 0..sent {
        arena.expect(&pull, &message(index))?;
    }
    arena.send(&push, &message(sent))?;
    arena.expect(&pull, &message(sent))
}
