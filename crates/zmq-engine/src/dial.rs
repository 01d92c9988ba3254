//! Dialing: look up, connect, shake hands, and again after a wait when it fails or is lost.
//!
//! ```text
//! resolving -> connecting -> shaking -> linked
//!     ^            |            |         |
//!     |            v            v         v
//!     +------------- waiting (back-off) <-+        gave up: gone
//! ```

use std::collections::VecDeque;
use std::io;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use zmq_patterns::PeerKey;
use zmq_transport::{Connection, Source, Transport};

use crate::clock::Nanos;
use crate::context::{Command, ContextShared, token};
use crate::core::Life;
use crate::counters::Loss;
use crate::driver::{Driver, Timer};
use crate::effects::Effects;
use crate::monitor::{CloseReason, Happening};
use crate::poller::Interest;
use crate::shake::{Origin, Whence};
use crate::shared::SocketShared;
use crate::wakers::driver_waker;

enum State {
    Resolving,
    Connecting(Connection),
    /// Shaking hands, or linked: the link lives elsewhere.
    Linked,
    Waiting,
}

pub(crate) struct Dialer {
    pub(crate) socket: Arc<SocketShared>,
    pub(crate) key: PeerKey,
    transport: Arc<dyn Transport>,
    endpoint: Arc<str>,
    address: String,
    state: State,
    targets: VecDeque<String>,
    /// Counts attempts, so that the timers and answers of an earlier one are known as such.
    attempt: u64,
    failures: u32,
    /// The endpoint was disconnected: no more attempts once the queue is empty.
    leaving: bool,
}

/// What a dialer is for.
pub(crate) struct Dialing {
    pub(crate) socket: Arc<SocketShared>,
    pub(crate) key: PeerKey,
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) endpoint: String,
    pub(crate) address: String,
}

impl Dialer {
    pub(crate) fn new(dialing: Dialing) -> Dialer {
        Dialer {
            socket: dialing.socket,
            key: dialing.key,
            transport: dialing.transport,
            endpoint: dialing.endpoint.into(),
            address: dialing.address,
            state: State::Waiting,
            targets: VecDeque::new(),
            attempt: 0,
            failures: 0,
            leaving: false,
        }
    }
}

/// Takes a stream from a connection that may not be open yet.
fn try_connected(connection: &mut Connection) -> io::Result<bool> {
    match connection {
        Connection::Bytes(stream) | Connection::Raw(stream) => stream.try_connected(),
        Connection::Framed(stream) => stream.try_connected(),
        _ => Ok(true),
    }
}

/// Has the driver woken when a connection without a descriptor may be open.
fn set_waker(connection: &mut Connection, ctx: &Arc<ContextShared>, id: u64) {
    if matches!(connection.source(), Source::Descriptor(_)) {
        return;
    }
    let waker = driver_waker(ctx, token::DIALER | id);
    match connection {
        Connection::Bytes(stream) | Connection::Raw(stream) => stream.set_waker(&waker),
        Connection::Framed(stream) => stream.set_waker(&waker),
        _ => {}
    }
}

impl Driver {
    pub(crate) fn begin_dialing(&mut self, id: u64, dialer: Dialer) {
        if dialer.socket.lock().life == Life::Closed {
            return;
        }
        self.dialers.insert(id, dialer);
        self.resolve(id);
    }

    /// Asks where the endpoint is. Names may have moved since the last attempt.
    fn resolve(&mut self, id: u64) {
        let Some(dialer) = self.dialers.get_mut(&id) else {
            return;
        };
        dialer.attempt += 1;
        dialer.state = State::Resolving;
        let attempt = dialer.attempt;
        let core = dialer.socket.lock();
        let stream = core.options.stream.clone();
        drop(core);
        let transport = Arc::clone(&dialer.transport);
        let address = dialer.address.clone();
        if self.ctx.simulated || !transport.resolve_blocks(&address) {
            let targets = transport.resolve(&address, &stream);
            self.resolved(id, attempt, targets);
            return;
        }
        let ctx = Arc::downgrade(&self.ctx);
        let asked = self.ctx.resolver.ask(move || {
            // A transport of the application's that panics has not found anything.
            let resolve = AssertUnwindSafe(|| transport.resolve(&address, &stream));
            let targets = std::panic::catch_unwind(resolve)
                .unwrap_or_else(|_| Err(io::Error::other("the transport panicked")));
            if let Some(ctx) = ctx.upgrade() {
                ctx.command(Command::Resolved {
                    dialer: id,
                    attempt,
                    targets,
                });
            }
        });
        if let Err(error) = asked {
            self.attempt_failed(id, CloseReason::io(&error));
        }
    }

    pub(crate) fn resolved(&mut self, id: u64, attempt: u64, targets: io::Result<Vec<String>>) {
        let Some(dialer) = self.dialers.get_mut(&id) else {
            return;
        };
        if dialer.attempt != attempt {
            return;
        }
        match targets {
            Ok(targets) => {
                dialer.targets = targets.into();
                self.try_next(id, None);
            }
            Err(error) => self.attempt_failed(id, CloseReason::io(&error)),
        }
    }

    /// Connects to the next address of the endpoint; after the last one, the attempt has failed.
    fn try_next(&mut self, id: u64, mut last: Option<CloseReason>) {
        loop {
            let Some(dialer) = self.dialers.get_mut(&id) else {
                return;
            };
            // Each address is an attempt of its own to the timers.
            dialer.attempt += 1;
            let Some(target) = dialer.targets.pop_front() else {
                let reason = last.unwrap_or(CloseReason::Io {
                    errno: None,
                    kind: io::ErrorKind::NotFound,
                    error: "the endpoint has no address".to_owned(),
                });
                self.attempt_failed(id, reason);
                return;
            };
            let mut core = dialer.socket.lock();
            let stream = core.options.stream.clone();
            let timeout = core.options.connect_timeout;
            core.report(&dialer.endpoint, Some(&target), Happening::Connecting);
            drop(core);
            let connected =
                dialer
                    .transport
                    .connect(&target, &stream)
                    .and_then(|mut connection| {
                        // A waker tells of changes only, so it is set before the look.
                        set_waker(&mut connection, &self.ctx, id);
                        let open = try_connected(&mut connection)?;
                        Ok((connection, open))
                    });
            match connected {
                Ok((connection, true)) => {
                    self.open(id, connection);
                    return;
                }
                Ok((connection, false)) => match self.await_open(id, connection, timeout) {
                    Ok(()) => return,
                    Err(error) => last = Some(CloseReason::io(&error)),
                },
                Err(error) => last = Some(CloseReason::io(&error)),
            }
        }
    }

    fn await_open(
        &mut self,
        id: u64,
        connection: Connection,
        timeout: Option<Duration>,
    ) -> io::Result<()> {
        let token = token::DIALER | id;
        if let Source::Descriptor(fd) = connection.source() {
            self.ctx.poller.add(fd, token, Interest::WRITE)?;
        }
        let Some(dialer) = self.dialers.get_mut(&id) else {
            return Ok(());
        };
        dialer.state = State::Connecting(connection);
        if let Some(timeout) = timeout {
            let attempt = dialer.attempt;
            let at = self.ctx.clock.now().plus(timeout);
            self.timers.set(at, Timer::ConnectTimeout { id, attempt });
        }
        Ok(())
    }

    pub(crate) fn dialer_ready(&mut self, id: u64) {
        let Some(dialer) = self.dialers.get_mut(&id) else {
            return;
        };
        let State::Connecting(connection) = &mut dialer.state else {
            return;
        };
        match try_connected(connection) {
            Ok(false) => {
                if let Connection::Bytes(stream) = connection
                    && let Source::Descriptor(fd) = stream.source()
                {
                    let interest = Interest {
                        read: stream.connects_by_reading(),
                        write: !stream.connects_by_reading(),
                    };
                    // It is watched since the attempt began.
                    let _ = self.ctx.poller.modify(fd, token::DIALER | id, interest);
                }
            }
            Ok(true) => {
                if let Some(connection) = self.take_connecting(id) {
                    self.open(id, connection);
                }
            }
            Err(error) => {
                drop(self.take_connecting(id));
                self.try_next(id, Some(CloseReason::io(&error)));
            }
        }
    }

    pub(crate) fn connect_timed_out(&mut self, id: u64, attempt: u64) {
        if self
            .dialers
            .get(&id)
            .is_some_and(|dialer| dialer.attempt == attempt)
            && let Some(connection) = self.take_connecting(id)
        {
            drop(connection);
            self.try_next(id, Some(CloseReason::ConnectTimeout));
        }
    }

    fn take_connecting(&mut self, id: u64) -> Option<Connection> {
        let dialer = self.dialers.get_mut(&id)?;
        match std::mem::replace(&mut dialer.state, State::Linked) {
            State::Connecting(connection) => {
                if let Source::Descriptor(fd) = connection.source() {
                    self.ctx.poller.remove(fd);
                }
                Some(connection)
            }
            other => {
                dialer.state = other;
                None
            }
        }
    }

    fn open(&mut self, id: u64, connection: Connection) {
        let Some(dialer) = self.dialers.get_mut(&id) else {
            return;
        };
        dialer.state = State::Linked;
        let whence = Whence {
            socket: Arc::clone(&dialer.socket),
            origin: Origin::Dialed(id),
            endpoint: Arc::clone(&dialer.endpoint),
            address: String::new(),
        };
        self.begin_shaking(connection, whence);
    }

    /// No address of the endpoint could be reached.
    fn attempt_failed(&mut self, id: u64, reason: CloseReason) {
        let Some(dialer) = self.dialers.get(&id) else {
            return;
        };
        let refused = matches!(
            reason,
            CloseReason::Io {
                kind: io::ErrorKind::ConnectionRefused,
                ..
            }
        );
        let mut core = dialer.socket.lock();
        let stop = refused && core.options.reconnect.stop_when_refused;
        core.note_failure(&dialer.endpoint, &reason);
        core.report(
            &dialer.endpoint,
            None,
            Happening::Closed {
                reason,
                was_ready: false,
                descriptor: None,
            },
        );
        drop(core);
        dialer.socket.wake();
        self.dial_failed(id, !stop);
    }

    pub(crate) fn dial_succeeded(&mut self, id: u64) {
        if let Some(dialer) = self.dialers.get_mut(&id) {
            dialer.failures = 0;
            dialer.state = State::Linked;
        }
    }

    /// The link of a dialer has ended.
    pub(crate) fn link_lost(&mut self, id: u64, transient: bool) {
        self.dial_failed(id, transient);
    }

    /// An attempt failed or a link was lost: wait and dial again, or give up.
    pub(crate) fn dial_failed(&mut self, id: u64, retry: bool) {
        let Some(dialer) = self.dialers.get_mut(&id) else {
            return;
        };
        let mut core = dialer.socket.lock();
        let wait = core.options.reconnect;
        let over =
            matches!(core.life, Life::Closed) || (dialer.leaving && core.is_empty(dialer.key));
        let initial = match wait.initial {
            Some(initial) if retry && !over && !initial.is_zero() => initial,
            _ => {
                if !over {
                    // Known before it is told.
                    core.gave_up = true;
                    core.forget_dialer(Some(id));
                    core.report(&dialer.endpoint, None, Happening::GaveUp);
                }
                drop(core);
                self.give_up(id);
                return;
            }
        };
        let mut delay = initial;
        if let Some(max) = wait.max {
            let doubled = initial.saturating_mul(1_u32 << dialer.failures.min(20));
            delay = doubled.min(max.max(initial));
        }
        if wait.jitter {
            let nanos = u64::try_from(delay.as_nanos()).unwrap_or(u64::MAX);
            delay = delay.saturating_add(Duration::from_nanos(self.ctx.random.below(nanos)));
        }
        core.report(&dialer.endpoint, None, Happening::Retrying { after: delay });
        drop(core);
        dialer.failures = dialer.failures.saturating_add(1);
        dialer.state = State::Waiting;
        let attempt = dialer.attempt;
        let at = self.ctx.clock.now().plus(delay);
        self.timers.set(at, Timer::Dial { id, attempt });
    }

    pub(crate) fn dial_again(&mut self, id: u64, attempt: u64) {
        let due = self.dialers.get(&id).is_some_and(|dialer| {
            dialer.attempt == attempt && matches!(dialer.state, State::Waiting)
        });
        if due {
            self.resolve(id);
        }
    }

    /// Forgets a dialer and its peer.
    pub(crate) fn give_up(&mut self, id: u64) {
        drop(self.take_connecting(id));
        let Some(dialer) = self.dialers.remove(&id) else {
            return;
        };
        let shaking = self
            .shaking
            .iter()
            .find(|(_, shaking)| shaking.whence.origin == Origin::Dialed(id))
            .map(|(shaking, _)| *shaking);
        if let Some(shaking) = shaking {
            self.end_shaking(shaking, CloseReason::ByUs);
        }
        let mut core = dialer.socket.lock();
        core.forget_dialer(Some(id));
        let ours = core
            .pipe(dialer.key)
            .is_some_and(|pipe| pipe.dialer == Some(id));
        let link = core.link(dialer.key).filter(|_| ours);
        let mut effects = Effects::default();
        match core.pipe(dialer.key) {
            // The link's end will find that nobody dials for it any more.
            Some(pipe) if link.is_some() => pipe.dialer = None,
            Some(_) if ours => core.retire(dialer.key, Loss::PeerLeft),
            _ => {}
        }
        core.settle(&mut effects);
        core.note_subscribers(&mut effects);
        drop(core);
        dialer.socket.run(effects);
        if let Some(link) = link {
            link.close(&dialer.socket, CloseReason::ByUs);
        }
        dialer.socket.wake();
    }

    /// The endpoint was disconnected: the peer goes when its queue is empty, or at `deadline`.
    pub(crate) fn leave_peer(&mut self, id: u64, deadline: Nanos) {
        let Some(dialer) = self.dialers.get_mut(&id) else {
            return;
        };
        dialer.leaving = true;
        let empty = dialer.socket.lock().is_empty(dialer.key);
        if empty || deadline <= self.ctx.clock.now() {
            self.give_up(id);
        } else {
            self.timers.set(deadline, Timer::Leave(id));
            // Whoever empties the queue does not tell; the driver looks now and then.
            self.leaving = true;
        }
    }

    pub(crate) fn leave_now(&mut self, id: u64) {
        self.give_up(id);
    }

    /// Lets go of disconnected peers whose queue is empty.
    pub(crate) fn leave_finished(&mut self) {
        let done: Vec<u64> = self
            .dialers
            .iter()
            .filter(|(_, dialer)| dialer.leaving && dialer.socket.lock().is_empty(dialer.key))
            .map(|(id, _)| *id)
            .collect();
        for id in done {
            self.give_up(id);
        }
        self.leaving = self.dialers.values().any(|dialer| dialer.leaving);
    }
}

impl Driver {
    /// Drops the dialers of a socket that ends; its pipes are counted by whoever ends it.
    pub(crate) fn drop_dialers(&mut self, socket: &Arc<SocketShared>) {
        let ids: Vec<u64> = self
            .dialers
            .iter()
            .filter(|(_, dialer)| Arc::ptr_eq(&dialer.socket, socket))
            .map(|(id, _)| *id)
            .collect();
        for id in ids {
            drop(self.take_connecting(id));
            self.dialers.remove(&id);
        }
    }
}
