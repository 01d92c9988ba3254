//! What sockets have of their own whose connections do not leave the machine.

use std::net::SocketAddr;
use std::os::fd::OwnedFd;
#[cfg(target_os = "linux")]
use std::sync::OnceLock;

#[cfg(target_os = "linux")]
use rustix::net::sockopt;

use crate::options::StreamOptions;

/// Octets that the system takes from a sender before the receiver has them. It grants twice as many and counts what it keeps beside them.
///
/// By itself it lets 4 MiB gather, which have left the nearer caches when they are read: frames of 1 MiB take a tenth longer then. With 256 KiB they do so,
/// too, as sender and receiver wait for each other (`docs/speed.md`).
#[cfg(target_os = "linux")]
const UNDER_WAY: usize = 512 * 1024;

/// Prepares a socket that will connect to `address`, or listen there, as accepted connections have what their listener has: if that shows that its connections stay
/// on this machine, they are not paced, and little is under way, unless `options` say how much.
pub(crate) fn prepare(socket: &OwnedFd, address: &SocketAddr, options: &StreamOptions) {
    #[cfg(target_os = "linux")]
    if address.ip().to_canonical().is_loopback() {
        replace_bbr(socket);
        if options.send_buffer.is_none() && largest_send_buffer() >= UNDER_WAY {
            let _ = sockopt::set_socket_send_buffer_size(socket, UNDER_WAY);
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = (socket, address, options);
}

/// The most that an application may ask for; nothing where the system does not say. Who asks for more has less from then on than without asking.
#[cfg(target_os = "linux")]
fn largest_send_buffer() -> usize {
    static LARGEST: OnceLock<usize> = OnceLock::new();
    *LARGEST.get_or_init(|| {
        let said = std::fs::read_to_string("/proc/sys/net/core/wmem_max");
        said.ok()
            .and_then(|octets| octets.trim().parse().ok())
            .unwrap_or(0)
    })
}

/// Takes the pacing away from a connection that exists. Less is gained than where it never had any: the system paces what it began to pace, though faster.
pub(crate) fn drop_pacing(socket: &OwnedFd, local: SocketAddr, peer: SocketAddr) {
    #[cfg(target_os = "linux")]
    if within_machine(local, peer) {
        replace_bbr(socket);
    }
    #[cfg(not(target_os = "linux"))]
    let _ = (socket, local, peer);
}

/// Between two ends of one machine there is no network that could be congested, but a system whose default is BBR sends in
/// portions that a timer starts, which costs a tenth to a third of all rates (`docs/speed.md`). Other algorithms are left
/// alone, and so is this one if the system has no other; the connection works with any.
#[cfg(target_os = "linux")]
fn replace_bbr(socket: &OwnedFd) {
    if sockopt::tcp_congestion(socket).is_ok_and(|name| name.starts_with("bbr")) {
        let _ = sockopt::set_tcp_congestion(socket, "reno");
    }
}

/// Whether both ends of a connection are on this machine. One between its own addresses does not leave it, either.
#[cfg(target_os = "linux")]
fn within_machine(local: SocketAddr, peer: SocketAddr) -> bool {
    let (local, peer) = (local.ip().to_canonical(), peer.ip().to_canonical());
    peer.is_loopback() || peer == local
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_leave_the_machine() {
        let within = |local: &str, peer: &str| {
            within_machine(
                format!("{local}:1").parse().unwrap(),
                format!("{peer}:2").parse().unwrap(),
            )
        };
        assert!(within("127.0.0.1", "127.0.0.1"));
        assert!(within("127.0.0.1", "127.3.2.1"));
        assert!(within("[::1]", "[::1]"));
        assert!(within("[::ffff:127.0.0.1]", "[::ffff:127.0.0.1]"));
        assert!(within("192.0.2.7", "192.0.2.7"));
        assert!(within("192.0.2.7", "[::ffff:192.0.2.7]"));
        assert!(!within("192.0.2.7", "192.0.2.8"));
        assert!(!within("[2001:db8::7]", "[2001:db8::8]"));
    }
}
