//! Forked children.

use crate::thread;

/// Has the records looked through in each child that is forked from now on. Says whether that is so.
pub(crate) fn watch() -> bool {
    // SAFETY: the function is there as long as the process, as the C library is never unloaded. It takes no lock of its own; what a thread's first look at its
    // own variables may allocate, the child of a program with threads may. To be called twice is as good, should two threads come here at once.
    unsafe { libc::pthread_atfork(None, None, Some(forked)) == 0 }
}

extern "C" fn forked() {
    thread::forked();
}
