//! The reading half of a link: octets from the stream through the session into the pipe, up to the mark.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;

use zmq_patterns::DropReason;
use zmtp_wire::{Error as WireError, Event, Time};

use crate::decoded::Decoded;
use crate::io::{Channel, Io, Leftover};
use crate::link::Link;
use crate::monitor::CloseReason;
use crate::pipe::Item;
use crate::pool::{self, READ_OCTETS};
use crate::references::References;
use crate::shared::{Notice, SocketShared};

/// A frame from here on is large: it is read straight into its own place, and the one behind it probably is large, too. Its size counts, not
/// what it misses: where blocks and frames are of one size, all but a few octets of each would be copied for ever.
const LARGE_BODY: usize = 32 * 1024;

/// Octets read at once where a large frame is expected: its header, and as little of its body as can be, which has to be copied.
const HEAD_OCTETS: usize = 2 * 1024;

/// Octets that are read into their own place count so much less until the frame is whole, and then all of them: it is read to its end if
/// its sender keeps up, and handed over before the next one, which then lies in the same memory.
const LARGE_SHARE: usize = 16;

/// The least that a read of such octets counts: a sender of a few at a time ends the turn, as others wait for theirs.
const LEAST_SHARE: usize = 512;

/// A read of fewer octets says that the sender is not so near.
const NEAR: usize = 4 * 1024;

/// Looks for the rest of a large frame before whoever reads sleeps, some microseconds in all: its sender is copying it, and would have to
/// stop and wake the reader.
const GLANCES: usize = 24;

/// Turns of waiting between two of them.
const PAUSE: usize = 16;

/// Looks in vain on end after which only one is tried with each large frame, as the sender is not so near.
const PATIENCE: u8 = 8;

/// Units taken from one framed stream before others have their turn.
const TURN_UNITS: usize = 64;

/// Messages cut at once where nothing bounds them; room for more is given back.
const CUT: usize = 4096;

/// No more octets than this are copied to be kept, so that their block is free for others.
const SMALL_REST: usize = READ_OCTETS / 4;

/// So many octets weigh as much as a message.
const BULK: usize = 4 * 1024;

/// Where a read ended.
enum Read {
    /// There may be more.
    More(usize),
    /// The stream has no more for now.
    Dry,
}

impl Link {
    pub(crate) fn read_turn(
        self: &Arc<Self>,
        io: &mut Io,
        shared: &Arc<SocketShared>,
        moved: &mut bool,
    ) -> Result<(), CloseReason> {
        let now = shared.ctx.clock.now().wire();
        if self.key().is_none() {
            return Ok(());
        }
        let was_paused = io.paused;
        self.deliver(io, shared);
        let result = self.read_until(io, shared, now, moved);
        // What was whole before the fault is delivered all the same.
        self.deliver(io, shared);
        if io.paused != was_paused {
            io.session.handle_reading(now, !io.paused);
        }
        result
    }

    fn read_until(
        self: &Arc<Self>,
        io: &mut Io,
        shared: &Arc<SocketShared>,
        now: Time,
        moved: &mut bool,
    ) -> Result<(), CloseReason> {
        let share = pool::share(&mut io.read_at, shared.ctx.is_driver());
        let mut budget = share;
        while !io.paused {
            let read = if let Some(leftover) = io.leftover.take() {
                *moved = true;
                self.parse(io, shared, now, leftover)?;
                continue;
            } else if io.session.has_waiting() {
                // Octets that came before their time, or a second event of one frame.
                *moved = true;
                self.cut(io, shared, now, &mut &[][..])?;
                continue;
            } else if matches!(io.channel, Some(Channel::Framed(_))) {
                self.read_units(io, shared, now, moved)?
            } else if io.session.body_buffer().is_some() {
                self.read_body(io, shared, now)?
            } else {
                self.read_block(io, shared, now, share)?
            };
            match read {
                Read::Dry => break,
                Read::More(octets) => {
                    *moved = true;
                    budget = budget.saturating_sub(octets.max(1));
                    if budget == 0 {
                        self.come_again(io, shared);
                        break;
                    }
                }
            }
        }
        Ok(())
    }

    /// The turn is over and the stream may hold more: a waker will not tell of that, as it tells of changes only.
    pub(crate) fn come_again(&self, io: &Io, shared: &SocketShared) {
        if let Some(key) = self.key()
            && !io.is_polled()
        {
            shared.post(Notice::Woken(key));
        }
    }

    /// Reads a block for many small frames.
    fn read_block(
        self: &Arc<Self>,
        io: &mut Io,
        shared: &Arc<SocketShared>,
        now: Time,
        most: usize,
    ) -> Result<Read, CloseReason> {
        let Some(Channel::Bytes(stream)) = &mut io.channel else {
            return Ok(Read::Dry);
        };
        let mut buffer = shared.ctx.pool.read_buffer();
        let amid = io.session.body_size() >= LARGE_BODY;
        let asked = if io.large { HEAD_OCTETS } else { most };
        let end = match stream.try_read(buffer.get_mut(..asked).unwrap_or_default()) {
            Ok(octets) => octets,
            Err(error) => {
                shared.ctx.pool.return_read(buffer);
                return unread(&error);
            }
        };
        if end == 0 {
            shared.ctx.pool.return_read(buffer);
            return Err(CloseReason::ByPeer);
        }
        self.parse(
            io,
            shared,
            now,
            Leftover {
                buffer,
                start: 0,
                end,
            },
        )?;
        // The end of a large frame tells nothing of the one behind it.
        io.large = io.session.body_size() >= LARGE_BODY || amid && io.large;
        if io.large {
            io.patience = io.patience.max(1);
        }
        // Less than asked for: the next read would find nothing, and the poller tells when that has changed. A waker tells only
        // after a read that found nothing.
        if end < asked && io.is_polled() && io.session.body_buffer().is_none() {
            return Ok(Read::Dry);
        }
        Ok(Read::More(end))
    }

    /// Reads straight into the buffer of a large frame.
    fn read_body(
        self: &Arc<Self>,
        io: &mut Io,
        shared: &Arc<SocketShared>,
        now: Time,
    ) -> Result<Read, CloseReason> {
        let (Some(Channel::Bytes(stream)), Some(body)) =
            (&mut io.channel, io.session.body_buffer())
        else {
            return Ok(Read::Dry);
        };
        let mut met = stream.try_read_spare(body);
        if io.patience > 0 && shared.ctx.parallel && is_dry(&met) && !shared.ctx.is_driver() {
            for _ in 0..GLANCES {
                for _ in 0..PAUSE {
                    std::hint::spin_loop();
                }
                met = stream.try_read_spare(body);
                if !is_dry(&met) {
                    break;
                }
            }
            io.patience = if met.as_ref().is_ok_and(|octets| *octets >= NEAR) {
                PATIENCE
            } else {
                io.patience.saturating_sub(1)
            };
        }
        let octets = match met {
            Ok(octets) => octets,
            Err(error) => return unread(&error),
        };
        if octets == 0 {
            return Err(CloseReason::ByPeer);
        }
        let size = io.session.body_size();
        let event = io.session.handle_body(now).map_err(CloseReason::Protocol)?;
        let whole = io.session.body_size() == 0;
        if let Some(event) = event {
            self.take_event(io, shared, event)?;
        }
        Ok(Read::More(if whole {
            size
        } else {
            (octets / LARGE_SHARE).max(LEAST_SHARE)
        }))
    }

    fn read_units(
        self: &Arc<Self>,
        io: &mut Io,
        shared: &Arc<SocketShared>,
        now: Time,
        moved: &mut bool,
    ) -> Result<Read, CloseReason> {
        for _ in 0..TURN_UNITS {
            if io.room == 0 {
                self.deliver(io, shared);
                if io.paused {
                    break;
                }
            }
            let Some(Channel::Framed(stream)) = &mut io.channel else {
                return Ok(Read::Dry);
            };
            let unit = match stream.try_receive() {
                Ok(unit) => unit,
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    return Err(CloseReason::ByPeer);
                }
                Err(error) => return unread(&error),
            };
            *moved = true;
            let event = io
                .session
                .handle_unit(now, &unit)
                .map_err(CloseReason::Protocol)?;
            if let Some(event) = event {
                self.take_event(io, shared, event)?;
            }
            if io.session.has_waiting() {
                return Ok(Read::More(1));
            }
        }
        Ok(Read::More(READ_OCTETS))
    }

    /// Gives octets to the session until they are used up or the pipe is at its mark; the rest is kept.
    fn parse(
        self: &Arc<Self>,
        io: &mut Io,
        shared: &Arc<SocketShared>,
        now: Time,
        block: Leftover,
    ) -> Result<(), CloseReason> {
        let Leftover { buffer, start, end } = block;
        let mut input = buffer.get(start..end).unwrap_or_default();
        let result = self.cut(io, shared, now, &mut input);
        let left = input.len();
        if result.is_ok() && (left > SMALL_REST || left > 0 && buffer.len() < READ_OCTETS) {
            io.leftover = Some(Leftover {
                buffer,
                start: end.saturating_sub(left),
                end,
            });
            return result;
        }
        if result.is_ok() && left > 0 {
            // Links that wait for room, of which there may be many, do not all keep a block for the sake of a little.
            io.leftover = Some(Leftover {
                buffer: input.to_vec(),
                start: 0,
                end: left,
            });
        }
        shared.ctx.pool.return_read(buffer);
        result
    }

    /// Has the session cut `input` until it is used up or the pipe is at its mark.
    fn cut(
        self: &Arc<Self>,
        io: &mut Io,
        shared: &Arc<SocketShared>,
        now: Time,
        input: &mut &[u8],
    ) -> Result<(), CloseReason> {
        loop {
            if io.room == 0 {
                self.deliver(io, shared);
                if io.paused {
                    return Ok(());
                }
            }
            let before = io.decoded.len();
            let decoded = &mut io.decoded;
            let octets =
                io.session
                    .take_messages(input, io.room, &mut Decoded::behind(decoded, io.room));
            io.decoded_octets = io.decoded_octets.saturating_add(octets);
            io.room = io
                .room
                .saturating_sub(io.decoded.len().saturating_sub(before));
            if io.room == 0 {
                continue;
            }
            match io.session.handle_input(now, input) {
                Ok(Some(event)) => self.take_event(io, shared, event)?,
                Ok(None) => return Ok(()),
                Err(error) => return Err(CloseReason::Protocol(error)),
            }
        }
    }

    fn take_event(
        self: &Arc<Self>,
        io: &mut Io,
        shared: &Arc<SocketShared>,
        event: Event,
    ) -> Result<(), CloseReason> {
        match event {
            Event::Message(message) => {
                io.room = io.room.saturating_sub(1);
                io.decoded_octets = io.decoded_octets.saturating_add(message.byte_len());
                io.decoded.push_back(Item::Message(message));
            }
            Event::Subscribe(topic) => {
                self.deliver(io, shared);
                let mut core = shared.lock();
                let Some(key) = self.key() else { return Ok(()) };
                let taken = core.pattern.handle_subscribe(key, topic);
                core.settle(&mut io.effects);
                core.note_subscribers(&mut io.effects);
                // XPUB tells its application of each.
                io.effects.wake |= core.pattern.can_receive();
                drop(core);
                taken.map_err(CloseReason::Fault)?;
            }
            Event::Cancel(topic) => {
                self.deliver(io, shared);
                let mut core = shared.lock();
                let Some(key) = self.key() else { return Ok(()) };
                let taken = core.pattern.handle_cancel(key, topic);
                core.settle(&mut io.effects);
                core.note_subscribers(&mut io.effects);
                // XPUB tells its application of each.
                io.effects.wake |= core.pattern.can_receive();
                drop(core);
                taken.map_err(CloseReason::Fault)?;
            }
            // The handshake is over; RADIO and DISH are not served yet.
            _ => {}
        }
        Ok(())
    }

    /// Puts what was cut into the pipe and asks how much more it takes.
    fn deliver(&self, io: &mut Io, shared: &SocketShared) {
        if io.decoded.is_empty() && io.room > 0 {
            return;
        }
        let count = io.decoded.len();
        let mut octets = std::mem::take(&mut io.decoded_octets);
        let mut core = shared.lock();
        core.counters.arrived = core.counters.arrived.saturating_add(count as u64);
        core.bulk = core.bulk.wrapping_add((octets / BULK) as u64);
        if !core.receives {
            io.decoded.clear();
            io.room = CUT;
            core.lose_quietly(DropReason::Unexpected, count as u64);
            return;
        }
        let key = self.key();
        let Some((key, pipe)) = key.and_then(|key| Some((key, core.pipe(key)?))) else {
            core.counters
                .lose(crate::counters::Loss::Unread, count as u64);
            io.decoded.clear();
            io.room = CUT;
            return;
        };
        let mut replaced = 0;
        if pipe.marks.conflate && count > 0 {
            replaced = pipe.input.len().saturating_add(count).saturating_sub(1);
            pipe.input.clear();
            io.decoded.drain(..count.saturating_sub(1));
            octets = io.decoded.back().map_or(0, Item::octets);
            pipe.input_octets = 0;
        }
        if let Some(properties) = &io.properties {
            let mut references = References::to(properties);
            for item in &mut io.decoded {
                let Item::Message(message) = item else {
                    continue;
                };
                message.set_properties(Some(references.next()));
            }
        }
        pipe.append_input(&mut io.decoded, octets);
        if io.decoded.capacity() > 2 * CUT {
            // What a peer once sent at once is not kept for it.
            io.decoded = VecDeque::new();
        }
        let room = pipe.input_room();
        if room == 0 {
            pipe.paused = true;
        }
        io.paused = room == 0;
        // Marks may change at any time, so the pipe is asked again now and then.
        io.room = room.min(CUT);
        if count > 0 {
            core.pattern.set_readable(key);
        }
        core.counters
            .lose(crate::counters::Loss::Conflated, replaced as u64);
        drop(core);
        // Whoever is woken wants to answer, and finds the link free if it is let go first.
        io.effects.wake |= count > 0;
    }
}

/// Whether there was nothing to read.
fn is_dry(met: &io::Result<usize>) -> bool {
    matches!(met, Err(error) if error.kind() == io::ErrorKind::WouldBlock)
}

/// Sorts the reasons for which nothing was read.
fn unread(error: &io::Error) -> Result<Read, CloseReason> {
    match error.kind() {
        io::ErrorKind::WouldBlock => Ok(Read::Dry),
        io::ErrorKind::Interrupted => Ok(Read::More(0)),
        _ => Err(CloseReason::io(error)),
    }
}

impl From<WireError> for CloseReason {
    fn from(error: WireError) -> CloseReason {
        CloseReason::Protocol(error)
    }
}
