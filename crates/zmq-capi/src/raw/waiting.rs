//! Waiting for several descriptors with a signal mask, which rustix does not offer.

use std::ffi::c_int;
use std::io;
use std::time::Duration;

pub(crate) use libc::{POLLERR, POLLHUP, POLLIN, POLLNVAL, POLLOUT, POLLPRI, pollfd, sigset_t};

/// Waits until one of these is ready, `timeout` has passed (`None` waits for ever), or a signal came that `mask` lets through.
pub(crate) fn poll(
    fds: &mut [pollfd],
    timeout: Option<Duration>,
    mask: *const sigset_t,
) -> io::Result<usize> {
    let limit = timeout.map(|timeout| libc::timespec {
        tv_sec: libc::time_t::try_from(timeout.as_secs()).unwrap_or(libc::time_t::MAX),
        tv_nsec: timeout.subsec_nanos().into(),
    });
    let limit = limit.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
    // SAFETY: as many entries as said, a time or null; the mask is the C caller's, null or a signal set.
    let count = unsafe { libc::ppoll(fds.as_mut_ptr(), fds.len() as libc::nfds_t, limit, mask) };
    usize::try_from(count).map_err(|_| io::Error::last_os_error())
}

/// Keeps every signal away from the calling thread: they belong to the application's.
pub(crate) fn block_signals() {
    let mut all = std::mem::MaybeUninit::<sigset_t>::uninit();
    // SAFETY: the set is filled before it is read; the old mask is not asked for.
    unsafe {
        libc::sigfillset(all.as_mut_ptr());
        libc::pthread_sigmask(libc::SIG_SETMASK, all.as_ptr(), std::ptr::null_mut());
    }
}

/// A descriptor's number.
pub(crate) type Descriptor = c_int;
