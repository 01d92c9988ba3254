//! As many messages as go through.

use std::io::Write;

use super::{Ends, Watch, payload};
use crate::contender::{Contender, Result};
use crate::{Job, Measurement};

pub(super) async fn push<C: Contender>(ends: &Ends<'_, C, impl Write>) -> Result<Measurement> {
    let Ends { contender, job, .. } = ends;
    let octets = payload(job.size);
    let mut socket = contender.open("PUSH", false).await?;
    contender.connect(&mut socket, &job.endpoint).await?;
    let watch = Watch::start();
    contender.send_many(&mut socket, octets, job.count).await?;
    contender.flush(&mut socket).await?;
    ends.leave.wait(*contender).await;
    let measurement = watch.stop(job.count);
    contender.close(socket).await?;
    Ok(measurement)
}

pub(super) async fn pull<C: Contender>(ends: &Ends<'_, C, impl Write>) -> Result<Measurement> {
    let Ends { contender, job, .. } = ends;
    let mut socket = contender.open("PULL", false).await?;
    ends.announce(&contender.bind(&mut socket, &job.endpoint).await?)?;
    take(*contender, &mut socket, job).await
}

/// Time runs from the first message on, so that connecting is no part of it.
pub(super) async fn take<C: Contender>(
    contender: &C,
    socket: &mut C::Socket,
    job: &Job,
) -> Result<Measurement> {
    contender.recv(socket).await?;
    let watch = Watch::start();
    contender.recv_many(socket, job.size, job.count - 1).await?;
    Ok(watch.stop(job.count - 1))
}
