//! The driver sees closing sockets to their end.

use std::sync::{Arc, PoisonError};

use crate::clock::Nanos;
use crate::closing::CloseReport;
use crate::core::Life;
use crate::driver::{Closing, Driver, Timer};
use crate::effects::Effects;
use crate::monitor::{CloseReason, Happening};
use crate::pipe::Carrier;
use crate::shared::SocketShared;

impl Driver {
    pub(crate) fn begin_closing(&mut self, socket: Arc<SocketShared>, deadline: Nanos) {
        socket.watch();
        socket.flush();
        self.timers.set(deadline, Timer::Close);
        self.closing.push(Closing { socket, deadline });
    }

    /// Ends the sockets whose output has left, or whose time is over.
    pub(crate) fn close_finished(&mut self) {
        if self.leaving {
            self.leave_finished();
        }
        if self.closing.is_empty() {
            return;
        }
        let now = self.ctx.clock.now();
        let mut stay = Vec::new();
        for closing in std::mem::take(&mut self.closing) {
            // Within a context that is over, a name that nobody has bound will not be bound any more.
            let hopeless = if self.ctx.is_ending() {
                self.ctx.names().pending_of(&closing.socket)
            } else {
                Vec::new()
            };
            let unsent = closing.socket.lock().unsent_but(&hopeless);
            if unsent > 0 && now < closing.deadline {
                stay.push(closing);
            } else {
                self.end_socket(&closing.socket);
            }
        }
        self.closing = stay;
    }

    pub(crate) fn end_socket(&mut self, socket: &Arc<SocketShared>) {
        self.forget_socket(socket);
        self.patrol.retain(|other| other.id != socket.id);
        let mut effects = Effects::default();
        let mut core = socket.lock();
        core.life = Life::Closed;
        core.hand_over_all(&mut effects);
        let mut links = Vec::new();
        let mut ended = Vec::new();
        let mut unread = 0;
        for (_, pipe) in core.pipes() {
            match &pipe.carrier {
                Carrier::Link(link) => links.push(Arc::clone(link)),
                Carrier::Inproc(lane, side) => {
                    let (notice, lost) = lane.close(*side);
                    effects.notices.extend(notice);
                    unread += lost;
                }
                Carrier::None => {}
            }
            if pipe.live {
                ended.push((pipe.facts.endpoint.clone(), pipe.facts.address.clone()));
            }
        }
        core.counters.lose(crate::counters::Loss::Unread, unread);
        let unsent = core.lose_all_unsent();
        for (endpoint, address) in ended {
            core.report(
                &endpoint,
                address.as_deref(),
                Happening::Closed {
                    reason: CloseReason::ByUs,
                    was_ready: true,
                    descriptor: None,
                },
            );
        }
        let monitors = std::mem::take(&mut core.monitors);
        drop(core);
        for link in links {
            link.close(socket, CloseReason::ByUs);
        }
        socket.run(effects);
        for monitor in monitors {
            monitor.end();
        }
        self.ctx.poller.remove_poller(&socket.poller);
        self.ctx
            .sockets
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&socket.id);
        socket.wake();
        socket.close_state.finish(CloseReport { unsent });
        self.ctx.closing_ended();
        self.ctx.idle.raise();
    }

    /// Lets go of everything that belongs to a socket.
    fn forget_socket(&mut self, socket: &Arc<SocketShared>) {
        let ours = |other: &Arc<SocketShared>| Arc::ptr_eq(other, socket);
        // Before their handshakes end: what waits behind one is counted with the rest, and not as a peer that was given up.
        self.drop_dialers(socket);
        let listeners: Vec<u64> = self
            .listeners
            .iter()
            .filter(|(_, state)| ours(&state.socket))
            .map(|(id, _)| *id)
            .collect();
        for id in listeners {
            self.stop_listening(id);
        }
        let shaking: Vec<u64> = self
            .shaking
            .iter()
            .filter(|(_, shaking)| ours(&shaking.whence.socket))
            .map(|(id, _)| *id)
            .collect();
        for id in shaking {
            self.end_shaking(id, CloseReason::ByUs);
        }
        self.ctx.names().forget(socket, None);
    }
}
