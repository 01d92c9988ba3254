//! Forwarding between two sockets.

use std::ffi::{c_int, c_short, c_void};

use zmq_engine::{Frame, Message, SocketType};

use crate::boundary::{Outcome, done};
use crate::errno::Errno;
use crate::polling::{self, Item, POLLIN, POLLOUT, What};
use crate::raw::Held;
use crate::sending::DONTWAIT;
use crate::socket::{SocketHandle, socket};

/// Messages moved in one direction before the other one, and the control socket, have their turn.
const BURST: usize = 1000;

/// What has passed one socket.
#[derive(Clone, Copy, Default)]
struct Passed {
    received: u64,
    received_octets: u64,
    sent: u64,
    sent_octets: u64,
}

struct Proxy {
    frontend: Held<SocketHandle>,
    backend: Held<SocketHandle>,
    /// One socket forwards to itself.
    single: bool,
    capture: Option<Held<SocketHandle>>,
    control: Option<Held<SocketHandle>>,
    paused: bool,
    front: Passed,
    back: Passed,
}

impl SocketHandle {
    /// A whole message, if one is there.
    fn try_message(&self) -> Outcome<Option<Message>> {
        let first = match self.receive_frame(DONTWAIT) {
            Ok(first) => first,
            Err(Errno::AGAIN) => return Ok(None),
            Err(errno) => return Err(errno),
        };
        let mut message = Message::single(first.frame);
        let mut more = first.more;
        while more {
            let next = self.receive_frame(DONTWAIT)?;
            message.push_back(next.frame);
            more = next.more;
        }
        Ok(Some(message))
    }

    fn is_ready(&self, events: c_short) -> Outcome<bool> {
        Ok(c_short::try_from(self.events()?).unwrap_or(0) & events != 0)
    }
}

/// Moves what is there from one socket to another, as far as the other takes it. Says whether there was anything.
fn forward(
    from: &SocketHandle,
    to: &SocketHandle,
    capture: Option<&SocketHandle>,
    passed: (&mut Passed, &mut Passed),
) -> Outcome<bool> {
    let mut moved = false;
    // A REP that answers itself has room once it has received.
    let itself = std::ptr::eq(from, to);
    for _ in 0..BURST {
        if !itself && !to.is_ready(POLLOUT)? {
            break;
        }
        let Some(mut message) = from.try_message()? else {
            break;
        };
        moved = true;
        let octets = message.byte_len() as u64;
        passed.0.received += 1;
        passed.0.received_octets += octets;
        if let Some(capture) = capture {
            capture.send_message(&mut message.clone(), 0)?;
        }
        to.send_message(&mut message, 0)?;
        passed.1.sent += 1;
        passed.1.sent_octets += octets;
    }
    Ok(moved)
}

impl Proxy {
    fn run(&mut self) -> Outcome<()> {
        loop {
            if let Some(control) = &self.control
                && let Some(command) = control.try_message()?
                && self.obey(&command)?
            {
                return Ok(());
            }
            if self.paused || !self.forward()? {
                self.wait()?;
            }
        }
    }

    fn forward(&mut self) -> Outcome<bool> {
        let capture = self.capture.as_deref();
        let mut moved = forward(
            &self.frontend,
            &self.backend,
            capture,
            (&mut self.front, &mut self.back),
        )?;
        if !self.single {
            moved |= forward(
                &self.backend,
                &self.frontend,
                capture,
                (&mut self.back, &mut self.front),
            )?;
        }
        Ok(moved)
    }

    /// Sleeps until there is something to move and room for it, or a command.
    fn wait(&self) -> Outcome<()> {
        let mut items = Vec::with_capacity(3);
        let mut watch = |socket, events| {
            items.push(Item {
                what: What::Socket(socket),
                events,
                found: 0,
            });
        };
        if self.single && !self.paused {
            watch(&*self.frontend, POLLIN);
        } else if !self.paused {
            // Whoever has a message waits for room at the other one, which is not ready for it.
            let (front, back) = (
                self.frontend.is_ready(POLLIN)?,
                self.backend.is_ready(POLLIN)?,
            );
            let wanted =
                |here, there| if here { 0 } else { POLLIN } | if there { POLLOUT } else { 0 };
            watch(&*self.frontend, wanted(front, back));
            watch(&*self.backend, wanted(back, front));
        }
        if let Some(control) = &self.control {
            watch(&**control, POLLIN);
        }
        polling::wait(&mut items, None, std::ptr::null())?;
        Ok(())
    }

    /// Does what the control socket says. Says whether it is the end.
    fn obey(&mut self, command: &Message) -> Outcome<bool> {
        let mut reply = Message::single(Frame::empty());
        let mut end = false;
        match command.first() {
            b"PAUSE" => self.paused = true,
            b"RESUME" => self.paused = false,
            b"TERMINATE" => end = true,
            b"STATISTICS" => {
                let numbers = [self.front, self.back].map(|passed| {
                    [
                        passed.received,
                        passed.received_octets,
                        passed.sent,
                        passed.sent_octets,
                    ]
                });
                reply = numbers
                    .as_flattened()
                    .iter()
                    .map(|number| Frame::copy_from(&number.to_ne_bytes()))
                    .collect();
            }
            _ => {}
        }
        if let Some(control) = &self.control
            && (control.kind() == SocketType::Rep || reply.len() > 1)
        {
            control.send_message(&mut reply, 0)?;
        }
        Ok(end)
    }
}

fn optional(handle: *mut c_void) -> Outcome<Option<Held<SocketHandle>>> {
    if handle.is_null() {
        return Ok(None);
    }
    socket(handle).map(Some)
}

/// Forwards until the context is ended.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn zmq_proxy(
    frontend: *mut c_void,
    backend: *mut c_void,
    capture: *mut c_void,
) -> c_int {
    zmq_proxy_steerable(frontend, backend, capture, std::ptr::null_mut())
}

/// Forwards until the context is ended or the control socket says so.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn zmq_proxy_steerable(
    frontend: *mut c_void,
    backend: *mut c_void,
    capture: *mut c_void,
    control: *mut c_void,
) -> c_int {
    done(|| {
        if frontend.is_null() || backend.is_null() {
            return Err(Errno::FAULT);
        }
        Proxy {
            frontend: socket(frontend)?,
            backend: socket(backend)?,
            single: frontend == backend,
            capture: optional(capture)?,
            control: optional(control)?,
            paused: false,
            front: Passed::default(),
            back: Passed::default(),
        }
        .run()
    })
}
