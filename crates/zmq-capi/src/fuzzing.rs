//! What the fuzz target calls: the functions of the C library in any order, with any numbers, sizes and octets.
//!
//! The promises that C callers make are kept: pointers lead to as much memory as is said, in buffers of exactly that size so that
//! the address sanitizer sees the first octet beyond; no call waits. Endpoints are within the context or nothing at all.
#![allow(
    clippy::panic,
    clippy::arithmetic_side_effects,
    reason = "the judge, not the judged: it runs in fuzz targets and tests only"
)]

use std::ffi::{CString, c_int, c_void};
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::context::{
    zmq_ctx_get, zmq_ctx_get_ext, zmq_ctx_new, zmq_ctx_set, zmq_ctx_set_ext, zmq_ctx_shutdown,
    zmq_ctx_term,
};
use crate::curve::zmq_curve_public;
use crate::drafts::{
    zmq_msg_group, zmq_msg_routing_id, zmq_msg_set_group, zmq_msg_set_routing_id,
    zmq_socket_get_peer_state,
};
use crate::errno::{Errno, zmq_errno, zmq_strerror};
use crate::has::zmq_has;
use crate::message::{
    zmq_msg_close, zmq_msg_copy, zmq_msg_data, zmq_msg_get, zmq_msg_gets, zmq_msg_init,
    zmq_msg_init_buffer, zmq_msg_init_data, zmq_msg_init_size, zmq_msg_more, zmq_msg_move,
    zmq_msg_set, zmq_msg_size,
};
use crate::options::{id, zmq_getsockopt, zmq_setsockopt};
use crate::raw::ZmqMsg;
use crate::receiving::{zmq_msg_recv, zmq_recv};
use crate::sending::{DONTWAIT, SNDMORE, zmq_msg_send, zmq_send};
use crate::socket::{zmq_bind, zmq_close, zmq_connect, zmq_disconnect, zmq_socket, zmq_unbind};
use crate::z85::{zmq_z85_decode, zmq_z85_encode};

/// Calls of one run at most.
const CALLS: usize = 200;
const SOCKETS: usize = 6;
const MESSAGES: usize = 3;

/// Numbers that are kept as they were set, whatever else is done.
const KEPT: &[c_int] = &[
    id::RATE,
    id::SNDBUF,
    id::RECONNECT_IVL,
    id::BACKLOG,
    id::SNDHWM,
    id::RCVHWM,
    id::TOS,
    id::HANDSHAKE_IVL,
];

/// What messages of the caller's are made of, which is never written.
static OCTETS: [u8; 300] = [7; 300];
static FREED: AtomicUsize = AtomicUsize::new(0);
/// One run at a time counts what was freed.
static TURN: Mutex<()> = Mutex::new(());

unsafe extern "C" fn free(_data: *mut c_void, _hint: *mut c_void) {
    FREED.fetch_add(1, Ordering::SeqCst);
}

/// Reads choices off the fuzzer's octets; zeros when they are used up.
struct Choices<'a>(&'a [u8]);

impl<'a> Choices<'a> {
    fn octet(&mut self) -> u8 {
        match self.0 {
            [first, rest @ ..] => {
                self.0 = rest;
                *first
            }
            [] => 0,
        }
    }

    fn below(&mut self, count: usize) -> usize {
        usize::from(self.octet()) % count.max(1)
    }

    /// Up to 255 octets.
    fn octets(&mut self) -> &'a [u8] {
        let length = usize::from(self.octet()).min(self.0.len());
        let (octets, rest) = self.0.split_at(length);
        self.0 = rest;
        octets
    }

    fn text(&mut self) -> CString {
        let octets = self.octets();
        let end = octets.iter().position(|octet| *octet == 0);
        let text = octets.get(..end.unwrap_or(octets.len()));
        CString::new(text.unwrap_or_default()).unwrap_or_default()
    }

    /// Mostly small, now and then anything.
    fn number(&mut self) -> c_int {
        match self.octet() {
            255 => c_int::from_ne_bytes([0; 4].map(|_: u8| self.octet())),
            254 => -c_int::from(self.octet()),
            small => small.into(),
        }
    }

    /// A name within the context, or nothing that anybody listens to.
    fn endpoint(&mut self) -> CString {
        let name = self.octet();
        if name < 128 {
            return CString::new(format!("inproc://{}", name % 4)).unwrap_or_default();
        }
        let text = self.text();
        let octets = text.as_bytes();
        if octets.starts_with(b"tcp:") || octets.starts_with(b"ipc:") {
            return CString::default();
        }
        text
    }
}

/// What is there to be called with.
struct World {
    context: *mut c_void,
    sockets: Vec<*mut c_void>,
    messages: [MaybeUninit<ZmqMsg>; MESSAGES],
    /// Messages made of `OCTETS`.
    made: usize,
}

/// Every failure has a number, and none is a panic.
fn checked(outcome: c_int) -> c_int {
    assert!(outcome >= -1, "answered {outcome}");
    if outcome == -1 {
        let errno = zmq_errno();
        assert!(errno != 0 && errno != Errno::PANIC.0, "failed with {errno}");
        assert!(!zmq_strerror(errno).is_null());
    }
    outcome
}

impl World {
    /// A socket, a closed one, or something that is none.
    fn socket(&mut self, choices: &mut Choices<'_>) -> *mut c_void {
        let at = choices.below(SOCKETS + 2);
        let other = if at == SOCKETS {
            self.context
        } else {
            ptr::null_mut()
        };
        self.sockets.get(at).copied().unwrap_or(other)
    }

    fn message(&mut self, choices: &mut Choices<'_>) -> *mut ZmqMsg {
        let at = choices.below(MESSAGES);
        self.messages
            .get_mut(at)
            .map_or(ptr::null_mut(), MaybeUninit::as_mut_ptr)
    }

    fn call(&mut self, choices: &mut Choices<'_>) {
        match choices.octet() % 16 {
            0 | 1 => self.open(choices),
            2 => {
                let socket = self.socket(choices);
                self.close(socket);
            }
            3 | 4 => self.set_option(choices),
            5 => self.get_option(choices),
            6 | 7 => self.join(choices),
            8 => self.send(choices),
            9 => self.receive(choices),
            10 => self.make_message(choices),
            11 => self.use_message(choices),
            12 => self.carry_message(choices),
            13 => self.context_options(choices),
            14 => words(choices),
            _ => self.look(choices),
        }
    }

    fn open(&mut self, choices: &mut Choices<'_>) {
        let socket = zmq_socket(self.context, choices.number() % 24);
        if socket.is_null() {
            checked(-1);
        } else if self.sockets.len() < SOCKETS {
            self.sockets.push(socket);
        } else {
            self.close(socket);
        }
    }

    fn close(&mut self, socket: *mut c_void) {
        // Its handle stays in the list: a closed one is an error from then on, until its place has a new one.
        let never: c_int = 0;
        let never = ptr::from_ref(&never).cast();
        zmq_setsockopt(socket, id::LINGER, never, size_of::<c_int>());
        checked(zmq_close(socket));
    }

    fn set_option(&mut self, choices: &mut Choices<'_>) {
        let socket = self.socket(choices);
        let option = choices.number();
        let number;
        // A copy with nothing behind it.
        let value: Box<[u8]> = if choices.octet() < 160 {
            number = choices.number();
            Box::new(number.to_ne_bytes())
        } else {
            choices.octets().into()
        };
        let place = value.as_ptr().cast();
        if checked(zmq_setsockopt(socket, option, place, value.len())) == 0
            && KEPT.contains(&option)
        {
            let mut kept = [0_u8; size_of::<c_int>()];
            let mut length = kept.len();
            let outcome = zmq_getsockopt(socket, option, kept.as_mut_ptr().cast(), &mut length);
            assert!(outcome == 0 || zmq_errno() == Errno::TERM.0);
            assert!(outcome == -1 || kept == *value, "option {option}");
        }
    }

    fn get_option(&mut self, choices: &mut Choices<'_>) {
        let socket = self.socket(choices);
        let option = choices.number();
        let mut room = vec![0_u8; choices.below(80)].into_boxed_slice();
        let mut length = room.len();
        let outcome = zmq_getsockopt(socket, option, room.as_mut_ptr().cast(), &mut length);
        checked(outcome);
        assert!(length <= room.len());
    }

    fn join(&mut self, choices: &mut Choices<'_>) {
        let socket = self.socket(choices);
        let endpoint = choices.endpoint();
        let join = match choices.octet() % 8 {
            0..=2 => zmq_bind,
            3..=5 => zmq_connect,
            6 => zmq_unbind,
            _ => zmq_disconnect,
        };
        checked(join(socket, endpoint.as_ptr()));
    }

    fn send(&mut self, choices: &mut Choices<'_>) {
        let socket = self.socket(choices);
        let more = SNDMORE * c_int::from(choices.octet() & 1);
        let octets: Box<[u8]> = choices.octets().into();
        let place = octets.as_ptr().cast();
        let sent = checked(zmq_send(socket, place, octets.len(), DONTWAIT | more));
        assert!(sent == -1 || usize::try_from(sent) == Ok(octets.len()));
    }

    fn receive(&mut self, choices: &mut Choices<'_>) {
        let socket = self.socket(choices);
        let mut room = vec![0_u8; choices.below(64)].into_boxed_slice();
        checked(zmq_recv(
            socket,
            room.as_mut_ptr().cast(),
            room.len(),
            DONTWAIT,
        ));
    }

    fn make_message(&mut self, choices: &mut Choices<'_>) {
        let message = self.message(choices);
        // What is there already has to be closed first; there may be nothing.
        checked(zmq_msg_close(message));
        checked(match choices.octet() % 5 {
            0 => zmq_msg_init(message),
            1 => zmq_msg_init_size(message, choices.below(256) * choices.below(256)),
            2 => zmq_msg_init_size(message, usize::MAX - choices.below(64)),
            3 => {
                let octets: Box<[u8]> = choices.octets().into();
                zmq_msg_init_buffer(message, octets.as_ptr().cast(), octets.len())
            }
            _ => {
                let length = usize::from(choices.octet());
                let data = OCTETS.as_ptr().cast_mut().cast();
                self.made += 1;
                zmq_msg_init_data(message, data, length, Some(free), ptr::null_mut())
            }
        });
    }

    fn use_message(&mut self, choices: &mut Choices<'_>) {
        let message = self.message(choices);
        let other = self.message(choices);
        match choices.octet() % 9 {
            0 => checked(zmq_msg_close(message)),
            1 => checked(zmq_msg_copy(message, other)),
            2 => checked(zmq_msg_move(message, other)),
            3 => checked(zmq_msg_get(message, choices.number())),
            4 => checked(zmq_msg_set(message, choices.number(), choices.number())),
            5 => {
                zmq_msg_gets(message, choices.text().as_ptr());
                checked(zmq_msg_more(message))
            }
            6 => checked(zmq_msg_set_group(message, choices.text().as_ptr())),
            7 => {
                zmq_msg_group(message);
                zmq_msg_routing_id(message);
                checked(zmq_msg_set_routing_id(message, choices.octet().into()))
            }
            _ => {
                let is_there = !zmq_msg_data(message).is_null();
                assert!(is_there || zmq_msg_size(message) == 0);
                0
            }
        };
    }

    fn carry_message(&mut self, choices: &mut Choices<'_>) {
        let (message, socket) = (self.message(choices), self.socket(choices));
        let flags = DONTWAIT | (SNDMORE * c_int::from(choices.octet() & 1));
        checked(if choices.octet() & 1 == 0 {
            zmq_msg_send(message, socket, flags)
        } else {
            zmq_msg_recv(message, socket, DONTWAIT)
        });
    }

    fn context_options(&mut self, choices: &mut Choices<'_>) {
        let option = choices.number() % 80;
        match choices.octet() % 32 {
            0 => checked(zmq_ctx_shutdown(self.context)),
            1..12 => checked(zmq_ctx_set(self.context, option, choices.number())),
            12..20 => checked(zmq_ctx_get(self.context, option)),
            20..26 => {
                let value: Box<[u8]> = choices.octets().into();
                let place = value.as_ptr().cast();
                checked(zmq_ctx_set_ext(self.context, option, place, value.len()))
            }
            _ => {
                let mut room = vec![0_u8; choices.below(32)].into_boxed_slice();
                let mut length = room.len();
                let place = room.as_mut_ptr().cast();
                let outcome = checked(zmq_ctx_get_ext(self.context, option, place, &mut length));
                assert!(length <= room.len());
                outcome
            }
        };
    }

    fn look(&mut self, choices: &mut Choices<'_>) {
        let socket = self.socket(choices);
        let name: Box<[u8]> = choices.octets().into();
        checked(zmq_socket_get_peer_state(
            socket,
            name.as_ptr().cast(),
            name.len(),
        ));
    }

    /// Closes what is left, and ends the context.
    fn end(mut self) {
        for socket in std::mem::take(&mut self.sockets) {
            self.close(socket);
        }
        for message in &mut self.messages {
            checked(zmq_msg_close(message.as_mut_ptr()));
        }
        // A signal ends the wait (the fuzzer's clock is one), and the caller comes again.
        while checked(zmq_ctx_term(self.context)) == -1 {
            assert_eq!(zmq_errno(), libc::EINTR, "a context does not end");
        }
    }
}

/// Functions of octets alone.
fn words(choices: &mut Choices<'_>) {
    let text = choices.text();
    match choices.octet() % 4 {
        0 => {
            let mut room = vec![0_u8; text.as_bytes().len() / 5 * 4].into_boxed_slice();
            zmq_z85_decode(room.as_mut_ptr(), text.as_ptr());
        }
        1 => {
            let octets: Box<[u8]> = choices.octets().into();
            let mut room = vec![0_u8; octets.len() / 4 * 5 + 1].into_boxed_slice();
            zmq_z85_encode(room.as_mut_ptr().cast(), octets.as_ptr(), octets.len());
        }
        2 => {
            let mut room = vec![0_u8; 41].into_boxed_slice();
            checked(zmq_curve_public(room.as_mut_ptr().cast(), text.as_ptr()));
        }
        _ => {
            checked(zmq_has(text.as_ptr()));
            zmq_strerror(choices.number());
        }
    }
}

/// Calls functions as the octets say.
///
/// # Panics
/// When a function answers what it must not, when one of them has panicked, when a context does not end, or when a buffer
/// was not freed exactly once: that is what the fuzzer looks for.
pub fn calls(octets: &[u8]) {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let freed = FREED.load(Ordering::SeqCst);
    let mut choices = Choices(octets);
    let mut world = World {
        context: zmq_ctx_new(),
        sockets: Vec::new(),
        messages: [const { MaybeUninit::zeroed() }; MESSAGES],
        made: 0,
    };
    for _ in 0..CALLS {
        if choices.0.is_empty() {
            break;
        }
        world.call(&mut choices);
    }
    let made = world.made;
    world.end();
    assert_eq!(FREED.load(Ordering::SeqCst) - freed, made, "buffers freed");
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn whatever_is_called_answers_or_fails_with_a_number(
            octets in proptest::collection::vec(any::<u8>(), 0..400),
        ) {
            super::calls(&octets);
        }
    }
}
