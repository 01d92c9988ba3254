//! Who may connect to a bound endpoint: `ZMQ_TCP_ACCEPT_FILTER` and `ZMQ_IPC_FILTER_*`.

use std::ffi::c_int;
use std::net::IpAddr;
use std::sync::Arc;

use zmq_engine::{AcceptFilter, SocketOption};

use super::table::id;
use crate::boundary::Outcome;
use crate::errno::Errno;
use crate::raw;
use crate::socket::SocketHandle;

/// How an ipc peer's address begins.
const LOCAL: &str = "localhost";

/// An address with as many bits of it as count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Network {
    address: IpAddr,
    bits: u32,
}

/// The lists. One that is empty lets everybody in; an ipc peer has to be on one of its three, if any is not empty.
#[derive(Clone, Debug, Default)]
pub(super) struct Filters {
    networks: Vec<Network>,
    processes: Vec<u32>,
    users: Vec<u32>,
    groups: Vec<u32>,
}

impl Network {
    /// `address` or `address/bits`.
    fn parse(text: &[u8]) -> Option<Network> {
        let text = std::str::from_utf8(text).ok()?;
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) if !bits.starts_with('+') => (address, Some(bits.parse().ok()?)),
            Some(_) => return None,
            None => (text, None),
        };
        let address: IpAddr = address.parse().ok()?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.unwrap_or(most);
        (bits <= most).then_some(Network { address, bits })
    }

    fn contains(&self, other: IpAddr) -> bool {
        match (self.address, other) {
            (IpAddr::V4(ours), IpAddr::V4(theirs)) => {
                let differ = ours.to_bits() ^ theirs.to_bits();
                differ.leading_zeros() >= self.bits
            }
            (IpAddr::V6(ours), IpAddr::V6(theirs)) => {
                let differ = ours.to_bits() ^ theirs.to_bits();
                differ.leading_zeros() >= self.bits
            }
            _ => false,
        }
    }
}

impl Filters {
    fn is_empty(&self) -> bool {
        self.networks.is_empty() && !self.has_local()
    }

    fn has_local(&self) -> bool {
        !(self.processes.is_empty() && self.users.is_empty() && self.groups.is_empty())
    }

    /// `:uid:gid:pid`.
    fn admits_local(&self, peer: &str) -> bool {
        if !self.has_local() {
            return true;
        }
        let mut numbers = peer.split(':').skip(1).map(str::parse::<u32>);
        let mut next = || numbers.next().and_then(Result::ok);
        let (Some(user), Some(group), Some(process)) = (next(), next(), next()) else {
            // The system does not say who it is.
            return false;
        };
        self.users.contains(&user)
            || self.groups.contains(&group)
            || self.processes.contains(&process)
            || self.groups.iter().any(|one| raw::is_in_group(user, *one))
    }
}

impl AcceptFilter for Filters {
    fn admits(&self, address: &str) -> bool {
        if let Some(peer) = address.strip_prefix(LOCAL) {
            return self.admits_local(peer);
        }
        if self.networks.is_empty() {
            return true;
        }
        let Ok(address) = address.parse() else {
            return false;
        };
        self.networks
            .iter()
            .any(|network| network.contains(address))
    }
}

impl SocketHandle {
    /// Adds to a list; `None` empties it.
    pub(super) fn set_filter(&self, option: c_int, value: Option<&[u8]>) -> Outcome<()> {
        let mut settings = self.settings();
        let filters = &mut settings.filters;
        if option == id::TCP_ACCEPT_FILTER {
            match value {
                None => filters.networks.clear(),
                Some(text) => filters
                    .networks
                    .push(Network::parse(text).ok_or(Errno::INVALID)?),
            }
        } else {
            let list = match option {
                id::IPC_FILTER_PID => &mut filters.processes,
                id::IPC_FILTER_UID => &mut filters.users,
                _ => &mut filters.groups,
            };
            match value {
                None => list.clear(),
                Some(number) => {
                    let number = number.try_into().map_err(|_| Errno::INVALID)?;
                    list.push(u32::from_ne_bytes(number));
                }
            }
        }
        let filters = settings.filters.clone();
        drop(settings);
        let told = (!filters.is_empty()).then(|| Arc::new(filters) as Arc<dyn AcceptFilter>);
        self.tell(SocketOption::AcceptFilter(told))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_holds_what_begins_like_it() {
        for (network, address, inside) in [
            ("127.0.0.1", "127.0.0.1", true),
            ("127.0.0.1", "127.0.0.2", false),
            ("10.0.0.0/8", "10.200.3.4", true),
            ("10.0.0.0/8", "11.0.0.0", false),
            ("0.0.0.0/0", "1.2.3.4", true),
            ("::/0", "1.2.3.4", false),
            ("fe80::/10", "fe80::1", true),
            ("::1/128", "::2", false),
        ] {
            let met = Network::parse(network.as_bytes()).unwrap();
            assert_eq!(
                met.contains(address.parse().unwrap()),
                inside,
                "{network} {address}"
            );
        }
    }

    #[test]
    fn what_is_no_network_is_refused() {
        for text in [
            "",
            "foo",
            "0.0.0.0foo",
            "0.0.0.0/",
            "0.0.0.0/-1",
            "0.0.0.0/33",
            "0.0.0.0/+1",
        ] {
            assert_eq!(Network::parse(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn an_ipc_peer_has_to_be_on_one_list() {
        let mut filters = Filters::default();
        assert!(filters.admits("localhost:1:2:3"));
        filters.users.push(1);
        assert!(filters.admits("localhost:1:2:3"));
        assert!(!filters.admits("localhost:4000000000:2:3"));
        assert!(!filters.admits("localhost"));
        filters.processes.push(7);
        assert!(filters.admits("localhost:4000000000:2:7"));
        assert!(filters.admits("127.0.0.1"));
    }
}
