//! Who watches a socket's streams: its callers, or the driver while they are away.

use std::sync::Arc;
use std::time::Duration;

use zmtp_wire::SocketType;

use crate::clock::Nanos;
use crate::context::Command;
use crate::handover::{Looks, Whose};
use crate::poller::{Found, Interest};
use crate::shared::{DRIBBLE, SIGNAL, SocketShared};

/// A caller that slept longer than this hands its socket to the driver when it goes.
const SPARSE: Duration = Duration::from_millis(40);

/// For so long the driver leaves a socket to a caller who has something to do before it reads.
const LEFT_ALONE_MILLIS: u64 = 20;

/// What the driver has seen of a socket whose callers do not read.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Emptying {
    /// Messages that had been delivered.
    delivered: u64,
    /// When it saw that there were more of them than before.
    moved_at: Nanos,
    /// When it last read for them.
    served_at: Nanos,
}

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
        let here = self.has_waiters() || self.is_being_emptied();
        let whose = self.callers.found(here, || self.unwatch());
        if whose == Whose::Driver {
            self.lock().emptying.served_at = self.ctx.clock.now();
        }
        whose
    }

    /// Whether a caller is at work on what waits here, and reads on when that is used up: to read more meanwhile would only have it grow
    /// cold. Now and then it is read all the same, as pulses are to be heard. Not where messages may wait to leave.
    fn is_being_emptied(&self) -> bool {
        if !matches!(self.socket_type, SocketType::Pull | SocketType::Sub) {
            return false;
        }
        let now = self.ctx.clock.now();
        let mut core = self.lock();
        let delivered = core.counters.delivered;
        if delivered != core.emptying.delivered {
            core.emptying.delivered = delivered;
            core.emptying.moved_at = now;
        }
        let Emptying {
            moved_at,
            served_at,
            ..
        } = core.emptying;
        now < moved_at.min(served_at).plus_millis(LEFT_ALONE_MILLIS) && core.pattern.can_receive()
    }

    /// Whether the driver goes on looking for callers.
    pub(crate) fn stays_on_patrol(self: &Arc<Self>, looks: &mut Looks) -> bool {
        if self.is_being_emptied() {
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

    /// The driver does what is ready, for a socket whose callers are away.
    pub(crate) fn serve(self: &Arc<Self>) {
        let mut found = Found::new();
        if self.poller.wait(&mut found, Some(Duration::ZERO)).is_ok() {
            self.handle(&found);
        }
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
