//! The live connection to a peer: its stream, its session, and what is under way on it.
//!
//! A link is driven by whoever holds its lock: a sender that found it idle, a receiver that found nothing queued, the
//! context's driver. One who finds it held leaves and is not needed: the holder looks at the pipe again before it lets go
//! (`Link::let_go`). Lock order: link, then socket; nobody waits for a link while holding a socket.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

use smallvec::SmallVec;
use zmq_patterns::PeerKey;
use zmq_transport::{ByteStream, FramedStream, Source};
use zmtp_wire::{Message, Properties, Session};

use crate::clock::Nanos;
use crate::context::Command;
use crate::core::Effects;
use crate::monitor::CloseReason;
use crate::pipe::{FLUSH_OCTETS, Item, Pace};
use crate::poller::Interest;
use crate::shared::SocketShared;

/// Times a holder goes round for others before it leaves the rest to the driver.
const ROUNDS: usize = 64;

/// The most chunks handed to one write.
const CHUNKS: usize = 64;

/// What carries the octets.
pub(crate) enum Channel {
    Bytes(Box<dyn ByteStream>),
    Framed(Box<dyn FramedStream>),
}

impl Channel {
    pub(crate) fn source(&self) -> Source<'_> {
        match self {
            Channel::Bytes(stream) => stream.source(),
            Channel::Framed(stream) => stream.source(),
        }
    }

    pub(crate) fn set_waker(&mut self, waker: &std::task::Waker) {
        match self {
            Channel::Bytes(stream) => stream.set_waker(waker),
            Channel::Framed(stream) => stream.set_waker(waker),
        }
    }

    pub(crate) fn peer_address(&self) -> String {
        match self {
            Channel::Bytes(stream) => stream.peer_address().to_owned(),
            Channel::Framed(stream) => stream.peer_address().to_owned(),
        }
    }

    pub(crate) fn remote_endpoint(&self) -> String {
        match self {
            Channel::Bytes(stream) => stream.remote_endpoint(),
            Channel::Framed(stream) => stream.remote_endpoint(),
        }
    }

    pub(crate) fn descriptor(&self) -> Option<i32> {
        match self {
            Channel::Bytes(stream) => stream.descriptor(),
            Channel::Framed(stream) => stream.descriptor(),
        }
    }
}

/// Received octets that the session has not been given yet, because the pipe was at its mark.
pub(crate) struct Leftover {
    pub(crate) buffer: Vec<u8>,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// What the holder of a link works with.
pub(crate) struct Io {
    /// Gone once the link is closed.
    pub(crate) channel: Option<Channel>,
    pub(crate) session: Session,
    /// Taken from the pipe; the first `encoded` are in the session's output, in whole or in part.
    pub(crate) batch: VecDeque<Item>,
    pub(crate) encoded: usize,
    /// A unit that a framed stream would not take yet.
    pub(crate) unit: Option<bytes::Bytes>,
    pub(crate) leftover: Option<Leftover>,
    /// Reading stopped at the mark.
    pub(crate) paused: bool,
    /// The kernel takes no more for now.
    pub(crate) stalled: bool,
    /// What the poller was last told.
    pub(crate) interest: Interest,
    /// Whether the descriptor is in the socket's poller.
    pub(crate) watched: bool,
    /// Cut from the input and not yet delivered.
    pub(crate) decoded: Vec<Message>,
    /// Messages that may be cut before the pipe must be asked again.
    pub(crate) room: usize,
    pub(crate) buffered: bool,
    /// When the driver was asked to look at the session's timer.
    pub(crate) timer_at: Nanos,
    pub(crate) properties: Option<Arc<Properties>>,
    /// To be done once the lock is let go.
    pub(crate) effects: Effects,
}

impl Io {
    pub(crate) fn new(channel: Channel, session: Session) -> Io {
        Io {
            channel: Some(channel),
            session,
            batch: VecDeque::new(),
            encoded: 0,
            unit: None,
            leftover: None,
            paused: false,
            stalled: false,
            interest: Interest::NONE,
            watched: false,
            decoded: Vec::new(),
            room: 0,
            buffered: false,
            timer_at: Nanos::NEVER,
            properties: None,
            effects: Effects::default(),
        }
    }

    /// Whether a poller watches the stream, and tells again and again; a waker tells once, of a change.
    pub(crate) fn is_polled(&self) -> bool {
        self.channel
            .as_ref()
            .is_some_and(|channel| matches!(channel.source(), Source::Descriptor(_)))
    }

    /// Hands encoded octets to the kernel. Gives the number of messages that have wholly left, and their octets.
    pub(crate) fn write_out(&mut self) -> Result<(usize, usize), CloseReason> {
        let mut freed = (0, 0);
        match &self.channel {
            Some(Channel::Bytes(_)) => self.write_stream(&mut freed)?,
            Some(Channel::Framed(_)) => self.write_units(&mut freed)?,
            None => {}
        }
        Ok(freed)
    }

    fn write_stream(&mut self, freed: &mut (usize, usize)) -> Result<(), CloseReason> {
        self.stalled = false;
        while self.session.output_len() > 0 {
            let Some(Channel::Bytes(stream)) = &mut self.channel else {
                return Ok(());
            };
            let mut chunks: SmallVec<[IoSlice<'_>; CHUNKS]> = SmallVec::new();
            let mut offered = 0;
            for chunk in self.session.output_chunks().take(CHUNKS) {
                offered += chunk.len();
                chunks.push(IoSlice::new(chunk));
            }
            match stream.try_write(&chunks) {
                Ok(written) => {
                    drop(chunks);
                    let messages = self.session.output_written(written);
                    self.release(messages, freed);
                    if written < offered && self.is_polled() {
                        // The kernel's buffer is full; its readiness will tell when it is not. A waker tells only after a
                        // write that would block.
                        self.stalled = true;
                        break;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.stalled = true;
                    break;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(CloseReason::io(&error)),
            }
        }
        if self.session.output_len() == 0 {
            self.release_commands();
        }
        Ok(())
    }

    fn write_units(&mut self, freed: &mut (usize, usize)) -> Result<(), CloseReason> {
        self.stalled = false;
        while let Some(unit) = self.unit.take().or_else(|| self.session.poll_unit()) {
            let Some(Channel::Framed(stream)) = &mut self.channel else {
                return Ok(());
            };
            match stream.try_transmit(&unit) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.unit = Some(unit);
                    self.stalled = true;
                    return Ok(());
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => self.unit = Some(unit),
                Err(error) => return Err(CloseReason::io(&error)),
            }
        }
        // Units carry no message boundaries: the messages are counted when all of them have left.
        let messages = self
            .batch
            .iter()
            .take(self.encoded)
            .filter(|item| item.is_message())
            .count();
        self.release(messages, freed);
        self.release_commands();
        Ok(())
    }

    /// Lets go of messages that have left.
    fn release(&mut self, messages: usize, freed: &mut (usize, usize)) {
        let mut left = messages;
        while left > 0 {
            let Some(item) = self.batch.pop_front() else {
                break;
            };
            self.encoded = self.encoded.saturating_sub(1);
            if item.is_message() {
                freed.0 += 1;
                freed.1 += item.octets();
                left -= 1;
            }
        }
    }

    fn release_commands(&mut self) {
        while self.encoded > 0 {
            self.batch.pop_front();
            self.encoded -= 1;
        }
    }

    /// Encodes what was taken from the pipe, up to one write's worth.
    fn encode(&mut self) {
        while self.session.output_len() < FLUSH_OCTETS {
            let Some(item) = self.batch.get(self.encoded) else {
                break;
            };
            match item {
                Item::Message(message) => self.session.send(message),
                Item::Subscribe(topic) => self.session.subscribe(topic),
                Item::Cancel(topic) => self.session.cancel(topic),
            }
            self.encoded += 1;
        }
    }

    pub(crate) fn lend_buffer(&mut self, shared: &SocketShared) {
        if !self.buffered {
            self.buffered = true;
            self.session.lend_buffer(shared.ctx.pool.write_buffer());
        }
    }

    pub(crate) fn reclaim_buffer(&mut self, shared: &SocketShared) {
        if self.buffered
            && self.session.output_len() == 0
            && let Some(buffer) = self.session.reclaim_buffer()
        {
            self.buffered = false;
            shared.ctx.pool.return_write(buffer);
        }
    }
}

/// The connection to one peer.
pub(crate) struct Link {
    io: Mutex<Io>,
    /// The pipe it carries, once it is live.
    key: AtomicU32,
}

impl core::fmt::Debug for Link {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Link")
            .field("key", &self.key.load(Ordering::Relaxed))
            .finish_non_exhaustive()
    }
}

/// What a driver wants done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Want {
    pub(crate) read: bool,
    pub(crate) write: bool,
}

impl Link {
    pub(crate) fn new(io: Io) -> Link {
        Link {
            io: Mutex::new(io),
            key: AtomicU32::new(u32::MAX),
        }
    }

    pub(crate) fn key(&self) -> Option<PeerKey> {
        match self.key.load(Ordering::SeqCst) {
            u32::MAX => None,
            key => Some(PeerKey(key)),
        }
    }

    pub(crate) fn set_key(&self, key: PeerKey) {
        self.key.store(key.0, Ordering::SeqCst);
    }

    /// Waits for whoever drives it. Never called with a socket's lock held.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Io> {
        self.io.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn try_lock(&self) -> Option<MutexGuard<'_, Io>> {
        match self.io.try_lock() {
            Ok(io) => Some(io),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    /// Reads and writes what can be, unless somebody else is at it. Says whether anything moved.
    pub(crate) fn drive(self: &Arc<Self>, shared: &Arc<SocketShared>, want: Want) -> bool {
        match self.try_lock() {
            Some(io) => self.drive_held(io, shared, want),
            None => false,
        }
    }

    pub(crate) fn drive_held<'a>(
        self: &'a Arc<Self>,
        mut io: MutexGuard<'a, Io>,
        shared: &Arc<SocketShared>,
        mut want: Want,
    ) -> bool {
        let mut moved = false;
        for round in 0.. {
            if io.channel.is_none() {
                return moved;
            }
            let mut result = Ok(());
            if want.read {
                result = self.read_turn(&mut io, shared, &mut moved);
            }
            if result.is_ok() {
                result = self.write_turn(&mut io, shared, &mut moved);
            }
            if let Err(reason) = result {
                self.close_held(io, shared, reason);
                return true;
            }
            self.tell_poller(&mut io, shared);
            if want.read {
                self.ask_for_timer_held(&mut io, shared);
            }
            match self.let_go(io, shared, round) {
                Ok(effects) => {
                    shared.run(effects);
                    return moved;
                }
                Err((held, more)) => {
                    io = held;
                    want = more;
                }
            }
        }
        moved
    }

    /// Lets the link go, unless somebody left something for its holder meanwhile.
    fn let_go<'a>(
        &self,
        mut io: MutexGuard<'a, Io>,
        shared: &SocketShared,
        round: usize,
    ) -> Result<Effects, (MutexGuard<'a, Io>, Want)> {
        let mut core = shared.lock();
        let mut effects = std::mem::take(&mut io.effects);
        let Some(key) = self.key() else {
            return Ok(effects);
        };
        let hot_registered = core.hot_registered;
        let Some(pipe) = core.pipe(key) else {
            return Ok(effects);
        };
        let want = Want {
            read: io.paused && !pipe.paused,
            write: !io.stalled
                && !pipe.out.is_empty()
                && (pipe.pace == Pace::Idle || pipe.flush_due()),
        };
        if want.read || want.write {
            if round < ROUNDS {
                io.effects = effects;
                drop(core);
                return Err((io, want));
            }
            // Others keep adding: the driver goes on, so that this caller gets away.
            if pipe.pace == Pace::Idle {
                pipe.pace = Pace::Hot;
                core.hot.push(key);
            }
            effects.tick |= !hot_registered;
            core.hot_registered = true;
            if want.read {
                effects.drive.extend(core.link(key));
            }
        }
        // The link is let go before the socket: a sender that finds the link held has left its message before we looked.
        drop(io);
        drop(core);
        Ok(effects)
    }

    fn write_turn(
        &self,
        io: &mut Io,
        shared: &Arc<SocketShared>,
        moved: &mut bool,
    ) -> Result<(), CloseReason> {
        loop {
            let had_output = io.session.output_len() > 0 || io.unit.is_some();
            let freed = if had_output || matches!(io.channel, Some(Channel::Framed(_))) {
                io.write_out()?
            } else {
                (0, 0)
            };
            let took = self.report_and_take(io, shared, freed, had_output);
            *moved |= freed.0 > 0;
            if io.stalled {
                return Ok(());
            }
            if !took && io.encoded == io.batch.len() && io.session.output_len() == 0 {
                io.reclaim_buffer(shared);
                return Ok(());
            }
            io.lend_buffer(shared);
            io.encode();
        }
    }

    /// Tells the pipe what has left, and takes what has come.
    fn report_and_take(
        &self,
        io: &mut Io,
        shared: &SocketShared,
        freed: (usize, usize),
        wrote: bool,
    ) -> bool {
        let Some(key) = self.key() else { return false };
        let mut room = false;
        let mut took = false;
        let mut core = shared.lock();
        core.counters.transmitted = core.counters.transmitted.saturating_add(freed.0 as u64);
        if let Some(pipe) = core.pipe(key) {
            pipe.in_flight = pipe.in_flight.saturating_sub(freed.0);
            if pipe.marks.octets.is_some() {
                pipe.in_flight_octets = pipe.in_flight_octets.saturating_sub(freed.1);
            }
            pipe.stalled = io.stalled;
            if wrote && pipe.pace == Pace::Idle {
                pipe.last_write = shared.ctx.clock.now();
            }
            if !io.stalled && io.encoded == io.batch.len() && !pipe.out.is_empty() {
                pipe.take_out(&mut io.batch);
                took = true;
            }
            if pipe.full && pipe.has_room_again() {
                pipe.full = false;
                room = true;
            }
        }
        if room {
            core.pattern.set_writable(key, true);
        }
        drop(core);
        if room {
            shared.wake();
        }
        took
    }

    /// Tells the socket's poller what the link waits for now.
    pub(crate) fn tell_poller(&self, io: &mut Io, shared: &SocketShared) {
        let (Some(key), Some(channel)) = (self.key(), &io.channel) else {
            return;
        };
        let interest = Interest {
            read: !io.paused,
            write: io.stalled,
        };
        if interest == io.interest && io.watched {
            return;
        }
        let Source::Descriptor(fd) = channel.source() else {
            return;
        };
        let token = u64::from(key.0);
        let told = match (io.watched, interest == Interest::NONE) {
            // A paused link is not watched at all: its hang-up would be reported without end.
            (true, true) => {
                shared.poller.remove(fd);
                io.watched = false;
                Ok(())
            }
            (true, false) => shared.poller.modify(fd, token, interest),
            (false, true) => Ok(()),
            (false, false) => {
                io.watched = true;
                shared.poller.add(fd, token, interest)
            }
        };
        if told.is_ok() {
            io.interest = interest;
        }
    }

    /// Asks the driver to look at the session's timer, if that is due before it looks anyway.
    pub(crate) fn ask_for_timer(self: &Arc<Self>, shared: &Arc<SocketShared>) {
        let mut io = self.lock();
        self.ask_for_timer_held(&mut io, shared);
    }

    fn ask_for_timer_held(self: &Arc<Self>, io: &mut Io, shared: &Arc<SocketShared>) {
        let Some(at) = io.session.poll_timeout().map(Nanos::from_wire) else {
            return;
        };
        if at < io.timer_at {
            io.timer_at = at;
            shared.ctx.command(Command::Beat {
                link: Arc::downgrade(self),
                socket: Arc::downgrade(shared),
                at,
            });
        }
    }

    /// Takes the stream away from whoever watches it and closes it.
    pub(crate) fn take_channel(&self, io: &mut Io, shared: &SocketShared) -> Option<Channel> {
        let channel = io.channel.take()?;
        if io.watched
            && let Source::Descriptor(fd) = channel.source()
        {
            shared.poller.remove(fd.as_fd());
            io.watched = false;
        }
        if let Some(leftover) = io.leftover.take() {
            shared.ctx.pool.return_read(leftover.buffer);
        }
        Some(channel)
    }
}
