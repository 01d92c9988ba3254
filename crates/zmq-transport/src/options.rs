//! What can be asked of the operating system for one endpoint.

use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

use crate::Proxy;

/// Settings of the sockets behind one endpoint. They are applied when a socket is made; `None` leaves the system's
/// default. A transport ignores what does not exist for it: ipc knows only the buffers, the backlog and `use_fd`.
#[derive(Clone, Debug)]
pub struct StreamOptions {
    /// Whether IPv6 is used at all. Off: names give IPv4 addresses only and `*` binds `0.0.0.0`. On: names give both,
    /// and `*` binds `[::]`, which takes IPv4 peers too. Default off.
    pub ipv6: bool,
    /// `SO_KEEPALIVE`. The three settings below count only when this is `Some`.
    pub keepalive: Option<bool>,
    /// Probes without an answer before the link is lost (`TCP_KEEPCNT`).
    pub keepalive_count: Option<u32>,
    /// Silence before the first probe (`TCP_KEEPIDLE`), whole seconds.
    pub keepalive_idle: Option<Duration>,
    /// Time between probes (`TCP_KEEPINTVL`), whole seconds.
    pub keepalive_interval: Option<Duration>,
    /// `IP_TOS` and `IPV6_TCLASS`, the whole octet: the upper six bits are the DSCP.
    pub tos: Option<u8>,
    /// `SO_SNDBUF`, octets. Linux doubles it for its own bookkeeping. `None`: the system decides, but for tcp over the loopback device of Linux, which gets 512 KiB where
    /// `net.core.wmem_max` allows that: large frames go a tenth faster if no more is under way.
    pub send_buffer: Option<usize>,
    /// `SO_RCVBUF`, octets. Linux doubles it for its own bookkeeping.
    pub receive_buffer: Option<usize>,
    /// `SO_PRIORITY` (Linux): queueing priority of what is sent. Above 6 needs a privilege.
    pub priority: Option<u32>,
    /// `SO_BINDTODEVICE` (Linux): use this interface only. May need a privilege.
    pub bind_to_device: Option<String>,
    /// How long written data may go unacknowledged before the link is lost (`TCP_USER_TIMEOUT`, Linux), whole
    /// milliseconds.
    pub tcp_user_timeout: Option<Duration>,
    /// How many connections may wait to be accepted. Default 100.
    pub backlog: u32,
    /// Listen on this socket instead of making one. It must be bound to an address of the scheme; it is duplicated,
    /// and nothing in the file system is removed at close. Connecting ignores it.
    pub use_fd: Option<Arc<OwnedFd>>,
    /// Connect by way of this SOCKS5 proxy (tcp). Binding ignores it.
    pub proxy: Option<Proxy>,
}

impl Default for StreamOptions {
    fn default() -> StreamOptions {
        StreamOptions {
            ipv6: false,
            keepalive: None,
            keepalive_count: None,
            keepalive_idle: None,
            keepalive_interval: None,
            tos: None,
            send_buffer: None,
            receive_buffer: None,
            priority: None,
            bind_to_device: None,
            tcp_user_timeout: None,
            backlog: 100,
            use_fd: None,
            proxy: None,
        }
    }
}
