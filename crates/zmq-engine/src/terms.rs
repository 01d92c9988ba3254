//! What a connection is held to from its first octet to the verdict about it: the socket's options at the moment it began.

use std::sync::Arc;

use bytes::Bytes;
use zmtp_wire::{Credentials, Heartbeat, SessionConfig, SocketType};

use crate::monitor::Unasked;
use crate::options::{AcceptFilter, SocketOptions};
use crate::security::{Admission, Authenticator, Security};

/// Shared by all connections that began under the same options, which costs each of them a pointer.
pub(crate) struct Terms {
    pub(crate) session: Arc<SessionConfig>,
    pub(crate) security: Security,
    /// Whether NULL asks about its peers.
    pub(crate) ask: bool,
    pub(crate) authenticator: Option<Arc<dyn Authenticator>>,
    pub(crate) domain: Bytes,
    enforce_domain: bool,
    admission: Admission,
    pub(crate) outlast_handler: bool,
}

/// What was in force before an option changed.
#[derive(Default)]
pub(crate) struct Former {
    pub(crate) _terms: Option<Arc<Terms>>,
    pub(crate) security: Security,
    pub(crate) authenticator: Option<Arc<dyn Authenticator>>,
    pub(crate) filter: Option<Arc<dyn AcceptFilter>>,
}

/// How a peer is to be judged when there is no authenticator.
pub(crate) enum Way {
    Accept,
    /// Nobody could be asked.
    Close(Unasked),
    Handler {
        /// What happens when there is none.
        or_accept: bool,
    },
}

impl Terms {
    pub(crate) fn new(socket_type: SocketType, options: &SocketOptions) -> Terms {
        Terms {
            session: Arc::new(session_config(socket_type, options)),
            security: options.security.clone(),
            ask: options.asks_about_peers(),
            authenticator: options.authenticator.clone(),
            domain: options.zap_domain.clone(),
            enforce_domain: options.zap_enforce_domain,
            admission: options.admission,
            outlast_handler: options.outlast_handler,
        }
    }

    /// What the options say about a peer with these credentials.
    pub(crate) fn way(&self, credentials: &Credentials) -> Way {
        let domain = !self.domain.is_empty();
        let as_libzmq = self.admission == Admission::AsLibzmq;
        match credentials {
            // It asks only if there is somebody to ask.
            Credentials::Null if !domain => Way::Accept,
            Credentials::Curve { .. } if self.admission == Admission::AnyKey => Way::Accept,
            Credentials::Curve { .. } if as_libzmq && !domain && self.enforce_domain => Way::Accept,
            Credentials::Null | Credentials::Curve { .. } => Way::Handler {
                or_accept: as_libzmq && !self.enforce_domain,
            },
            Credentials::Plain { .. } | Credentials::Gssapi { .. } => {
                Way::Handler { or_accept: false }
            }
            _ => Way::Close(Unasked::UnknownMechanism),
        }
    }
}

/// The few values a session is handed out of the socket's options.
fn session_config(socket_type: SocketType, options: &SocketOptions) -> SessionConfig {
    let mut config = SessionConfig::new(socket_type);
    config.routing_id = options.routing_id.clone();
    config.properties = options.properties.clone();
    config.min_version = options.min_version;
    config.legacy_allowed = options.security.is_none() && !options.asks_about_peers();
    config.limits = options.limits;
    config.handshake_timeout_ms = options.handshake_timeout.map(millis);
    config.heartbeat = options.heartbeat.map(|heartbeat| Heartbeat {
        interval_ms: millis(heartbeat.interval),
        timeout_ms: millis(heartbeat.timeout),
        ttl_ms: millis(heartbeat.ttl),
    });
    config.ping_before_3_1 = options.ping_before_3_1;
    if options.pattern.iter().any(|option| {
        matches!(
            option,
            zmq_patterns::PatternOption::OnlyFirstSubscribe(true)
        )
    }) && socket_type.takes_subscriptions()
    {
        config.subscriptions = zmtp_wire::SubscriptionFrames::FirstFrame;
    }
    config
}

fn millis(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
