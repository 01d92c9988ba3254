//! The tcp transport: names, interfaces and wildcards to sockets.

use std::io;
use std::net::{IpAddr, SocketAddr, SocketAddrV6, ToSocketAddrs};

use rustix::io::Errno;
use rustix::net::sockopt;

use crate::grammar::{Host, HostPort, tcp_address};
use crate::socket::{Family, SocketListener, SocketStream, borrow_bound, tcp_endpoint};
use crate::{AddressError, Connection, Listener, Role, StreamOptions, Transport, socks, sys};

/// `tcp://host:port`, over IPv4 and, where the option is on, IPv6.
///
/// To bind: a literal, `*`, the name of an interface or of a host, and a port, or `*` or 0 for one of the system's
/// choice. To connect: a literal or a name and a port, with `interface:port;` before it to say where from. IPv6
/// literals may carry a zone (`fe80::1%eth0`) and stand in brackets. Names are looked up at every attempt.
#[derive(Clone, Debug, Default)]
pub struct Tcp {}

impl Tcp {
    /// The tcp transport.
    pub fn new() -> Tcp {
        Tcp {}
    }
}

impl Transport for Tcp {
    fn schemes(&self) -> &[&'static str] {
        &["tcp"]
    }

    fn check(&self, address: &str, role: Role) -> Result<(), AddressError> {
        let target = tcp_address(address)?.target;
        let met = match (role, target.host, target.port) {
            (Role::Connect, Host::Any, _) => "a wildcard host",
            (Role::Connect, _, None) => "a wildcard port",
            (Role::Connect, _, Some(0)) => "port 0",
            _ => return Ok(()),
        };
        Err(AddressError::WrongRole { role, met })
    }

    fn resolve(&self, address: &str, options: &StreamOptions) -> io::Result<Vec<String>> {
        self.check(address, Role::Connect)?;
        if let Some(proxy) = &options.proxy {
            return socks::resolve(self, address, proxy, options);
        }
        let parsed = tcp_address(address)?;
        let targets = match literal(&parsed.target, options)? {
            Some(target) => vec![target],
            None => look_up(&parsed.target, options)?,
        };
        let Some(source) = parsed.source else {
            return Ok(targets.iter().map(SocketAddr::to_string).collect());
        };
        let mut paired = Vec::with_capacity(targets.len());
        for target in targets {
            if let Some(source) = source_address(&source, &target, options)? {
                paired.push(format!("{source};{target}"));
            }
        }
        if paired.is_empty() {
            let met = "the source address is of another IP version than the target's addresses";
            return Err(io::Error::new(io::ErrorKind::AddrNotAvailable, met));
        }
        Ok(paired)
    }

    fn resolve_blocks(&self, address: &str) -> bool {
        tcp_address(address).is_ok_and(|parsed| matches!(parsed.target.host, Host::Name(_)))
    }

    fn connect(&self, target: &str, options: &StreamOptions) -> io::Result<Connection> {
        if let Some(proxy) = &options.proxy {
            return socks::connect(self, target, proxy, options);
        }
        self.check(target, Role::Connect)?;
        let parsed = tcp_address(target)?;
        let address = resolved(&parsed.target, options)?;
        let family = sys::family_of(&address);
        let descriptor = sys::open(family)?;
        sys::set_buffers(&descriptor, options)?;
        sys::set_routing(&descriptor, family, options)?;
        sys::set_connection(&descriptor, options)?;
        sys::nearby::prepare(&descriptor, &address, options);
        if let Some(source) = parsed.source {
            // A fixed source port must be usable again while the last connection from it winds down.
            sockopt::set_socket_reuseaddr(&descriptor, true)?;
            rustix::net::bind(&descriptor, &resolved(&source, options)?)?;
        }
        match rustix::net::connect(&descriptor, &address) {
            Ok(()) | Err(Errno::INPROGRESS | Errno::INTR) => {}
            Err(errno) => return Err(errno.into()),
        }
        let stream = SocketStream::connecting(descriptor, Family::Tcp, tcp_endpoint(address));
        Ok(Connection::Bytes(Box::new(stream)))
    }

    fn listen(&self, address: &str, options: &StreamOptions) -> io::Result<Box<dyn Listener>> {
        let target = tcp_address(address)?.target;
        let descriptor = match &options.use_fd {
            Some(bound) => borrow_bound(bound, options)?,
            None => listen_on_any(&bindable(&target, options)?, options)?,
        };
        let endpoint = format!("tcp://{}", sys::local_address(&descriptor)?);
        Ok(Box::new(SocketListener::new(
            descriptor,
            Family::Tcp,
            endpoint,
            options,
        )))
    }
}

/// Listens on the first address that this machine has. One that is in use is not passed over: peers of the other IP
/// version would find somebody else there.
fn listen_on_any(
    addresses: &[SocketAddr],
    options: &StreamOptions,
) -> io::Result<std::os::fd::OwnedFd> {
    let mut failure = io::Error::from(io::ErrorKind::NotFound);
    for address in addresses {
        match listen_on(address, options) {
            Ok(descriptor) => return Ok(descriptor),
            Err(error) => match Errno::from_io_error(&error) {
                Some(Errno::AFNOSUPPORT | Errno::ADDRNOTAVAIL) => failure = error,
                _ => return Err(error),
            },
        }
    }
    Err(failure)
}

fn listen_on(address: &SocketAddr, options: &StreamOptions) -> io::Result<std::os::fd::OwnedFd> {
    let family = sys::family_of(address);
    let descriptor = sys::open(family)?;
    sockopt::set_socket_reuseaddr(&descriptor, true)?;
    if address.is_ipv6() {
        sockopt::set_ipv6_v6only(&descriptor, false)?;
    }
    sys::set_buffers(&descriptor, options)?;
    sys::set_routing(&descriptor, family, options)?;
    // Set again on each accepted connection, where a refusal has nobody left to be told.
    sys::set_connection(&descriptor, options)?;
    sys::nearby::prepare(&descriptor, address, options);
    rustix::net::bind(&descriptor, address)?;
    sys::listen(&descriptor, options.backlog)?;
    Ok(descriptor)
}

/// The addresses to try to bind for `target`, best first.
fn bindable(target: &HostPort<'_>, options: &StreamOptions) -> io::Result<Vec<SocketAddr>> {
    let port = target.port.unwrap_or(0);
    match target.host {
        // A machine without IPv6 can still serve IPv4.
        Host::Any if options.ipv6 => Ok([true, false]
            .map(|six| SocketAddr::new(sys::unspecified(six), port))
            .to_vec()),
        Host::Any => Ok(vec![SocketAddr::new(sys::unspecified(false), port)]),
        Host::Name(name) => match interface(name, port, options)? {
            Some(address) => Ok(vec![address]),
            None => look_up(target, options),
        },
        Host::V4(_) | Host::V6(..) => Ok(literal(target, options)?.into_iter().collect()),
    }
}

/// Where a connection to `target` is to come from; `None` if the two are of different IP versions.
fn source_address(
    source: &HostPort<'_>,
    target: &SocketAddr,
    options: &StreamOptions,
) -> io::Result<Option<SocketAddr>> {
    let port = source.port.unwrap_or(0);
    let address = match source.host {
        Host::Any => Some(SocketAddr::new(sys::unspecified(target.is_ipv6()), port)),
        // Only interfaces have names here: looking up one's own address would be asking others who one is.
        Host::Name(name) => {
            let wanted = StreamOptions {
                ipv6: target.is_ipv6(),
                ..StreamOptions::default()
            };
            let met = || {
                io::Error::new(
                    io::ErrorKind::NotFound,
                    format!("no interface {name:?} with an address"),
                )
            };
            Some(interface(name, port, &wanted)?.ok_or_else(met)?)
        }
        Host::V4(_) | Host::V6(..) => literal(source, options)?,
    };
    Ok(address.filter(|address| address.is_ipv4() == target.is_ipv4()))
}

/// The address of a literal, or `None` for a name or wildcard.
fn literal(target: &HostPort<'_>, options: &StreamOptions) -> io::Result<Option<SocketAddr>> {
    let port = target.port.unwrap_or(0);
    match target.host {
        Host::V4(address) => Ok(Some(SocketAddr::new(IpAddr::V4(address), port))),
        Host::V6(address, None) if address.to_ipv4_mapped().is_some() => Ok(Some(SocketAddr::new(
            IpAddr::V6(address).to_canonical(),
            port,
        ))),
        Host::V6(..) if !options.ipv6 => Err(io::Error::new(
            io::ErrorKind::Unsupported,
            "an IPv6 address, but IPv6 is off for this socket",
        )),
        Host::V6(address, zone) => {
            let scope = zone.map(sys::zone_number).transpose()?.unwrap_or(0);
            Ok(Some(SocketAddr::V6(SocketAddrV6::new(
                address, port, 0, scope,
            ))))
        }
        Host::Any | Host::Name(_) => Ok(None),
    }
}

/// The address of a target that [`Transport::resolve`] gave.
fn resolved(target: &HostPort<'_>, options: &StreamOptions) -> io::Result<SocketAddr> {
    let met = || {
        io::Error::new(
            io::ErrorKind::InvalidInput,
            "a name: have it resolved before connecting",
        )
    };
    literal(target, options)?.ok_or_else(met)
}

fn interface(name: &str, port: u16, options: &StreamOptions) -> io::Result<Option<SocketAddr>> {
    let mut address = sys::interface_address(name, options.ipv6)?;
    if let Some(address) = &mut address {
        address.set_port(port);
    }
    Ok(address)
}

/// Asks the system's resolver. Blocks.
fn look_up(target: &HostPort<'_>, options: &StreamOptions) -> io::Result<Vec<SocketAddr>> {
    let Host::Name(name) = target.host else {
        return Ok(Vec::new());
    };
    let found = (name, target.port.unwrap_or(0))
        .to_socket_addrs()
        .map_err(|error| io::Error::new(io::ErrorKind::NotFound, format!("{name:?}: {error}")))?;
    let mut addresses: Vec<SocketAddr> = Vec::new();
    for address in found.filter(|address| options.ipv6 || address.is_ipv4()) {
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    if addresses.is_empty() {
        let met = format!("{name:?} has no address of an IP version that is on for this socket");
        return Err(io::Error::new(io::ErrorKind::NotFound, met));
    }
    Ok(addresses)
}
