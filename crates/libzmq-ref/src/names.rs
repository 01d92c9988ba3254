//! Numbers of `zmq.h` by name.

/// How an option's value is passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `int`.
    Int,
    /// `int64_t` or `uint64_t`.
    Long,
    /// Octets.
    Bytes,
}

/// The number of a socket type.
#[must_use]
pub fn socket_type(name: &str) -> Option<i32> {
    const NAMES: [&str; 21] = [
        "PAIR", "PUB", "SUB", "REQ", "REP", "DEALER", "ROUTER", "PULL", "PUSH", "XPUB", "XSUB",
        "STREAM", "SERVER", "CLIENT", "RADIO", "DISH", "GATHER", "SCATTER", "DGRAM", "PEER",
        "CHANNEL",
    ];
    let index = NAMES.iter().position(|candidate| *candidate == name)?;
    i32::try_from(index).ok()
}

/// The number and kind of an option, by its name without `ZMQ_`.
#[must_use]
pub fn option(name: &str) -> Option<(i32, Kind)> {
    let found = OPTIONS.iter().find(|(candidate, ..)| *candidate == name);
    found.map(|(_, number, kind)| (*number, *kind))
}

/// The name of a monitor event.
#[must_use]
pub(crate) fn event(number: u16) -> &'static str {
    match number {
        0x0001 => "CONNECTED",
        0x0002 => "CONNECT_DELAYED",
        0x0004 => "CONNECT_RETRIED",
        0x0008 => "LISTENING",
        0x0010 => "BIND_FAILED",
        0x0020 => "ACCEPTED",
        0x0040 => "ACCEPT_FAILED",
        0x0080 => "CLOSED",
        0x0100 => "CLOSE_FAILED",
        0x0200 => "DISCONNECTED",
        0x0400 => "MONITOR_STOPPED",
        0x0800 => "HANDSHAKE_FAILED_NO_DETAIL",
        0x1000 => "HANDSHAKE_SUCCEEDED",
        0x2000 => "HANDSHAKE_FAILED_PROTOCOL",
        0x4000 => "HANDSHAKE_FAILED_AUTH",
        _ => "UNKNOWN",
    }
}

const OPTIONS: &[(&str, i32, Kind)] = &[
    ("AFFINITY", 4, Kind::Long),
    ("ROUTING_ID", 5, Kind::Bytes),
    ("SNDBUF", 11, Kind::Int),
    ("RCVBUF", 12, Kind::Int),
    ("LINGER", 17, Kind::Int),
    ("RECONNECT_IVL", 18, Kind::Int),
    ("BACKLOG", 19, Kind::Int),
    ("RECONNECT_IVL_MAX", 21, Kind::Int),
    ("MAXMSGSIZE", 22, Kind::Long),
    ("SNDHWM", 23, Kind::Int),
    ("RCVHWM", 24, Kind::Int),
    ("ROUTER_MANDATORY", 33, Kind::Int),
    ("IMMEDIATE", 39, Kind::Int),
    ("XPUB_VERBOSE", 40, Kind::Int),
    ("IPV6", 42, Kind::Int),
    ("PLAIN_SERVER", 44, Kind::Int),
    ("PLAIN_USERNAME", 45, Kind::Bytes),
    ("PLAIN_PASSWORD", 46, Kind::Bytes),
    ("CURVE_SERVER", 47, Kind::Int),
    ("CURVE_PUBLICKEY", 48, Kind::Bytes),
    ("CURVE_SECRETKEY", 49, Kind::Bytes),
    ("CURVE_SERVERKEY", 50, Kind::Bytes),
    ("PROBE_ROUTER", 51, Kind::Int),
    ("REQ_CORRELATE", 52, Kind::Int),
    ("REQ_RELAXED", 53, Kind::Int),
    ("CONFLATE", 54, Kind::Int),
    ("ZAP_DOMAIN", 55, Kind::Bytes),
    ("ROUTER_HANDOVER", 56, Kind::Int),
    ("CONNECT_ROUTING_ID", 61, Kind::Bytes),
    ("HANDSHAKE_IVL", 66, Kind::Int),
    ("XPUB_NODROP", 69, Kind::Int),
    ("XPUB_MANUAL", 71, Kind::Int),
    ("XPUB_WELCOME_MSG", 72, Kind::Bytes),
    ("STREAM_NOTIFY", 73, Kind::Int),
    ("INVERT_MATCHING", 74, Kind::Int),
    ("HEARTBEAT_IVL", 75, Kind::Int),
    ("HEARTBEAT_TTL", 76, Kind::Int),
    ("HEARTBEAT_TIMEOUT", 77, Kind::Int),
    ("XPUB_VERBOSER", 78, Kind::Int),
    ("CONNECT_TIMEOUT", 79, Kind::Int),
    ("ZAP_ENFORCE_DOMAIN", 93, Kind::Int),
    ("METADATA", 95, Kind::Bytes),
    ("ROUTER_NOTIFY", 97, Kind::Int),
    ("ONLY_FIRST_SUBSCRIBE", 108, Kind::Int),
    ("HELLO_MSG", 110, Kind::Bytes),
    ("DISCONNECT_MSG", 111, Kind::Bytes),
    ("XSUB_VERBOSE_UNSUBSCRIBE", 115, Kind::Int),
];
