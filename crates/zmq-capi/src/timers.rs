//! Timers that run when the caller lets them.

use std::collections::BTreeMap;
use std::ffi::{c_int, c_long, c_void};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::boundary::{Outcome, answer, done, handle, number};
use crate::clock::Moment;
use crate::errno::Errno;
use crate::raw::{self, Held, Kind, Spare, TimerFn};

struct Timer {
    interval: Duration,
    due: Moment,
    run: Box<dyn Runs>,
}

/// What a timer does.
trait Runs: Send {
    fn again(&self) -> Box<dyn FnOnce()>;
}

impl<F: Fn() + Send + Clone + 'static> Runs for F {
    fn again(&self) -> Box<dyn FnOnce()> {
        Box::new(self.clone())
    }
}

#[derive(Default)]
struct Table {
    last: c_int,
    timers: BTreeMap<c_int, Timer>,
}

struct Timers(Mutex<Table>);

static SPARE: Spare<Timers> = Mutex::new(Vec::new());

impl Kind for Timers {
    const TAG: u32 = 0x5A54_494D;

    fn spare() -> &'static Spare<Self> {
        &SPARE
    }
}

fn timers(handle: *mut c_void) -> Outcome<Held<Timers>> {
    raw::visit(handle).ok_or(Errno::FAULT)
}

impl Timers {
    fn lock(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, id: c_int, change: impl FnOnce(&mut Timer)) -> Outcome<()> {
        let mut table = self.lock();
        change(table.timers.get_mut(&id).ok_or(Errno::INVALID)?);
        Ok(())
    }

    /// Those that are due now, the earliest first.
    fn due(&self) -> Vec<c_int> {
        let now = Moment::now();
        let table = self.lock();
        let mut due: Vec<_> = table
            .timers
            .iter()
            .filter(|(_, timer)| timer.due <= now)
            .map(|(id, timer)| (timer.due, *id))
            .collect();
        due.sort_unstable();
        due.into_iter().map(|(_, id)| id).collect()
    }

    fn execute(&self) {
        for id in self.due() {
            let mut table = self.lock();
            // One that ran before may have cancelled it.
            let Some(timer) = table.timers.get_mut(&id) else {
                continue;
            };
            timer.due = Moment::now() + timer.interval;
            let run = timer.run.again();
            // It may add and cancel timers.
            drop(table);
            run();
        }
    }
}

/// Makes an empty set of timers.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn zmq_timers_new() -> *mut c_void {
    handle(|| Ok(raw::insert(Timers(Mutex::default()))))
}

/// Ends a set of timers, and makes the caller's pointer null.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn zmq_timers_destroy(handle: *mut *mut c_void) -> c_int {
    done(|| {
        let timers = raw::get(handle).ok_or(Errno::FAULT)?;
        raw::take::<Timers>(timers).ok_or(Errno::FAULT)?;
        raw::put(handle, std::ptr::null_mut());
        Ok(())
    })
}

/// Adds a timer that is due every `interval` milliseconds; answers its number.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn zmq_timers_add(
    handle: *mut c_void,
    interval: usize,
    function: Option<TimerFn>,
    argument: *mut c_void,
) -> c_int {
    number(|| {
        let held = timers(handle)?;
        let function = function.ok_or(Errno::FAULT)?;
        let mut table = held.lock();
        table.last = table.last.wrapping_add(1);
        let id = table.last;
        let interval = Duration::from_millis(interval as u64);
        let timer = Timer {
            interval,
            due: Moment::now() + interval,
            run: Box::new(raw::call_timer(function, id, argument)),
        };
        table.timers.insert(id, timer);
        Ok(id)
    })
}

/// Takes a timer away.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn zmq_timers_cancel(handle: *mut c_void, id: c_int) -> c_int {
    done(|| {
        let held = timers(handle)?;
        let gone = held.lock().timers.remove(&id);
        gone.map(drop).ok_or(Errno::INVALID)
    })
}

/// Changes how often a timer is due, from now on.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn zmq_timers_set_interval(
    handle: *mut c_void,
    id: c_int,
    interval: usize,
) -> c_int {
    done(|| {
        timers(handle)?.change(id, |timer| {
            timer.interval = Duration::from_millis(interval as u64);
            timer.due = Moment::now() + timer.interval;
        })
    })
}

/// Lets a timer begin anew.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn zmq_timers_reset(handle: *mut c_void, id: c_int) -> c_int {
    done(|| timers(handle)?.change(id, |timer| timer.due = Moment::now() + timer.interval))
}

/// Milliseconds until the next timer is due; -1 if there is none.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn zmq_timers_timeout(handle: *mut c_void) -> c_long {
    answer(-1, || {
        let held = timers(handle)?;
        let next = held.lock().timers.values().map(|timer| timer.due).min();
        let Some(next) = next else { return Ok(-1) };
        let left = next.saturating_duration_since(Moment::now());
        // A part of a millisecond counts as one: who sleeps so long finds the timer due.
        Ok(c_long::try_from(left.as_micros().div_ceil(1000)).unwrap_or(c_long::MAX))
    })
}

/// Runs the timers that are due.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn zmq_timers_execute(handle: *mut c_void) -> c_int {
    done(|| {
        timers(handle)?.execute();
        Ok(())
    })
}
