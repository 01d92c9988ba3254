//! Who watches a socket's streams: its callers, or the driver while they are away.

use std::sync::Arc;
use std::time::Duration;

use crate::context::Command;
use crate::handover::{Looks, Whose};
use crate::poller::{Found, Interest};
use crate::shared::{DRIBBLE, SIGNAL, SocketShared};

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
