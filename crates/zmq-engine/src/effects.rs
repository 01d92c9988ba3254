//! What a step under a socket's lock leaves to be done outside it.

use std::sync::Arc;

use smallvec::SmallVec;
use zmq_patterns::PeerKey;
use zmtp_wire::Message;

use crate::link::Link;
use crate::monitor::CloseReason;
use crate::shared::{Notice, SocketShared};

/// What to do once the lock is let go.
///
/// It is made for every message, so what is rare is behind a pointer.
#[derive(Default)]
pub(crate) struct Effects {
    /// Links whose output is to be written now.
    pub(crate) pump: Few<Arc<Link>>,
    /// Inproc peers to tell.
    pub(crate) notices: Few<(Arc<SocketShared>, Notice)>,
    /// A pipe has become hot: the driver's tick must run.
    pub(crate) tick: bool,
    /// A pipe has become hot because of the thread's round.
    pub(crate) gathers: bool,
    /// Something that waiting callers look for has changed.
    pub(crate) wake: bool,
    rare: Option<Box<RareEffects>>,
}

/// None, one or many. There is one for every message that is sent or received, nearly always of none, and then it costs nothing to
/// make, to look at and to drop.
#[derive(Default)]
pub(crate) enum Few<T> {
    #[default]
    None,
    One(T),
    Many(Vec<T>),
}

impl<T> Few<T> {
    #[inline]
    pub(crate) fn push(&mut self, item: T) {
        if matches!(self, Few::None) {
            *self = Few::One(item);
        } else {
            self.push_more(item);
        }
    }

    #[cold]
    fn push_more(&mut self, item: T) {
        *self = match std::mem::take(self) {
            Few::None => Few::One(item),
            Few::One(first) => Few::Many(vec![first, item]),
            Few::Many(mut items) => {
                items.push(item);
                Few::Many(items)
            }
        };
    }

    pub(crate) fn extend(&mut self, item: Option<T>) {
        if let Some(item) = item {
            self.push(item);
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        matches!(self, Few::None)
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Few::None => 0,
            Few::One(_) => 1,
            Few::Many(items) => items.len(),
        }
    }

    /// Takes all of them.
    pub(crate) fn take(&mut self) -> impl Iterator<Item = T> {
        let (one, many) = match std::mem::take(self) {
            Few::None => (None, Vec::new()),
            Few::One(item) => (Some(item), Vec::new()),
            Few::Many(items) => (None, items),
        };
        one.into_iter().chain(many)
    }
}

/// What seldom has to be done.
#[derive(Default)]
pub(crate) struct RareEffects {
    /// Links that may be ready in both directions.
    pub(crate) drive: Vec<Arc<Link>>,
    /// Links to close.
    pub(crate) close: Vec<(Arc<Link>, CloseReason)>,
    /// Inproc peers whose gathered messages are to be fetched.
    pub(crate) fetch: Thirst,
    /// Messages that are in nobody's way any more: their end may be code of the application.
    pub(crate) let_go: Vec<Message>,
}

/// Inproc peers that have gathered messages: the sockets, and their names for us.
pub(crate) type Thirst = SmallVec<[(Arc<SocketShared>, PeerKey); 1]>;

impl Effects {
    pub(crate) fn drive(&mut self, link: Arc<Link>) {
        self.rare.get_or_insert_default().drive.push(link);
    }

    pub(crate) fn close(&mut self, link: Arc<Link>, reason: CloseReason) {
        self.rare.get_or_insert_default().close.push((link, reason));
    }

    pub(crate) fn fetch(&mut self, thirst: Thirst) {
        self.rare.get_or_insert_default().fetch.extend(thirst);
    }

    /// Lets go of messages once no lock is held, those that hold on to something.
    pub(crate) fn let_go(&mut self, messages: &mut Vec<Message>) {
        if messages.iter().all(Message::is_inline) {
            messages.clear();
        } else {
            self.rare.get_or_insert_default().let_go.append(messages);
        }
    }

    pub(crate) fn take_rare(&mut self) -> Option<Box<RareEffects>> {
        self.rare.take()
    }

    /// Whether nothing is left to be done.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.pump.is_empty()
            && self.notices.is_empty()
            && !self.tick
            && !self.gathers
            && !self.wake
            && self.rare.is_none()
    }
}

impl core::fmt::Debug for Effects {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Effects")
            .field("pump", &self.pump.len())
            .field("notices", &self.notices.len())
            .field("tick", &self.tick)
            .field("gathers", &self.gathers)
            .field("wake", &self.wake)
            .finish_non_exhaustive()
    }
}
