//! Sending.

use std::ffi::{c_int, c_void};

use zmq_engine::{Frame, Message, SocketType};

use crate::boundary::{Outcome, clip, number};
use crate::errno::Errno;
use crate::raw::{self, Part, ZmqMsg};
use crate::socket::{SocketHandle, briefly, socket};

pub(crate) const DONTWAIT: c_int = 1;
pub(crate) const SNDMORE: c_int = 2;

/// A frame that was not accepted.
pub(crate) type Refused = (Frame, Errno);

impl SocketHandle {
    /// Whether a frame is a message of its own, of a type that has a short way for it, and nothing has to be done before.
    #[inline]
    fn offers_at_once(&self, flags: c_int) -> bool {
        flags & SNDMORE == 0
            && matches!(self.kind(), SocketType::Push | SocketType::Dealer)
            && !self.outgoing.begun()
            && !self.exposed.is_asked()
    }

    /// Sends one frame; with SNDMORE it waits for the others.
    #[inline]
    pub(crate) fn send_frame(&self, frame: Frame, flags: c_int) -> Result<(), Refused> {
        if let Some(hearing) = &self.hearing
            && !self.outgoing.begun()
            && let Err(errno) = hearing.hear(&self.socket, flags & DONTWAIT != 0)
        {
            return Err((frame, errno));
        }
        if flags & SNDMORE != 0 {
            return self.send_part(frame, flags);
        }
        if self.outgoing.begun() {
            return self.send_last(frame, flags);
        }
        let mut message = Message::single(frame);
        self.send_message(&mut message, flags)
            .map_err(|errno| (message.into_single().unwrap_or_default(), errno))
    }

    #[inline(never)]
    fn send_part(&self, frame: Frame, flags: c_int) -> Result<(), Refused> {
        if self.outgoing.begun() {
            self.outgoing.push(frame);
            return Ok(());
        }
        // The first part is refused where the whole would be, so that the caller has not begun in vain.
        let result = if flags & DONTWAIT != 0 {
            self.exposed.look(&self.socket);
            self.socket.try_begin(&frame)
        } else {
            let patience = SocketHandle::patience(&self.send_timeout);
            self.exposed
                .waiting(&self.socket, || self.socket.begin(&frame, patience))
        };
        match result {
            Ok(way) => {
                self.outgoing.begin(frame, way);
                Ok(())
            }
            Err(reason) => Err((frame, Errno::from(reason))),
        }
    }

    #[inline(never)]
    fn send_last(&self, frame: Frame, flags: c_int) -> Result<(), Refused> {
        let (mut message, way) = self.outgoing.finish(frame);
        let refused = |message: Message, errno| {
            // The parts before are lost with it, as the socket is.
            let last = message.into_frames().pop();
            (last.unwrap_or_default(), errno)
        };
        match way {
            Some(way) => self
                .socket
                .commit(way, message)
                .map_err(|error| refused(error.message, Errno::from(error.reason))),
            None => self
                .send_message(&mut message, flags)
                .map_err(|errno| refused(message, errno)),
        }
    }

    /// Sends a whole message, which stays where it is if it is not accepted.
    #[inline]
    pub(crate) fn send_message(&self, message: &mut Message, flags: c_int) -> Result<(), Errno> {
        let result = if flags & DONTWAIT != 0 {
            self.exposed.look(&self.socket);
            self.socket.try_send_from(message)
        } else {
            let patience = SocketHandle::patience(&self.send_timeout);
            self.exposed
                .waiting(&self.socket, || self.socket.send_from(message, patience))
        };
        result.map_err(Errno::from)
    }
}

/// Sends octets as one frame, which is a copy of them.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn zmq_send(
    handle: *mut c_void,
    data: *const c_void,
    length: usize,
    flags: c_int,
) -> c_int {
    number(|| {
        let mut frame = Frame::empty();
        if let Some(held) = briefly(handle)
            && held.offers_at_once(flags)
            && let Some(octets) = raw::octets(data, length)
            && held.socket.offer_body_ready(octets, &mut frame)
        {
            return Ok(clip(length));
        }
        let held = socket(handle)?;
        let octets = raw::octets(data, length).ok_or(Errno::FAULT)?;
        send_body(&held, octets, frame, flags)
    })
}

/// Sends octets, of which a copy may be made already.
#[inline(never)]
fn send_body(held: &SocketHandle, octets: &[u8], mut frame: Frame, flags: c_int) -> Outcome {
    if frame.is_empty() {
        // Where visits are counted, this is the first attempt.
        if held.offers_at_once(flags) && held.socket.offer_body_ready(octets, &mut frame) {
            return Ok(clip(octets.len()));
        }
        if frame.is_empty() {
            frame = Frame::copy_from(octets);
        }
    }
    held.send_frame(frame, flags).map_err(|(_, errno)| errno)?;
    Ok(clip(octets.len()))
}

/// Sends octets that never change as one frame.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn zmq_send_const(
    handle: *mut c_void,
    data: *const c_void,
    length: usize,
    flags: c_int,
) -> c_int {
    number(|| {
        let held = socket(handle)?;
        let octets = raw::constant_octets(data, length).ok_or(Errno::FAULT)?;
        held.send_frame(Frame::from_static(octets), flags)
            .map_err(|(_, errno)| errno)?;
        Ok(clip(length))
    })
}

/// Sends a message part. On success it is empty afterwards, else it stays as it was.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn zmq_msg_send(
    message: *mut ZmqMsg,
    handle: *mut c_void,
    flags: c_int,
) -> c_int {
    number(|| {
        if let Some(held) = briefly(handle)
            && held.offers_at_once(flags)
            && let Some(part) = raw::part(message)
        {
            let length = part.body.len();
            if held.socket.offer_frame_ready(&mut part.body) {
                drop(held);
                part.leave();
                return Ok(clip(length));
            }
        }
        let held = socket(handle)?;
        send_part(&held, raw::part(message).ok_or(Errno::FAULT)?, flags)
    })
}

/// Sends what a part holds.
#[inline(never)]
fn send_part(held: &SocketHandle, part: &mut Part, flags: c_int) -> Outcome {
    let length = part.body.len();
    // Where visits are counted, this is the first attempt.
    let ready = held.offers_at_once(flags) && held.socket.offer_frame_ready(&mut part.body);
    if !ready && let Err((frame, errno)) = held.send_frame(part.take_frame(), flags) {
        part.body = frame;
        return Err(errno);
    }
    part.leave();
    Ok(clip(length))
}
