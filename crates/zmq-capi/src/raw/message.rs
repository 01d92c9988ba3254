//! `zmq_msg_t`: 64 octets of the caller's memory with a message part in them.

use std::ffi::{c_char, c_void};
use std::sync::Arc;

use bytes::Bytes;
use zmq_engine::{Frame, Properties};

/// What tells an initialised `zmq_msg_t` from one that is not, or was closed.
const TAG: u16 = 0x5A4D;

/// Octets kept inside the value.
pub(crate) const INLINE: usize = 38;

/// What `zmq_msg_t` points to for the C caller.
#[repr(C, align(8))]
pub(crate) struct ZmqMsg([u8; 64]);

/// The octets of a message part.
pub(crate) enum Body {
    /// Inside the value, for they are few.
    Inline {
        /// How many.
        length: u8,
        /// The octets.
        octets: [u8; INLINE],
    },
    /// Somewhere else, shared by all copies.
    Shared(Bytes),
}

/// What a `zmq_msg_t` holds.
#[repr(C)]
pub(crate) struct Part {
    pub(crate) body: Body,
    pub(crate) properties: Option<Arc<Properties>>,
    /// The group of a RADIO or DISH message, as a C string.
    pub(crate) group: Option<Box<Box<[u8]>>>,
    pub(crate) routing_id: u32,
    pub(crate) more: bool,
    pub(crate) shared: bool,
    tag: u16,
}

const _: () = assert!(size_of::<Part>() == 64 && align_of::<Part>() == 8);

/// What short bodies are made of: glibc's allocator of cleared memory passes its cache by and takes a lock, which the thread that
/// frees what others have sent wants too. Clearing so little costs less.
static ZEROS: [u8; 4096] = [0; 4096];

impl Body {
    pub(crate) fn as_slice(&self) -> &[u8] {
        match self {
            Body::Inline { length, octets } => {
                octets.get(..usize::from(*length)).unwrap_or_default()
            }
            Body::Shared(bytes) => bytes,
        }
    }

    pub(crate) fn copy_from(from: &[u8]) -> Body {
        let mut octets = [0; INLINE];
        match octets.get_mut(..from.len()) {
            Some(room) => {
                room.copy_from_slice(from);
                Body::Inline {
                    // At most INLINE.
                    length: from.len() as u8,
                    octets,
                }
            }
            None => Body::Shared(Bytes::copy_from_slice(from)),
        }
    }

    /// So many octets for the caller to fill. `None` when there is no memory for them.
    ///
    /// Up to 4 KiB they are zero until then, which costs nothing that can be measured; beyond, what they are is not defined, as in libzmq:
    /// zeroing 64 KiB takes twice as long as all the rest of passing such a message to a socket of the same process.
    pub(crate) fn of_size(length: usize) -> Option<Body> {
        if length <= INLINE {
            return Some(Body::Inline {
                // At most INLINE.
                length: length as u8,
                octets: [0; INLINE],
            });
        }
        if let Some(zeros) = ZEROS.get(..length) {
            return Some(Body::Shared(Bytes::copy_from_slice(zeros)));
        }
        let layout = std::alloc::Layout::array::<u8>(length).ok()?;
        // SAFETY: the size is not zero.
        let room = unsafe { std::alloc::alloc(layout) };
        if room.is_null() {
            return None;
        }
        // SAFETY: allocated just now with the layout of that many octets. They belong to the C program before anything here looks at them:
        // it is given their address by `zmq_msg_data` and fills them. For the compiler they were written already, as the address went
        // through `black_box`; one that sends them unfilled sends what the memory held, which is any octets.
        let room = unsafe { Vec::from_raw_parts(std::hint::black_box(room), length, length) };
        Some(Body::Shared(Bytes::from(room)))
    }
}

impl From<Frame> for Body {
    fn from(frame: Frame) -> Body {
        if frame.as_shared().is_some() {
            Body::Shared(frame.into_bytes())
        } else {
            Body::copy_from(&frame)
        }
    }
}

impl From<Body> for Frame {
    fn from(body: Body) -> Frame {
        match body {
            Body::Inline { .. } => Frame::copy_from(body.as_slice()),
            // A buffer of the caller's is freed when it was sent, not before, however short it is.
            Body::Shared(bytes) => Frame::shared(bytes),
        }
    }
}

impl Part {
    pub(crate) fn new(body: Body) -> Part {
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

    pub(crate) fn empty() -> Part {
        Part::new(Body::Inline {
            length: 0,
            octets: [0; INLINE],
        })
    }

    /// Where the octets are, for the C caller to read and, while it owns the message, to write.
    pub(crate) fn data(&mut self) -> *mut c_void {
        match &mut self.body {
            Body::Inline { octets, .. } => octets.as_mut_ptr().cast(),
            Body::Shared(bytes) => bytes.as_ptr().cast_mut().cast(),
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

/// Empties a `zmq_msg_t`: from now on it holds nothing.
pub(crate) fn part_take(message: *mut ZmqMsg) -> Option<Part> {
    let place = part(message)?;
    let taken = std::mem::replace(place, Part::empty());
    place.tag = 0;
    Some(taken)
}

/// A text inside a value that outlives the call, as C reads it.
pub(crate) fn as_c_text(text: &[u8]) -> *const c_char {
    debug_assert_eq!(text.last(), Some(&0));
    text.as_ptr().cast()
}
