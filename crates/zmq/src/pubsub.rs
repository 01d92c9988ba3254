//! Messages for whoever subscribed: [`Pub`] and [`Sub`], and [`XPub`] and [`XSub`], which see the subscriptions (RFC 29).

use std::time::Duration;

use crate::error::{ReadyError, SendError, SubscribeError};
use crate::socket::{publishes, receives, receives_many, socket};
use crate::verbs::Sending;
use crate::{Frame, Message};

/// The verbs of a socket that subscribes.
macro_rules! subscribes {
    ($name:ident) => {
        impl $name {
            /// Subscribes to all messages whose first frame begins with `topic`; the empty topic means all. Never waits:
            /// peers learn of it as soon as they can, also those that come later.
            ///
            /// # Errors
            /// The topic is too long, or the socket's context was shut down.
            pub fn subscribe(&self, topic: impl AsRef<[u8]>) -> Result<(), crate::SubscribeError> {
                self.handle.subscribe(topic.as_ref())
            }

            /// Takes one subscription to `topic` back. Messages that are under way may still arrive. Never waits.
            ///
            /// # Errors
            /// The socket's context was shut down.
            pub fn unsubscribe(
                &self,
                topic: impl AsRef<[u8]>,
            ) -> Result<(), crate::SubscribeError> {
                self.handle.unsubscribe(topic.as_ref())
            }
        }
    };
}

/// Waiting for subscribers.
macro_rules! subscribers {
    ($name:ident) => {
        impl $name {
            /// Waits until at least `peers` peers hold a subscription, whatever the topic. Cancel safe.
            ///
            /// # Errors
            /// The socket's context was shut down meanwhile.
            pub async fn subscribers(&self, peers: usize) -> Result<(), ReadyError> {
                crate::ready::subscribers(&self.handle, peers, None).await
            }

            /// As [`subscribers`](Self::subscribers), but no longer than `timeout`. Cancel safe.
            ///
            /// # Errors
            /// As [`subscribers`](Self::subscribers), and when the time has passed; the error then tells how the last
            /// handshake that failed meanwhile did so.
            pub async fn subscribers_timeout(
                &self,
                peers: usize,
                timeout: Duration,
            ) -> Result<(), ReadyError> {
                crate::ready::subscribers(&self.handle, peers, Some(timeout)).await
            }
        }
    };
}

pub(crate) use subscribes;

socket! {
    /// Sends each message to all of its peers that subscribed to it (RFC 29, PUB). Its peers are [`Sub`] and [`XSub`]
    /// sockets.
    ///
    /// A message belongs to a subscription if its first frame begins with the subscription's topic. Who subscribes later
    /// misses what was sent before: [`subscribers`](Pub::subscribers) waits for them.
    ///
    /// ```
    /// # zmq::block_on(async {
    /// let context = zmq::Context::new();
    /// let (publisher, subscriber) = (zmq::Pub::new(&context), zmq::Sub::new(&context));
    /// let endpoint = publisher.bind("tcp://127.0.0.1:0").await?;
    /// subscriber.subscribe("weather.")?;
    /// subscriber.connect(&endpoint)?;
    ///
    /// publisher.subscribers(1).await?;
    /// publisher.send("sports: 3-1")?;
    /// publisher.send("weather.paris: rain")?;
    /// assert_eq!(subscriber.recv().await?, zmq::Message::from("weather.paris: rain"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    Pub
}

publishes!(Pub, "Sends a message to all peers that subscribed to it.");
subscribers!(Pub);

socket! {
    /// Receives the messages it subscribed to from all of its peers, fairly (RFC 29, SUB). Its peers are [`Pub`] and
    /// [`XPub`] sockets.
    ///
    /// Subscriptions are counted: what was subscribed twice has to be unsubscribed twice.
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
    /// A [`Pub`] that sees the subscriptions of its peers, and messages they send upstream (RFC 29, XPUB). Its peers are
    /// [`Sub`] and [`XSub`] sockets.
    ///
    /// ```
    /// # zmq::block_on(async {
    /// use zmq::XPubEvent;
    ///
    /// let context = zmq::Context::new();
    /// let (publisher, subscriber) = (zmq::XPub::new(&context), zmq::Sub::new(&context));
    /// publisher.bind("inproc://news").await?;
    /// subscriber.connect("inproc://news")?;
    /// subscriber.subscribe("weather")?;
    /// assert_eq!(publisher.recv().await?, XPubEvent::Subscribed("weather".into()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
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
    /// As [`send`](XPub::send), but waits while one of the subscribers has no room. It matters only with
    /// [`no_drop`](crate::Options::no_drop); otherwise nothing is waited for. Cancel safe as `Push::send`.
    ///
    /// # Errors
    /// The socket's context was shut down. The message is in the error.
    pub async fn send_to_all(&self, message: impl Into<Message>) -> Result<(), SendError> {
        Sending::long(&self.handle, message.into(), None).await
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
    /// A [`Sub`] that filters nothing by itself and can send messages upstream (RFC 29, XSUB). Its peers are [`Pub`] and
    /// [`XPub`] sockets.
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

/// What an [`XPub`] receives.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum XPubEvent {
    /// A peer subscribed to this topic.
    Subscribed(Frame),
    /// A peer ended its subscription to this topic.
    Unsubscribed(Frame),
    /// A peer sent a message upstream.
    Message(Message),
}

impl XPubEvent {
    pub(crate) fn from_message(message: Message) -> XPubEvent {
        // What peers send upstream never begins so: the wire has no other form for subscriptions of old peers.
        match message.frames() {
            [only] if only.first() == Some(&1) => XPubEvent::Subscribed(topic(only)),
            [only] if only.first() == Some(&0) => XPubEvent::Unsubscribed(topic(only)),
            _ => XPubEvent::Message(message),
        }
    }
}

fn topic(notification: &Frame) -> Frame {
    match notification.as_shared() {
        Some(shared) => Frame::from(shared.slice(1..)),
        None => Frame::from(notification.get(1..).unwrap_or_default()),
    }
}
