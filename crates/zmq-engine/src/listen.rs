//! Accepting peers.

use std::io;
use std::sync::Arc;

use zmq_transport::{Listener, Source};

use crate::context::token;
use crate::core::Life;
use crate::driver::{Driver, Timer};
use crate::monitor::{CloseReason, Happening};
use crate::poller::Interest;
use crate::shake::{Origin, Whence};
use crate::shared::SocketShared;
use crate::wakers::driver_waker;

/// Peers accepted at one endpoint before others have their turn.
const TURN_ACCEPTS: usize = 16;

/// The first and the longest pause after accepting has failed, for want of descriptors, say.
const PAUSE_MILLIS: (u64, u64) = (10, 1_000);

pub(crate) struct ListenerState {
    listener: Box<dyn Listener>,
    pub(crate) socket: Arc<SocketShared>,
    endpoint: Arc<str>,
    pause: u64,
}

impl Driver {
    pub(crate) fn listen(
        &mut self,
        id: u64,
        socket: Arc<SocketShared>,
        mut listener: Box<dyn Listener>,
        endpoint: String,
    ) {
        if socket.lock().life == Life::Closed {
            return;
        }
        match listener.source() {
            Source::Descriptor(fd) => {
                if let Err(error) = self
                    .ctx
                    .poller
                    .add(fd, token::LISTENER | id, Interest::READ)
                {
                    report_failure(&socket, &endpoint, &error);
                    return;
                }
            }
            _ => listener.set_waker(&driver_waker(&self.ctx, token::LISTENER | id)),
        }
        let state = ListenerState {
            listener,
            socket,
            endpoint: endpoint.into(),
            pause: PAUSE_MILLIS.0,
        };
        self.listeners.insert(id, state);
        self.accept(id);
    }

    pub(crate) fn stop_listening(&mut self, id: u64) {
        let Some(state) = self.listeners.remove(&id) else {
            return;
        };
        let descriptor = crate::monitor::descriptor_of(&state.listener.source());
        if let Source::Descriptor(fd) = state.listener.source() {
            self.ctx.poller.remove(fd);
        }
        let ListenerState {
            listener,
            socket,
            endpoint,
            ..
        } = state;
        drop(listener);
        let mut core = socket.lock();
        core.report(&endpoint, None, Happening::StoppedListening { descriptor });
    }

    pub(crate) fn accept(&mut self, id: u64) {
        for _ in 0..TURN_ACCEPTS {
            let Some(state) = self.listeners.get_mut(&id) else {
                return;
            };
            let connection = match state.listener.try_accept() {
                Ok(connection) => connection,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    state.pause = PAUSE_MILLIS.0;
                    return;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    report_failure(&state.socket, &state.endpoint, &error);
                    // The transport passes over what is wrong with single connections: this lasts, and would be reported without
                    // end.
                    self.pause_accepting(id);
                    return;
                }
            };
            let filter = state.socket.lock().options.accept_filter.clone();
            if filter.is_some_and(|filter| !filter.admits(connection.peer_address())) {
                let refused =
                    io::Error::from_raw_os_error(rustix::io::Errno::ACCESS.raw_os_error());
                report_failure(&state.socket, &state.endpoint, &refused);
                continue;
            }
            let whence = Whence {
                socket: Arc::clone(&state.socket),
                origin: Origin::Accepted,
                endpoint: Arc::clone(&state.endpoint),
                address: String::new(),
            };
            self.make_place();
            self.begin_shaking(connection, whence);
        }
        // More may be waiting; a stream without a descriptor will not tell again.
        if let Some(state) = self.listeners.get(&id)
            && !matches!(state.listener.source(), Source::Descriptor(_))
        {
            let token = token::LISTENER | id;
            self.ctx.command(crate::context::Command::Woken { token });
        }
    }

    /// Out of descriptors, say: a level-triggered listener would be reported without end.
    fn pause_accepting(&mut self, id: u64) {
        let Some(state) = self.listeners.get_mut(&id) else {
            return;
        };
        if let Source::Descriptor(fd) = state.listener.source() {
            self.ctx.poller.remove(fd);
        }
        let at = self.ctx.clock.now().plus_millis(state.pause);
        state.pause = state.pause.saturating_mul(2).min(PAUSE_MILLIS.1);
        self.timers.set(at, Timer::Accept(id));
    }

    pub(crate) fn accept_again(&mut self, id: u64) {
        let Some(state) = self.listeners.get_mut(&id) else {
            return;
        };
        if let Source::Descriptor(fd) = state.listener.source() {
            // Refused only if it is watched already.
            let _ = self
                .ctx
                .poller
                .add(fd, token::LISTENER | id, Interest::READ);
        }
        self.accept(id);
    }

    /// Closes the oldest handshake when there are as many as may be.
    fn make_place(&mut self) {
        if self.accepted_shaking < self.ctx.max_handshakes {
            return;
        }
        let oldest = self
            .shaking
            .iter()
            .find(|(_, shaking)| shaking.whence.origin == Origin::Accepted)
            .map(|(id, _)| *id);
        if let Some(oldest) = oldest {
            self.end_shaking(oldest, CloseReason::Evicted);
        }
    }
}

fn report_failure(socket: &SocketShared, endpoint: &str, error: &io::Error) {
    socket.lock().report(
        endpoint,
        None,
        Happening::AcceptFailed {
            errno: error.raw_os_error(),
            error: error.to_string(),
        },
    );
}
