//! Waiting for descriptors: the one place that knows which system calls do it.
//!
//! Everything above works with level-triggered readiness and one descriptor for each socket, which stands for all that
//! the socket waits for. There are two back ends with one interface: `epoll`, where the system has it, and `portable`,
//! which needs no more than poll(2) and a pipe. The private feature `portable-poll` chooses the second everywhere, so
//! that the tests of this crate and of those above it can be run with it.
//!
//! Pollers are two deep: the one of a context watches descriptors and the pollers of sockets; those watch descriptors only.

#[cfg(all(
    any(target_os = "linux", target_os = "android"),
    any(test, not(feature = "portable-poll"))
))]
mod epoll;
#[cfg(any(
    test,
    feature = "portable-poll",
    not(any(target_os = "linux", target_os = "android"))
))]
mod portable;
mod signal;
#[cfg(test)]
mod tests;

use std::io;
use std::os::fd::BorrowedFd;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags};
use rustix::time::Timespec;

#[cfg(all(
    any(target_os = "linux", target_os = "android"),
    not(feature = "portable-poll")
))]
use epoll as system;
#[cfg(any(
    feature = "portable-poll",
    not(any(target_os = "linux", target_os = "android"))
))]
use portable as system;

/// A set of watched descriptors, which a descriptor of its own stands for.
pub(crate) type Poller = system::Poller;

/// A flag that a poller can watch.
pub(crate) type Signal = signal::Signal<system::Wire>;

/// What a watched descriptor is wanted for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Interest {
    pub(crate) read: bool,
    pub(crate) write: bool,
}

impl Interest {
    pub(crate) const NONE: Interest = Interest {
        read: false,
        write: false,
    };
    pub(crate) const READ: Interest = Interest {
        read: true,
        write: false,
    };
    pub(crate) const WRITE: Interest = Interest {
        read: false,
        write: true,
    };
}

/// One thing a poller found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ready {
    pub(crate) token: u64,
    pub(crate) readable: bool,
    pub(crate) writable: bool,
    /// The other end is gone or the descriptor has failed. Reported even when nothing was asked for.
    pub(crate) broken: bool,
}

/// The most events taken from the system at once.
pub(crate) const EVENTS: usize = 64;

/// Events found, in a buffer on the stack of the caller.
pub(crate) struct Found {
    events: [Ready; EVENTS],
    count: usize,
}

impl Found {
    pub(crate) fn new() -> Found {
        let none = Ready {
            token: 0,
            readable: false,
            writable: false,
            broken: false,
        };
        Found {
            events: [none; EVENTS],
            count: 0,
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Ready> + '_ {
        self.events.iter().take(self.count).copied()
    }

    /// Whether there may be more than what was found.
    pub(crate) fn is_full(&self) -> bool {
        self.count == EVENTS
    }

    fn clear(&mut self) {
        self.count = 0;
    }

    /// Says whether there was a place for it.
    fn push(&mut self, ready: Ready) -> bool {
        let Some(slot) = self.events.get_mut(self.count) else {
            return false;
        };
        *slot = ready;
        self.count += 1;
        true
    }
}

/// Waits until `fd` is readable, `timeout` has passed, or a signal came (an error of kind `Interrupted`).
/// Says whether it is readable.
pub(crate) fn wait_readable(fd: BorrowedFd<'_>, timeout: Option<Duration>) -> io::Result<bool> {
    let mut fds = [PollFd::new(&fd, PollFlags::IN)];
    let timeout = timeout.map(timespec);
    Ok(rustix::event::poll(&mut fds, timeout.as_ref())? > 0)
}

/// No wait is longer: poll(2) may count milliseconds in an `int`. Whoever wants to wait longer finds that it has not happened yet,
/// and waits again.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

fn timespec(duration: Duration) -> Timespec {
    let duration = duration.min(LONGEST);
    Timespec {
        tv_sec: i64::try_from(duration.as_secs()).unwrap_or(i64::MAX),
        // Below a thousand million, which every width of this field holds.
        tv_nsec: duration.subsec_nanos() as _,
    }
}
