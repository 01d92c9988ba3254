//! What is lost is counted.

use std::time::Duration;

use zmq::Context;
use zmq::blocking::{Pub, Push, Sub};

use super::place::Transport;
use super::story::Story;
use super::{PATIENCE, Stop, Trouble, ensure};

pub(super) const SLOW_READER: Stop = Stop {
    name: "losses",
    title: "A subscriber that is too slow, over inproc",
    about: "A publisher never waits. What a slow subscriber has no room for is dropped, and counted.",
    run: slow_reader,
};

fn slow_reader(story: &mut Story) -> Result<(), Trouble> {
    const COUNT: u64 = 1_000;
    const MARK: u32 = 50;
    let context = Context::new();
    let publisher = Pub::options().send_hwm(MARK).open(&context);
    let endpoint = publisher.bind(Transport::Inproc.endpoint())?;
    let reader = Sub::options().recv_hwm(MARK).open(&context);
    reader.subscribe("")?;
    reader.connect(&endpoint)?;
    publisher.subscribers_timeout(1, PATIENCE)?;
    for number in 0..COUNT {
        publisher.send(number.to_string())?;
    }
    let mut received = 0;
    while reader.try_recv().is_ok() {
        received += 1;
    }
    let counters = publisher.counters();
    let dropped: u64 = counters.losses().iter().map(|(_, count)| count).sum();
    story.tell(format_args!(
        "{COUNT} published, {received} received, {dropped} counted as dropped"
    ));
    ensure(received + dropped == COUNT, || {
        format!(
            "{} messages are unaccounted for",
            COUNT - received - dropped
        )
    })
}

pub(super) const CLOSING: Stop = Stop {
    name: "closing",
    title: "Closing with nobody there, over tcp",
    about: "Messages were accepted for a peer that never came. Closing waits for the linger time, then says how many are left.",
    run: closing,
};

fn closing(story: &mut Story) -> Result<(), Trouble> {
    const COUNT: u64 = 3;
    const LINGER: Duration = Duration::from_millis(50);
    let context = Context::new();
    let push = Push::options().linger(LINGER).open(&context);
    push.connect(nobodys_endpoint()?)?;
    for number in 0..COUNT {
        push.try_send(number.to_string())?;
    }
    let report = push.close();
    story.tell(format_args!(
        "{COUNT} accepted; after {} ms, {} were reported as not sent",
        LINGER.as_millis(),
        report.unsent
    ));
    ensure(report.unsent == COUNT, || format!("expected {COUNT}"))
}

/// A port that was free a moment ago.
fn nobodys_endpoint() -> Result<String, Trouble> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    Ok(format!("tcp://{}", listener.local_addr()?))
}
