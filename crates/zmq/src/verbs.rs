//! The futures of `send` and `recv`. Written out, as most of them are ready at once: a message of a burst, or one that waits already, is moved
//! once, from where the caller made it, or to where the caller wants it.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use crate::Message;
use crate::error::{RecvError, SendError};
use crate::handle::Handle;
use crate::wait::Wait;

/// How far a future has come.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// The short way was not tried yet.
    Begun,
    Waiting,
    Over,
}

/// A future's way from its first poll to its end.
struct Course<'a> {
    handle: &'a Handle,
    timeout: Option<Duration>,
    stage: Stage,
    /// Of one that could not go the short way.
    wait: Option<Wait<'a>>,
}

impl<'a> Course<'a> {
    #[inline]
    fn new(handle: &'a Handle, timeout: Option<Duration>, stage: Stage) -> Course<'a> {
        Course {
            handle,
            timeout,
            stage,
            wait: None,
        }
    }

    /// Waits with what is done by `poll`.
    ///
    /// # Panics
    /// When it is over, as every future may.
    fn go_on<T>(&mut self, poll: impl FnOnce(&Handle, &mut Wait<'a>) -> Poll<T>) -> Poll<T> {
        assert!(self.stage != Stage::Over, "polled again after it was ready");
        // A panic of a waker of the application, which is called with the message accepted, ends it, too.
        self.stage = Stage::Over;
        let (handle, timeout) = (self.handle, self.timeout);
        let wait = self.wait.get_or_insert_with(|| Wait::new(handle, timeout));
        let done = poll(handle, wait);
        if done.is_pending() {
            self.stage = Stage::Waiting;
        }
        done
    }
}

/// Sends a message.
#[must_use = "nothing is sent unless it is awaited"]
pub(crate) struct Sending<'a> {
    course: Course<'a>,
    message: Option<Message>,
}

impl<'a> Sending<'a> {
    /// For patterns whose messages may go the short way.
    #[inline]
    pub(crate) fn new(
        handle: &'a Handle,
        message: impl Into<Message>,
        timeout: Option<Duration>,
    ) -> Sending<'a> {
        Sending {
            course: Course::new(handle, timeout, Stage::Begun),
            message: Some(message.into()),
        }
    }

    /// For patterns whose messages never go the short way.
    pub(crate) fn long(
        handle: &'a Handle,
        message: Message,
        timeout: Option<Duration>,
    ) -> Sending<'a> {
        Sending {
            course: Course::new(handle, timeout, Stage::Waiting),
            message: Some(message),
        }
    }

    #[inline(never)]
    fn poll_long(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), SendError>> {
        let (course, slot) = (&mut self.course, &mut self.message);
        course.go_on(|handle, wait| handle.poll_send(wait, slot, cx))
    }
}

impl Future for Sending<'_> {
    type Output = Result<(), SendError>;

    #[inline(always)]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), SendError>> {
        let this = &mut *self;
        let course = &mut this.course;
        if course.stage == Stage::Begun
            && let Some(message) = &mut this.message
            && course.handle.offer_in_turn(message)
        {
            course.stage = Stage::Over;
            // Whoever waits for its octets to be let go of does not wait for the end of the future.
            this.message = None;
            return Poll::Ready(Ok(()));
        }
        this.poll_long(cx)
    }
}

/// Receives a message, and makes of it what the socket's callers get.
#[must_use = "nothing is received unless it is awaited"]
pub(crate) struct Receiving<'a, F> {
    course: Course<'a>,
    convert: F,
}

impl<'a, T, F: Fn(Message) -> T> Receiving<'a, F> {
    #[inline]
    pub(crate) fn new(
        handle: &'a Handle,
        timeout: Option<Duration>,
        convert: F,
    ) -> Receiving<'a, F> {
        Receiving {
            course: Course::new(handle, timeout, Stage::Begun),
            convert,
        }
    }

    /// For patterns whose messages never go the short way.
    pub(crate) fn long(
        handle: &'a Handle,
        timeout: Option<Duration>,
        convert: F,
    ) -> Receiving<'a, F> {
        Receiving {
            course: Course::new(handle, timeout, Stage::Waiting),
            convert,
        }
    }

    #[inline(never)]
    fn poll_long(&mut self, cx: &mut Context<'_>) -> Poll<Result<T, RecvError>> {
        let received = self.course.go_on(|handle, wait| handle.poll_recv(wait, cx));
        received.map_ok(&self.convert)
    }
}

impl<T, F: Fn(Message) -> T + Unpin> Future for Receiving<'_, F> {
    type Output = Result<T, RecvError>;

    #[inline(always)]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<T, RecvError>> {
        let this = &mut *self;
        let course = &mut this.course;
        if course.stage == Stage::Begun {
            let mut message = Message::empty();
            if course.handle.take_in_turn(&mut message) {
                course.stage = Stage::Over;
                return Poll::Ready(Ok((this.convert)(message)));
            }
        }
        this.poll_long(cx)
    }
}
