//! What must hold for any octets at all; called by the fuzz targets.

use std::collections::HashMap;
use std::net::IpAddr;

use super::origin::{Origin, Place};
use super::users::Users;

/// An origin, a line feed, and where a peer is: what is read is read again when printed, and who is in a network is told by counting bits.
pub fn origin(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let (origin, peer) = text.split_once('\n').unwrap_or((text, ""));
    let place = Place::read(peer);
    let Ok(origin) = origin.parse::<Origin>() else {
        return;
    };
    let printed = origin.to_string();
    assert_eq!(printed.parse(), Ok(origin), "{printed}");
    if printed.starts_with("uid:") || printed.starts_with("gid:") {
        assert!(!origin.has(place) || matches!(place, Place::Process { .. }));
        return;
    }
    let (network, bits) = match printed.split_once('/') {
        Some((network, bits)) => (network, bits.parse().unwrap_or(usize::MAX)),
        None => (printed.as_str(), usize::MAX),
    };
    let network = bits_of(network.parse().expect("printed as an address"));
    assert!(origin.has(Place::read(printed.split('/').next().unwrap_or_default())));
    let Place::Network(address) = place else {
        assert!(!origin.has(place));
        return;
    };
    let met = bits_of(address);
    let alike = network.iter().zip(&met).take(bits);
    let within = network.len() == met.len() && alike.into_iter().all(|(one, other)| one == other);
    assert_eq!(origin.has(place), within, "{address} in {printed}");
}

fn bits_of(address: IpAddr) -> Vec<bool> {
    let octets = match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    };
    let bits = |octet: u8| (0..8).rev().map(move |bit| octet >> bit & 1 == 1);
    octets.into_iter().flat_map(bits).collect()
}

/// A file of passwords: nobody but its users comes in, each with the last password it has there, and an error shows nothing of it.
pub fn passwords(data: &[u8]) {
    let lines = data.split(|octet| *octet == b'\n').enumerate();
    let mut last: HashMap<&[u8], &[u8]> = HashMap::new();
    for (index, line) in lines {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.first().is_none_or(|first| *first == b'#') {
            continue;
        }
        let mut parts = line.splitn(2, |octet| *octet == b'=');
        let (name, password) = (parts.next().unwrap_or_default(), parts.next());
        let Some(password) = password else {
            let number = index.saturating_add(1);
            let told = format!("line {number}: expected name=password");
            assert_eq!(Users::parse(data).err(), Some(told));
            return;
        };
        last.insert(name, password);
    }
    let users = Users::parse(data).expect("each line says something");
    assert!(users.len() <= last.len());
    for (name, password) in last {
        assert_eq!(users.has(name, password), password.len() <= 255);
        assert!(!users.has(name, &[password, &b"x"[..]].concat()));
        assert!(!users.has(&[name, &b"="[..]].concat(), password));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn who_is_in_a_network_is_told_by_its_bits(
            base in any::<u128>(),
            bits in 0..=128_u32,
            flipped in 0..128_u32,
            of_four in any::<bool>(),
        ) {
            let (width, bits) = if of_four { (32, bits % 33) } else { (128, bits) };
            let base = if of_four { base >> 96 } else { base };
            let mask = u128::MAX.checked_shl(width - bits).unwrap_or(0);
            let other = base ^ 1_u128 << (flipped % width);
            let print = |address: u128| match u32::try_from(address) {
                Ok(address) if of_four => std::net::Ipv4Addr::from(address).to_string(),
                _ => std::net::Ipv6Addr::from(address).to_string(),
            };
            for peer in [base, other] {
                super::origin(format!("{}/{bits}\n{}", print(base & mask), print(peer)).as_bytes());
            }
        }

        #[test]
        fn origins_are_read_as_they_are_printed_or_refused(
            text in "(uid:|gid:|::ffff:|)[0-9a-f.:]{0,14}(/[0-9]{1,3})?\n(localhost:|::ffff:|)[0-9a-f.:%]{0,14}",
        ) {
            super::origin(text.as_bytes());
        }

        #[test]
        fn a_file_of_passwords_knows_its_users_and_nobody_else(
            lines in proptest::collection::vec("#?[a-c]{0,2}=?[a-c=]{0,3}\r?", 0..6),
            long in 253..258_usize,
            any in proptest::collection::vec(any::<u8>(), 0..64),
        ) {
            super::passwords(lines.join("\n").as_bytes());
            super::passwords(format!("ann={}\n{}", "p".repeat(long), lines.join("\n")).as_bytes());
            super::passwords(&any);
        }
    }
}
