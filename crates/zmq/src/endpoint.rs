//! Where sockets meet.

use std::fmt;

/// An endpoint that a socket is really bound to: ports and names that the system chose are filled in.
///
/// It reads as a string: hand it to `connect`, print it, send it to somebody.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Endpoint(Box<str>);

impl Endpoint {
    pub(crate) fn new(bound: String) -> Endpoint {
        Endpoint(bound.into_boxed_str())
    }

    /// The endpoint as `scheme://address`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<str> for Endpoint {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl From<Endpoint> for String {
    fn from(endpoint: Endpoint) -> String {
        endpoint.0.into_string()
    }
}

impl PartialEq<str> for Endpoint {
    fn eq(&self, other: &str) -> bool {
        &*self.0 == other
    }
}

impl PartialEq<&str> for Endpoint {
    fn eq(&self, other: &&str) -> bool {
        &*self.0 == *other
    }
}

/// Whether binding may have to ask a name server, which takes as long as it takes.
pub(crate) fn may_wait(endpoint: &str) -> bool {
    let Some(address) = endpoint.strip_prefix("tcp://") else {
        // inproc and ipc are local; what other transports do is not known here.
        return !endpoint.starts_with("inproc://") && !endpoint.starts_with("ipc://");
    };
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let bare = bare.split_once('%').map_or(bare, |(bare, _)| bare);
    host != "*" && bare.parse::<std::net::IpAddr>().is_err()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_may_wait() {
        for known in [
            "tcp://127.0.0.1:0",
            "tcp://*:*",
            "tcp://[::1]:5555",
            "tcp://[fe80::1%eth0]:1",
            "inproc://a",
            "ipc:///tmp/a",
        ] {
            assert!(!may_wait(known), "{known}");
        }
        for named in ["tcp://localhost:0", "tcp://eth0:1", "quic://127.0.0.1:1"] {
            assert!(may_wait(named), "{named}");
        }
    }
}
