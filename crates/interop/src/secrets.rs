//! libzmq's options for security, as the engine's one value.

use bytes::Bytes;
use peer_script::Value;
use zmq_engine::curve::{KeyPair, PublicKey, SecretKey};
use zmq_engine::{Security, SocketOption};

/// What a socket was told until now; the mechanism is that of the option set last.
#[derive(Clone, Debug, Default)]
pub(crate) struct Secrets {
    mechanism: Mechanism,
    plain_server: bool,
    username: Vec<u8>,
    password: Vec<u8>,
    curve_server: bool,
    secret: Option<SecretKey>,
    server: Option<PublicKey>,
}

#[derive(Clone, Copy, Debug, Default)]
enum Mechanism {
    #[default]
    Null,
    Plain,
    Curve,
}

impl Secrets {
    /// Takes note of an option, and says what to tell the engine; nothing for an option that is not about security.
    pub(crate) fn change(&mut self, option: &str, value: &Value) -> Option<SocketOption> {
        match value {
            Value::Int(number) => self.flag(option, *number != 0),
            Value::Bytes(octets) => self.octets(option, octets),
        }
    }

    fn flag(&mut self, option: &str, on: bool) -> Option<SocketOption> {
        match option {
            "ZAP_ENFORCE_DOMAIN" => return Some(SocketOption::ZapEnforceDomain(on)),
            "PLAIN_SERVER" => {
                self.plain_server = on;
                self.mechanism = Mechanism::Plain;
            }
            "CURVE_SERVER" => {
                self.curve_server = on;
                self.mechanism = Mechanism::Curve;
            }
            _ => return None,
        }
        Some(self.told())
    }

    fn octets(&mut self, option: &str, octets: &[u8]) -> Option<SocketOption> {
        let text = || std::str::from_utf8(octets).ok();
        match option {
            "ZAP_DOMAIN" => {
                return Some(SocketOption::ZapDomain(Bytes::copy_from_slice(octets)));
            }
            "PLAIN_USERNAME" | "PLAIN_PASSWORD" => {
                self.mechanism = Mechanism::Plain;
                if option == "PLAIN_USERNAME" {
                    self.username = octets.to_vec();
                } else {
                    self.password = octets.to_vec();
                }
            }
            "CURVE_SECRETKEY" | "CURVE_PUBLICKEY" | "CURVE_SERVERKEY" => {
                self.mechanism = Mechanism::Curve;
                match option {
                    "CURVE_SECRETKEY" => self.secret = Some(text()?.parse().ok()?),
                    "CURVE_SERVERKEY" => self.server = Some(text()?.parse().ok()?),
                    // The engine makes it out of the secret one.
                    _ => {}
                }
            }
            _ => return None,
        }
        Some(self.told())
    }

    /// As far as enough was said; until then NULL.
    fn told(&self) -> SocketOption {
        let keys = self.secret.clone().map(KeyPair::new);
        SocketOption::Security(match (self.mechanism, keys, self.server) {
            (Mechanism::Plain, ..) if self.plain_server => Security::plain_server(),
            (Mechanism::Plain, ..) => {
                Security::plain_client(&self.username, &self.password).unwrap_or_default()
            }
            (Mechanism::Curve, Some(keys), _) if self.curve_server => Security::curve_server(keys),
            (Mechanism::Curve, Some(keys), Some(server)) => Security::curve_client(server, keys),
            _ => Security::none(),
        })
    }
}
