//! PAIR.

use std::thread;
use std::time::Instant;

use zmq::Context;
use zmq::blocking::Pair;

use super::place::Transport;
use super::story::{Story, Time};
use super::{PATIENCE, Stop, Trouble, ensure, joined};

pub(super) const THREADS: Stop = Stop {
    name: "pair",
    title: "Two threads over inproc: PAIR and PAIR",
    about: "A ball goes to and fro between two threads; the kernel only wakes them.",
    run: threads,
};

fn threads(story: &mut Story) -> Result<(), Trouble> {
    const COUNT: u32 = 2_000;
    let context = Context::new();
    let here = Pair::new(&context);
    let endpoint = here.bind(Transport::Inproc.endpoint())?;
    let there = Pair::new(&context);
    there.connect(&endpoint)?;
    let begun = Instant::now();
    let ball = thread::scope(|scope| {
        let partner = scope.spawn(|| -> Result<(), Trouble> {
            for _ in 0..COUNT {
                let ball = there.recv_timeout(PATIENCE)?;
                there.send_timeout(ball, PATIENCE)?;
            }
            Ok(())
        });
        let mut ball = zmq::Message::from("ball");
        for _ in 0..COUNT {
            here.send_timeout(ball, PATIENCE)?;
            ball = here.recv_timeout(PATIENCE)?;
        }
        joined(partner).map(|()| ball)
    })?;
    let took = begun.elapsed();
    ensure(ball.first() == b"ball", || {
        format!("the ball became {ball:?}")
    })?;
    story.tell(format_args!(
        "{COUNT} times there and back in {}: {} each",
        Time(took),
        Time(took / COUNT)
    ));
    Ok(())
}
