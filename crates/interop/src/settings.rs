//! libzmq's options by name, as the engine's. Some of the engine's are several of libzmq's, so what was set is remembered.

use std::time::Duration;

use bytes::Bytes;
use peer_script::{Failure, Value};
use zmq_engine::{
    Heartbeat, Limits, PatternOption, Reconnect, SocketOption, SocketOptions, StreamOptions,
};

use crate::secrets::Secrets;

/// What a socket was told until now.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    linger: Option<Duration>,
    reconnect: Reconnect,
    limits: Limits,
    stream: StreamOptions,
    interval: Duration,
    timeout: Option<Duration>,
    ttl: Duration,
    secrets: Secrets,
}

impl Default for Settings {
    fn default() -> Settings {
        let defaults = SocketOptions::default();
        Settings {
            linger: defaults.linger,
            reconnect: defaults.reconnect,
            limits: defaults.limits,
            stream: defaults.stream,
            interval: Duration::ZERO,
            timeout: None,
            ttl: Duration::ZERO,
            secrets: Secrets::default(),
        }
    }
}

impl Settings {
    /// How long closing may take.
    pub(crate) fn linger(&self) -> Option<Duration> {
        self.linger
    }

    /// Takes note of an option, and says what to tell the engine.
    ///
    /// # Errors
    /// `EINVAL` for an option the engine has no like of, or another kind of value.
    pub(crate) fn change(&mut self, option: &str, value: &Value) -> Result<SocketOption, Failure> {
        let known = match value {
            Value::Int(number) => self.number(option, *number),
            Value::Bytes(octets) => name(option, Bytes::copy_from_slice(octets)),
        };
        let known = known.or_else(|| flag(option, value).map(SocketOption::Pattern));
        let known = known.or_else(|| self.secrets.change(option, value));
        known.ok_or_else(|| {
            Failure::new(
                "EINVAL",
                format!("no option {option} of this kind of value"),
            )
        })
    }

    fn number(&mut self, option: &str, number: i64) -> Option<SocketOption> {
        let time = u64::try_from(number).ok().map(Duration::from_millis);
        let positive = time.filter(|time| !time.is_zero());
        match option {
            "SNDHWM" => Some(SocketOption::SendHwm(mark(number))),
            "RCVHWM" => Some(SocketOption::RecvHwm(mark(number))),
            "IMMEDIATE" => Some(SocketOption::Immediate(number != 0)),
            "CONFLATE" => Some(SocketOption::Conflate(number != 0)),
            "HANDSHAKE_IVL" => Some(SocketOption::HandshakeTimeout(positive)),
            "CONNECT_TIMEOUT" => Some(SocketOption::ConnectTimeout(positive)),
            "LINGER" => {
                self.linger = time;
                Some(SocketOption::Linger(time))
            }
            "RECONNECT_IVL" => {
                self.reconnect.initial = time;
                Some(SocketOption::Reconnect(self.reconnect))
            }
            "RECONNECT_IVL_MAX" => {
                self.reconnect.max = positive;
                Some(SocketOption::Reconnect(self.reconnect))
            }
            "MAXMSGSIZE" => {
                self.limits.max_frame = u64::try_from(number).ok();
                Some(SocketOption::Limits(Box::new(self.limits)))
            }
            "SNDBUF" => {
                self.stream.send_buffer = usize::try_from(number).ok();
                Some(SocketOption::Stream(Box::new(self.stream.clone())))
            }
            "RCVBUF" => {
                self.stream.receive_buffer = usize::try_from(number).ok();
                Some(SocketOption::Stream(Box::new(self.stream.clone())))
            }
            "HEARTBEAT_IVL" => {
                self.interval = time?;
                Some(self.heartbeat())
            }
            "HEARTBEAT_TIMEOUT" => {
                self.timeout = time;
                Some(self.heartbeat())
            }
            "HEARTBEAT_TTL" => {
                self.ttl = time?;
                Some(self.heartbeat())
            }
            _ => None,
        }
    }

    /// As in libzmq, no interval means no heartbeat, and without a timeout of its own the interval is the timeout.
    fn heartbeat(&self) -> SocketOption {
        let heartbeat = Heartbeat {
            interval: self.interval,
            timeout: self.timeout.unwrap_or(self.interval),
            ttl: self.ttl,
        };
        SocketOption::Heartbeat((!self.interval.is_zero()).then_some(heartbeat))
    }
}

fn mark(number: i64) -> Option<u32> {
    u32::try_from(number).ok().filter(|mark| *mark > 0)
}

fn name(option: &str, octets: Bytes) -> Option<SocketOption> {
    match option {
        "ROUTING_ID" => Some(SocketOption::RoutingId(octets)),
        "CONNECT_ROUTING_ID" => Some(SocketOption::ConnectRoutingId(octets)),
        "XPUB_WELCOME_MSG" => Some(SocketOption::Pattern(PatternOption::WelcomeMessage(Some(
            octets,
        )))),
        "HELLO_MSG" => Some(SocketOption::Pattern(PatternOption::HelloMessage(Some(
            octets,
        )))),
        "DISCONNECT_MSG" => Some(SocketOption::Pattern(PatternOption::DisconnectMessage(
            Some(octets),
        ))),
        _ => None,
    }
}

fn flag(option: &str, value: &Value) -> Option<PatternOption> {
    let &Value::Int(number) = value else {
        return None;
    };
    let on = number != 0;
    Some(match option {
        "ROUTER_MANDATORY" => PatternOption::RouterMandatory(on),
        "ROUTER_HANDOVER" => PatternOption::RouterHandover(on),
        "PROBE_ROUTER" => PatternOption::ProbeRouter(on),
        "REQ_RELAXED" => PatternOption::ReqRelaxed(on),
        "REQ_CORRELATE" => PatternOption::ReqCorrelate(on),
        "XPUB_VERBOSE" => PatternOption::XPubVerbose(on),
        "XPUB_VERBOSER" => PatternOption::XPubVerboser(on),
        "XPUB_MANUAL" => PatternOption::XPubManual(on),
        "XPUB_NODROP" => PatternOption::XPubNoDrop(on),
        "INVERT_MATCHING" => PatternOption::InvertMatching(on),
        "ONLY_FIRST_SUBSCRIBE" => PatternOption::OnlyFirstSubscribe(on),
        "XSUB_VERBOSE_UNSUBSCRIBE" => PatternOption::VerboseUnsubscribe(on),
        _ => return None,
    })
}
