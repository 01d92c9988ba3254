//! What a publisher pays for finding out who wants a message.
//!
//! One subscriber has every second topic of a list. The messages measured are of the topics between them, which differ from
//! its subscriptions in the last octet: the publisher has to look all the way, and sends nothing.

use std::io::Write;
use std::time::Duration;

use super::{Ends, Watch};
use crate::contender::{Contender, Result};
use crate::{Measurement, resident_octets};

/// The subscription that comes last: who receives it has all others in place.
const LAST: &[u8] = b"last";
/// How often it is sent until then.
const ASK: Duration = Duration::from_millis(1);
/// Topics that are looked for, in no order.
const SAMPLES: u64 = 4096;

fn topic(number: u64) -> Vec<u8> {
    format!("some/topic/{number:08}").into_bytes()
}

/// Topics nobody has subscribed to, spread over those that somebody has.
fn misses(topics: u64) -> Vec<&'static [u8]> {
    let mut seed = 1_u64;
    let topics = (0..SAMPLES).map(|_| {
        // Numerical Recipes' generator: nothing here needs a better one.
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let octets: &'static [u8] = topic((seed >> 33) % topics.max(1) * 2 + 1).leak();
        octets
    });
    topics.collect()
}

pub(super) async fn publish<C: Contender>(ends: &Ends<'_, C, impl Write>) -> Result<Measurement> {
    let Ends { contender, job, .. } = ends;
    let topics = misses(job.peers);
    let mut socket = contender.open("PLAIN-PUB", true).await?;
    ends.announce(&contender.bind(&mut socket, &job.endpoint).await?)?;
    let before = resident_octets()?;
    while !ends.leave.is_raised() {
        contender.send(&mut socket, LAST).await?;
        contender.flush(&mut socket).await?;
        contender.pause(ASK).await;
    }
    let grown = resident_octets()?.saturating_sub(before);
    let watch = Watch::start();
    for &octets in topics.iter().cycle().take(usize::try_from(job.count)?) {
        contender.send(&mut socket, octets).await?;
    }
    let mut measurement = watch.stop(job.count);
    measurement.octets_each = grown / job.peers.max(1);
    contender.close(socket).await?;
    Ok(measurement)
}

/// Its subscriptions leave with it, so it stays until it is told to go, which is when the publisher has measured.
pub(super) async fn subscribe<C: Contender>(ends: &Ends<'_, C, impl Write>) -> Result<Measurement> {
    let Ends { contender, job, .. } = ends;
    let mut socket = contender.open("SUB", true).await?;
    contender.connect(&mut socket, &job.endpoint).await?;
    let watch = Watch::start();
    for number in 0..job.peers {
        contender.subscribe(&mut socket, &topic(number * 2)).await?;
    }
    contender.subscribe(&mut socket, LAST).await?;
    contender.recv(&mut socket).await?;
    let measurement = watch.stop(job.peers);
    writeln!(ends.output.borrow_mut(), "{measurement}")?;
    ends.output.borrow_mut().flush()?;
    ends.leave.wait(*contender).await;
    Ok(measurement)
}
