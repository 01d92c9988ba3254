//! Claims about the interface as C sees it. What libzmq's own programs claim is in `cargo xtask conformance`.

use std::ffi::{c_int, c_void};
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::boundary;
use crate::context::{zmq_ctx_get, zmq_ctx_new, zmq_ctx_shutdown, zmq_ctx_term};
use crate::errno::{Errno, zmq_errno};
use crate::message::{
    zmq_msg_close, zmq_msg_copy, zmq_msg_data, zmq_msg_get, zmq_msg_init, zmq_msg_init_data,
    zmq_msg_init_size, zmq_msg_move, zmq_msg_size,
};
use crate::raw::ZmqMsg;
use crate::receiving::{zmq_msg_recv, zmq_recv};
use crate::sending::{zmq_msg_send, zmq_send};
use crate::socket::{zmq_bind, zmq_close, zmq_connect, zmq_socket};

const PAIR: c_int = 0;
const REQ: c_int = 3;
const SHARED: c_int = 3;
const MORE: c_int = 2;

fn failed_with(outcome: c_int, errno: Errno) {
    assert_eq!((outcome, zmq_errno()), (-1, errno.0));
}

fn pair_of_pairs(context: *mut c_void) -> (*mut c_void, *mut c_void) {
    let (one, other) = (zmq_socket(context, PAIR), zmq_socket(context, PAIR));
    assert_eq!(zmq_bind(one, c"inproc://pair".as_ptr()), 0);
    assert_eq!(zmq_connect(other, c"inproc://pair".as_ptr()), 0);
    (one, other)
}

#[test]
fn null_foreign_and_closed_handles_are_errors() {
    let mut memory = [0_u64; 16];
    let foreign: *mut c_void = memory.as_mut_ptr().cast();
    let odd: *mut c_void = foreign.wrapping_byte_add(1);
    let context = zmq_ctx_new();
    let socket = zmq_socket(context, PAIR);
    for handle in [ptr::null_mut(), foreign, odd, context] {
        failed_with(zmq_close(handle), Errno::NOT_A_SOCKET);
        failed_with(zmq_send(handle, ptr::null(), 0, 0), Errno::NOT_A_SOCKET);
    }
    for handle in [ptr::null_mut(), foreign, odd, socket] {
        failed_with(zmq_ctx_get(handle, 1), Errno::FAULT);
        failed_with(zmq_ctx_term(handle), Errno::FAULT);
    }
    assert_eq!(zmq_close(socket), 0);
    failed_with(zmq_close(socket), Errno::NOT_A_SOCKET);
    failed_with(zmq_recv(socket, ptr::null_mut(), 0, 0), Errno::NOT_A_SOCKET);
    assert_eq!(zmq_ctx_term(context), 0);
    failed_with(zmq_ctx_term(context), Errno::FAULT);
}

#[test]
fn a_panic_is_an_error_number() {
    let outcome = boundary::number(|| panic!("a bug of ours"));
    failed_with(outcome, Errno::PANIC);
}

#[test]
fn a_thread_that_receives_hears_that_its_socket_was_closed() {
    let context = zmq_ctx_new();
    let socket = zmq_socket(context, PAIR).expose_provenance();
    std::thread::scope(|scope| {
        let receiver = scope.spawn(move || {
            let socket = ptr::with_exposed_provenance_mut(socket);
            failed_with(zmq_recv(socket, ptr::null_mut(), 0, 0), Errno::NOT_A_SOCKET);
        });
        assert_eq!(zmq_close(ptr::with_exposed_provenance_mut(socket)), 0);
        receiver.join().unwrap();
    });
    assert_eq!(zmq_ctx_term(context), 0);
}

#[test]
fn after_shutdown_everything_but_closing_says_so() {
    let context = zmq_ctx_new();
    let (one, other) = pair_of_pairs(context);
    assert_eq!(zmq_ctx_shutdown(context), 0);
    failed_with(zmq_send(one, ptr::null(), 0, 0), Errno::TERM);
    failed_with(zmq_bind(one, c"inproc://x".as_ptr()), Errno::TERM);
    assert!(zmq_socket(context, PAIR).is_null());
    assert_eq!(zmq_errno(), Errno::TERM.0);
    assert_eq!((zmq_close(one), zmq_close(other)), (0, 0));
    assert_eq!(zmq_ctx_term(context), 0);
}

static FREED: AtomicUsize = AtomicUsize::new(0);

unsafe extern "C" fn count(_data: *mut c_void, hint: *mut c_void) {
    FREED.fetch_add(hint.addr(), Ordering::SeqCst);
}

#[test]
fn a_buffer_is_freed_once_when_its_last_copy_goes() {
    let context = zmq_ctx_new();
    let (one, other) = pair_of_pairs(context);
    let mut freed = 0;
    for length in [0, 1, 38, 39, 5000] {
        let mut octets = vec![7_u8; 5000];
        let (mut sent, mut copy, mut got) = (
            MaybeUninit::<ZmqMsg>::uninit(),
            MaybeUninit::<ZmqMsg>::uninit(),
            MaybeUninit::<ZmqMsg>::uninit(),
        );
        let (sent, copy, got) = (sent.as_mut_ptr(), copy.as_mut_ptr(), got.as_mut_ptr());
        let (data, hint) = (octets.as_mut_ptr().cast(), ptr::without_provenance_mut(1));
        assert_eq!(zmq_msg_init_data(sent, data, length, Some(count), hint), 0);
        assert_eq!(zmq_msg_data(sent), data);
        assert_eq!((zmq_msg_init(copy), zmq_msg_init(got)), (0, 0));
        assert_eq!(zmq_msg_copy(copy, sent), 0);
        assert_eq!(zmq_msg_send(sent, one, 0), length as c_int);
        assert_eq!(zmq_msg_size(sent), 0);
        assert_eq!(zmq_msg_recv(got, other, 0), length as c_int);
        assert_eq!(FREED.load(Ordering::SeqCst), freed, "{length}");
        for message in [sent, copy, got] {
            assert_eq!(zmq_msg_close(message), 0);
            failed_with(zmq_msg_close(message), Errno::FAULT);
        }
        freed += 1;
        assert_eq!(FREED.load(Ordering::SeqCst), freed, "{length}");
    }
    assert_eq!((zmq_close(one), zmq_close(other)), (0, 0));
    assert_eq!(zmq_ctx_term(context), 0);
}

#[test]
fn a_copy_of_a_short_body_is_its_own_and_memory_comes_back_when_a_message_is_closed() {
    for length in [39, 50, 64] {
        let (mut message, mut copy, mut moved) = (
            MaybeUninit::<ZmqMsg>::uninit(),
            MaybeUninit::<ZmqMsg>::uninit(),
            MaybeUninit::<ZmqMsg>::uninit(),
        );
        let (message, copy, moved) = (message.as_mut_ptr(), copy.as_mut_ptr(), moved.as_mut_ptr());
        assert_eq!(zmq_msg_init_size(message, length), 0);
        let data = zmq_msg_data(message);
        // SAFETY: the message has so many octets, and nobody else looks at them.
        unsafe { data.cast::<u8>().write_bytes(7, length) };
        assert_eq!((zmq_msg_init(copy), zmq_msg_init(moved)), (0, 0));
        assert_eq!(zmq_msg_copy(copy, message), 0);
        let others = zmq_msg_data(copy);
        if others == data {
            let shared = [message, copy].map(|message| zmq_msg_get(message, SHARED));
            assert_eq!(shared, [1, 1]);
        } else {
            // SAFETY: as above.
            unsafe { data.cast::<u8>().write_bytes(8, length) };
        }
        // SAFETY: the copy has as many octets, and nobody writes them.
        let octets = unsafe { std::slice::from_raw_parts(others.cast::<u8>(), length) };
        assert_eq!(octets, vec![7; length]);
        assert_eq!(zmq_msg_move(moved, message), 0);
        assert_eq!((zmq_msg_data(moved), zmq_msg_size(message)), (data, 0));
        for message in [message, copy, moved] {
            assert_eq!(zmq_msg_close(message), 0);
        }
        assert_eq!(zmq_msg_init_size(message, length), 0);
        if cfg!(not(any(fuzzing, zmq_fresh_bodies))) {
            assert_eq!(zmq_msg_data(message), data, "closed last, used first");
        }
        assert_eq!(zmq_msg_close(message), 0);
    }
}

#[test]
fn copies_of_what_was_received_are_at_one_place_and_say_so() {
    let context = zmq_ctx_new();
    let (one, other) = pair_of_pairs(context);
    let octets = [7_u8; 2000];
    for length in [65, 256, 1024, 1025, 2000] {
        let (mut got, mut copy) = (
            MaybeUninit::<ZmqMsg>::uninit(),
            MaybeUninit::<ZmqMsg>::uninit(),
        );
        let (got, copy) = (got.as_mut_ptr(), copy.as_mut_ptr());
        assert_eq!((zmq_msg_init(got), zmq_msg_init(copy)), (0, 0));
        let sent = zmq_send(one, octets.as_ptr().cast(), length, 0);
        assert_eq!(sent, length as c_int);
        assert_eq!(zmq_msg_recv(got, other, 0), length as c_int);
        assert_eq!(zmq_msg_copy(copy, got), 0);
        assert_eq!(zmq_msg_data(copy), zmq_msg_data(got), "{length}");
        let shared = [got, copy].map(|message| zmq_msg_get(message, SHARED));
        assert_eq!(shared, [1, 1], "{length}");
        assert_eq!((zmq_msg_close(got), zmq_msg_close(copy)), (0, 0));
    }
    assert_eq!((zmq_close(one), zmq_close(other)), (0, 0));
    assert_eq!(zmq_ctx_term(context), 0);
}

#[test]
fn a_message_that_was_not_sent_stays_as_it_was() {
    let context = zmq_ctx_new();
    let socket = zmq_socket(context, REQ);
    let mut message = MaybeUninit::<ZmqMsg>::uninit();
    let mut moved = MaybeUninit::<ZmqMsg>::uninit();
    let (message, moved) = (message.as_mut_ptr(), moved.as_mut_ptr());
    for length in [50, 100] {
        assert_eq!(zmq_msg_init_size(message, length), 0);
        let data = zmq_msg_data(message);
        failed_with(zmq_msg_send(message, socket, 1), Errno::AGAIN);
        failed_with(zmq_msg_send(message, socket, 1 | MORE), Errno::AGAIN);
        let kept = (zmq_msg_data(message), zmq_msg_size(message));
        assert_eq!(kept, (data, length));
        assert_eq!(zmq_msg_init(moved), 0);
        assert_eq!(zmq_msg_move(moved, message), 0);
        assert_eq!((zmq_msg_data(moved), zmq_msg_size(message)), (data, 0));
        assert_eq!((zmq_msg_close(message), zmq_msg_close(moved)), (0, 0));
    }
    assert_eq!(zmq_close(socket), 0);
    assert_eq!(zmq_ctx_term(context), 0);
}
