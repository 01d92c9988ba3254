//! Keys of CURVE.

use std::ffi::{c_char, c_int};

use zmq_engine::curve::{self, SecretKey};

use crate::boundary::{Outcome, done};
use crate::errno::Errno;
use crate::raw;

/// Letters of a key, and the zero behind them.
const LETTERS: usize = 41;

/// Writes a key as a C string.
fn write(place: *mut c_char, key: &str) -> Outcome<()> {
    let room = raw::octets_mut(place.cast(), LETTERS).ok_or(Errno::FAULT)?;
    let (letters, end) = room.split_at_mut_checked(key.len()).ok_or(Errno::INVALID)?;
    letters.copy_from_slice(key.as_bytes());
    end.fill(0);
    Ok(())
}

/// Writes a new pair of keys, each as 40 letters and a zero.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn zmq_curve_keypair(public: *mut c_char, secret: *mut c_char) -> c_int {
    done(|| {
        let keys = curve::generate().map_err(|error| Errno::from(&error))?;
        write(public, &keys.public().to_z85())?;
        write(secret, &keys.secret().to_z85())
    })
}

/// Writes the public key of a secret one.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn zmq_curve_public(public: *mut c_char, secret: *const c_char) -> c_int {
    done(|| {
        let letters = raw::text(secret).ok_or(Errno::INVALID)?;
        let letters = std::str::from_utf8(letters).map_err(|_| Errno::INVALID)?;
        let key: SecretKey = letters.parse().map_err(|_| Errno::INVALID)?;
        write(public, &key.public().to_z85())
    })
}
