//! What every function of the C library is wrapped in: no panic gets out, and a failure is left in `errno`.

use std::ffi::{c_int, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;

use crate::errno::Errno;
use crate::raw;

/// What a step of the library ends with.
pub(crate) type Outcome<T = c_int> = Result<T, Errno>;

/// Runs a function that answers `otherwise` when it fails.
pub(crate) fn answer<T>(otherwise: T, body: impl FnOnce() -> Outcome<T>) -> T {
    // What a panic leaves half done is a socket of the caller's, which fails from then on: its locks are entered regardless.
    match catch_unwind(AssertUnwindSafe(body)).unwrap_or(Err(Errno::PANIC)) {
        Ok(value) => value,
        Err(errno) => {
            // Last of all: what was dropped on the way may have made system calls.
            raw::set_errno(errno.0);
            otherwise
        }
    }
}

/// A function that answers -1 when it fails.
pub(crate) fn number(body: impl FnOnce() -> Outcome) -> c_int {
    answer(-1, body)
}

/// A function that answers 0, or -1 when it fails.
pub(crate) fn done(body: impl FnOnce() -> Outcome<()>) -> c_int {
    answer(-1, || body().map(|()| 0))
}

/// A function that answers a handle, or null when it fails.
pub(crate) fn handle(body: impl FnOnce() -> Outcome<*mut c_void>) -> *mut c_void {
    answer(ptr::null_mut(), body)
}

/// A count as the C library tells it.
pub(crate) fn clip(count: usize) -> c_int {
    c_int::try_from(count).unwrap_or(c_int::MAX)
}
