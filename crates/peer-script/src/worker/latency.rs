//! One message there and back, again and again.

use std::io::Write;
use std::time::{Duration, Instant};

use super::{Ends, Watch, nanoseconds, payload};
use crate::contender::{Contender, Result};
use crate::{Job, Measurement, Percentiles};

/// Round trips before the clock starts.
pub(super) const WARM_UP: u64 = 200;
/// Between round trips that find everything asleep.
pub(super) const SPARSE: Duration = Duration::from_millis(10);
/// Of those there are fewer, and so is the warm-up.
const SPARSE_WARM_UP: u64 = 5;

pub(super) async fn ask<C: Contender>(
    ends: &Ends<'_, C, impl Write>,
    kind: &str,
    pause: Option<Duration>,
) -> Result<Measurement> {
    let Ends { contender, job, .. } = ends;
    let mut socket = contender.open(kind, false).await?;
    contender.connect(&mut socket, &job.endpoint).await?;
    match pause {
        None => trips(*contender, &mut socket, job).await,
        Some(pause) => sparse(*contender, &mut socket, job, pause).await,
    }
}

async fn trip<C: Contender>(
    contender: &C,
    socket: &mut C::Socket,
    octets: &'static [u8],
) -> Result<()> {
    contender.send(socket, octets).await?;
    contender.flush(socket).await?;
    contender.recv(socket).await?;
    Ok(())
}

pub(super) async fn trips<C: Contender>(
    contender: &C,
    socket: &mut C::Socket,
    job: &Job,
) -> Result<Measurement> {
    let octets = payload(job.size);
    let mut samples = Vec::with_capacity(usize::try_from(job.count)?);
    for _ in 0..WARM_UP {
        trip(contender, socket, octets).await?;
    }
    let watch = Watch::start();
    let mut before = watch.start;
    for _ in 0..job.count {
        trip(contender, socket, octets).await?;
        let now = Instant::now();
        samples.push(nanoseconds(now - before));
        before = now;
    }
    let mut measurement = watch.stop(job.count);
    measurement.percentiles = Percentiles::of(&mut samples);
    Ok(measurement)
}

/// Each trip finds everybody asleep. Both ends make `count` trips after the same warm-up as without pauses.
async fn sparse<C: Contender>(
    contender: &C,
    socket: &mut C::Socket,
    job: &Job,
    pause: Duration,
) -> Result<Measurement> {
    let octets = payload(job.size);
    let mut samples = Vec::with_capacity(usize::try_from(job.count)?);
    for at in 0..WARM_UP {
        if at >= WARM_UP - SPARSE_WARM_UP {
            contender.pause(pause).await;
        }
        trip(contender, socket, octets).await?;
    }
    let watch = Watch::start();
    for _ in 0..job.count {
        contender.pause(pause).await;
        let before = Instant::now();
        trip(contender, socket, octets).await?;
        samples.push(nanoseconds(before.elapsed()));
    }
    let mut measurement = watch.stop(job.count);
    measurement.percentiles = Percentiles::of(&mut samples);
    Ok(measurement)
}

/// Connects, asks once and leaves, again and again. Time runs from the end of the warm-up on.
pub(super) async fn dial<C: Contender>(ends: &Ends<'_, C, impl Write>) -> Result<Measurement> {
    let Ends { contender, job, .. } = ends;
    let octets = payload(job.size);
    let once = || async {
        let mut socket = contender.open("REQ", false).await?;
        contender.connect(&mut socket, &job.endpoint).await?;
        trip(*contender, &mut socket, octets).await?;
        contender.close(socket).await
    };
    for _ in 0..WARM_UP {
        once().await?;
    }
    let watch = Watch::start();
    for _ in 0..job.count {
        once().await?;
    }
    Ok(watch.stop(job.count))
}

pub(super) async fn answer<C: Contender>(
    ends: &Ends<'_, C, impl Write>,
    kind: &str,
) -> Result<Measurement> {
    let Ends { contender, job, .. } = ends;
    let mut socket = contender.open(kind, false).await?;
    ends.announce(&contender.bind(&mut socket, &job.endpoint).await?)?;
    let measurement = echoes(*contender, &mut socket, job).await?;
    // The last reply must have left before the process ends.
    contender.close(socket).await?;
    Ok(measurement)
}

pub(super) async fn echoes<C: Contender>(
    contender: &C,
    socket: &mut C::Socket,
    job: &Job,
) -> Result<Measurement> {
    for _ in 0..WARM_UP {
        contender.echo(socket).await?;
    }
    let watch = Watch::start();
    for _ in 0..job.count {
        contender.echo(socket).await?;
    }
    Ok(watch.stop(job.count))
}
