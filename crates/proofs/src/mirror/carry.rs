//! A link and the pipe it carries. The common lock is the socket's.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::handover::Holding;
use crate::sync::{Mutex, MutexGuard};

/// `link::ROUNDS`: so few that the models come to it.
const ROUNDS: usize = 1;

/// `Core` and its one `Pipe`.
#[derive(Default)]
struct Core {
    out: usize,
    hot: bool,
    flush_wanted: bool,
    /// The driver was asked to see to it.
    tick: bool,
}

pub(crate) struct Carried {
    core: Mutex<Core>,
    link: Holding<usize>,
    /// What the kernel has.
    written: AtomicUsize,
}

impl Carried {
    pub(crate) fn new(hot: bool) -> Carried {
        Carried {
            core: Mutex::new(Core {
                hot,
                ..Core::default()
            }),
            link: Holding::new(0),
            written: AtomicUsize::new(0),
        }
    }

    /// `Socket::offer` with `Core::enqueue`: leaves a message, and drives unless it is to gather.
    pub(crate) fn send(&self) {
        let mut core = self.core.lock().unwrap();
        core.out += 1;
        let pump = !core.hot;
        drop(core);
        if pump {
            self.drive();
        }
    }

    /// `SocketShared::flush`, and what the driver does for a pipe at each tick.
    pub(crate) fn flush(&self) {
        let mut core = self.core.lock().unwrap();
        if core.out == 0 {
            return;
        }
        core.flush_wanted = true;
        drop(core);
        self.drive();
    }

    /// `Link::drive`.
    fn drive(&self) {
        if let Some(io) = self.link.try_lock() {
            self.drive_held(io);
        }
    }

    /// One who waits for whoever drives, as the driver does for a timer.
    pub(crate) fn beat(&self) {
        self.drive_held(self.link.lock());
    }

    /// `Link::drive_held` with `write_turn`.
    fn drive_held<'a>(&'a self, mut io: MutexGuard<'a, usize>) {
        for round in 0.. {
            let mut core = self.core.lock().unwrap();
            *io += std::mem::take(&mut core.out);
            core.flush_wanted = false;
            drop(core);
            self.written.store(*io, Ordering::SeqCst);
            match self.let_go(io, round) {
                Some(held) => io = held,
                None => return,
            }
        }
    }

    /// `Link::let_go`.
    fn let_go<'a>(&'a self, io: MutexGuard<'a, usize>, round: usize) -> Option<MutexGuard<'a, usize>> {
        let mut core = self.core.lock().unwrap();
        if core.out > 0 && (!core.hot || core.flush_wanted) {
            if round < ROUNDS {
                drop(core);
                return Some(io);
            }
            core.tick = true;
        }
        Holding::let_go(io, core);
        None
    }

    /// When everybody is gone: what was written, and what the driver will write.
    pub(crate) fn end(&self) -> usize {
        let core = self.core.lock().unwrap();
        let later = if core.tick { core.out } else { 0 };
        self.written.load(Ordering::SeqCst) + later
    }
}
