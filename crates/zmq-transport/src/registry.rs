//! Which transport serves which scheme.

use std::fmt;
use std::sync::Arc;

use crate::grammar;
use crate::{DuplicateScheme, EndpointError, Ipc, Role, Tcp, Transport};

/// The transports known to a context, by scheme.
///
/// # Example
/// ```
/// use zmq_transport::{Registry, Role};
///
/// let registry = Registry::standard();
/// let endpoint = registry.parse("tcp://127.0.0.1:5555", Role::Connect)?;
/// assert_eq!((endpoint.scheme, endpoint.address), ("tcp", "127.0.0.1:5555"));
/// assert!(registry.parse("tcp://127.0.0.1:*", Role::Connect).is_err());
/// # Ok::<(), zmq_transport::EndpointError>(())
/// ```
#[derive(Clone, Default)]
pub struct Registry {
    // A handful of entries: a list is found through faster than a map.
    entries: Vec<(&'static str, Arc<dyn Transport>)>,
}

/// An endpoint whose scheme is known and whose address has passed its transport's check.
#[derive(Clone, Copy)]
pub struct Endpoint<'r, 'e> {
    /// The transport that serves the scheme.
    pub transport: &'r Arc<dyn Transport>,
    /// What stands before `://`.
    pub scheme: &'e str,
    /// What follows `://`: what the transport's methods take.
    pub address: &'e str,
}

impl fmt::Debug for Endpoint<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Endpoint({}://{})", self.scheme, self.address)
    }
}

impl Registry {
    /// A registry that knows no scheme.
    pub fn empty() -> Registry {
        Registry::default()
    }

    /// A registry that knows `tcp` and, on unix, `ipc`.
    pub fn standard() -> Registry {
        Registry {
            entries: vec![("tcp", Arc::new(Tcp::new())), ("ipc", Arc::new(Ipc::new()))],
        }
    }

    /// Adds a transport under all of its schemes.
    ///
    /// # Errors
    /// One of its schemes is taken, or listed twice; nothing has then been added.
    pub fn register(&mut self, transport: Arc<dyn Transport>) -> Result<(), DuplicateScheme> {
        let schemes = transport.schemes();
        for (index, scheme) in schemes.iter().enumerate() {
            if self.get(scheme).is_some() || schemes[..index].contains(scheme) {
                return Err(DuplicateScheme { scheme });
            }
        }
        self.entries.extend(
            schemes
                .iter()
                .map(|scheme| (*scheme, Arc::clone(&transport))),
        );
        Ok(())
    }

    /// The transport of a scheme.
    pub fn get(&self, scheme: &str) -> Option<&Arc<dyn Transport>> {
        self.entries
            .iter()
            .find(|(known, _)| *known == scheme)
            .map(|(_, transport)| transport)
    }

    /// The schemes known, in the order in which they came.
    pub fn schemes(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.entries.iter().map(|(scheme, _)| *scheme)
    }

    /// Splits `scheme://address`, finds the transport and lets it check the address.
    ///
    /// # Errors
    /// The endpoint has no scheme or no address, the scheme is unknown, or its transport refuses the address.
    pub fn parse<'r, 'e>(
        &'r self,
        endpoint: &'e str,
        role: Role,
    ) -> Result<Endpoint<'r, 'e>, EndpointError> {
        let (scheme, address) = grammar::split_endpoint(endpoint)?;
        let transport = self
            .get(scheme)
            .ok_or_else(|| EndpointError::UnknownScheme(scheme.to_owned()))?;
        transport.check(address, role)?;
        Ok(Endpoint {
            transport,
            scheme,
            address,
        })
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.schemes()).finish()
    }
}
