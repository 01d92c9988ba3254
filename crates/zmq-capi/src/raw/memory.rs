//! Plain memory of the caller: numbers, strings, octets; and `errno`.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::os::fd::BorrowedFd;

pub(crate) fn errno() -> c_int {
    // SAFETY: the address of the calling thread's own variable.
    unsafe { *libc::__errno_location() }
}

pub(crate) fn set_errno(number: c_int) {
    // SAFETY: as above.
    unsafe { *libc::__errno_location() = number };
}

/// The system's words for an error.
pub(crate) fn system_text(number: c_int) -> *const c_char {
    // SAFETY: takes any number.
    unsafe { libc::strerror(number) }
}

/// Writes where the pointer is not null.
pub(crate) fn put<T>(place: *mut T, value: T) {
    if !place.is_null() {
        // SAFETY: the caller's promise: room for one `T`. What was there has no destructor to run: all these are numbers.
        unsafe { place.write_unaligned(value) };
    }
}

/// Reads where the pointer is not null.
pub(crate) fn get<T: Copy>(place: *const T) -> Option<T> {
    // SAFETY: the caller's promise: a `T` is there.
    (!place.is_null()).then(|| unsafe { place.read_unaligned() })
}

/// The octets at a pointer, for the time of a call. `None` for null, unless there are none to be read.
pub(crate) fn octets<'a>(data: *const c_void, length: usize) -> Option<&'a [u8]> {
    if length == 0 {
        return Some(&[]);
    }
    if data.is_null() || isize::try_from(length).is_err() {
        return None;
    }
    // SAFETY: the caller's promise: `length` octets are there and nobody writes them during the call.
    Some(unsafe { std::slice::from_raw_parts(data.cast(), length) })
}

/// The same of octets that stay as they are until the process ends.
pub(crate) fn constant_octets(data: *const c_void, length: usize) -> Option<&'static [u8]> {
    octets(data, length)
}

/// Writable memory of the caller, for the time of a call.
pub(crate) fn octets_mut<'a>(data: *mut c_void, length: usize) -> Option<&'a mut [u8]> {
    if length == 0 {
        return Some(&mut []);
    }
    if data.is_null() || isize::try_from(length).is_err() {
        return None;
    }
    // SAFETY: the caller's promise: `length` octets are there and nobody else uses them during the call.
    Some(unsafe { std::slice::from_raw_parts_mut(data.cast(), length) })
}

/// An array of the caller's, for the time of a call.
pub(crate) fn items_mut<'a, T>(items: *mut T, count: usize) -> Option<&'a mut [T]> {
    if count == 0 {
        return Some(&mut []);
    }
    if items.is_null() || !items.is_aligned() {
        return None;
    }
    // SAFETY: the caller's promise: `count` items are there and nobody else uses them during the call.
    Some(unsafe { std::slice::from_raw_parts_mut(items, count) })
}

/// A string with a zero at its end, for the time of a call; without the zero.
pub(crate) fn text<'a>(text: *const c_char) -> Option<&'a [u8]> {
    if text.is_null() {
        return None;
    }
    // SAFETY: the caller's promise: a zero ends it, and nobody writes it during the call.
    Some(unsafe { CStr::from_ptr(text) }.to_bytes())
}

/// A descriptor of the caller's, for the time of a call.
pub(crate) fn descriptor<'a>(fd: c_int) -> Option<BorrowedFd<'a>> {
    // SAFETY: not -1; the caller's promise: open, and not closed during the call.
    (fd >= 0).then(|| unsafe { BorrowedFd::borrow_raw(fd) })
}

/// Memory that the C caller frees with `free`. Null when there is none.
pub(crate) fn malloc_copy(octets: &[u8]) -> *mut c_void {
    // SAFETY: takes any size; one octet at least, so that null means failure.
    let copy = unsafe { libc::malloc(octets.len().max(1)) };
    if let Some(room) = octets_mut(copy, octets.len()) {
        room.copy_from_slice(octets);
    }
    copy
}

/// Whether the system's list of groups names a user as a member of one.
pub(crate) fn is_in_group(user: u32, group: u32) -> bool {
    // SAFETY: both take any number and give null or an entry that stays until the next call; nobody else in this library calls
    // them. What C strings they hold end with a zero, and the list of members with a null.
    unsafe {
        let user = libc::getpwuid(user);
        let group = libc::getgrgid(group);
        if user.is_null() || group.is_null() {
            return false;
        }
        let name = CStr::from_ptr((*user).pw_name);
        let mut member = (*group).gr_mem;
        while !(*member).is_null() {
            if CStr::from_ptr(*member) == name {
                return true;
            }
            member = member.add(1);
        }
    }
    false
}
