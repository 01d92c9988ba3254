//! The options that are numbers: what they begin with, and what they may be.

use std::ffi::c_int;
use std::time::Duration;

/// The numbers of the options, as in `zmq.h`.
#[rustfmt::skip]
#[allow(dead_code, reason = "every number of the table has a name, whether it is treated in a way of its own or not")]
pub(crate) mod id {
    use std::ffi::c_int;

    pub(crate) const NULL: c_int = 0;
    pub(crate) const PLAIN: c_int = 1;
    pub(crate) const CURVE: c_int = 2;

    pub(crate) const AFFINITY: c_int = 4;
    pub(crate) const ROUTING_ID: c_int = 5;
    pub(crate) const SUBSCRIBE: c_int = 6;
    pub(crate) const UNSUBSCRIBE: c_int = 7;
    pub(crate) const RATE: c_int = 8;
    pub(crate) const RECOVERY_IVL: c_int = 9;
    pub(crate) const SNDBUF: c_int = 11;
    pub(crate) const RCVBUF: c_int = 12;
    pub(crate) const RCVMORE: c_int = 13;
    pub(crate) const FD: c_int = 14;
    pub(crate) const EVENTS: c_int = 15;
    pub(crate) const TYPE: c_int = 16;
    pub(crate) const LINGER: c_int = 17;
    pub(crate) const RECONNECT_IVL: c_int = 18;
    pub(crate) const BACKLOG: c_int = 19;
    pub(crate) const RECONNECT_IVL_MAX: c_int = 21;
    pub(crate) const MAXMSGSIZE: c_int = 22;
    pub(crate) const SNDHWM: c_int = 23;
    pub(crate) const RCVHWM: c_int = 24;
    pub(crate) const MULTICAST_HOPS: c_int = 25;
    pub(crate) const RCVTIMEO: c_int = 27;
    pub(crate) const SNDTIMEO: c_int = 28;
    pub(crate) const IPV4ONLY: c_int = 31;
    pub(crate) const LAST_ENDPOINT: c_int = 32;
    pub(crate) const ROUTER_MANDATORY: c_int = 33;
    pub(crate) const TCP_KEEPALIVE: c_int = 34;
    pub(crate) const TCP_KEEPALIVE_CNT: c_int = 35;
    pub(crate) const TCP_KEEPALIVE_IDLE: c_int = 36;
    pub(crate) const TCP_KEEPALIVE_INTVL: c_int = 37;
    pub(crate) const TCP_ACCEPT_FILTER: c_int = 38;
    pub(crate) const IMMEDIATE: c_int = 39;
    pub(crate) const XPUB_VERBOSE: c_int = 40;
    pub(crate) const ROUTER_RAW: c_int = 41;
    pub(crate) const IPV6: c_int = 42;
    pub(crate) const MECHANISM: c_int = 43;
    pub(crate) const PLAIN_SERVER: c_int = 44;
    pub(crate) const PLAIN_USERNAME: c_int = 45;
    pub(crate) const PLAIN_PASSWORD: c_int = 46;
    pub(crate) const CURVE_SERVER: c_int = 47;
    pub(crate) const CURVE_PUBLICKEY: c_int = 48;
    pub(crate) const CURVE_SECRETKEY: c_int = 49;
    pub(crate) const CURVE_SERVERKEY: c_int = 50;
    pub(crate) const PROBE_ROUTER: c_int = 51;
    pub(crate) const REQ_CORRELATE: c_int = 52;
    pub(crate) const REQ_RELAXED: c_int = 53;
    pub(crate) const CONFLATE: c_int = 54;
    pub(crate) const ZAP_DOMAIN: c_int = 55;
    pub(crate) const ROUTER_HANDOVER: c_int = 56;
    pub(crate) const TOS: c_int = 57;
    pub(crate) const IPC_FILTER_PID: c_int = 58;
    pub(crate) const IPC_FILTER_UID: c_int = 59;
    pub(crate) const IPC_FILTER_GID: c_int = 60;
    pub(crate) const CONNECT_ROUTING_ID: c_int = 61;
    pub(crate) const HANDSHAKE_IVL: c_int = 66;
    pub(crate) const SOCKS_PROXY: c_int = 68;
    pub(crate) const XPUB_NODROP: c_int = 69;
    pub(crate) const XPUB_MANUAL: c_int = 71;
    pub(crate) const XPUB_WELCOME_MSG: c_int = 72;
    pub(crate) const STREAM_NOTIFY: c_int = 73;
    pub(crate) const INVERT_MATCHING: c_int = 74;
    pub(crate) const HEARTBEAT_IVL: c_int = 75;
    pub(crate) const HEARTBEAT_TTL: c_int = 76;
    pub(crate) const HEARTBEAT_TIMEOUT: c_int = 77;
    pub(crate) const XPUB_VERBOSER: c_int = 78;
    pub(crate) const CONNECT_TIMEOUT: c_int = 79;
    pub(crate) const TCP_MAXRT: c_int = 80;
    pub(crate) const THREAD_SAFE: c_int = 81;
    pub(crate) const MULTICAST_MAXTPDU: c_int = 84;
    pub(crate) const USE_FD: c_int = 89;
    pub(crate) const BINDTODEVICE: c_int = 92;
    pub(crate) const ZAP_ENFORCE_DOMAIN: c_int = 93;
    pub(crate) const LOOPBACK_FASTPATH: c_int = 94;
    pub(crate) const METADATA: c_int = 95;
    pub(crate) const MULTICAST_LOOP: c_int = 96;
    pub(crate) const ROUTER_NOTIFY: c_int = 97;
    pub(crate) const XPUB_MANUAL_LAST_VALUE: c_int = 98;
    pub(crate) const SOCKS_USERNAME: c_int = 99;
    pub(crate) const SOCKS_PASSWORD: c_int = 100;
    pub(crate) const IN_BATCH_SIZE: c_int = 101;
    pub(crate) const OUT_BATCH_SIZE: c_int = 102;
    pub(crate) const ONLY_FIRST_SUBSCRIBE: c_int = 108;
    pub(crate) const RECONNECT_STOP: c_int = 109;
    pub(crate) const HELLO_MSG: c_int = 110;
    pub(crate) const DISCONNECT_MSG: c_int = 111;
    pub(crate) const PRIORITY: c_int = 112;
    pub(crate) const BUSY_POLL: c_int = 113;
    pub(crate) const HICCUP_MSG: c_int = 114;
    pub(crate) const XSUB_VERBOSE_UNSUBSCRIBE: c_int = 115;
    pub(crate) const TOPICS_COUNT: c_int = 116;
}

/// An option that is a number.
pub(super) struct IntOption {
    pub(super) id: c_int,
    pub(super) default: c_int,
    lowest: c_int,
    highest: c_int,
    /// Whether it can be asked for.
    pub(super) readable: bool,
}

impl IntOption {
    pub(super) fn allows(&self, value: c_int) -> bool {
        (self.lowest..=self.highest).contains(&value)
    }
}

const fn row(id: c_int, default: c_int, lowest: c_int, highest: c_int) -> IntOption {
    IntOption {
        id,
        default,
        lowest,
        highest,
        readable: true,
    }
}

/// From `lowest` up.
const fn from(id: c_int, default: c_int, lowest: c_int) -> IntOption {
    row(id, default, lowest, c_int::MAX)
}

/// Yes or no, and nothing else.
const fn flag(id: c_int, default: c_int) -> IntOption {
    row(id, default, 0, 1)
}

/// Any number: zero is no.
const fn any(id: c_int, default: c_int) -> IntOption {
    row(id, default, c_int::MIN, c_int::MAX)
}

/// Can be set and not asked for.
const fn set_only(mut row: IntOption) -> IntOption {
    row.readable = false;
    row
}

/// A choice of the pattern: zero or more, not readable.
const fn choice(id: c_int) -> IntOption {
    set_only(from(id, 0, 0))
}

/// The largest TTL: two octets of tenths of a second.
const TTL: c_int = 6_553_599;

pub(super) const INTS: &[IntOption] = &[
    from(id::RATE, 100, 1),
    from(id::RECOVERY_IVL, 10_000, 0),
    from(id::SNDBUF, -1, -1),
    from(id::RCVBUF, -1, -1),
    from(id::LINGER, -1, -1),
    from(id::RECONNECT_IVL, 100, -1),
    from(id::BACKLOG, 100, 0),
    from(id::RECONNECT_IVL_MAX, 0, 0),
    from(id::SNDHWM, 1000, 0),
    from(id::RCVHWM, 1000, 0),
    from(id::MULTICAST_HOPS, 1, 1),
    from(id::RCVTIMEO, -1, -1),
    from(id::SNDTIMEO, -1, -1),
    choice(id::ROUTER_MANDATORY),
    row(id::TCP_KEEPALIVE, -1, -1, 1),
    from(id::TCP_KEEPALIVE_CNT, -1, -1),
    from(id::TCP_KEEPALIVE_IDLE, -1, -1),
    from(id::TCP_KEEPALIVE_INTVL, -1, -1),
    flag(id::IMMEDIATE, 0),
    choice(id::XPUB_VERBOSE),
    flag(id::IPV6, 0),
    flag(id::PLAIN_SERVER, 0),
    flag(id::CURVE_SERVER, 0),
    choice(id::PROBE_ROUTER),
    choice(id::REQ_CORRELATE),
    choice(id::REQ_RELAXED),
    flag(id::CONFLATE, 0),
    choice(id::ROUTER_HANDOVER),
    from(id::TOS, 0, 0),
    from(id::HANDSHAKE_IVL, 30_000, 0),
    choice(id::XPUB_NODROP),
    choice(id::XPUB_MANUAL),
    any(id::INVERT_MATCHING, 0),
    from(id::HEARTBEAT_IVL, 0, 0),
    row(id::HEARTBEAT_TTL, 0, 0, TTL),
    from(id::HEARTBEAT_TIMEOUT, -1, 0),
    choice(id::XPUB_VERBOSER),
    from(id::CONNECT_TIMEOUT, 0, 0),
    from(id::TCP_MAXRT, 0, 0),
    from(id::MULTICAST_MAXTPDU, 1500, 1),
    from(id::USE_FD, -1, -1),
    any(id::ZAP_ENFORCE_DOMAIN, 0),
    any(id::LOOPBACK_FASTPATH, 0),
    any(id::MULTICAST_LOOP, 1),
    row(id::ROUTER_NOTIFY, 0, 0, 3),
    choice(id::XPUB_MANUAL_LAST_VALUE),
    from(id::IN_BATCH_SIZE, 8192, 1),
    from(id::OUT_BATCH_SIZE, 8192, 1),
    choice(id::ONLY_FIRST_SUBSCRIBE),
    any(id::RECONNECT_STOP, 0),
    from(id::PRIORITY, 0, 0),
    set_only(any(id::BUSY_POLL, 0)),
    set_only(any(id::XSUB_VERBOSE_UNSUBSCRIBE, 0)),
];

/// The row of an option that is a number.
pub(super) fn find(id: c_int) -> Option<&'static IntOption> {
    INTS.iter().find(|row| row.id == id)
}

/// A time in milliseconds; -1 is for ever.
pub(super) fn millis(time: c_int) -> Option<Duration> {
    u64::try_from(time).ok().map(Duration::from_millis)
}

/// A time in milliseconds; zero is none.
pub(super) fn some_millis(time: c_int) -> Option<Duration> {
    millis(time).filter(|time| !time.is_zero())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_stands_once_and_begins_with_something_it_may_be() {
        for (place, row) in INTS.iter().enumerate() {
            assert!((0..super::super::NUMBERS as c_int).contains(&row.id));
            assert!(INTS[..place].iter().all(|other| other.id != row.id));
            assert!(
                row.allows(row.default) || row.id == id::HEARTBEAT_TIMEOUT,
                "{}",
                row.id
            );
        }
    }
}
