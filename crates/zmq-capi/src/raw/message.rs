//! `zmq_msg_t`: 64 octets of the caller's memory with a message part in them.

use std::ffi::{c_char, c_void};
use std::sync::Arc;

use bytes::Bytes;
use zmq_engine::{Frame, Properties, references};

use crate::bodies;

/// What tells an initialised `zmq_msg_t` from one that is not, or was closed.
const TAG: u16 = 0x5A4D;

/// What `zmq_msg_t` points to for the C caller.
#[repr(C, align(8))]
pub(crate) struct ZmqMsg([u8; 64]);

/// What a `zmq_msg_t` holds.
#[repr(C)]
pub(crate) struct Part {
    /// As the engine sends and receives it: a part is moved as it is.
    pub(crate) body: Frame,
    pub(crate) properties: Option<Arc<Properties>>,
    /// The group of a RADIO or DISH message, as a C string.
    pub(crate) group: Option<Box<Box<[u8]>>>,
    pub(crate) routing_id: u32,
    pub(crate) more: bool,
    pub(crate) shared: bool,
    tag: u16,
}

const _: () = assert!(size_of::<Part>() == 64 && align_of::<Part>() == 8);

/// Gives an empty part so many octets for the caller to fill. Says whether there is memory for them.
///
/// They are zeros in the value and in what the thread keeps of its own. Elsewhere they are not defined, as in libzmq: memory that another thread has
/// just freed is in the cache of its core, and to clear it takes longer than all the rest of passing a message to a socket of the same process.
#[inline]
pub(crate) fn widen(part: &mut Part, length: usize) -> bool {
    if part.body.widen(length) || use_again(part, length) {
        return true;
    }
    let Some(room) = unfilled(length) else {
        return false;
    };
    // Made where it stays, over an empty one that nobody has to let go of: each time it was moved, the processor waited for the pieces of the time
    // before.
    debug_assert!(part.is_plain());
    std::mem::forget(std::mem::replace(
        &mut part.body,
        Frame::shared(Bytes::new()),
    ));
    if let Some(body) = part.body.as_shared_mut() {
        std::mem::forget(std::mem::replace(body, Bytes::from(room)));
    }
    true
}

/// A body of memory that is used again.
#[inline(never)]
fn use_again(part: &mut Part, length: usize) -> bool {
    let kept = bodies::make(length);
    kept.map(|body| part.body = body).is_some()
}

/// So many octets of any content. `None` when there is no memory for them, or they are none.
pub(crate) fn unfilled(length: usize) -> Option<Vec<u8>> {
    let layout = std::alloc::Layout::array::<u8>(length).ok()?;
    if length == 0 {
        return None;
    }
    // SAFETY: the size is not zero.
    let room = unsafe { std::alloc::alloc(layout) };
    if room.is_null() {
        return None;
    }
    // SAFETY: allocated just now with the layout of that many octets. They belong to the C program before anything here looks at them:
    // it is given their address by `zmq_msg_data` and fills them. For the compiler they were written already, as the address went
    // through `black_box`; one that sends them unfilled sends what the memory held, which is any octets.
    Some(unsafe { Vec::from_raw_parts(std::hint::black_box(room), length, length) })
}

impl Part {
    #[inline]
    pub(crate) fn new(body: Frame) -> Part {
        Part {
            body,
            properties: None,
            group: None,
            routing_id: 0,
            more: false,
            shared: false,
            tag: TAG,
        }
    }

    #[inline]
    pub(crate) fn empty() -> Part {
        Part::new(Frame::empty())
    }

    /// Whether it holds nothing but its body, and that inside the value: then there is nothing to let go of.
    #[inline]
    pub(crate) fn is_plain(&self) -> bool {
        self.body.is_inline() && self.properties.is_none() && self.group.is_none()
    }

    /// Whether a function of the caller's may be called when it lets go of what it holds: not of the memory that threads keep.
    #[inline]
    pub(crate) fn calls_when_left(&self) -> bool {
        self.body.as_shared().is_some()
    }

    /// Gives its reference to metadata to its thread, for the next message.
    #[inline]
    fn give_back(&mut self) {
        if let Some(properties) = self.properties.take() {
            references::give_back(properties);
        }
    }

    /// Lets go of what it holds, and is an empty part again.
    #[inline]
    pub(crate) fn leave(&mut self) {
        self.give_back();
        if self.is_plain() {
            // Nothing to drop, and an empty body need not be written where one is written next.
            self.body = Frame::empty();
            self.routing_id = 0;
            self.more = false;
            self.shared = false;
        } else {
            *self = Part::empty();
        }
    }

    /// Where the octets are, for the C caller to read and, while it owns the message, to write.
    pub(crate) fn data(&mut self) -> *mut c_void {
        match self.body.as_shared() {
            Some(bytes) => bytes.as_ptr().cast_mut().cast(),
            None => self
                .body
                .own_mut()
                .map_or(std::ptr::null_mut(), |octets| octets.as_mut_ptr().cast()),
        }
    }
}

/// Fills a `zmq_msg_t` that holds nothing yet.
pub(crate) fn part_init(message: *mut ZmqMsg, part: Part) -> bool {
    let place: *mut Part = message.cast();
    if place.is_null() || !place.is_aligned() {
        return false;
    }
    // SAFETY: the caller's promise: 64 octets are there, which hold nothing that would have to be dropped.
    unsafe { place.write(part) };
    true
}

/// As [`part_init`], with an empty part: a value that is built elsewhere is copied in pieces.
#[inline]
pub(crate) fn part_init_empty(message: *mut ZmqMsg) -> bool {
    let place: *mut Part = message.cast();
    if place.is_null() || !place.is_aligned() {
        return false;
    }
    // SAFETY: as in `part_init`.
    unsafe { place.write(Part::empty()) };
    true
}

/// What an initialised `zmq_msg_t` holds, for the time of a call.
pub(crate) fn part<'a>(message: *mut ZmqMsg) -> Option<&'a mut Part> {
    let place: *mut Part = message.cast();
    if place.is_null() || !place.is_aligned() {
        return None;
    }
    // SAFETY: the caller's promise: 64 octets are there. They are looked at as a number before they are taken for a part.
    let tag = unsafe { (&raw const (*place).tag).read() };
    if tag != TAG {
        return None;
    }
    // SAFETY: the tag says that `part_init` has written it and that it was not taken since; nobody else uses it now.
    Some(unsafe { &mut *place })
}

/// Empties a `zmq_msg_t`: from now on it holds nothing. Gives what there is to let go of; `None` if it was not initialised.
#[inline]
pub(crate) fn part_take(message: *mut ZmqMsg) -> Option<Option<Part>> {
    let place = part(message)?;
    place.tag = 0;
    place.give_back();
    if place.is_plain() {
        return Some(None);
    }
    let taken = std::mem::replace(place, Part::empty());
    place.tag = 0;
    Some(Some(taken))
}

/// A text inside a value that outlives the call, as C reads it.
pub(crate) fn as_c_text(text: &[u8]) -> *const c_char {
    debug_assert_eq!(text.last(), Some(&0));
    text.as_ptr().cast()
}
