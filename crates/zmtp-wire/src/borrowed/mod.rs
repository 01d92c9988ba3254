//! A session without an allocator: the caller owns two buffers of fixed size and the mechanism is a type parameter.
//!
//! It speaks ZMTP 3.0 and 3.1 with mechanisms that leave frames in clear text. What the larger [`Session`](crate::Session) does not
//! need to care about is the caller's business here: a message arrives frame by frame, each at most as long as the input buffer.
//!
//! ```
//! use zmtp_mech_null::BorrowedNull;
//! use zmtp_wire::borrowed::{Buffers, Config, Event, Session};
//! use zmtp_wire::{SocketType, Time};
//!
//! let now = Time::from_millis(0);
//! let (mut input, mut output) = ([0; 256], [0; 256]);
//! let (mut input2, mut output2) = ([0; 256], [0; 256]);
//! let buffers = Buffers { input: &mut input, output: &mut output };
//! let mut push = Session::new(Config::new(SocketType::Push), BorrowedNull::new(), buffers, now);
//! let buffers = Buffers { input: &mut input2, output: &mut output2 };
//! let mut pull = Session::new(Config::new(SocketType::Pull), BorrowedNull::new(), buffers, now);
//!
//! // Stands for the network: what one has to say, the other hears.
//! let mut got = None;
//! while got.is_none() {
//!     let mut wire = push.output();
//!     while let Some(event) = pull.handle_input(now, &mut wire)? {
//!         if let Event::Frame { body, more: false } = event {
//!             got = Some(body.len());
//!         }
//!     }
//!     push.output_written(push.output().len());
//!     let mut wire = pull.output();
//!     while let Some(event) = push.handle_input(now, &mut wire)? {
//!         assert!(matches!(event, Event::Ready(_)));
//!     }
//!     pull.output_written(pull.output().len());
//!     if push.in_traffic() {
//!         push.send(b"hello", false).expect("five octets fit");
//!     }
//! }
//! assert_eq!(got, Some(5));
//! # Ok::<(), zmtp_wire::Error>(())
//! ```

mod session;

pub use session::Session;

use crate::metadata::{Metadata, OwnMetadata};
use crate::{Error, Heartbeat, Limits, SocketType, Version, Writer};
use core::ops::Range;

/// A security handshake that needs no allocator and leaves frames in clear text afterwards.
///
/// The session calls [`poll`](Self::poll) when the greetings are exchanged, and again after each command, until it says nothing.
pub trait Mechanism {
    /// The name as the greeting carries it: upper case, padded with zeros.
    fn name(&self) -> [u8; 20];
    /// The as-server octet of the greeting.
    fn as_server(&self) -> bool;
    /// Writes the body of the next command, if there is one to send now; `ours` is what to announce.
    ///
    /// # Errors
    /// What ends the session, after what was written before.
    fn poll(&mut self, ours: &OwnMetadata<'_>, out: &mut Writer<'_>) -> Result<bool, Error>;
    /// A command arrived; `body` starts with the length of the name. Returns where in it the peer's metadata stand, when they do. The
    /// mechanism may change `body` in place, to decrypt it.
    ///
    /// # Errors
    /// When the command is malformed or unexpected.
    fn handle_command(&mut self, body: &mut [u8]) -> Result<Option<Range<usize>>, Error>;
    /// Whether both sides have said what they must.
    fn is_established(&self) -> bool;
}

/// The memory of a session.
#[derive(Debug)]
pub struct Buffers<'b> {
    /// Holds one frame under way: the largest frame that can arrive. 512 octets suffice for any handshake in clear text.
    pub input: &'b mut [u8],
    /// Holds what waits to be written. At least 64 octets for the greeting; what does not fit is refused by [`Session::send`].
    pub output: &'b mut [u8],
}

/// Settings of one session.
#[derive(Debug, Clone, Copy)]
pub struct Config<'b> {
    /// The type of the local socket.
    pub socket_type: SocketType,
    /// The local routing id, at most 255 octets and not starting with zero.
    pub routing_id: &'b [u8],
    /// The resource to announce (RFC 37).
    pub resource: Option<&'b str>,
    /// Bounds on what the peer can demand, below those the buffers set.
    pub limits: Limits,
    /// Milliseconds for the whole handshake.
    pub handshake_timeout_ms: Option<u64>,
    /// Whether and how to send PINGs.
    pub heartbeat: Option<Heartbeat>,
}

impl Config<'_> {
    /// Settings for a socket of this type: no routing id, 30 s for the handshake, no heartbeats.
    #[must_use]
    pub const fn new(socket_type: SocketType) -> Self {
        Self {
            socket_type,
            routing_id: &[],
            resource: None,
            limits: Limits::DEFAULT,
            handshake_timeout_ms: Some(30_000),
            heartbeat: None,
        }
    }
}

/// Something that happened, borrowed from the input buffer.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Event<'a> {
    /// The handshake ended well; frames may be sent from now on.
    Ready(Peer<'a>),
    /// One frame of a message arrived.
    Frame {
        /// Its body.
        body: &'a [u8],
        /// Whether more frames of the message follow.
        more: bool,
    },
    /// The peer subscribed to a topic (PUB and XPUB only).
    Subscribe(&'a [u8]),
    /// The peer cancelled a subscription (PUB and XPUB only).
    Cancel(&'a [u8]),
}

/// What is known of the peer.
#[derive(Debug, Clone)]
pub struct Peer<'a> {
    /// The dialect spoken with it.
    pub version: Version,
    /// Its socket type, when it told one we know.
    pub socket_type: Option<SocketType>,
    /// Its routing id, empty for none.
    pub routing_id: &'a [u8],
    /// All of its metadata.
    pub metadata: Metadata<'a>,
}
