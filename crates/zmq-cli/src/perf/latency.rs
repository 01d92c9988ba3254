//! local_lat and remote_lat.

use std::fmt;
use std::time::{Duration, Instant};

use zmq::Context;
use zmq::blocking::{Rep, Req};

use super::{Run, print};
use crate::failure::Failure;
use crate::socket::{attach, closed, not_answered, not_received, not_sent};

/// Binds a REP socket and returns what comes. Says nothing.
pub(super) fn local(run: &Run) -> Result<(), Failure> {
    let context = Context::new();
    let rep = run.security.read()?.on(Rep::options()).open(&context);
    attach(&run.bound(), |at| rep.bind(at), |at| rep.connect(at))?;
    for _ in 0..run.count {
        let request = match run.timeout {
            Some(timeout) => rep.recv_timeout(timeout),
            None => rep.recv(),
        };
        let (message, responder) = request.map_err(|error| not_received(&error))?.into_parts();
        run.check(&message)?;
        responder.reply(message).map_err(|error| not_sent(&error))?;
    }
    closed(&rep.close())
}

/// Connects a REQ socket and measures round trips. The first one includes connecting, as libzmq's does.
pub(super) fn remote(run: &Run) -> Result<(), Failure> {
    let context = Context::new();
    let req = run.security.read()?.on(Req::options()).open(&context);
    attach(&run.endpoint, |at| req.bind(at), |at| req.connect(at))?;
    let mut message = run.message();
    let begun = Instant::now();
    for _ in 0..run.count {
        let reply = match run.timeout {
            Some(timeout) => req.request_timeout(message, timeout),
            None => req.request(message),
        };
        message = reply.map_err(|error| not_answered(&error))?;
        run.check(&message)?;
    }
    print(Latency {
        size: run.size,
        round_trips: run.count,
        elapsed: begun.elapsed(),
    })?;
    closed(&req.close())
}

/// The three lines of remote_lat.
struct Latency {
    size: usize,
    round_trips: u64,
    elapsed: Duration,
}

impl fmt::Display for Latency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let one_way = self.elapsed.as_micros() as f64 / (self.round_trips as f64 * 2.0);
        writeln!(f, "message size: {} [B]", self.size)?;
        writeln!(f, "roundtrip count: {}", self.round_trips)?;
        writeln!(f, "average latency: {one_way:.3} [us]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_are_those_of_remote_lat() {
        let shown = Latency {
            size: 1,
            round_trips: 1000,
            elapsed: Duration::from_micros(60_001),
        };
        assert_eq!(
            shown.to_string(),
            "message size: 1 [B]\nroundtrip count: 1000\naverage latency: 30.000 [us]\n"
        );
    }
}
