//! `ZMQ_FD`: a descriptor that becomes readable when something may have changed.

use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use zmq_engine::{Registration, Socket};

use crate::raw::Descriptor;

/// Whether a socket's descriptor was handed out. From then on the socket counts as waited for, so that every change makes the
/// descriptor readable, until a function of the socket has looked.
#[derive(Debug, Default)]
pub(crate) struct Exposed {
    registration: Mutex<Option<Registration>>,
    /// Whether anybody has asked, to find out without the lock.
    asked: AtomicBool,
}

impl Exposed {
    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Registration>> {
        self.registration
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// The descriptor, from now on with every change.
    pub(crate) fn expose(&self, socket: &Socket) -> Descriptor {
        self.asked.store(true, Ordering::SeqCst);
        self.lock().get_or_insert_with(|| socket.register());
        socket.descriptor().as_raw_fd()
    }

    /// Whether anybody was handed the descriptor.
    #[inline]
    pub(crate) fn is_asked(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
    }

    /// A function of the socket looks for what has changed: call it before the look.
    #[inline]
    pub(crate) fn look(&self, socket: &Socket) {
        if !self.is_asked() {
            return;
        }
        if let Some(registration) = &mut *self.lock() {
            socket.look(registration);
        }
    }

    /// Runs something that waits by itself: meanwhile the descriptor is not looked at.
    #[inline]
    pub(crate) fn waiting<T>(&self, socket: &Socket, wait: impl FnOnce() -> T) -> T {
        if !self.is_asked() {
            return wait();
        }
        let registration = self.lock().take();
        let was = registration.is_some();
        if let Some(registration) = registration {
            socket.unregister(registration);
        }
        let done = wait();
        if was {
            self.lock().get_or_insert_with(|| socket.register());
        }
        done
    }

    pub(crate) fn end(&self, socket: &Socket) {
        if let Some(registration) = self.lock().take() {
            socket.unregister(registration);
        }
    }
}
