//! Keys of CURVE.

use std::ffi::{c_char, c_int};

use crate::boundary::done;
use crate::errno::Errno;

/// Writes a new pair of keys, each as 40 letters and a zero.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn zmq_curve_keypair(_public: *mut c_char, _secret: *mut c_char) -> c_int {
    done(|| Err(Errno::NOT_SUPPORTED))
}

/// Writes the public key of a secret one.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn zmq_curve_public(_public: *mut c_char, _secret: *const c_char) -> c_int {
    done(|| Err(Errno::NOT_SUPPORTED))
}
