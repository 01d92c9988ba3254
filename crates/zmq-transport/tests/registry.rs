//! Transports of an application's own beside the standard ones.

#[path = "support/memory.rs"]
mod memory;

use std::sync::Arc;

use memory::Memory;
use zmq_transport::{AddressError, DuplicateScheme, EndpointError, Ipc, Registry, Role, Tcp};

#[test]
fn an_own_transport_is_found_by_its_scheme() {
    let mut registry = Registry::standard();
    assert_eq!(
        registry.parse("memory://a", Role::Bind).unwrap_err(),
        EndpointError::UnknownScheme("memory".to_owned())
    );
    registry.register(Arc::new(Memory::of_octets())).unwrap();
    registry.register(Arc::new(Memory::of_units())).unwrap();
    assert_eq!(
        registry.schemes().collect::<Vec<_>>(),
        ["tcp", "ipc", "memory", "units"]
    );
    let parsed = registry.parse("units://a", Role::Bind).unwrap();
    assert_eq!(parsed.transport.schemes(), ["units"]);
    assert_eq!((parsed.scheme, parsed.address), ("units", "a"));
    assert_eq!(
        registry.parse("memory://aB", Role::Connect).unwrap_err(),
        EndpointError::Address(AddressError::Unexpected {
            at: 1,
            met: Some('B'),
            expected: "a lower-case letter"
        })
    );
}

#[test]
fn a_scheme_has_one_transport() {
    let mut registry = Registry::empty();
    assert!(registry.get("tcp").is_none());
    registry.register(Arc::new(Tcp::new())).unwrap();
    assert_eq!(
        registry.register(Arc::new(Tcp::new())),
        Err(DuplicateScheme { scheme: "tcp" })
    );
    registry.register(Arc::new(Ipc::new())).unwrap();
    assert_eq!(registry.schemes().count(), 2);
}
