//! Functions and buffers of the caller's, which are used after the call that brought them.

use std::ffi::{c_int, c_void};

/// Frees a buffer: `zmq_free_fn`.
pub(crate) type FreeFn = unsafe extern "C" fn(data: *mut c_void, hint: *mut c_void);
/// Runs in a thread: `zmq_thread_fn`.
pub(crate) type ThreadFn = unsafe extern "C" fn(argument: *mut c_void);
/// Runs when a timer is due: `zmq_timer_fn`.
pub(crate) type TimerFn = unsafe extern "C" fn(id: c_int, argument: *mut c_void);

/// A buffer of the caller's, with the function that frees it. Dropped once, wherever the last one is who needs it.
pub(crate) struct Foreign {
    data: *mut c_void,
    length: usize,
    free: Option<FreeFn>,
    hint: *mut c_void,
}

// SAFETY: `zmq.h` says of such a buffer that it may be read and freed by any thread.
unsafe impl Send for Foreign {}
// SAFETY: as above; it is only read while it is shared.
unsafe impl Sync for Foreign {}

impl Foreign {
    pub(crate) fn new(
        data: *mut c_void,
        length: usize,
        free: Option<FreeFn>,
        hint: *mut c_void,
    ) -> Foreign {
        Foreign {
            data,
            length,
            free,
            hint,
        }
    }
}

impl AsRef<[u8]> for Foreign {
    fn as_ref(&self) -> &[u8] {
        if self.data.is_null() || isize::try_from(self.length).is_err() {
            return &[];
        }
        // SAFETY: the caller's promise: so many octets are there until the free function is called. None is fine, too: their place
        // is still the caller's.
        unsafe { std::slice::from_raw_parts(self.data.cast(), self.length) }
    }
}

impl Drop for Foreign {
    fn drop(&mut self) {
        if let Some(free) = self.free {
            // SAFETY: the caller's promise: it takes these two, once, on any thread. It does not return by unwinding.
            unsafe { free(self.data, self.hint) };
        }
    }
}

/// A pointer of the caller's that is only ever given back.
#[derive(Clone, Copy)]
struct Argument(*mut c_void);

// SAFETY: it is not followed here.
unsafe impl Send for Argument {}

impl Argument {
    /// Takes the whole value, so that a closure catches it and not the pointer inside.
    fn get(self) -> *mut c_void {
        self.0
    }
}

/// What a new thread runs.
pub(crate) fn call_thread(function: ThreadFn, argument: *mut c_void) -> impl FnOnce() + Send {
    let argument = Argument(argument);
    // SAFETY: the caller's promise: a function that may run in another thread, with this argument.
    move || unsafe { function(argument.get()) }
}

/// What is run each time a timer is due.
pub(crate) fn call_timer(
    function: TimerFn,
    id: c_int,
    argument: *mut c_void,
) -> impl Fn() + Send + Clone {
    let argument = Argument(argument);
    // SAFETY: the caller's promise: a function that may be called with this argument whenever timers are executed.
    move || unsafe { function(id, argument.get()) }
}
