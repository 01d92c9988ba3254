//! Both ends in one process, each on a thread of its own.

use std::thread;

use super::{Leave, fan, latency, payload, throughput};
use crate::contender::{Contender, Result};
use crate::{Job, Measurement, pin_to_cores};

const ENDPOINT: &str = "inproc://bench";

/// Where the ends meet: one tells the other that it is bound, and at the end that it may leave.
#[derive(Clone, Default)]
struct Meeting {
    bound: Leave,
    done: Leave,
}

/// Runs `other` on a thread of its own, on the second core when there is one.
fn beside(
    job: &Job,
    meeting: &Meeting,
    other: impl FnOnce() -> Result<()> + Send,
    here: impl FnOnce() -> Result<Measurement>,
) -> Result<Measurement> {
    thread::scope(|scope| {
        let core = job.cores.get(1).copied();
        let thread = scope.spawn(move || {
            if let Some(core) = core {
                pin_to_cores(&[core])?;
            }
            other()
        });
        let result = here();
        // One that failed lets the other go as well.
        meeting.bound.raise();
        meeting.done.raise();
        thread.join().map_err(|_| "the other thread panicked")??;
        result
    })
}

pub(super) fn throughput<C: Contender>(contender: &C, job: &Job) -> Result<Measurement> {
    let meeting = Meeting::default();
    let send = async || {
        meeting.bound.wait(contender).await;
        let octets = payload(job.size);
        let mut push = contender.open("PUSH", false).await?;
        contender.connect(&mut push, ENDPOINT).await?;
        contender.send_many(&mut push, octets, job.count).await?;
        contender.flush(&mut push).await?;
        meeting.done.wait(contender).await;
        contender.close(push).await
    };
    let take = async || {
        let mut pull = contender.open("PULL", false).await?;
        contender.bind(&mut pull, ENDPOINT).await?;
        meeting.bound.raise();
        let measurement = throughput::take(contender, &mut pull, job).await;
        meeting.done.raise();
        measurement
    };
    let other = || contender.run(send());
    beside(job, &meeting, other, || contender.run(take()))
}

pub(super) fn latency<C: Contender>(contender: &C, job: &Job) -> Result<Measurement> {
    let meeting = Meeting::default();
    let answer = async || {
        let mut rep = contender.open("REP", false).await?;
        contender.bind(&mut rep, ENDPOINT).await?;
        meeting.bound.raise();
        latency::echoes(contender, &mut rep, job).await?;
        meeting.done.wait(contender).await;
        Ok(())
    };
    let ask = async || {
        meeting.bound.wait(contender).await;
        let mut req = contender.open("REQ", false).await?;
        contender.connect(&mut req, ENDPOINT).await?;
        let measurement = latency::trips(contender, &mut req, job).await;
        meeting.done.raise();
        measurement
    };
    let other = || contender.run(answer());
    beside(job, &meeting, other, || contender.run(ask()))
}

pub(super) fn fan<C: Contender>(contender: &C, job: &Job) -> Result<Measurement> {
    let meeting = Meeting::default();
    let publish = async || {
        let octets = payload(job.size);
        let mut socket = contender.open("PUB", true).await?;
        contender.bind(&mut socket, ENDPOINT).await?;
        meeting.bound.raise();
        contender.wait_subscribers(&mut socket, job.peers).await?;
        contender.send_many(&mut socket, octets, job.count).await?;
        contender.flush(&mut socket).await?;
        meeting.done.wait(contender).await;
        contender.close(socket).await
    };
    let subscribe = async || {
        meeting.bound.wait(contender).await;
        let mut sockets = fan::subscribers(contender, job, ENDPOINT).await?;
        let measurement = fan::take_from_each(contender, &mut sockets, (job.size, job.count)).await;
        meeting.done.raise();
        measurement
    };
    let other = || contender.run(publish());
    beside(job, &meeting, other, || contender.run(subscribe()))
}
