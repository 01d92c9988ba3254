//! A go-between on a thread of its own.

use rustix::event::{PollFd, PollFlags, poll};

use crate::error::OpenError;
use crate::kind::{Captures, Forwards};
use crate::proxy::{Mode, ProxyControl, ProxyError, ProxyStatistics, Works};

/// Passes messages on between `front` and `back`, in both directions, until their context is shut down. Blocks the thread.
/// See [`zmq::proxy`](crate::proxy()).
///
/// # Errors
/// The context of one of the sockets was shut down, or a socket could not be opened.
pub fn proxy(front: &impl Forwards, back: &impl Forwards) -> Result<ProxyStatistics, ProxyError> {
    Proxy::new(front, back).run()
}

/// A go-between with everything: [`zmq::Proxy`](crate::Proxy) for a thread.
#[derive(Debug)]
pub struct Proxy<'a>(Works<'a>);

impl<'a> Proxy<'a> {
    /// A proxy between two sockets. Nothing is passed on before [`run`](Proxy::run).
    #[must_use]
    pub fn new(front: &'a impl Forwards, back: &'a impl Forwards) -> Proxy<'a> {
        Proxy(Works::new(front.handle(), back.handle()))
    }

    /// Sends a copy of every message that is passed on to `capture` too. A copy that has no room there is dropped and
    /// counted.
    #[must_use]
    pub fn capture(mut self, capture: &'a impl Captures) -> Proxy<'a> {
        self.0.capture = Some(capture.handle());
        self
    }

    /// The means to steer this proxy while it runs, from any task or thread.
    #[must_use]
    pub fn control(&self) -> ProxyControl {
        self.0.control()
    }

    /// Passes messages on until [`ProxyControl::terminate`] is called. Blocks the thread.
    ///
    /// # Errors
    /// The context of one of the sockets was shut down, or a socket could not be opened.
    pub fn run(self) -> Result<ProxyStatistics, ProxyError> {
        let mut works = self.0;
        let steering = std::sync::Arc::clone(&works.steering);
        let bell = steering.bell()?;
        let (front, back) = (works.forth.from.socket()?, works.back.from.socket()?);
        // Registered for as long as it runs: a change between a look and the sleep is not missed.
        let (mut front_waiter, mut back_waiter) = (front.waiter(), back.waiter());
        loop {
            front_waiter.look();
            back_waiter.look();
            let running = match steering.mode() {
                Mode::Terminated => return Ok(works.statistics()),
                Mode::Paused => false,
                Mode::Running => true,
            };
            if running && works.turn()? {
                continue;
            }
            let mut watched = vec![PollFd::new(bell, PollFlags::IN)];
            if running {
                watched.push(PollFd::from_borrowed_fd(front.descriptor(), PollFlags::IN));
                watched.push(PollFd::from_borrowed_fd(back.descriptor(), PollFlags::IN));
            }
            match poll(&mut watched, None) {
                // A signal: look again.
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(OpenError::system(error.into()).into()),
            }
            let mut rung = [0_u8; 64];
            let _ = rustix::io::read(bell, &mut rung[..]);
        }
    }
}
