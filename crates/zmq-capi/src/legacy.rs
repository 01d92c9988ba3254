//! Functions that programs written long ago still call.

use std::ffi::{c_int, c_void};

use zmq_engine::Frame;

use crate::boundary::{clip, number};
use crate::errno::Errno;
use crate::proxy::zmq_proxy;
use crate::raw::{self, ZmqMsg};
use crate::receiving::zmq_msg_recv;
use crate::sending::{SNDMORE, zmq_msg_send};
use crate::socket::socket;

/// Sends a message part (old name).
#[unsafe(no_mangle)]
pub(crate) extern "C" fn zmq_sendmsg(
    handle: *mut c_void,
    message: *mut ZmqMsg,
    flags: c_int,
) -> c_int {
    zmq_msg_send(message, handle, flags)
}

/// Receives a message part (old name).
#[unsafe(no_mangle)]
pub(crate) extern "C" fn zmq_recvmsg(
    handle: *mut c_void,
    message: *mut ZmqMsg,
    flags: c_int,
) -> c_int {
    zmq_msg_recv(message, handle, flags)
}

/// Forwards between two sockets (old name).
#[unsafe(no_mangle)]
pub(crate) extern "C" fn zmq_device(
    _kind: c_int,
    frontend: *mut c_void,
    backend: *mut c_void,
) -> c_int {
    zmq_proxy(frontend, backend, std::ptr::null_mut())
}

/// Sends the buffers as the parts of a message; answers the length of the last.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn zmq_sendiov(
    handle: *mut c_void,
    buffers: *mut libc::iovec,
    count: usize,
    flags: c_int,
) -> c_int {
    number(|| {
        let held = socket(handle)?;
        let buffers = raw::items_mut(buffers, count).filter(|buffers| !buffers.is_empty());
        let buffers = buffers.ok_or(Errno::INVALID)?;
        let last = buffers.len() - 1;
        let mut length = 0;
        for (place, buffer) in buffers.iter().enumerate() {
            let octets = raw::octets(buffer.iov_base, buffer.iov_len).ok_or(Errno::FAULT)?;
            let flags = if place == last {
                flags & !SNDMORE
            } else {
                flags
            };
            held.send_frame(Frame::copy_from(octets), flags)
                .map_err(|(_, errno)| errno)?;
            length = octets.len();
        }
        Ok(clip(length))
    })
}

/// Receives the parts of a message into buffers, which the caller frees; answers how many.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn zmq_recviov(
    handle: *mut c_void,
    buffers: *mut libc::iovec,
    count: *mut usize,
    flags: c_int,
) -> c_int {
    number(|| {
        let held = socket(handle)?;
        let room = raw::get(count).filter(|count| *count > 0);
        let room = room.ok_or(Errno::INVALID)?;
        let buffers = raw::items_mut(buffers, room).ok_or(Errno::INVALID)?;
        raw::put(count, 0);
        let mut read = 0;
        for buffer in buffers {
            let received = held.receive_frame(flags)?;
            buffer.iov_base = raw::malloc_copy(&received.frame);
            if buffer.iov_base.is_null() {
                return Err(Errno::NO_MEMORY);
            }
            buffer.iov_len = received.frame.len();
            read += 1;
            raw::put(count, read);
            if !received.more {
                break;
            }
        }
        Ok(clip(read))
    })
}
