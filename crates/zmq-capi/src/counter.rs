//! Counters that any thread may change.

use std::ffi::{c_int, c_void};
use std::sync::Mutex;
use std::sync::atomic::{AtomicI32, Ordering};

use crate::boundary::{Outcome, answer, handle, number};
use crate::errno::Errno;
use crate::raw::{self, Held, Kind, Spare};

struct Counter(AtomicI32);

static SPARE: Spare<Counter> = Mutex::new(Vec::new());

impl Kind for Counter {
    const TAG: u32 = 0x5A43_4E54;

    fn spare() -> &'static Spare<Self> {
        &SPARE
    }
}

fn counter(handle: *mut c_void) -> Outcome<Held<Counter>> {
    raw::visit(handle).ok_or(Errno::FAULT)
}

/// Makes a counter that stands at zero.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn zmq_atomic_counter_new() -> *mut c_void {
    handle(|| Ok(raw::insert(Counter(AtomicI32::new(0)))))
}

/// Sets a counter.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn zmq_atomic_counter_set(handle: *mut c_void, value: c_int) {
    answer((), || {
        counter(handle)?.0.store(value, Ordering::SeqCst);
        Ok(())
    });
}

/// Adds one; answers what it was before.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn zmq_atomic_counter_inc(handle: *mut c_void) -> c_int {
    number(|| Ok(counter(handle)?.0.fetch_add(1, Ordering::SeqCst)))
}

/// Takes one away; answers 0 when it became zero, else 1.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn zmq_atomic_counter_dec(handle: *mut c_void) -> c_int {
    number(|| {
        let before = counter(handle)?.0.fetch_sub(1, Ordering::SeqCst);
        Ok(c_int::from(before != 1))
    })
}

/// What it stands at.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn zmq_atomic_counter_value(handle: *mut c_void) -> c_int {
    number(|| Ok(counter(handle)?.0.load(Ordering::SeqCst)))
}

/// Ends a counter, and makes the caller's pointer null.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn zmq_atomic_counter_destroy(handle: *mut *mut c_void) {
    answer((), || {
        let counter = raw::get(handle).ok_or(Errno::FAULT)?;
        drop(raw::take::<Counter>(counter));
        raw::put(handle, std::ptr::null_mut());
        Ok(())
    });
}
