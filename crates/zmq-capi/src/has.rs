//! What this library can do.

use std::ffi::{c_char, c_int};

use crate::boundary::answer;
use crate::raw;

/// What `zmq_has` answers 1 for. Of the names libzmq knows, these are not there: pgm, tipc, norm, gssapi, vmci, vsock, draft, WS and WSS.
const THERE: &[&str] = &["ipc", "curve"];

/// Whether the library has this.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn zmq_has(capability: *const c_char) -> c_int {
    answer(0, || {
        let name = raw::text(capability).unwrap_or_default();
        Ok(c_int::from(THERE.iter().any(|one| one.as_bytes() == name)))
    })
}
