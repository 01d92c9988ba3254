//! Who watches a socket's streams: its callers, or the driver while they are away.

use std::sync::Arc;
use std::time::Duration;

use crate::context::Command;
use crate::handover::{Looks, Whose};
use crate::poller::{Found, Interest};
use crate::shared::{DRIBBLE, SIGNAL, SocketShared};
use zmtp_wire::SocketType;

/// So many messages at once are much.
const FLOOD: u64 = 64;

/// A caller that slept longer than this hands its socket to the driver when it goes.
const SPARSE: Duration = Duration::from_millis(40);

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
        if !self.callers.came(looks) && self.were_served() {
            // They have not used up what was read for them, and read the rest themselves.
            looks.hurry();
            return true;
        }
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

    /// The driver does what is ready, for a socket whose callers are away. Where there is much of it, and callers took some of what the driver had read
    /// before, it leaves the rest to them: one who goes round many sockets reads what comes in less time than it takes to hand it over. Whose
    /// turn it is next.
    pub(crate) fn serve(self: &Arc<Self>) -> Whose {
        let before = self.lock().counters.arrived;
        let mut found = Found::new();
        if self.poller.wait(&mut found, Some(Duration::ZERO)).is_ok() {
            self.handle(&found);
        }
        let came = self.lock().counters.arrived.wrapping_sub(before);
        if self.were_served() && came > FLOOD {
            self.unwatch();
            return self.callers.left();
        }
        Whose::Nobodys
    }

    /// Whether callers of a socket that only receives have taken messages since this was asked last.
    fn were_served(&self) -> bool {
        if !matches!(self.socket_type, SocketType::Pull | SocketType::Sub) {
            return false;
        }
        let mut core = self.lock();
        let delivered = core.counters.delivered;
        std::mem::replace(&mut core.served_at, delivered) != delivered
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

    const LONG: Option<Duration> = Some(Duration::from_secs(20));

    /// Sends so many messages to a socket whose driver has no thread, and has that read them. Says whether it left the rest to callers.
    fn left_to_callers(push: &Socket, pull: &Socket, count: u64) -> bool {
        let arrived = || pull.shared.lock().counters.arrived;
        let until = arrived() + count;
        for _ in 0..count {
            push.send("a".into(), LONG).unwrap();
        }
        // What has gathered leaves.
        let _ = push.events();
        let limit = std::time::Instant::now() + LONG.unwrap();
        let mut left = false;
        while arrived() < until {
            assert!(std::time::Instant::now() < limit, "not there in {LONG:?}");
            left |= pull.shared.serve() == Whose::CallersUnseen;
        }
        left
    }

    fn take(pull: &Socket, count: usize) {
        for _ in 0..count {
            pull.try_recv().unwrap();
        }
    }

    #[test]
    fn callers_who_take_what_the_driver_has_read_may_read_the_rest_themselves() {
        let manual = Context::with(ContextOptions {
            driver: DriverMode::Manual,
            ..ContextOptions::default()
        })
        .unwrap();
        let pull = Socket::open(&manual, SocketType::Pull, SocketOptions::default()).unwrap();
        let endpoint = pull.bind("tcp://127.0.0.1:0").unwrap();
        let context = Context::new().unwrap();
        let push = Socket::open(&context, SocketType::Push, SocketOptions::default()).unwrap();
        push.connect(&endpoint).unwrap();
        let limit = std::time::Instant::now() + LONG.unwrap();
        while pull.shared.lock().keys().is_empty() {
            assert!(std::time::Instant::now() < limit, "no peer in {LONG:?}");
            manual.turn(Duration::from_millis(1));
        }
        pull.shared.watch();

        assert!(!left_to_callers(&push, &pull, 300), "nobody takes any");
        assert!(pull.shared.callers.is_watched());
        take(&pull, 1);
        assert!(left_to_callers(&push, &pull, 300));
        assert!(!pull.shared.callers.is_watched());
        let mut looks = pull.shared.callers.looks(4);
        for _ in 0..3 {
            take(&pull, 1);
            assert!(pull.shared.stays_on_patrol(&mut looks));
            assert!(!pull.shared.callers.is_watched());
        }
        // They are gone.
        assert!(!pull.shared.stays_on_patrol(&mut looks));
        assert!(pull.shared.callers.is_watched());
    }
}
