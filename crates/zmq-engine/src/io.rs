//! What the holder of a link works with: the stream, the session, and what is under way between them.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::sync::Arc;

use smallvec::SmallVec;
use zmq_transport::{ByteStream, FramedStream, Source};
use zmtp_wire::{Properties, Session};

use crate::clock::Nanos;
use crate::effects::Effects;
use crate::monitor::CloseReason;
use crate::pace::WRITE_OCTETS;
use crate::pipe::Item;
use crate::poller::Interest;
use crate::pool::Turn;
use crate::shared::SocketShared;

/// The most chunks handed to one write.
const CHUNKS: usize = 64;

/// Messages from here on are not copied, so that many of them may leave with one write.
const LARGE: usize = 16 * 1024;

/// Octets that are offered to the kernel at once, of large messages: each call pushes out what it brought, and pauses. What is under way should stay
/// in the nearer cache: with 1 MiB at once, a third less of 64 KiB each. A message that is longer goes whole; cut to pieces it takes a
/// quarter longer.
const LARGE_WRITE: usize = 256 * 1024;

/// Writes of so many octets send their head by itself.
const HEADED: usize = 128 * 1024;

/// The head of a large write. It sets the peer to work while the kernel copies the rest. Measured over loopback with 1 MiB messages: heads
/// of 1 to 256 KiB give 5.4 to 6.5 thousand messages a second, no head 4.7, eight equal parts 3.7.
const HEAD: usize = 8 * 1024;

/// The flags octet of a unit that holds a command.
const UNIT_COMMAND: u8 = 2;

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
    /// Part of the message under way on a framed stream has left.
    begun: bool,
    pub(crate) leftover: Option<Leftover>,
    /// The latest frames were large.
    pub(crate) large: bool,
    /// How often it may still be looked in vain for the rest of a large frame before whoever reads sleeps.
    pub(crate) patience: u8,
    /// When it was its turn to be read.
    pub(crate) read_at: Turn,
    /// Reading stopped at the mark.
    pub(crate) paused: bool,
    /// The kernel takes no more for now.
    pub(crate) stalled: bool,
    /// Why it cannot be written to any more, while there is something left to read.
    pub(crate) failed: Option<Box<CloseReason>>,
    /// What the poller was last told.
    pub(crate) interest: Interest,
    /// Whether the descriptor is in the socket's poller.
    pub(crate) watched: bool,
    /// Cut from the input and not yet delivered.
    pub(crate) decoded: VecDeque<Item>,
    /// Octets of these.
    pub(crate) decoded_octets: usize,
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
            begun: false,
            leftover: None,
            large: false,
            patience: 0,
            read_at: Turn::default(),
            paused: false,
            stalled: false,
            failed: None,
            interest: Interest::NONE,
            watched: false,
            decoded: VecDeque::new(),
            decoded_octets: 0,
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

    /// Hands encoded octets to the kernel. `freed` counts the messages that have wholly left, and their octets, those that left
    /// before an error included.
    pub(crate) fn write_out(&mut self, freed: &mut (usize, usize)) -> Result<(), CloseReason> {
        match &self.channel {
            Some(Channel::Bytes(_)) => self.write_stream(freed),
            Some(Channel::Framed(_)) => self.write_units(freed),
            None => Ok(()),
        }
    }

    /// Writes what a handshake has to say, where no message can be.
    pub(crate) fn write_handshake(&mut self) -> Result<(), CloseReason> {
        self.write_out(&mut (0, 0))
    }

    fn write_stream(&mut self, freed: &mut (usize, usize)) -> Result<(), CloseReason> {
        self.stalled = false;
        let mut headed = false;
        while self.session.output_len() > 0 {
            let Some(Channel::Bytes(stream)) = &mut self.channel else {
                return Ok(());
            };
            let mut chunks: SmallVec<[IoSlice<'_>; CHUNKS]> = SmallVec::new();
            headed = !headed && self.session.output_len() >= HEADED;
            let most = if headed { HEAD } else { usize::MAX };
            let mut offered = 0;
            for chunk in self.session.output_chunks().take(CHUNKS) {
                let chunk = chunk.get(..most - offered).unwrap_or(chunk);
                if chunk.is_empty() {
                    break;
                }
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
                Ok(()) => self.begun |= self.encoded > 0 && unit.first() != Some(&UNIT_COMMAND),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.unit = Some(unit);
                    self.stalled = true;
                    return Ok(());
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => self.unit = Some(unit),
                Err(error) => return Err(CloseReason::io(&error)),
            }
        }
        // Units carry no message boundaries, so one message is encoded at a time: it has left when all of them have.
        self.begun = false;
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
            if let Some(Item::Pack(pack)) = self.batch.front_mut() {
                let gone = pack.let_go(left);
                left = left.saturating_sub(gone);
                freed.0 += gone;
                if !pack.is_empty() {
                    continue;
                }
                freed.1 += pack.body_octets();
                self.batch.pop_front();
                self.encoded = self.encoded.saturating_sub(1);
                continue;
            }
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
    pub(crate) fn encode(&mut self) {
        while let Some(item) = self.batch.get_mut(self.encoded) {
            let octets = self.session.output_len();
            let more = item.octets().saturating_add(item.heads());
            let full = match item {
                Item::Message(_) if more >= LARGE => octets >= LARGE_WRITE,
                _ => octets > 0 && octets.saturating_add(more) > WRITE_OCTETS,
            };
            if full {
                break;
            }
            match item {
                Item::Message(message) => self.session.send(message),
                Item::Subscribe(topic) => self.session.subscribe(topic),
                Item::Cancel(topic) => self.session.cancel(topic),
                Item::Pack(pack) => self.session.send_pack(pack),
                // For inproc peers only.
                Item::Shared(messages) => messages.iter().for_each(|one| self.session.send(one)),
            }
            self.encoded += 1;
            if matches!(self.channel, Some(Channel::Framed(_))) {
                break;
            }
        }
    }

    /// Whether a part of a message has left, and the rest has not.
    pub(crate) fn is_cut(&self) -> bool {
        match &self.channel {
            Some(Channel::Framed(_)) => self.begun,
            _ => self.session.output_cut(),
        }
    }

    /// Wakes those who wait before the link is let go, because that may take a while.
    pub(crate) fn wake_now(&mut self, shared: &SocketShared) {
        if std::mem::take(&mut self.effects.wake) {
            shared.wake();
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
