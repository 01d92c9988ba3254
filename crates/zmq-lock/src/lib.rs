//! A lock that the thread which always takes it takes without atomic exchanges.
//!
//! Most sockets are used by one thread, and their lock is free whenever that thread comes. A common lock is an atomic exchange to take
//! and another to let go, and each waits until all that was written before has left the processor's store buffer: a third of the time of
//! a short message. [`Lock`] belongs to the thread that has taken it many times in a row. The owner writes down that it is inside and
//! looks whether the lock is still its own, without making the processor put one after the other. Whoever else comes takes
//! the lock away first: says that it is nobody's, has the system interrupt all threads of the process ([`fence::heavy`], `membarrier` of Linux), and then either sees
//! that the owner is inside, and waits, or the owner sees that the lock is not its own any more.
//!
//! It is for the crates of this workspace. There are no promises about its versions.
//!
//! # Limits
//!
//! - Linux with `membarrier` (4.14 and later). Elsewhere, and where the system refuses it, no thread ever owns a lock: it is a common mutex
//!   with a look at some numbers.
//! - Taking a lock away costs a system call, and an interrupt of each core that runs a thread of the process: some microseconds. How seldom that is, `policy` sees to.
//! - A thread that takes the lock again while it has it panics if it owns it, and else waits for ever.
//! - A panic while the lock is held leaves what it protects as it is. There is no poison.
//! - A child is told of what its parent's threads were about by a handler of `pthread_atfork`. One that was made by a system call that runs no handlers, or that closes a handle of the C library in a handler
//!   which comes before this one, may wait for threads that it does not have.
//! - A filter of system calls that ends the process for those it does not know has to know `membarrier`. One that answers with an error may refuse it: from the beginning (there are no owners then), or
//!   later (taking a lock away takes 10 ms then).
//!
//! # `unsafe`
//!
//! - In `lock`: the reference to what is locked, and the claim that threads may share the lock. They rest on
//!   `gate`, which says who is inside, has no `unsafe`, and is stepped by the models of `zmq-proofs` through the orders of events of two and three threads.
//! - In `reference`: an atomic pointer to what is never freed.
//! - In `fork`: the call that has the system tell of forked children.
//!
//! Whoever takes something apart on the word of [`place::wait`] has an `unsafe` of its own that rests on `place`; the models have that, too.

#![deny(unsafe_op_in_unsafe_fn)]

pub mod fence;
#[cfg(target_os = "linux")]
mod fork;
mod gate;
mod lock;
mod mutex;
pub mod place;
mod policy;
mod reference;
mod sleep;
mod thread;

pub use lock::{Lock, LockGuard};
