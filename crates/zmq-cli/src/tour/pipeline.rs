//! PUSH and PULL.

use std::thread;
use std::time::Instant;

use zmq::blocking::{Pull, Push};
use zmq::{Context, Message};

use super::place::Transport;
use super::story::{Rate, Story, Time};
use super::{PATIENCE, Stop, Trouble, ensure, joined};

pub(super) const ORDER: Stop = Stop {
    name: "order",
    title: "A pipeline over tcp: PUSH to PULL",
    about: "One socket sends numbers, another one receives every one of them, in order.",
    run: order,
};

fn order(story: &mut Story) -> Result<(), Trouble> {
    const COUNT: u64 = 200_000;
    let context = Context::new();
    let pull = Pull::new(&context);
    let endpoint = pull.bind(Transport::Tcp.endpoint())?;
    let push = Push::new(&context);
    push.connect(&endpoint)?;
    push.ready_timeout(1, PATIENCE)?;
    let begun = Instant::now();
    let octets = thread::scope(|scope| {
        let sender = scope.spawn(|| -> Result<(), Trouble> {
            for number in 0..COUNT {
                push.send_timeout(number.to_be_bytes(), PATIENCE)?;
            }
            Ok(())
        });
        let mut octets = 0;
        for expected in 0..COUNT {
            let message = pull.recv_timeout(PATIENCE)?;
            octets += message.byte_len();
            ensure(message.first() == expected.to_be_bytes(), || {
                format!("expected number {expected}, met {message:?}")
            })?;
        }
        joined(sender).map(|()| octets)
    })?;
    let took = begun.elapsed();
    let rate = Rate(COUNT as f64, took);
    story.tell(format_args!("bound to {endpoint}"));
    story.tell(format_args!(
        "{COUNT} messages, {octets} octets, in {}: {rate} messages a second, none lost, none out of order",
        Time(took)
    ));
    Ok(())
}

pub(super) const SHARE: Stop = Stop {
    name: "share",
    title: "Work shared over ipc: one PUSH, three PULL",
    about: "Each message goes to one worker, in turn.",
    run: share,
};

fn share(story: &mut Story) -> Result<(), Trouble> {
    const WORKERS: usize = 3;
    const EACH: usize = 500;
    let context = Context::new();
    let push = Push::new(&context);
    let endpoint = push.bind(Transport::Ipc.endpoint())?;
    let workers: Vec<Pull> = (0..WORKERS).map(|_| Pull::new(&context)).collect();
    for worker in &workers {
        worker.connect(&endpoint)?;
    }
    push.ready_timeout(WORKERS, PATIENCE)?;
    story.tell(format_args!(
        "{WORKERS} workers are connected to {endpoint}"
    ));
    for number in 0..WORKERS * EACH {
        push.send_timeout(number.to_string(), PATIENCE)?;
    }
    let mut shares = Vec::new();
    for worker in &workers {
        for _ in 0..EACH {
            worker.recv_timeout(PATIENCE)?;
        }
        let more = worker.try_recv().is_ok();
        ensure(!more, || {
            format!("a worker got more than its {EACH} messages")
        })?;
        shares.push(EACH.to_string());
    }
    story.tell(format_args!(
        "{} messages were shared {}",
        WORKERS * EACH,
        shares.join(" : ")
    ));
    Ok(())
}

pub(super) const LARGE: Stop = Stop {
    name: "large",
    title: "A large message over tcp",
    about: "One frame of 64 MiB goes as a whole; its memory grows with what has arrived, not with what was announced.",
    run: large,
};

fn large(story: &mut Story) -> Result<(), Trouble> {
    const OCTETS: usize = 64 << 20;
    let context = Context::new();
    let pull = Pull::new(&context);
    let endpoint = pull.bind(Transport::Tcp.endpoint())?;
    let push = Push::new(&context);
    push.connect(&endpoint)?;
    push.ready_timeout(1, PATIENCE)?;
    let message = Message::from(vec![7_u8; OCTETS]);
    let begun = Instant::now();
    push.send_timeout(message, PATIENCE)?;
    let received = pull.recv_timeout(PATIENCE)?;
    let took = begun.elapsed();
    ensure(received.byte_len() == OCTETS, || {
        format!("expected {OCTETS} octets, met {}", received.byte_len())
    })?;
    let gigabytes = OCTETS as f64 / took.as_secs_f64() / 1e9;
    story.tell(format_args!(
        "{OCTETS} octets in {}: {gigabytes:.1} GB/s",
        Time(took)
    ));
    Ok(())
}
