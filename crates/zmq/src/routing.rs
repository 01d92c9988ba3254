//! Peers by name, and messages without turns: [`Router`] and [`Dealer`] (RFC 28).

use std::fmt;
use std::time::Duration;

use bytes::Bytes;

use crate::error::{ConnectError, SendError};
use crate::socket::{receives, receives_many, sends, sends_many, socket};
use crate::verbs::Sending;
use crate::{Frame, Message, Outgoing};

socket! {
    /// Sends to its peers in turn and receives from all of them, fairly (RFC 28, DEALER): an asynchronous
    /// [`Req`](crate::Req). Its peers are [`Router`], [`Rep`](crate::Rep) and [`Dealer`] sockets.
    ///
    /// Messages go out as they are: towards a REP, begin with an empty frame.
    Dealer
}

sends!(Dealer, "Sends a message to the next peer that has room.");
receives!(
    Dealer,
    Message,
    std::convert::identity,
    "the next message, taking turns among the peers"
);
sends_many!(Dealer);
receives_many!(Dealer);

socket! {
    /// Knows its peers by routing id: says who sent what it receives, and sends to whom it is told (RFC 28, ROUTER). Its
    /// peers are [`Dealer`], [`Req`](crate::Req) and [`Router`] sockets.
    ///
    /// Messages of a REQ peer begin with an envelope that ends with an empty frame; a reply begins with the same one.
    ///
    /// ```
    /// # zmq::block_on(async {
    /// let context = zmq::Context::new();
    /// let (router, dealer) = (zmq::Router::new(&context), zmq::Dealer::new(&context));
    /// let endpoint = router.bind("tcp://127.0.0.1:0").await?;
    /// dealer.connect(&endpoint)?;
    ///
    /// dealer.send("question").await?;
    /// let (peer, question) = router.recv().await?;
    /// router.send_to(&peer, "answer").await?;
    /// assert_eq!(dealer.recv().await?, zmq::Message::from("answer"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    Router
}

receives!(
    Router,
    (RoutingId, Message),
    split,
    "the next message and the routing id of the peer that sent it, taking turns among the peers"
);

impl Router {
    /// Sends a message to the peer with this routing id. Waits while the peer's queue is full.
    ///
    /// Cancel safe in that the message is either accepted or not; a future that is dropped drops its message, so keep a
    /// clone to try again. It copies frames of up to 1 KiB and shares longer ones; [`Message::share`] has those from 65 octets on shared, too.
    ///
    /// # Errors
    /// No such peer is there, or it left meanwhile, or the socket's context was shut down. The message is in the error.
    pub async fn send_to(
        &self,
        peer: &RoutingId,
        message: impl Into<Message>,
    ) -> Result<(), SendError> {
        let sent = Sending::long(&self.handle, address(peer, message.into()), None).await;
        sent.map_err(unaddressed)
    }

    /// As [`send_to`](Router::send_to), but waits no longer than `timeout`.
    ///
    /// # Errors
    /// As [`send_to`](Router::send_to), and when the time has passed. The message is in the error.
    pub async fn send_to_timeout(
        &self,
        peer: &RoutingId,
        message: impl Into<Message>,
        timeout: Duration,
    ) -> Result<(), SendError> {
        let message = address(peer, message.into());
        let sent = Sending::long(&self.handle, message, Some(timeout)).await;
        sent.map_err(unaddressed)
    }

    /// Sends to the peer with this routing id if its queue has room now. Never waits.
    ///
    /// # Errors
    /// As [`send_to`](Router::send_to), and when there is no room. The message is in the error.
    pub fn try_send_to(
        &self,
        peer: &RoutingId,
        message: impl Into<Message>,
    ) -> Result<(), SendError> {
        let message = address(peer, message.into());
        self.handle.try_send(message).map_err(unaddressed)
    }

    /// As [`connect`](Router::connect), and knows the peer as `peer` whatever it calls itself. Messages can be sent to
    /// it at once: they wait until it is there.
    ///
    /// # Errors
    /// As [`connect`](Router::connect).
    pub fn connect_as(
        &self,
        endpoint: impl AsRef<str>,
        peer: &RoutingId,
    ) -> Result<(), ConnectError> {
        self.handle.connect_as(endpoint.as_ref(), peer)
    }

    /// This socket as a [`Sink`](futures_sink::Sink) for messages to peers. A message that cannot be routed is an error
    /// of the sink, and is in it; the sink can be used further.
    #[must_use]
    pub fn outgoing(&self) -> Outgoing<'_, (RoutingId, Message)> {
        Outgoing::new(&self.handle, |(peer, message)| address(&peer, message))
    }
}

/// Splits what a ROUTER receives into who sent it and what it is.
pub(crate) fn split(mut message: Message) -> (RoutingId, Message) {
    // The engine always puts the id in front of at least one frame.
    let id = message.pop_front().unwrap_or_default();
    (RoutingId(id), message)
}

pub(crate) fn address(peer: &RoutingId, mut message: Message) -> Message {
    message.push_front(peer.0.clone());
    message
}

/// Gives the message back as the caller knows it.
pub(crate) fn unaddressed(error: SendError) -> SendError {
    error.change_message(|message| split(message).1)
}

/// What a [`Router`] knows a peer by: 1 to 255 octets.
///
/// A peer that does not name itself (see [`routing_id`](crate::Options::routing_id)) gets a made-up one for each
/// connection, which begins with a zero octet.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct RoutingId(Frame);

impl RoutingId {
    /// The octets.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether the peer did not name itself.
    #[must_use]
    pub fn is_made_up(&self) -> bool {
        self.0.first() == Some(&0)
    }
}

macro_rules! id_from {
    ($($octets:ty),+) => {$(
        impl From<$octets> for RoutingId {
            fn from(id: $octets) -> RoutingId {
                RoutingId(id.into())
            }
        }
    )+};
}

id_from!(&str, &[u8], String, Vec<u8>, Bytes, Frame);

impl<const N: usize> From<[u8; N]> for RoutingId {
    fn from(id: [u8; N]) -> RoutingId {
        RoutingId(id.into())
    }
}

impl<const N: usize> From<&[u8; N]> for RoutingId {
    fn from(id: &[u8; N]) -> RoutingId {
        RoutingId(id.into())
    }
}

impl From<RoutingId> for Frame {
    fn from(id: RoutingId) -> Frame {
        id.0
    }
}

impl AsRef<[u8]> for RoutingId {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for RoutingId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RoutingId({self})")
    }
}

impl fmt::Display for RoutingId {
    /// Letters as they are, other octets escaped.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.escape_ascii())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_well() {
        assert_eq!(RoutingId::from("worker-1").to_string(), "worker-1");
        assert_eq!(RoutingId::from([0, 1]).to_string(), "\\x00\\x01");
        assert!(RoutingId::from([0, 1]).is_made_up());
    }
}
