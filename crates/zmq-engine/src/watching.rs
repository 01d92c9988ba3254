//! Who watches a socket's streams: its callers, or the driver while they are away.

use std::sync::Arc;
use std::time::Duration;

use zmtp_wire::SocketType;

use crate::context::Command;
use crate::core::Life;
use crate::handover::{Looks, Whose};
use crate::poller::{Found, Interest};
use crate::shared::{DRIBBLE, SIGNAL, SocketShared};

/// A caller that slept longer than this hands its socket to the driver when it goes.
const SPARSE: Duration = Duration::from_millis(40);

/// More messages than this at once are a flood.
const FLOOD: u64 = 64;

impl SocketShared {
    /// The driver stops watching: a caller is here.
    pub(crate) fn unwatch(&self) {
        self.callers
            .watch(false, || self.tell_driver(Interest::NONE));
    }

    /// The driver watches again: no caller is here.
    pub(crate) fn watch(&self) {
        self.callers
            .watch(true, || self.tell_driver(Interest::READ));
    }

    fn tell_driver(&self, interest: Interest) {
        if !self.ctx.is_foreign_process() {
            self.ctx.watch_socket(self, interest);
        }
    }

    /// The driver has found something ready: whose turn it is.
    pub(crate) fn found_by_driver(self: &Arc<Self>) -> Whose {
        if !self.callers.has_sleepers() && self.waking.is_relied_on() {
            return if self.serve_tasks() {
                Whose::Nobodys
            } else {
                self.callers.left()
            };
        }
        self.callers.found(self.has_waiters(), || self.unwatch())
    }

    /// Whether the driver goes on looking for callers.
    pub(crate) fn stays_on_patrol(self: &Arc<Self>, looks: &mut Looks) -> bool {
        self.callers.stays(
            looks,
            || self.has_waiters() && !self.waking.is_relied_on(),
            || self.serve_links(),
            || self.watch(),
        )
    }

    /// Asks the driver to look in a while whether callers are still here.
    pub(crate) fn patrol(self: &Arc<Self>) {
        if self.callers.begin_patrol() {
            self.ctx.command(Command::Patrol(Arc::clone(self)));
        }
    }

    /// A stream takes no more of what has to leave: whoever goes now leaves it to the driver, which must not look too late.
    pub(crate) fn hurry(&self) {
        if self.callers.must_hurry() {
            self.ctx.command(Command::Hurry { socket: self.id });
        }
    }

    /// A caller that has slept goes.
    pub(crate) fn hand_back(self: &Arc<Self>, slept: Duration) {
        let sparse = slept > SPARSE && !self.callers.is_on_patrol();
        if sparse || self.waking.is_relied_on() {
            // Traffic is sparse: handing the socket over costs a system call, rousing the driver for a patrol costs more.
            self.watch();
        } else {
            self.patrol();
        }
    }

    // ---- the driver ----

    /// The driver does what is ready, for a socket whose callers are away. Where there is much of it, and callers have taken some of what it
    /// had read before, it leaves the rest to them: one who goes round many sockets reads what comes in less time than it takes to hand it
    /// over. Says whether it does.
    pub(crate) fn serve(self: &Arc<Self>) -> bool {
        let before = self.lock().counters.arrived;
        let mut found = Found::new();
        let unsettled = self.poller.wait(&mut found, Some(Duration::ZERO)).is_ok()
            && self.handle_but_signal(&found);
        !unsettled && self.leave(before)
    }

    /// Leaves what comes next to callers, if enough has come since so much had arrived. Says whether it does.
    fn leave(&self, before: u64) -> bool {
        if !self.is_used_up(before) {
            return false;
        }
        self.unwatch();
        if self.has_waiters() {
            // One waits since then, and found the driver watching for it.
            self.watch();
            return false;
        }
        true
    }

    /// Whether much has come since so much had arrived, for callers who only receive and have taken some since the driver asked last. Who wants
    /// only the latest message has it read at all times.
    fn is_used_up(&self, before: u64) -> bool {
        if !matches!(self.socket_type, SocketType::Pull | SocketType::Sub) {
            return false;
        }
        let mut core = self.lock();
        let delivered = core.counters.delivered;
        let used = std::mem::replace(&mut core.served_at, delivered) != delivered;
        let came = core.counters.arrived.wrapping_sub(before);
        used && came > FLOOD && !core.options.conflate && core.life == Life::Open
    }

    /// The driver does what is ready for callers who were called and do not come. Says whether there was anything, or the signal
    /// still waits for threads to look.
    fn serve_links(self: &Arc<Self>) -> bool {
        let mut found = Found::new();
        if self.poller.wait(&mut found, Some(Duration::ZERO)).is_err() {
            return false;
        }
        let mut busy = false;
        for ready in found.iter() {
            let settled = self.handle_ready(ready);
            // A signal that is down again has done its part: tasks were woken by their wakers.
            busy |= ready.token != SIGNAL || !settled;
        }
        busy
    }

    /// The driver does what is ready for tasks that sleep and leave that to it. Where there is much, it leaves the rest to them.
    fn serve_tasks(self: &Arc<Self>) -> bool {
        let arrived = || {
            let core = self.lock();
            core.counters.arrived.wrapping_add(core.bulk)
        };
        let before = arrived();
        let mut found = Found::new();
        let unsettled = self.poller.wait(&mut found, Some(Duration::ZERO)).is_ok()
            && self.handle_but_signal(&found);
        let came = arrived().wrapping_sub(before);
        if came <= DRIBBLE && !unsettled {
            return true;
        }
        self.unwatch();
        if !unsettled && self.waking.has_wakers() {
            // One sleeps already, or again, and found the driver watching.
            self.watch();
            return true;
        }
        false
    }

    /// A task sleeps from now on and leaves the streams to the driver.
    pub(crate) fn rest(&self) {
        if !self.callers.has_sleepers() {
            self.watch();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Context, ContextOptions, DriverMode, Socket, SocketOptions};
    use std::time::Instant;

    const LONG: Option<Duration> = Some(Duration::from_secs(20));

    /// A PUSH, and a PULL whose driver does what it is told.
    struct Pair {
        push: Socket,
        pull: Socket,
        _contexts: (Context, Context),
    }

    impl Pair {
        fn open(pulls: SocketOptions) -> Pair {
            let manual = Context::with(ContextOptions {
                driver: DriverMode::Manual,
                ..ContextOptions::default()
            })
            .unwrap();
            let context = Context::new().unwrap();
            let pull = Socket::open(&manual, SocketType::Pull, pulls).unwrap();
            let push = Socket::open(&context, SocketType::Push, SocketOptions::default()).unwrap();
            push.connect(&pull.bind("tcp://127.0.0.1:0").unwrap())
                .unwrap();
            let limit = Instant::now() + LONG.unwrap();
            while pull.shared.lock().keys().is_empty() {
                assert!(Instant::now() < limit, "no peer in {LONG:?}");
                manual.turn(Duration::from_millis(1));
            }
            pull.shared.watch();
            Pair {
                push,
                pull,
                _contexts: (manual, context),
            }
        }

        /// Sends so many messages, which are read. Says whether the driver leaves what comes next to callers if it has read all of them at once.
        fn leaves(&self, count: u64) -> bool {
            let arrived = || self.pull.shared.lock().counters.arrived;
            let until = arrived() + count;
            for _ in 0..count {
                self.push.send("a".into(), LONG).unwrap();
            }
            let limit = Instant::now() + LONG.unwrap();
            while arrived() < until {
                assert!(Instant::now() < limit, "not there in {LONG:?}");
                let _ = self.push.events();
                self.pull.shared.peek();
            }
            self.pull.shared.leave(until - count)
        }

        fn is_watched(&self) -> bool {
            self.pull.shared.callers.is_watched()
        }
    }

    #[test]
    fn a_flood_is_left_to_callers_who_take_what_was_read() {
        let pair = Pair::open(SocketOptions::default());
        assert!(!pair.leaves(300), "nobody takes any");
        pair.pull.try_recv().unwrap();
        assert!(!pair.leaves(FLOOD), "few come");
        assert!(pair.is_watched());
        pair.pull.try_recv().unwrap();
        assert!(pair.leaves(300));
        assert!(!pair.is_watched());
    }

    #[test]
    fn the_driver_reads_on_for_tasks_that_rest() {
        let pair = Pair::open(SocketOptions::default());
        assert!(!pair.leaves(300));
        pair.pull.try_recv().unwrap();
        let _task = pair.pull.watcher();
        assert!(!pair.leaves(300) && pair.is_watched());
    }

    #[test]
    fn the_driver_reads_on_for_those_who_want_the_latest() {
        let pair = Pair::open(SocketOptions {
            conflate: true,
            ..SocketOptions::default()
        });
        assert!(!pair.leaves(300));
        pair.pull.try_recv().unwrap();
        assert!(!pair.leaves(300) && pair.is_watched());
    }
}
