//! Peers that speak old versions of ZMTP, scripted octet by octet, at sockets of both sides: what a script expects of ours it
//! must find at libzmq as well.

use std::time::{Duration, Instant};

use crate::arena::{Arena, Outcome, Player, Sock, WAIT, fail};
use crate::cell::Cell;
use crate::dialect::{Dialect, Face, number};
use crate::pairs::octets;
use crate::wire::Wire;

/// One conversation: the socket under test, the wire to it, and what is spoken.
struct Talk<'a> {
    arena: &'a mut Arena,
    sock: Sock,
    wire: Wire,
    dialect: Dialect,
}

/// The flags of a command of ZMTP 3.x.
const COMMAND: u8 = 4;

type Run = fn(&mut Talk<'_>) -> Outcome;

/// The type under test, the type the script plays, and what they do.
const TALKS: [(&str, &str, Run); 12] = [
    ("DEALER", "ROUTER", dealer),
    ("DEALER", "REP", dealer),
    ("ROUTER", "DEALER", router),
    ("REQ", "REP", req),
    ("REP", "REQ", rep),
    ("PUSH", "PULL", send_sizes),
    ("PULL", "PUSH", receive_sizes),
    ("PAIR", "PAIR", pair),
    ("XPUB", "SUB", xpub),
    ("PUB", "SUB", publish),
    ("SUB", "PUB", sub),
    ("XSUB", "PUB", sub),
];

/// The cells.
#[must_use]
pub(crate) fn cells() -> Vec<Cell> {
    let mut cells = Vec::new();
    for dialect in Dialect::ALL {
        for player in Player::BOTH {
            for binds in [true, false] {
                let side = if binds { "bound" } else { "dialing" };
                for (kind, other, run) in TALKS {
                    let name = format!(
                        "versions/{}/{} {kind} {side} at {other}",
                        dialect.name(),
                        player.name()
                    );
                    cells.push(Cell::new(name, move |arena| {
                        talk(arena, player, binds, (dialect, kind, other, run))
                    }));
                }
            }
            let name = format!(
                "versions/{}/{} PULL takes it octet by octet",
                dialect.name(),
                player.name()
            );
            cells.push(Cell::new(name, move |arena| {
                spelled(arena, player, dialect)
            }));
            let name = format!(
                "versions/{}/{} dialer returns",
                dialect.name(),
                player.name()
            );
            cells.push(Cell::new(name, move |arena| {
                dialer_returns(arena, player, dialect)
            }));
        }
    }
    cells
}

/// What the socket under test calls itself; only these types tell.
fn id_of(kind: &str) -> &'static [u8] {
    if ["REQ", "DEALER", "ROUTER"].contains(&kind) {
        b"ME"
    } else {
        b""
    }
}

fn talk(
    arena: &mut Arena,
    player: Player,
    binds: bool,
    what: (Dialect, &str, &str, Run),
) -> Outcome {
    let (dialect, kind, other, run) = what;
    let sock = arena.open(player, kind)?;
    if !id_of(kind).is_empty() {
        arena.set(&sock, "ROUTING_ID", "ME")?;
    }
    let mut wire = Wire::join(arena, &sock, binds)?;
    greet(dialect, &mut wire, (&sock, id_of(kind)), (other, b"BOB"))?;
    run(&mut Talk {
        arena,
        sock,
        wire,
        dialect,
    })
}

/// Shakes hands as a peer of type `kind` that calls itself `id`, with a socket that calls itself `own`.
fn greet(
    dialect: Dialect,
    wire: &mut Wire,
    (sock, own): (&Sock, &[u8]),
    (kind, id): (&str, &[u8]),
) -> Outcome {
    // RFC 23 has no numbers for XPUB and XSUB: ours tell those of PUB and SUB, libzmq its own.
    let known = match (sock.player, sock.kind.as_str()) {
        (Player::Ours, "XPUB") => "PUB",
        (Player::Ours, "XSUB") => "SUB",
        (_, kind) => kind,
    };
    let socket = Face {
        kind: &sock.kind,
        id: own,
        number: number(known),
    };
    dialect.greet(
        wire,
        Face {
            kind,
            id,
            number: number(kind),
        },
        socket,
    )
}

fn words(words: &[&str]) -> Vec<Vec<u8>> {
    words.iter().map(|word| word.as_bytes().to_vec()).collect()
}

impl Talk<'_> {
    /// The socket sends, and these octets come.
    fn socket_says(&mut self, given: &[Vec<u8>], sent: &[Vec<u8>]) -> Outcome {
        self.arena.send(&self.sock, given)?;
        self.wire.hear("message", &self.dialect.message(sent))
    }

    /// The script sends, and the socket receives this.
    fn script_says(&mut self, said: &[Vec<u8>], received: &[Vec<u8>]) -> Outcome {
        self.wire.say(&self.dialect.message(said))?;
        self.arena.expect(&self.sock, received)
    }
}

fn dealer(talk: &mut Talk<'_>) -> Outcome {
    for _ in 0..2 {
        talk.socket_says(&words(&["", "hi"]), &words(&["", "hi"]))?;
        talk.script_says(&words(&["", "yo"]), &words(&["", "yo"]))?;
    }
    Ok(())
}

fn router(talk: &mut Talk<'_>) -> Outcome {
    for _ in 0..2 {
        talk.script_says(&words(&["hello"]), &words(&["BOB", "hello"]))?;
        talk.socket_says(&words(&["BOB", "hi", "ho"]), &words(&["hi", "ho"]))?;
    }
    Ok(())
}

fn req(talk: &mut Talk<'_>) -> Outcome {
    for _ in 0..2 {
        talk.socket_says(&words(&["q"]), &words(&["", "q"]))?;
        talk.script_says(&words(&["", "a", ""]), &words(&["a", ""]))?;
    }
    Ok(())
}

fn rep(talk: &mut Talk<'_>) -> Outcome {
    for _ in 0..2 {
        talk.script_says(&words(&["way", "", "q"]), &words(&["q"]))?;
        talk.socket_says(&words(&["a"]), &words(&["way", "", "a"]))?;
    }
    Ok(())
}

/// Around the sizes where frames change to the long form: in 1.0 from 254 octets on, later from 256 on.
const SIZES: [usize; 9] = [0, 1, 252, 253, 254, 255, 256, 300, 70 << 10];

fn send_sizes(talk: &mut Talk<'_>) -> Outcome {
    SIZES.iter().try_for_each(|size| {
        let message = [octets(*size), octets(*size)];
        talk.socket_says(&message, &message)
    })
}

fn receive_sizes(talk: &mut Talk<'_>) -> Outcome {
    SIZES.iter().try_for_each(|size| {
        let message = [octets(*size), octets(*size)];
        talk.script_says(&message, &message)
    })
}

fn pair(talk: &mut Talk<'_>) -> Outcome {
    send_sizes(talk)?;
    receive_sizes(talk)
}

/// A 1.0 peer without a greeting cannot subscribe, and is sent everything.
fn xpub(talk: &mut Talk<'_>) -> Outcome {
    if talk.dialect.is_unversioned() {
        talk.arena.expect(&talk.sock, &[vec![1]])?;
        return talk.socket_says(&words(&["topic data"]), &words(&["topic data"]));
    }
    for topic in [b"A".to_vec(), octets(255)] {
        talk.wire.say(&talk.dialect.subscription(1, &topic))?;
        talk.arena
            .expect(&talk.sock, &[[&[1], &topic[..]].concat()])?;
        talk.arena.send(&talk.sock, &words(&["unwanted"]))?;
        talk.socket_says(&[topic.clone(), vec![]], &[topic.clone(), vec![]])?;
        talk.wire.say(&talk.dialect.subscription(0, &topic))?;
        talk.arena
            .expect(&talk.sock, &[[&[0], &topic[..]].concat()])?;
    }
    Ok(())
}

/// A PUB does not tell when a subscription has come: sends until the first message is there.
fn publish(talk: &mut Talk<'_>) -> Outcome {
    if !talk.dialect.is_unversioned() {
        talk.wire.say(&talk.dialect.subscription(1, b"A"))?;
    }
    let probe = talk.dialect.message(&words(&["A"]));
    let started = Instant::now();
    loop {
        talk.arena.send(&talk.sock, &words(&["A"]))?;
        if talk.wire.hears(Duration::from_millis(5))? {
            break;
        }
        if started.elapsed() > WAIT {
            return fail("the subscription has no effect");
        }
    }
    talk.arena.send(&talk.sock, &words(&["Aend"]))?;
    let end = talk.dialect.message(&words(&["Aend"]));
    loop {
        let head = talk.wire.read(probe.len())?;
        if head == probe {
            continue;
        }
        let rest = talk.wire.read(end.len() - probe.len())?;
        if [head, rest].concat() == end {
            return Ok(());
        }
        return fail("PUB sent another message");
    }
}

fn sub(talk: &mut Talk<'_>) -> Outcome {
    let (ours, is_sub) = (talk.sock.player == Player::Ours, talk.sock.kind == "SUB");
    // libzmq gets the length of this one wrong where subscriptions are messages.
    let long = if ours { octets(255) } else { octets(244) };
    let mut unknown = true;
    for topic in [b"A".to_vec(), long] {
        talk.arena.subscribe(&talk.sock, &topic)?;
        if !talk.dialect.is_unversioned() {
            await_words(talk)?;
            // What an XSUB of libzmq is given as a message leaves as a message in every version, but for what it was given before it had
            // learnt about its peer: that is a command, as all that it tells somebody new.
            let message = !is_sub && !ours && talk.dialect == Dialect::V3_1;
            let command = !message || unknown && talk.wire.next()? == COMMAND;
            unknown = false;
            let dialect = if command { talk.dialect } else { Dialect::V3_0 };
            talk.wire
                .hear("subscription", &dialect.subscription(1, &topic))?;
        }
        if is_sub {
            talk.wire
                .say(&talk.dialect.message(&words(&["unwanted"])))?;
        }
        talk.script_says(&[topic.clone(), vec![]], &[topic, vec![]])?;
    }
    Ok(())
}

/// libzmq learns about its peer, and tells it the subscriptions, inside a call of its user.
fn await_words(talk: &mut Talk<'_>) -> Outcome {
    let started = Instant::now();
    while !talk.wire.hears(Duration::from_millis(5))? && started.elapsed() < WAIT {
        talk.arena.remind()?;
    }
    Ok(())
}

/// Everything up to the first message arrives in segments of one octet.
fn spelled(arena: &mut Arena, player: Player, dialect: Dialect) -> Outcome {
    let sock = arena.open(player, "PULL")?;
    let mut wire = Wire::join(arena, &sock, true)?;
    wire.spelling = true;
    greet(dialect, &mut wire, (&sock, b""), ("PUSH", b""))?;
    let message = [octets(300), vec![], b"end".to_vec()];
    wire.say(&dialect.message(&message))?;
    arena.expect(&sock, &message)
}

/// A dialer that has met an old peer meets it again after the connection was lost.
fn dialer_returns(arena: &mut Arena, player: Player, dialect: Dialect) -> Outcome {
    let sock = arena.open(player, "PUSH")?;
    arena.set(&sock, "RECONNECT_IVL", 20)?;
    let (mut wire, listener) = Wire::listen(arena, &sock)?;
    for index in 0..3u8 {
        greet(dialect, &mut wire, (&sock, b""), ("PULL", b""))?;
        let message = [vec![index]];
        arena.send(&sock, &message)?;
        wire.hear("message", &dialect.message(&message))?;
        drop(wire);
        wire = Wire::accept(&listener)?;
    }
    Ok(())
}
