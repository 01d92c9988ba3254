//! Every compatible pair of types, sealed and with passwords, whichever end is the server and whichever binds.

use crate::arena::{Arena, Outcome, Player, Transport};
use crate::cell::Cell;
use crate::guard::{DOMAIN, Guard, Handler};
use crate::pairs::{self, PAIRS};

type Frames = Vec<Vec<u8>>;

/// Who speaks first, who binds, who is the server.
#[derive(Clone, Copy, Debug)]
struct Places {
    speaker: Player,
    binder: Player,
    server: Player,
}

impl Places {
    fn all() -> impl Iterator<Item = Places> {
        Player::BOTH.into_iter().flat_map(|speaker| {
            Player::BOTH.into_iter().flat_map(move |binder| {
                Player::BOTH.into_iter().map(move |server| Places {
                    speaker,
                    binder,
                    server,
                })
            })
        })
    }
}

/// Groups of payloads: those of one group follow each other over one connection.
fn groups() -> Vec<(&'static str, Vec<Frames>)> {
    let mut groups = vec![
        ("small", Vec::new()),
        ("large", Vec::new()),
        ("burst", Vec::new()),
    ];
    for (name, messages) in pairs::payloads() {
        let group = match name {
            "70KiB" | "1MiB" => 1,
            "burst" => 2,
            _ => 0,
        };
        groups[group].1.extend(messages);
    }
    groups
}

/// The cells.
#[must_use]
pub(crate) fn cells() -> Vec<Cell> {
    let mut cells = Vec::new();
    for guard in Guard::BOTH {
        for (first, second) in PAIRS {
            for transport in Transport::ALL {
                for places in Places::all() {
                    if first == second && places.speaker == Player::Theirs {
                        continue;
                    }
                    for (payload, messages) in groups() {
                        let name = format!(
                            "{}/pairs/{first}-{second}/{}/{}-serve/{}-bind/{first}-is-{}/{payload}",
                            guard.name(),
                            transport.name(),
                            places.server.name(),
                            places.binder.name(),
                            places.speaker.name()
                        );
                        cells.push(Cell::new(name, move |arena| {
                            pair(
                                arena,
                                (guard, transport),
                                places,
                                (first, second, &messages),
                            )
                        }));
                    }
                }
            }
        }
    }
    cells
}

fn pair(
    arena: &mut Arena,
    (guard, transport): (Guard, Transport),
    places: Places,
    (first, second, messages): (&str, &str, &[Frames]),
) -> Outcome {
    let handler = match guard {
        Guard::Plain => Some(Handler::open(arena, places.server)?),
        _ => None,
    };
    let ends = pairs::open(arena, places.speaker, (first, second))?;
    let [one, two] = &ends;
    let (server, client) = if one.player == places.server {
        (one, two)
    } else {
        (two, one)
    };
    guard.secure(arena, server, client)?;
    if handler.is_some() {
        arena.set(server, "ZAP_DOMAIN", DOMAIN)?;
    }
    let identity: &[u8] = match (server.kind.as_str(), std::ptr::eq(server, one)) {
        // The ROUTERs of a pair have names.
        ("ROUTER", true) if first == second => b"one",
        ("ROUTER", false) if first == second => b"two",
        _ => b"",
    };
    pairs::meet_through(
        arena,
        &ends,
        (places.binder, transport),
        |arena| match &handler {
            Some(handler) => {
                let question = handler.asked(arena)?;
                // libzmq hands the user id through the pipe, where its REQ takes it for a broken reply.
                let named = server.kind != "REQ" || server.player == Player::Ours;
                handler.accept(arena, &question, if named { b"joe" } else { b"" })?;
                question.check(guard, transport, identity)
            }
            None => Ok(()),
        },
    )?;
    pairs::converse(arena, &ends, messages)?;
    match handler {
        Some(handler) => handler.close(arena),
        None => Ok(()),
    }
}
