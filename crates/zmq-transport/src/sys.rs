//! The operating system: sockets and interfaces. All that depends on the platform is here, and in the files below.
//!
//! Every socket made or accepted here is non-blocking, closed on exec, and never raises SIGPIPE.

pub(crate) mod nearby;

use std::io::{self, IoSlice};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use rustix::buffer::spare_capacity;
use rustix::io::{Errno, retry_on_intr};
use rustix::net::{
    self, AddressFamily, RecvFlags, SendAncillaryBuffer, SendFlags, SocketAddrUnix, SocketType,
    sockopt,
};

use crate::StreamOptions;

/// The kernel refuses longer lists of chunks (`UIO_MAXIOV`).
const MOST_CHUNKS: usize = 1024;

/// Longest address of a unix socket, octets: `sun_path` holds this much and a final zero.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) const UNIX_PATH_LIMIT: usize = 107;
/// Longest address of a unix socket, octets: `sun_path` holds this much and a final zero.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(crate) const UNIX_PATH_LIMIT: usize = 103;

#[cfg(not(target_vendor = "apple"))]
const WRITE_FLAGS: SendFlags = SendFlags::NOSIGNAL;
#[cfg(target_vendor = "apple")]
const WRITE_FLAGS: SendFlags = SendFlags::empty();

/// Makes a stream socket.
pub(crate) fn open(family: AddressFamily) -> io::Result<OwnedFd> {
    #[cfg(not(any(target_vendor = "apple", feature = "portable-sockets")))]
    {
        let flags = net::SocketFlags::CLOEXEC | net::SocketFlags::NONBLOCK;
        Ok(net::socket_with(family, SocketType::STREAM, flags, None)?)
    }
    // Between the two calls a program that is started meanwhile inherits the descriptor.
    #[cfg(any(target_vendor = "apple", feature = "portable-sockets"))]
    {
        adopt(net::socket(family, SocketType::STREAM, None)?)
    }
}

/// The family of an internet address.
pub(crate) fn family_of(address: &SocketAddr) -> AddressFamily {
    match address {
        SocketAddr::V4(_) => AddressFamily::INET,
        SocketAddr::V6(_) => AddressFamily::INET6,
    }
}

/// Takes one connection from a listening socket.
pub(crate) fn accept(listener: impl AsFd) -> Result<OwnedFd, Errno> {
    #[cfg(not(any(target_vendor = "apple", feature = "portable-sockets")))]
    {
        let flags = net::SocketFlags::CLOEXEC | net::SocketFlags::NONBLOCK;
        retry_on_intr(|| net::accept_with(&listener, flags))
    }
    #[cfg(any(target_vendor = "apple", feature = "portable-sockets"))]
    {
        let accepted = retry_on_intr(|| net::accept(&listener))?;
        adopt(accepted).map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::INVAL))
    }
}

/// Whether a failure to accept concerns the waiting connection alone, so that the next may be fine.
pub(crate) fn concerns_one_connection(errno: Errno) -> bool {
    let general = matches!(
        errno,
        Errno::CONNABORTED
            | Errno::PROTO
            | Errno::PERM
            | Errno::NETDOWN
            | Errno::NOPROTOOPT
            | Errno::HOSTDOWN
            | Errno::HOSTUNREACH
            | Errno::NETUNREACH
            | Errno::CONNRESET
            | Errno::TIMEDOUT
    );
    #[cfg(any(target_os = "linux", target_os = "android"))]
    let general = general || errno == Errno::NONET;
    general
}

/// Makes a descriptor that came from elsewhere like the ones made here.
pub(crate) fn adopt(descriptor: OwnedFd) -> io::Result<OwnedFd> {
    let flags = rustix::fs::fcntl_getfl(&descriptor)?;
    rustix::fs::fcntl_setfl(&descriptor, flags | rustix::fs::OFlags::NONBLOCK)?;
    rustix::io::fcntl_setfd(&descriptor, rustix::io::FdFlags::CLOEXEC)?;
    #[cfg(target_vendor = "apple")]
    sockopt::set_socket_nosigpipe(&descriptor, true)?;
    Ok(descriptor)
}

pub(crate) fn read(socket: impl AsFd, buffer: &mut [u8]) -> io::Result<usize> {
    let (count, _) = retry_on_intr(|| net::recv(&socket, &mut *buffer, RecvFlags::empty()))?;
    Ok(count)
}

pub(crate) fn read_spare(socket: impl AsFd, buffer: &mut Vec<u8>) -> io::Result<usize> {
    if buffer.capacity() == buffer.len() {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "the buffer has no spare capacity",
        ));
    }
    let (count, _) =
        retry_on_intr(|| net::recv(&socket, spare_capacity(buffer), RecvFlags::empty()))?;
    Ok(count)
}

pub(crate) fn write(socket: impl AsFd, chunks: &[IoSlice<'_>]) -> io::Result<usize> {
    let written = match chunks {
        [chunk] => retry_on_intr(|| net::send(&socket, chunk, WRITE_FLAGS))?,
        _ => {
            let chunks = &chunks[..chunks.len().min(MOST_CHUNKS)];
            retry_on_intr(|| {
                net::sendmsg(
                    &socket,
                    chunks,
                    &mut SendAncillaryBuffer::default(),
                    WRITE_FLAGS,
                )
            })?
        }
    };
    Ok(written)
}

/// The outcome of a non-blocking connect: `Ok(false)` while it is under way.
pub(crate) fn connected(socket: impl AsFd) -> io::Result<bool> {
    sockopt::socket_error(&socket)??;
    match net::getpeername(&socket) {
        Ok(_) => Ok(true),
        Err(Errno::NOTCONN) => Ok(false),
        // It stood and fell between the two calls.
        Err(Errno::INVAL) => Err(io::ErrorKind::ConnectionReset.into()),
        Err(errno) => Err(errno.into()),
    }
}

pub(crate) fn local_address(socket: impl AsFd) -> io::Result<SocketAddr> {
    let address = net::getsockname(socket)?;
    Ok(address.try_into()?)
}

pub(crate) fn remote_address(socket: impl AsFd) -> io::Result<SocketAddr> {
    let address = net::getpeername(socket)?.ok_or(Errno::NOTCONN)?;
    Ok(address.try_into()?)
}

/// The address of a unix socket from the form it has in endpoints.
pub(crate) fn unix_address(address: &str) -> io::Result<SocketAddrUnix> {
    match address.strip_prefix('@') {
        None => Ok(SocketAddrUnix::new(address)?),
        #[cfg(any(target_os = "linux", target_os = "android"))]
        Some(name) => Ok(SocketAddrUnix::new_abstract_name(name.as_bytes())?),
        #[cfg(not(any(target_os = "linux", target_os = "android")))]
        Some(_) => Err(io::Error::new(
            io::ErrorKind::Unsupported,
            "this system has no abstract socket names",
        )),
    }
}

/// The form in endpoints of the address a unix socket is bound to; empty if it is not.
pub(crate) fn unix_name(socket: impl AsFd) -> io::Result<String> {
    let address = SocketAddrUnix::try_from(net::getsockname(socket)?)?;
    #[cfg(any(target_os = "linux", target_os = "android"))]
    if let Some(name) = address.abstract_name() {
        return Ok(format!("@{}", String::from_utf8_lossy(name)));
    }
    Ok(address
        .path()
        .map(|path| path.to_string_lossy().into_owned())
        .unwrap_or_default())
}

/// Who is at the other end of a unix socket: user, group, process.
pub(crate) fn peer_credentials(socket: &OwnedFd) -> Option<(u32, u32, i32)> {
    // rustix has this too, but its process number cannot be the zero that a peer from a foreign namespace has.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    {
        let credentials =
            nix::sys::socket::getsockopt(socket, nix::sys::socket::sockopt::PeerCredentials)
                .ok()?;
        Some((credentials.uid(), credentials.gid(), credentials.pid()))
    }
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    {
        let _ = socket;
        None
    }
}

/// Makes a tcp connection that met itself vanish at once, so that its port is free for whoever should listen there.
pub(crate) fn abort_on_close(socket: impl AsFd) {
    // Without it the port stays reserved a while: a loss, but not an error.
    let _ = sockopt::set_socket_linger(socket, Some(Duration::ZERO));
}

/// Whether a socket listens.
pub(crate) fn is_listening(socket: impl AsFd) -> bool {
    #[cfg(not(any(target_vendor = "apple", target_os = "openbsd", target_os = "netbsd")))]
    {
        sockopt::socket_acceptconn(socket).unwrap_or(false)
    }
    #[cfg(any(target_vendor = "apple", target_os = "openbsd", target_os = "netbsd"))]
    {
        let _ = socket;
        false
    }
}

/// Starts to listen.
pub(crate) fn listen(socket: impl AsFd, backlog: u32) -> io::Result<()> {
    Ok(net::listen(
        socket,
        i32::try_from(backlog).unwrap_or(i32::MAX),
    )?)
}

/// Sets the sizes of the buffers: before connecting or listening, as tcp agrees on its window then.
pub(crate) fn set_buffers(socket: impl AsFd, options: &StreamOptions) -> io::Result<()> {
    if let Some(octets) = options.send_buffer {
        sockopt::set_socket_send_buffer_size(&socket, octets)?;
    }
    if let Some(octets) = options.receive_buffer {
        sockopt::set_socket_recv_buffer_size(&socket, octets)?;
    }
    Ok(())
}

/// Sets how the packets of a socket are routed and marked: before connecting or listening.
pub(crate) fn set_routing(
    socket: &OwnedFd,
    family: AddressFamily,
    options: &StreamOptions,
) -> io::Result<()> {
    if let Some(tos) = options.tos {
        if family == AddressFamily::INET6 {
            sockopt::set_ipv6_tclass(socket, u32::from(tos))?;
            // For IPv4 peers of a dual-stack socket; a purely IPv6 one may refuse.
            let _ = sockopt::set_ip_tos(socket, tos);
        } else {
            sockopt::set_ip_tos(socket, tos)?;
        }
    }
    if let Some(device) = &options.bind_to_device {
        bind_to_device(socket, device)?;
    }
    Ok(())
}

/// Sets what each tcp connection has of its own; an accepted one inherits the rest from its listener.
pub(crate) fn set_connection(socket: &OwnedFd, options: &StreamOptions) -> io::Result<()> {
    sockopt::set_tcp_nodelay(socket, true)?;
    // After the type of service, which changes the priority too.
    if let Some(priority) = options.priority {
        set_priority(socket, priority)?;
    }
    if let Some(keepalive) = options.keepalive {
        sockopt::set_socket_keepalive(socket, keepalive)?;
        if let Some(count) = options.keepalive_count {
            sockopt::set_tcp_keepcnt(socket, count)?;
        }
        if let Some(idle) = options.keepalive_idle {
            sockopt::set_tcp_keepidle(socket, idle)?;
        }
        if let Some(interval) = options.keepalive_interval {
            sockopt::set_tcp_keepintvl(socket, interval)?;
        }
    }
    #[cfg(any(target_os = "linux", target_os = "android"))]
    if let Some(timeout) = options.tcp_user_timeout {
        let milliseconds = u32::try_from(timeout.as_millis()).unwrap_or(u32::MAX);
        sockopt::set_tcp_user_timeout(socket, milliseconds)?;
    }
    Ok(())
}

#[cfg(target_os = "linux")]
fn set_priority(socket: &OwnedFd, priority: u32) -> io::Result<()> {
    let priority = i32::try_from(priority).map_err(|_| io::ErrorKind::InvalidInput)?;
    nix::sys::socket::setsockopt(socket, nix::sys::socket::sockopt::Priority, &priority)?;
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn set_priority(_: &OwnedFd, _: u32) -> io::Result<()> {
    Err(io::Error::new(
        io::ErrorKind::Unsupported,
        "this system has no socket priority",
    ))
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn bind_to_device(socket: &OwnedFd, device: &str) -> io::Result<()> {
    let device = std::ffi::OsString::from(device);
    nix::sys::socket::setsockopt(socket, nix::sys::socket::sockopt::BindToDevice, &device)?;
    Ok(())
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn bind_to_device(_: &OwnedFd, _: &str) -> io::Result<()> {
    Err(io::Error::new(
        io::ErrorKind::Unsupported,
        "this system cannot bind a socket to a device",
    ))
}

/// The address to use for an interface: IPv4, or with `ipv6` rather an IPv6 one that is valid beyond the link.
pub(crate) fn interface_address(name: &str, ipv6: bool) -> io::Result<Option<SocketAddr>> {
    let rank = |address: &SocketAddr| match address.ip() {
        IpAddr::V4(_) => 1,
        IpAddr::V6(ip) if ip.is_unicast_link_local() => 2,
        IpAddr::V6(_) => 0,
    };
    let mut addresses: Vec<SocketAddr> = nix::ifaddrs::getifaddrs()?
        .filter(|interface| interface.interface_name == name)
        .filter_map(|interface| internet_address(&interface.address?))
        .filter(|address| ipv6 || address.is_ipv4())
        .collect();
    addresses.sort_by_key(rank);
    Ok(addresses.first().copied())
}

fn internet_address(address: &nix::sys::socket::SockaddrStorage) -> Option<SocketAddr> {
    if let Some(v4) = address.as_sockaddr_in() {
        return Some(SocketAddr::from((v4.ip(), 0)));
    }
    address
        .as_sockaddr_in6()
        .map(|v6| SocketAddr::V6(std::net::SocketAddrV6::new(v6.ip(), 0, 0, v6.scope_id())))
}

/// The number of a zone that was written as a number or as the name of an interface.
pub(crate) fn zone_number(zone: &str) -> io::Result<u32> {
    match zone.parse() {
        Ok(number) => Ok(number),
        Err(_) => Ok(nix::net::if_::if_nametoindex(zone)?),
    }
}

/// The address that stands for all addresses of this machine.
pub(crate) fn unspecified(ipv6: bool) -> IpAddr {
    if ipv6 {
        IpAddr::V6(Ipv6Addr::UNSPECIFIED)
    } else {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED)
    }
}

/// Makes two names change places at once. `Ok(false)`: this system or this file system cannot.
pub(crate) fn exchange_names(one: &str, other: &str) -> io::Result<bool> {
    #[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
    {
        use rustix::fs::{CWD, RenameFlags, renameat_with};
        match renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE) {
            Ok(()) => Ok(true),
            Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => Ok(false),
            Err(errno) => Err(errno.into()),
        }
    }
    #[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
    {
        let _ = (one, other);
        Ok(false)
    }
}
