//! `ZMQ_FD`: a descriptor that becomes readable when something may have changed.

use std::os::fd::AsRawFd;
use std::sync::{Mutex, PoisonError};

use zmq_engine::{Registration, Socket};

use crate::raw::Descriptor;

/// Whether a socket's descriptor was handed out. From then on the socket counts as waited for, so that every change makes the
/// descriptor readable, until a function of the socket has looked.
#[derive(Debug, Default)]
pub(crate) struct Exposed(Mutex<Option<Registration>>);

impl Exposed {
    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Registration>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The descriptor, from now on with every change.
    pub(crate) fn expose(&self, socket: &Socket) -> Descriptor {
        self.lock().get_or_insert_with(|| socket.register());
        socket.descriptor().as_raw_fd()
    }

    /// A function of the socket looks for what has changed: call it before the look.
    pub(crate) fn look(&self, socket: &Socket) {
        if let Some(registration) = &mut *self.lock() {
            socket.look(registration);
        }
    }

    /// Runs something that waits by itself: meanwhile the descriptor is not looked at.
    pub(crate) fn waiting<T>(&self, socket: &Socket, wait: impl FnOnce() -> T) -> T {
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
