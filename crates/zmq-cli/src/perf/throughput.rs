//! local_thr and remote_thr.

use std::fmt;
use std::time::{Duration, Instant};

use zmq::Context;
use zmq::blocking::{Pull, Push};

use super::{Run, print};
use crate::failure::Failure;
use crate::socket::{attach, closed, not_received, not_sent};

/// Binds a PULL socket and counts. The clock starts with the first message, as libzmq's does.
pub(super) fn local(run: &Run) -> Result<(), Failure> {
    let context = Context::new();
    let pull = run.security.read()?.on(Pull::options()).open(&context);
    attach(&run.bound(), |at| pull.bind(at), |at| pull.connect(at))?;
    let receive = || {
        let received = match run.timeout {
            Some(timeout) => pull.recv_timeout(timeout),
            None => pull.recv(),
        };
        run.check(&received.map_err(|error| not_received(&error))?)
    };
    receive()?;
    let begun = Instant::now();
    for _ in 1..run.count {
        receive()?;
    }
    let lines = Throughput {
        size: run.size,
        count: run.count,
        elapsed: begun.elapsed(),
    };
    print(lines)?;
    closed(&pull.close())
}

/// Connects a PUSH socket and sends. Says nothing, and ends when the last message has left.
pub(super) fn remote(run: &Run) -> Result<(), Failure> {
    let context = Context::new();
    let push = run
        .security
        .read()?
        .on(Push::options())
        .linger(run.timeout)
        .open(&context);
    attach(&run.endpoint, |at| push.bind(at), |at| push.connect(at))?;
    for _ in 0..run.count {
        let sent = match run.timeout {
            Some(timeout) => push.send_timeout(run.message(), timeout),
            None => push.send(run.message()),
        };
        sent.map_err(|error| not_sent(&error))?;
    }
    closed(&push.close())
}

/// The four lines of local_thr.
struct Throughput {
    size: usize,
    count: u64,
    elapsed: Duration,
}

impl fmt::Display for Throughput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A clock of whole microseconds that never shows none, as libzmq's.
        let microseconds = self.elapsed.as_micros().max(1) as f64;
        let messages = self.count as f64 / microseconds * 1_000_000.0;
        let megabits = messages * self.size as f64 * 8.0 / 1_000_000.0;
        writeln!(f, "message size: {} [B]", self.size)?;
        writeln!(f, "message count: {}", self.count)?;
        writeln!(f, "mean throughput: {} [msg/s]", messages as u64)?;
        writeln!(f, "mean throughput: {megabits:.3} [Mb/s]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_are_those_of_local_thr() {
        let shown = Throughput {
            size: 64,
            count: 1_000_000,
            elapsed: Duration::from_millis(500),
        };
        assert_eq!(
            shown.to_string(),
            "message size: 64 [B]\nmessage count: 1000000\n\
             mean throughput: 2000000 [msg/s]\nmean throughput: 1024.000 [Mb/s]\n"
        );
    }

    #[test]
    fn a_run_too_short_for_the_clock_still_has_a_result() {
        let shown = Throughput {
            size: 1,
            count: 1,
            elapsed: Duration::ZERO,
        };
        assert!(
            shown
                .to_string()
                .contains("mean throughput: 1000000 [msg/s]")
        );
    }
}
