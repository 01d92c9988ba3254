//! Waiting on the thread that runs the future: it watches the sockets itself, in the same sleep in which it hears of everything else.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::io::{self, PipeReader, PipeWriter};
use std::os::fd::OwnedFd;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::bell::Bell;

/// Waits for sockets that are watched at once. A sleep costs time for each of them; those beyond are as under any other executor.
const MOST: usize = 64;

/// A future that is called again and again is polled so often between two looks at the sockets that others in it wait for.
const CALLS: u32 = 8;

/// Looks of one desk before it could be taken for the next one. If it ever is, a wait looks once too often.
const LOOKS: u64 = 1 << 48;

/// Where the looks of the next desk are counted from.
static DESKS: AtomicU64 = AtomicU64::new(1);

/// Octets of calls taken out of the pipe at once. There is rarely more than one.
const CALLS_READ: usize = 16;

/// Runs a future on this thread until it is ready, where no runtime is.
///
/// While it waits the thread itself watches the sockets that up to 64 of its tasks wait for, and what arrives needs no other thread: a
/// round trip takes about as long as with the [`blocking`](crate::blocking) sockets, and two thirds of the time that it takes under an
/// executor which only parks its thread, as then another one has to watch. Time limits, `ready`, `subscribers`, `close` and monitors are called by a thread of
/// async-io's, and futures of other libraries by those that these have.
///
/// Blocks the thread, so it is not for use within tasks of a runtime. Each thread of a program may be in a `block_on` of its own. What a future in
/// it waits for is noticed when the thread sleeps: where the future keeps it busy, or blocks it by other means, messages may come some
/// tens of milliseconds late.
///
/// ```
/// let context = zmq::Context::new();
/// let (push, pull) = (zmq::Push::new(&context), zmq::Pull::new(&context));
///
/// let message = zmq::block_on(async {
///     push.connect(&pull.bind("tcp://127.0.0.1:0").await?)?;
///     push.send("hello").await?;
///     Ok::<_, Box<dyn std::error::Error>>(pull.recv().await?)
/// })?;
/// assert_eq!(message.first(), b"hello");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    let seat = match Seat::take() {
        Ok(seat) => seat,
        Err(nowhere) => {
            // No descriptors are left: nothing to sleep in.
            let output = async_io::block_on(future);
            drop(nowhere);
            return output;
        }
    };
    let mut future = pin!(future);
    let waker = Waker::from(Arc::clone(&seat.desk.caller));
    let mut context = Context::from_waker(&waker);
    let mut calls = 0_u32;
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
        let slept = seat.desk.await_call();
        calls = if slept { 0 } else { calls.wrapping_add(1) };
        if calls % CALLS == CALLS - 1 {
            seat.desk.look();
        }
    }
}

thread_local! {
    /// Where this thread waits, while it is in `block_on`.
    static HERE: RefCell<Option<Arc<Desk>>> = const { RefCell::new(None) };
    /// The desk of its last `block_on`.
    static SPARE: Cell<Option<Arc<Desk>>> = const { Cell::new(None) };
}

/// A thread's place in `block_on`, until it leaves.
struct Seat {
    desk: Arc<Desk>,
    outer: Option<Outer>,
}

/// Where the thread waits while it is not here: the `block_on` around this one. It is there again when this is dropped.
struct Outer(Option<Arc<Desk>>);

impl Outer {
    fn leave_for(desk: Option<Arc<Desk>>) -> Outer {
        // Where the thread is ending nobody asks.
        Outer(HERE.try_with(|here| here.replace(desk)).unwrap_or_default())
    }
}

impl Drop for Outer {
    fn drop(&mut self) {
        let _ = HERE.try_with(|here| here.replace(self.0.take()));
    }
}

impl Seat {
    /// A place; or none, and nobody waits at the desk around this one either.
    fn take() -> Result<Seat, Outer> {
        let spare = SPARE.try_with(Cell::take).unwrap_or_default();
        // A child of a fork would share its pipe with its parent.
        let spare = spare.filter(|desk| desk.process == std::process::id());
        let desk = match spare.map_or_else(|| Desk::new().map(Arc::new), Ok) {
            Ok(desk) => desk,
            Err(_) => return Err(Outer::leave_for(None)),
        };
        let outer = Outer::leave_for(Some(Arc::clone(&desk)));
        Ok(Seat {
            desk,
            outer: Some(outer),
        })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        // Nobody comes to this desk any more, and then those who are there go.
        drop(self.outer.take());
        self.desk.leave();
        let _ = SPARE.try_with(|spare| spare.set(Some(Arc::clone(&self.desk))));
    }
}

/// What a thread in `block_on` watches, and how it is called.
#[derive(Debug)]
pub(crate) struct Desk {
    process: u32,
    caller: Arc<Caller>,
    watched: Mutex<Watched>,
    /// Looks at the sockets so far, counted on from where other desks began.
    looks: AtomicU64,
}

#[derive(Debug, Default)]
struct Watched {
    entries: Vec<Entry>,
    /// Of the last entry.
    number: u64,
}

/// A socket that a task waits for.
#[derive(Debug)]
struct Entry {
    number: u64,
    descriptor: Arc<OwnedFd>,
    task: Waker,
    /// The task was told, and has not asked since.
    told: bool,
}

/// Calls the thread.
#[derive(Debug)]
struct Caller {
    bell: Bell,
    calls: PipeReader,
    pipe: PipeWriter,
}

impl Wake for Caller {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.bell.ring() {
            // A pipe that is full refuses, and is readable.
            let _ = rustix::io::write(&self.pipe, &[1]);
        }
    }
}

impl Desk {
    fn new() -> io::Result<Desk> {
        let (calls, pipe) = io::pipe()?;
        rustix::io::ioctl_fionbio(&calls, true)?;
        rustix::io::ioctl_fionbio(&pipe, true)?;
        Ok(Desk {
            process: std::process::id(),
            // Whoever calls late finds the other end of the pipe open.
            caller: Arc::new(Caller {
                bell: Bell::new(),
                calls,
                pipe,
            }),
            watched: Mutex::default(),
            looks: AtomicU64::new(DESKS.fetch_add(LOOKS, Ordering::Relaxed)),
        })
    }

    fn lock(&self) -> MutexGuard<'_, Watched> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sleeps until the future was called. Says whether it slept.
    fn await_call(&self) -> bool {
        let mut slept = false;
        while !self.caller.bell.answer() {
            if self.caller.bell.lie_down() {
                slept = true;
                let told = self.sleep(None);
                self.caller.bell.get_up();
                told.into_iter().for_each(Waker::wake);
            }
        }
        slept
    }

    /// Tells the tasks whose sockets have changed, if there are any, without sleeping.
    fn look(&self) {
        if !self.lock().entries.is_empty() {
            let told = self.sleep(Some(&Timespec::default()));
            told.into_iter().for_each(Waker::wake);
        }
    }

    /// Sleeps until the thread was called or a socket has changed. Gives the tasks that are to be told of that.
    fn sleep(&self, timeout: Option<&Timespec>) -> Vec<Waker> {
        let (numbers, descriptors): (Vec<u64>, Vec<Arc<OwnedFd>>) = self
            .lock()
            .entries
            .iter()
            .filter(|entry| !entry.told)
            .map(|entry| (entry.number, Arc::clone(&entry.descriptor)))
            .unzip();
        let mut files = Vec::with_capacity(descriptors.len() + 1);
        files.push(PollFd::new(&self.caller.calls, PollFlags::IN));
        files.extend(
            descriptors
                .iter()
                .map(|file| PollFd::new(file, PollFlags::IN)),
        );
        let met = poll(&mut files, timeout);
        self.looks.fetch_add(1, Ordering::Relaxed);
        if met == Err(rustix::io::Errno::INTR) {
            return Vec::new();
        }
        if met.is_err() {
            // The system cannot watch for want of memory: everybody looks, now and then.
            std::thread::yield_now();
        }
        let changed = |file: Option<&PollFd<'_>>| {
            met.is_err() || file.is_some_and(|file| !file.revents().is_empty())
        };
        if changed(files.first()) {
            let _ = rustix::io::read(&self.caller.calls, &mut [0_u8; CALLS_READ]);
        }
        let mut told = Vec::new();
        let mut watched = self.lock();
        for (number, file) in numbers.iter().zip(files.iter().skip(1)) {
            if changed(Some(file))
                && let Some(entry) = watched.entry(*number)
            {
                entry.told = true;
                told.push(entry.task.clone());
            }
        }
        told
    }

    /// Nobody watches here any more: all who wait have to find another place.
    fn leave(&self) {
        let entries = std::mem::take(&mut self.lock().entries);
        for entry in entries {
            entry.task.wake();
        }
    }
}

impl Watched {
    fn entry(&mut self, number: u64) -> Option<&mut Entry> {
        self.entries.iter_mut().find(|entry| entry.number == number)
    }
}

/// One task's wait for a socket, at the desk of the thread that polled it first.
#[derive(Debug)]
pub(crate) struct Ticket {
    desk: Arc<Desk>,
    number: u64,
}

impl Ticket {
    /// A number that is the same until the thread looks at its sockets the next time.
    pub(crate) fn look_number(&self) -> u64 {
        self.desk.looks.load(Ordering::Relaxed)
    }

    /// A wait at this thread's desk, if it is at one that has room.
    pub(crate) fn new(descriptor: impl FnOnce() -> io::Result<Arc<OwnedFd>>) -> Option<Ticket> {
        let desk = HERE.try_with(|here| here.borrow().clone()).ok()??;
        if desk.lock().entries.len() >= MOST {
            return None;
        }
        let descriptor = descriptor().ok()?;
        let mut watched = desk.lock();
        watched.number += 1;
        let number = watched.number;
        watched.entries.push(Entry {
            number,
            descriptor,
            task: Waker::noop().clone(),
            told: false,
        });
        drop(watched);
        Some(Ticket { desk, number })
    }

    /// Whether the socket has changed since it was asked last, or nobody watches it here any more.
    pub(crate) fn is_told(&self) -> bool {
        let mut watched = self.desk.lock();
        watched.entry(self.number).is_none_or(|entry| entry.told)
    }

    /// Ready when the socket has changed; an error if nobody watches it here any more, or this is another thread.
    pub(crate) fn poll(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let is_here = HERE.try_with(|here| {
            let here = here.borrow();
            here.as_ref()
                .is_some_and(|desk| Arc::ptr_eq(desk, &self.desk))
        });
        let mut watched = self.desk.lock();
        let Some(entry) = watched.entry(self.number).filter(|_| is_here == Ok(true)) else {
            return Poll::Ready(Err(io::ErrorKind::NotConnected.into()));
        };
        if std::mem::take(&mut entry.told) {
            return Poll::Ready(Ok(()));
        }
        if !entry.task.will_wake(cx.waker()) {
            let before = std::mem::replace(&mut entry.task, cx.waker().clone());
            drop(watched);
            // Whose task may end with it, and with the task its tickets.
            drop(before);
        }
        Poll::Pending
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut watched = self.desk.lock();
        let place = watched
            .entries
            .iter()
            .position(|entry| entry.number == self.number);
        let entry = place.map(|place| watched.entries.swap_remove(place));
        drop(watched);
        // Its task may end with it, and with the task other tickets.
        drop(entry);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_was_told_is_not_told_again_before_it_asks() -> io::Result<()> {
        let (reader, writer) = io::pipe()?;
        let file = Arc::new(OwnedFd::from(reader));
        let Ok(seat) = Seat::take() else {
            return Err(io::ErrorKind::NotFound.into());
        };
        let ticket = Ticket::new(|| Ok(file)).ok_or(io::ErrorKind::NotFound)?;
        let look = || seat.desk.sleep(Some(&Timespec::default())).len();
        assert_eq!(look(), 0);
        rustix::io::write(&writer, &[1])?;
        assert_eq!(look(), 1);
        // A future that is never polled again must not keep the thread awake.
        assert_eq!(look(), 0);
        let mut context = Context::from_waker(Waker::noop());
        assert!(ticket.poll(&mut context).is_ready());
        assert!(ticket.poll(&mut context).is_pending());
        assert_eq!(look(), 1, "it still is as it was");
        drop(ticket);
        assert_eq!(look(), 0);
        Ok(())
    }
}
