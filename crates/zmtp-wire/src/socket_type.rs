//! The socket types, their names on the wire and who may talk to whom (RFC 37 section "Socket-Type", RFC 28..31, 41, 48..52).

/// The kind of a socket: it decides which peers are compatible and what READY announces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum SocketType {
    /// Exclusive pair (RFC 31).
    Pair,
    /// Publisher (RFC 29).
    Pub,
    /// Subscriber (RFC 29).
    Sub,
    /// Requester (RFC 28).
    Req,
    /// Replier (RFC 28).
    Rep,
    /// Asynchronous requester (RFC 28).
    Dealer,
    /// Addressing replier (RFC 28).
    Router,
    /// End of a pipeline (RFC 30).
    Pull,
    /// Start of a pipeline (RFC 30).
    Push,
    /// Publisher that sees subscriptions (RFC 29).
    XPub,
    /// Subscriber that sends subscriptions as messages (RFC 29).
    XSub,
    /// Raw TCP; never performs a ZMTP handshake.
    Stream,
    /// Thread-safe replier (RFC 41).
    Server,
    /// Thread-safe requester (RFC 41).
    Client,
    /// Group publisher (RFC 48).
    Radio,
    /// Group subscriber (RFC 48).
    Dish,
    /// Thread-safe end of a pipeline (RFC 49).
    Gather,
    /// Thread-safe start of a pipeline (RFC 49).
    Scatter,
    /// Raw UDP; never performs a ZMTP handshake.
    Dgram,
    /// Peer to peer (RFC 51).
    Peer,
    /// Thread-safe exclusive pair (RFC 52).
    Channel,
}

/// Every type in the order of its number.
const ALL: [(SocketType, &str); 21] = [
    (SocketType::Pair, "PAIR"),
    (SocketType::Pub, "PUB"),
    (SocketType::Sub, "SUB"),
    (SocketType::Req, "REQ"),
    (SocketType::Rep, "REP"),
    (SocketType::Dealer, "DEALER"),
    (SocketType::Router, "ROUTER"),
    (SocketType::Pull, "PULL"),
    (SocketType::Push, "PUSH"),
    (SocketType::XPub, "XPUB"),
    (SocketType::XSub, "XSUB"),
    (SocketType::Stream, "STREAM"),
    (SocketType::Server, "SERVER"),
    (SocketType::Client, "CLIENT"),
    (SocketType::Radio, "RADIO"),
    (SocketType::Dish, "DISH"),
    (SocketType::Gather, "GATHER"),
    (SocketType::Scatter, "SCATTER"),
    (SocketType::Dgram, "DGRAM"),
    (SocketType::Peer, "PEER"),
    (SocketType::Channel, "CHANNEL"),
];

impl SocketType {
    /// All socket types, in the order of [`number`](Self::number).
    pub fn all() -> impl Iterator<Item = Self> {
        ALL.iter().map(|(kind, _)| *kind)
    }

    /// The name as the `Socket-Type` property carries it.
    #[must_use]
    pub fn name(self) -> &'static str {
        ALL.get(usize::from(self.number()))
            .map_or("", |(_, name)| name)
    }

    /// The type of that name; names are compared exactly, as RFC 37 and libzmq do.
    #[must_use]
    pub fn from_name(name: &[u8]) -> Option<Self> {
        ALL.iter()
            .find(|(_, known)| known.as_bytes() == name)
            .map(|(kind, _)| *kind)
    }

    /// The number ZMTP 2.0 greetings carry; the API constants of libzmq are the same.
    #[must_use]
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The type of that number.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        ALL.get(usize::from(number)).map(|(kind, _)| *kind)
    }

    /// Whether a socket of this type may talk to a peer of type `peer`.
    #[must_use]
    pub const fn accepts(self, peer: Self) -> bool {
        use SocketType as T;
        match self {
            T::Req => matches!(peer, T::Rep | T::Router),
            T::Rep => matches!(peer, T::Req | T::Dealer),
            T::Dealer => matches!(peer, T::Rep | T::Dealer | T::Router),
            T::Router => matches!(peer, T::Req | T::Dealer | T::Router),
            T::Pub | T::XPub => matches!(peer, T::Sub | T::XSub),
            T::Sub | T::XSub => matches!(peer, T::Pub | T::XPub),
            T::Push => matches!(peer, T::Pull),
            T::Pull => matches!(peer, T::Push),
            T::Pair => matches!(peer, T::Pair),
            T::Client => matches!(peer, T::Server),
            T::Server => matches!(peer, T::Client),
            T::Radio => matches!(peer, T::Dish),
            T::Dish => matches!(peer, T::Radio),
            T::Scatter => matches!(peer, T::Gather),
            T::Gather => matches!(peer, T::Scatter),
            T::Peer => matches!(peer, T::Peer),
            T::Channel => matches!(peer, T::Channel),
            T::Stream | T::Dgram => false,
        }
    }

    /// Whether READY announces a routing id (the `Identity` property, possibly empty).
    #[must_use]
    pub const fn sends_routing_id(self) -> bool {
        matches!(self, Self::Req | Self::Dealer | Self::Router)
    }

    /// Whether subscriptions arrive at this type.
    #[must_use]
    pub const fn takes_subscriptions(self) -> bool {
        matches!(self, Self::Pub | Self::XPub)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names_lead_back_to_the_type() {
        for kind in SocketType::all() {
            assert_eq!(SocketType::from_number(kind.number()), Some(kind));
            assert_eq!(SocketType::from_name(kind.name().as_bytes()), Some(kind));
        }
        assert_eq!(SocketType::from_number(21), None);
        assert_eq!(SocketType::from_name(b"router"), None);
    }

    // spec: 37/socket-type-compatibility
    #[test]
    fn compatibility_is_mutual() {
        for left in SocketType::all() {
            for right in SocketType::all() {
                assert_eq!(
                    left.accepts(right),
                    right.accepts(left),
                    "{left:?} {right:?}"
                );
            }
        }
    }
}
