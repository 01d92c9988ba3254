//! A go-between: passes messages on between two sockets, in both directions.

use std::fmt;
use std::future::poll_fn;
use std::io::{PipeReader, PipeWriter};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Context, Poll, Waker};

use crate::error::{OpenError, RecvError, SendError, SendFailure};
use crate::handle::Handle;
use crate::kind::{Captures, Forwards};
use crate::wait::Wait;
use crate::{Message, SocketType};

/// Messages passed on in one direction before the other has its turn.
const TURN: u32 = 64;
/// Turns of both directions before the task lets others run.
const ROUNDS: u32 = 16;

/// Passes messages on between `front` and `back`, in both directions, until their context is shut down.
///
/// The usual pairs are [`Router`](crate::Router) and [`Dealer`](crate::Dealer) (requests), [`XSub`](crate::XSub) and
/// [`XPub`](crate::XPub) (publications), [`Pull`](crate::Pull) and [`Push`](crate::Push) (work). [`Proxy`] can do more:
/// a copy of everything, pauses, an end, numbers.
///
/// Nothing is taken from one socket while the other has no room. As an exception, a message for a peer of a ROUTER that
/// has left, or whose queue is full, is dropped and counted, so that one slow peer does not hold up all others.
///
/// Cancel safe while nobody else uses the two sockets.
///
/// # Errors
/// The context of one of the sockets was shut down, or a socket could not be opened.
pub async fn proxy(
    front: &impl Forwards,
    back: &impl Forwards,
) -> Result<ProxyStatistics, ProxyError> {
    Proxy::new(front, back).run().await
}

/// A go-between with everything: see [`proxy`].
///
/// ```
/// # zmq::block_on(async {
/// let context = zmq::Context::new();
/// let (front, back) = (zmq::Pull::new(&context), zmq::Push::new(&context));
/// let (push, pull) = (zmq::Push::new(&context), zmq::Pull::new(&context));
/// front.bind("inproc://front").await?;
/// back.bind("inproc://back").await?;
/// push.connect("inproc://front")?;
/// pull.connect("inproc://back")?;
///
/// let proxy = zmq::Proxy::new(&front, &back);
/// let control = proxy.control();
/// let work = async {
///     push.send("through").await?;
///     assert_eq!(pull.recv().await?, zmq::Message::from("through"));
///     control.terminate();
///     Ok::<(), Box<dyn std::error::Error>>(())
/// };
/// let (ran, worked) = futures_lite::future::zip(proxy.run(), work).await;
/// assert_eq!(ran?.front_to_back.messages, 1);
/// # worked
/// # }).unwrap();
/// ```
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

    /// Passes messages on until [`ProxyControl::terminate`] is called. Cancel safe while nobody else uses the two sockets.
    ///
    /// # Errors
    /// The context of one of the sockets was shut down, or a socket could not be opened.
    pub async fn run(self) -> Result<ProxyStatistics, ProxyError> {
        let mut works = self.0;
        let mut front = Wait::new(works.forth.from, None);
        let mut back = Wait::new(works.back.from, None);
        poll_fn(|cx| works.poll(&mut front, &mut back, cx)).await
    }
}

/// Steers a [`Proxy`] while it runs. Clones steer the same one.
#[derive(Clone, Debug)]
pub struct ProxyControl(Arc<Steering>);

impl ProxyControl {
    /// Passes nothing on until [`resume`](ProxyControl::resume): messages wait in their queues.
    pub fn pause(&self) {
        self.0.change(Mode::Paused);
    }

    /// Goes on after [`pause`](ProxyControl::pause).
    pub fn resume(&self) {
        self.0.change(Mode::Running);
    }

    /// Ends the proxy, for good: its `run` returns.
    pub fn terminate(&self) {
        self.0.change(Mode::Terminated);
    }

    /// What was passed on so far.
    #[must_use]
    pub fn statistics(&self) -> ProxyStatistics {
        self.0.lock().statistics
    }
}

/// What a proxy has passed on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProxyStatistics {
    /// From the front to the back.
    pub front_to_back: ProxyTraffic,
    /// From the back to the front.
    pub back_to_front: ProxyTraffic,
    /// Copies that the capture socket had no room for.
    pub captures_dropped: u64,
}

/// What a proxy has passed on in one direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProxyTraffic {
    /// Messages that were passed on.
    pub messages: u64,
    /// Octets in all their frames.
    pub octets: u64,
    /// Messages that were dropped, as the peer they were for has left or has no room (ROUTER only).
    pub dropped: u64,
}

/// Why a proxy ended without being told to.
#[derive(Debug)]
#[non_exhaustive]
pub enum ProxyError {
    /// A socket does not receive any more.
    Recv(RecvError),
    /// A socket does not send any more. The message that was under way is in the error.
    Send(SendError),
}

impl fmt::Display for ProxyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ProxyError::Recv(error) => write!(f, "the proxy ended: {error}"),
            ProxyError::Send(error) => write!(f, "the proxy ended: {error}"),
        }
    }
}

impl std::error::Error for ProxyError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(match self {
            ProxyError::Recv(error) => error,
            ProxyError::Send(error) => error,
        })
    }
}

impl From<OpenError> for ProxyError {
    fn from(error: OpenError) -> ProxyError {
        ProxyError::Recv(RecvError::NotOpen(error))
    }
}

// ---- steering ----

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Mode {
    #[default]
    Running,
    Paused,
    Terminated,
}

/// What a proxy and those who steer it share.
#[derive(Debug, Default)]
pub(crate) struct Steering {
    state: Mutex<Wheel>,
    /// Wakes a proxy that runs on a thread of its own.
    bell: OnceLock<(PipeReader, PipeWriter)>,
}

#[derive(Debug, Default)]
struct Wheel {
    mode: Mode,
    statistics: ProxyStatistics,
    waker: Option<Waker>,
}

impl Steering {
    fn lock(&self) -> MutexGuard<'_, Wheel> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, mode: Mode) {
        let mut wheel = self.lock();
        if wheel.mode == Mode::Terminated {
            return;
        }
        wheel.mode = mode;
        let waker = wheel.waker.take();
        drop(wheel);
        if let Some(waker) = waker {
            waker.wake();
        }
        if let Some((_, rope)) = self.bell.get() {
            // A pipe that is full refuses, and is readable.
            let _ = rustix::io::write(rope, &[1]);
        }
    }

    pub(crate) fn mode(&self) -> Mode {
        self.lock().mode
    }

    /// What a thread watches to learn of a change.
    pub(crate) fn bell(&self) -> Result<&PipeReader, OpenError> {
        if self.bell.get().is_none() {
            let _ = self.bell.set(pipe().map_err(OpenError::system)?);
        }
        self.bell
            .get()
            .map(|(bell, _)| bell)
            .ok_or_else(|| OpenError::system(std::io::ErrorKind::NotFound.into()))
    }
}

/// A pipe on which nobody waits by reading or writing.
fn pipe() -> std::io::Result<(PipeReader, PipeWriter)> {
    let (reader, writer) = std::io::pipe()?;
    rustix::io::ioctl_fionbio(&reader, true)?;
    rustix::io::ioctl_fionbio(&writer, true)?;
    Ok((reader, writer))
}

// ---- the work ----

/// The work of a proxy, whoever waits for it.
#[derive(Debug)]
pub(crate) struct Works<'a> {
    pub(crate) forth: Direction<'a>,
    pub(crate) back: Direction<'a>,
    pub(crate) capture: Option<&'a Handle>,
    pub(crate) steering: Arc<Steering>,
    statistics: ProxyStatistics,
}

impl<'a> Works<'a> {
    pub(crate) fn new(front: &'a Handle, back: &'a Handle) -> Works<'a> {
        Works {
            forth: Direction::new(front, back),
            back: Direction::new(back, front),
            capture: None,
            steering: Arc::default(),
            statistics: ProxyStatistics::default(),
        }
    }

    pub(crate) fn control(&self) -> ProxyControl {
        ProxyControl(Arc::clone(&self.steering))
    }

    pub(crate) fn statistics(&self) -> ProxyStatistics {
        self.statistics
    }

    /// One turn of each direction. Says whether anything was passed on.
    pub(crate) fn turn(&mut self) -> Result<bool, ProxyError> {
        let mut copies = Copies {
            capture: self.capture,
            dropped: 0,
        };
        let forth = self.forth.turn(&mut copies)?;
        let back = self.back.turn(&mut copies)?;
        if forth || back {
            self.statistics.front_to_back = self.forth.traffic;
            self.statistics.back_to_front = self.back.traffic;
            self.statistics.captures_dropped += copies.dropped;
            self.steering.lock().statistics = self.statistics;
        }
        Ok(forth || back)
    }

    fn poll(
        &mut self,
        front: &mut Wait<'a>,
        back: &mut Wait<'a>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<ProxyStatistics, ProxyError>> {
        let mut rounds = 0;
        loop {
            let mode = {
                let mut wheel = self.steering.lock();
                wheel.waker = Some(cx.waker().clone());
                wheel.mode
            };
            match mode {
                Mode::Terminated => return Poll::Ready(Ok(self.statistics)),
                Mode::Paused => return Poll::Pending,
                Mode::Running => {}
            }
            front.prepare(cx)?;
            back.prepare(cx)?;
            if self.turn()? {
                rounds += 1;
                if rounds == ROUNDS {
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                continue;
            }
            let front_changed = front.poll_changed(cx)?.is_ready();
            let back_changed = back.poll_changed(cx)?.is_ready();
            if !front_changed && !back_changed {
                return Poll::Pending;
            }
        }
    }
}

/// Where copies go.
struct Copies<'a> {
    capture: Option<&'a Handle>,
    dropped: u64,
}

impl Copies<'_> {
    fn take(&mut self, message: &Message) {
        if let Some(capture) = self.capture
            && capture.try_send(message.clone()).is_err()
        {
            self.dropped += 1;
        }
    }
}

/// One direction of a proxy.
#[derive(Debug)]
pub(crate) struct Direction<'a> {
    pub(crate) from: &'a Handle,
    to: &'a Handle,
    /// Whether the types of the two sockets allow this direction at all.
    possible: bool,
    /// A message that was taken, and then somebody else took the room for it.
    held: Option<Message>,
    traffic: ProxyTraffic,
}

impl<'a> Direction<'a> {
    fn new(from: &'a Handle, to: &'a Handle) -> Direction<'a> {
        use SocketType::{Pull, Push};
        Direction {
            from,
            to,
            possible: from.kind() != Push && to.kind() != Pull,
            held: None,
            traffic: ProxyTraffic::default(),
        }
    }

    fn turn(&mut self, copies: &mut Copies<'_>) -> Result<bool, ProxyError> {
        // Also lets the receiving socket do what is due.
        let events = self.to.socket()?.events();
        if !self.possible {
            return Ok(false);
        }
        let waits_for_room = self.to.kind() != SocketType::Router;
        if waits_for_room && !events.writable {
            return Ok(false);
        }
        for passed in 0..TURN {
            let message = match self.held.take() {
                Some(message) => message,
                None => match self.from.try_recv() {
                    Ok(message) => {
                        copies.take(&message);
                        message
                    }
                    Err(error) if error.is_would_block() => return Ok(passed > 0),
                    Err(error) => return Err(ProxyError::Recv(error)),
                },
            };
            if !self.pass(message, waits_for_room)? {
                return Ok(passed > 0);
            }
        }
        Ok(true)
    }

    /// Sends a message on; says whether there was room.
    fn pass(&mut self, message: Message, waits_for_room: bool) -> Result<bool, ProxyError> {
        let octets = message.byte_len() as u64;
        match self.to.try_send(message) {
            Ok(()) => {
                self.traffic.messages += 1;
                self.traffic.octets += octets;
            }
            Err(error) if error.is_would_block() && waits_for_room => {
                self.held = Some(error.into_message());
                return Ok(false);
            }
            Err(error) => match error.reason() {
                SendFailure::WouldBlock | SendFailure::Unroutable | SendFailure::Invalid(_) => {
                    self.traffic.dropped += 1;
                }
                _ => return Err(ProxyError::Send(error)),
            },
        }
        Ok(true)
    }
}
