//! Mechanisms and keys, from options to the engine's one value.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use zmq_engine::curve::{KeyPair, PublicKey, SecretKey};
use zmq_engine::wire::Mechanism;
use zmq_engine::{MechanismFactory, Security, SocketOption};

use super::table::id;
use super::{Settings, keys};
use crate::boundary::Outcome;
use crate::errno::Errno;

/// A public key and a secret one that do not belong together: nobody can prove anything with them.
struct NoPair;

impl MechanismFactory for NoPair {
    fn mechanism(&self) -> io::Result<Box<dyn Mechanism>> {
        Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "the public key is not the one of the secret key",
        ))
    }
}

impl Settings {
    /// As which side of the mechanism the socket acts.
    pub(super) fn is_server(&self) -> bool {
        self.as_server
    }

    fn key(&self, option: std::ffi::c_int) -> keys::Key {
        // A key that was not set is no key: the handshake fails, which is what its owner is to see.
        self.keys.get(&option).cloned().unwrap_or_default()
    }

    fn mechanism(&self) -> Outcome<Security> {
        Ok(match (self.mechanism, self.as_server) {
            (id::PLAIN, true) => Security::plain_server(),
            (id::PLAIN, false) => {
                Security::plain_client(self.text(id::PLAIN_USERNAME), self.text(id::PLAIN_PASSWORD))
                    .map_err(|_| Errno::INVALID)?
            }
            (id::CURVE, as_server) => {
                let secret = SecretKey::from_octets(*self.key(id::CURVE_SECRETKEY));
                let keys = KeyPair::new(secret);
                if as_server {
                    Security::curve_server(keys)
                } else if *keys.public().as_octets() != *self.key(id::CURVE_PUBLICKEY) {
                    Security::with(Arc::new(NoPair))
                } else {
                    let server = PublicKey::from_octets(*self.key(id::CURVE_SERVERKEY));
                    Security::curve_client(server, keys)
                }
            }
            _ => Security::none(),
        })
    }

    /// What the engine is to be told of mechanism and keys.
    pub(super) fn security(&self) -> Outcome<[SocketOption; 3]> {
        Ok([
            SocketOption::Security(self.mechanism()?),
            SocketOption::ZapDomain(Bytes::copy_from_slice(self.text(id::ZAP_DOMAIN))),
            SocketOption::ZapEnforceDomain(self.int(id::ZAP_ENFORCE_DOMAIN) != 0),
        ])
    }
}
