//! `@endpoint` binds, `endpoint` connects.

use std::fmt;
use std::str::FromStr;

/// What to do with an endpoint of the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Endpoint {
    /// Peers come to us.
    Bind(String),
    /// We go to the peer.
    Connect(String),
}

impl FromStr for Endpoint {
    type Err = String;

    /// Only the shape is looked at here; the transport says what is wrong with the address behind the scheme.
    fn from_str(text: &str) -> Result<Endpoint, String> {
        let (bind, address) = match text.strip_prefix('@') {
            Some(address) => (true, address),
            None => (false, text),
        };
        match address.split_once("://") {
            None => {
                return Err(
                    "expected scheme://address, as in tcp://127.0.0.1:5555, ipc:///tmp/name.sock; \
                     with @ in front to bind"
                        .to_owned(),
                );
            }
            Some(("inproc", _)) => {
                return Err(
                    "inproc reaches only sockets of the same process, and this process has no other; \
                     use ipc:// or tcp://"
                        .to_owned(),
                );
            }
            Some(_) => {}
        }
        let address = address.to_owned();
        Ok(if bind {
            Endpoint::Bind(address)
        } else {
            Endpoint::Connect(address)
        })
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Endpoint::Bind(address) => write!(f, "@{address}"),
            Endpoint::Connect(address) => f.write_str(address),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_at_sign_binds_and_its_absence_connects() {
        let cases = [
            ("@tcp://*:5555", Endpoint::Bind("tcp://*:5555".to_owned())),
            ("tcp://h:1", Endpoint::Connect("tcp://h:1".to_owned())),
            ("@ipc:///tmp/@x", Endpoint::Bind("ipc:///tmp/@x".to_owned())),
        ];
        for (text, expected) in cases {
            assert_eq!(text.parse(), Ok(expected.clone()));
            assert_eq!(expected.to_string(), text);
        }
    }

    #[test]
    fn what_cannot_work_is_refused_with_the_way_out() {
        assert!("5555".parse::<Endpoint>().unwrap_err().contains("tcp://"));
        assert!(
            "inproc://a"
                .parse::<Endpoint>()
                .unwrap_err()
                .contains("ipc://")
        );
    }
}
