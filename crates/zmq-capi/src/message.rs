//! Message parts: `zmq_msg_t` and what can be done with one.

use std::ffi::{c_char, c_int, c_void};
use std::ptr;

use bytes::Bytes;
use zmq_engine::Frame;

use crate::boundary::{Outcome, answer, done, number};
use crate::errno::Errno;
use crate::parts::Received;
use crate::raw::{self, Foreign, FreeFn, Part, ZmqMsg};

const MORE: c_int = 1;
const SOURCE_FD: c_int = 2;
const SHARED: c_int = 3;

/// The property that holds the number of the descriptor a message came by.
const FD_PROPERTY: &str = "__fd";

impl From<Received> for Part {
    fn from(received: Received) -> Part {
        let mut part = Part::new(received.frame);
        part.properties = received.properties;
        part.more = received.more;
        part
    }
}

impl Part {
    /// The frame to send. The rest of the part stays until the frame was accepted.
    #[inline]
    pub(crate) fn take_frame(&mut self) -> Frame {
        std::mem::take(&mut self.body)
    }

    /// Another part with the same octets. Long ones are shared, and both know; short ones are copied.
    fn duplicate(&mut self) -> Part {
        self.body.share();
        self.shared |= self.body.as_shared().is_some();
        let mut copy = Part::new(self.body.clone());
        copy.properties = self.properties.clone();
        copy.group = self.group.clone();
        copy.routing_id = self.routing_id;
        copy.more = self.more;
        copy.shared = self.shared;
        copy
    }
}

/// What a `zmq_msg_t` holds.
fn part<'a>(message: *mut ZmqMsg) -> Outcome<&'a mut Part> {
    raw::part(message).ok_or(Errno::FAULT)
}

fn init(message: *mut ZmqMsg, part: Part) -> Outcome<()> {
    if raw::part_init(message, part) {
        Ok(())
    } else {
        Err(Errno::FAULT)
    }
}

/// Makes an empty part.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn zmq_msg_init(message: *mut ZmqMsg) -> c_int {
    done(|| match raw::part_init_empty(message) {
        true => Ok(()),
        false => Err(Errno::FAULT),
    })
}

/// Makes a part with room for so many octets.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn zmq_msg_init_size(message: *mut ZmqMsg, size: usize) -> c_int {
    done(|| {
        if !raw::part_init_empty(message) {
            return Err(Errno::FAULT);
        }
        if raw::widen(part(message)?, size) {
            Ok(())
        } else {
            Err(Errno::NO_MEMORY)
        }
    })
}

/// Makes a part with a copy of these octets (draft).
#[unsafe(no_mangle)]
pub(crate) extern "C" fn zmq_msg_init_buffer(
    message: *mut ZmqMsg,
    data: *const c_void,
    size: usize,
) -> c_int {
    done(|| {
        let octets = raw::octets(data, size).ok_or(Errno::FAULT)?;
        init(message, Part::new(Frame::copy_from(octets)))
    })
}

/// Makes a part of a buffer of the caller's, which is freed by `free`, once, by whoever is the last to need it.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn zmq_msg_init_data(
    message: *mut ZmqMsg,
    data: *mut c_void,
    size: usize,
    free: Option<FreeFn>,
    hint: *mut c_void,
) -> c_int {
    done(|| {
        if free.is_none() && raw::octets(data, size).is_none() {
            return Err(Errno::FAULT);
        }
        let constant = free.is_none();
        let bytes = Bytes::from_owner(Foreign::new(data, size, free, hint));
        let mut part = Part::new(Frame::shared(bytes));
        // Constant octets are nobody's to change, as if somebody else had them too.
        part.shared = constant;
        init(message, part)
    })
}

/// Lets go of what a part holds.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn zmq_msg_close(message: *mut ZmqMsg) -> c_int {
    done(|| {
        let part = raw::part_take(message).ok_or(Errno::FAULT)?;
        drop(part);
        Ok(())
    })
}

/// Moves what `source` holds to `target`; `source` is empty afterwards.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn zmq_msg_move(target: *mut ZmqMsg, source: *mut ZmqMsg) -> c_int {
    done(|| {
        part(target)?;
        if target == source {
            return part(source).map(|_| ());
        }
        let moved = std::mem::replace(part(source)?, Part::empty());
        *part(target)? = moved;
        Ok(())
    })
}

/// Copies what `source` holds to `target`. Many octets are shared and not copied.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn zmq_msg_copy(target: *mut ZmqMsg, source: *mut ZmqMsg) -> c_int {
    done(|| {
        part(target)?;
        if target == source {
            return part(source).map(|_| ());
        }
        let copy = part(source)?.duplicate();
        *part(target)? = copy;
        Ok(())
    })
}

/// Where the octets are.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn zmq_msg_data(message: *mut ZmqMsg) -> *mut c_void {
    answer(ptr::null_mut(), || Ok(part(message)?.data()))
}

/// How many octets there are.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn zmq_msg_size(message: *const ZmqMsg) -> usize {
    answer(0, || Ok(part(message.cast_mut())?.body.len()))
}

/// Whether other parts follow this one.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn zmq_msg_more(message: *const ZmqMsg) -> c_int {
    zmq_msg_get(message, MORE)
}

/// A number that is known of a part.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn zmq_msg_get(message: *const ZmqMsg, property: c_int) -> c_int {
    number(|| {
        let part = part(message.cast_mut())?;
        match property {
            MORE => Ok(c_int::from(part.more)),
            SHARED => Ok(c_int::from(part.shared)),
            SOURCE_FD => part
                .properties
                .as_ref()
                .and_then(|properties| properties.get(FD_PROPERTY))
                .and_then(|fd| {
                    std::str::from_utf8(fd)
                        .ok()?
                        .trim_end_matches('\0')
                        .parse()
                        .ok()
                })
                .ok_or(Errno::INVALID),
            _ => Err(Errno::INVALID),
        }
    })
}

/// No number of a part can be set.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn zmq_msg_set(
    _message: *mut ZmqMsg,
    _property: c_int,
    _value: c_int,
) -> c_int {
    done(|| Err(Errno::INVALID))
}

/// A text that is known of the connection a part came by. It is there as long as the part.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn zmq_msg_gets(
    message: *const ZmqMsg,
    property: *const c_char,
) -> *const c_char {
    answer(ptr::null(), || {
        let part = part(message.cast_mut())?;
        let name = raw::text(property).ok_or(Errno::INVALID)?;
        let name = std::str::from_utf8(name).map_err(|_| Errno::INVALID)?;
        crate::drafts::property_text(part, name).ok_or(Errno::INVALID)
    })
}
