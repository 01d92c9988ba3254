//! Messages for whoever subscribed, for threads that wait.

use std::time::Duration;

use super::socket::{receives, receives_many, socket};
use crate::Message;
use crate::error::{ReadyError, SendError, SubscribeError};
use crate::pubsub::{XPubEvent, subscribes};
use crate::socket::publishes;

/// Waiting for subscribers.
macro_rules! subscribers {
    ($name:ident) => {
        impl $name {
            /// Blocks until at least `peers` peers hold a subscription, whatever the topic.
            ///
            /// # Errors
            /// The socket's context was shut down meanwhile.
            pub fn subscribers(&self, peers: usize) -> Result<(), ReadyError> {
                crate::ready::subscribers_blocking(&self.handle, peers, None)
            }

            /// As [`subscribers`](Self::subscribers), but no longer than `timeout`.
            ///
            /// # Errors
            /// As [`subscribers`](Self::subscribers), and when the time has passed; the error then tells how the last
            /// handshake that failed meanwhile did so.
            pub fn subscribers_timeout(
                &self,
                peers: usize,
                timeout: Duration,
            ) -> Result<(), ReadyError> {
                crate::ready::subscribers_blocking(&self.handle, peers, Some(timeout))
            }
        }
    };
}

socket! {
    /// Sends each message to all of its peers that subscribed to it: [`zmq::Pub`](crate::Pub) for callers that block.
    Pub
}

publishes!(Pub, "Sends a message to all peers that subscribed to it.");
subscribers!(Pub);

socket! {
    /// Receives the messages it subscribed to: [`zmq::Sub`](crate::Sub) for callers that block.
    Sub
}

receives!(
    Sub,
    Message,
    std::convert::identity,
    "the next message that was subscribed to, taking turns among the peers"
);
receives_many!(Sub);
subscribes!(Sub);

socket! {
    /// A [`Pub`] that sees the subscriptions of its peers: [`zmq::XPub`](crate::XPub) for callers that block.
    XPub
}

publishes!(XPub, "Sends a message to all peers that subscribed to it.");
receives!(
    XPub,
    XPubEvent,
    XPubEvent::from_message,
    "the next subscription, end of a subscription, or message from upstream"
);
subscribers!(XPub);

impl XPub {
    /// As [`send`](XPub::send), but blocks while one of the subscribers has no room. It matters only with
    /// [`no_drop`](crate::Options::no_drop); otherwise nothing is waited for.
    ///
    /// # Errors
    /// The socket's context was shut down. The message is in the error.
    pub fn send_to_all(&self, message: impl Into<Message>) -> Result<(), SendError> {
        self.handle.send_blocking(message.into(), None)
    }

    /// Admits the last received subscription under this topic. Only for sockets opened as
    /// [`manual`](crate::Options::manual).
    ///
    /// # Errors
    /// The socket is not manual, or its context was shut down.
    pub fn subscribe(&self, topic: impl AsRef<[u8]>) -> Result<(), SubscribeError> {
        self.handle.subscribe(topic.as_ref())
    }

    /// Ends a subscription of the peer whose event was received last. Only for sockets opened as
    /// [`manual`](crate::Options::manual).
    ///
    /// # Errors
    /// The socket is not manual, or its context was shut down.
    pub fn unsubscribe(&self, topic: impl AsRef<[u8]>) -> Result<(), SubscribeError> {
        self.handle.unsubscribe(topic.as_ref())
    }
}

socket! {
    /// A [`Sub`] that filters nothing by itself: [`zmq::XSub`](crate::XSub) for callers that block.
    XSub
}

publishes!(
    XSub,
    "Sends a message upstream, to all peers. A first octet of 0 or 1 makes it an end of a subscription or a subscription."
);
receives!(
    XSub,
    Message,
    std::convert::identity,
    "the next message, taking turns among the peers"
);
receives_many!(XSub);
subscribes!(XSub);
