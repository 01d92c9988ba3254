//! Wakers for streams and listeners that have no descriptor to watch.

use std::sync::{Arc, Weak};
use std::task::{Wake, Waker};

use zmq_patterns::PeerKey;

use crate::context::{Command, ContextShared};
use crate::shared::{Notice, SocketShared};

struct DriverWake {
    ctx: Weak<ContextShared>,
    token: u64,
}

impl Wake for DriverWake {
    fn wake(self: Arc<Self>) {
        if let Some(ctx) = self.ctx.upgrade() {
            ctx.command(Command::Woken { token: self.token });
        }
    }
}

struct LinkWake {
    socket: Weak<SocketShared>,
    key: PeerKey,
}

impl Wake for LinkWake {
    fn wake(self: Arc<Self>) {
        if let Some(socket) = self.socket.upgrade() {
            socket.post(Notice::Woken(self.key));
        }
    }
}

/// Wakes the driver for what `token` names.
pub(crate) fn driver_waker(ctx: &Arc<ContextShared>, token: u64) -> Waker {
    Waker::from(Arc::new(DriverWake {
        ctx: Arc::downgrade(ctx),
        token,
    }))
}

/// Wakes whoever drives the socket of a live link.
pub(crate) fn link_waker(socket: &Arc<SocketShared>, key: PeerKey) -> Waker {
    Waker::from(Arc::new(LinkWake {
        socket: Arc::downgrade(socket),
        key,
    }))
}
