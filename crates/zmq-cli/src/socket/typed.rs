//! The typed sockets as one value.

use std::time::Duration;

use zmq::blocking::{Dealer, Pair, Pub, Pull, Push, Router, Sub, XPub, XSub};
use zmq::{Context, Frame, Message, ReadyError, RecvError, RoutingId, SendError, XPubEvent};

use crate::arguments::SocketFlags;
use crate::failure::Failure;

/// The socket types that only pass messages on. REQ and REP are used as what they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Push,
    Pull,
    Pub,
    Sub,
    Dealer,
    Router,
    Pair,
    XPub,
    XSub,
}

/// A typed socket, whichever.
pub(super) enum Socket {
    Push(Push),
    Pull(Pull),
    Pub(Pub),
    Sub(Sub),
    Dealer(Dealer),
    Router(Router),
    Pair(Pair),
    XPub(XPub),
    XSub(XSub),
}

/// The same call on whichever socket it is.
macro_rules! each {
    ($socket:expr, $inner:ident => $call:expr) => {
        match $socket {
            Socket::Push($inner) => $call,
            Socket::Pull($inner) => $call,
            Socket::Pub($inner) => $call,
            Socket::Sub($inner) => $call,
            Socket::Dealer($inner) => $call,
            Socket::Router($inner) => $call,
            Socket::Pair($inner) => $call,
            Socket::XPub($inner) => $call,
            Socket::XSub($inner) => $call,
        }
    };
}
pub(super) use each;

/// A one-way sender ends when everything has left, or `--timeout` is over; who talks in both directions has heard what it
/// wanted and keeps to the linger time of the library.
pub(super) fn open(
    kind: Kind,
    context: &Context,
    flags: &SocketFlags,
    name: Option<&str>,
) -> Result<Socket, Failure> {
    let hwm = flags.hwm;
    let secured = flags.security.read()?;
    let name = match name {
        Some(name) if (1..=255).contains(&name.len()) => Some(RoutingId::from(name)),
        Some(_) => {
            return Err(Failure::Usage(
                "a routing id has 1 to 255 octets".to_owned(),
            ));
        }
        None => None,
    };
    Ok(match kind {
        Kind::Push => {
            let options = secured
                .on(Push::options())
                .send_hwm(hwm)
                .linger(flags.timeout);
            Socket::Push(options.open(context))
        }
        Kind::Pub => {
            let options = secured
                .on(Pub::options())
                .send_hwm(hwm)
                .linger(flags.timeout);
            Socket::Pub(options.open(context))
        }
        Kind::Pull => Socket::Pull(secured.on(Pull::options()).recv_hwm(hwm).open(context)),
        Kind::Sub => Socket::Sub(secured.on(Sub::options()).recv_hwm(hwm).open(context)),
        Kind::Dealer => {
            let mut options = secured.on(Dealer::options()).send_hwm(hwm).recv_hwm(hwm);
            if let Some(name) = name {
                options = options.routing_id(name);
            }
            Socket::Dealer(options.open(context))
        }
        Kind::Router => {
            let mut options = secured.on(Router::options()).send_hwm(hwm).recv_hwm(hwm);
            if let Some(name) = name {
                options = options.routing_id(name);
            }
            Socket::Router(options.open(context))
        }
        Kind::Pair => {
            let options = secured.on(Pair::options()).send_hwm(hwm).recv_hwm(hwm);
            Socket::Pair(options.open(context))
        }
        Kind::XPub => {
            let options = secured.on(XPub::options()).send_hwm(hwm).recv_hwm(hwm);
            Socket::XPub(options.open(context))
        }
        Kind::XSub => {
            let options = secured.on(XSub::options()).send_hwm(hwm).recv_hwm(hwm);
            Socket::XSub(options.open(context))
        }
    })
}

impl Socket {
    pub(super) fn subscribe(&self, topic: &str) -> Result<(), Failure> {
        match self {
            Socket::Sub(socket) => socket.subscribe(topic).map_err(Failure::error),
            Socket::XSub(socket) => socket.subscribe(topic).map_err(Failure::error),
            _ => Ok(()),
        }
    }

    pub(super) fn wait_for_subscribers(
        &self,
        count: usize,
        timeout: Option<Duration>,
    ) -> Result<(), ReadyError> {
        match (self, timeout) {
            (Socket::Pub(socket), Some(timeout)) => socket.subscribers_timeout(count, timeout),
            (Socket::Pub(socket), None) => socket.subscribers(count),
            (Socket::XPub(socket), Some(timeout)) => socket.subscribers_timeout(count, timeout),
            (Socket::XPub(socket), None) => socket.subscribers(count),
            _ => Ok(()),
        }
    }

    /// Publishers never wait. The verbs of the command line never send on a socket that cannot.
    pub(super) fn send(
        &self,
        message: Message,
        timeout: Option<Duration>,
    ) -> Result<(), SendError> {
        match (self, timeout) {
            (Socket::Push(socket), Some(timeout)) => socket.send_timeout(message, timeout),
            (Socket::Push(socket), None) => socket.send(message),
            (Socket::Dealer(socket), Some(timeout)) => socket.send_timeout(message, timeout),
            (Socket::Dealer(socket), None) => socket.send(message),
            (Socket::Pair(socket), Some(timeout)) => socket.send_timeout(message, timeout),
            (Socket::Pair(socket), None) => socket.send(message),
            (Socket::Router(socket), timeout) => {
                let (peer, body) = split(message);
                match timeout {
                    Some(timeout) => socket.send_to_timeout(&peer, body, timeout),
                    None => socket.send_to(&peer, body),
                }
            }
            (Socket::Pub(socket), _) => socket.send(message),
            (Socket::XPub(socket), _) => socket.send(message),
            (Socket::XSub(socket), _) => socket.send(message),
            (Socket::Pull(_) | Socket::Sub(_), _) => Ok(()),
        }
    }

    pub(super) fn try_recv(&self) -> Result<Message, RecvError> {
        match self {
            Socket::Pull(socket) => socket.try_recv(),
            Socket::Sub(socket) => socket.try_recv(),
            Socket::Dealer(socket) => socket.try_recv(),
            Socket::Router(socket) => socket.try_recv().map(joined),
            Socket::Pair(socket) => socket.try_recv(),
            Socket::XPub(socket) => socket.try_recv().map(shown),
            Socket::XSub(socket) => socket.try_recv(),
            Socket::Push(_) | Socket::Pub(_) => Err(RecvError::WouldBlock),
        }
    }

    pub(super) fn recv(&self, timeout: Option<Duration>) -> Result<Message, RecvError> {
        match (self, timeout) {
            (Socket::Pull(socket), Some(timeout)) => socket.recv_timeout(timeout),
            (Socket::Pull(socket), None) => socket.recv(),
            (Socket::Sub(socket), Some(timeout)) => socket.recv_timeout(timeout),
            (Socket::Sub(socket), None) => socket.recv(),
            (Socket::Dealer(socket), Some(timeout)) => socket.recv_timeout(timeout),
            (Socket::Dealer(socket), None) => socket.recv(),
            (Socket::Router(socket), Some(timeout)) => socket.recv_timeout(timeout).map(joined),
            (Socket::Router(socket), None) => socket.recv().map(joined),
            (Socket::Pair(socket), Some(timeout)) => socket.recv_timeout(timeout),
            (Socket::Pair(socket), None) => socket.recv(),
            (Socket::XPub(socket), Some(timeout)) => socket.recv_timeout(timeout).map(shown),
            (Socket::XPub(socket), None) => socket.recv().map(shown),
            (Socket::XSub(socket), Some(timeout)) => socket.recv_timeout(timeout),
            (Socket::XSub(socket), None) => socket.recv(),
            (Socket::Push(_) | Socket::Pub(_), _) => Err(RecvError::WouldBlock),
        }
    }
}

/// On the command line the routing id is the first frame. A message of nothing else goes out with an empty body.
fn split(mut message: Message) -> (RoutingId, Message) {
    match message.pop_front() {
        Some(peer) => (RoutingId::from(peer), message),
        None => (RoutingId::from(message.first()), Message::from("")),
    }
}

fn joined((peer, mut body): (RoutingId, Message)) -> Message {
    body.push_front(Frame::from(peer));
    body
}

/// A subscription as it is on the wire: an octet 1 or 0 and the topic.
fn shown(event: XPubEvent) -> Message {
    let notified = |octet: u8, topic: &Frame| Message::from([&[octet][..], topic].concat());
    match event {
        XPubEvent::Subscribed(topic) => notified(1, &topic),
        XPubEvent::Unsubscribed(topic) => notified(0, &topic),
        XPubEvent::Message(message) => message,
        other => Message::from(format!("{other:?}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_routing_id_is_the_first_frame() {
        let message: Message = ["ann", "a", "b"].into_iter().collect();
        let (peer, body) = split(message.clone());
        assert_eq!(peer, RoutingId::from("ann"));
        assert_eq!(body, ["a", "b"].into_iter().collect());
        assert_eq!(joined((peer, body)), message);
        assert_eq!(
            split(Message::from("ann")),
            (RoutingId::from("ann"), Message::from(""))
        );
    }

    #[test]
    fn subscriptions_are_shown_as_on_the_wire() {
        assert_eq!(
            shown(XPubEvent::Subscribed(Frame::from("a"))),
            Message::from("\u{1}a")
        );
        assert_eq!(
            shown(XPubEvent::Unsubscribed(Frame::from(""))),
            Message::from("\0")
        );
    }
}
