//! Every pattern over every transport.

use std::thread;
use std::time::{Duration, Instant};

use zmq::blocking::{Dealer, Pair, Pub, Pull, Push, Rep, Req, Router, Sub, XPub, XSub};
use zmq::{Context, Message};

use super::place::Transport;
use super::story::{Rate, Story};
use super::{PATIENCE, Stop, Trouble, ensure, joined};

pub(super) const ALL: Stop = Stop {
    name: "all",
    title: "Every pattern over every transport",
    about: "Messages of 100 octets; the numbers are messages (or round trips) a second, in this process, on this machine.",
    run: all,
};

/// One pattern: a run of so many messages over a transport, which says how long they took once the link stood.
struct Pattern {
    name: &'static str,
    count: u32,
    run: fn(Transport, u32) -> Result<Duration, Trouble>,
}

const MANY: u32 = 30_000;
const FEW: u32 = 1_000;

const PATTERNS: &[Pattern] = &[
    Pattern {
        name: "PUSH PULL",
        count: MANY,
        run: pipeline,
    },
    Pattern {
        name: "PUB SUB",
        count: MANY,
        run: publish,
    },
    Pattern {
        name: "XPUB XSUB",
        count: MANY,
        run: publish_raw,
    },
    Pattern {
        name: "PAIR PAIR",
        count: MANY,
        run: pair,
    },
    Pattern {
        name: "DEALER ROUTER",
        count: MANY,
        run: route,
    },
    Pattern {
        name: "REQ REP",
        count: FEW,
        run: request,
    },
];

fn all(story: &mut Story) -> Result<(), Trouble> {
    let names = Transport::ALL.map(|transport| format!("{:>14}", transport.name()));
    story.tell(format_args!("{:<14}{}", "", names.join("")));
    for pattern in PATTERNS {
        let mut cells = String::new();
        for transport in Transport::ALL {
            let took = (pattern.run)(transport, pattern.count).map_err(|trouble| {
                format!("{} over {}: {trouble}", pattern.name, transport.name())
            })?;
            let rate = Rate(f64::from(pattern.count), took);
            cells.push_str(&format!("{:>14}", rate.to_string()));
        }
        story.tell(format_args!("{:<14}{cells}", pattern.name));
    }
    Ok(())
}

fn body() -> Message {
    Message::from(vec![b'x'; 100])
}

/// Sends in one thread, receives in this one; every message has to arrive.
fn flow(
    count: u32,
    send: impl Fn() -> Result<(), Trouble> + Send,
    recv: impl Fn() -> Result<Message, Trouble>,
) -> Result<Duration, Trouble> {
    let begun = Instant::now();
    thread::scope(|scope| {
        let sender = scope.spawn(move || (0..count).try_for_each(|_| send()));
        for number in 0..count {
            let octets = recv()?.byte_len();
            ensure(octets == 100, || {
                format!("message {number} has {octets} octets")
            })?;
        }
        joined(sender).map(|()| begun.elapsed())
    })
}

fn pipeline(transport: Transport, count: u32) -> Result<Duration, Trouble> {
    let context = Context::new();
    let (push, pull) = (Push::new(&context), Pull::new(&context));
    push.connect(pull.bind(transport.endpoint())?)?;
    push.ready_timeout(1, PATIENCE)?;
    flow(
        count,
        || Ok(push.send_timeout(body(), PATIENCE)?),
        || Ok(pull.recv_timeout(PATIENCE)?),
    )
}

/// A publisher does not wait for room, so there has to be enough.
fn publish(transport: Transport, count: u32) -> Result<Duration, Trouble> {
    let context = Context::new();
    let publisher = Pub::options().send_hwm(None).open(&context);
    let reader = Sub::options().recv_hwm(None).open(&context);
    reader.subscribe("x")?;
    reader.connect(publisher.bind(transport.endpoint())?)?;
    publisher.subscribers_timeout(1, PATIENCE)?;
    flow(
        count,
        || Ok(publisher.send(body())?),
        || Ok(reader.recv_timeout(PATIENCE)?),
    )
}

fn publish_raw(transport: Transport, count: u32) -> Result<Duration, Trouble> {
    let context = Context::new();
    let publisher = XPub::options().send_hwm(None).open(&context);
    let reader = XSub::options().recv_hwm(None).open(&context);
    reader.subscribe("x")?;
    reader.connect(publisher.bind(transport.endpoint())?)?;
    publisher.subscribers_timeout(1, PATIENCE)?;
    flow(
        count,
        || Ok(publisher.send(body())?),
        || Ok(reader.recv_timeout(PATIENCE)?),
    )
}

fn pair(transport: Transport, count: u32) -> Result<Duration, Trouble> {
    let context = Context::new();
    let (here, there) = (Pair::new(&context), Pair::new(&context));
    here.connect(there.bind(transport.endpoint())?)?;
    here.ready_timeout(1, PATIENCE)?;
    flow(
        count,
        || Ok(here.send_timeout(body(), PATIENCE)?),
        || Ok(there.recv_timeout(PATIENCE)?),
    )
}

fn route(transport: Transport, count: u32) -> Result<Duration, Trouble> {
    let context = Context::new();
    let (dealer, router) = (Dealer::new(&context), Router::new(&context));
    dealer.connect(router.bind(transport.endpoint())?)?;
    dealer.ready_timeout(1, PATIENCE)?;
    flow(
        count,
        || Ok(dealer.send_timeout(body(), PATIENCE)?),
        || Ok(router.recv_timeout(PATIENCE).map(|(_, body)| body)?),
    )
}

fn request(transport: Transport, count: u32) -> Result<Duration, Trouble> {
    let context = Context::new();
    let (req, rep) = (Req::new(&context), Rep::new(&context));
    req.connect(rep.bind(transport.endpoint())?)?;
    req.ready_timeout(1, PATIENCE)?;
    let begun = Instant::now();
    thread::scope(|scope| {
        let service = scope.spawn(|| -> Result<(), Trouble> {
            for _ in 0..count {
                let (question, responder) = rep.recv_timeout(PATIENCE)?.into_parts();
                responder.reply(question)?;
            }
            Ok(())
        });
        for _ in 0..count {
            req.request_timeout(body(), PATIENCE)?;
        }
        joined(service).map(|()| begun.elapsed())
    })
}
