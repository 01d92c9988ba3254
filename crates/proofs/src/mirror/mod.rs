//! What surrounds the protocols in the engine, as far as they notice: which step follows which, and under which lock. Each function
//! names the one it mirrors.

/// `core`, `fanning`, `link`, `driver`: a socket whose messages gather.
pub(crate) mod burst {
    include!(concat!(env!("OUT_DIR"), "/burst.rs"));
}
/// `link`: who carries what is in a pipe.
pub(crate) mod carry {
    include!(concat!(env!("OUT_DIR"), "/carry.rs"));
}
/// What a lock is made of, and what it protects.
#[allow(dead_code, reason = "not every function is part of a model")]
pub(crate) mod gated {
    include!(concat!(env!("OUT_DIR"), "/gated.rs"));
}
/// `lanes`, `verbs`, `shared`: a socket with one inproc peer.
pub(crate) mod lane {
    include!(concat!(env!("OUT_DIR"), "/lane.rs"));
}
/// `shared`, `waiting`, `driver`: a socket with one stream, its callers and the driver.
pub(crate) mod wait {
    include!(concat!(env!("OUT_DIR"), "/wait.rs"));
}

pub(crate) use lane::SocketShared;

/// `shared::Apart`.
#[derive(Debug)]
pub(crate) struct Apart<T>(pub(crate) T);

/// What the engine knows a peer by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PeerKey(pub(crate) u32);

/// A message, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Item(pub(crate) u32);

impl Item {
    pub(crate) fn is_message(&self) -> bool {
        true
    }
}

/// `shared::Notice`.
#[allow(
    dead_code,
    reason = "keys are named as the engine names them; there is one peer only"
)]
#[derive(Clone, Copy, Debug)]
pub(crate) enum Notice {
    Readable(PeerKey),
    Writable(PeerKey),
    Gone(PeerKey),
}
