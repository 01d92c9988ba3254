//! A peer that goes and comes back.

use std::time::{Duration, Instant};

use zmq::blocking::{Pull, Push};
use zmq::{Context, Reconnect};

use super::place::Transport;
use super::story::{Story, Time};
use super::{PATIENCE, Stop, Trouble, ensure};

pub(super) const RESTART: Stop = Stop {
    name: "reconnect",
    title: "A restart over tcp: the PULL goes away and comes back",
    about: "The link breaks; what is sent meanwhile waits, and the sender dials again by itself.",
    run: restart,
};

fn restart(story: &mut Story) -> Result<(), Trouble> {
    const MEANWHILE: u32 = 5;
    let context = Context::new();
    let pull = Pull::new(&context);
    let endpoint = pull.bind(Transport::Tcp.endpoint())?;
    let often = Reconnect {
        initial: Some(Duration::from_millis(10)),
        max: None,
        ..Reconnect::default()
    };
    let push = Push::options().reconnect(often).open(&context);
    push.connect(&endpoint)?;
    push.send_timeout("before", PATIENCE)?;
    pull.recv_timeout(PATIENCE)?;
    story.tell("the first message arrived");

    let mut monitor = push.monitor()?;
    pull.close();
    let closed = super::stranger::closing(&mut monitor)?;
    story.tell(format_args!("then the sender was told: {closed}"));

    for number in 0..MEANWHILE {
        push.send_timeout(number.to_string(), PATIENCE)?;
    }
    let begun = Instant::now();
    let pull = Pull::new(&context);
    pull.bind(&endpoint)?;
    for expected in 0..MEANWHILE {
        let message = pull.recv_timeout(PATIENCE)?;
        ensure(message.first() == expected.to_string().as_bytes(), || {
            format!("expected {expected}, met {message:?}")
        })?;
    }
    story.tell(format_args!(
        "{MEANWHILE} messages that were sent meanwhile arrived in order, {} after somebody was bound there again",
        Time(begun.elapsed())
    ));
    Ok(())
}
