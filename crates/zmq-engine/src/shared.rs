//! A socket as its callers, its links and the driver share it.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use zmq_lock::{Lock, LockGuard};
use zmq_patterns::PeerKey;
use zmtp_wire::SocketType;

use crate::closing::CloseState;
use crate::context::{Command, ContextShared};
use crate::core::Core;
use crate::effects::{Effects, Thirst};
use crate::handover::{Callers, Inbox};
use crate::lanes::{lane_gone, read_lane};
use crate::link::Want;
use crate::lookout::Lookout;
use crate::poller::{Found, Interest, Poller, Ready};
use crate::round;
use crate::waking::Waking;

/// The token of a socket's own signal in its poller; links have their keys.
pub(crate) const SIGNAL: u64 = u64::MAX;

/// So few messages between two times that a receiver finds nothing are a dribble: each is waited for. It is cheaper then to be called by
/// the driver, who has read it, than to look for it again and again.
pub(crate) const DRIBBLE: u64 = 8;

/// Looks for a notice in one glance: about a microsecond.
const GLANCE: usize = 50;

/// Glances before a thread sleeps. Between them a receiver fetches what has gathered.
const GLANCES: u32 = 5;

/// What others leave in a socket's inbox. Read by whoever enters the socket next.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Notice {
    /// An inproc peer has written.
    Readable(PeerKey),
    /// An inproc peer has made room.
    Writable(PeerKey),
    /// An inproc peer is gone.
    Gone(PeerKey),
    /// A stream without a descriptor may be ready.
    Woken(PeerKey),
}

/// Something in cache lines of its own, so that two cores that are busy with neighbours do not take them from each other.
#[derive(Debug)]
#[repr(align(128))]
pub(crate) struct Apart<T>(pub(crate) T);

pub(crate) struct SocketShared {
    pub(crate) id: u64,
    pub(crate) ctx: Arc<ContextShared>,
    pub(crate) socket_type: SocketType,
    core: Apart<Lock<Core>>,
    /// The one descriptor of the socket: readable while a link or the signal is ready.
    pub(crate) poller: Poller,
    pub(crate) waking: Waking,
    inbox: Inbox<Notice>,
    /// An inproc peer has been here.
    pub(crate) has_lanes: AtomicBool,
    /// Who looks after the poller: callers or the context's driver.
    pub(crate) callers: Callers,
    /// Whether messages come one by one, as of the last time there was none.
    dribbles: AtomicBool,
    pub(crate) lookout: Lookout,
    pub(crate) close_state: CloseState,
}

impl core::fmt::Debug for SocketShared {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("SocketShared")
            .field("id", &self.id)
            .field("type", &self.socket_type)
            .finish_non_exhaustive()
    }
}

impl SocketShared {
    pub(crate) fn open(
        ctx: &Arc<ContextShared>,
        id: u64,
        core: Core,
    ) -> io::Result<Arc<SocketShared>> {
        let poller = Poller::new()?;
        let waking = Waking::new()?;
        poller.add(waking.descriptor(), SIGNAL, Interest::READ)?;
        Ok(Arc::new(SocketShared {
            id,
            ctx: Arc::clone(ctx),
            socket_type: core.socket_type,
            core: Apart(Lock::new(core)),
            poller,
            waking,
            inbox: Inbox::new(),
            has_lanes: AtomicBool::new(false),
            callers: Callers::new(),
            dribbles: AtomicBool::new(true),
            lookout: Lookout::default(),
            close_state: CloseState::new()?,
        }))
    }

    /// Locks the socket. What was bundled for several peers is in their pipes then.
    #[inline]
    pub(crate) fn lock(&self) -> LockGuard<'_, Core> {
        let mut core = self.lock_amid();
        core.close_bundle(None);
        core
    }

    /// As [`lock`](Self::lock), but leaves what is bundled as it is, for those to whom it makes no difference.
    #[inline]
    pub(crate) fn lock_amid(&self) -> LockGuard<'_, Core> {
        self.core.0.lock()
    }

    /// Locks the socket unless it is locked, as [`lock_amid`](Self::lock_amid) does.
    pub(crate) fn try_lock(&self) -> Option<LockGuard<'_, Core>> {
        self.core.0.try_lock()
    }

    /// Locks the socket after its inbox was read.
    #[inline]
    pub(crate) fn enter(&self, effects: &mut Effects) -> LockGuard<'_, Core> {
        let mut core = self.lock_amid();
        core.close_bundle(Some(effects));
        if self.inbox.is_used() {
            self.read_inbox(&mut core, effects);
        }
        core
    }

    /// As [`enter`](Self::enter), for who sends and may add to what is bundled.
    #[inline]
    pub(crate) fn enter_to_send(&self, effects: &mut Effects) -> LockGuard<'_, Core> {
        if self.inbox.is_used() {
            return self.enter(effects);
        }
        self.lock_amid()
    }

    /// Leaves a notice and wakes whoever waits for one.
    pub(crate) fn post(&self, notice: Notice) {
        self.inbox.post(notice);
        if matches!(notice, Notice::Woken(_) | Notice::Gone(_)) {
            // Nobody else watches a stream without a descriptor, and monitors hear of an end without anybody asking.
            self.waking.call_driver();
        } else {
            self.waking.wake();
        }
    }

    fn read_inbox(&self, core: &mut Core, effects: &mut Effects) {
        let mut notices = std::mem::take(&mut core.spare_notices);
        self.inbox.read(&mut notices);
        for notice in notices.drain(..) {
            match notice {
                Notice::Readable(key) => {
                    read_lane(core, key, effects);
                }
                Notice::Writable(key) => core.refresh_lane(key, effects),
                Notice::Gone(key) => lane_gone(core, key, effects),
                Notice::Woken(key) => {
                    if let Some(link) = core.link(key) {
                        if let Some(pipe) = core.pipe(key) {
                            pipe.woken = true;
                        }
                        effects.drive(link);
                    }
                }
            }
        }
        core.spare_notices = notices;
        core.settle(effects);
        core.note_subscribers(effects);
    }

    /// Does what a step under the lock left to be done. Never called with a lock held.
    #[inline]
    pub(crate) fn run(self: &Arc<Self>, mut effects: Effects) {
        if effects.is_empty() {
            // Most of the time; and to look at each part of nothing once more, to drop it, takes as long as a lock.
            std::mem::forget(effects);
        } else {
            self.run_some(&mut effects);
        }
    }

    #[inline(never)]
    fn run_some(self: &Arc<Self>, effects: &mut Effects) {
        let _told = effects.tick.then(|| Told(self));
        if effects.wake {
            self.wake();
        }
        for (socket, notice) in effects.notices.take() {
            socket.post(notice);
        }
        let out = Want {
            read: false,
            write: true,
        };
        for link in effects.pump.take() {
            link.drive(self, out);
        }
        if let Some(rare) = effects.take_rare() {
            let both = Want {
                read: true,
                write: true,
            };
            for link in rare.drive {
                link.drive(self, both);
            }
            for (link, reason) in rare.close {
                link.close(self, reason);
            }
            fetch(rare.fetch);
        }
        if effects.gathers {
            round::gathers(self);
        }
    }

    /// Wakes those who wait. Costs nothing when nobody does.
    pub(crate) fn wake(&self) {
        self.waking.wake();
    }

    /// How often to glance for an inproc peer before going to sleep: together about as long as going to sleep and being woken takes.
    pub(crate) fn patience(&self) -> u32 {
        let several = self.has_lanes.load(Ordering::Relaxed) && self.ctx.parallel;
        if several { GLANCES } else { 0 }
    }

    /// Looks for a notice of an inproc peer for about a microsecond. Says whether one came.
    pub(crate) fn glance(&self) -> bool {
        for _ in 0..GLANCE {
            if self.has_notices() {
                return true;
            }
            std::hint::spin_loop();
        }
        false
    }

    /// Looks for room at an inproc peer before going to sleep. Says whether there may be some.
    pub(crate) fn glance_for_room(&self) -> bool {
        let patience = self.patience();
        if patience == 0 {
            return false;
        }
        self.lock().look_for_room(true);
        let seen = (0..patience).any(|_| self.glance());
        self.lock().look_for_room(false);
        seen
    }

    /// Fetches what inproc peers have gathered, once this socket has used up all that they handed over. Says whether any had.
    pub(crate) fn fetch(&self) -> bool {
        if !self.has_lanes.load(Ordering::Relaxed) {
            return false;
        }
        let thirst = self.lock().take_thirst();
        // One that had gathered something may have handed it over meanwhile.
        !thirst.is_empty() && (fetch(thirst) || self.has_notices())
    }

    /// Fetches what inproc peers have gathered, whether this socket has used up what they handed over or not: one of them, or all.
    pub(crate) fn fetch_early(&self, from: Option<PeerKey>) {
        if self.has_lanes.load(Ordering::Relaxed) {
            let writers = self.lock().writers(from);
            fetch(writers);
        }
    }

    /// Whether somebody has left a notice that nobody has read.
    #[inline]
    pub(crate) fn has_notices(&self) -> bool {
        self.inbox.is_used()
    }

    pub(crate) fn has_waiters(&self) -> bool {
        self.waking.anybody()
    }

    // ---- driving ----

    /// Does what was found. Says whether it was anything but a signal that is still meant for others.
    pub(crate) fn handle(self: &Arc<Self>, found: &Found) -> bool {
        let mut did = false;
        for ready in found.iter() {
            did |= self.handle_ready(ready);
        }
        did
    }

    /// As [`handle`](Self::handle). Says whether the signal was among it and still waits for threads to look.
    pub(crate) fn handle_but_signal(self: &Arc<Self>, found: &Found) -> bool {
        let mut unsettled = false;
        for ready in found.iter() {
            unsettled |= !self.handle_ready(ready) && ready.token == SIGNAL;
        }
        unsettled
    }

    pub(crate) fn handle_ready(self: &Arc<Self>, ready: Ready) -> bool {
        if ready.token == SIGNAL {
            let settled = self.waking.settle();
            let mut effects = Effects::default();
            drop(self.enter(&mut effects));
            self.run(effects);
            return settled;
        }
        let key = PeerKey(u32::try_from(ready.token).unwrap_or(u32::MAX));
        let link = self.lock_amid().link(key);
        let want = Want {
            read: ready.readable || ready.broken,
            write: true,
        };
        // A link that somebody else drives is in good hands: waiting for it would be waiting for what they do with it.
        link.is_some_and(|link| link.drive(self, want).unwrap_or(false))
    }

    /// A receiver found nothing.
    pub(crate) fn note_dry(&self, core: &mut Core) {
        let delivered = core.counters.delivered.wrapping_add(core.bulk);
        if delivered != core.dry_at {
            let since = delivered.wrapping_sub(core.dry_at);
            core.dry_at = delivered;
            self.dribbles.store(since <= DRIBBLE, Ordering::Relaxed);
        }
    }

    /// Whether messages came in a flood, or were large, until the last time there was none.
    pub(crate) fn is_flooded(&self) -> bool {
        !self.dribbles.load(Ordering::Relaxed)
    }

    /// Does what is ready now, as part of a call that was counted. Says whether there was anything.
    pub(crate) fn peek(self: &Arc<Self>) -> bool {
        let mut found = Found::new();
        let met = self.poller.wait(&mut found, Some(Duration::ZERO));
        met.is_ok() && self.handle(&found)
    }

    /// A caller does a turn of I/O without waiting: what is ready now. Says whether there was anything.
    pub(crate) fn turn(self: &Arc<Self>) -> bool {
        let relied = self.waking.is_relied_on() && self.callers.is_watched();
        if relied && self.waking.is_left_to_driver() && !self.is_flooded() {
            // The driver looks, and calls.
            return false;
        }
        self.callers.called();
        self.unwatch();
        let did = self.peek();
        if relied && self.waking.has_wakers() {
            // Another task rests, and the driver looks for it.
            self.watch();
        } else {
            self.patrol();
        }
        did
    }

    /// Sleeps until something is ready, and does it. `seen` is what the caller has seen as a waiter; while it is busy it is not one,
    /// so that what it does itself does not wake it.
    pub(crate) fn sleep(
        self: &Arc<Self>,
        timeout: Option<Duration>,
        seen: &mut u64,
    ) -> io::Result<()> {
        self.callers.called();
        self.callers.begin_sleep();
        self.unwatch();
        let mut found = Found::new();
        let began = self.ctx.clock.now();
        let result = self.poller.wait(&mut found, timeout);
        let slept = self.ctx.clock.now().since(began);
        self.callers.end_sleep();
        self.waking.leave(*seen);
        self.handle(&found);
        *seen = self.waking.enter();
        self.callers.called();
        self.hand_back(slept);
        result
    }
}

/// The driver is told of a burst when this is dropped: last of all, and also if code of the application (a waker, a stream) panics before. For
/// those who come later it counts as told, and nobody would do it for them.
struct Told<'a>(&'a Arc<SocketShared>);

impl Drop for Told<'_> {
    fn drop(&mut self) {
        self.0.ctx.command(Command::Hot(Arc::clone(self.0)));
    }
}

/// Has others hand over what they have gathered for this socket. Takes their locks, one after the other. Says whether any had
/// something.
fn fetch(thirst: Thirst) -> bool {
    let mut some = false;
    for (writer, key) in thirst {
        let mut effects = Effects::default();
        some |= writer.lock().hand_over(key, &mut effects);
        writer.run(effects);
    }
    some
}
