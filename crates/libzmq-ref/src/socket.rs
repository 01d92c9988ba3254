//! Contexts, sockets and frames of libzmq behind a safe face.

use std::ffi::{CStr, CString, c_int, c_long, c_void};
use std::fmt;
use std::ptr;
use std::sync::Arc;
use std::time::Duration;

use crate::ffi;

const EINTR: i32 = 4;
const DONTWAIT: c_int = 1;
const SNDMORE: c_int = 2;
const RCVMORE: c_int = 13;
const LAST_ENDPOINT: c_int = 32;
const POLLIN: i16 = 1;

/// An error number of libzmq.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Error(i32);

impl Error {
    /// What the last call on this thread left behind.
    fn last() -> Error {
        // SAFETY: no preconditions.
        Error(unsafe { ffi::zmq_errno() })
    }

    /// The name of the constant, for those that a caller may wait for.
    #[must_use]
    pub fn name(self) -> &'static str {
        const OWN: i32 = 156_384_712;
        match self.0 {
            2 => "ENOENT",
            4 => "EINTR",
            11 => "EAGAIN",
            14 => "EFAULT",
            22 => "EINVAL",
            93 => "EPROTONOSUPPORT",
            95 => "ENOTSUP",
            98 => "EADDRINUSE",
            99 => "EADDRNOTAVAIL",
            113 => "EHOSTUNREACH",
            number if number == OWN + 51 => "EFSM",
            number if number == OWN + 52 => "ENOCOMPATPROTO",
            number if number == OWN + 53 => "ETERM",
            _ => "EOTHER",
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // SAFETY: the string is static, or valid until the next call on this thread, and ends in NUL.
        let text = unsafe { CStr::from_ptr(ffi::zmq_strerror(self.0)) };
        write!(f, "{}", text.to_string_lossy())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({})", self.name(), self.0)
    }
}

impl std::error::Error for Error {}

fn check(result: c_int) -> Result<c_int, Error> {
    if result == -1 {
        Err(Error::last())
    } else {
        Ok(result)
    }
}

/// Runs a call again as long as a signal interrupts it.
fn retry(mut call: impl FnMut() -> c_int) -> Result<c_int, Error> {
    loop {
        match check(call()) {
            Err(Error(EINTR)) => {}
            result => return result,
        }
    }
}

/// The version of the library: `(4, 3, 5)`.
#[must_use]
pub fn version() -> (i32, i32, i32) {
    let (mut major, mut minor, mut patch) = (0, 0, 0);
    // SAFETY: three valid places to write to.
    unsafe { ffi::zmq_version(&mut major, &mut minor, &mut patch) };
    (major, minor, patch)
}

#[derive(Debug)]
struct RawContext(*mut c_void);

// SAFETY: a libzmq context may be used by all threads at once.
unsafe impl Send for RawContext {}
// SAFETY: as above.
unsafe impl Sync for RawContext {}

impl Drop for RawContext {
    fn drop(&mut self) {
        // SAFETY: made by zmq_ctx_new and ended only here; the sockets, each of which holds the context, are closed.
        let _ = retry(|| unsafe { ffi::zmq_ctx_term(self.0) });
    }
}

/// A context; its sockets keep it alive. Dropping the last handle waits for unsent messages, as `LINGER` says.
#[derive(Clone, Debug)]
pub struct Context(Arc<RawContext>);

impl Context {
    /// A context with one I/O thread.
    ///
    /// # Panics
    /// When the process has no file descriptors left.
    #[must_use]
    pub fn new() -> Context {
        // SAFETY: no preconditions.
        let raw = unsafe { ffi::zmq_ctx_new() };
        assert!(!raw.is_null(), "zmq_ctx_new: {}", Error::last());
        // SAFETY: the context was just made; 2 is ZMQ_MAX_SOCKETS.
        unsafe { ffi::zmq_ctx_set(raw, 2, 8191) };
        Context(Arc::new(RawContext(raw)))
    }

    /// Opens a socket of the type with this number.
    ///
    /// # Errors
    /// As `zmq_socket`.
    pub fn socket(&self, kind: i32) -> Result<Socket, Error> {
        // SAFETY: the context lives.
        let raw = unsafe { ffi::zmq_socket(self.0.0, kind) };
        if raw.is_null() {
            return Err(Error::last());
        }
        Ok(Socket {
            raw,
            _context: self.clone(),
        })
    }
}

impl Default for Context {
    fn default() -> Context {
        Context::new()
    }
}

/// One frame, received or to be received.
pub struct Frame(ffi::RawMessage);

impl Frame {
    /// An empty frame.
    #[must_use]
    pub fn new() -> Frame {
        let mut raw = ffi::RawMessage([0; 64]);
        // SAFETY: 64 octets to write to; cannot fail.
        unsafe { ffi::zmq_msg_init(&mut raw) };
        Frame(raw)
    }

    /// The content.
    #[must_use]
    pub fn octets(&mut self) -> &[u8] {
        // SAFETY: the message is initialised; its data lives as long as it is neither changed nor closed, which needs
        // another exclusive borrow.
        unsafe {
            let (data, size) = (ffi::zmq_msg_data(&mut self.0), ffi::zmq_msg_size(&self.0));
            if size == 0 {
                &[]
            } else {
                std::slice::from_raw_parts(data.cast(), size)
            }
        }
    }
}

impl Frame {
    /// Whether another frame of the same message follows.
    #[must_use]
    pub fn has_more(&self) -> bool {
        // SAFETY: the message is initialised.
        unsafe { ffi::zmq_msg_more(&self.0) == 1 }
    }

    /// A property of the connection it came over (`User-Id`).
    #[must_use]
    pub fn property(&self, name: &str) -> Option<String> {
        let name = CString::new(name).ok()?;
        // SAFETY: the message is initialised; the string ends in NUL.
        let text = unsafe { ffi::zmq_msg_gets(&self.0, name.as_ptr()) };
        if text.is_null() {
            return None;
        }
        // SAFETY: it ends in NUL and lives as long as the message, which is borrowed.
        let text = unsafe { CStr::from_ptr(text) };
        Some(text.to_string_lossy().into_owned())
    }
}

impl Default for Frame {
    fn default() -> Frame {
        Frame::new()
    }
}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // SAFETY: the message is initialised.
        write!(f, "Frame({} octets)", unsafe { ffi::zmq_msg_size(&self.0) })
    }
}

impl Drop for Frame {
    fn drop(&mut self) {
        // SAFETY: the message is initialised and is not used again.
        unsafe { ffi::zmq_msg_close(&mut self.0) };
    }
}

/// A socket.
#[derive(Debug)]
pub struct Socket {
    raw: *mut c_void,
    _context: Context,
}

// SAFETY: a libzmq socket may move between threads as long as one at a time uses it (it is not Sync).
unsafe impl Send for Socket {}

impl Drop for Socket {
    fn drop(&mut self) {
        // SAFETY: the socket is open and not used again.
        unsafe { ffi::zmq_close(self.raw) };
    }
}

impl Socket {
    /// Sets an option of type `int`.
    ///
    /// # Errors
    /// As `zmq_setsockopt`.
    pub fn set_int(&self, option: i32, value: i32) -> Result<(), Error> {
        self.set_bytes(option, &value.to_ne_bytes())
    }

    /// Sets an option of another type by its octets.
    ///
    /// # Errors
    /// As `zmq_setsockopt`.
    pub fn set_bytes(&self, option: i32, value: &[u8]) -> Result<(), Error> {
        // SAFETY: the socket is open; the slice is valid for the call.
        check(unsafe { ffi::zmq_setsockopt(self.raw, option, value.as_ptr().cast(), value.len()) })
            .map(drop)
    }

    fn int(&self, option: i32) -> Result<i32, Error> {
        let (mut value, mut size) = (0i32, size_of::<i32>());
        // SAFETY: the socket is open; value has room for size octets.
        check(unsafe {
            ffi::zmq_getsockopt(
                self.raw,
                option,
                ptr::from_mut(&mut value).cast(),
                &mut size,
            )
        })?;
        Ok(value)
    }

    /// Binds, and returns the endpoint as really bound.
    ///
    /// # Errors
    /// As `zmq_bind`.
    pub fn bind(&self, endpoint: &str) -> Result<String, Error> {
        self.with_endpoint(endpoint, ffi::zmq_bind)?;
        let (mut text, mut size) = ([0u8; 1024], 1024);
        // SAFETY: the socket is open; text has room for size octets.
        check(unsafe {
            ffi::zmq_getsockopt(self.raw, LAST_ENDPOINT, text.as_mut_ptr().cast(), &mut size)
        })?;
        let text = CStr::from_bytes_until_nul(&text).unwrap_or_default();
        Ok(text.to_string_lossy().into_owned())
    }

    /// Connects.
    ///
    /// # Errors
    /// As `zmq_connect`.
    pub fn connect(&self, endpoint: &str) -> Result<(), Error> {
        self.with_endpoint(endpoint, ffi::zmq_connect)
    }

    /// Ends a bind.
    ///
    /// # Errors
    /// As `zmq_unbind`.
    pub fn unbind(&self, endpoint: &str) -> Result<(), Error> {
        self.with_endpoint(endpoint, ffi::zmq_unbind)
    }

    /// Ends a connect.
    ///
    /// # Errors
    /// As `zmq_disconnect`.
    pub fn disconnect(&self, endpoint: &str) -> Result<(), Error> {
        self.with_endpoint(endpoint, ffi::zmq_disconnect)
    }

    fn with_endpoint(
        &self,
        endpoint: &str,
        call: unsafe extern "C" fn(*mut c_void, *const std::ffi::c_char) -> c_int,
    ) -> Result<(), Error> {
        let endpoint = CString::new(endpoint).map_err(|_| Error(22))?;
        // SAFETY: the socket is open; the string ends in NUL and lives through the call.
        check(unsafe { call(self.raw, endpoint.as_ptr()) }).map(drop)
    }

    /// Reports all events on `endpoint` (`inproc://...`), to be read by a PAIR socket.
    ///
    /// # Errors
    /// As `zmq_socket_monitor`.
    pub fn monitor(&self, endpoint: &str) -> Result<(), Error> {
        let endpoint = CString::new(endpoint).map_err(|_| Error(22))?;
        // SAFETY: the socket is open; the string ends in NUL and lives through the call.
        check(unsafe { ffi::zmq_socket_monitor(self.raw, endpoint.as_ptr(), 0xffff) }).map(drop)
    }

    /// Reports no more events. To be called before whoever reads them is closed: libzmq's own thread would wait for a reader
    /// without end.
    ///
    /// # Errors
    /// As `zmq_socket_monitor`.
    pub fn stop_monitor(&self) -> Result<(), Error> {
        // SAFETY: the socket is open; without an endpoint nothing is read.
        check(unsafe { ffi::zmq_socket_monitor(self.raw, ptr::null(), 0) }).map(drop)
    }

    /// Sends one frame, which is copied.
    ///
    /// # Errors
    /// As `zmq_send`; `EAGAIN` after `SNDTIMEO`.
    pub fn send(&self, frame: &[u8], more: bool) -> Result<(), Error> {
        let flags = if more { SNDMORE } else { 0 };
        // SAFETY: the socket is open; the slice is valid for the call, which copies it.
        retry(|| unsafe { ffi::zmq_send(self.raw, frame.as_ptr().cast(), frame.len(), flags) })
            .map(drop)
    }

    /// Sends a message of one frame that is neither copied nor counted: the cheapest way libzmq has.
    ///
    /// # Errors
    /// As `zmq_msg_send`; `EAGAIN` after `SNDTIMEO`.
    pub fn send_static(&self, octets: &'static [u8]) -> Result<(), Error> {
        let mut frame = Frame::new();
        let data = octets.as_ptr().cast_mut().cast();
        // SAFETY: the octets live forever and nothing writes to a constant message (one without a free function).
        unsafe { ffi::zmq_msg_init_data(&mut frame.0, data, octets.len(), None, ptr::null_mut()) };
        self.send_frame(&mut frame, false)
    }

    /// Sends a frame and leaves an empty one behind.
    ///
    /// # Errors
    /// As `zmq_msg_send`; `EAGAIN` after `SNDTIMEO`.
    pub fn send_frame(&self, frame: &mut Frame, more: bool) -> Result<(), Error> {
        let flags = if more { SNDMORE } else { 0 };
        // SAFETY: the socket is open, the message initialised.
        retry(|| unsafe { ffi::zmq_msg_send(&mut frame.0, self.raw, flags) }).map(drop)
    }

    /// Receives one frame in place of the old content.
    ///
    /// # Errors
    /// As `zmq_msg_recv`; `EAGAIN` after `RCVTIMEO`.
    pub fn recv_frame(&self, frame: &mut Frame) -> Result<(), Error> {
        // SAFETY: the socket is open, the message initialised.
        retry(|| unsafe { ffi::zmq_msg_recv(&mut frame.0, self.raw, 0) }).map(drop)
    }

    /// As [`Socket::recv_frame`], if there is one now. Says whether there was.
    ///
    /// # Errors
    /// As `zmq_msg_recv`.
    pub fn try_recv_frame(&self, frame: &mut Frame) -> Result<bool, Error> {
        // SAFETY: the socket is open, the message initialised.
        let met = retry(|| unsafe { ffi::zmq_msg_recv(&mut frame.0, self.raw, DONTWAIT) });
        match met {
            Err(error) if error.name() == "EAGAIN" => Ok(false),
            met => met.map(|_| true),
        }
    }

    /// Receives the frames of one message.
    ///
    /// # Errors
    /// As `zmq_msg_recv`; `EAGAIN` after `RCVTIMEO`.
    pub fn recv(&self) -> Result<Vec<Vec<u8>>, Error> {
        self.recv_keeping(&mut Frame::new())
    }

    /// As [`Socket::recv`]; the last frame stays in `frame`.
    ///
    /// # Errors
    /// As `zmq_msg_recv`; `EAGAIN` after `RCVTIMEO`.
    pub fn recv_keeping(&self, frame: &mut Frame) -> Result<Vec<Vec<u8>>, Error> {
        let mut frames = Vec::new();
        loop {
            self.recv_frame(frame)?;
            frames.push(frame.octets().to_vec());
            if self.int(RCVMORE)? == 0 {
                return Ok(frames);
            }
        }
    }

    /// Waits until there is a message to receive; false after `wait`.
    ///
    /// # Errors
    /// As `zmq_poll`.
    pub fn wait_readable(&self, wait: Duration) -> Result<bool, Error> {
        let mut item = ffi::PollItem {
            socket: self.raw,
            fd: 0,
            events: POLLIN,
            revents: 0,
        };
        let wait = c_long::try_from(wait.as_millis()).unwrap_or(c_long::MAX);
        // SAFETY: one valid item whose socket is open.
        retry(|| unsafe { ffi::zmq_poll(&mut item, 1, wait) }).map(|ready| ready > 0)
    }
}
