//! Who is let in: right and wrong credentials, and what a ZAP handler may say.

use std::time::Duration;

use crate::arena::{Arena, Outcome, Player, Sock, Transport, fail};
use crate::cell::Cell;
use crate::guard::{CLIENT, DOMAIN, Guard, Handler, Question, STRANGER, octets_of};

/// Any sign that a connection came to nothing.
pub(crate) const FAILED: &str =
    "HANDSHAKE_FAILED_AUTH|HANDSHAKE_FAILED_PROTOCOL|HANDSHAKE_FAILED_NO_DETAIL|DISCONNECTED";

/// How long is watched that nothing happens.
pub(crate) const WATCH: Duration = Duration::from_millis(50);

/// Where things are in a cell: the server's player, whether it binds, and how they meet.
#[derive(Clone, Copy, Debug)]
struct Place {
    server: Player,
    binds: bool,
    transport: Transport,
}

impl Place {
    fn all() -> Vec<Place> {
        let mut all = Vec::new();
        for server in Player::BOTH {
            for binds in [true, false] {
                for transport in Transport::ALL {
                    all.push(Place {
                        server,
                        binds,
                        transport,
                    });
                }
            }
        }
        all
    }

    fn name(self) -> String {
        let how = if self.binds { "bound" } else { "dialing" };
        let (transport, server) = (self.transport.name(), self.server.name());
        format!("{transport}/{server} serve {how}")
    }
}

type Run = fn(&mut Arena, Guard, Place) -> Outcome;

const RUNS: [(&str, &[Guard], Run); 12] = [
    (
        "allowed",
        &[Guard::Null, Guard::Plain, Guard::Curve],
        allowed,
    ),
    ("allowed by a ROUTER", &Guard::BOTH, allowed_by_router),
    (
        "denied 400",
        &[Guard::Null, Guard::Plain, Guard::Curve],
        |arena, guard, place| denied(arena, guard, place, "400"),
    ),
    (
        "denied 500",
        &[Guard::Null, Guard::Plain, Guard::Curve],
        |arena, guard, place| denied(arena, guard, place, "500"),
    ),
    ("denied 300, then allowed", &Guard::BOTH, later),
    (
        "a wrong password",
        &[Guard::Plain],
        |arena, guard, place| stranger(arena, guard, place, ("admin", "Secret")),
    ),
    ("an unknown user", &[Guard::Plain], |arena, guard, place| {
        stranger(arena, guard, place, ("eve", "secret"))
    }),
    ("an unknown key", &[Guard::Curve], |arena, guard, place| {
        stranger(arena, guard, place, ("", ""))
    }),
    ("another server key", &[Guard::Curve], other_server_key),
    ("no handler", &[Guard::Plain], no_handler),
    (
        "no handler but any key is welcome",
        &[Guard::Curve],
        any_key,
    ),
    (
        "a domain that is enforced without a handler",
        &[Guard::Null, Guard::Curve],
        enforced,
    ),
];

/// What is no answer, by what is wrong with it.
const MALFORMED: [&str; 7] = [
    "version", "id", "status", "number", "fewer", "more", "metadata",
];

/// The cells.
#[must_use]
pub(crate) fn cells() -> Vec<Cell> {
    let mut cells = Vec::new();
    for place in Place::all() {
        for (what, guards, run) in RUNS {
            for &guard in guards {
                let name = format!("{}/credentials/{what}/{}", guard.name(), place.name());
                cells.push(Cell::new(name, move |arena| run(arena, guard, place)));
            }
        }
        for guard in [Guard::Null, Guard::Plain, Guard::Curve] {
            for what in MALFORMED {
                let name = format!(
                    "{}/credentials/a malformed answer: {what}/{}",
                    guard.name(),
                    place.name()
                );
                cells.push(Cell::new(name, move |arena| {
                    malformed(arena, guard, place, what)
                }));
            }
        }
    }
    cells
}

/// A server that pulls and a client that pushes, both watched.
fn open(arena: &mut Arena, guard: Guard, place: Place) -> Outcome<(Sock, Sock)> {
    let server = arena.open(place.server, "PULL")?;
    guard.server(arena, &server)?;
    arena.set(&server, "ZAP_DOMAIN", DOMAIN)?;
    arena.set(&server, "RECONNECT_IVL", 20)?;
    arena.monitor(&server)?;
    let client = open_client(arena, place)?;
    Ok((server, client))
}

fn open_client(arena: &mut Arena, place: Place) -> Outcome<Sock> {
    let client = arena.open(place.server.other(), "PUSH")?;
    arena.set(&client, "RECONNECT_IVL", 20)?;
    // A server of libzmq's that has nobody to ask leaves the connection to the client's timer.
    arena.set(&client, "HANDSHAKE_IVL", 500)?;
    arena.monitor(&client)?;
    Ok(client)
}

fn join(arena: &mut Arena, place: Place, (server, client): (&Sock, &Sock)) -> Outcome<String> {
    let (bound, dialing) = if place.binds {
        (server, client)
    } else {
        (client, server)
    };
    arena.join(bound, dialing, place.transport)
}

/// A message comes through.
fn greet(arena: &mut Arena, (server, client): (&Sock, &Sock)) -> Outcome {
    let word = vec![arena.unique()];
    arena.send(client, &word)?;
    arena.expect(server, &word)
}

/// A connection comes to nothing with one of these events, and was not ready before.
pub(crate) fn fails(arena: &mut Arena, sock: &Sock, events: &str) -> Outcome {
    let event = arena.event(sock, &format!("HANDSHAKE_SUCCEEDED|{events}"))?;
    if event.starts_with("HANDSHAKE_SUCCEEDED") {
        return fail(format!("{} {}: {event}", sock.player.name(), sock.kind));
    }
    Ok(())
}

/// The handshake has failed at both ends, and nothing of the peer arrives.
fn stays_out(arena: &mut Arena, (server, client): (&Sock, &Sock)) -> Outcome {
    fails(arena, server, FAILED)?;
    fails(arena, client, FAILED)?;
    nothing_comes(arena, (server, client))
}

fn nothing_comes(arena: &mut Arena, (server, client): (&Sock, &Sock)) -> Outcome {
    // A dialer has a queue for it and takes the message; whoever only accepts has no peer.
    let _ = arena.try_send(client, &[b"let me in".to_vec()], Duration::ZERO)?;
    match arena.try_recv(server, WATCH)? {
        Err(code) if code == "EAGAIN" => {}
        other => return fail(format!("the server received {other:?}")),
    }
    for sock in [server, client] {
        arena.no_event(sock, "HANDSHAKE_SUCCEEDED", Duration::ZERO)?;
    }
    Ok(())
}

fn allowed(arena: &mut Arena, guard: Guard, place: Place) -> Outcome {
    allowed_by(arena, guard, place, "REP")
}

fn allowed_by_router(arena: &mut Arena, guard: Guard, place: Place) -> Outcome {
    allowed_by(arena, guard, place, "ROUTER")
}

/// The handler is asked the right thing, and what it says about the peer is with each message.
fn allowed_by(arena: &mut Arena, guard: Guard, place: Place, kind: &str) -> Outcome {
    let handler = Handler::open_as(arena, place.server, kind)?;
    let (server, client) = open(arena, guard, place)?;
    guard.client(arena, &client)?;
    join(arena, place, (&server, &client))?;
    let question = handler.let_in(arena)?;
    question.check(guard, place.transport, b"")?;
    for _ in 0..2 {
        greet(arena, (&server, &client))?;
        let address = String::from_utf8_lossy(&question.address).into_owned();
        let known = [
            ("User-Id", "joe"),
            ("Shoe-Size", "44"),
            ("Socket-Type", "PUSH"),
            ("Peer-Address", &address),
        ];
        for (name, value) in known {
            let met = arena.property(&server, name)?;
            if met != value {
                return fail(format!("{name} is {met:?} instead of {value:?}"));
            }
        }
    }
    for sock in [&server, &client] {
        arena.event(sock, "HANDSHAKE_SUCCEEDED")?;
    }
    handler.close(arena)
}

/// The handler's word keeps the peer out for good, and both ends hear of it.
fn denied(arena: &mut Arena, guard: Guard, place: Place, status: &str) -> Outcome {
    let handler = Handler::open(arena, place.server)?;
    let (server, client) = open(arena, guard, place)?;
    guard.client(arena, &client)?;
    join(arena, place, (&server, &client))?;
    let question = handler.asked(arena)?;
    handler.answer(arena, &question, status)?;
    fails(arena, &server, "HANDSHAKE_FAILED_AUTH")?;
    fails(arena, &client, told(guard, place))?;
    nothing_comes(arena, (&server, &client))?;
    if place.binds {
        // Nobody who was told no asks again.
        handler.not_asked(arena, WATCH)?;
    }
    handler.close(arena)
}

/// What a client hears of a refusal. libzmq's does not know PLAIN's ERROR in its right spelling, and takes it for another command.
fn told(guard: Guard, place: Place) -> &'static str {
    match (guard, place.server) {
        (Guard::Plain, Player::Ours) => "HANDSHAKE_FAILED_PROTOCOL",
        _ => "HANDSHAKE_FAILED_AUTH",
    }
}

/// A client with other credentials than the handler knows is kept out; one with the right ones comes in after it.
fn stranger(arena: &mut Arena, guard: Guard, place: Place, user: (&str, &str)) -> Outcome {
    let handler = Handler::open(arena, place.server)?;
    let (server, client) = open(arena, guard, place)?;
    guard.client_as(arena, &client, user, STRANGER)?;
    let endpoint = join(arena, place, (&server, &client))?;
    if judge(arena, &handler, guard)? {
        return fail("the stranger is known");
    }
    fails(arena, &server, "HANDSHAKE_FAILED_AUTH")?;
    fails(arena, &client, told(guard, place))?;
    nothing_comes(arena, (&server, &client))?;
    let honest = open_client(arena, place)?;
    guard.client(arena, &honest)?;
    if place.binds {
        arena.connect(&honest, &endpoint)?;
    } else {
        join(arena, place, (&server, &honest))?;
    }
    // A server of libzmq's that dials comes back to the one it did not let in.
    while !judge(arena, &handler, guard)? {}
    greet(arena, (&server, &honest))?;
    handler.close(arena)
}

/// Answers as a handler that knows one user and one key, whether it was that one.
fn judge(arena: &mut Arena, handler: &Handler, guard: Guard) -> Outcome<bool> {
    let question = handler.asked(arena)?;
    let known = match guard {
        Guard::Plain => question.credentials == [b"admin".to_vec(), b"secret".to_vec()],
        _ => question.credentials == [octets_of(CLIENT.0)],
    };
    handler.answer(arena, &question, if known { "200" } else { "400" })?;
    Ok(known)
}

/// Who is told nothing comes again, and may be let in then.
fn later(arena: &mut Arena, guard: Guard, place: Place) -> Outcome {
    let handler = Handler::open(arena, place.server)?;
    let (server, client) = open(arena, guard, place)?;
    guard.client(arena, &client)?;
    let looks_once = place.server == Player::Theirs && !place.binds;
    // libzmq's server leaves the connection to the client's timer. Its own would end it too, and one that dials would not come back.
    arena.set(
        &client,
        "HANDSHAKE_IVL",
        if looks_once { 1000 } else { 200 },
    )?;
    join(arena, place, (&server, &client))?;
    let question = handler.asked(arena)?;
    if looks_once {
        pass_by(arena)?;
    }
    handler.answer(arena, &question, "300")?;
    fails(arena, &server, "HANDSHAKE_FAILED_AUTH")?;
    handler.let_in(arena)?;
    greet(arena, (&server, &client))?;
    handler.close(arena)
}

/// Sees to it that libzmq has done what it had begun: its one I/O thread carries a message from end to end.
///
/// A server of libzmq's looks for the answer as soon as it has asked. An answer of 300 that it finds there, which a busy machine may
/// bring about, it takes for a breach of the protocol: it closes, and never dials again. One that comes later leaves the connection as
/// it is.
fn pass_by(arena: &mut Arena) -> Outcome {
    let theirs = arena.open(Player::Theirs, "PAIR")?;
    let ours = arena.open(Player::Ours, "PAIR")?;
    arena.join(&ours, &theirs, Transport::Tcp)?;
    greet(arena, (&theirs, &ours))?;
    arena.close(&theirs)?;
    arena.close(&ours)
}

/// A client that was given another server key: the server cannot open its first word.
fn other_server_key(arena: &mut Arena, guard: Guard, place: Place) -> Outcome {
    let handler = Handler::open(arena, place.server)?;
    let (server, client) = open(arena, guard, place)?;
    guard.client(arena, &client)?;
    arena.set(&client, "CURVE_SERVERKEY", STRANGER.0)?;
    join(arena, place, (&server, &client))?;
    fails(arena, &server, "HANDSHAKE_FAILED_PROTOCOL")?;
    fails(arena, &client, FAILED)?;
    nothing_comes(arena, (&server, &client))?;
    handler.not_asked(arena, Duration::ZERO)?;
    handler.close(arena)
}

fn no_handler(arena: &mut Arena, guard: Guard, place: Place) -> Outcome {
    let (server, client) = open(arena, guard, place)?;
    guard.client(arena, &client)?;
    join(arena, place, (&server, &client))?;
    fails(arena, &server, "HANDSHAKE_FAILED_NO_DETAIL")?;
    stays_out_of(arena, (&server, &client))
}

fn stays_out_of(arena: &mut Arena, (server, client): (&Sock, &Sock)) -> Outcome {
    fails(arena, client, FAILED)?;
    nothing_comes(arena, (server, client))
}

fn any_key(arena: &mut Arena, guard: Guard, place: Place) -> Outcome {
    let (server, client) = open(arena, guard, place)?;
    guard.client_as(arena, &client, ("", ""), STRANGER)?;
    join(arena, place, (&server, &client))?;
    greet(arena, (&server, &client))
}

fn enforced(arena: &mut Arena, guard: Guard, place: Place) -> Outcome {
    let (server, client) = open(arena, guard, place)?;
    arena.set(&server, "ZAP_ENFORCE_DOMAIN", 1)?;
    guard.client(arena, &client)?;
    join(arena, place, (&server, &client))?;
    stays_out(arena, (&server, &client))
}

fn malformed(arena: &mut Arena, guard: Guard, place: Place, what: &str) -> Outcome {
    let handler = Handler::open(arena, place.server)?;
    let (server, client) = open(arena, guard, place)?;
    guard.client(arena, &client)?;
    join(arena, place, (&server, &client))?;
    let question = handler.asked(arena)?;
    let frames = spoilt(&question, what);
    let frames: Vec<&[u8]> = frames.iter().map(Vec::as_slice).collect();
    handler.say(arena, &question, &frames)?;
    fails(arena, &server, "HANDSHAKE_FAILED_PROTOCOL")?;
    stays_out_of(arena, (&server, &client))?;
    handler.close(arena)
}

fn spoilt(question: &Question, what: &str) -> Vec<Vec<u8>> {
    let mut frames = vec![
        b"1.0".to_vec(),
        question.id().to_vec(),
        b"200".to_vec(),
        b"fine".to_vec(),
        b"joe".to_vec(),
        Vec::new(),
    ];
    match what {
        "version" => frames[0] = b"1.1".to_vec(),
        "id" => frames[1] = b"another".to_vec(),
        "status" => frames[2] = b"fine".to_vec(),
        "number" => frames[2] = b"201".to_vec(),
        "fewer" => drop(frames.pop()),
        "more" => frames.push(Vec::new()),
        _ => frames[5] = b"\x09Shoe-Size\x00\x00\x00\x0944".to_vec(),
    }
    frames
}
