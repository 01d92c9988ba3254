//! The untyped socket: every verb, for every type, refused where the pattern says so.

use std::os::fd::BorrowedFd;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use zmq_patterns::Pattern;
use zmtp_wire::{Frame, Message, SocketType};

use crate::clock::Nanos;
use crate::closing::CloseReport;
use crate::context::{Command, Context, token};
use crate::core::{Core, Life};
use crate::counters::Loss;
use crate::effects::Effects;
use crate::error::{OpenError, OptionError, SendError, SendFailure};
use crate::options::{SocketOption, SocketOptions};
use crate::poller::{Interest, wait_readable};
use crate::round;
use crate::shared::SocketShared;
use crate::waiting::Sleep;

/// A socket of any type. Every method takes `&self` and may be called from any thread.
///
/// Dropping it is like [`begin_close`](Socket::begin_close) with its linger option: it never blocks.
#[derive(Debug)]
pub struct Socket {
    pub(crate) shared: Arc<SocketShared>,
}

/// What a socket can do now without waiting.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Events {
    /// A message may be there to receive.
    pub readable: bool,
    /// A message would be accepted.
    pub writable: bool,
}

/// So often one call makes room, fetches or reads before it says that there is nothing: whoever sends only what nobody gets does
/// not keep it for ever. It ends with the fetching or the reading, which wakes those who wait, so that they look at what is left.
pub(crate) const ROUNDS: usize = 16;

impl Socket {
    /// Opens a socket.
    ///
    /// # Errors
    /// [`OpenError`]: the context was shut down or is full, an option does not fit the type, or the system gives no descriptor.
    pub fn open(
        context: &Context,
        socket_type: SocketType,
        options: SocketOptions,
    ) -> Result<Socket, OpenError> {
        let ctx = context.shared();
        if ctx.terminated.load(Ordering::SeqCst) || ctx.is_foreign_process() {
            return Err(OpenError::Terminated);
        }
        let mut pattern = Pattern::new(socket_type, ctx.random.next());
        for option in &options.pattern {
            pattern
                .set(option.clone())
                .map_err(|_| OpenError::Option(OptionError::NotForType(socket_type)))?;
        }
        check_routing_id(&options.routing_id).map_err(OpenError::Option)?;
        let id = ctx.id();
        let core = Core::new(socket_type, pattern, options, ctx.clock.clone());
        let shared = SocketShared::open(ctx, id, core).map_err(OpenError::Io)?;
        let mut sockets = ctx.sockets.lock().unwrap_or_else(PoisonError::into_inner);
        if sockets.len() >= ctx.max_sockets {
            return Err(OpenError::TooManySockets {
                limit: ctx.max_sockets,
            });
        }
        ctx.poller
            .add_poller(&shared.poller, token::SOCKET | id, Interest::NONE)
            .map_err(OpenError::Io)?;
        sockets.insert(id, Arc::downgrade(&shared));
        drop(sockets);
        shared.watch();
        if ctx.terminated.load(Ordering::SeqCst) {
            shared.lock().life = Life::Terminated;
        }
        Ok(Socket { shared })
    }

    /// The type it was opened as.
    #[must_use]
    pub fn socket_type(&self) -> SocketType {
        self.shared.socket_type
    }

    // ---- sending ----

    /// Sends without waiting.
    ///
    /// # Errors
    /// [`SendError`] gives the message back; [`SendError::is_would_block`] tells whether it may be accepted later.
    #[inline]
    pub fn try_send(&self, mut message: Message) -> Result<(), SendError> {
        self.try_send_from(&mut message)
            .map_err(|reason| SendError { message, reason })
    }

    /// As [`try_send`](Self::try_send), taking the message from where it stands, as [`send_from`](Self::send_from) does.
    ///
    /// # Errors
    /// [`SendFailure`].
    #[inline]
    pub fn try_send_from(&self, message: &mut Message) -> Result<(), SendFailure> {
        if self.offer_ready(message) {
            return Ok(());
        }
        self.try_offer(message)
    }

    #[inline(never)]
    fn try_offer(&self, message: &mut Message) -> Result<(), SendFailure> {
        match self.offer(message) {
            Err(SendFailure::WouldBlock) => {}
            done => return done,
        }
        self.shared.flush();
        if self.shared.turn() {
            self.offer(message)
        } else {
            Err(SendFailure::WouldBlock)
        }
    }

    /// Sends, waiting up to `timeout` for room (`None` waits for ever). Blocks the thread.
    ///
    /// # Errors
    /// [`SendError`] gives the message back.
    #[inline]
    pub fn send(&self, mut message: Message, timeout: Option<Duration>) -> Result<(), SendError> {
        self.send_from(&mut message, timeout)
            .map_err(|reason| SendError { message, reason })
    }

    /// As [`send`](Self::send), taking the message from where it stands. What is left there is of no meaning. One that is not accepted stays.
    ///
    /// # Errors
    /// [`SendFailure`].
    #[inline]
    pub fn send_from(
        &self,
        message: &mut Message,
        timeout: Option<Duration>,
    ) -> Result<(), SendFailure> {
        if self.offer_ready(message) {
            return Ok(());
        }
        self.offer_or_wait(message, timeout)
    }

    #[inline(never)]
    fn offer_or_wait(
        &self,
        message: &mut Message,
        timeout: Option<Duration>,
    ) -> Result<(), SendFailure> {
        match self.offer(message) {
            Err(SendFailure::WouldBlock) => self.wait_and_offer(|| self.offer(message), timeout),
            done => done,
        }
    }

    /// Waits for room until `offer` finds some.
    #[cold]
    pub(crate) fn wait_and_offer(
        &self,
        mut offer: impl FnMut() -> Result<(), SendFailure>,
        timeout: Option<Duration>,
    ) -> Result<(), SendFailure> {
        let deadline = self.deadline(timeout);
        self.shared.flush();
        if self.shared.glance_for_room() {
            match offer() {
                Err(SendFailure::WouldBlock) => {}
                done => return done,
            }
        }
        let mut waiter = self.waiter();
        loop {
            match offer() {
                Err(SendFailure::WouldBlock) => {}
                done => return done,
            }
            match waiter.sleep(deadline) {
                Ok(()) => {}
                Err(Sleep::TimedOut) => return Err(SendFailure::TimedOut),
                Err(Sleep::Interrupted) => return Err(SendFailure::Interrupted),
            }
        }
    }

    /// Sends the message in `slot` if that is all there is to do: a burst of messages to one peer goes on. What is left in `slot` then is of
    /// no meaning. `false` says nothing, and the message is where it was: ask [`try_send`](Socket::try_send). Never waits. See
    /// [`take_ready`](Socket::take_ready).
    #[inline]
    pub fn offer_ready(&self, slot: &mut Message) -> bool {
        // Metadata tells where a message came from, which is not the receiver's business.
        slot.properties().is_none()
            && !self.shared.has_notices()
            && self.shared.lock_amid().send_plain(slot)
    }

    /// As [`offer_ready`](Socket::offer_ready), for a frame that is a whole message.
    #[inline]
    pub fn offer_frame_ready(&self, slot: &mut Frame) -> bool {
        !self.shared.has_notices() && self.shared.lock_amid().send_plain(slot)
    }

    /// As [`offer_ready`](Socket::offer_ready), for the body of a message of one frame, which is copied to where a burst gathers. Where that is not
    /// all there is to do, a frame of it may be left in `slot`.
    #[inline]
    pub fn offer_body_ready(&self, body: &[u8], slot: &mut Frame) -> bool {
        !self.shared.has_notices() && self.shared.lock_amid().send_body(body, slot)
    }

    /// Offers a message to the pattern, which takes it from where it stands or leaves it there.
    fn offer(&self, message: &mut Message) -> Result<(), SendFailure> {
        let mut effects = Effects::default();
        let mut core = self.shared.enter_to_send(&mut effects);
        let result = core.send(message, &mut effects);
        drop(core);
        self.shared.run(effects);
        result
    }

    // ---- waiting ----

    /// Does the I/O that is due and tells what the socket can do now. A socket that was closed or whose context was shut down can
    /// do both: the verbs fail at once.
    #[must_use]
    pub fn events(&self) -> Events {
        self.shared.flush();
        round::end();
        self.shared.turn();
        let mut rounds = 0;
        loop {
            let mut effects = Effects::default();
            let mut core = self.shared.enter(&mut effects);
            let passed_over = core.pass_over(&mut effects);
            // A verb of a socket that has ended does not wait: it fails at once.
            let ended = core.life != Life::Open;
            let events = Events {
                readable: ended || core.pattern.can_receive(),
                writable: ended || core.pattern.can_send(),
            };
            drop(core);
            self.shared.run(effects);
            rounds += 1;
            // Room for others behind what nobody gets: they may be here now.
            let again = self.shared.fetch() || passed_over;
            if events.readable || !again || rounds == ROUNDS {
                return events;
            }
        }
    }

    pub(crate) fn deadline(&self, timeout: Option<Duration>) -> Option<Nanos> {
        timeout.map(|timeout| self.shared.ctx.clock.now().plus(timeout))
    }

    // ---- changing ----

    /// Subscribes to every message whose first frame begins with `topic` (SUB, XSUB; on a manual XPUB it grants the subscription
    /// last received). Subscribing twice needs unsubscribing twice (RFC 29).
    ///
    /// # Errors
    /// [`OptionError`] if the type does not subscribe.
    pub fn subscribe(&self, topic: &[u8]) -> Result<(), OptionError> {
        self.change(|pattern| pattern.subscribe(topic))
    }

    /// Takes one subscription back.
    ///
    /// # Errors
    /// [`OptionError`] if the type does not subscribe.
    pub fn unsubscribe(&self, topic: &[u8]) -> Result<(), OptionError> {
        self.change(|pattern| pattern.unsubscribe(topic))
    }

    fn change<E>(
        &self,
        change: impl FnOnce(&mut Pattern) -> Result<(), E>,
    ) -> Result<(), OptionError> {
        let mut effects = Effects::default();
        let mut core = self.shared.enter(&mut effects);
        let result = match core.life {
            Life::Open => change(&mut core.pattern)
                .map_err(|_| OptionError::NotForType(self.shared.socket_type)),
            _ => Err(OptionError::Closed),
        };
        core.settle(&mut effects);
        drop(core);
        self.shared.run(effects);
        result
    }

    /// Gives up the reply that a REP socket owes, so that it can receive the next request; the peer that asked gets none. Says
    /// whether a reply was owed.
    pub fn abandon_reply(&self) -> bool {
        let mut effects = Effects::default();
        let mut core = self.shared.enter(&mut effects);
        let owed = core.pattern.abandon_reply();
        if owed {
            core.counters.lose(Loss::Abandoned, 1);
            effects.wake = true;
        }
        drop(core);
        self.shared.run(effects);
        owed
    }

    /// Changes an option. Marks act on every peer at once, most others on the connections made afterwards.
    ///
    /// # Errors
    /// [`OptionError`] if the type does not have it or the value is out of range.
    pub fn set(&self, option: SocketOption) -> Result<(), OptionError> {
        if let SocketOption::RoutingId(id) | SocketOption::ConnectRoutingId(id) = &option {
            check_routing_id(id)?;
        }
        if let SocketOption::Pattern(option) = option {
            let told = option.clone();
            self.change(|pattern| pattern.set(option))?;
            // Sessions are handed some of these too.
            let former = self.shared.lock().keep_for_sessions(told);
            drop(former);
            return Ok(());
        }
        let mut effects = Effects::default();
        let mut core = self.shared.enter(&mut effects);
        if core.life != Life::Open {
            drop(core);
            self.shared.run(effects);
            return Err(OptionError::Closed);
        }
        let _former = core.apply(option, &mut effects);
        drop(core);
        effects.wake = true;
        self.shared.run(effects);
        Ok(())
    }

    // ---- ending ----

    /// Closes the socket without waiting: endpoints at once, accepted messages may still leave for `linger` (`None` for ever).
    pub fn begin_close(&self, linger: Option<Duration>) {
        self.shared.begin_close(linger);
    }

    /// What became of the accepted messages, once the closing that [`begin_close`](Socket::begin_close) began is over.
    #[must_use]
    pub fn poll_closed(&self) -> Option<CloseReport> {
        self.shared.close_state.report()
    }

    /// Readable once [`poll_closed`](Socket::poll_closed) has its report.
    #[must_use]
    pub fn closed_descriptor(&self) -> BorrowedFd<'_> {
        self.shared.close_state.descriptor()
    }

    /// Closes the socket and waits until its output has left or `linger` has passed. Blocks the thread.
    pub fn close(&self, linger: Option<Duration>) -> CloseReport {
        if self.shared.ctx.is_foreign_process() {
            // The driver that could close it lives in the parent, and so do its messages.
            self.shared.forsake();
            return CloseReport::default();
        }
        self.begin_close(linger);
        loop {
            if let Some(report) = self.poll_closed() {
                return report;
            }
            // An interrupted wait simply looks again.
            let _ = wait_readable(self.closed_descriptor(), None);
        }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if self.shared.ctx.is_foreign_process() {
            self.shared.forsake();
            return;
        }
        let linger = self.shared.lock().options.linger;
        self.shared.begin_close(linger);
    }
}

impl SocketShared {
    /// In a forked child: closes the descriptors of links and listeners and nothing else. The pollers are shared with the parent, and a lock
    /// that was held at the fork is held for ever.
    fn forsake(&self) {
        self.ctx.forsake(Some(self.id));
        let Some(mut core) = self.try_lock() else {
            return;
        };
        for key in core.keys() {
            if let Some(link) = core.link(key) {
                link.forsake();
            }
        }
        core.life = Life::Closed;
    }

    pub(crate) fn begin_close(self: &Arc<Self>, linger: Option<Duration>) {
        if self.ctx.is_foreign_process() {
            return;
        }
        let mut effects = Effects::default();
        let mut core = self.enter(&mut effects);
        if matches!(core.life, Life::Closing | Life::Closed) {
            drop(core);
            self.run(effects);
            return;
        }
        core.life = Life::Closing;
        core.hand_over_all(&mut effects);
        core.drive_broken(&mut effects);
        let endpoints = std::mem::take(&mut core.endpoints);
        drop(core);
        self.run(effects);
        self.ctx.closing_began();
        self.stop_listening(&endpoints);
        let deadline = match linger {
            None => Nanos::NEVER,
            Some(linger) => self.ctx.clock.now().plus(linger),
        };
        self.wake();
        let told = self.ctx.command(Command::Closing {
            socket: Arc::clone(self),
            deadline,
        });
        if !told {
            // The driver has ended meanwhile, and nobody else would fill in the report.
            let unsent = self.lock().lose_all_unsent();
            self.close_state.finish(CloseReport { unsent });
            self.ctx.closing_ended();
        }
    }
}

fn check_routing_id(id: &[u8]) -> Result<(), OptionError> {
    if id.len() > 255 {
        return Err(OptionError::OutOfRange(
            "a routing id of at most 255 octets",
        ));
    }
    if id.first() == Some(&0) {
        return Err(OptionError::OutOfRange(
            "a routing id that does not begin with a zero octet",
        ));
    }
    Ok(())
}
