//! Signals belong to the application's threads.

use nix::sys::signal::SigSet;

/// Blocks every signal for the calling thread, so that none interrupts the driver and none is handled on its stack.
pub(crate) fn block_all() {
    // Refused only for arguments that this one is not.
    let _ = SigSet::all().thread_block();
}
