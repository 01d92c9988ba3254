//! Waiting with the reactor of the tokio runtime that runs the task.
//!
//! It tells of changes only, once each. What it has told is cleared before the socket is looked at, and where the socket is
//! not looked at until nothing is left (a sender stops when it has room), whether something is left is asked before sleeping.

use std::fmt;
use std::future::Future;
use std::io;
use std::os::fd::OwnedFd;
use std::pin::Pin;
use std::sync::OnceLock;
use std::task::{Context, Poll};

use tokio::io::Interest;
use tokio::io::unix::{AsyncFd, AsyncFdReadyGuard};
use tokio::runtime::{Handle, Id};
use zmq_engine::Socket;

/// The registration of a socket with the first runtime in which a task waited for it.
#[derive(Debug, Default)]
pub(crate) struct Readiness(OnceLock<Option<(Id, AsyncFd<OwnedFd>)>>);

impl Readiness {
    /// A wait by means of this runtime, if there is one and it is the first.
    pub(crate) fn wait<'a>(&'a self, socket: &'a Socket) -> Option<Wait<'a>> {
        let id = Handle::try_current().ok()?.id();
        let (first, descriptor) = self
            .0
            .get_or_init(|| Some((id, register(socket).ok()?)))
            .as_ref()?;
        (*first == id).then_some(Wait {
            socket,
            descriptor,
            readable: None,
        })
    }
}

/// Registers a duplicate of the socket's descriptor.
#[allow(deprecated)]
fn register(socket: &Socket) -> io::Result<AsyncFd<OwnedFd>> {
    let duplicate = socket.descriptor().try_clone_to_owned()?;
    // Deprecated because a type may say that it is a descriptor and not keep it open. This one does.
    AsyncFd::with_interest(duplicate, Interest::READABLE)
}

type Readable<'a> =
    Pin<Box<dyn Future<Output = io::Result<AsyncFdReadyGuard<'a, OwnedFd>>> + Send + Sync + 'a>>;

/// One task's wait.
pub(crate) struct Wait<'a> {
    socket: &'a Socket,
    descriptor: &'a AsyncFd<OwnedFd>,
    readable: Option<Readable<'a>>,
}

impl Wait<'_> {
    /// Ready when the descriptor says that something has changed; an error if the runtime has ended.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let readable = self
            .readable
            .get_or_insert_with(|| Box::pin(self.descriptor.readable()));
        let Poll::Ready(told) = readable.as_mut().poll(cx) else {
            if self.socket.is_ready() {
                // It was told before, and will not be told again.
                cx.waker().wake_by_ref();
            }
            return Poll::Pending;
        };
        self.readable = None;
        told?.clear_ready();
        Poll::Ready(Ok(()))
    }
}

impl fmt::Debug for Wait<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wait").finish_non_exhaustive()
    }
}
