//! Publishers look for subscriptions before they publish.
//!
//! A program that has subscribed and publishes right afterwards expects its message to arrive when the subscription was there
//! first. It is in the kernel, and the driver would read it in its own time. libzmq looks as well, and no more often than this.

use std::os::fd::AsRawFd;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use zmq_engine::Socket;

use crate::clock::Moment;
use crate::raw::{self, POLLIN, pollfd};

/// The shortest time between two looks.
const PAUSE: Duration = Duration::from_millis(1);

/// When a publisher has looked last.
#[derive(Debug, Default)]
pub(crate) struct Hearing(Mutex<Option<Moment>>);

impl Hearing {
    /// Reads the subscriptions that have arrived, unless it was done a moment ago.
    pub(crate) fn hear(&self, socket: &Socket) {
        let now = Moment::now();
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if last.is_some_and(|last| now.duration_since(last) < PAUSE) {
            return;
        }
        *last = Some(now);
        drop(last);
        let mut fds = [pollfd {
            fd: socket.descriptor().as_raw_fd(),
            events: POLLIN,
            revents: 0,
        }];
        // A signal may end it, and it will be done again.
        if raw::poll(&mut fds, Some(Duration::ZERO), std::ptr::null()).is_ok_and(|ready| ready > 0)
        {
            let _ = socket.events();
        }
    }
}
