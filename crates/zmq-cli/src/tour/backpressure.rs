//! High-water marks.

use zmq::Context;
use zmq::blocking::{Pull, Push};

use super::place::Transport;
use super::story::Story;
use super::{PATIENCE, Stop, Trouble, ensure};

pub(super) const MARKS: Stop = Stop {
    name: "marks",
    title: "Back-pressure over inproc: PUSH to a PULL that does not read",
    about: "Queues have a high-water mark. A sender that reaches it is told to wait, and goes on when there is room.",
    run: marks,
};

fn marks(story: &mut Story) -> Result<(), Trouble> {
    const SEND: u32 = 30;
    const RECV: u32 = 20;
    let context = Context::new();
    let pull = Pull::options().recv_hwm(RECV).open(&context);
    let endpoint = pull.bind(Transport::Inproc.endpoint())?;
    let push = Push::options().send_hwm(SEND).open(&context);
    push.connect(&endpoint)?;
    let mut accepted = 0_u32;
    let refusal = loop {
        match push.try_send(accepted.to_string()) {
            Ok(()) => accepted += 1,
            Err(refusal) => break refusal,
        }
        ensure(accepted < 1_000, || {
            "a queue with a mark took a thousand messages".to_owned()
        })?;
    };
    ensure(refusal.is_would_block(), || {
        format!("refused for another reason: {refusal}")
    })?;
    story.tell(format_args!(
        "marks of {SEND} and {RECV}: {accepted} messages were accepted, then: {}",
        refusal.reason()
    ));
    ensure(accepted == SEND + RECV, || {
        format!("expected {} messages to fit", SEND + RECV)
    })?;
    for expected in 0..accepted {
        let message = pull.recv_timeout(PATIENCE)?;
        ensure(message.first() == expected.to_string().as_bytes(), || {
            format!("expected {expected}, met {message:?}")
        })?;
    }
    push.send_timeout(refusal.into_message(), PATIENCE)?;
    pull.recv_timeout(PATIENCE)?;
    story.tell(format_args!(
        "after {accepted} were read, the message that was refused went through"
    ));
    Ok(())
}
