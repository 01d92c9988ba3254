//! Where peers come from: networks, and the users and groups of peers over ipc.

use std::error::Error;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// A set of peers, by where they come from: one address, a network, or a user or group of this machine (`ipc`).
///
/// | text | who is in it |
/// |---|---|
/// | `192.0.2.7`, `2001:db8::7` | peers with that address |
/// | `10.0.0.0/8`, `2001:db8::/32` | peers with an address in that network |
/// | `uid:1000` | `ipc` peers whose process runs as that user |
/// | `gid:100` | `ipc` peers whose process runs with that group as its first one |
///
/// IPv4 addresses in IPv6 clothes (`::ffff:192.0.2.7`) are IPv4 addresses here, on both sides. `0.0.0.0/0` is all of IPv4, `::/0` all of
/// the rest.
///
/// ```
/// use zmq::security::Origin;
///
/// let office: Origin = "10.1.0.0/16".parse()?;
/// assert_eq!(office.to_string(), "10.1.0.0/16");
/// assert!("10.1.2.3/16".parse::<Origin>().is_err()); // is it the network, or the address?
/// # Ok::<(), zmq::security::OriginError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Origin(Kind);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Kind {
    /// The address has no bits set beyond the first `bits`.
    Network {
        address: IpAddr,
        bits: u8,
    },
    User(u32),
    Group(u32),
}

impl Origin {
    /// Peers over `ipc` whose process runs as this user.
    #[must_use]
    pub const fn user(uid: u32) -> Origin {
        Origin(Kind::User(uid))
    }

    /// Peers over `ipc` whose process runs with this group as its first one.
    #[must_use]
    pub const fn group(gid: u32) -> Origin {
        Origin(Kind::Group(gid))
    }

    pub(super) fn has(&self, place: Place) -> bool {
        match (self.0, place) {
            (Kind::Network { address, bits }, Place::Network(met)) => {
                met.is_ipv4() == address.is_ipv4() && masked(met, bits) == address
            }
            (Kind::User(uid), Place::Process { uid: met, .. }) => uid == met,
            (Kind::Group(gid), Place::Process { gid: met, .. }) => gid == met,
            _ => false,
        }
    }
}

impl From<IpAddr> for Origin {
    fn from(address: IpAddr) -> Origin {
        let address = address.to_canonical();
        let bits = width(address);
        Origin(Kind::Network { address, bits })
    }
}

impl FromStr for Origin {
    type Err = OriginError;

    fn from_str(text: &str) -> Result<Origin, OriginError> {
        let wrong = |expected| OriginError {
            met: text.chars().take(64).collect(),
            expected,
        };
        if let Some(id) = text.strip_prefix("uid:") {
            let id = id.parse().map_err(|_| wrong("a number behind `uid:`"));
            return id.map(Origin::user);
        }
        if let Some(id) = text.strip_prefix("gid:") {
            let id = id.parse().map_err(|_| wrong("a number behind `gid:`"));
            return id.map(Origin::group);
        }
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let written: IpAddr = address.parse().map_err(|_| {
            wrong("an address or a network, such as 192.0.2.7 or 10.0.0.0/8, or uid:N, or gid:N")
        })?;
        let Some(bits) = bits else {
            return Ok(written.into());
        };
        let length = bits
            .parse::<u8>()
            .ok()
            .filter(|_| bits.bytes().all(|octet| octet.is_ascii_digit()))
            .filter(|bits| *bits <= width(written))
            .ok_or_else(|| wrong("at most 32 bits of an IPv4 network, 128 of an IPv6 network"))?;
        let address = written.to_canonical();
        let bits = if address.is_ipv4() == written.is_ipv4() {
            length
        } else {
            let beyond = length.checked_sub(96);
            beyond.ok_or_else(|| wrong("at least 96 bits of a network of IPv4 in IPv6 clothes"))?
        };
        if masked(address, bits) != address {
            return Err(wrong(
                "a network whose address ends in zeros, or an address without `/`",
            ));
        }
        Ok(Origin(Kind::Network { address, bits }))
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Kind::Network { address, bits } if bits == width(address) => address.fmt(f),
            Kind::Network { address, bits } => write!(f, "{address}/{bits}"),
            Kind::User(uid) => write!(f, "uid:{uid}"),
            Kind::Group(gid) => write!(f, "gid:{gid}"),
        }
    }
}

fn width(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

/// The address with all but its first `bits` cleared.
fn masked(address: IpAddr, bits: u8) -> IpAddr {
    match address {
        IpAddr::V4(address) => {
            let gone = 32_u32.saturating_sub(bits.into());
            let mask = u32::MAX.checked_shl(gone).unwrap_or(0);
            IpAddr::V4((address.to_bits() & mask).into())
        }
        IpAddr::V6(address) => {
            let gone = 128_u32.saturating_sub(bits.into());
            let mask = u128::MAX.checked_shl(gone).unwrap_or(0);
            IpAddr::V6((address.to_bits() & mask).into())
        }
    }
}

/// An [`Origin`] that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OriginError {
    met: String,
    expected: &'static str,
}

impl fmt::Display for OriginError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let OriginError { met, expected } = self;
        write!(f, "met \"{}\", expected {expected}", met.escape_debug())
    }
}

impl Error for OriginError {}

/// Where one peer is, as the engine says it in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Network(IpAddr),
    Process {
        uid: u32,
        gid: u32,
    },
    /// A transport of the application's, or a system that does not tell.
    Elsewhere,
}

impl Place {
    pub(super) fn read(address: &str) -> Place {
        if let Some(process) = address.strip_prefix("localhost:") {
            let mut numbers = process.split(':').map(str::parse::<u32>);
            return match (numbers.next(), numbers.next()) {
                (Some(Ok(uid)), Some(Ok(gid))) => Place::Process { uid, gid },
                _ => Place::Elsewhere,
            };
        }
        // The interface of a link-local address is no part of it.
        let numeric = address.split('%').next().unwrap_or_default();
        numeric
            .parse::<IpAddr>()
            .map_or(Place::Elsewhere, |address| {
                Place::Network(address.to_canonical())
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn has(origin: &str, address: &str) -> bool {
        let origin: Origin = origin.parse().expect("an origin");
        origin.has(Place::read(address))
    }

    #[test]
    fn networks_end_where_their_bits_say() {
        for (origin, inside, outside) in [
            ("10.0.0.0/8", "10.255.0.1", "11.0.0.0"),
            ("10.0.0.0/31", "10.0.0.1", "10.0.0.2"),
            ("192.0.2.7", "192.0.2.7", "192.0.2.6"),
            ("192.0.2.7/32", "::ffff:192.0.2.7", "::192.0.2.7"),
            ("::ffff:10.0.0.0/104", "10.1.1.1", "11.1.1.1"),
            ("::ffff:192.0.2.7", "192.0.2.7", "192.0.2.8"),
            ("2001:db8::/32", "2001:db8:ffff::1", "2001:db9::1"),
            ("2001:db8::/127", "2001:db8::1", "2001:db8::2"),
            ("0.0.0.0/0", "255.255.255.255", "::1"),
            ("::/0", "fe80::1%eth0", "127.0.0.1"),
            ("uid:1000", "localhost:1000:5:7", "localhost:1001:1000:1000"),
            ("gid:5", "localhost:1000:5:7", "localhost:5:6:5"),
            ("127.0.0.1", "127.0.0.1", "localhost:0:0:1"),
            ("0.0.0.0/0", "0.0.0.0", "somewhere"),
        ] {
            assert!(has(origin, inside), "{inside} is in {origin}");
            assert!(!has(origin, outside), "{outside} is not in {origin}");
        }
    }

    #[test]
    fn what_may_be_a_mistake_is_refused_in_words() {
        for text in [
            "",
            "10.0.0.1/8",
            "10.0.0.0/33",
            "10.0.0.0/+8",
            "10.0.0.0/",
            "::/129",
            "::ffff:0.0.0.0/95",
            "10.0.0",
            "example.org",
            "uid:",
            "uid:-1",
            "gid:all",
            "127.0.0.1:80",
        ] {
            let error = text.parse::<Origin>().expect_err(text);
            assert!(error.to_string().contains("expected"), "{error}");
        }
    }

    #[test]
    fn an_origin_is_printed_as_it_is_read() {
        for text in ["10.0.0.0/8", "::1", "2001:db8::/32", "uid:7", "gid:0"] {
            let origin: Origin = text.parse().expect("an origin");
            assert_eq!(origin.to_string(), text);
        }
    }
}
