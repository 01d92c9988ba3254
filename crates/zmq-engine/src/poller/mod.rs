//! Waiting for descriptors: the one place that knows which system calls do it.
//!
//! Everything above works with level-triggered readiness and one descriptor for each socket, which may itself be watched
//! by another poller. On Linux that is an epoll.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustix::event::{EventfdFlags, PollFd, PollFlags, epoll, eventfd};
use rustix::time::Timespec;

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

    fn flags(self) -> epoll::EventFlags {
        let mut flags = epoll::EventFlags::empty();
        if self.read {
            flags |= epoll::EventFlags::IN;
        }
        if self.write {
            flags |= epoll::EventFlags::OUT;
        }
        flags
    }
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
}

/// A set of watched descriptors, itself a descriptor that is readable while one of them is ready.
#[derive(Debug)]
pub(crate) struct Poller(OwnedFd);

impl Poller {
    pub(crate) fn new() -> io::Result<Poller> {
        Ok(Poller(epoll::create(epoll::CreateFlags::CLOEXEC)?))
    }

    pub(crate) fn add(&self, fd: BorrowedFd<'_>, token: u64, interest: Interest) -> io::Result<()> {
        epoll::add(
            &self.0,
            fd,
            epoll::EventData::new_u64(token),
            interest.flags(),
        )?;
        Ok(())
    }

    pub(crate) fn modify(
        &self,
        fd: BorrowedFd<'_>,
        token: u64,
        interest: Interest,
    ) -> io::Result<()> {
        epoll::modify(
            &self.0,
            fd,
            epoll::EventData::new_u64(token),
            interest.flags(),
        )?;
        Ok(())
    }

    pub(crate) fn remove(&self, fd: BorrowedFd<'_>) {
        // A descriptor that is not watched any more is what was asked for.
        let _ = epoll::delete(&self.0, fd);
    }

    /// Waits until something is ready, `timeout` has passed, or a signal came (an error of kind `Interrupted`).
    pub(crate) fn wait(&self, found: &mut Found, timeout: Option<Duration>) -> io::Result<()> {
        found.count = 0;
        let mut timeout = timeout;
        if let Some(short) = timeout {
            // epoll counts whole milliseconds; poll waits for less.
            if !short.is_zero() && short.subsec_nanos() % 1_000_000 != 0 {
                wait_readable(self.0.as_fd(), Some(short))?;
                timeout = Some(Duration::ZERO);
            }
        }
        let mut events = [epoll::Event {
            flags: epoll::EventFlags::empty(),
            data: epoll::EventData::new_u64(0),
        }; EVENTS];
        let timeout = timeout.map(timespec);
        let count = epoll::wait(&self.0, &mut events[..], timeout.as_ref())?;
        for (slot, event) in found.events.iter_mut().zip(events.iter().take(count)) {
            let flags = event.flags;
            *slot = Ready {
                token: event.data.u64(),
                readable: flags.contains(epoll::EventFlags::IN),
                writable: flags.contains(epoll::EventFlags::OUT),
                broken: flags.intersects(epoll::EventFlags::ERR | epoll::EventFlags::HUP),
            };
        }
        found.count = count;
        Ok(())
    }
}

impl AsFd for Poller {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// A flag that a poller can watch: raised from any thread, seen by all who wait, until somebody clears it.
#[derive(Debug)]
pub(crate) struct Signal {
    fd: OwnedFd,
    raised: AtomicBool,
}

impl Signal {
    pub(crate) fn new() -> io::Result<Signal> {
        Ok(Signal {
            fd: eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?,
            raised: AtomicBool::new(false),
        })
    }

    /// Makes the descriptor readable. Costs nothing if it is already.
    pub(crate) fn raise(&self) {
        if !self.raised.swap(true, Ordering::SeqCst) {
            // The counter holds one at most, so the write cannot be refused.
            let _ = rustix::io::write(&self.fd, &1_u64.to_ne_bytes());
        }
    }

    /// Takes the flag back. Whoever clears must look for work afterwards, not before.
    pub(crate) fn clear(&self) {
        if self.raised.load(Ordering::SeqCst) {
            self.drain();
        }
    }

    /// Like [`Signal::clear`], for one who was told that the descriptor is readable: a raise may be half way through.
    pub(crate) fn drain(&self) {
        let mut count = [0_u8; 8];
        let _ = rustix::io::read(&self.fd, &mut count[..]);
        self.raised.store(false, Ordering::SeqCst);
    }
}

impl AsFd for Signal {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// Waits until `fd` is readable, `timeout` has passed, or a signal came (an error of kind `Interrupted`).
/// Says whether it is readable.
pub(crate) fn wait_readable(fd: BorrowedFd<'_>, timeout: Option<Duration>) -> io::Result<bool> {
    let mut fds = [PollFd::new(&fd, PollFlags::IN)];
    let timeout = timeout.map(timespec);
    Ok(rustix::event::poll(&mut fds, timeout.as_ref())? > 0)
}

pub(crate) fn timespec(duration: Duration) -> Timespec {
    Timespec {
        tv_sec: i64::try_from(duration.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: i64::from(duration.subsec_nanos()),
    }
}
