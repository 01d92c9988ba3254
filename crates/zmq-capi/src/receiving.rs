//! Receiving.

use std::ffi::{c_int, c_void};

use zmq_engine::{Frame, Message, references};

use crate::boundary::{Outcome, clip, number};
use crate::errno::Errno;
use crate::parts::Received;
use crate::raw::{self, Part, ZmqMsg};
use crate::sending::DONTWAIT;
use crate::socket::{SocketHandle, briefly, socket};

impl SocketHandle {
    /// Receives one frame.
    pub(crate) fn receive_frame(&self, flags: c_int) -> Outcome<Received> {
        if let Some(next) = self.incoming.next() {
            self.context.check()?;
            return Ok(next);
        }
        let mut message = Message::single(Frame::empty());
        self.receive_message(&mut message, flags)?;
        Ok(self.incoming.begin(message))
    }

    /// Receives a whole message to where `message` is.
    #[inline]
    fn receive_message(&self, message: &mut Message, flags: c_int) -> Outcome<()> {
        let result = if flags & DONTWAIT != 0 {
            self.exposed.look(&self.socket);
            self.socket.try_recv_into(message)
        } else {
            let patience = SocketHandle::patience(&self.recv_timeout);
            self.exposed
                .waiting(&self.socket, || self.socket.recv_into(message, patience))
        };
        result.map_err(Errno::from)
    }

    /// Receives a message of one frame into a part, if there is one and nothing has to be done before. If there is none, the part may be empty.
    #[inline]
    fn takes_at_once(&self, part: &mut Part) -> bool {
        if self.incoming.more() || self.exposed.is_asked() {
            return false;
        }
        // What it held goes first: a short frame then takes no more than its octets to move.
        part.leave();
        self.socket
            .take_frame_ready(&mut part.body, &mut part.properties)
    }

    /// Receives one frame into a part. Answers its length.
    #[inline(never)]
    fn receive_part(&self, part: &mut Part, flags: c_int) -> Outcome<usize> {
        if self.takes_at_once(part) {
            return Ok(part.body.len());
        }
        if !self.incoming.more() {
            part.leave();
            let mut message = Message::empty();
            self.receive_message(&mut message, flags)?;
            let received = self.incoming.begin(message);
            let length = received.frame.len();
            *part = Part::from(received);
            return Ok(length);
        }
        let received = self.receive_frame(flags)?;
        let length = received.frame.len();
        *part = Part::from(received);
        Ok(length)
    }
}

/// Receives one frame into a buffer; what does not fit is cut off. Answers the length it had.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn zmq_recv(
    handle: *mut c_void,
    buffer: *mut c_void,
    length: usize,
    flags: c_int,
) -> c_int {
    number(|| {
        let held = socket(handle)?;
        let buffer = raw::octets_mut(buffer, length).ok_or(Errno::FAULT)?;
        let received = held.receive_frame(flags)?;
        let octets = received.frame.as_slice();
        let fits = octets.len().min(buffer.len());
        if let (Some(place), Some(octets)) = (buffer.get_mut(..fits), octets.get(..fits)) {
            place.copy_from_slice(octets);
        }
        let length = clip(octets.len());
        if let Some(properties) = received.properties {
            references::give_back(properties);
        }
        Ok(length)
    })
}

/// Receives one frame into a message part, whose content is let go.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn zmq_msg_recv(
    message: *mut ZmqMsg,
    handle: *mut c_void,
    flags: c_int,
) -> c_int {
    number(|| {
        if let Some(held) = briefly(handle)
            && let Some(part) = raw::part(message)
            && !part.calls_when_left()
            && held.takes_at_once(part)
        {
            return Ok(clip(part.body.len()));
        }
        let held = socket(handle)?;
        let part = raw::part(message).ok_or(Errno::FAULT)?;
        Ok(clip(held.receive_part(part, flags)?))
    })
}
