//! Who is let in, by whom, and what both sides hear of it.

mod asking;
mod mechanisms;
mod own_code;
#[path = "../support/mod.rs"]
mod support;

use support::{await_event, open_with};
use zmq_engine::curve::KeyPair;
use zmq_engine::{
    CloseReason, Context, Happening, Monitor, Security, Socket, SocketOptions, SocketType,
};

fn key_pair() -> KeyPair {
    let mut octets = [0; 32];
    rand(&mut octets);
    KeyPair::new(zmq_engine::curve::SecretKey::from_octets(octets))
}

/// Key material of a test need not be hard to guess; it must differ from call to call.
fn rand(octets: &mut [u8]) {
    use std::hash::{BuildHasher, RandomState};
    for part in octets.chunks_mut(8) {
        let number = RandomState::new().hash_one(0).to_ne_bytes();
        part.copy_from_slice(&number[..part.len()]);
    }
}

fn secured(
    context: &Context,
    socket_type: SocketType,
    security: Security,
    change: impl FnOnce(&mut SocketOptions),
) -> (Socket, Monitor) {
    let socket = open_with(context, socket_type, |options| {
        options.security = security;
        options.attach_properties = true;
        change(options);
    });
    let monitor = socket.monitor().unwrap();
    (socket, monitor)
}

fn refusal(monitor: &Monitor) -> CloseReason {
    await_event(monitor, |what| match what {
        Happening::Closed {
            reason,
            was_ready: false,
            ..
        } => Some(reason.clone()),
        _ => None,
    })
}
