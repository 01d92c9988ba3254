//! Timers of links: when a sign of life is due or overdue, and what those leave behind that have ended.

use zmq_patterns::PeerKey;

use crate::clock::Nanos;
use crate::driver::{Driver, Timer};
use crate::link::Want;

impl Driver {
    pub(crate) fn begin_beating(&mut self, socket: u64, key: PeerKey, at: Nanos) {
        self.timers.set(at, Timer::Beat { socket, key });
        // Links that have ended left theirs, and did not tell: with each one set, one may be such.
        self.timer_left();
    }

    /// A timer may find nothing to do.
    pub(crate) fn timer_left(&mut self) {
        let (ctx, shaking) = (&self.ctx, &self.shaking);
        self.timers.idle(|timer| match timer {
            Timer::Shake(id) => !shaking.contains_key(id),
            Timer::Beat { socket, key } => ctx
                .socket(*socket)
                .is_none_or(|socket| socket.lock().link(*key).is_none()),
            _ => false,
        });
    }

    /// A live link asked to be looked at: a PING may be due, or a sign of life overdue.
    pub(crate) fn beat(&mut self, socket: u64, key: PeerKey, now: Nanos) {
        let Some(socket) = self.ctx.socket(socket) else {
            return;
        };
        let Some(link) = socket.lock().link(key) else {
            return;
        };
        let mut want = Want {
            read: false,
            write: true,
        };
        let mut io = link.lock();
        // The timer may be that of an earlier link with the same key.
        if io.channel.is_none() || io.timer_at > now {
            link.drive_held(io, &socket, want);
            return;
        }
        io.timer_at = Nanos::NEVER;
        if io.session.poll_timeout().is_some_and(|at| at <= now.wire()) {
            // A sign of life may wait in the kernel: nobody is judged before it was read.
            want.read = true;
            link.drive_held(io, &socket, want);
            io = link.lock();
            if io.channel.is_none() {
                return;
            }
        }
        if let Err(error) = io.session.handle_timeout(now.wire()) {
            link.close_held(io, &socket, error.into());
            return;
        }
        io.timer_at = Nanos::NEVER;
        link.drive_held(io, &socket, want);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{Context, ContextOptions, DriverMode};

    #[test]
    fn links_that_come_and_go_leave_no_timers_behind() {
        let options = ContextOptions {
            driver: DriverMode::Manual,
            ..ContextOptions::default()
        };
        let context = Context::with(options).expect("a context");
        let mut driver = Driver::new(Arc::clone(context.shared()));
        for number in 0..100_000 {
            driver.begin_beating(number, PeerKey(0), Nanos(1 << 40));
            assert!(driver.timers.len() <= 2_048);
        }
    }
}
