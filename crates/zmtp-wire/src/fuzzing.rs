//! What must hold for any octets at all; called by the fuzz targets and by the property tests.

use crate::command::Command;
use crate::greeting::{Greeter, Own};
use crate::metadata::{Announced, Metadata, Property};
use crate::{
    Error, Event, Heartbeat, Limits, Mechanism, Misbehaved, Session, SessionConfig, SocketType,
    Time, Verdict, Version,
};
use alloc::boxed::Box;
use alloc::vec::Vec;

const NOW: Time = Time::from_millis(0);

/// Whatever parses as a command says the same when emitted and parsed again.
pub fn command(body: &[u8]) {
    if let Ok(command) = Command::parse(body) {
        let mut emitted = Vec::new();
        command.emit(&mut emitted);
        assert_eq!(Command::parse(&emitted), Ok(command));
    }
}

/// Whatever parses as metadata is its own encoding.
pub fn metadata(encoded: &[u8]) {
    let properties: Result<Vec<Property<'_>>, Misbehaved> = Metadata::new(encoded).collect();
    if let Ok(properties) = &properties {
        let mut emitted = Vec::new();
        properties
            .iter()
            .for_each(|property| property.emit(&mut emitted));
        assert_eq!(emitted, encoded);
    }
    if Announced::read(encoded, &Limits::DEFAULT).is_ok() {
        assert!(properties.is_ok());
    }
}

/// Cuts `octets` into chunks whose lengths come from `seed`.
fn chunks<'a>(seed: &[u8], octets: &'a [u8]) -> Vec<&'a [u8]> {
    let mut lengths = seed
        .iter()
        .map(|length| usize::from(*length).max(1))
        .cycle();
    let (mut chunks, mut rest) = (Vec::new(), octets);
    while !rest.is_empty() {
        let (chunk, behind) = rest.split_at(lengths.next().unwrap_or(1).min(rest.len()));
        chunks.push(chunk);
        rest = behind;
    }
    chunks
}

/// However a greeting is cut, it leads to the same outcome, reads as much, and has us say the same.
pub fn greeting(data: &[u8]) {
    let (seed, octets) = data.split_at(data.len().min(4));
    let mut mechanism = [0; 20];
    mechanism
        .iter_mut()
        .zip(b"NULL")
        .for_each(|(to, from)| *to = *from);
    let own = Own {
        socket_type: SocketType::Dealer,
        routing_id_length: 0,
        mechanism,
        as_server: false,
        min_version: Version::V1,
        max_version: Version::V3_1,
        legacy_allowed: true,
    };
    let greet = |chunks: Vec<&[u8]>| {
        let mut said = Vec::new();
        let mut greeter = Greeter::new(own, &mut said);
        for mut chunk in chunks {
            match greeter.handle_input(&mut chunk, &mut said) {
                Ok(None) => assert!(chunk.is_empty()),
                outcome => return (outcome, greeter.received().to_vec(), said),
            }
        }
        (Ok(None), greeter.received().to_vec(), said)
    };
    assert_eq!(greet(chunks(seed, octets)), greet(chunks(&[255], octets)));
}

/// One way a peer's octets went through a session.
#[derive(Debug, PartialEq)]
struct Course {
    events: Vec<Event>,
    error: Option<Error>,
    said: Vec<u8>,
}

/// Runs a session over these chunks, with a verdict whenever one is asked for.
fn run(mut session: Session, chunks: &[&[u8]]) -> Course {
    let mut course = Course {
        events: Vec::new(),
        error: None,
        said: Vec::new(),
    };
    for chunk in chunks {
        let mut rest = *chunk;
        loop {
            match feed(&mut session, &mut rest) {
                Ok(Some(Event::Authenticate(_))) => {
                    match session.handle_verdict(Verdict::accept(), NOW) {
                        Ok(event) => course.events.extend(event),
                        Err(error) => course.error = Some(error),
                    }
                }
                Ok(Some(event)) => course.events.push(event),
                Ok(None) if rest.is_empty() => break,
                Ok(None) => {}
                Err(error) => course.error = Some(error),
            }
            if course.error.is_some() {
                course.said = session.output_chunks().flatten().copied().collect();
                return course;
            }
        }
    }
    course.said = session.output_chunks().flatten().copied().collect();
    course
}

/// Hands octets in as an owner does: a large frame is read into its own buffer.
fn feed(session: &mut Session, rest: &mut &[u8]) -> Result<Option<Event>, Error> {
    let Some(buffer) = session.body_buffer() else {
        return session.handle_input(NOW, rest);
    };
    let spare = buffer.capacity().saturating_sub(buffer.len());
    assert!(spare > 0, "a body buffer has room");
    assert!(
        buffer.capacity()
            <= Limits::DEFAULT
                .grow_step
                .max(buffer.len().saturating_mul(2)),
        "no more than arrived"
    );
    if rest.is_empty() {
        return session.handle_input(NOW, rest);
    }
    let (part, behind) = rest.split_at(spare.min(rest.len()));
    buffer.extend_from_slice(part);
    *rest = behind;
    session.handle_body(NOW)
}

/// However a conversation is cut, it leads to the same events, the same end, and has us say the same. The first octets of `data`
/// choose the cuts, the socket type, and what went before.
pub fn session(data: &[u8], mechanism: impl Fn() -> Box<dyn Mechanism>) {
    let Some((&[kind, before, ref seed @ ..], octets)) = data.split_first_chunk::<6>() else {
        return;
    };
    let socket_type = SocketType::from_number(kind % 11).unwrap_or(SocketType::Pair);
    let mut prefix: Vec<u8> = Vec::new();
    if before % 4 > 1 {
        prefix.extend_from_slice(&[
            0xff,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            1,
            0x7f,
            3,
            (before % 4).saturating_sub(2),
        ]);
        prefix.extend_from_slice(&mechanism().name());
        prefix.resize(64, 0);
        if before & 4 != 0 {
            prefix.extend_from_slice(b"\x04\x06\x05READY");
        }
    } else if before % 4 == 1 {
        prefix.extend_from_slice(&[1, 0]);
    }
    prefix.extend_from_slice(octets);
    let fresh = || {
        let config = SessionConfig {
            heartbeat: Some(Heartbeat {
                interval_ms: 10,
                timeout_ms: 10,
                ttl_ms: 10,
            }),
            ..SessionConfig::new(socket_type)
        };
        Session::new(config, mechanism(), NOW)
    };
    let whole = run(fresh(), &[&prefix]);
    assert_eq!(run(fresh(), &chunks(seed, &prefix)), whole);
    let octets_delivered: usize = whole.events.iter().map(delivered).sum();
    assert!(
        octets_delivered <= prefix.len(),
        "nothing is delivered that did not arrive"
    );
}

fn delivered(event: &Event) -> usize {
    match event {
        Event::Message(message) => message.byte_len(),
        Event::Subscribe(topic) | Event::Cancel(topic) => topic.len(),
        _ => 0,
    }
}

/// The same for a session without an allocator.
pub fn borrowed<M: crate::borrowed::Mechanism>(data: &[u8], mechanism: impl Fn() -> M) {
    use crate::borrowed::{Buffers, Config, Event as Seen, Session};
    let Some((&[kind, ref seed @ ..], octets)) = data.split_first_chunk::<5>() else {
        return;
    };
    let socket_type = SocketType::from_number(kind % 11).unwrap_or(SocketType::Pair);
    let converse = |chunks: Vec<&[u8]>| {
        let (mut input, mut output) = ([0; 300], [0; 200]);
        let buffers = Buffers {
            input: &mut input,
            output: &mut output,
        };
        let mut session = Session::new(Config::new(socket_type), mechanism(), buffers, NOW);
        let mut seen = Vec::new();
        for mut chunk in chunks {
            loop {
                match session.handle_input(NOW, &mut chunk) {
                    Ok(None) => break,
                    Ok(Some(Seen::Frame { body, more })) => {
                        seen.push((u8::from(more), body.to_vec()))
                    }
                    Ok(Some(Seen::Ready(peer))) => seen.push((2, peer.routing_id.to_vec())),
                    Ok(Some(Seen::Subscribe(topic))) => seen.push((3, topic.to_vec())),
                    Ok(Some(Seen::Cancel(topic))) => seen.push((4, topic.to_vec())),
                    Err(error) => return (seen, Some(error), session.output().to_vec()),
                }
            }
            assert!(chunk.is_empty());
        }
        (seen, None, session.output().to_vec())
    };
    assert_eq!(
        converse(chunks(seed, octets)),
        converse(chunks(&[255], octets))
    );
}
