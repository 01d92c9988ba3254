//! The live connection to a peer: its stream, its session, and what is under way on it.
//!
//! A link is driven by whoever holds its lock: a sender that found it idle, a receiver that found nothing queued, the
//! context's driver. One who finds it held leaves and is not needed: the holder looks at the pipe again before it lets go
//! (`Link::let_go`). Lock order: link, then socket; nobody waits for a link while holding a socket.

use std::os::fd::AsFd;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, MutexGuard};

use zmq_patterns::PeerKey;
use zmq_transport::Source;

use crate::clock::Nanos;
use crate::context::Command;
use crate::core::Life;
use crate::effects::Effects;
use crate::handover::Holding;
use crate::io::{Channel, Io};
use crate::monitor::CloseReason;
use crate::pipe::Pace;
use crate::poller::Interest;
use crate::round;
use crate::shared::{Notice, SocketShared};

/// Times a holder goes round for others before it leaves the rest to the driver.
const ROUNDS: usize = 64;

/// Turns of reading from a stream that cannot be written to before others have theirs.
const LAST_TURNS: usize = 8;

/// The connection to one peer.
pub(crate) struct Link {
    io: Holding<Io>,
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
            io: Holding::new(io),
            key: AtomicU32::new(u32::MAX),
        }
    }

    /// The pipe it carries. Holds good for as long as the socket's lock is held.
    pub(crate) fn key(&self) -> Option<PeerKey> {
        match self.key.load(Ordering::SeqCst) {
            u32::MAX => None,
            key => Some(PeerKey(key)),
        }
    }

    pub(crate) fn set_key(&self, key: PeerKey) {
        self.key.store(key.0, Ordering::SeqCst);
    }

    /// It carries no pipe any more. Called with the socket's lock held.
    pub(crate) fn clear_key(&self) {
        self.key.store(u32::MAX, Ordering::SeqCst);
    }

    /// Waits for whoever drives it. Never called with a socket's lock held. A live link is let go of by `drive_held` or
    /// `close_held` and by nothing else: others rely on the holder for what they left meanwhile.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Io> {
        self.io.lock()
    }

    fn try_lock(&self) -> Option<MutexGuard<'_, Io>> {
        self.io.try_lock()
    }

    /// In a forked child: closes the descriptor, if nobody held the link at the fork.
    pub(crate) fn forsake(&self) {
        if let Some(mut io) = self.try_lock() {
            drop(io.channel.take());
        }
    }

    /// Reads and writes what can be. Says whether anything moved; nothing if somebody else is at it.
    pub(crate) fn drive(self: &Arc<Self>, shared: &Arc<SocketShared>, want: Want) -> Option<bool> {
        Some(self.drive_held(self.try_lock()?, shared, want))
    }

    pub(crate) fn drive_held<'a>(
        self: &'a Arc<Self>,
        mut io: MutexGuard<'a, Io>,
        shared: &Arc<SocketShared>,
        mut want: Want,
    ) -> bool {
        let mut moved = false;
        if io.session.is_sealed() && shared.ctx.is_foreign_process() {
            // Sealing here with the numbers that the parent goes on with would tell whoever listens what both say. The poller is the
            // parent's too and is not told.
            drop(io.channel.take());
        }
        for round in 0.. {
            if io.channel.is_none() {
                return moved;
            }
            let mut result = Ok(());
            if want.read {
                result = self.read_turn(&mut io, shared, &mut moved);
            }
            if result.is_ok()
                && io.failed.is_none()
                && let Err(reason) = self.write_turn(&mut io, shared, &mut moved)
            {
                self.stop_writing(&mut io, shared, reason);
            }
            if result.is_ok() && io.failed.is_some() {
                result = self.read_to_the_end(&mut io, shared, &mut moved);
            }
            if let Err(reason) = result {
                self.close_held(io, shared, reason);
                return true;
            }
            self.tell_poller(&mut io, shared);
            self.ask_for_timer(&mut io, shared);
            match self.let_go(io, shared, round) {
                Ok(effects) => {
                    shared.run(effects);
                    return moved;
                }
                Err((held, more)) => {
                    io = held;
                    io.wake_now(shared);
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
        let mut core = shared.lock_amid();
        let mut effects = std::mem::take(&mut io.effects);
        let Some(key) = self.key() else {
            return Ok(effects);
        };
        let Some(pipe) = core.pipe(key) else {
            return Ok(effects);
        };
        let woken = std::mem::take(&mut pipe.woken);
        let mut want = Want {
            // A block that was kept at the mark waits for nobody once the mark is out of the way.
            read: !pipe.paused && (io.paused || io.leftover.is_some()),
            write: !io.stalled
                && io.failed.is_none()
                && !pipe.out.is_empty()
                && (pipe.pace == Pace::Idle || pipe.flush_due()),
        };
        if woken {
            want = Want {
                read: true,
                write: io.failed.is_none(),
            };
        }
        if want.read || want.write {
            if round < ROUNDS {
                io.effects = effects;
                drop(core);
                return Err((io, want));
            }
            // Others keep adding: the driver goes on, so that this caller gets away.
            if pipe.pace == Pace::Idle {
                pipe.pace = Pace::Hot;
                effects.tick |= core.bursts.begin(key);
            }
        }
        Holding::let_go(io, core);
        if want.read {
            shared.post(Notice::Woken(key));
        }
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
            let mut freed = (0, 0);
            let mut written = Ok(());
            if had_output || matches!(io.channel, Some(Channel::Framed(_))) {
                written = io.write_out(&mut freed);
            }
            let took = self.report_and_take(io, shared, freed, had_output);
            *moved |= freed.0 > 0;
            written?;
            if io.stalled {
                return Ok(());
            }
            if io.interest.write {
                // Ready for us, not for the driver, which would find the link held and look again and again.
                self.tell_poller(io, shared);
            }
            if !took && io.encoded == io.batch.len() && io.session.output_len() == 0 {
                io.reclaim_buffer(shared);
                return Ok(());
            }
            // Writing takes its time, and may go on and on.
            io.wake_now(shared);
            io.lend_buffer(shared);
            io.encode();
        }
    }

    /// The peer takes no more; what it had sent before can still be read.
    fn stop_writing(&self, io: &mut Io, shared: &SocketShared, reason: CloseReason) {
        io.failed = Some(Box::new(reason));
        io.stalled = false;
        let mut core = shared.lock();
        let Some(key) = self.key() else { return };
        if let Some(pipe) = core.pipe(key) {
            pipe.stalled = true;
            pipe.broken = true;
            pipe.full = true;
        }
        core.pattern.set_writable(key, false);
    }

    /// Reads what is left of a stream that cannot be written to. Its end is the end of the link, which is then closed for the
    /// reason that the write gave. A peer that goes on and on is left after some turns, and read on when others had theirs.
    fn read_to_the_end(
        self: &Arc<Self>,
        io: &mut Io,
        shared: &Arc<SocketShared>,
        moved: &mut bool,
    ) -> Result<(), CloseReason> {
        for _ in 0..LAST_TURNS {
            let mut more = false;
            let end = self.read_turn(io, shared, &mut more);
            *moved |= more;
            let unread = end.is_ok() && io.paused;
            if unread && self.discard_queued(io, shared) {
                continue;
            }
            if unread && shared.lock().life == Life::Open {
                // The application reads on, and then we do.
                return Ok(());
            }
            if end.is_err() || unread || !more {
                return Err(io
                    .failed
                    .take()
                    .map_or(CloseReason::ByPeer, |reason| *reason));
            }
        }
        self.come_again(io, shared);
        Ok(())
    }

    /// Makes room where the application will never do so: for a REQ that awaits no reply, which cannot send a request either before this link has
    /// come to its end.
    fn discard_queued(&self, io: &mut Io, shared: &SocketShared) -> bool {
        let mut core = shared.lock();
        let Some(key) = self.key() else { return false };
        if !core.pattern.discards_queued(key) {
            return false;
        }
        if let Some(pipe) = core.pipe(key) {
            // Whoever holds the link reads on, and need not be called.
            pipe.paused = false;
        }
        core.discard_input(key, &mut io.effects);
        true
    }

    /// Tells the pipe what has left, and takes what has come.
    fn report_and_take(
        &self,
        io: &mut Io,
        shared: &SocketShared,
        freed: (usize, usize),
        wrote: bool,
    ) -> bool {
        let mut room = false;
        let mut took = false;
        let mut core = shared.lock_amid();
        let Some(key) = self.key() else { return false };
        core.counters.transmitted = core.counters.transmitted.saturating_add(freed.0 as u64);
        if let Some(pipe) = core.pipe(key) {
            pipe.in_flight = pipe.in_flight.saturating_sub(freed.0);
            if pipe.marks.octets.is_some() {
                pipe.in_flight_octets = pipe.in_flight_octets.saturating_sub(freed.1);
            }
            pipe.stalled = io.stalled;
            if wrote && pipe.pace == Pace::Idle {
                pipe.last_write = shared.ctx.clock.now();
                round::wrote(&shared.ctx.clock, pipe.last_write);
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
        let awaited = freed.0 > 0 && core.is_awaited(key);
        drop(core);
        if room {
            shared.wake();
        }
        if awaited {
            // The driver waits for the end of this queue and would not hear of it.
            shared.ctx.wake.raise();
        }
        took
    }

    /// Tells the socket's poller what the link waits for now.
    pub(crate) fn tell_poller(&self, io: &mut Io, shared: &SocketShared) {
        let (Some(key), Some(channel)) = (self.key(), &io.channel) else {
            return;
        };
        if io.stalled {
            shared.hurry();
        }
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
    fn ask_for_timer(&self, io: &mut Io, shared: &Arc<SocketShared>) {
        let Some(at) = io.session.poll_timeout().map(Nanos::from_wire) else {
            return;
        };
        let Some(key) = self.key() else { return };
        if at < io.timer_at {
            io.timer_at = at;
            shared.ctx.command(Command::Beat {
                socket: shared.id,
                key,
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
