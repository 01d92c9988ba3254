//! The names under which the sockets of one context meet. The table belongs to the context.

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use zmq_patterns::PeerKey;
use zmtp_wire::SocketType;

use crate::shared::SocketShared;

/// A name that is bound.
#[derive(Debug)]
struct Bound {
    socket: Weak<SocketShared>,
    socket_type: SocketType,
}

/// A socket that connected before anybody was bound.
#[derive(Debug)]
pub(crate) struct Pending {
    pub(crate) socket: Weak<SocketShared>,
    pub(crate) key: PeerKey,
    pub(crate) dialer: u64,
}

/// The names of one context.
#[derive(Debug, Default)]
pub(crate) struct Names {
    bound: HashMap<String, Bound>,
    pending: HashMap<String, Vec<Pending>>,
}

impl Names {
    /// Binds a name; gives those who wait for it, or nothing if it is taken.
    pub(crate) fn bind(
        &mut self,
        name: &str,
        socket: &Arc<SocketShared>,
        socket_type: SocketType,
    ) -> Option<Vec<Pending>> {
        let taken = self
            .bound
            .get(name)
            .is_some_and(|bound| bound.socket.strong_count() > 0);
        if taken {
            return None;
        }
        let bound = Bound {
            socket: Arc::downgrade(socket),
            socket_type,
        };
        self.bound.insert(name.to_owned(), bound);
        Some(self.pending.remove(name).unwrap_or_default())
    }

    pub(crate) fn unbind(&mut self, name: &str, socket: &Arc<SocketShared>) {
        let ours = self
            .bound
            .get(name)
            .is_some_and(|bound| bound.socket.as_ptr() == Arc::as_ptr(socket));
        if ours {
            self.bound.remove(name);
        }
    }

    pub(crate) fn find(&self, name: &str) -> Option<(Arc<SocketShared>, SocketType)> {
        let bound = self.bound.get(name)?;
        Some((bound.socket.upgrade()?, bound.socket_type))
    }

    pub(crate) fn wait(&mut self, name: &str, pending: Pending) {
        let list = self.pending.entry(name.to_owned()).or_default();
        list.retain(|pending| pending.socket.strong_count() > 0);
        list.push(pending);
    }

    /// The peers of a socket that wait for a name to be bound.
    pub(crate) fn pending_of(&self, socket: &Arc<SocketShared>) -> Vec<PeerKey> {
        self.pending
            .values()
            .flatten()
            .filter(|pending| pending.socket.as_ptr() == Arc::as_ptr(socket))
            .map(|pending| pending.key)
            .collect()
    }

    pub(crate) fn forget(&mut self, socket: &Arc<SocketShared>, dialer: Option<u64>) {
        let ours = |pending: &Pending| {
            pending.socket.as_ptr() == Arc::as_ptr(socket)
                && dialer.is_none_or(|dialer| pending.dialer == dialer)
        };
        for list in self.pending.values_mut() {
            list.retain(|pending| !ours(pending));
        }
        self.pending.retain(|_, list| !list.is_empty());
    }
}
