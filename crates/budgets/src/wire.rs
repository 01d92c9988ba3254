//! Sessions: messages to octets and back, in the clear and sealed.

use std::convert::Infallible;
use std::hint::black_box;

use zmtp_mech_curve::{Client, KeyPair, SecretKey, Server, ServerKeys};
use zmtp_mech_null::Null;
use zmtp_wire::{Event, Mechanism, Message, Session, SessionConfig, SocketType, Time};

use crate::{Case, Run};

const NOW: Time = Time::from_millis(0);

/// Octets of one run, about.
const BATCH: usize = 64 * 1024;

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for size in [16, 64, 256, 1024, 64 * 1024] {
        cases.extend(both("wire", size, null));
    }
    for size in [64, 1024, 64 * 1024] {
        cases.extend(both("curve", size, curve));
    }
    cases
}

type Sides = fn() -> [Box<dyn Mechanism>; 2];

fn null() -> [Box<dyn Mechanism>; 2] {
    [Box::new(Null::new()), Box::new(Null::new())]
}

fn curve() -> [Box<dyn Mechanism>; 2] {
    fn entropy(seed: u8) -> impl FnOnce(&mut [u8]) -> Result<(), Infallible> {
        move |octets| {
            octets.fill(seed);
            Ok(())
        }
    }
    let pair = |seed| KeyPair::from(SecretKey::from_octets([seed; 32]));
    let keys = ServerKeys::new(pair(2));
    let known = keys.public().next().expect("at least one key");
    let (Ok(client), Ok(server)) = (
        Client::new(pair(1), known, entropy(3)),
        Server::new(keys, entropy(4)),
    );
    [Box::new(client), Box::new(server)]
}

/// A PUSH and a PULL that have shaken hands.
fn pair(sides: Sides) -> (Session, Session) {
    let [ours, theirs] = sides();
    let mut push = Session::new(SessionConfig::new(SocketType::Push), ours, NOW);
    let mut pull = Session::new(SessionConfig::new(SocketType::Pull), theirs, NOW);
    while !(push.in_traffic() && pull.in_traffic()) {
        carry(&mut push, &mut pull);
        carry(&mut pull, &mut push);
    }
    (push, pull)
}

fn octets(session: &mut Session) -> Vec<u8> {
    let octets: Vec<u8> = session.output_chunks().flatten().copied().collect();
    session.output_written(octets.len());
    octets
}

fn carry(from: &mut Session, to: &mut Session) {
    let octets = octets(from);
    let mut input = &octets[..];
    while to
        .handle_input(NOW, &mut input)
        .expect("both follow the protocol")
        .is_some()
    {}
}

fn both(name: &str, size: usize, sides: Sides) -> [Case; 2] {
    let count = (BATCH / size).max(4);
    let (seal, open) = match name {
        "curve" => ("seal", "open"),
        _ => ("encode", "decode"),
    };
    [
        Case::new(format!("{name}/{seal}/{size}"), count as u64, move || {
            let (mut push, _) = pair(sides);
            let message = Message::from(vec![7_u8; size]);
            Box::new(move || {
                for _ in 0..count {
                    push.send(black_box(&message));
                }
                let waiting = push.output_len();
                assert_eq!(push.output_written(black_box(waiting)), count);
            })
        }),
        Case::new(format!("{name}/{open}/{size}"), count as u64, move || {
            decoding(sides, size, count)
        }),
    ]
}

fn decoding(sides: Sides, size: usize, count: usize) -> Run {
    let (mut push, mut pull) = pair(sides);
    let message = Message::from(vec![7_u8; size]);
    // What is sealed is sealed once: there is a batch for each run.
    let mut batches: Vec<Vec<u8>> = (0..=crate::WARM)
        .map(|_| {
            for _ in 0..count {
                push.send(&message);
            }
            octets(&mut push)
        })
        .collect();
    batches.reverse();
    Box::new(move || {
        let batch = batches.pop().expect("one for each run");
        let mut input = black_box(&batch[..]);
        let mut got = 0;
        while let Some(event) = pull.handle_input(NOW, &mut input).expect("well-formed") {
            got += usize::from(matches!(black_box(&event), Event::Message(_)));
        }
        assert_eq!(got, count);
    })
}
