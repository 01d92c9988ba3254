//! The home of sockets.

use std::sync::Arc;

use zmq_engine as engine;

use crate::error::OpenError;
use crate::transport::{DuplicateScheme, Transport};

/// The home of sockets: it does their work while nobody calls, and lets those within it meet under `inproc://` names.
///
/// A program needs one. Clones are handles to the same context. Dropping the last handle, once its sockets are dropped,
/// waits for what the sockets still have to send, but no longer than their linger times allow (1 second unless told
/// otherwise); [`close`](crate::Push::close) sockets to know what was sent.
///
/// ```
/// let context = zmq::Context::new();
/// let socket = zmq::Push::new(&context);
/// # drop(socket);
/// ```
#[derive(Clone, Debug)]
pub struct Context(Result<engine::Context, OpenError>);

impl Context {
    /// A new context, with one thread of its own.
    ///
    /// Never fails: if the system has no thread or no descriptors left, the sockets of this context cannot be opened, and
    /// say why (see [`Options::try_open`](crate::Options::try_open)).
    #[must_use]
    pub fn new() -> Context {
        Context(engine::Context::new().map_err(OpenError::system))
    }

    /// Ends all sockets of this context: calls that wait, and all later ones, report that the context was shut down. The
    /// sockets are still to be dropped or closed. Does not block.
    pub fn shutdown(&self) {
        if let Ok(context) = &self.0 {
            context.shutdown();
        }
    }

    /// Adds a transport: from now on the sockets of this context know the endpoints of its schemes.
    ///
    /// # Errors
    /// One of its schemes is served already.
    pub fn register_transport(&self, transport: Arc<dyn Transport>) -> Result<(), DuplicateScheme> {
        match &self.0 {
            Ok(context) => context.register_transport(transport),
            // There will never be a socket to miss it.
            Err(_) => Ok(()),
        }
    }

    pub(crate) fn engine(&self) -> Result<&engine::Context, OpenError> {
        self.0.as_ref().map_err(OpenError::clone)
    }
}

impl Default for Context {
    fn default() -> Context {
        Context::new()
    }
}
