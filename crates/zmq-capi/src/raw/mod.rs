//! The only place with `unsafe`: pointers become values here, and values pointers.
//!
//! The functions are safe to call for the rest of the crate although they follow pointers, because every pointer they are
//! given comes unchanged from a C caller, who has promised in `zmq.h` that it is null or points to what the function
//! says. A wrong promise is undefined behaviour in C as well; what can be found out before a pointer is followed (null,
//! alignment, the tag of a handle) is.
//!
//! What a program written in C can do that valgrind and the sanitizers do not see, and why it is harmless here:
//! handles live in slots that are never given back to the allocator (`slots`), so a closed handle is memory with
//! another tag and not memory of somebody else; an octet buffer that was handed out (`message`) is owned by the
//! `zmq_msg_t` until it is closed, moved or sent, and nothing in this crate holds a slice of it across a call.

mod foreign;
mod memory;
mod message;
mod slots;
mod waiting;

pub(crate) use foreign::{Foreign, FreeFn, ThreadFn, TimerFn, call_thread, call_timer};
pub(crate) use memory::*;
pub(crate) use message::*;
pub(crate) use slots::{Held, Kind, Spare, insert, take, visit};
pub(crate) use waiting::*;
