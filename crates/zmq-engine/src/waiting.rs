//! Waiting for a socket: threads sleep in its descriptor, tasks leave a waker.

use std::os::fd::BorrowedFd;
use std::time::Duration;

use crate::clock::Nanos;
use crate::poller::wait_readable;
use crate::socket::Socket;

/// A thread that waits for a socket. Dropping it says that it does not any more.
#[derive(Debug)]
pub struct Waiter<'a> {
    pub(crate) socket: &'a Socket,
    pub(crate) seen: u64,
}

pub(crate) enum Sleep {
    TimedOut,
    Interrupted,
}

impl Waiter<'_> {
    /// What to wait on: readable whenever something has changed.
    #[must_use]
    pub fn descriptor(&self) -> BorrowedFd<'_> {
        self.socket.descriptor()
    }

    /// Takes note of all changes until now. Call it after each wait, before trying again; without it the descriptor stays
    /// readable.
    pub fn look(&mut self) {
        self.seen = self.socket.shared.waking.look(self.seen);
    }

    pub(crate) fn sleep(&mut self, deadline: Option<Nanos>) -> Result<(), Sleep> {
        let shared = &self.socket.shared;
        let left = match deadline {
            None => None,
            Some(deadline) => {
                let left = deadline.since(shared.ctx.clock.now());
                if left.is_zero() {
                    return Err(Sleep::TimedOut);
                }
                Some(left)
            }
        };
        match shared.sleep(left, &mut self.seen) {
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {
                Err(Sleep::Interrupted)
            }
            _ => Ok(()),
        }
    }
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        let shared = &self.socket.shared;
        shared.waking.leave(self.seen);
        if shared.has_notices() {
            // The signal that this thread took down was meant for whoever reads them.
            shared.waking.call_driver();
        }
    }
}

/// That a socket is waited for by somebody who is not a thread inside a call: whoever was handed its descriptor, say. It has to be
/// given back.
#[derive(Debug)]
#[must_use = "the socket counts as waited for until it is given back"]
pub struct Registration {
    seen: u64,
}

impl Socket {
    /// Registers a thread that is about to wait on [`descriptor`](Socket::descriptor), by itself or among others: from now on the
    /// descriptor becomes readable whenever something changes. Try the verb again after registering, before the first wait;
    /// after each wait call [`Waiter::look`], then try.
    #[must_use]
    pub fn waiter(&self) -> Waiter<'_> {
        Waiter {
            seen: self.shared.waking.enter(),
            socket: self,
        }
    }

    /// Registers a task that is about to wait: set its waker with [`Watcher::set_waker`], try the verb, and if it would block wait for
    /// the waker or for [`descriptor`](Socket::descriptor) to become readable, whichever comes first. Set the waker again before
    /// each try.
    #[must_use]
    pub fn watcher(&self) -> Watcher<'_> {
        Watcher {
            place: self.shared.waking.enter_task(),
            socket: self,
            relies: false,
        }
    }

    /// A descriptor that is readable while there is something for this socket to do. Level-triggered. Any verb does it.
    #[must_use]
    pub fn descriptor(&self) -> BorrowedFd<'_> {
        self.shared.poller.descriptor()
    }

    /// Whether the [`descriptor`](Socket::descriptor) is readable now.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        wait_readable(self.descriptor(), Some(Duration::ZERO)).unwrap_or(true)
    }

    /// From now on the descriptor becomes readable whenever something changes, until [`look`](Socket::look). As
    /// [`waiter`](Socket::waiter), for those who cannot keep a borrow.
    pub fn register(&self) -> Registration {
        Registration {
            seen: self.shared.waking.enter(),
        }
    }

    /// Takes note of all changes until now. Call it before trying, not after.
    pub fn look(&self, registration: &mut Registration) {
        registration.seen = self.shared.waking.look(registration.seen);
    }

    /// The descriptor is not waited for any more.
    pub fn unregister(&self, registration: Registration) {
        drop(Waiter {
            socket: self,
            seen: registration.seen,
        });
    }
}

/// A task that waits for a socket. Dropping it says that it does not any more.
///
/// Every change wakes every watcher, so one that is dropped takes nobody's wake-up with it.
#[derive(Debug)]
pub struct Watcher<'a> {
    pub(crate) socket: &'a Socket,
    pub(crate) place: usize,
    pub(crate) relies: bool,
}

impl Watcher<'_> {
    /// Whom to wake at the next change; it is woken once. Call it before trying, not after.
    pub fn set_waker(&self, waker: &std::task::Waker) {
        self.socket.shared.waking.set_waker(self.place, waker);
    }

    /// Leaves the streams to the context's driver: from now on the waker alone is to be waited for, and
    /// [`descriptor`](Socket::descriptor) need not be watched. Call it before trying, and [`rest`](Watcher::rest) after trying in vain.
    pub fn rely_on_driver(&mut self) {
        if !std::mem::replace(&mut self.relies, true) {
            self.socket.shared.waking.rely(true);
        }
    }

    /// The task is about to wait for its waker and for nothing else.
    pub fn rest(&self) {
        self.socket.shared.rest();
    }
}

impl Drop for Watcher<'_> {
    fn drop(&mut self) {
        if self.relies {
            self.socket.shared.waking.rely(false);
        }
        self.socket.shared.waking.leave_task(self.place);
    }
}
