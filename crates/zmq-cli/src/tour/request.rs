//! REQ and REP.

use std::thread;
use std::time::{Duration, Instant};

use zmq::Context;
use zmq::blocking::{Rep, Req};

use super::place::Transport;
use super::story::{Story, Time};
use super::{PATIENCE, Stop, Trouble, ensure, joined};

pub(super) const ROUND_TRIPS: Stop = Stop {
    name: "request",
    title: "Question and answer over ipc and tcp: REQ and REP",
    about: "A client asks, a service answers, one after the other; each answer belongs to its question.",
    run: round_trips,
};

const COUNT: u32 = 2_000;

fn round_trips(story: &mut Story) -> Result<(), Trouble> {
    for transport in [Transport::Ipc, Transport::Tcp] {
        let mut times = measured(transport)?;
        times.sort_unstable();
        let share = |percent: usize| Time(times[times.len() * percent / 100]);
        story.tell(format_args!(
            "{}: {COUNT} round trips; half took less than {}, 99 of 100 less than {}",
            transport.name(),
            share(50),
            share(99)
        ));
    }
    Ok(())
}

fn measured(transport: Transport) -> Result<Vec<Duration>, Trouble> {
    let context = Context::new();
    let rep = Rep::new(&context);
    let endpoint = rep.bind(transport.endpoint())?;
    let req = Req::new(&context);
    req.connect(&endpoint)?;
    req.ready_timeout(1, PATIENCE)?;
    thread::scope(|scope| {
        let service = scope.spawn(|| -> Result<(), Trouble> {
            for _ in 0..COUNT {
                let (question, responder) = rep.recv_timeout(PATIENCE)?.into_parts();
                responder.reply(question)?;
            }
            Ok(())
        });
        let mut times = Vec::with_capacity(COUNT as usize);
        for number in 0..COUNT {
            let begun = Instant::now();
            let answer = req.request_timeout(number.to_be_bytes(), PATIENCE)?;
            times.push(begun.elapsed());
            ensure(answer.first() == number.to_be_bytes(), || {
                format!("question {number} got the answer {answer:?}")
            })?;
        }
        joined(service).map(|()| times)
    })
}
