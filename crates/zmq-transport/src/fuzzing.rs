//! What the fuzz targets call: the parsers of this crate, on any octets.
use crate::grammar::tcp_address;
pub use crate::socks::fuzzing::answers as socks;
use crate::{Registry, Role};

/// Parses the octets as an endpoint for both roles. A good tcp address must survive being shown and parsed again.
///
/// # Panics
/// When it does not: that is what the fuzzer looks for.
pub fn endpoint(octets: &[u8]) {
    let Ok(text) = std::str::from_utf8(octets) else {
        return;
    };
    let registry = Registry::standard();
    for role in [Role::Bind, Role::Connect] {
        match registry.parse(text, role) {
            Ok(endpoint) if endpoint.scheme == "tcp" => {
                let first = tcp_address(endpoint.address).expect("the check has passed");
                let shown = first.to_string();
                assert_eq!(tcp_address(&shown), Ok(first));
            }
            Ok(endpoint) => assert!(text.ends_with(endpoint.address)),
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
}
