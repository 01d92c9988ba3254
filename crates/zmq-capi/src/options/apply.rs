//! What options mean to the engine.

use std::ffi::c_int;
use std::time::Duration;

use zmq_engine::patterns::RouterNotify;
use zmq_engine::transport::Proxy;
use zmq_engine::{Heartbeat, Limits, PatternOption, Reconnect, SocketOption, StreamOptions};

use super::Settings;
use super::table::{id, millis, some_millis};

/// A choice that is the pattern's.
pub(super) fn choice(option: c_int, value: c_int) -> Option<PatternOption> {
    use PatternOption as P;
    let on = value != 0;
    Some(match option {
        id::ROUTER_MANDATORY => P::RouterMandatory(on),
        id::ROUTER_HANDOVER => P::RouterHandover(on),
        id::ROUTER_NOTIFY => P::RouterNotify(RouterNotify {
            connect: value & 1 != 0,
            disconnect: value & 2 != 0,
        }),
        id::PROBE_ROUTER => P::ProbeRouter(on),
        id::REQ_RELAXED => P::ReqRelaxed(on),
        id::REQ_CORRELATE => P::ReqCorrelate(on),
        id::XPUB_VERBOSE => P::XPubVerbose(on),
        id::XPUB_VERBOSER => P::XPubVerboser(on),
        id::XPUB_MANUAL => P::XPubManual(on),
        id::XPUB_MANUAL_LAST_VALUE => P::XPubManualLastValue(on),
        id::XPUB_NODROP => P::XPubNoDrop(on),
        id::INVERT_MATCHING => P::InvertMatching(on),
        id::ONLY_FIRST_SUBSCRIBE => P::OnlyFirstSubscribe(on),
        id::XSUB_VERBOSE_UNSUBSCRIBE => P::VerboseUnsubscribe(on),
        _ => return None,
    })
}

/// A high-water mark; zero is none.
fn mark(value: c_int) -> Option<u32> {
    u32::try_from(value).ok().filter(|mark| *mark > 0)
}

/// What was set, where -1 means that the system decides.
fn set<T: TryFrom<c_int>>(value: c_int) -> Option<T> {
    (value >= 0).then(|| T::try_from(value).ok()).flatten()
}

fn seconds(value: c_int) -> Option<Duration> {
    set(value).map(Duration::from_secs)
}

impl Settings {
    /// What the engine is to be told after this option was set.
    pub(super) fn change_of(&self, option: c_int) -> Option<SocketOption> {
        use SocketOption as O;
        Some(match option {
            id::SNDHWM => O::SendHwm(mark(self.int(option))),
            id::RCVHWM => O::RecvHwm(mark(self.int(option))),
            id::LINGER => O::Linger(self.linger()),
            id::IMMEDIATE => O::Immediate(self.int(option) != 0),
            id::CONFLATE => O::Conflate(self.int(option) != 0),
            id::CONNECT_TIMEOUT => O::ConnectTimeout(some_millis(self.int(option))),
            id::HANDSHAKE_IVL => O::HandshakeTimeout(some_millis(self.int(option))),
            id::RECONNECT_IVL | id::RECONNECT_IVL_MAX | id::RECONNECT_STOP => {
                O::Reconnect(self.reconnect())
            }
            id::HEARTBEAT_IVL | id::HEARTBEAT_TTL | id::HEARTBEAT_TIMEOUT => {
                O::Heartbeat(self.heartbeat())
            }
            id::IPV6
            | id::SNDBUF
            | id::RCVBUF
            | id::BACKLOG
            | id::TCP_KEEPALIVE
            | id::TCP_KEEPALIVE_CNT
            | id::TCP_KEEPALIVE_IDLE
            | id::TCP_KEEPALIVE_INTVL
            | id::TOS
            | id::PRIORITY
            | id::TCP_MAXRT
            | id::USE_FD
            | id::SOCKS_PROXY
            | id::SOCKS_USERNAME
            | id::SOCKS_PASSWORD
            | id::BINDTODEVICE => O::Stream(Box::new(self.stream())),
            _ => return None,
        })
    }

    pub(super) fn stream(&self) -> StreamOptions {
        let device = std::str::from_utf8(self.text(id::BINDTODEVICE)).unwrap_or_default();
        let tos = u8::try_from(self.int(id::TOS)).ok();
        let priority: Option<u32> = set(self.int(id::PRIORITY));
        StreamOptions {
            ipv6: self.int(id::IPV6) != 0,
            keepalive: set::<i64>(self.int(id::TCP_KEEPALIVE)).map(|on| on != 0),
            keepalive_count: set(self.int(id::TCP_KEEPALIVE_CNT)),
            keepalive_idle: seconds(self.int(id::TCP_KEEPALIVE_IDLE)),
            keepalive_interval: seconds(self.int(id::TCP_KEEPALIVE_INTVL)),
            tos: tos.filter(|tos| *tos > 0),
            send_buffer: set(self.int(id::SNDBUF)),
            receive_buffer: set(self.int(id::RCVBUF)),
            priority: priority.filter(|priority| *priority > 0),
            bind_to_device: (!device.is_empty()).then(|| device.to_owned()),
            tcp_user_timeout: some_millis(self.int(id::TCP_MAXRT)),
            backlog: set(self.int(id::BACKLOG)).unwrap_or(100),
            use_fd: self.use_fd.clone(),
            proxy: self.proxy(),
        }
    }

    fn proxy(&self) -> Option<Proxy> {
        let text = |option| String::from_utf8_lossy(self.text(option)).into_owned();
        Some(text(id::SOCKS_PROXY))
            .filter(|address| !address.is_empty())
            .map(|address| Proxy {
                address,
                username: text(id::SOCKS_USERNAME),
                password: text(id::SOCKS_PASSWORD),
            })
    }

    pub(super) fn limits(&self) -> Limits {
        Limits {
            max_frame: u64::try_from(self.max_message).ok(),
            // Without a bound of the caller's a message is as long as it is; it takes memory only as it comes in.
            max_message: u64::try_from(i64::MAX).unwrap_or(u64::MAX),
            ..Limits::default()
        }
    }

    fn reconnect(&self) -> Reconnect {
        let stop = self.int(id::RECONNECT_STOP);
        let max = some_millis(self.int(id::RECONNECT_IVL_MAX));
        Reconnect {
            initial: some_millis(self.int(id::RECONNECT_IVL)),
            max,
            jitter: max.is_none(),
            stop_when_refused: stop & 1 != 0,
            stop_when_handshake_failed: stop & 2 != 0,
        }
    }

    fn heartbeat(&self) -> Option<Heartbeat> {
        let interval = some_millis(self.int(id::HEARTBEAT_IVL))?;
        Some(Heartbeat {
            interval,
            timeout: millis(self.int(id::HEARTBEAT_TIMEOUT)).unwrap_or(interval),
            // Told in tenths of a second.
            ttl: some_millis(self.int(id::HEARTBEAT_TTL) / 100 * 100).unwrap_or_default(),
        })
    }
}
