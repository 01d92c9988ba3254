//! The end of a link: what was not sent goes back to its pipe or is counted.

use std::collections::VecDeque;
use std::sync::{Arc, MutexGuard};

use zmq_patterns::DropReason;

use crate::context::Command;
use crate::core::Life;
use crate::counters::Loss;
use crate::io::{Channel, Io};
use crate::link::Link;
use crate::monitor::{CloseReason, Happening};
use crate::pipe::{Item, Pace, Pipe};
use crate::shared::SocketShared;

/// The most blocks read away before a link is closed all the same.
const READS_AWAY: usize = 64;

impl Link {
    /// Closes a live link. Waits for whoever drives it.
    pub(crate) fn close(self: &Arc<Self>, shared: &Arc<SocketShared>, reason: CloseReason) {
        let io = self.lock();
        self.close_held(io, shared, reason);
    }

    pub(crate) fn close_held(
        self: &Arc<Self>,
        mut io: MutexGuard<'_, Io>,
        shared: &Arc<SocketShared>,
        reason: CloseReason,
    ) {
        if io.channel.is_none() {
            return;
        }
        let freed = last_words(&mut io, shared, &reason);
        let cut = io.is_cut();
        let (batch, descriptor) = self.hang_up(&mut io, shared);
        let mut effects = std::mem::take(&mut io.effects);
        drop(io);

        let mut core = shared.lock();
        let key = self
            .key()
            .filter(|key| core.link(*key).is_some_and(|link| Arc::ptr_eq(&link, self)));
        let (Some(key), open, immediate) = (key, core.life != Life::Closed, core.options.immediate)
        else {
            // Its pipe was taken away, and the books are closed.
            drop(core);
            shared.run(effects);
            return;
        };
        core.counters.transmitted = core.counters.transmitted.saturating_add(freed as u64);
        let Some(pipe) = core.pipe(key) else { return };
        let endpoint = pipe.facts.endpoint.clone();
        let address = pipe.facts.address.take();
        let dialer = pipe.dialer;
        let keep = dialer.is_some() && !immediate && open;
        let (lost, full) = reclaim(pipe, batch, cut, keep);
        let gone = dialer.is_none();
        pipe.dying = gone;
        if reason == CloseReason::Replaced {
            core.lose_input(key, DropReason::HandedOver);
        }
        let drained = core.pipe(key).is_none_or(|pipe| pipe.input.is_empty());
        core.bursts.end(key);
        core.link_down(key);
        if gone {
            core.pattern.retire(key);
        } else {
            core.pattern.set_writable(key, !full);
        }
        core.lose(Loss::Cut, u64::from(cut), &endpoint);
        core.lose(Loss::PeerLeft, lost as u64, &endpoint);
        if gone && drained {
            core.detach(key, Loss::PeerLeft);
        }
        let transient = reason.is_transient();
        core.report(
            &endpoint,
            address.as_deref(),
            Happening::Closed {
                reason,
                was_ready: true,
                descriptor,
            },
        );
        core.settle(&mut effects);
        core.note_subscribers(&mut effects);
        drop(core);
        effects.wake = true;
        if let Some(dialer) = dialer {
            shared.ctx.command(Command::LinkLost { dialer, transient });
        }
        shared.run(effects);
    }
}

impl Link {
    /// Closes the stream; gives what had been taken for it, and the descriptor it had.
    fn hang_up(&self, io: &mut Io, shared: &SocketShared) -> (VecDeque<Item>, Option<i32>) {
        let channel = self.take_channel(io, shared);
        let descriptor = channel.as_ref().and_then(Channel::descriptor);
        drop(channel);
        io.encoded = 0;
        if let Some(buffer) = io.session.reclaim_buffer() {
            shared.ctx.pool.return_write(buffer);
        }
        (std::mem::take(&mut io.batch), descriptor)
    }
}

/// What is still to be done on a stream that is about to close; gives the number of messages that left thereby.
fn last_words(io: &mut Io, shared: &SocketShared, reason: &CloseReason) -> usize {
    let mut freed = (0, 0);
    match reason {
        CloseReason::Protocol(_) => {
            // The session may have a last word: an ERROR command. One try, and no more.
            let _ = io.write_out(&mut freed);
        }
        CloseReason::ByUs => read_away(io, shared),
        _ => {}
    }
    freed.0
}

/// Empties what the kernel holds for us. A TCP connection that is closed over unread octets is reset, and with it go octets of
/// ours that the kernel has not delivered yet.
fn read_away(io: &mut Io, shared: &SocketShared) {
    let Some(Channel::Bytes(stream)) = &mut io.channel else {
        return;
    };
    let mut buffer = shared.ctx.pool.read_buffer();
    for _ in 0..READS_AWAY {
        if !matches!(stream.try_read(&mut buffer), Ok(octets) if octets > 0) {
            break;
        }
    }
    shared.ctx.pool.return_read(buffer);
}

/// Puts what a link had taken and not sent back into the pipe, in order, if it is kept; gives how many were lost instead, and
/// whether the pipe is at its mark.
fn reclaim(pipe: &mut Pipe, mut batch: VecDeque<Item>, cut: bool, keep: bool) -> (usize, bool) {
    pipe.in_flight = 0;
    pipe.in_flight_octets = 0;
    pipe.stalled = false;
    pipe.paused = false;
    pipe.broken = false;
    pipe.pace = Pace::Idle;
    batch.append(&mut pipe.out);
    // The next link may speak another dialect.
    let mut batch: VecDeque<Item> = batch.into_iter().flat_map(Item::unpack).collect();
    if cut {
        while batch.pop_front().is_some_and(|item| !item.is_message()) {}
    }
    // Subscriptions are sent anew on the next link.
    batch.retain(Item::is_message);
    pipe.out = batch;
    let mut lost = 0;
    if !keep {
        lost = pipe.out.len();
        pipe.out.clear();
    }
    pipe.recount();
    // Nothing new goes to a peer whose endpoint was taken back.
    pipe.full = pipe.leaving || pipe.is_full();
    (lost, pipe.full)
}

impl CloseReason {
    /// Whether the dialing side may try again.
    pub(crate) fn is_transient(&self) -> bool {
        match self {
            CloseReason::Protocol(error) => error.is_transient(),
            // Two links with one name would take it from each other for ever.
            CloseReason::Replaced => false,
            CloseReason::Fault(_) | CloseReason::UnusableTransport | CloseReason::ByUs => false,
            CloseReason::SameSide(_) => false,
            CloseReason::Denied { status, .. } => *status == 300,
            _ => true,
        }
    }
}
