//! What a sender hears from its peers, and how often: their subscriptions, and that they have room again.
//!
//! A program that has subscribed and publishes right afterwards expects its message to arrive when the subscription was there
//! first. It is in the kernel, and the driver would read it in its own time, so a publisher looks before it publishes.
//!
//! libzmq's senders hear that a queue has room again once in a while and not at each message. Programs that refuse to lose
//! messages (`ZMQ_XPUB_NODROP`, `ZMQ_ROUTER_MANDATORY`) count on it: a burst beyond the mark is answered with `EAGAIN` although
//! the kernel would take more, and that is how they learn to slow down.

use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use zmq_engine::{Socket, SocketType};

use crate::boundary::Outcome;
use crate::clock::Moment;
use crate::errno::Errno;
use crate::raw::{self, POLLIN, pollfd};

/// The shortest time between two looks.
const PAUSE: Duration = Duration::from_millis(1);

#[derive(Debug, Default)]
struct State {
    /// When it has looked last.
    last: Option<Moment>,
    /// Messages accepted since.
    ahead: usize,
}

/// What a socket that publishes or routes has heard.
#[derive(Debug)]
pub(crate) struct Hearing {
    state: Mutex<State>,
    /// Whether messages are refused rather than lost.
    strict: AtomicBool,
    /// The send mark; zero is none.
    mark: AtomicUsize,
}

impl Hearing {
    /// For sockets of this type, if they have any use for it.
    pub(crate) fn of(kind: SocketType) -> Option<Hearing> {
        use SocketType::{Pub, Router, XPub};
        matches!(kind, Pub | XPub | Router).then(|| Hearing {
            state: Mutex::default(),
            strict: AtomicBool::new(false),
            mark: AtomicUsize::new(1000),
        })
    }

    pub(crate) fn set_strict(&self, strict: bool) {
        self.strict.store(strict, Ordering::Relaxed);
    }

    pub(crate) fn set_mark(&self, mark: usize) {
        self.mark.store(mark, Ordering::Relaxed);
    }

    /// Before a message: looks, unless it did a moment ago. Without looking, no more messages are accepted at once than the marks
    /// of all peers allow.
    pub(crate) fn hear(&self, socket: &Socket, at_once: bool) -> Outcome<()> {
        let now = Moment::now();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state
            .last
            .is_none_or(|last| now.duration_since(last) >= PAUSE)
        {
            *state = State {
                last: Some(now),
                ahead: 1,
            };
            drop(state);
            if socket.socket_type() != SocketType::Router {
                look(socket);
            }
            return Ok(());
        }
        let mark = self.mark.load(Ordering::Relaxed);
        let strict = at_once && mark > 0 && self.strict.load(Ordering::Relaxed);
        if strict && state.ahead >= mark && is_beyond(socket, state.ahead, mark) {
            // Whoever comes again looks first.
            state.last = None;
            return Err(Errno::AGAIN);
        }
        state.ahead = state.ahead.saturating_add(1);
        Ok(())
    }
}

/// Whether so many messages may be more than the queues of all peers hold. Peers within the context count by themselves.
fn is_beyond(socket: &Socket, ahead: usize, mark: usize) -> bool {
    let peers = socket.peers();
    let within = peers
        .iter()
        .any(|peer| peer.endpoint.starts_with("inproc://"));
    !within && !peers.is_empty() && ahead >= mark.saturating_mul(peers.len())
}

/// Reads the subscriptions that have arrived.
fn look(socket: &Socket) {
    let mut fds = [pollfd {
        fd: socket.descriptor().as_raw_fd(),
        events: POLLIN,
        revents: 0,
    }];
    // A signal may end it, and it will be done again.
    if raw::poll(&mut fds, Some(Duration::ZERO), std::ptr::null()).is_ok_and(|ready| ready > 0) {
        let _ = socket.events();
    }
}
