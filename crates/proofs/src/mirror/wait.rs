//! A socket with one stream, its callers, and the driver.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use crate::handover::{Callers, Looks, Orders, Whose};
use crate::kernel::{self, File};
use crate::poller::Signal;
use crate::waking::Waking;

pub(crate) struct Served {
    callers: Callers,
    pub(crate) waking: Waking,
    signal: File,
    /// Readable: the peer has sent.
    pub(crate) stream: File,
    /// The driver's poller reports the socket's.
    watched: File,
    /// Somebody has read all that the peer sent.
    pub(crate) read: File,
    /// How often the peer sends.
    sends: usize,
    reads: AtomicUsize,
    /// The driver leaves what comes next to callers who are away, as where much comes and they have taken some of it.
    leaves: bool,
    /// What was read and nobody has taken.
    queue: Mutex<usize>,
    orders: Orders<Patrol>,
    wake: Signal,
    wake_file: File,
}

/// `Command::Patrol`.
struct Patrol;

/// `patrol::LONGEST`, as short as it can be for looks to become rarer.
const LONGEST: u32 = 2;

/// How a caller leaves that has slept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Slept {
    /// Longer than `watching::SPARSE`.
    Long,
    Briefly,
}

impl Served {
    pub(crate) fn open(sends: usize) -> Arc<Served> {
        Served::open_with(sends, false)
    }

    /// One for whose callers the driver has read a flood.
    pub(crate) fn open_flooded(sends: usize) -> Arc<Served> {
        Served::open_with(sends, true)
    }

    fn open_with(sends: usize, leaves: bool) -> Arc<Served> {
        let waking = Waking::new().unwrap();
        let signal = File::opened_last();
        let wake = Signal::new().unwrap();
        let wake_file = File::opened_last();
        let served = Served {
            callers: Callers::new(),
            waking,
            signal,
            stream: File::open(),
            watched: File::open(),
            read: File::open(),
            sends,
            reads: AtomicUsize::new(0),
            leaves,
            queue: Mutex::new(0),
            orders: Orders::new(),
            wake,
            wake_file,
        };
        served.watch();
        Arc::new(served)
    }

    /// `SocketShared::watch`.
    fn watch(&self) {
        self.callers.watch(true, || self.watched.set(true));
    }

    /// `SocketShared::unwatch`.
    fn unwatch(&self) {
        self.callers.watch(false, || self.watched.set(false));
    }

    /// `SocketShared::patrol`.
    fn patrol(&self) {
        if self.callers.begin_patrol() {
            // `ContextShared::command`. There is a driver as long as the model runs.
            let _ = self.orders.add(Patrol);
            self.wake.raise();
        }
    }

    /// `SocketShared::handle`: says whether it was anything but a signal that is still meant for others.
    fn handle(&self, stream: bool, signal: bool) -> bool {
        let settled = signal && self.waking.settle();
        if stream && self.stream.take() {
            *self.queue.lock().unwrap() += 1;
            if self.reads.fetch_add(1, Ordering::SeqCst) + 1 == self.sends {
                self.read.set(true);
            }
            // `Link::deliver`.
            self.waking.wake();
        }
        stream || settled
    }

    fn ready(&self) -> (bool, bool) {
        kernel::look(|levels| (levels.is(self.stream), levels.is(self.signal)))
    }

    // ---- callers ----

    /// `SocketShared::turn`: a caller looks once and goes.
    pub(crate) fn turn(&self) {
        self.turn_in(false);
    }

    /// The same, after a flood or not.
    pub(crate) fn turn_in(&self, flood: bool) {
        let relied = self.waking.is_relied_on() && self.callers.is_watched();
        if relied && self.waking.is_left_to_driver() && !flood {
            return;
        }
        self.callers.called();
        self.unwatch();
        let (stream, signal) = self.ready();
        self.handle(stream, signal);
        if relied && self.waking.has_wakers() {
            self.watch();
        } else {
            self.patrol();
        }
    }

    /// `Socket::wait_and_take` with a timeout that is over at any moment: `SocketShared::sleep`, once.
    pub(crate) fn sleep(&self, slept: Slept) {
        let seen = self.waking.enter();
        let seen = self.sleep_by(seen, slept, || self.ready());
        // The end of the `Waiter`.
        self.waking.leave(seen);
    }

    fn sleep_by(&self, seen: u64, slept: Slept, wait: impl FnOnce() -> (bool, bool)) -> u64 {
        self.callers.called();
        self.callers.begin_sleep();
        self.unwatch();
        let (stream, signal) = wait();
        self.callers.end_sleep();
        self.waking.leave(seen);
        self.handle(stream, signal);
        let seen = self.waking.enter();
        self.callers.called();
        // `SocketShared::hand_back`.
        let sparse = slept == Slept::Long && !self.callers.is_on_patrol();
        if sparse || self.waking.is_relied_on() {
            self.watch();
        } else {
            self.patrol();
        }
        seen
    }

    /// `Socket::take`.
    fn take(&self) -> bool {
        let mut queue = self.queue.lock().unwrap();
        let some = *queue > 0;
        *queue -= usize::from(some);
        some
    }

    /// `Socket::recv_into` with `wait_and_take`, for ever.
    pub(crate) fn recv(&self) {
        if self.take() || self.look_out() {
            return;
        }
        let mut seen = self.waking.enter();
        while !self.take() {
            seen = self.sleep_by(seen, Slept::Briefly, || {
                kernel::wait(|levels| {
                    let found = (levels.is(self.stream), levels.is(self.signal));
                    (found.0 || found.1).then_some(found)
                })
            });
            // The signal stays raised until others have looked.
            loom::thread::yield_now();
        }
        self.waking.leave(seen);
    }

    /// `Socket::look_out`. To look twice is to look at any moment.
    fn look_out(&self) -> bool {
        self.turn_in(true);
        if self.take() {
            return true;
        }
        // `SocketShared::peek`.
        let (stream, signal) = self.ready();
        self.handle(stream, signal);
        self.take()
    }

    /// `Watcher::rest`.
    pub(crate) fn rest(&self) {
        if !self.callers.has_sleepers() {
            self.watch();
        }
    }

    // ---- the driver ----

    /// `Driver::run` until what the peer sent was read. A round of the patrol is due whenever somebody is on the list.
    pub(crate) fn run_driver(&self) {
        let mut list: Vec<Looks> = Vec::new();
        loop {
            let found = kernel::wait(|levels| {
                if levels.is(self.read) {
                    return Some(None);
                }
                let woken = levels.is(self.wake_file);
                let ready = levels.is(self.stream) || levels.is(self.signal);
                let ready = ready && levels.is(self.watched);
                (woken || ready || !list.is_empty()).then_some(Some((woken, ready)))
            });
            let Some((woken, ready)) = found else { return };
            for Patrol in self.orders.take(&self.wake, woken) {
                list.push(self.callers.looks(LONGEST));
            }
            if ready {
                self.socket_ready(&mut list);
            }
            self.patrol_round(&mut list);
        }
    }

    /// `Driver::socket_ready`, `Patrol::begin` and `Patrol::bear`.
    fn socket_ready(&self, list: &mut Vec<Looks>) {
        match self.found_by_driver() {
            Whose::Driver => {
                if self.serve() && self.callers.begin_patrol() {
                    list.push(self.callers.bear(LONGEST));
                }
            }
            Whose::Callers | Whose::Nobodys => {}
            Whose::CallersUnseen => list.push(self.callers.looks(LONGEST)),
        }
    }

    /// `SocketShared::serve`.
    fn serve(&self) -> bool {
        let (stream, signal) = self.ready();
        let settled = !signal || self.waking.settle();
        self.handle(stream, false);
        if !settled || !self.leaves {
            return false;
        }
        self.unwatch();
        if self.waking.anybody() {
            // One waits since then, and found the driver watching for it.
            self.watch();
            return false;
        }
        true
    }

    /// `SocketShared::found_by_driver`.
    fn found_by_driver(&self) -> Whose {
        if !self.callers.has_sleepers() && self.waking.is_relied_on() {
            return if self.serve_tasks() {
                Whose::Nobodys
            } else {
                self.callers.left()
            };
        }
        self.callers.found(self.waking.anybody(), || self.unwatch())
    }

    /// `SocketShared::serve_tasks`, where there is much each time.
    fn serve_tasks(&self) -> bool {
        let (stream, signal) = self.ready();
        let settled = !signal || self.waking.settle();
        self.handle(stream, false);
        self.unwatch();
        if settled && self.waking.has_wakers() {
            // One sleeps already, or again, and found the driver watching.
            self.watch();
            return true;
        }
        false
    }

    /// `Patrol::round`.
    fn patrol_round(&self, list: &mut Vec<Looks>) {
        list.retain_mut(|looks| {
            let stays = self.callers.stays(
                looks,
                || self.waking.anybody() && !self.waking.is_relied_on(),
                || self.serve_links(),
                || self.watch(),
            );
            if stays {
                loom::thread::yield_now();
            }
            stays
        });
    }

    /// `SocketShared::serve_links`.
    fn serve_links(&self) -> bool {
        let (stream, signal) = self.ready();
        let did = self.handle(stream, signal);
        stream || (signal && !did)
    }
}
