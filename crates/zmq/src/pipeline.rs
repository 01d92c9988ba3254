//! Work handed down a line: [`Push`] and [`Pull`] (RFC 30).

use crate::Message;
use crate::socket::{receives, receives_many, sends, sends_many, socket};

socket! {
    /// Hands each message to one of its peers, in turn (RFC 30, PUSH). Its peers are [`Pull`] sockets.
    ///
    /// ```
    /// # zmq::block_on(async {
    /// let context = zmq::Context::new();
    /// let (push, pull) = (zmq::Push::new(&context), zmq::Pull::new(&context));
    /// let endpoint = pull.bind("tcp://127.0.0.1:0").await?;
    /// push.connect(&endpoint)?;
    /// push.send("work").await?;
    /// assert_eq!(pull.recv().await?, zmq::Message::from("work"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    Push
}

sends!(Push, "Hands a message to the next peer that has room.");
sends_many!(Push);

socket! {
    /// Receives from all of its peers, fairly (RFC 30, PULL). Its peers are [`Push`] sockets.
    Pull
}

receives!(
    Pull,
    Message,
    std::convert::identity,
    "the next message, taking turns among the peers"
);
receives_many!(Pull);
