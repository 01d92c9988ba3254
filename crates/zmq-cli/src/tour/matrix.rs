//! Every pattern over every transport.

use std::thread;
use std::time::Instant;

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

/// One pattern: a run of so many messages through an endpoint, which says how many arrived.
struct Pattern {
    name: &'static str,
    count: u32,
    run: fn(&Context, Transport, u32) -> Result<u32, Trouble>,
}

const PATTERNS: &[Pattern] = &[
    Pattern {
        name: "PUSH PULL",
        count: 20_000,
        run: pipeline,
    },
    Pattern {
        name: "PUB SUB",
        count: 500,
        run: publish,
    },
    Pattern {
        name: "XPUB XSUB",
        count: 500,
        run: publish_raw,
    },
    Pattern {
        name: "PAIR PAIR",
        count: 20_000,
        run: pair,
    },
    Pattern {
        name: "DEALER ROUTER",
        count: 20_000,
        run: route,
    },
    Pattern {
        name: "REQ REP",
        count: 500,
        run: request,
    },
];

fn all(story: &mut Story) -> Result<(), Trouble> {
    let names = Transport::ALL.map(|transport| format!("{:>14}", transport.name()));
    story.tell(format_args!("{:<14}{}", "", names.join("")));
    for pattern in PATTERNS {
        let mut cells = String::new();
        for transport in Transport::ALL {
            let context = Context::new();
            let begun = Instant::now();
            let arrived = (pattern.run)(&context, transport, pattern.count).map_err(|trouble| {
                format!("{} over {}: {trouble}", pattern.name, transport.name())
            })?;
            let rate = Rate(f64::from(arrived), begun.elapsed());
            ensure(arrived == pattern.count, || {
                format!(
                    "{} over {}: {arrived} of {}",
                    pattern.name,
                    transport.name(),
                    pattern.count
                )
            })?;
            cells.push_str(&format!("{:>14}", rate.to_string()));
        }
        story.tell(format_args!("{:<14}{cells}", pattern.name));
    }
    Ok(())
}

fn body() -> Message {
    Message::from(vec![b'x'; 100])
}

/// Sends in one thread, receives in this one.
fn flow(
    count: u32,
    send: impl Fn() -> Result<(), Trouble> + Send,
    recv: impl Fn() -> Result<(), Trouble>,
) -> Result<u32, Trouble> {
    thread::scope(|scope| {
        let sender = scope.spawn(move || (0..count).try_for_each(|_| send()));
        for _ in 0..count {
            recv()?;
        }
        joined(sender).map(|()| count)
    })
}

fn pipeline(context: &Context, transport: Transport, count: u32) -> Result<u32, Trouble> {
    let (push, pull) = (Push::new(context), Pull::new(context));
    push.connect(pull.bind(transport.endpoint())?)?;
    flow(
        count,
        || Ok(push.send_timeout(body(), PATIENCE)?),
        || Ok(pull.recv_timeout(PATIENCE).map(drop)?),
    )
}

/// A publisher does not wait, so all of it has to fit the queues.
fn publish(context: &Context, transport: Transport, count: u32) -> Result<u32, Trouble> {
    let (publisher, reader) = (Pub::new(context), Sub::new(context));
    reader.subscribe("x")?;
    reader.connect(publisher.bind(transport.endpoint())?)?;
    publisher.subscribers_timeout(1, PATIENCE)?;
    flow(
        count,
        || Ok(publisher.send(body())?),
        || Ok(reader.recv_timeout(PATIENCE).map(drop)?),
    )
}

fn publish_raw(context: &Context, transport: Transport, count: u32) -> Result<u32, Trouble> {
    let (publisher, reader) = (XPub::new(context), XSub::new(context));
    reader.subscribe("x")?;
    reader.connect(publisher.bind(transport.endpoint())?)?;
    publisher.subscribers_timeout(1, PATIENCE)?;
    flow(
        count,
        || Ok(publisher.send(body())?),
        || Ok(reader.recv_timeout(PATIENCE).map(drop)?),
    )
}

fn pair(context: &Context, transport: Transport, count: u32) -> Result<u32, Trouble> {
    let (here, there) = (Pair::new(context), Pair::new(context));
    here.connect(there.bind(transport.endpoint())?)?;
    flow(
        count,
        || Ok(here.send_timeout(body(), PATIENCE)?),
        || Ok(there.recv_timeout(PATIENCE).map(drop)?),
    )
}

fn route(context: &Context, transport: Transport, count: u32) -> Result<u32, Trouble> {
    let (dealer, router) = (Dealer::new(context), Router::new(context));
    dealer.connect(router.bind(transport.endpoint())?)?;
    flow(
        count,
        || Ok(dealer.send_timeout(body(), PATIENCE)?),
        || Ok(router.recv_timeout(PATIENCE).map(drop)?),
    )
}

fn request(context: &Context, transport: Transport, count: u32) -> Result<u32, Trouble> {
    let (req, rep) = (Req::new(context), Rep::new(context));
    req.connect(rep.bind(transport.endpoint())?)?;
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
        joined(service).map(|()| count)
    })
}
