//! What the sockets of one program part share: the driver, its poller, names, transports and buffers.

use std::collections::HashMap;
use std::io;
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::thread::{ThreadId, available_parallelism};
use std::time::Duration;

use zmq_patterns::PeerKey;
use zmq_transport::{Listener, Registry, Transport};

use crate::clock::{Clock, Nanos};
use crate::dial::Dialing;
use crate::driver::{Driver, DriverMode};
use crate::handover::Orders;
use crate::names::Names;
use crate::options::ContextOptions;
use crate::poller::{Interest, Poller, Signal, wait_readable};
use crate::pool::Pool;
use crate::random::Random;
use crate::resolver::Resolver;
use crate::security::Judgement;
use crate::shared::SocketShared;

/// Sockets live in a context: inproc names are known within it, and its driver does what no caller is there to do.
///
/// Cloning gives another handle to the same context. Dropping the last handle waits for sockets that are closing, at most
/// [`ContextOptions::drop_wait`]; sockets still open go on working.
///
/// # Forks
/// A forked child opens contexts of its own and works in them. What it inherits it can only close or drop (a CURVE connection that is
/// used all the same is closed there, since its keys must not serve twice): that closes copies of
/// descriptors, waits for nothing, and the parent does not notice. A socket lets go of its connections and listeners, the last handle
/// of the context of all that its driver held; until then the port of a parent that has ended stays busy. Three descriptors
/// of each context, which concern nobody else, stay open until the child ends. So does a connection that another thread was working
/// on at the fork, and, if that was the driver, all that it held; without epoll also whatever threads were waiting for.
#[derive(Clone, Debug)]
pub struct Context {
    inner: Arc<Handle>,
}

#[derive(Debug)]
struct Handle {
    shared: Arc<ContextShared>,
    /// With [`DriverMode::Manual`], the driver waiting for its turns.
    manual: Mutex<Option<Driver>>,
    drop_wait: Option<Duration>,
}

/// What is told to the driver.
pub(crate) enum Command {
    /// A pipe of this socket is in a burst.
    Hot(Arc<SocketShared>),
    /// Callers of this socket were here: look in a while whether they still are.
    Patrol(Arc<SocketShared>),
    /// A stream of this socket takes no more: look soon.
    Hurry {
        socket: u64,
    },
    Listen {
        id: u64,
        socket: Arc<SocketShared>,
        listener: Box<dyn Listener>,
        endpoint: String,
    },
    StopListening {
        id: u64,
    },
    Dial {
        id: u64,
        dialing: Dialing,
    },
    /// The endpoint of a dialer was disconnected: it ends when its queue is empty or at `deadline`.
    LeavePeer {
        id: u64,
        deadline: Nanos,
    },
    Resolved {
        dialer: u64,
        attempt: u64,
        targets: io::Result<Vec<String>>,
    },
    LinkLost {
        dialer: u64,
        transient: bool,
    },
    /// A stream or listener without a descriptor may be ready.
    Woken {
        token: u64,
    },
    /// An authenticator has decided about the peer of a handshake.
    Verdict {
        shaking: u64,
        judgement: Judgement,
    },
    /// A live link has a timer.
    Beat {
        socket: u64,
        key: PeerKey,
        at: Nanos,
    },
    Closing {
        socket: Arc<SocketShared>,
        deadline: Nanos,
    },
}

pub(crate) struct ContextShared {
    pub(crate) clock: Clock,
    pub(crate) pool: Pool,
    pub(crate) poller: Poller,
    pub(crate) wake: Signal,
    /// `None` once the driver has ended.
    commands: Orders<Command>,
    pub(crate) sockets: Mutex<HashMap<u64, Weak<SocketShared>>>,
    pub(crate) names: Mutex<Names>,
    transports: Mutex<Registry>,
    pub(crate) resolver: Resolver,
    pub(crate) random: Random,
    pub(crate) next_id: AtomicU64,
    pub(crate) terminated: AtomicBool,
    /// No handle is left.
    pub(crate) abandoned: AtomicBool,
    /// Sockets between close and their end.
    pub(crate) closing: Mutex<usize>,
    pub(crate) idle: Signal,
    pub(crate) max_sockets: usize,
    pub(crate) max_handshakes: usize,
    pub(crate) handshakes_at_once: usize,
    pub(crate) inproc_mixes: bool,
    pub(crate) simulated: bool,
    /// There are several processors, so that to look again at once is not to keep others from changing anything.
    pub(crate) parallel: bool,
    /// The driver's thread, which must not wait for what only it can do.
    pub(crate) driver_thread: OnceLock<ThreadId>,
    /// The driver of that thread, for a forked child to let go of.
    pub(crate) driver: OnceLock<Weak<Mutex<Driver>>>,
    process: u32,
}

impl core::fmt::Debug for ContextShared {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("ContextShared").finish_non_exhaustive()
    }
}

/// The kinds of things the driver's poller watches, in the upper octet of a token.
pub(crate) mod token {
    pub(crate) const WAKE: u64 = u64::MAX;
    pub(crate) const SOCKET: u64 = 1 << 56;
    pub(crate) const LISTENER: u64 = 2 << 56;
    pub(crate) const DIALER: u64 = 3 << 56;
    pub(crate) const SHAKING: u64 = 4 << 56;
    /// The ZAP handler may have answered.
    pub(crate) const HANDLER: u64 = 5 << 56;
    pub(crate) const KIND: u64 = 0xff << 56;
}

impl ContextShared {
    /// Whether this thread is the driver's.
    pub(crate) fn is_driver(&self) -> bool {
        self.driver_thread.get() == Some(&std::thread::current().id())
    }

    /// Tells the driver. Says whether there is one.
    pub(crate) fn command(&self, command: Command) -> bool {
        let taken = self.queue(command);
        self.wake.raise();
        taken
    }

    /// Like [`ContextShared::command`], for one who holds a lock and rouses the driver afterwards.
    pub(crate) fn queue(&self, command: Command) -> bool {
        // One that nobody takes may want locks of its own as it ends, so that is not done under the lock of the list.
        self.commands.add(command).is_ok()
    }

    /// For the driver, which says whether it was woken by the signal.
    pub(crate) fn take_commands(&self, woken: bool) -> Vec<Command> {
        self.commands.take(&self.wake, woken)
    }

    /// Nobody takes commands any more; gives those that nobody took.
    pub(crate) fn end_commands(&self) -> Option<Vec<Command>> {
        self.commands.end()
    }

    pub(crate) fn id(&self) -> u64 {
        self.next_id.fetch_add(1, Ordering::Relaxed)
    }

    pub(crate) fn names(&self) -> MutexGuard<'_, Names> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn transports(&self) -> Registry {
        self.transports
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(crate) fn sockets(&self) -> Vec<Arc<SocketShared>> {
        let sockets = self.sockets.lock().unwrap_or_else(PoisonError::into_inner);
        let mut all: Vec<_> = sockets.values().filter_map(Weak::upgrade).collect();
        all.sort_by_key(|socket| socket.id);
        all
    }

    pub(crate) fn socket(&self, id: u64) -> Option<Arc<SocketShared>> {
        self.sockets
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&id)
            .and_then(Weak::upgrade)
    }

    /// Changes whether the driver's poller reports a socket.
    pub(crate) fn watch_socket(&self, socket: &SocketShared, interest: Interest) {
        // Both descriptors live as long as their owners, so the system has no reason to refuse.
        let _ = self
            .poller
            .modify_poller(&socket.poller, token::SOCKET | socket.id, interest);
    }

    pub(crate) fn is_foreign_process(&self) -> bool {
        std::process::id() != self.process
    }

    pub(crate) fn closing_began(&self) {
        *self.closing.lock().unwrap_or_else(PoisonError::into_inner) += 1;
    }

    pub(crate) fn closing_ended(&self) {
        let mut closing = self.closing.lock().unwrap_or_else(PoisonError::into_inner);
        *closing = closing.saturating_sub(1);
        if *closing == 0 {
            self.idle.raise();
        }
    }

    /// Whether nothing new can come: it was shut down, or no handle is left.
    pub(crate) fn is_ending(&self) -> bool {
        self.terminated.load(Ordering::SeqCst) || self.abandoned.load(Ordering::SeqCst)
    }

    fn nothing_closing(&self) -> bool {
        *self.closing.lock().unwrap_or_else(PoisonError::into_inner) == 0
    }
}

impl Context {
    /// A context with a driver thread of its own and everything else at its default.
    ///
    /// # Errors
    /// When the system gives no descriptors, no thread or no entropy.
    pub fn new() -> io::Result<Context> {
        Context::with(ContextOptions::default())
    }

    /// A context as told.
    ///
    /// # Errors
    /// When the system gives no descriptors, no thread or no entropy.
    pub fn with(options: ContextOptions) -> io::Result<Context> {
        let seed = match options.seed {
            Some(seed) => seed,
            None => getrandom::u64().map_err(io::Error::other)?,
        };
        // Asked before this context has threads: where the application has none either it takes no time, and else some 10 ms once.
        let _ = zmq_lock::fence::is_available();
        let shared = Arc::new(ContextShared {
            simulated: options.clock.is_virtual(),
            parallel: available_parallelism().is_ok_and(|count| count.get() > 1),
            clock: options.clock,
            pool: Pool::default(),
            poller: Poller::new()?,
            wake: Signal::new()?,
            commands: Orders::new(),
            sockets: Mutex::new(HashMap::new()),
            names: Mutex::new(Names::default()),
            transports: Mutex::new(options.transports),
            resolver: Resolver::default(),
            random: Random::new(seed),
            next_id: AtomicU64::new(1),
            terminated: AtomicBool::new(false),
            abandoned: AtomicBool::new(false),
            closing: Mutex::new(0),
            idle: Signal::new()?,
            max_sockets: options.max_sockets,
            max_handshakes: options.max_handshakes,
            handshakes_at_once: options.handshakes_at_once,
            inproc_mixes: options.inproc_mixes,
            driver_thread: OnceLock::new(),
            driver: OnceLock::new(),
            process: std::process::id(),
        });
        shared
            .poller
            .add(shared.wake.as_fd(), token::WAKE, Interest::READ)?;
        let driver = Driver::new(Arc::clone(&shared));
        let mut manual = None;
        match options.driver {
            DriverMode::Thread => {
                let driver = Arc::new(Mutex::new(driver));
                // Nobody else sets it.
                let _ = shared.driver.set(Arc::downgrade(&driver));
                std::thread::Builder::new()
                    .name("zmq-driver".to_owned())
                    .spawn(move || {
                        crate::signals::block_all();
                        Driver::run(&driver);
                    })?;
            }
            DriverMode::Manual => manual = Some(driver),
        }
        Ok(Context {
            inner: Arc::new(Handle {
                shared,
                manual: Mutex::new(manual),
                drop_wait: options.drop_wait,
            }),
        })
    }

    pub(crate) fn shared(&self) -> &Arc<ContextShared> {
        &self.inner.shared
    }

    /// Adds a transport under the schemes it serves.
    ///
    /// # Errors
    /// When one of its schemes is served already.
    pub fn register_transport(
        &self,
        transport: Arc<dyn Transport>,
    ) -> Result<(), zmq_transport::DuplicateScheme> {
        self.inner
            .shared
            .transports
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .register(transport)
    }

    /// With [`DriverMode::Manual`]: one turn of the driver, waiting up to `wait` for something to do. Says whether there
    /// was something. With a driver thread, or in a forked child, it does nothing.
    pub fn turn(&self, wait: Duration) -> bool {
        if self.inner.shared.is_foreign_process() {
            return false;
        }
        let mut manual = self
            .inner
            .manual
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        manual
            .as_mut()
            .is_some_and(|driver| driver.turn(Some(wait)))
    }

    /// With [`DriverMode::Manual`]: how long until the driver has to look at a timer; `None` if there is none.
    #[must_use]
    pub fn next_timer(&self) -> Option<Duration> {
        let manual = self
            .inner
            .manual
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        manual.as_ref().and_then(Driver::until_next_timer)
    }

    /// Ends every wait and every verb of every socket with an error that says so. Closing still works. Does not block.
    pub fn shutdown(&self) {
        self.inner.shared.shutdown();
    }

    /// [`shutdown`](Context::shutdown), then waits until every socket was closed and has let its output out, or `timeout` has
    /// passed (`None` waits for ever). Says whether all are gone. Blocks the thread.
    ///
    /// # Errors
    /// When a signal interrupts the wait; it may be called again.
    pub fn terminate(&self, timeout: Option<Duration>) -> io::Result<bool> {
        let shared = &self.inner.shared;
        if shared.is_foreign_process() {
            shared.forsake(None);
            return Ok(true);
        }
        shared.shutdown();
        shared.wait_idle(timeout, || shared.sockets().is_empty())
    }

    /// Whether it was shut down.
    #[must_use]
    pub fn is_terminated(&self) -> bool {
        self.inner.shared.terminated.load(Ordering::SeqCst)
    }
}

impl ContextShared {
    fn shutdown(&self) {
        self.terminated.store(true, Ordering::SeqCst);
        for socket in self.sockets() {
            let mut core = socket.lock();
            if core.life == crate::core::Life::Open {
                core.life = crate::core::Life::Terminated;
            }
            let monitors = std::mem::take(&mut core.monitors);
            drop(core);
            for monitor in monitors {
                monitor.end();
            }
            socket.wake();
        }
        // Closing sockets may have waited for what cannot come any more.
        self.wake.raise();
    }

    fn wait_idle(&self, timeout: Option<Duration>, done: impl Fn() -> bool) -> io::Result<bool> {
        let deadline = timeout.map(|timeout| self.clock.now().plus(timeout));
        loop {
            self.idle.drain();
            if done() {
                // Another who waits for the same must not miss it.
                self.idle.raise();
                return Ok(true);
            }
            let left = deadline.map(|deadline| deadline.since(self.clock.now()));
            if left.is_some_and(|left| left.is_zero()) {
                return Ok(false);
            }
            wait_readable(self.idle.as_fd(), left)?;
        }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        let shared = &self.shared;
        if shared.is_foreign_process() {
            // A forked child has no driver thread; it only lets go of descriptors.
            shared.forsake(None);
            return;
        }
        let threaded = self
            .manual
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner)
            .is_none();
        let own = shared.is_driver();
        if threaded && !own {
            // An interrupted wait gives up early, which loses nothing that was not reported.
            let _ = shared.wait_idle(self.drop_wait, || shared.nothing_closing());
        }
        shared.abandoned.store(true, Ordering::SeqCst);
        shared.wake.raise();
    }
}
