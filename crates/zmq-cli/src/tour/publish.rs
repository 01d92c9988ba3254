//! PUB and SUB.

use zmq::blocking::{Pub, Sub};
use zmq::{Context, Frame, Message};

use super::place::Transport;
use super::story::Story;
use super::{PATIENCE, Stop, Trouble, ensure};

pub(super) const TOPICS: Stop = Stop {
    name: "topics",
    title: "Publish and subscribe over tcp: one PUB, three SUB",
    about: "Subscribers choose by the beginning of a message; the publisher sends each only what it asked for.",
    run: topics,
};

fn topics(story: &mut Story) -> Result<(), Trouble> {
    const EACH: usize = 100;
    const PUBLISHED: [&str; 3] = ["weather.oslo", "weather.rome", "sports.chess"];
    let wishes = [
        ("weather.", 2 * EACH),
        ("weather.oslo", EACH),
        ("", 3 * EACH),
    ];
    let context = Context::new();
    let publisher = Pub::new(&context);
    let endpoint = publisher.bind(Transport::Tcp.endpoint())?;
    let mut readers = Vec::new();
    for (topic, expected) in wishes {
        let reader = Sub::new(&context);
        reader.subscribe(topic)?;
        reader.connect(&endpoint)?;
        readers.push((reader, topic, expected));
    }
    publisher.subscribers_timeout(readers.len(), PATIENCE)?;
    for number in 0..EACH {
        for topic in PUBLISHED {
            let frames = [Frame::from(topic), Frame::from(number.to_string())];
            publisher.send(Message::from(frames))?;
        }
    }
    // What ends the stream reaches everybody, behind all else.
    for (_, topic, _) in &readers {
        publisher.send(Message::from([Frame::from(*topic), Frame::from("end")]))?;
    }
    story.tell(format_args!(
        "{} messages on {} topics",
        EACH * PUBLISHED.len(),
        PUBLISHED.len()
    ));
    for (reader, topic, expected) in &readers {
        let mut met = 0;
        loop {
            let message = reader.recv_timeout(PATIENCE)?;
            ensure(message.first().starts_with(topic.as_bytes()), || {
                format!("a subscriber to \"{topic}\" got {message:?}")
            })?;
            if message.frames()[1] == "end" {
                break;
            }
            met += 1;
        }
        ensure(met == *expected, || {
            format!("\"{topic}\": expected {expected} messages, met {met}")
        })?;
        story.tell(format_args!("the subscriber to \"{topic}\" got {met}"));
    }
    Ok(())
}
