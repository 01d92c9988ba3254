//! What the operating system does for us: levels that can be raised and lowered, and sleeping until some are as wanted.
//! Each call is one step, as a system call is.

use loom::sync::{Condvar, Mutex};
use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use crate::poller::signal;

struct Kernel {
    levels: Mutex<Vec<bool>>,
    changed: Condvar,
}

loom::lazy_static! {
    static ref KERNEL: Kernel = Kernel { levels: Mutex::new(Vec::new()), changed: Condvar::new() };
}

/// Something that is readable or not, whose end is seen by all.
#[derive(Clone, Copy, Debug)]
pub(crate) struct File(usize);

impl File {
    pub(crate) fn open() -> File {
        let mut levels = KERNEL.levels.lock().unwrap();
        levels.push(false);
        File(levels.len() - 1)
    }

    /// The one that was opened last, by whoever opens one within.
    pub(crate) fn opened_last() -> File {
        File(KERNEL.levels.lock().unwrap().len() - 1)
    }

    pub(crate) fn set(self, level: bool) {
        let mut levels = KERNEL.levels.lock().unwrap();
        let before = std::mem::replace(&mut levels[self.0], level);
        drop(levels);
        if level && !before {
            KERNEL.changed.notify_all();
        }
    }

    /// Lowers it; says whether it was raised.
    pub(crate) fn take(self) -> bool {
        let before = std::mem::replace(&mut KERNEL.levels.lock().unwrap()[self.0], false);
        if before {
            KERNEL.changed.notify_all();
        }
        before
    }
}

/// What is raised, at one moment.
pub(crate) struct Levels<'a>(&'a [bool]);

impl Levels<'_> {
    pub(crate) fn is(&self, file: File) -> bool {
        self.0[file.0]
    }
}

/// Sleeps until `found` finds something.
pub(crate) fn wait<T>(found: impl Fn(&Levels<'_>) -> Option<T>) -> T {
    let mut levels = KERNEL.levels.lock().unwrap();
    loop {
        if let Some(found) = found(&Levels(&levels)) {
            return found;
        }
        levels = KERNEL.changed.wait(levels).unwrap();
    }
}

/// Looks without sleeping.
pub(crate) fn look<T>(found: impl Fn(&Levels<'_>) -> T) -> T {
    found(&Levels(&KERNEL.levels.lock().unwrap()))
}

/// What a signal makes readable.
#[derive(Debug)]
pub(crate) struct Wire(pub(crate) File);

impl signal::Wire for Wire {
    fn new() -> io::Result<Wire> {
        Ok(Wire(File::open()))
    }

    fn fill(&self) {
        self.0.set(true);
    }

    fn empty(&self) {
        self.0.set(false);
    }
}

impl AsFd for Wire {
    fn as_fd(&self) -> BorrowedFd<'_> {
        unreachable!("the models wait for files of their own")
    }
}
