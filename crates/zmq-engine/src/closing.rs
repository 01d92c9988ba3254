//! The end of a socket: what was accepted may still leave for its linger time, and then the books are closed.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::{Mutex, PoisonError};

use crate::poller::Signal;

/// What became of the messages a socket had accepted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CloseReport {
    /// Messages that were accepted and had not been handed to the kernel or to an inproc peer when the linger time was over.
    pub unsent: u64,
}

/// Tells those who wait for the end of a socket.
#[derive(Debug)]
pub(crate) struct CloseState {
    report: Mutex<Option<CloseReport>>,
    signal: Signal,
}

impl CloseState {
    pub(crate) fn new() -> io::Result<CloseState> {
        Ok(CloseState {
            report: Mutex::new(None),
            signal: Signal::new()?,
        })
    }

    pub(crate) fn finish(&self, report: CloseReport) {
        *self.report.lock().unwrap_or_else(PoisonError::into_inner) = Some(report);
        self.signal.raise();
    }

    pub(crate) fn report(&self) -> Option<CloseReport> {
        *self.report.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn descriptor(&self) -> BorrowedFd<'_> {
        self.signal.as_fd()
    }
}
