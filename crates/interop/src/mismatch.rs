//! Ends that do not agree on a mechanism, or on a version that has any, never meet.

use std::time::Duration;

use crate::arena::{Arena, Outcome, Player, Sock, Transport};
use crate::cell::Cell;
use crate::credentials::{FAILED, WATCH, fails};
use crate::dialect::Dialect;
use crate::guard::{DOMAIN, Guard};
use crate::wire::Wire;

/// What one end is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Role {
    guard: Guard,
    server: bool,
}

impl Role {
    const ALL: [Role; 5] = [
        Role {
            guard: Guard::Null,
            server: false,
        },
        Role {
            guard: Guard::Plain,
            server: false,
        },
        Role {
            guard: Guard::Plain,
            server: true,
        },
        Role {
            guard: Guard::Curve,
            server: false,
        },
        Role {
            guard: Guard::Curve,
            server: true,
        },
    ];

    fn name(self) -> String {
        match (self.guard, self.server) {
            (Guard::Null, _) => "NULL".to_owned(),
            (guard, true) => format!("{} server", guard.name()),
            (guard, false) => format!("{} client", guard.name()),
        }
    }

    fn fits(self, other: Role) -> bool {
        self.guard == other.guard && (self.guard == Guard::Null || self.server != other.server)
    }

    fn take(self, arena: &mut Arena, sock: &Sock) -> Outcome {
        if self.server {
            self.guard.server(arena, sock)
        } else {
            self.guard.client(arena, sock)
        }
    }
}

/// The cells.
#[must_use]
pub(crate) fn cells() -> Vec<Cell> {
    let mut cells = Vec::new();
    for ours in Role::ALL {
        for theirs in Role::ALL {
            if ours.fits(theirs) {
                continue;
            }
            for transport in Transport::ALL {
                for binder in Player::BOTH {
                    let name = format!(
                        "mismatch/{} at {}/{}/{}-bind",
                        ours.name(),
                        theirs.name(),
                        transport.name(),
                        binder.name()
                    );
                    cells.push(Cell::new(name, move |arena| {
                        never_meet(arena, (ours, theirs), binder, transport)
                    }));
                }
            }
        }
    }
    cells.extend(downgrades());
    cells
}

fn never_meet(
    arena: &mut Arena,
    (ours, theirs): (Role, Role),
    binder: Player,
    transport: Transport,
) -> Outcome {
    let mut socks = Vec::new();
    for (player, role) in [(Player::Ours, ours), (Player::Theirs, theirs)] {
        let sock = arena.open(player, "DEALER")?;
        role.take(arena, &sock)?;
        arena.set(&sock, "RECONNECT_IVL", 20)?;
        // Two servers wait for each other's first word.
        arena.set(&sock, "HANDSHAKE_IVL", 200)?;
        arena.monitor(&sock)?;
        socks.push(sock);
    }
    if binder == Player::Theirs {
        socks.reverse();
    }
    let [bound, dialing] = &socks[..] else {
        return Ok(());
    };
    arena.join(bound, dialing, transport)?;
    for sock in [bound, dialing] {
        fails(arena, sock, FAILED)?;
    }
    let _ = arena.try_send(dialing, &[b"let me in".to_vec()], Duration::ZERO)?;
    match arena.try_recv(bound, WATCH)? {
        Err(code) if code == "EAGAIN" => {}
        other => return crate::arena::fail(format!("something came: {other:?}")),
    }
    for sock in [bound, dialing] {
        arena.no_event(sock, "HANDSHAKE_SUCCEEDED", Duration::ZERO)?;
    }
    Ok(())
}

/// How a socket is secured that an old peer meets: a role, and whether it has a ZAP domain.
const SECURED: [(Role, bool); 5] = [
    (
        Role {
            guard: Guard::Null,
            server: false,
        },
        true,
    ),
    (
        Role {
            guard: Guard::Plain,
            server: true,
        },
        false,
    ),
    (
        Role {
            guard: Guard::Plain,
            server: false,
        },
        false,
    ),
    (
        Role {
            guard: Guard::Curve,
            server: true,
        },
        false,
    ),
    (
        Role {
            guard: Guard::Curve,
            server: false,
        },
        false,
    ),
];

/// Peers of versions without mechanisms, which would speak in the clear.
fn downgrades() -> Vec<Cell> {
    let mut cells = Vec::new();
    for player in Player::BOTH {
        for dialect in Dialect::ALL {
            if matches!(dialect, Dialect::V3_0 | Dialect::V3_1) {
                continue;
            }
            for (role, domain) in SECURED {
                for binds in [true, false] {
                    let name = format!(
                        "downgrade/{}/{} {}{} {}",
                        dialect.name(),
                        player.name(),
                        role.name(),
                        if domain { " with a ZAP domain" } else { "" },
                        if binds { "bound" } else { "dialing" }
                    );
                    cells.push(Cell::new(name, move |arena| {
                        refused(arena, (player, dialect), (role, domain), binds)
                    }));
                }
            }
        }
    }
    cells
}

fn refused(
    arena: &mut Arena,
    (player, dialect): (Player, Dialect),
    (role, domain): (Role, bool),
    binds: bool,
) -> Outcome {
    let sock = arena.open(player, "PULL")?;
    role.take(arena, &sock)?;
    if domain {
        arena.set(&sock, "ZAP_DOMAIN", DOMAIN)?;
    }
    arena.set(&sock, "RECONNECT_IVL", 20)?;
    arena.monitor(&sock)?;
    let mut wire = Wire::join(arena, &sock, binds)?;
    // At once: the socket may close at the first octet that tells the version.
    let message = dialect.message(&[b"let me in".to_vec()]);
    wire.say(&[dialect.opening("PUSH", b"BOB"), message].concat())?;
    wire.hear_end()?;
    fails(arena, &sock, FAILED)?;
    match arena.try_recv(&sock, WATCH)? {
        Err(code) if code == "EAGAIN" => Ok(()),
        other => crate::arena::fail(format!("something came: {other:?}")),
    }
}
