//! From an open stream to a live link: the driver shakes hands on behalf of the socket.
//!
//! A connection in its handshake is known to the driver only. No pattern, no queue and no mark hears of it before the
//! session says that the peer is ready.

use std::io;
use std::sync::{Arc, MutexGuard};

use zmq_patterns::{Attach, PeerInfo, PeerRefused};
use zmq_transport::{Connection, Source};
use zmtp_wire::{Credentials, Event, Heartbeat, Peer, Session, SessionConfig, Verdict};

use crate::clock::Nanos;
use crate::context::{Command, token};
use crate::core::{Core, Effects, Life};
use crate::counters::Loss;
use crate::driver::{Driver, Timer};
use crate::link::{Channel, Io, Leftover, Link, Want};
use crate::monitor::{CloseReason, Happening};
use crate::pipe::{Carrier, PeerFacts};
use crate::poller::Interest;
use crate::security::{Answer, Question};
use crate::shared::SocketShared;
use crate::wakers::{driver_waker, link_waker};

/// How a connection came to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    Accepted,
    Dialed(u64),
}

pub(crate) struct Shaking {
    link: Arc<Link>,
    pub(crate) socket: Arc<SocketShared>,
    pub(crate) origin: Origin,
    endpoint: String,
    address: String,
    interest: Interest,
    timer_at: Nanos,
}

/// What a step of a handshake led to.
enum Progress {
    Waiting,
    Ready(Peer),
}

impl Driver {
    pub(crate) fn begin_shaking(
        &mut self,
        connection: Connection,
        socket: Arc<SocketShared>,
        endpoint: String,
        origin: Origin,
    ) {
        let framed = matches!(connection, Connection::Framed(_));
        let mut channel = match connection {
            Connection::Bytes(stream) => Channel::Bytes(stream),
            Connection::Framed(stream) => Channel::Framed(stream),
            _ => {
                self.shake_failed(
                    &socket,
                    origin,
                    &endpoint,
                    None,
                    CloseReason::UnusableTransport,
                );
                return;
            }
        };
        let id = self.ctx.id();
        let address = channel.peer_address();
        let descriptor = channel.descriptor();
        let mut core = socket.lock();
        if core.life == Life::Closed || (core.life == Life::Closing && origin == Origin::Accepted) {
            return;
        }
        let what = match origin {
            Origin::Accepted => Happening::Accepted { descriptor },
            Origin::Dialed(_) => Happening::Connected { descriptor },
        };
        core.report(&endpoint, Some(&channel.remote_endpoint()), what);
        let config = session_config(&core);
        let mechanism = core.options.security.mechanism();
        drop(core);
        let now = self.ctx.clock.now().wire();
        let session = if framed {
            Session::framed(config, mechanism, now)
        } else {
            Session::new(config, mechanism, now)
        };
        let token = token::SHAKING | id;
        let mut interest = Interest::READ;
        match channel.source() {
            Source::Descriptor(fd) => {
                if let Err(error) = self.ctx.poller.add(fd, token, interest) {
                    let reason = CloseReason::io(&error);
                    self.shake_failed(&socket, origin, &endpoint, Some(&address), reason);
                    return;
                }
            }
            _ => {
                channel.set_waker(&driver_waker(&self.ctx, token));
                interest = Interest::NONE;
            }
        }
        let shaking = Shaking {
            link: Arc::new(Link::new(Io::new(channel, session))),
            socket,
            origin,
            endpoint,
            address,
            interest,
            timer_at: Nanos::NEVER,
        };
        if origin == Origin::Accepted {
            self.accepted_shaking += 1;
        }
        self.shaking.insert(id, shaking);
        self.shake(id);
    }

    /// Reads, answers and writes as far as the stream allows.
    pub(crate) fn shake(&mut self, id: u64) {
        let Some(shaking) = self.shaking.get(&id) else {
            return;
        };
        let link = Arc::clone(&shaking.link);
        let mut io = link.lock();
        match self.step(id, &mut io) {
            Ok(Progress::Waiting) => self.keep_shaking(id, &mut io),
            Ok(Progress::Ready(peer)) => self.go_live(id, io, peer),
            Err(reason) => {
                // The session may have a last word. One try, and no more.
                let _ = io.write_out();
                drop(io);
                self.end_shaking(id, reason);
            }
        }
    }

    fn step(&mut self, id: u64, io: &mut Io) -> Result<Progress, CloseReason> {
        let now = self.ctx.clock.now().wire();
        io.write_out()?;
        let mut buffer = self.ctx.pool.read_buffer();
        let result = self.step_with(id, io, &mut buffer, now);
        match result {
            Ok((Progress::Ready(peer), Some((start, end)))) if start < end => {
                io.leftover = Some(Leftover { buffer, start, end });
                io.write_out()?;
                Ok(Progress::Ready(peer))
            }
            other => {
                self.ctx.pool.return_read(buffer);
                let (progress, _) = other?;
                io.write_out()?;
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
            io.write_out()?;
        }
    }

    /// Answers what the session asks; gives the peer once it is ready.
    fn heed(
        &mut self,
        id: u64,
        io: &mut Io,
        event: Option<Event>,
    ) -> Result<Option<Peer>, CloseReason> {
        match event {
            Some(Event::Ready(peer)) => Ok(Some(peer)),
            Some(Event::Authenticate(credentials)) => {
                let Some(verdict) = self.authenticate(id, &credentials) else {
                    return Ok(None);
                };
                let now = self.ctx.clock.now().wire();
                let event = io.session.handle_verdict(verdict, now)?;
                self.heed(id, io, event)
            }
            _ => Ok(None),
        }
    }

    /// Asks the socket's authenticator; nobody to ask means no.
    fn authenticate(&self, id: u64, credentials: &Credentials) -> Option<Verdict> {
        let shaking = self.shaking.get(&id)?;
        let core = shaking.socket.lock();
        let authenticator = core.options.authenticator.clone();
        let routing_id = core.options.routing_id.clone();
        drop(core);
        let Some(authenticator) = authenticator else {
            return Some(Verdict::Refuse(400));
        };
        let ctx = Arc::downgrade(&self.ctx);
        let answer = Answer::new(move |verdict| {
            if let Some(ctx) = ctx.upgrade() {
                ctx.command(Command::Verdict {
                    shaking: id,
                    verdict,
                });
            }
        });
        let question = Question {
            credentials,
            address: &shaking.address,
            routing_id: &routing_id,
        };
        authenticator.authenticate(question, answer);
        None
    }

    pub(crate) fn verdict(&mut self, id: u64, verdict: Verdict) {
        let Some(shaking) = self.shaking.get(&id) else {
            return;
        };
        let link = Arc::clone(&shaking.link);
        let mut io = link.lock();
        let now = self.ctx.clock.now().wire();
        let result = io
            .session
            .handle_verdict(verdict, now)
            .map_err(CloseReason::Protocol)
            .and_then(|event| self.heed(id, &mut io, event));
        match result {
            Ok(Some(peer)) => {
                let _ = io.write_out();
                self.go_live(id, io, peer);
            }
            Ok(None) => {
                // What came while we waited is still inside the session.
                let mut nothing: &[u8] = &[];
                let event = io.session.handle_input(now, &mut nothing);
                match event.map_err(CloseReason::Protocol) {
                    Ok(Some(Event::Ready(peer))) => self.go_live(id, io, peer),
                    Ok(_) => {
                        drop(io);
                        self.shake(id);
                    }
                    Err(reason) => {
                        drop(io);
                        self.end_shaking(id, reason);
                    }
                }
            }
            Err(reason) => {
                let _ = io.write_out();
                drop(io);
                self.end_shaking(id, reason);
            }
        }
    }

    fn keep_shaking(&mut self, id: u64, io: &mut Io) {
        let Some(shaking) = self.shaking.get_mut(&id) else {
            return;
        };
        let interest = Interest {
            read: true,
            write: io.stalled,
        };
        if let Some(channel) = &io.channel
            && let Source::Descriptor(fd) = channel.source()
            && interest != shaking.interest
        {
            // The descriptor is watched, so the system has no reason to refuse.
            let _ = self.ctx.poller.modify(fd, token::SHAKING | id, interest);
            shaking.interest = interest;
        }
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
                drop(io);
                self.end_shaking(id, error.into());
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
        self.shake_failed(
            &shaking.socket,
            shaking.origin,
            &shaking.endpoint,
            Some(&shaking.address),
            reason,
        );
    }

    fn take_shaking(&mut self, id: u64) -> Option<Shaking> {
        let shaking = self.shaking.remove(&id)?;
        if shaking.origin == Origin::Accepted {
            self.accepted_shaking = self.accepted_shaking.saturating_sub(1);
        }
        Some(shaking)
    }

    fn shake_failed(
        &mut self,
        socket: &Arc<SocketShared>,
        origin: Origin,
        endpoint: &str,
        address: Option<&str>,
        reason: CloseReason,
    ) {
        let transient = reason.is_transient();
        let mut core = socket.lock();
        core.counters.handshakes_failed = core.counters.handshakes_failed.saturating_add(1);
        let stop = core.options.reconnect.stop_when_handshake_failed;
        core.note_failure(endpoint, &reason);
        core.report(
            endpoint,
            address,
            Happening::Closed {
                reason,
                was_ready: false,
                descriptor: None,
            },
        );
        drop(core);
        socket.wake();
        if let Origin::Dialed(dialer) = origin {
            self.dial_failed(dialer, transient && !stop);
        }
    }

    /// The handshake is over: from here on the link belongs to the socket.
    fn go_live(&mut self, id: u64, mut io: MutexGuard<'_, Io>, peer: Peer) {
        let Some(shaking) = self.take_shaking(id) else {
            return;
        };
        if let Some(Source::Descriptor(fd)) = io.channel.as_ref().map(Channel::source) {
            self.ctx.poller.remove(fd);
        }
        let socket = Arc::clone(&shaking.socket);
        let mut effects = Effects::default();
        let mut core = socket.enter(&mut effects);
        let outcome = self.admit(&mut core, &shaking, &peer);
        let key = match outcome {
            Ok(key) => key,
            Err(refused) => {
                drop(core);
                drop(io.channel.take());
                drop(io);
                socket.run(effects);
                let reason = refused.map_or(CloseReason::ByUs, CloseReason::Pattern);
                self.shake_failed(
                    &socket,
                    shaking.origin,
                    &shaking.endpoint,
                    Some(&shaking.address),
                    reason,
                );
                return;
            }
        };
        if core.options.attach_properties {
            let mut properties = (*peer.properties).clone();
            properties.push("Peer-Address", shaking.address.clone().into_bytes());
            io.properties = Some(Arc::new(properties));
        }
        shaking.link.set_key(key);
        core.mark_live(key, Carrier::Link(Arc::clone(&shaking.link)));
        core.report(
            &shaking.endpoint,
            Some(&shaking.address),
            Happening::Ready {
                socket_type: peer.socket_type,
                version: Some(peer.version),
            },
        );
        core.settle(&mut effects);
        core.note_subscribers(&mut effects);
        drop(core);
        if let Some(channel) = &mut io.channel {
            channel.set_waker(&link_waker(&socket, key));
        }
        if let Origin::Dialed(dialer) = shaking.origin {
            self.dial_succeeded(dialer);
        }
        effects.wake = true;
        let want = Want {
            read: true,
            write: true,
        };
        shaking.link.drive_held(io, &socket, want);
        shaking.link.ask_for_timer(&socket);
        socket.run(effects);
    }

    /// Asks the pattern whether it has a place for the peer.
    fn admit(
        &self,
        core: &mut Core,
        shaking: &Shaking,
        peer: &Peer,
    ) -> Result<zmq_patterns::PeerKey, Option<PeerRefused>> {
        let facts = PeerFacts {
            endpoint: shaking.endpoint.clone(),
            address: Some(shaking.address.clone()),
            socket_type: peer.socket_type,
            version: Some(peer.version),
        };
        let info = PeerInfo {
            routing_id: peer.routing_id.clone(),
            filters_upstream: peer.filters_upstream,
        };
        let key = match shaking.origin {
            Origin::Accepted => {
                if core.life != Life::Open {
                    return Err(None);
                }
                let attach = Attach {
                    dialed: false,
                    routing_id: None,
                    immediate: false,
                    inproc: false,
                };
                core.attach(None, facts, attach)
            }
            Origin::Dialed(dialer) => {
                let key = self.dialers.get(&dialer).map(|dialer| dialer.key);
                let pipe = key.and_then(|key| core.pipe(key));
                let (Some(key), Some(pipe)) = (key, pipe) else {
                    return Err(None);
                };
                pipe.facts = facts;
                key
            }
        };
        if let Err(refused) = core.pattern.link_up(key, &info) {
            if shaking.origin == Origin::Accepted {
                core.detach(key, Loss::PeerLeft);
            }
            return Err(Some(refused));
        }
        if core.options.attach_properties {
            core.pattern
                .set_properties(key, Arc::clone(&peer.properties));
        }
        Ok(key)
    }
}

/// The few values a session is handed out of the socket's options.
fn session_config(core: &Core) -> SessionConfig {
    let options = &core.options;
    let mut config = SessionConfig::new(core.socket_type);
    config.routing_id = options.routing_id.clone();
    config.properties = options.properties.clone();
    config.min_version = options.min_version;
    config.legacy_allowed = options.security.legacy_allowed();
    config.limits = options.limits;
    config.handshake_timeout_ms = options.handshake_timeout.map(millis);
    config.heartbeat = options.heartbeat.map(|heartbeat| Heartbeat {
        interval_ms: millis(heartbeat.interval),
        timeout_ms: millis(heartbeat.timeout),
        ttl_ms: millis(heartbeat.ttl),
    });
    if options.pattern.iter().any(|option| {
        matches!(
            option,
            zmq_patterns::PatternOption::OnlyFirstSubscribe(true)
        )
    }) && core.socket_type.takes_subscriptions()
    {
        config.subscriptions = zmtp_wire::SubscriptionFrames::FirstFrame;
    }
    config
}

fn millis(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
