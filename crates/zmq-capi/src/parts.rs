//! Messages by parts: the engine sends and receives whole ones, the C library one frame at a time.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use zmq_engine::{Frame, Message, Properties};

/// One frame as it is received.
pub(crate) struct Received {
    pub(crate) frame: Frame,
    pub(crate) properties: Option<Arc<Properties>>,
    pub(crate) more: bool,
}

/// The rest of a message of which the first frames were received.
#[derive(Debug, Default)]
pub(crate) struct Incoming {
    rest: Mutex<(VecDeque<Frame>, Option<Arc<Properties>>)>,
    /// Whether there is a rest, to find out without the lock.
    waiting: AtomicBool,
}

impl Incoming {
    fn lock(&self) -> MutexGuard<'_, (VecDeque<Frame>, Option<Arc<Properties>>)> {
        self.rest.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the frame received last has others behind it: `ZMQ_RCVMORE`.
    #[inline]
    pub(crate) fn more(&self) -> bool {
        self.waiting.load(Ordering::Relaxed)
    }

    /// The next frame of the message begun.
    pub(crate) fn next(&self) -> Option<Received> {
        if !self.more() {
            return None;
        }
        let mut rest = self.lock();
        let frame = rest.0.pop_front()?;
        let more = !rest.0.is_empty();
        let properties = if more {
            rest.1.clone()
        } else {
            rest.1.take()
        };
        self.waiting.store(more, Ordering::Relaxed);
        Some(Received {
            frame,
            properties,
            more,
        })
    }

    /// The first frame of a message; the others are kept.
    #[inline]
    pub(crate) fn begin(&self, message: Message) -> Received {
        let properties = message.properties().cloned();
        match message.into_single() {
            Ok(frame) => Received {
                frame,
                properties,
                more: false,
            },
            Err(message) => self.begin_many(message, properties),
        }
    }

    fn begin_many(&self, message: Message, properties: Option<Arc<Properties>>) -> Received {
        let mut frames = VecDeque::from(message.into_frames());
        let frame = frames.pop_front().unwrap_or_default();
        let more = !frames.is_empty();
        *self.lock() = (frames, properties.clone());
        self.waiting.store(more, Ordering::Relaxed);
        Received {
            frame,
            properties,
            more,
        }
    }
}

/// The frames of a message that is being sent.
#[derive(Debug, Default)]
pub(crate) struct Outgoing {
    frames: Mutex<Vec<Frame>>,
    /// Whether a message was begun, to find out without the lock.
    begun: AtomicBool,
}

impl Outgoing {
    /// Whether frames wait for the last one.
    #[inline]
    pub(crate) fn begun(&self) -> bool {
        self.begun.load(Ordering::Relaxed)
    }

    pub(crate) fn push(&self, frame: Frame) {
        self.frames
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(frame);
        self.begun.store(true, Ordering::Relaxed);
    }

    /// The frames with the last one behind them, as one message.
    pub(crate) fn finish(&self, last: Frame) -> Message {
        let mut frames =
            std::mem::take(&mut *self.frames.lock().unwrap_or_else(PoisonError::into_inner));
        self.begun.store(false, Ordering::Relaxed);
        frames.push(last);
        Message::from(frames)
    }

    /// Puts a message back that was not accepted, without its last frame, which is given back.
    pub(crate) fn undo(&self, message: Message) -> Frame {
        let mut frames = message.into_frames();
        let last = frames.pop().unwrap_or_default();
        self.begun.store(!frames.is_empty(), Ordering::Relaxed);
        *self.frames.lock().unwrap_or_else(PoisonError::into_inner) = frames;
        last
    }
}
