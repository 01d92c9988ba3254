//! Messages by parts: the engine sends and receives whole ones, the C library one frame at a time.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use zmq_engine::{Frame, Message, Properties, Reservation};

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
        let properties = if more { rest.1.clone() } else { rest.1.take() };
        self.waiting.store(more, Ordering::Relaxed);
        Some(Received {
            frame,
            properties,
            more,
        })
    }

    /// The first frame of a message; the others are kept.
    #[inline]
    pub(crate) fn begin(&self, mut message: Message) -> Received {
        match message.sole_mut() {
            Some((frame, properties)) => Received {
                frame: std::mem::take(frame),
                properties: properties.take(),
                more: false,
            },
            None => self.begin_many(message),
        }
    }

    fn begin_many(&self, message: Message) -> Received {
        let properties = message.properties().cloned();
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

/// A message of which not all frames are there yet.
#[derive(Debug)]
struct Begun {
    frames: Vec<Frame>,
    /// The way it will take, chosen with the first frame.
    way: Reservation,
}

/// The frames of a message that is being sent.
#[derive(Debug, Default)]
pub(crate) struct Outgoing {
    message: Mutex<Option<Begun>>,
    /// Whether a message was begun, to find out without the lock.
    begun: AtomicBool,
}

impl Outgoing {
    fn lock(&self) -> MutexGuard<'_, Option<Begun>> {
        self.message.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether frames wait for the last one.
    #[inline]
    pub(crate) fn begun(&self) -> bool {
        self.begun.load(Ordering::Relaxed)
    }

    pub(crate) fn begin(&self, first: Frame, way: Reservation) {
        *self.lock() = Some(Begun {
            frames: vec![first],
            way,
        });
        self.begun.store(true, Ordering::Relaxed);
    }

    /// Another frame of the message begun.
    pub(crate) fn push(&self, frame: Frame) {
        if let Some(begun) = &mut *self.lock() {
            begun.frames.push(frame);
        }
    }

    /// The whole message with the last frame behind the others, and its way.
    pub(crate) fn finish(&self, last: Frame) -> (Message, Option<Reservation>) {
        self.begun.store(false, Ordering::Relaxed);
        match self.lock().take() {
            Some(mut begun) => {
                begun.frames.push(last);
                (Message::from(begun.frames), Some(begun.way))
            }
            None => (Message::single(last), None),
        }
    }
}
