//! What an implementation under measurement has to be able to do.

use std::error::Error;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

/// What the calls of an implementation end with.
pub(crate) type Result<T, E = Box<dyn Error + Send + Sync>> = std::result::Result<T, E>;

/// An implementation under measurement. Its calls are futures, so that one set of loops serves those that block and those
/// that do not: a call that blocks is a future that is ready when it is first looked at ([`at_once`]).
pub trait Contender: Sync {
    /// A socket. It stays on the thread that opened it.
    type Socket;

    /// Runs one end of a run, on the calling thread. Those with a runtime of their own start it here.
    fn run<T>(&self, work: impl Future<Output = T>) -> T {
        at_once(work)
    }

    /// Lets some time pass, during which the implementation can do what it likes.
    fn pause(&self, time: Duration) -> impl Future<Output = ()> {
        async move { thread::sleep(time) }
    }

    /// Opens a socket of the named type (`PUSH`, `SUB`). With `unbounded`, both its high-water marks are off. `PUB` is one
    /// that can be asked to [wait for subscribers](Contender::wait_subscribers), `PLAIN-PUB` need not be.
    fn open(&self, kind: &str, unbounded: bool) -> impl Future<Output = Result<Self::Socket>>;

    /// Binds, and returns the endpoint as really bound.
    fn bind(
        &self,
        socket: &mut Self::Socket,
        endpoint: &str,
    ) -> impl Future<Output = Result<String>>;

    /// Connects.
    fn connect(
        &self,
        socket: &mut Self::Socket,
        endpoint: &str,
    ) -> impl Future<Output = Result<()>>;

    /// Subscribes to all topics that begin so.
    fn subscribe(
        &self,
        socket: &mut Self::Socket,
        topic: &[u8],
    ) -> impl Future<Output = Result<()>>;

    /// Waits until a PUB socket has this many subscribers.
    fn wait_subscribers(
        &self,
        socket: &mut Self::Socket,
        count: u64,
    ) -> impl Future<Output = Result<()>>;

    /// Sends a message of one frame, without copying it where the implementation can.
    fn send(
        &self,
        socket: &mut Self::Socket,
        octets: &'static [u8],
    ) -> impl Future<Output = Result<()>>;

    /// Sends the same message many times. Better than the default is a loop over the one socket that is meant, and for those that block
    /// one without futures.
    fn send_many(
        &self,
        socket: &mut Self::Socket,
        octets: &'static [u8],
        count: u64,
    ) -> impl Future<Output = Result<()>> {
        async move {
            for _ in 0..count {
                self.send(socket, octets).await?;
            }
            Ok(())
        }
    }

    /// Receives many messages, all of this size. As with [`send_many`](Contender::send_many).
    fn recv_many(
        &self,
        socket: &mut Self::Socket,
        size: usize,
        count: u64,
    ) -> impl Future<Output = Result<()>> {
        async move {
            for _ in 0..count {
                of_size(self.recv(socket).await?, size)?;
            }
            Ok(())
        }
    }

    /// Sends what was held back, for implementations that leave that to their users.
    fn flush(&self, _: &mut Self::Socket) -> impl Future<Output = Result<()>> {
        async { Ok(()) }
    }

    /// Receives a message of one frame and returns its size in octets.
    fn recv(&self, socket: &mut Self::Socket) -> impl Future<Output = Result<usize>>;

    /// Receives what is there, up to `most` messages of this size; waits for the first. Says how many.
    fn recv_some(
        &self,
        socket: &mut Self::Socket,
        size: usize,
        most: u64,
    ) -> impl Future<Output = Result<u64>> {
        async move {
            of_size(self.recv(socket).await?, size)?;
            Ok(most.min(1))
        }
    }

    /// Receives a message and sends it back to where it came from.
    fn echo(&self, socket: &mut Self::Socket) -> impl Future<Output = Result<()>>;

    /// Closes a socket after its messages have left.
    fn close(&self, socket: Self::Socket) -> impl Future<Output = Result<()>>;
}

/// Runs a future that never has to wait.
///
/// # Panics
/// When it does.
pub fn at_once<T>(work: impl Future<Output = T>) -> T {
    match pin!(work).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(done) => done,
        Poll::Pending => unreachable!("a call that blocks has left before it was done"),
    }
}

/// Fails when a message has another size than it should have.
///
/// # Errors
/// Then.
pub fn of_size(met: usize, wanted: usize) -> Result<()> {
    if met == wanted {
        return Ok(());
    }
    Err(format!("a message of {met} octets instead of {wanted}").into())
}
