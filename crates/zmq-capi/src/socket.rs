//! Sockets: opening, closing, endpoints.

use std::ffi::{c_char, c_int, c_void};
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use zmq_engine::{EndpointError, EndpointProblem, Socket, SocketType};

use crate::boundary::{Outcome, done, handle};
use crate::context::{ContextState, state_of};
use crate::errno::Errno;
use crate::fd::Exposed;
use crate::hearing::Hearing;
use crate::monitor::{BIND_FAILED, Monitoring};
use crate::options::Settings;
use crate::parts::{Incoming, Outgoing};
use crate::raw::{self, Brief, Held, Kind, Spare};

/// Wait for ever.
const FOREVER: c_int = -1;

/// What a socket's handle leads to.
pub(crate) struct SocketHandle {
    pub(crate) socket: Socket,
    pub(crate) context: Arc<ContextState>,
    pub(crate) settings: Mutex<Settings>,
    /// Milliseconds, or -1.
    pub(crate) send_timeout: AtomicI32,
    /// Milliseconds, or -1.
    pub(crate) recv_timeout: AtomicI32,
    pub(crate) incoming: Incoming,
    pub(crate) outgoing: Outgoing,
    pub(crate) exposed: Exposed,
    /// Of those that publish or route.
    pub(crate) hearing: Option<Hearing>,
    pub(crate) monitoring: Mutex<Option<Monitoring>>,
    last_endpoint: Mutex<String>,
}

static SPARE: Spare<SocketHandle> = Mutex::new(Vec::new());

impl Kind for SocketHandle {
    const TAG: u32 = 0x5A53_4F43;
    const BRIEF: bool = true;

    fn spare() -> &'static Spare<Self> {
        &SPARE
    }
}

/// The socket behind a handle.
#[inline]
pub(crate) fn socket(handle: *mut c_void) -> Outcome<Held<SocketHandle>> {
    raw::visit(handle).ok_or(Errno::NOT_A_SOCKET)
}

/// The socket behind a handle, for a look that never waits. `None` says nothing: ask [`socket`].
#[inline]
pub(crate) fn briefly(handle: *mut c_void) -> Option<Brief<SocketHandle>> {
    raw::visit_briefly(handle)
}

/// The socket behind a handle, unless its context is being terminated.
pub(crate) fn usable(handle: *mut c_void) -> Outcome<Held<SocketHandle>> {
    let held = socket(handle)?;
    held.context.check()?;
    Ok(held)
}

impl SocketHandle {
    pub(crate) fn kind(&self) -> SocketType {
        self.socket.socket_type()
    }

    pub(crate) fn settings(&self) -> MutexGuard<'_, Settings> {
        self.settings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn last_endpoint(&self) -> String {
        self.last_endpoint
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn note_endpoint(&self, endpoint: &str) {
        endpoint.clone_into(
            &mut self
                .last_endpoint
                .lock()
                .unwrap_or_else(PoisonError::into_inner),
        );
    }

    /// How long a call may wait: `None` is for ever.
    pub(crate) fn patience(timeout: &AtomicI32) -> Option<Duration> {
        match timeout.load(Ordering::Relaxed) {
            FOREVER => None,
            time => Some(Duration::from_millis(u64::try_from(time).unwrap_or(0))),
        }
    }

    /// What stands in the way of an endpoint, before the engine is asked.
    fn check_endpoint(&self, endpoint: &str) -> Outcome<()> {
        if !endpoint.starts_with("inproc://") && !self.context.has_io() {
            return Err(Errno::NO_THREAD);
        }
        Ok(())
    }

    fn bind(&self, endpoint: &str) -> Outcome<()> {
        self.check_endpoint(endpoint)?;
        let mut result = self.socket.bind(endpoint);
        while let Err(error) = &result
            && Errno::from(error) == Errno(libc::EADDRINUSE)
            && self.context.is_releasing()
        {
            // The socket that had it was closed just now.
            raw::poll(&mut [], Some(Duration::from_millis(1)), std::ptr::null())
                .map_err(|error| Errno::from(&error))?;
            result = self.socket.bind(endpoint);
        }
        match result {
            Ok(real) => self.note_endpoint(&real),
            Err(error) => {
                let errno = self.refused(&error);
                let value = u64::from(errno.0.cast_unsigned());
                self.tell_monitor(BIND_FAILED, value, endpoint);
                return Err(errno);
            }
        }
        Ok(())
    }

    fn connect(&self, endpoint: &str) -> Outcome<()> {
        self.check_endpoint(endpoint)?;
        self.socket
            .connect(endpoint)
            .map_err(|error| self.refused(&error))?;
        self.note_endpoint(endpoint);
        Ok(())
    }

    /// Takes back a bind or a connect, whichever it was.
    fn release(&self, endpoint: &str) -> Outcome<()> {
        // What a wildcard stood for is the endpoint; several can have been bound by the same wildcard.
        if endpoint.contains('*')
            && !self
                .socket
                .bound_endpoints()
                .iter()
                .any(|one| one == endpoint)
        {
            return Err(Errno::NO_ENTRY);
        }
        self.context.note_release();
        match self.socket.unbind_and_part(endpoint) {
            Err(EndpointError {
                problem: EndpointProblem::Unknown,
                ..
            }) => {}
            done => return done.map_err(|error| self.refused(&error)),
        }
        self.socket
            .disconnect_unread(endpoint)
            .map_err(|error| self.refused(&error))
    }

    fn refused(&self, error: &EndpointError) -> Errno {
        Errno::from(error)
    }
}

/// The type of this number, if sockets of it can be opened.
fn type_of(number: c_int) -> Outcome<SocketType> {
    use SocketType as T;
    Ok(match number {
        0 => T::Pair,
        1 => T::Pub,
        2 => T::Sub,
        3 => T::Req,
        4 => T::Rep,
        5 => T::Dealer,
        6 => T::Router,
        7 => T::Pull,
        8 => T::Push,
        9 => T::XPub,
        10 => T::XSub,
        _ => return Err(Errno::INVALID),
    })
}

fn endpoint<'a>(address: *const c_char) -> Outcome<&'a str> {
    let octets = raw::text(address).ok_or(Errno::INVALID)?;
    std::str::from_utf8(octets).map_err(|_| Errno::INVALID)
}

/// Opens a socket.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn zmq_socket(context: *mut c_void, number: c_int) -> *mut c_void {
    handle(|| {
        let context = state_of(context)?;
        context.check()?;
        let settings = Settings::new(number, &context.choices());
        let opened = Socket::open(&context.engine()?, type_of(number)?, settings.to_engine())
            .map_err(|error| Errno::from(&error))?;
        Ok(raw::insert(SocketHandle::new(opened, context, settings)))
    })
}

impl SocketHandle {
    fn new(socket: Socket, context: Arc<ContextState>, settings: Settings) -> SocketHandle {
        SocketHandle {
            hearing: Hearing::of(socket.socket_type()),
            socket,
            context,
            settings: Mutex::new(settings),
            send_timeout: AtomicI32::new(FOREVER),
            recv_timeout: AtomicI32::new(FOREVER),
            incoming: Incoming::default(),
            outgoing: Outgoing::default(),
            exposed: Exposed::default(),
            monitoring: Mutex::new(None),
            last_endpoint: Mutex::new(String::new()),
        }
    }
}

/// Closes a socket. Waits at most for calls of other threads that look just now whether they can send or receive at once: messages that were accepted leave
/// for the linger time, which ending the context waits for.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn zmq_close(handle: *mut c_void) -> c_int {
    done(|| {
        let held = raw::take::<SocketHandle>(handle).ok_or(Errno::NOT_A_SOCKET)?;
        held.exposed.end(&held.socket);
        held.context.note_release();
        let linger = held.settings().linger();
        held.socket.begin_close(linger);
        Ok(())
    })
}

/// Starts to accept peers at an endpoint.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn zmq_bind(handle: *mut c_void, address: *const c_char) -> c_int {
    done(|| usable(handle)?.bind(endpoint(address)?))
}

/// Connects to an endpoint.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn zmq_connect(handle: *mut c_void, address: *const c_char) -> c_int {
    done(|| usable(handle)?.connect(endpoint(address)?))
}

/// Takes a bind or a connect back.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn zmq_unbind(handle: *mut c_void, address: *const c_char) -> c_int {
    done(|| usable(handle)?.release(endpoint(address)?))
}

/// Takes a bind or a connect back.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn zmq_disconnect(handle: *mut c_void, address: *const c_char) -> c_int {
    zmq_unbind(handle, address)
}
