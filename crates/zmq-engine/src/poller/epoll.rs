//! Where the system has epoll: a poller is an epoll, which another can watch, and a signal is an eventfd.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use rustix::event::{EventfdFlags, epoll, eventfd};

use super::{EVENTS, Found, Interest, Ready, signal, timespec, wait_readable};

/// No wait that is longer need end before its last millisecond is over.
const PRECISE: Duration = Duration::from_millis(2);

const ALMOST_A_MILLISECOND: Duration = Duration::from_nanos(999_999);

fn flags(interest: Interest) -> epoll::EventFlags {
    let mut flags = epoll::EventFlags::empty();
    if interest.read {
        flags |= epoll::EventFlags::IN;
    }
    if interest.write {
        flags |= epoll::EventFlags::OUT;
    }
    flags
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
            flags(interest),
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
            flags(interest),
        )?;
        Ok(())
    }

    pub(crate) fn remove(&self, fd: BorrowedFd<'_>) {
        // A descriptor that is not watched any more is what was asked for.
        let _ = epoll::delete(&self.0, fd);
    }

    /// Watches another poller, which nobody else does: readable while something of its own is ready.
    pub(crate) fn add_poller(
        &self,
        poller: &Poller,
        token: u64,
        interest: Interest,
    ) -> io::Result<()> {
        self.add(poller.0.as_fd(), token, interest)
    }

    pub(crate) fn modify_poller(
        &self,
        poller: &Poller,
        token: u64,
        interest: Interest,
    ) -> io::Result<()> {
        self.modify(poller.0.as_fd(), token, interest)
    }

    pub(crate) fn remove_poller(&self, poller: &Poller) {
        self.remove(poller.0.as_fd());
    }

    /// For whoever wants to watch this poller by means of their own: readable while something is ready.
    pub(crate) fn descriptor(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }

    /// Waits until something is ready, `timeout` has passed, or a signal came (an error of kind `Interrupted`). It may also
    /// end earlier with nothing found.
    pub(crate) fn wait(&self, found: &mut Found, timeout: Option<Duration>) -> io::Result<()> {
        found.clear();
        let mut timeout = timeout;
        if let Some(short) = timeout {
            // epoll counts whole milliseconds. Poll waits for less, at the price of a second call.
            if short > PRECISE {
                let longer = short.saturating_add(ALMOST_A_MILLISECOND);
                timeout = Some(
                    longer - Duration::from_nanos(u64::from(longer.subsec_nanos() % 1_000_000)),
                );
            } else if !short.is_zero() {
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
        for event in events.iter().take(count) {
            let flags = event.flags;
            found.push(Ready {
                token: event.data.u64(),
                readable: flags.contains(epoll::EventFlags::IN),
                writable: flags.contains(epoll::EventFlags::OUT),
                broken: flags.intersects(epoll::EventFlags::ERR | epoll::EventFlags::HUP),
            });
        }
        Ok(())
    }
}

/// A counter that is readable while it is not zero. A signal lets it hold one at most, so that no write is refused.
#[derive(Debug)]
pub(crate) struct Wire(OwnedFd);

impl signal::Wire for Wire {
    fn new() -> io::Result<Wire> {
        let flags = EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK;
        Ok(Wire(eventfd(0, flags)?))
    }

    fn fill(&self) {
        let _ = rustix::io::write(&self.0, &1_u64.to_ne_bytes());
    }

    fn empty(&self) {
        let mut count = [0_u8; 8];
        let _ = rustix::io::read(&self.0, &mut count[..]);
    }
}

impl AsFd for Wire {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
