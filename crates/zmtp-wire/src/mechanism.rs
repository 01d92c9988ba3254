//! The seam between a session and its security mechanism.

use crate::{Credentials, Error, Verdict};
use alloc::boxed::Box;
use alloc::vec::Vec;
use bytes::Bytes;

/// A security handshake, one value per session. It sees command bodies, never frames, and ends in [`Established`].
///
/// The session calls [`start`](Self::start) once when the greetings are exchanged, then [`poll`](Self::poll) until it says
/// [`Step::Wait`], and again after each [`handle_command`](Self::handle_command) and [`handle_verdict`](Self::handle_verdict).
/// ERROR commands of the peer are handled by the session.
pub trait Mechanism: Send {
    /// The name as the greeting carries it: upper case, padded with zeros.
    fn name(&self) -> [u8; 20];
    /// The as-server octet of the greeting.
    fn as_server(&self) -> bool;
    /// The greetings agree; `metadata` is what to announce, encoded as in READY.
    fn start(&mut self, metadata: &[u8]);
    /// A command arrived; `body` starts with the length of the name.
    ///
    /// # Errors
    /// When the command is malformed or unexpected.
    fn handle_command(&mut self, body: &[u8]) -> Result<(), Error>;
    /// What to do next. For [`Step::Command`] the body, from the length of the name on, was appended to `out`.
    fn poll(&mut self, out: &mut Vec<u8>) -> Step;
    /// The answer to [`Step::Authenticate`]. What the verdict adds to the metadata is the session's business.
    fn handle_verdict(&mut self, verdict: &Verdict);
}

/// What a mechanism wants next.
#[non_exhaustive]
pub enum Step {
    /// One command body was appended to the output.
    Command,
    /// Nothing until the peer speaks.
    Wait,
    /// Nothing until the verdict is in.
    Authenticate(Credentials),
    /// The handshake ended well. Polled no more.
    Established(Established),
    /// The handshake failed, after what was appended before has left. Polled no more.
    Failed(Error),
}

/// The outcome of a handshake.
pub struct Established {
    /// The peer's metadata, encoded.
    pub metadata: Vec<u8>,
    /// How frames travel from now on; `None` for clear text.
    pub transform: Option<Box<dyn Transform>>,
}

/// Seals and opens frames after the handshake.
pub trait Transform: Send {
    /// The flags octet of a sealed frame on the wire, LONG not included.
    fn outer_flags(&self) -> u8 {
        0
    }
    /// Octets a sealed body is longer than the plain one.
    fn overhead(&self) -> usize;
    /// Appends the sealed frame to `out`: exactly `body.len() + overhead()` octets. `flags` are the inner ones, in the form of ZMTP
    /// 3.x frames: 01 MORE, 04 COMMAND.
    ///
    /// # Errors
    /// When the keys are used up.
    fn seal(&mut self, flags: u8, body: &[u8], out: &mut Vec<u8>) -> Result<(), Error>;
    /// Opens a frame: appends the plain body to `out` and returns the inner flags in the form of ZMTP 3.x frames (01 MORE, 04 COMMAND).
    /// The outer flags are not authenticated and count for nothing.
    ///
    /// # Errors
    /// When the frame was not sealed by the peer, or comes a second time.
    fn open(&mut self, body: &[u8], out: &mut Vec<u8>) -> Result<u8, Error>;
    /// As [`open`](Self::open) for a body that may be changed: returns the inner flags and the plain body. A large body is best opened where
    /// it stands; this default makes a new one.
    ///
    /// # Errors
    /// As [`open`](Self::open), or when there is no memory.
    fn open_owned(&mut self, body: Vec<u8>) -> Result<(u8, Bytes), Error> {
        let mut open = Vec::new();
        let size = body.len().saturating_sub(self.overhead());
        open.try_reserve_exact(size)
            .map_err(|_| Error::OutOfMemory)?;
        let flags = self.open(&body, &mut open)?;
        Ok((flags, open.into()))
    }
}
