//! Proof that the borrowed session needs neither `std` nor an allocator: this static library has its own panic handler and no global
//! allocator, and building it fails as soon as anything below asks for one.
#![no_std]

use zmtp_mech_null::BorrowedNull;
use zmtp_wire::borrowed::{Buffers, Config, Event, Session};
use zmtp_wire::{Error, SocketType, Time};

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {
        core::hint::spin_loop();
    }
}

/// A PUSH and a PULL shake hands in 1 KiB of memory, and one message of five octets crosses. Returns 5, or a negative number.
#[unsafe(no_mangle)]
pub extern "C" fn zmtp_no_std_proof() -> i32 {
    match converse() {
        Ok(length) => i32::try_from(length).unwrap_or(-2),
        Err(_) => -1,
    }
}

fn converse() -> Result<usize, Error> {
    let now = Time::from_millis(0);
    let [mut input, mut output, mut input2, mut output2] = [[0; 256]; 4];
    let buffers = Buffers { input: &mut input, output: &mut output };
    let mut push = Session::new(Config::new(SocketType::Push), BorrowedNull::new(), buffers, now);
    let buffers = Buffers { input: &mut input2, output: &mut output2 };
    let mut pull = Session::new(Config::new(SocketType::Pull), BorrowedNull::new(), buffers, now);
    loop {
        let mut wire = push.output();
        while let Some(event) = pull.handle_input(now, &mut wire)? {
            if let Event::Frame { body, .. } = event {
                return Ok(body.len());
            }
        }
        push.output_written(usize::MAX);
        let mut wire = pull.output();
        while push.handle_input(now, &mut wire)?.is_some() {}
        pull.output_written(usize::MAX);
        if push.in_traffic() {
            push.send(b"hello", false).map_err(|_| Error::OutOfMemory)?;
        }
    }
}

/// The precompiled `core` of hosted targets unwinds and names this function in its tables; nothing here ever unwinds.
#[unsafe(no_mangle)]
pub extern "C" fn rust_eh_personality() {}
