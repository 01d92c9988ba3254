//! The context's driver: does what nobody is there to do.
//!
//! It accepts, dials and waits between attempts, shakes hands, keeps the timers, writes what bursts have left, reads for
//! sockets whose owners are away, and sees closing sockets to their end. It sleeps unless one of these is due.

use std::collections::{BTreeMap, VecDeque};
use std::panic::AssertUnwindSafe;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use zmq_patterns::PeerKey;

use crate::asking::{Ask, Asking};
use crate::clock::Nanos;
use crate::context::{Command, ContextShared, token};
use crate::dial::Dialer;
use crate::handover::Whose;
use crate::listen::ListenerState;
use crate::patrol::Patrol;
use crate::poller::Found;
use crate::shake::Shaking;
use crate::shared::SocketShared;
use crate::timers::Timers;
use crate::turns::Turns;

/// Who runs the driver of a context.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DriverMode {
    /// A thread of the context.
    Thread,
    /// The owner of the context, by calling [`Context::turn`](crate::Context::turn). Blocking calls would wait for ever.
    Manual,
}

/// Between two looks at pipes that are in a burst, and from the beginning of a burst to the first at the latest.
const TICK: Duration = Duration::from_micros(100);

/// The same where so many links are looked after that it would take much of a processor.
const LONGEST_TICK: Duration = Duration::from_millis(1);

/// With more links than this the pause is so many times as long as the look.
const MANY: usize = 8;
const PAUSE: u32 = 3;

/// Sockets that a tick looks after before all else has its turn.
const AT_ONCE: usize = 128;

/// What is due at some time.
#[derive(Debug)]
pub(crate) enum Timer {
    Accept(u64),
    Dial {
        id: u64,
        attempt: u64,
    },
    ConnectTimeout {
        id: u64,
        attempt: u64,
    },
    Shake(u64),
    /// Names its link by numbers: a weak pointer would keep a link that has ended in memory until the timer is due.
    Beat {
        socket: u64,
        key: PeerKey,
    },
    Leave(u64),
    Close,
}

/// A socket on its way out.
pub(crate) struct Closing {
    pub(crate) socket: Arc<SocketShared>,
    pub(crate) deadline: Nanos,
}

pub(crate) struct Driver {
    pub(crate) ctx: Arc<ContextShared>,
    pub(crate) timers: Timers<Timer>,
    pub(crate) listeners: BTreeMap<u64, ListenerState>,
    pub(crate) dialers: BTreeMap<u64, Dialer>,
    /// Behind pointers: the nodes of the map are half empty.
    pub(crate) shaking: BTreeMap<u64, Box<Shaking>>,
    pub(crate) accepted_shaking: usize,
    /// Accepted ones that have something to do.
    pub(crate) turns: Turns,
    /// What the ZAP handler is to be asked, once no link is held.
    pub(crate) to_ask: VecDeque<Ask>,
    /// The ZAP client, once somebody had to be asked.
    pub(crate) asking: Option<Asking>,
    hot: Vec<Arc<SocketShared>>,
    next_tick: Nanos,
    pub(crate) patrol: Patrol,
    pub(crate) closing: Vec<Closing>,
    /// Some dialer's endpoint was disconnected and its queue is not empty.
    pub(crate) leaving: bool,
}

impl core::fmt::Debug for Driver {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Driver")
            .field("listeners", &self.listeners.len())
            .field("dialers", &self.dialers.len())
            .field("shaking", &self.shaking.len())
            .finish_non_exhaustive()
    }
}

impl Drop for Driver {
    /// Without a driver no socket works: those that are left are ended, and what is told from now on is let go of.
    fn drop(&mut self) {
        if self.ctx.is_foreign_process() {
            // The sockets are the parent's; here only copies of descriptors are closed.
            return;
        }
        self.end_asking();
        let commands = self.ctx.end_commands();
        for socket in self.ctx.sockets() {
            self.end_socket(&socket);
        }
        drop(commands);
    }
}

impl ContextShared {
    /// In a forked child: closes what the driver held for this socket, or for all, unless it was at work at the fork.
    pub(crate) fn forsake(&self, socket: Option<u64>) {
        if let Some(driver) = self.driver.get().and_then(Weak::upgrade)
            && let Ok(mut driver) = driver.try_lock()
        {
            driver.forsake(socket);
        }
    }
}

fn lock(driver: &Mutex<Driver>) -> MutexGuard<'_, Driver> {
    driver.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Driver {
    pub(crate) fn new(ctx: Arc<ContextShared>) -> Driver {
        Driver {
            ctx,
            timers: Timers::new(),
            listeners: BTreeMap::new(),
            dialers: BTreeMap::new(),
            shaking: BTreeMap::new(),
            accepted_shaking: 0,
            turns: Turns::default(),
            to_ask: VecDeque::new(),
            asking: None,
            hot: Vec::new(),
            next_tick: Nanos::NEVER,
            patrol: Patrol::default(),
            closing: Vec::new(),
            leaving: false,
        }
    }

    /// Turns until the context has neither handles nor sockets. The lock is free while it sleeps: a forked child, which has no
    /// driver, then finds there what the driver held.
    pub(crate) fn run(driver: &Mutex<Driver>) {
        let ctx = Arc::clone(&lock(driver).ctx);
        // Nobody else sets it.
        let _ = ctx.driver_thread.set(std::thread::current().id());
        let mut found = Found::new();
        loop {
            let asleep = lock(driver);
            if asleep.is_over() {
                return;
            }
            let timeout = asleep.timeout(None);
            drop(asleep);
            if ctx.poller.wait(&mut found, timeout).is_err() {
                // Signals are blocked here.
                continue;
            }
            // A panic comes from code of the application (a mechanism, a transport, a waker). It ends the context's sockets,
            // so that nobody waits for a driver that is no more.
            let work = AssertUnwindSafe(|| lock(driver).work(&found));
            if std::panic::catch_unwind(work).is_err() {
                return;
            }
        }
    }

    /// In a forked child: closes the descriptors of what was held for this socket, or for all, and nothing else. The poller is
    /// shared with the parent, so it is not told.
    pub(crate) fn forsake(&mut self, socket: Option<u64>) {
        let stays = |other: &SocketShared| socket.is_some_and(|id| other.id != id);
        self.listeners.retain(|_, state| stays(&state.socket));
        self.dialers.retain(|_, dialer| stays(&dialer.socket));
        self.shaking
            .retain(|_, shaking| stays(&shaking.whence.socket));
        self.hot.retain(|hot| stays(hot));
        self.patrol.retain(stays);
        self.closing.retain(|closing| stays(&closing.socket));
        if socket.is_none() {
            // The handler it asked is the parent's and hears nothing of it.
            self.asking = None;
        }
    }

    fn is_over(&self) -> bool {
        self.ctx.abandoned.load(Ordering::SeqCst)
            && self
                .ctx
                .sockets
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .is_empty()
    }

    /// One turn: waits up to `wait` for something to do, and does it. Says whether there was something.
    pub(crate) fn turn(&mut self, wait: Option<Duration>) -> bool {
        let mut found = Found::new();
        let timeout = self.timeout(wait);
        if self.ctx.poller.wait(&mut found, timeout).is_err() {
            // It was interrupted, and looks again later.
            return true;
        }
        self.work(&found)
    }

    fn work(&mut self, found: &Found) -> bool {
        let mut did = false;
        let woken = found.iter().any(|ready| ready.token == token::WAKE);
        for command in self.ctx.take_commands(woken) {
            did = true;
            self.obey(command);
        }
        for ready in found.iter() {
            let id = ready.token & !token::KIND;
            did |= ready.token != token::WAKE;
            match ready.token & token::KIND {
                token::SHAKING => self.shake_in_turn(id),
                token::SOCKET => self.socket_ready(id),
                token::LISTENER => self.accept(id),
                token::DIALER => self.dialer_ready(id),
                _ => {}
            }
        }
        // Strangers come last, and only so many of them.
        self.shake_those_in_turn();
        self.ask_waiting();
        let now = self.ctx.clock.now();
        while let Some(timer) = self.timers.due(now) {
            did = true;
            self.fire(timer, now);
        }
        if now >= self.next_tick {
            self.tick();
        }
        self.patrol.round(now);
        self.close_finished();
        did
    }

    /// How long until something is due by the clock.
    pub(crate) fn until_next_timer(&self) -> Option<Duration> {
        if !self.turns.is_empty() {
            return Some(Duration::ZERO);
        }
        let next = self
            .timers
            .next()
            .min(self.next_tick)
            .min(self.patrol.next());
        (next != Nanos::NEVER).then(|| next.since(self.ctx.clock.now()))
    }

    fn timeout(&self, wait: Option<Duration>) -> Option<Duration> {
        match (wait, self.until_next_timer()) {
            _ if !self.turns.is_empty() => Some(Duration::ZERO),
            // A virtual clock does not move while we wait.
            (wait, _) if self.ctx.simulated => Some(wait.unwrap_or(Duration::ZERO)),
            (None, next) => next,
            (Some(wait), None) => Some(wait),
            (Some(wait), Some(next)) => Some(wait.min(next)),
        }
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::Hot(socket) => {
                self.hot.push(socket);
                // What has gathered since the burst began leaves now, or with the tick that others wait for.
                let soon = match self.next_tick {
                    Nanos::NEVER => Nanos(0),
                    _ => self.ctx.clock.now().plus(TICK),
                };
                self.next_tick = self.next_tick.min(soon);
            }
            Command::Patrol(socket) => self.patrol.begin(socket),
            Command::Hurry { socket } => self.patrol.hurry(socket),
            Command::Listen {
                id,
                socket,
                listener,
                endpoint,
            } => self.listen(id, socket, listener, endpoint),
            Command::StopListening { id } => self.stop_listening(id),
            Command::Dial { id, dialing } => self.begin_dialing(id, Dialer::new(dialing)),
            Command::LeavePeer { id, deadline } => self.leave_peer(id, deadline),
            Command::Resolved {
                dialer,
                attempt,
                targets,
            } => self.resolved(dialer, attempt, targets),
            Command::LinkLost { dialer, transient } => self.link_lost(dialer, transient),
            Command::Woken { token } => self.woken(token),
            Command::Verdict { shaking, judgement } => self.judge(shaking, judgement),
            Command::Beat { socket, key, at } => self.begin_beating(socket, key, at),
            Command::Closing { socket, deadline } => self.begin_closing(socket, deadline),
        }
    }

    fn woken(&mut self, token: u64) {
        let id = token & !token::KIND;
        match token & token::KIND {
            token::LISTENER => self.accept(id),
            token::DIALER => self.dialer_ready(id),
            token::SHAKING => self.shake_in_turn(id),
            token::HANDLER => self.hear_handler(),
            _ => {}
        }
    }

    fn fire(&mut self, timer: Timer, now: Nanos) {
        match timer {
            Timer::Accept(id) => self.accept_again(id),
            Timer::Dial { id, attempt } => self.dial_again(id, attempt),
            Timer::ConnectTimeout { id, attempt } => self.connect_timed_out(id, attempt),
            Timer::Shake(id) => self.shake_timer(id, now),
            Timer::Beat { socket, key } => self.beat(socket, key, now),
            Timer::Leave(id) => self.leave_now(id),
            // The round at the end of the turn looks at every closing socket.
            Timer::Close => {}
        }
    }

    // ---- bursts ----

    /// Looks after sockets with pipes in a burst, and takes those without any off the list.
    fn tick(&mut self) {
        let (began, mut links) = (self.ctx.clock.now(), 0_usize);
        let mut sockets = std::mem::take(&mut self.hot);
        // Others have their turn before the rest.
        let rest = sockets.split_off(sockets.len().min(AT_ONCE));
        for socket in sockets {
            if let Some(written) = socket.tick() {
                links = links.saturating_add(written);
                self.hot.push(socket);
            }
        }
        if !rest.is_empty() {
            let served = std::mem::replace(&mut self.hot, rest);
            self.hot.extend(served);
            self.next_tick = self.ctx.clock.now();
            return;
        }
        self.next_tick = if self.hot.is_empty() {
            Nanos::NEVER
        } else {
            // A tick over many links takes long, and those that follow take less of the processor the more they find.
            let now = self.ctx.clock.now();
            let times = if links > MANY { PAUSE } else { 0 };
            let pause = now.since(began).saturating_mul(times);
            now.plus(pause.clamp(TICK, LONGEST_TICK))
        };
    }

    // ---- callers ----

    /// The poller of a socket that the driver watches has found something.
    fn socket_ready(&mut self, id: u64) {
        let Some(socket) = self.ctx.socket(id) else {
            return;
        };
        match socket.found_by_driver() {
            Whose::Driver => {
                if socket.serve() && socket.callers.begin_patrol() {
                    self.patrol.bear(socket);
                }
            }
            Whose::Callers | Whose::Nobodys => {}
            Whose::CallersUnseen => self.patrol.begin(socket),
        }
    }
}
