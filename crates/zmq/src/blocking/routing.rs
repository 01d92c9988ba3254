//! Peers by name, and messages without turns, for threads that wait.

use std::time::Duration;

use super::socket::{receives, receives_many, sends, sends_many, socket};
use crate::Message;
use crate::error::{ConnectError, SendError};
use crate::routing::{RoutingId, address, split, unaddressed};

socket! {
    /// Sends to its peers in turn and receives from all of them: [`zmq::Dealer`](crate::Dealer) for callers that block.
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
    /// Knows its peers by routing id: [`zmq::Router`](crate::Router) for callers that block.
    Router
}

receives!(
    Router,
    (RoutingId, Message),
    split,
    "the next message and the routing id of the peer that sent it, taking turns among the peers"
);

impl Router {
    /// Sends a message to the peer with this routing id. Blocks while the peer's queue is full.
    ///
    /// # Errors
    /// No such peer is there, or it left meanwhile, or the socket's context was shut down. The message is in the error.
    pub fn send_to(&self, peer: &RoutingId, message: impl Into<Message>) -> Result<(), SendError> {
        let message = address(peer, message.into());
        self.handle
            .send_blocking(message, None)
            .map_err(unaddressed)
    }

    /// As [`send_to`](Router::send_to), but blocks no longer than `timeout`.
    ///
    /// # Errors
    /// As [`send_to`](Router::send_to), and when the time has passed. The message is in the error.
    pub fn send_to_timeout(
        &self,
        peer: &RoutingId,
        message: impl Into<Message>,
        timeout: Duration,
    ) -> Result<(), SendError> {
        let message = address(peer, message.into());
        self.handle
            .send_blocking(message, Some(timeout))
            .map_err(unaddressed)
    }

    /// Sends to the peer with this routing id if its queue has room now. Never blocks.
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
}
