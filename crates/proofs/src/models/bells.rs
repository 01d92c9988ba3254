//! The call of a thread that runs a future.

use std::sync::Arc;

use loom::thread;

use crate::bell::Bell;
use crate::kernel::{self, File};
use crate::sync::atomic::{AtomicU32, Ordering};

/// `here::Desk`: two who call a thread, for something each.
pub(super) fn bell() {
    let bell = Arc::new(Bell::new());
    let pipe = File::open();
    let done: [_; 2] = std::array::from_fn(|_| Arc::new(AtomicU32::new(0)));
    let callers = done.clone().map(|done| {
        let bell = Arc::clone(&bell);
        thread::spawn(move || {
            done.swap(1, Ordering::SeqCst);
            if bell.ring() {
                pipe.set(true);
            }
        })
    });
    // A future that is ready once both have done what it waits for.
    while !done.iter().all(|done| done.load(Ordering::SeqCst) == 1) {
        while !bell.answer() {
            if bell.lie_down() {
                kernel::wait(|levels| levels.is(pipe).then_some(()));
                pipe.take();
                bell.get_up();
            }
        }
    }
    for caller in callers {
        caller.join().unwrap();
    }
}
