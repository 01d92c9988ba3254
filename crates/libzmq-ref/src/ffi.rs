//! The part of `zmq.h` that is used.

use std::ffi::{c_char, c_int, c_long, c_short, c_void};

/// `zmq_msg_t`: 64 octets, aligned as a pointer.
#[repr(C, align(8))]
pub(crate) struct RawMessage(pub(crate) [u8; 64]);

#[repr(C)]
pub(crate) struct PollItem {
    pub(crate) socket: *mut c_void,
    pub(crate) fd: c_int,
    pub(crate) events: c_short,
    pub(crate) revents: c_short,
}

pub(crate) type FreeFunction = unsafe extern "C" fn(data: *mut c_void, hint: *mut c_void);

// `libsodium_sys` is named so that its archive is linked: libzmq needs it.
use libsodium_sys as _;

// SAFETY: these are the declarations of zmq.h 4.3.5.
unsafe extern "C" {
    pub(crate) fn zmq_errno() -> c_int;
    pub(crate) fn zmq_strerror(error: c_int) -> *const c_char;
    pub(crate) fn zmq_version(major: *mut c_int, minor: *mut c_int, patch: *mut c_int);
    pub(crate) fn zmq_ctx_new() -> *mut c_void;
    pub(crate) fn zmq_ctx_term(context: *mut c_void) -> c_int;
    pub(crate) fn zmq_ctx_set(context: *mut c_void, option: c_int, value: c_int) -> c_int;
    pub(crate) fn zmq_socket(context: *mut c_void, kind: c_int) -> *mut c_void;
    pub(crate) fn zmq_close(socket: *mut c_void) -> c_int;
    pub(crate) fn zmq_setsockopt(
        socket: *mut c_void,
        option: c_int,
        value: *const c_void,
        size: usize,
    ) -> c_int;
    pub(crate) fn zmq_getsockopt(
        socket: *mut c_void,
        option: c_int,
        value: *mut c_void,
        size: *mut usize,
    ) -> c_int;
    pub(crate) fn zmq_bind(socket: *mut c_void, endpoint: *const c_char) -> c_int;
    pub(crate) fn zmq_connect(socket: *mut c_void, endpoint: *const c_char) -> c_int;
    pub(crate) fn zmq_unbind(socket: *mut c_void, endpoint: *const c_char) -> c_int;
    pub(crate) fn zmq_disconnect(socket: *mut c_void, endpoint: *const c_char) -> c_int;
    pub(crate) fn zmq_socket_monitor(
        socket: *mut c_void,
        endpoint: *const c_char,
        events: c_int,
    ) -> c_int;
    pub(crate) fn zmq_msg_more(message: *const RawMessage) -> c_int;
    pub(crate) fn zmq_msg_init(message: *mut RawMessage) -> c_int;
    pub(crate) fn zmq_msg_init_data(
        message: *mut RawMessage,
        data: *mut c_void,
        size: usize,
        free: Option<FreeFunction>,
        hint: *mut c_void,
    ) -> c_int;
    pub(crate) fn zmq_msg_send(
        message: *mut RawMessage,
        socket: *mut c_void,
        flags: c_int,
    ) -> c_int;
    pub(crate) fn zmq_msg_recv(
        message: *mut RawMessage,
        socket: *mut c_void,
        flags: c_int,
    ) -> c_int;
    pub(crate) fn zmq_msg_close(message: *mut RawMessage) -> c_int;
    pub(crate) fn zmq_msg_data(message: *mut RawMessage) -> *mut c_void;
    pub(crate) fn zmq_msg_size(message: *const RawMessage) -> usize;
    pub(crate) fn zmq_msg_gets(message: *const RawMessage, name: *const c_char) -> *const c_char;
    pub(crate) fn zmq_send(
        socket: *mut c_void,
        data: *const c_void,
        size: usize,
        flags: c_int,
    ) -> c_int;
    pub(crate) fn zmq_poll(items: *mut PollItem, count: c_int, milliseconds: c_long) -> c_int;
}
