//! Z85: 4 octets as 5 letters (RFC 32), as the C library offers it.

use std::ffi::c_char;
use std::ptr;

use zmq_engine::curve::z85;

use crate::boundary::answer;
use crate::errno::Errno;
use crate::raw;

/// The letters of octets, whose number is divisible by four.
pub(crate) fn encode(octets: &[u8]) -> Option<Vec<u8>> {
    z85::encode(octets).ok().map(String::into_bytes)
}

/// The octets of letters, whose number is divisible by five.
pub(crate) fn decode(letters: &[u8]) -> Option<Vec<u8>> {
    z85::decode(std::str::from_utf8(letters).ok()?).ok()
}

/// Writes the letters of octets, whose number must be divisible by four, and a zero.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn zmq_z85_encode(
    dest: *mut c_char,
    data: *const u8,
    size: usize,
) -> *mut c_char {
    answer(ptr::null_mut(), || {
        let octets = raw::octets(data.cast(), size).ok_or(Errno::INVALID)?;
        let mut letters = encode(octets).ok_or(Errno::INVALID)?;
        letters.push(0);
        let room = raw::octets_mut(dest.cast(), letters.len()).ok_or(Errno::INVALID)?;
        room.copy_from_slice(&letters);
        Ok(dest)
    })
}

/// Writes the octets of a text, whose length must be divisible by five.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn zmq_z85_decode(dest: *mut u8, string: *const c_char) -> *mut u8 {
    answer(ptr::null_mut(), || {
        let letters = raw::text(string).ok_or(Errno::INVALID)?;
        let octets = decode(letters)
            .filter(|octets| !octets.is_empty())
            .ok_or(Errno::INVALID)?;
        let room = raw::octets_mut(dest.cast(), octets.len()).ok_or(Errno::INVALID)?;
        room.copy_from_slice(&octets);
        Ok(dest)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_rfc_goes_both_ways() {
        let octets = [0x86, 0x4F, 0xD2, 0x6F, 0xB5, 0x59, 0xF7, 0x5B];
        assert_eq!(encode(&octets).unwrap(), b"HelloWorld");
        assert_eq!(decode(b"HelloWorld").unwrap(), octets);
    }

    #[test]
    fn what_is_no_z85_is_refused() {
        for text in [&b"Hello"[..4], b"Hel\"o", b"#####", b"%nSc1"] {
            assert_eq!(decode(text), None, "{}", text.escape_ascii());
        }
        assert_eq!(decode(b"%nSc0").unwrap(), [0xFF; 4]);
        assert_eq!(encode(&[1, 2, 3]), None);
    }
}
