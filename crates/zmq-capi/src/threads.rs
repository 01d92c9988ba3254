//! Threads, watches and sleep, which measuring programs use.

use std::ffi::{c_int, c_ulong, c_void};
use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::boundary::{answer, handle};
use crate::clock::Moment;
use crate::errno::Errno;
use crate::raw::{self, Kind, Spare, ThreadFn};

struct Watch(Moment);

static WATCHES: Spare<Watch> = Mutex::new(Vec::new());

impl Kind for Watch {
    const TAG: u32 = 0x5A57_4348;

    fn spare() -> &'static Spare<Self> {
        &WATCHES
    }
}

impl Watch {
    fn micros(&self) -> c_ulong {
        c_ulong::try_from(self.0.elapsed().as_micros()).unwrap_or(c_ulong::MAX)
    }
}

struct Thread(Mutex<Option<JoinHandle<()>>>);

static THREADS: Spare<Thread> = Mutex::new(Vec::new());

impl Kind for Thread {
    const TAG: u32 = 0x5A54_4852;

    fn spare() -> &'static Spare<Self> {
        &THREADS
    }
}

/// Starts a watch.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn zmq_stopwatch_start() -> *mut c_void {
    handle(|| Ok(raw::insert(Watch(Moment::now()))))
}

/// Microseconds since a watch was started.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn zmq_stopwatch_intermediate(watch: *mut c_void) -> c_ulong {
    answer(0, || {
        Ok(raw::visit::<Watch>(watch).ok_or(Errno::FAULT)?.micros())
    })
}

/// Microseconds since a watch was started, which ends here.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn zmq_stopwatch_stop(watch: *mut c_void) -> c_ulong {
    answer(0, || {
        Ok(raw::take::<Watch>(watch).ok_or(Errno::FAULT)?.micros())
    })
}

/// Waits for so many seconds.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn zmq_sleep(seconds: c_int) {
    answer((), || {
        let time = Duration::from_secs(u64::try_from(seconds).unwrap_or(0));
        // A signal ends it, as it ends the system's own.
        let _ = raw::poll(&mut [], Some(time), std::ptr::null());
        Ok(())
    });
}

/// Starts a thread. Signals are kept from it.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn zmq_threadstart(
    function: Option<ThreadFn>,
    argument: *mut c_void,
) -> *mut c_void {
    handle(|| {
        let run = raw::call_thread(function.ok_or(Errno::FAULT)?, argument);
        let thread = std::thread::Builder::new()
            .spawn(move || {
                raw::block_signals();
                run();
            })
            .map_err(|error| Errno::from(&error))?;
        Ok(raw::insert(Thread(Mutex::new(Some(thread)))))
    })
}

/// Waits for the end of a thread.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn zmq_threadclose(thread: *mut c_void) {
    answer((), || {
        let held = raw::take::<Thread>(thread).ok_or(Errno::FAULT)?;
        let thread = held.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            // A panic in it was reported when it happened.
            let _ = thread.join();
        }
        Ok(())
    });
}
