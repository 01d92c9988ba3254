//! From one to many, and from many to one.

use std::io::Write;

use super::{Ends, Watch, payload};
use crate::contender::{Contender, Result};
use crate::{Job, Measurement};

/// Marks are off: PUB drops above them, and the subscribers here wait for every message.
pub(super) async fn publish<C: Contender>(ends: &Ends<'_, C, impl Write>) -> Result<Measurement> {
    let Ends { contender, job, .. } = ends;
    let octets = payload(job.size);
    let mut socket = contender.open("PUB", true).await?;
    ends.announce(&contender.bind(&mut socket, &job.endpoint).await?)?;
    contender.wait_subscribers(&mut socket, job.peers).await?;
    let watch = Watch::start();
    contender.send_many(&mut socket, octets, job.count).await?;
    contender.flush(&mut socket).await?;
    ends.leave.wait(*contender).await;
    let measurement = watch.stop(job.count * job.peers);
    contender.close(socket).await?;
    Ok(measurement)
}

pub(super) async fn subscribe<C: Contender>(ends: &Ends<'_, C, impl Write>) -> Result<Measurement> {
    let Ends { contender, job, .. } = ends;
    let mut sockets = subscribers(*contender, job, &job.endpoint).await?;
    take_from_each(*contender, &mut sockets, (job.size, job.count)).await
}

pub(super) async fn subscribers<C: Contender>(
    contender: &C,
    job: &Job,
    endpoint: &str,
) -> Result<Vec<C::Socket>> {
    let mut sockets = Vec::new();
    for _ in 0..job.peers {
        let mut socket = contender.open("SUB", true).await?;
        contender.subscribe(&mut socket, b"").await?;
        contender.connect(&mut socket, endpoint).await?;
        sockets.push(socket);
    }
    Ok(sockets)
}

/// Takes `count` messages from each socket, one socket after the other, at each visit as many as the side takes. Time runs from the first ones on.
pub(super) async fn take_from_each<C: Contender>(
    contender: &C,
    sockets: &mut [C::Socket],
    (size, count): (usize, u64),
) -> Result<Measurement> {
    for socket in &mut *sockets {
        contender.recv(socket).await?;
    }
    let watch = Watch::start();
    let mut left = vec![count - 1; sockets.len()];
    while left.iter().any(|&left| left > 0) {
        for (socket, left) in sockets.iter_mut().zip(&mut left) {
            if *left > 0 {
                *left -= contender.recv_some(socket, size, *left).await?;
            }
        }
    }
    Ok(watch.stop((count - 1) * sockets.len() as u64))
}

/// One endpoint for each peer, to which the sender connects: it knows all of them before it begins, and takes turns.
/// Marks are off, so that nobody's turn is passed over.
pub(super) async fn push_many<C: Contender>(ends: &Ends<'_, C, impl Write>) -> Result<Measurement> {
    let Ends { contender, job, .. } = ends;
    let octets = payload(job.size);
    let mut socket = contender.open("PUSH", true).await?;
    for endpoint in job.endpoint.split(',') {
        contender.connect(&mut socket, endpoint).await?;
    }
    let watch = Watch::start();
    let messages = job.count * job.peers;
    contender.send_many(&mut socket, octets, messages).await?;
    contender.flush(&mut socket).await?;
    ends.leave.wait(*contender).await;
    let measurement = watch.stop(messages);
    contender.close(socket).await?;
    Ok(measurement)
}

pub(super) async fn pull_many<C: Contender>(ends: &Ends<'_, C, impl Write>) -> Result<Measurement> {
    let Ends { contender, job, .. } = ends;
    let (mut sockets, mut endpoints) = (Vec::new(), Vec::new());
    for _ in 0..job.peers {
        let mut socket = contender.open("PULL", true).await?;
        endpoints.push(contender.bind(&mut socket, &job.endpoint).await?);
        sockets.push(socket);
    }
    ends.announce(&endpoints.join(","))?;
    take_from_each(*contender, &mut sockets, (job.size, job.count)).await
}

/// Sockets that send to one in turn; `count` messages altogether.
pub(super) async fn push_each<C: Contender>(ends: &Ends<'_, C, impl Write>) -> Result<Measurement> {
    let Ends { contender, job, .. } = ends;
    let octets = payload(job.size);
    let mut sockets = Vec::new();
    for _ in 0..job.peers {
        let mut socket = contender.open("PUSH", false).await?;
        contender.connect(&mut socket, &job.endpoint).await?;
        sockets.push(socket);
    }
    let watch = Watch::start();
    let mut left = job.count;
    while left > 0 {
        let round = left.min(job.peers);
        for socket in sockets.iter_mut().take(usize::try_from(round)?) {
            contender.send(socket, octets).await?;
        }
        left -= round;
    }
    for socket in &mut sockets {
        contender.flush(socket).await?;
    }
    ends.leave.wait(*contender).await;
    let measurement = watch.stop(job.count);
    for socket in sockets {
        contender.close(socket).await?;
    }
    Ok(measurement)
}
