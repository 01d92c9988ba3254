//! Links the pure crates with an allocator of its own and nothing else: no std, no C library.
//!
//! A proof, never run: the allocator has nothing to give.
#![no_std]

use core::{
    alloc::{GlobalAlloc, Layout},
    panic::PanicInfo,
    ptr,
};
use zap as _;
use zmq_patterns as _;
use zmtp_mech_curve as _;
use zmtp_mech_null as _;
use zmtp_mech_plain as _;
use zmtp_wire as _;
use zpl as _;

struct Nothing;

#[global_allocator]
static NOTHING: Nothing = Nothing;

// SAFETY: a null pointer is an allocator's honest refusal, and nothing was given that could come back.
unsafe impl GlobalAlloc for Nothing {
    unsafe fn alloc(&self, _: Layout) -> *mut u8 {
        ptr::null_mut()
    }

    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
}

#[panic_handler]
fn stop(_: &PanicInfo<'_>) -> ! {
    loop {}
}
