//! Signs of life, both ways.

use std::time::Duration;

use crate::arena::{Arena, Outcome, Player, Sock, Transport, Verdict};
use crate::cell::Cell;
use crate::guard::Guard;

/// The cells.
#[must_use]
pub(crate) fn cells() -> Vec<Cell> {
    let mut cells = cells_behind(Guard::Null);
    cells.extend(
        cells_behind(Guard::Curve)
            .into_iter()
            .map(|cell| cell.under("curve")),
    );
    cells
}

/// The end that is bound is the server.
fn cells_behind(guard: Guard) -> Vec<Cell> {
    let mut cells = Vec::new();
    for player in Player::BOTH {
        for transport in Transport::ALL {
            for binds in [true, false] {
                let words = (
                    player.name(),
                    transport.name(),
                    if binds { "bound" } else { "dialing" },
                );
                let name =
                    |what: &str| format!("heartbeat/{what}/{}/{} {}", words.1, words.0, words.2);
                cells.push(Cell::new(name("idle-peer-lives"), move |arena| {
                    idle_peer_lives(arena, player, (binds, transport), guard)
                }));
                cells.push(Cell::new(name("stopped-peer-is-noticed"), move |arena| {
                    stopped_peer_is_noticed(arena, player, (binds, transport), guard)
                }));
                cells.push(Cell::new(name("ttl-is-kept"), move |arena| {
                    ttl_is_kept(arena, player, (binds, transport), guard)
                }));
            }
        }
    }
    cells.push(Cell::new("heartbeat/both-ping", move |arena| {
        both_ping(arena, guard)
    }));
    cells
}

/// A DEALER of `player` and one of the other, connected.
fn dealers(
    arena: &mut Arena,
    player: Player,
    (binds, guard): (bool, Guard),
) -> Outcome<(Sock, Sock)> {
    let watcher = arena.open(player, "DEALER")?;
    let peer = arena.open(player.other(), "DEALER")?;
    if binds {
        guard.secure(arena, &watcher, &peer)?;
    } else {
        guard.secure(arena, &peer, &watcher)?;
    }
    for sock in [&watcher, &peer] {
        arena.set(sock, "RECONNECT_IVL", 20)?;
        arena.monitor(sock)?;
    }
    Ok((watcher, peer))
}

fn link(
    arena: &mut Arena,
    watcher: &Sock,
    peer: &Sock,
    (binds, transport): (bool, Transport),
) -> Outcome {
    let (bound, dialing) = if binds {
        (watcher, peer)
    } else {
        (peer, watcher)
    };
    arena.join(bound, dialing, transport)?;
    greet(arena, watcher, peer)
}

fn greet(arena: &mut Arena, one: &Sock, two: &Sock) -> Outcome {
    for (from, to) in [(one, two), (two, one)] {
        arena.send(from, &[b"hello".to_vec()])?;
        arena.expect(to, &[b"hello".to_vec()])?;
    }
    Ok(())
}

/// The watcher PINGs; the peer has no heartbeat and nothing to say, but answers.
fn idle_peer_lives(
    arena: &mut Arena,
    player: Player,
    place: (bool, Transport),
    guard: Guard,
) -> Outcome {
    let (watcher, peer) = dealers(arena, player, (place.0, guard))?;
    arena.set(&watcher, "HEARTBEAT_IVL", 20)?;
    arena.set(&watcher, "HEARTBEAT_TIMEOUT", 300)?;
    arena.set(&watcher, "HEARTBEAT_TTL", 300)?;
    link(arena, &watcher, &peer, place)?;
    arena.no_event(&watcher, "DISCONNECTED", Duration::from_millis(900))?;
    arena.no_event(&peer, "DISCONNECTED", Duration::ZERO)?;
    greet(arena, &watcher, &peer)
}

fn stopped(arena: &mut Arena, peer: Player, during: impl FnOnce(&mut Arena) -> Outcome) -> Outcome {
    let failed = |error: std::io::Error| Verdict::Failed(error.to_string());
    arena.side(peer)?.pause().map_err(failed)?;
    let result = during(arena);
    arena.side(peer)?.resume().map_err(failed)?;
    result
}

/// The watcher PINGs a peer whose kernel still takes octets but which never answers.
fn stopped_peer_is_noticed(
    arena: &mut Arena,
    player: Player,
    place: (bool, Transport),
    guard: Guard,
) -> Outcome {
    let (watcher, peer) = dealers(arena, player, (place.0, guard))?;
    arena.set(&watcher, "HEARTBEAT_IVL", 20)?;
    arena.set(&watcher, "HEARTBEAT_TIMEOUT", 100)?;
    link(arena, &watcher, &peer, place)?;
    stopped(arena, peer.player, |arena| {
        arena.event(&watcher, "DISCONNECTED").map(drop)
    })?;
    // The dialer comes back. A watcher has passed over its first handshake above, a peer has two before it.
    let dialer = if place.0 { &peer } else { &watcher };
    for _ in 0..=usize::from(place.0) {
        arena.event(dialer, "HANDSHAKE_SUCCEEDED")?;
    }
    greet(arena, dialer, if place.0 { &watcher } else { &peer })
}

/// The peer promises a PING within its TTL and then falls silent; the watcher has no heartbeat of its own.
fn ttl_is_kept(
    arena: &mut Arena,
    player: Player,
    place: (bool, Transport),
    guard: Guard,
) -> Outcome {
    let (watcher, peer) = dealers(arena, player, (place.0, guard))?;
    arena.set(&peer, "HEARTBEAT_IVL", 20)?;
    arena.set(&peer, "HEARTBEAT_TIMEOUT", 10_000)?;
    arena.set(&peer, "HEARTBEAT_TTL", 200)?;
    link(arena, &watcher, &peer, place)?;
    arena.no_event(&watcher, "DISCONNECTED", Duration::from_millis(400))?;
    stopped(arena, peer.player, |arena| {
        arena.event(&watcher, "DISCONNECTED").map(drop)
    })
}

fn both_ping(arena: &mut Arena, guard: Guard) -> Outcome {
    let (ours, theirs) = dealers(arena, Player::Ours, (true, guard))?;
    for sock in [&ours, &theirs] {
        arena.set(sock, "HEARTBEAT_IVL", 10)?;
        arena.set(sock, "HEARTBEAT_TIMEOUT", 200)?;
        arena.set(sock, "HEARTBEAT_TTL", 200)?;
    }
    link(arena, &ours, &theirs, (true, Transport::Tcp))?;
    arena.no_event(&ours, "DISCONNECTED", Duration::from_millis(600))?;
    arena.no_event(&theirs, "DISCONNECTED", Duration::ZERO)?;
    greet(arena, &ours, &theirs)
}
