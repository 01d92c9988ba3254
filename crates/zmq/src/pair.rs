//! One peer and no other: [`Pair`] (RFC 31).

use crate::Message;
use crate::socket::{receives, receives_many, sends, sends_many, socket};

socket! {
    /// Talks with exactly one peer, in both directions (RFC 31, PAIR). Its peer is a [`Pair`] too; others who come while
    /// it is there are refused.
    ///
    /// ```
    /// # zmq::block_on(async {
    /// let context = zmq::Context::new();
    /// let (left, right) = (zmq::Pair::new(&context), zmq::Pair::new(&context));
    /// left.bind("inproc://wire").await?;
    /// right.connect("inproc://wire")?;
    /// left.send("ping").await?;
    /// assert_eq!(right.recv().await?, zmq::Message::from("ping"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    Pair
}

sends!(Pair, "Sends a message to the peer.");
receives!(
    Pair,
    Message,
    std::convert::identity,
    "the next message of the peer"
);
sends_many!(Pair);
receives_many!(Pair);
