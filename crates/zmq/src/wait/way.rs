//! How a task that waits hears from the network: who watches the socket's descriptor for it.
//!
//! Within `block_on` it is the thread itself (`here`), and within a runtime of tokio that runtime's own reactor, where the feature `tokio` was
//! chosen. Elsewhere:
//!
//! A hop from thread to thread costs more than everything else that a message needs, so what counts is that the thread that
//! watches is the one that runs the task. An executor that turns the reactor of async-io itself, as smol's do, is called by
//! it without a hop. Under any other, async-io has a thread of its own, and then the context's driver is the better one to
//! watch: it has read the message before it calls. Which of the two is the case shows in who calls.

use std::future::Future;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::pin::Pin;
use std::sync::atomic::{AtomicI32, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;
use std::{io, thread};

use async_io::{Async, Readable};
use zmq_engine::{Deadline, Socket};

use super::here::Ticket;
use crate::handle::Opened;

/// Calls that a socket answers at once between two looks at the clock.
const TURNS: u32 = 128;

/// How long a task may go on being answered at once, with as many calls as that takes between two looks at the clock, before it has to let others run.
/// To let them run costs as much as 20 small messages.
const LONG: Duration = Duration::from_micros(50);

/// So often a caller is told that others have to run first: as long as some other sockets that it waits for at the same time need to have had their turns.
const ASKED: u32 = 4 * TURNS;

/// Waits of a trial, which shows whose thread it is that turns async-io's reactor.
const TRIAL: u32 = 8;

/// Waits from one trial to the next: an executor that was busy elsewhere is given another chance.
const TRIAL_EVERY: u32 = 1 << 16;

/// The thread that turns async-io's reactor when no executor does.
const HELPER: &str = "async-io";

/// How the tasks that wait for one socket hear from the network.
#[derive(Debug, Default)]
pub(crate) struct Readiness {
    registered: OnceLock<Async<OwnedFd>>,
    /// For threads in `block_on`.
    duplicate: OnceLock<Arc<OwnedFd>>,
    /// The look of such a thread before which a wait last left the streams to it.
    left_unread: AtomicU64,
    #[cfg(feature = "tokio")]
    runtime: super::runtime::Readiness,
    turns: AtomicU32,
    turn: Mutex<Option<Turn>>,
    waits: AtomicU32,
    /// Calls of the last trial: those of async-io's own thread less those of executors.
    hops: Arc<AtomicI32>,
}

/// Whether tasks may go on.
#[derive(Debug)]
enum Turn {
    /// They may until then, at least.
    On(Deadline),
    /// Others have to run first; so often was that said.
    Over(u32),
}

impl Readiness {
    /// The registration with async-io, made now if this is the first time.
    fn registered(&self, descriptor: BorrowedFd<'_>) -> io::Result<&Async<OwnedFd>> {
        if let Some(registered) = self.registered.get() {
            return Ok(registered);
        }
        let new = register(descriptor)?;
        // Another task may have been faster; each registers a duplicate of its own, so the loser's is just dropped.
        Ok(self.registered.get_or_init(|| new))
    }

    /// A duplicate of the descriptor, made now if this is the first time.
    fn duplicate(&self, descriptor: BorrowedFd<'_>) -> io::Result<Arc<OwnedFd>> {
        if let Some(duplicate) = self.duplicate.get() {
            return Ok(Arc::clone(duplicate));
        }
        let new = Arc::new(descriptor.try_clone_to_owned()?);
        Ok(Arc::clone(self.duplicate.get_or_init(|| new)))
    }

    /// Whether a wait that begins may leave the streams to the next look of its thread. Once before each look: a wait that ends before the
    /// thread gets to it, and another that does, would have nobody read them.
    pub(crate) fn may_leave_unread(&self, look_number: u64) -> bool {
        self.left_unread.swap(look_number, Ordering::Relaxed) != look_number
    }

    /// Counts a call, unless it would be the one before which others should run.
    #[inline]
    pub(crate) fn has_turn(&self) -> bool {
        let turns = self.turns.load(Ordering::Relaxed);
        let over = turns % TURNS == TURNS - 1;
        if !over {
            // Callers on several threads may lose a count to each other; the number does not have to be exact.
            self.turns.store(turns.wrapping_add(1), Ordering::Relaxed);
        }
        !over
    }

    /// Counts so many messages of a call as calls, but not beyond the one before which others should run.
    pub(crate) fn count_more(&self, messages: usize) {
        let turns = self.turns.load(Ordering::Relaxed);
        let left = TURNS - 1 - turns % TURNS;
        let more = u32::try_from(messages).unwrap_or(u32::MAX).min(left);
        self.turns
            .store(turns.wrapping_add(more), Ordering::Relaxed);
    }

    /// Whether the caller has had answers in a row for so long that others should run first. Then it stays so until they have
    /// ([`resume`](Self::resume)), whoever asks: a task that waits for several sockets at once has had its turn when all of them say so. But not for
    /// ever, as a caller that never lets others run is to be answered, too.
    pub(crate) fn is_turn_over(&self) -> bool {
        if self.has_turn() {
            return false;
        }
        let over = self.is_over();
        if !over {
            self.turns.fetch_add(1, Ordering::Relaxed);
        }
        over
    }

    #[cold]
    fn is_over(&self) -> bool {
        let mut turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *turn {
            Some(Turn::On(until)) if until.left().is_none_or(|left| !left.is_zero()) => false,
            Some(Turn::Over(asked)) if *asked < ASKED => {
                *asked += 1;
                true
            }
            Some(Turn::Over(_)) => {
                *turn = Some(Turn::On(Deadline::after(Some(LONG))));
                false
            }
            _ => {
                *turn = Some(Turn::Over(1));
                true
            }
        }
    }

    /// Others have run.
    pub(crate) fn resume(&self) {
        let mut turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(&*turn, Some(Turn::Over(_))) {
            *turn = Some(Turn::On(Deadline::after(Some(LONG))));
            self.turns.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How a task that begins to wait now should.
    pub(crate) fn way<'a>(&'a self, socket: &'a Socket) -> Way<'a> {
        if let Some(ticket) = Ticket::new(|| self.duplicate(socket.descriptor())) {
            return Way::Here(ticket);
        }
        #[cfg(feature = "tokio")]
        if let Some(wait) = self.runtime.wait(socket) {
            return Way::Runtime(wait);
        }
        let nth = self.waits.fetch_add(1, Ordering::Relaxed) % TRIAL_EVERY;
        if nth == 0 {
            self.hops.store(0, Ordering::Relaxed);
        }
        let on_trial = nth < TRIAL;
        if !on_trial && self.hops.load(Ordering::Relaxed) > 0 {
            return Way::Driver;
        }
        Way::Reactor {
            readable: None,
            on_trial,
        }
    }
}

/// Registers a duplicate of `descriptor` with async-io.
pub(crate) fn register(descriptor: BorrowedFd<'_>) -> io::Result<Async<OwnedFd>> {
    // It is never read through, so it need not be made non-blocking.
    Async::new_nonblocking(descriptor.try_clone_to_owned()?)
}

/// Who watches the descriptor for one task that waits.
pub(crate) enum Way<'a> {
    /// The context's driver, which needs no more than the task's waker.
    Driver,
    /// The thread that runs the task, in `block_on`.
    Here(Ticket),
    /// The runtime of tokio that runs the task.
    #[cfg(feature = "tokio")]
    Runtime(super::runtime::Wait<'a>),
    /// The reactor of async-io.
    Reactor {
        readable: Option<Readable<'a, OwnedFd>>,
        on_trial: bool,
    },
}

impl<'a> Way<'a> {
    /// Ready when the descriptor says that something has changed; an error if there is nobody to watch it this way.
    pub(crate) fn poll(
        &mut self,
        opened: &'a Opened,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        match self {
            Way::Driver => Poll::Pending,
            Way::Here(ticket) => ticket.poll(cx),
            #[cfg(feature = "tokio")]
            Way::Runtime(wait) => wait.poll(cx),
            Way::Reactor { readable, on_trial } => {
                if readable.is_none() {
                    let registered = opened.readiness.registered(opened.socket.descriptor())?;
                    *readable = Some(registered.readable());
                }
                let Some(waiting) = readable else {
                    return Poll::Pending;
                };
                let changed = if *on_trial {
                    let witness = Waker::from(Arc::new(Witness {
                        hops: Arc::clone(&opened.readiness.hops),
                        task: cx.waker().clone(),
                    }));
                    Pin::new(waiting).poll(&mut Context::from_waker(&witness))
                } else {
                    Pin::new(waiting).poll(cx)
                };
                let changed = std::task::ready!(changed);
                *readable = None;
                Poll::Ready(changed)
            }
        }
    }
}

/// Wakes a task and takes note of who does.
struct Witness {
    hops: Arc<AtomicI32>,
    task: Waker,
}

impl Wake for Witness {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let hop = thread::current().name() == Some(HELPER);
        self.hops
            .fetch_add(if hop { 1 } else { -1 }, Ordering::Relaxed);
        self.task.wake_by_ref();
    }
}
