//! What each type of socket can do, for the type system: [`Options`](crate::Options) offers an option only where the
//! trait it needs is there. The traits are closed: no type outside of this crate has them.

use crate::SocketType;
use crate::handle::Handle;

/// The door that is locked from the inside.
pub(crate) mod sealed {
    use super::{Handle, SocketType};

    pub trait Sealed {
        #[doc(hidden)]
        const KIND: SocketType;
        #[doc(hidden)]
        fn wrap(handle: Handle) -> Self;
        #[doc(hidden)]
        fn handle(&self) -> &Handle;
    }
}

/// A typed socket, async or blocking.
pub trait Socket: sealed::Sealed {}

/// A socket whose calls block the thread: those of [`zmq::blocking`](crate::blocking).
pub trait Blocking: Socket {}

/// A socket that sends.
pub trait Sends: Socket {}

/// A socket that receives.
pub trait Receives: Socket {}

/// A socket that can do with the newest message alone.
pub trait Conflates: Socket {}

/// A socket that can have a name of its own for ROUTER peers.
pub trait Named: Socket {}

/// A socket that can make itself known to ROUTER peers before it sends.
pub trait Probes: Socket {}

/// A socket that numbers its requests.
pub trait Correlates: Socket {}

/// A socket that sends to a peer by its routing id.
pub trait Routes: Socket {}

/// A socket that sends to whoever subscribed.
pub trait Publishes: Socket {}

/// A socket that sees the subscriptions of its peers.
pub trait SubscriptionsVisible: Socket {}

/// A socket whose messages a proxy can pass on as they are.
pub trait Forwards: Socket {}

/// A socket that a proxy can send copies to.
pub trait Captures: Socket {}

macro_rules! kinds {
    ($($name:ident: $($ability:ident)+;)+) => {$(
        impl Socket for crate::$name {}
        impl Socket for crate::blocking::$name {}
        impl Blocking for crate::blocking::$name {}
        $(
            impl $ability for crate::$name {}
            impl $ability for crate::blocking::$name {}
        )+
    )+};
}

kinds! {
    Pair: Sends Receives Forwards Captures;
    Pub: Sends Conflates Publishes Captures;
    Sub: Receives Conflates;
    XPub: Sends Receives Publishes SubscriptionsVisible Forwards Captures;
    XSub: Sends Receives Forwards;
    Req: Sends Receives Named Probes Correlates;
    Rep: Sends Receives;
    Dealer: Sends Receives Conflates Named Probes Forwards Captures;
    Router: Sends Receives Named Probes Routes Forwards;
    Push: Sends Conflates Forwards Captures;
    Pull: Receives Conflates Forwards;
}
