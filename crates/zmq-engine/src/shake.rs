//! From an open stream to a live link: the driver shakes hands on behalf of the socket.
//!
//! A connection in its handshake is known to the driver only. No pattern, no queue and no mark hears of it before the
//! session says that the peer is ready.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use zmq_transport::{Connection, Source};
use zmtp_wire::{Error as WireError, Event, Misbehaved, Peer, Session};

use crate::clock::Nanos;
use crate::context::{ContextShared, token};
use crate::core::Life;
use crate::driver::{Driver, Timer};
use crate::io::{Channel, Io, Leftover};
use crate::link::Link;
use crate::monitor::{CloseReason, Happening};
use crate::poller::Interest;
use crate::security::HandshakeRole;
use crate::shared::SocketShared;
use crate::terms::Terms;
use crate::turns::Place;
use crate::wakers::driver_waker;

/// How a connection came to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    Accepted,
    Dialed(u64),
}

/// Where a connection came from and whose it will be.
#[derive(Clone)]
pub(crate) struct Whence {
    pub(crate) socket: Arc<SocketShared>,
    pub(crate) origin: Origin,
    pub(crate) endpoint: Arc<str>,
    /// The peer's address, once there is a stream.
    pub(crate) address: String,
}

pub(crate) struct Shaking {
    pub(crate) link: Arc<Link>,
    pub(crate) whence: Whence,
    /// The socket's options when it began.
    pub(crate) terms: Arc<Terms>,
    /// The question about it that the ZAP handler was asked.
    pub(crate) question: Option<u64>,
    role: HandshakeRole,
    interest: Interest,
    /// Has something to do and waits for its turn.
    waits: bool,
    timer_at: Nanos,
}

/// What a step of a handshake led to.
enum Progress {
    Waiting,
    Ready(Peer),
}

impl Driver {
    pub(crate) fn begin_shaking(&mut self, connection: Connection, mut whence: Whence) {
        let framed = matches!(connection, Connection::Framed(_));
        let mut channel = match connection {
            Connection::Bytes(stream) => Channel::Bytes(stream),
            Connection::Framed(stream) => Channel::Framed(stream),
            _ => {
                self.shake_failed(&whence, CloseReason::UnusableTransport);
                return;
            }
        };
        whence.address = channel.peer_address();
        let Some((session, terms)) = self.begin_session(&channel, &whence, framed) else {
            return;
        };
        let id = self.ctx.id();
        let token = token::SHAKING | id;
        let mut interest = Interest::READ;
        match channel.source() {
            Source::Descriptor(fd) => {
                if let Err(error) = self.ctx.poller.add(fd, token, interest) {
                    self.shake_failed(&whence, CloseReason::io(&error));
                    return;
                }
            }
            _ => {
                channel.set_waker(&driver_waker(&self.ctx, token));
                interest = Interest::NONE;
            }
        }
        if whence.origin == Origin::Accepted {
            self.accepted_shaking += 1;
        }
        let shaking = Shaking {
            link: Arc::new(Link::new(Io::new(channel, session))),
            whence,
            role: terms.security.role(),
            terms,
            question: None,
            interest,
            waits: false,
            timer_at: Nanos::NEVER,
        };
        self.shaking.insert(id, Box::new(shaking));
        self.shake_in_turn(id);
    }

    /// A session as the socket's options want it; nothing if the socket has no use for new peers any more.
    fn begin_session(
        &mut self,
        channel: &Channel,
        whence: &Whence,
        framed: bool,
    ) -> Option<(Session, Arc<Terms>)> {
        let descriptor = channel.descriptor();
        let mut core = whence.socket.lock();
        let accepted = whence.origin == Origin::Accepted;
        if core.life == Life::Closed || (core.life == Life::Closing && accepted) {
            return None;
        }
        let what = if accepted {
            Happening::Accepted { descriptor }
        } else {
            Happening::Connected { descriptor }
        };
        core.report(&whence.endpoint, Some(&channel.remote_endpoint()), what);
        let terms = core.terms();
        drop(core);
        // It may be made by code of the application, which may ask the socket something.
        let made = contained(|| {
            let mechanism = terms.security.mechanism(terms.ask);
            mechanism.map_err(|error| CloseReason::io(&error))
        });
        let mechanism = match made {
            Ok(mechanism) => mechanism,
            Err(reason) => {
                self.shake_failed(whence, reason);
                return None;
            }
        };
        let now = self.ctx.clock.now().wire();
        let config = Arc::clone(&terms.session);
        let session = if framed {
            Session::framed(config, mechanism, now)
        } else {
            Session::new(config, mechanism, now)
        };
        Some((session, terms))
    }

    /// Has an accepted connection go on when it is its place's turn, and a dialed one at once: we wanted it.
    pub(crate) fn shake_in_turn(&mut self, id: u64) {
        let Some(shaking) = self.shaking.get_mut(&id) else {
            return;
        };
        if shaking.whence.origin != Origin::Accepted {
            self.shake(id);
        } else if !std::mem::replace(&mut shaking.waits, true) {
            self.turns.push(Place::of(&shaking.whence.address), id);
        } else {
            // It is known, and would be reported until its turn, in the place of others.
            let link = Arc::clone(&shaking.link);
            let io = link.lock();
            shaking.watch(&self.ctx, (id, &io), Interest::NONE);
        }
    }

    /// As many handshakes go on as may before others have their turn.
    pub(crate) fn shake_those_in_turn(&mut self) {
        let mut left = self.ctx.handshakes_at_once.max(1);
        while left > 0
            && let Some(id) = self.turns.pop()
        {
            if let Some(shaking) = self.shaking.get_mut(&id) {
                shaking.waits = false;
                self.shake(id);
                left -= 1;
            }
        }
    }

    /// Reads, answers and writes as far as the stream allows.
    pub(crate) fn shake(&mut self, id: u64) {
        let Some(shaking) = self.shaking.get(&id) else {
            return;
        };
        let link = Arc::clone(&shaking.link);
        let role = shaking.role;
        let mut io = link.lock();
        match contained(|| self.step(id, &mut io)) {
            Ok(Progress::Waiting) => self.keep_shaking(id, &mut io),
            Ok(Progress::Ready(peer)) => self.go_live(id, io, peer),
            Err(reason) => {
                // The session may have a last word. One try, and no more.
                let _ = io.write_handshake();
                let reason = explain(role, &io.session, reason);
                drop(io);
                self.end_shaking(id, reason);
            }
        }
    }

    fn step(&mut self, id: u64, io: &mut Io) -> Result<Progress, CloseReason> {
        let now = self.ctx.clock.now().wire();
        io.write_handshake()?;
        while io.session.has_waiting() {
            let event = io.session.handle_input(now, &mut &[][..])?;
            if let Some(peer) = self.heed(id, io, event)? {
                io.write_handshake()?;
                return Ok(Progress::Ready(peer));
            }
        }
        let mut buffer = self.ctx.pool.read_buffer();
        let result = self.step_with(id, io, &mut buffer, now);
        match result {
            Ok((Progress::Ready(peer), Some((start, end)))) if start < end => {
                io.leftover = Some(Leftover { buffer, start, end });
                io.write_handshake()?;
                Ok(Progress::Ready(peer))
            }
            other => {
                self.ctx.pool.return_read(buffer);
                let (progress, _) = other?;
                io.write_handshake()?;
                Ok(progress)
            }
        }
    }

    /// Gives what the stream holds to the session; with a ready peer, also where in the buffer its traffic begins.
    fn step_with(
        &mut self,
        id: u64,
        io: &mut Io,
        buffer: &mut [u8],
        now: zmtp_wire::Time,
    ) -> Result<(Progress, Option<(usize, usize)>), CloseReason> {
        loop {
            let mut framed = None;
            let end = match &mut io.channel {
                Some(Channel::Bytes(stream)) => stream.try_read(buffer),
                Some(Channel::Framed(stream)) => stream.try_receive().map(|unit| {
                    framed = Some(unit);
                    1
                }),
                None => return Err(CloseReason::ByUs),
            };
            let end = match end {
                Ok(0) => return Err(CloseReason::ByPeer),
                Ok(end) => end,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    return Ok((Progress::Waiting, None));
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    return Err(CloseReason::ByPeer);
                }
                Err(error) => return Err(CloseReason::io(&error)),
            };
            if let Some(unit) = framed {
                let event = io.session.handle_unit(now, &unit)?;
                if let Some(peer) = self.heed(id, io, event)? {
                    return Ok((Progress::Ready(peer), None));
                }
                continue;
            }
            let mut input = buffer.get(..end).unwrap_or_default();
            loop {
                let event = io.session.handle_input(now, &mut input)?;
                let idle = event.is_none();
                if let Some(peer) = self.heed(id, io, event)? {
                    let start = end.saturating_sub(input.len());
                    return Ok((Progress::Ready(peer), Some((start, end))));
                }
                if idle {
                    break;
                }
            }
            io.write_handshake()?;
        }
    }

    /// Answers what the session asks; gives the peer once it is ready.
    pub(crate) fn heed(
        &mut self,
        id: u64,
        io: &mut Io,
        event: Option<Event>,
    ) -> Result<Option<Peer>, CloseReason> {
        match event {
            Some(Event::Ready(peer)) => Ok(Some(peer)),
            Some(Event::Authenticate(credentials)) => {
                let Some(verdict) = self.authenticate(id, credentials)? else {
                    return Ok(None);
                };
                let now = self.ctx.clock.now().wire();
                let event = io.session.handle_verdict(verdict, now)?;
                self.heed(id, io, event)
            }
            _ => Ok(None),
        }
    }

    fn keep_shaking(&mut self, id: u64, io: &mut Io) {
        let Some(shaking) = self.shaking.get_mut(&id) else {
            return;
        };
        // Strangers may keep us waiting: nothing that is empty is kept for them.
        drop(io.session.reclaim_buffer());
        let interest = Interest {
            read: true,
            write: io.stalled,
        };
        shaking.watch(&self.ctx, (id, io), interest);
        if let Some(at) = io.session.poll_timeout() {
            let at = Nanos::from_wire(at);
            if at < shaking.timer_at {
                shaking.timer_at = at;
                self.timers.set(at, Timer::Shake(id));
            }
        }
    }

    pub(crate) fn shake_timer(&mut self, id: u64, now: Nanos) {
        let Some(shaking) = self.shaking.get_mut(&id) else {
            return;
        };
        shaking.timer_at = Nanos::NEVER;
        let link = Arc::clone(&shaking.link);
        let mut io = link.lock();
        match io.session.handle_timeout(now.wire()) {
            Ok(()) => self.keep_shaking(id, &mut io),
            Err(error) => {
                let reason = explain(shaking.role, &io.session, error.into());
                drop(io);
                self.end_shaking(id, reason);
            }
        }
    }

    /// Gives up on a handshake.
    pub(crate) fn end_shaking(&mut self, id: u64, reason: CloseReason) {
        let Some(shaking) = self.take_shaking(id) else {
            return;
        };
        let mut io = shaking.link.lock();
        let channel = io.channel.take();
        if let Some(Source::Descriptor(fd)) = channel.as_ref().map(Channel::source) {
            self.ctx.poller.remove(fd);
        }
        drop(channel);
        drop(io);
        self.shake_failed(&shaking.whence, reason);
    }

    pub(crate) fn take_shaking(&mut self, id: u64) -> Option<Shaking> {
        let shaking = *self.shaking.remove(&id)?;
        if shaking.timer_at != Nanos::NEVER {
            self.timer_left();
        }
        if let (Some(question), Some(asking)) = (shaking.question, &mut self.asking) {
            asking.forget(question);
        }
        if shaking.whence.origin == Origin::Accepted {
            self.accepted_shaking = self.accepted_shaking.saturating_sub(1);
        }
        Some(shaking)
    }

    pub(crate) fn shake_failed(&mut self, whence: &Whence, reason: CloseReason) {
        let transient = reason.is_transient();
        let address = Some(whence.address.as_str()).filter(|address| !address.is_empty());
        let mut core = whence.socket.lock();
        core.counters.handshakes_failed = core.counters.handshakes_failed.saturating_add(1);
        let stop = core.options.reconnect.stop_when_handshake_failed;
        core.note_failure(&whence.endpoint, &reason);
        core.report(
            &whence.endpoint,
            address,
            Happening::Closed {
                reason,
                was_ready: false,
                descriptor: None,
            },
        );
        drop(core);
        whence.socket.wake();
        if let Origin::Dialed(dialer) = whence.origin {
            self.dial_failed(dialer, transient && !stop);
        }
    }
}

impl Shaking {
    fn watch(&mut self, ctx: &ContextShared, (id, io): (u64, &Io), interest: Interest) {
        if let Some(channel) = &io.channel
            && let Source::Descriptor(fd) = channel.source()
            && interest != self.interest
        {
            // The descriptor is watched, so the system has no reason to refuse.
            let _ = ctx.poller.modify(fd, token::SHAKING | id, interest);
            self.interest = interest;
        }
    }
}

/// Calls what may be code of the application, a mechanism: when it panics over what a peer has said, that connection ends and no other.
pub(crate) fn contained<T>(
    work: impl FnOnce() -> Result<T, CloseReason>,
) -> Result<T, CloseReason> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
        let error = io::Error::other("the mechanism panicked");
        Err(CloseReason::io(&error))
    })
}

/// Finds the words for an end that says little by itself: papers on security have peers leave without a reason.
fn explain(role: HandshakeRole, session: &Session, reason: CloseReason) -> CloseReason {
    let commands = session.handshake_commands();
    match (&reason, role) {
        // It could not know our key for certain before its HELLO was opened.
        (
            CloseReason::Protocol(WireError::Misbehaved(Misbehaved::Cryptographic)),
            HandshakeRole::CurveServer,
        ) if commands <= 1 => CloseReason::OtherServerKey,
        (_, HandshakeRole::Null | HandshakeRole::Other) => reason,
        // A client says HELLO first, to whomever.
        (
            CloseReason::Protocol(WireError::Misbehaved(Misbehaved::UnexpectedCommand)),
            HandshakeRole::PlainClient | HandshakeRole::CurveClient,
        ) if commands <= 1 => CloseReason::SameSide(role),
        (CloseReason::Protocol(WireError::HandshakeTimeout), _) if session.version().is_some() => {
            CloseReason::Stalled { role, commands }
        }
        (CloseReason::ByPeer, _)
        | (
            CloseReason::Io {
                kind: io::ErrorKind::ConnectionReset,
                ..
            },
            _,
        ) if session.version().is_some() => CloseReason::LeftHandshake {
            role,
            answered: commands > 0,
        },
        _ => reason,
    }
}
