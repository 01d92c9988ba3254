//! The only place with `unsafe`: pointers become values here, and values pointers.
//!
//! The functions are safe to call for the rest of the crate although they follow pointers, because every pointer they are
//! given comes unchanged from a C caller, who has promised in `zmq.h` that it is null or points to what the function
//! says. A wrong promise is undefined behaviour in C as well; what can be found out before a pointer is followed (null,
//! alignment, the tag of a handle) is.
//!
//! # Who looks, and what they cannot see
//!
//! `cargo xtask sanitize` runs this crate's tests and libzmq's programs under the address sanitizer, which looks for leaks as
//! well, with the standard library's checks of pointers and lengths switched on, and libzmq's programs once more under
//! valgrind; the fuzz target `capi_calls` runs under the address sanitizer, too. They see an octet that is read, written or
//! freed where it must not be, and memory that nothing leads to any more; for that the builds they see keep no memory of bodies
//! (`--cfg zmq_fresh_bodies`). They do not see the following, which is therefore
//! argued here.
//!
//! **Data races.** Memory that several threads use at once without a lock or an atomic looks like any other; the thread
//! sanitizer would want a standard library that is instrumented as well. The compiler checks all of it but what is declared
//! `Send` or `Sync` by hand, of which there are three kinds. A slot's value (`slots`) is written while no tag leads to it: by the
//! one who popped the slot from the list of spare ones, and by the last caller to leave a closed one. Tag and number of callers
//! are one atomic word: who enters learns in the same step whether the slot was open, and a closed value is taken out by an exchange
//! that succeeds only while it is closed and nobody is inside, even if the slot has had another owner since. Calls that never wait are not counted but noted by
//! their thread (`zmq_lock::place`): who closes the handle waits for all that found it open, before it lets go of its own share. A buffer of the caller's (`Foreign`) is only read while it is
//! shared, and its free function is called by the last one who drops it, which `Bytes` counts. An `Argument` is handed on and
//! not followed. What a C program does at once with one `zmq_msg_t`, one buffer or one list of poll items is beyond us: `zmq.h` has it
//! promise not to. With one socket it may: libzmq forbids it, here it has a lock.
//!
//! **How long a pointer holds.** The functions of `memory` give slices of any lifetime, as the memory belongs to nobody we
//! know, and an octet that is used too late looks well as long as the caller has not freed it. They are therefore called inside the
//! exported functions only, and what is to stay is copied before these return. Three do stay, as C says they do: the octets
//! of `zmq_send_const` and of `zmq_msg_init_data` without a free function, for ever; those with one, until it is called; and the
//! arguments of threads, timers and poll items, which are given back and not followed.
//!
//! **Two references to one place.** `part` gives the only reference to a `zmq_msg_t`'s content, for the time of a call: functions
//! of two messages compare the pointers and ask for one after the other. `zmq_msg_data` gives out a pointer to octets that
//! live in the value itself or on the heap; nothing here keeps a reference to them across a call, and when C writes through it,
//! the only owner is that `zmq_msg_t`, or C has broken its promise not to write what `ZMQ_SHARED` says is shared.
//!
//! **Values that were never made.** A `zmq_msg_t` is taken for a part when its tag says so, and the tag of memory that was not
//! initialised can say so by chance (one of 65536). C promises to initialise. Closing takes the tag away, so that closing twice is an error
//! number. A part has no pointer into itself and may be moved as octets; a copy of the octets that is used like a second message is
//! a second owner, which the sanitizers see when both are closed and nobody can refuse before.
//!
//! **Handles of others.** Slots are never given back to the allocator, so that the tag of a closed handle can be read at any time;
//! for the same reason a use after closing looks well to all who watch. It is an error number until the place has a new
//! handle of the same kind, and then it is that one: a wrong socket, but a socket. What leads to a slot is no leak, so
//! sockets that are never closed are not counted as one either. A pointer that is none of ours is read as far as the tag.
//!
//! **Ways out.** No panic passes `boundary`; a function of the caller's that throws ends the process, as `extern "C"` says. A free
//! function runs where the last owner is, which may be inside a call that has locked a socket: it must not call one. Nothing
//! here may be called from a signal's handler. A forked child has copies of locks that threads of its parent may have held: the
//! engine takes none of them in a child but to close what was inherited, and asks first (`is_foreign_process`). The library is never
//! unloaded (`build.rs`), as threads may still run in it.
//!
//! **Code that was not run.** What none of these programs does, nobody has seen. The standard library comes compiled and is not
//! instrumented itself, only what is inlined from it; valgrind sees that as well.

mod foreign;
mod memory;
mod message;
mod slots;
mod waiting;

pub(crate) use foreign::{Foreign, FreeFn, ThreadFn, TimerFn, call_thread, call_timer};
pub(crate) use memory::*;
pub(crate) use message::*;
pub(crate) use slots::{Brief, Held, Kind, Spare, insert, take, visit, visit_briefly};
pub(crate) use waiting::*;
