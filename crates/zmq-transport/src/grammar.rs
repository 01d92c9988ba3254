//! The grammar of endpoints: `scheme://address`, and the addresses of tcp.
//!
//! ```text
//! endpoint  = scheme "://" address
//! tcp       = [ host-port ";" ] host-port           ; the first is where a connection comes from
//! host-port = host ":" ( "*" | 1*DIGIT )
//! host      = "*" | IPv4 | IPv6 [ "%" zone ] | "[" IPv6 [ "%" zone ] "]" | name
//! ```
//!
//! A host without brackets ends at the last colon, so that IPv6 needs no brackets.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use nom::IResult;
use nom::Parser;
use nom::branch::alt;
use nom::bytes::complete::{tag, take, take_till1, take_until1, take_while1};
use nom::character::complete::{char, digit1};
use nom::combinator::{all_consuming, map, opt, value};
use nom::error::{ErrorKind, ParseError};
use nom::sequence::{delimited, preceded, terminated};

use crate::{AddressError, EndpointError};

/// Splits an endpoint at the first `://`.
pub(crate) fn split_endpoint(endpoint: &str) -> Result<(&str, &str), EndpointError> {
    let scheme: IResult<&str, &str> = terminated(take_until1("://"), tag("://")).parse(endpoint);
    match scheme {
        Err(_) => Err(EndpointError::NoScheme),
        Ok(("", _)) => Err(EndpointError::NoAddress),
        Ok((address, scheme)) => Ok((scheme, address)),
    }
}

/// The part of a tcp address before a colon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Host<'a> {
    /// `*`
    Any,
    /// A literal.
    V4(Ipv4Addr),
    /// A literal, with the name or number of its zone.
    V6(Ipv6Addr, Option<&'a str>),
    /// A name for the resolver, or an interface's.
    Name(&'a str),
}

/// `host:port`; a port of `None` was written `*`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HostPort<'a> {
    pub(crate) host: Host<'a>,
    pub(crate) port: Option<u16>,
}

/// A tcp address, with where the connection is to come from, if that was said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TcpAddress<'a> {
    pub(crate) source: Option<HostPort<'a>>,
    pub(crate) target: HostPort<'a>,
}

impl fmt::Display for HostPort<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host {
            Host::Any => f.write_str("*")?,
            Host::V4(address) => write!(f, "{address}")?,
            Host::V6(address, None) => write!(f, "[{address}]")?,
            Host::V6(address, Some(zone)) => write!(f, "[{address}%{zone}]")?,
            Host::Name(name) => f.write_str(name)?,
        }
        match self.port {
            Some(port) => write!(f, ":{port}"),
            None => f.write_str(":*"),
        }
    }
}

impl fmt::Display for TcpAddress<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(source) = self.source {
            write!(f, "{source};")?;
        }
        self.target.fmt(f)
    }
}

/// Parses the whole of a tcp address.
pub(crate) fn tcp_address(address: &str) -> Result<TcpAddress<'_>, AddressError> {
    let parsed = all_consuming((opt(terminated(host_port, char(';'))), host_port)).parse(address);
    match parsed {
        Ok((_, (source, target))) => Ok(TcpAddress { source, target }),
        Err(nom::Err::Error(fault) | nom::Err::Failure(fault)) => Err(fault.explain(address)),
        Err(nom::Err::Incomplete(_)) => Err(Fault::new("", "a host and a port").explain(address)),
    }
}

/// Where parsing stopped, and what it wanted there.
#[derive(Debug)]
struct Fault<'a> {
    rest: &'a str,
    expected: Expected,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expected {
    This(&'static str),
    Host,
    SmallerPort,
}

impl<'a> Fault<'a> {
    fn new(rest: &'a str, expected: &'static str) -> Fault<'a> {
        Fault {
            rest,
            expected: Expected::This(expected),
        }
    }

    fn explain(&self, address: &str) -> AddressError {
        let at = address.len() - self.rest.len();
        match self.expected {
            Expected::This(expected) => AddressError::Unexpected {
                at,
                met: self.rest.chars().next(),
                expected,
            },
            Expected::Host => AddressError::NoHost,
            Expected::SmallerPort => AddressError::PortTooLarge { at },
        }
    }
}

impl<'a> ParseError<&'a str> for Fault<'a> {
    fn from_error_kind(rest: &'a str, kind: ErrorKind) -> Fault<'a> {
        Fault::new(
            rest,
            if kind == ErrorKind::Eof {
                "the end of the address"
            } else {
                "a host and a port"
            },
        )
    }

    fn append(_: &'a str, _: ErrorKind, other: Fault<'a>) -> Fault<'a> {
        other
    }
}

type Parsed<'a, T> = IResult<&'a str, T, Fault<'a>>;

/// Replaces what a parser says it wanted. The fault is final: no other way of reading the address could do better.
fn expecting<'a, T>(
    expected: &'static str,
    mut parser: impl Parser<&'a str, Output = T, Error = Fault<'a>>,
) -> impl FnMut(&'a str) -> Parsed<'a, T> {
    move |input| {
        parser
            .parse(input)
            .map_err(|_| nom::Err::Failure(Fault::new(input, expected)))
    }
}

fn host_port(input: &str) -> Parsed<'_, HostPort<'_>> {
    let (rest, host) = if input.starts_with('[') {
        bracketed(input)?
    } else {
        plain(input)?
    };
    let (rest, _) = expecting("':' and a port", char(':')).parse(rest)?;
    let (rest, port) = port(rest)?;
    // Only a source, which a semicolon ends, may be tried in vain: everything else is final.
    if rest.is_empty() || rest.starts_with(';') {
        return Ok((rest, HostPort { host, port }));
    }
    Err(nom::Err::Failure(Fault::new(
        rest,
        "the end of the address, or ';'",
    )))
}

fn port(input: &str) -> Parsed<'_, Option<u16>> {
    let number = |digits: &str| digits.parse::<u16>().ok();
    let (rest, parsed) = expecting(
        "a port: digits or '*'",
        alt((
            value(Some(None), char('*')),
            map(digit1, |digits| number(digits).map(Some)),
        )),
    )
    .parse(input)?;
    match parsed {
        Some(port) => Ok((rest, port)),
        None => Err(nom::Err::Failure(Fault {
            rest: input,
            expected: Expected::SmallerPort,
        })),
    }
}

fn bracketed(input: &str) -> Parsed<'_, Host<'_>> {
    let (rest, inner) = expecting(
        "an IPv6 address between brackets",
        delimited(char('['), take_till1(|c| c == ']'), char(']')),
    )
    .parse(input)?;
    match ipv6(inner) {
        Some(host) => Ok((rest, host)),
        None => Err(nom::Err::Failure(Fault::new(
            &input[1..],
            "an IPv6 address",
        ))),
    }
}

fn plain(input: &str) -> Parsed<'_, Host<'_>> {
    let section = input.split(';').next().unwrap_or(input);
    let colon = section.rfind(':').unwrap_or(section.len());
    let (rest, text) = take(section[..colon].chars().count()).parse(input)?;
    if text.is_empty() {
        return Err(nom::Err::Failure(Fault {
            rest: input,
            expected: Expected::Host,
        }));
    }
    if text == "*" {
        return Ok((rest, Host::Any));
    }
    if let Ok(address) = text.parse() {
        return Ok((rest, Host::V4(address)));
    }
    if text.contains(':') {
        return match ipv6(text) {
            Some(host) => Ok((rest, host)),
            None => Err(nom::Err::Failure(Fault::new(
                input,
                "an IPv6 address, as there are colons in it",
            ))),
        };
    }
    let named: Parsed<'_, &str> = take_while1(is_name).parse(text);
    match named {
        Ok(("", name)) => Ok((rest, Host::Name(name))),
        Ok((stop, _)) => Err(nom::Err::Failure(Fault::new(
            &input[text.len() - stop.len()..],
            "':' and a port",
        ))),
        Err(_) => Err(nom::Err::Failure(Fault::new(input, "a host"))),
    }
}

/// What may stand in the name of a host or an interface.
fn is_name(c: char) -> bool {
    !(c.is_whitespace() || c.is_control() || "/\\;:%*,[]()<>\"'?#".contains(c))
}

fn ipv6(text: &str) -> Option<Host<'_>> {
    let address = |input| -> Parsed<'_, &str> { take_till1(|c| c == '%').parse(input) };
    let zone = preceded(char('%'), take_while1(is_name));
    let (_, (address, zone)) = all_consuming((address, opt(zone))).parse(text).ok()?;
    Some(Host::V6(address.parse().ok()?, zone))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Registry, Role};
    use proptest::prelude::*;

    /// What a role makes of an address; `ok` where libzmq takes it too.
    fn verdict(endpoint: &str, role: Role) -> String {
        match Registry::standard().parse(endpoint, role) {
            Ok(_) => "ok".to_owned(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn endpoints_are_taken_and_refused_as_the_table_says() {
        let colon = "expected ':' and a port at offset 9, where the address ends";
        let table = [
            ("tcp://127.0.0.1", colon, colon),
            (
                "tcp://127.0.0.1:*",
                "cannot connect to a wildcard port",
                "ok",
            ),
            // libzmq lets one connect to port 0, which can never succeed.
            ("tcp://127.0.0.1:0", "cannot connect to port 0", "ok"),
            // libzmq notices when connecting or binding.
            (
                "tcp://:5555",
                "the address names no host",
                "the address names no host",
            ),
            (
                "tcp://localhost:http",
                "expected a port: digits or '*' at offset 10 of the address, met 'h'",
                "expected a port: digits or '*' at offset 10 of the address, met 'h'",
            ),
            ("tcp://127.0.0.1:5555;127.0.0.1:6666", "ok", "ok"),
            // libzmq binds 4464.
            (
                "tcp://127.0.0.1:70000",
                "the port at offset 10 of the address is above 65535",
                "the port at offset 10 of the address is above 65535",
            ),
            ("tcp://lo:*", "cannot connect to a wildcard port", "ok"),
            ("tcp://*:*", "cannot connect to a wildcard host", "ok"),
            ("tcp://*:5555", "cannot connect to a wildcard host", "ok"),
            ("tcp://lo:0;localhost:5555", "ok", "ok"),
            ("tcp://*:*;localhost:5555", "ok", "ok"),
            ("tcp://[::1]:5555", "ok", "ok"),
            ("tcp://::1:5555", "ok", "ok"),
            ("tcp://[fe80::1%eth0]:5555", "ok", "ok"),
            ("tcp://fe80::1%2:5555", "ok", "ok"),
            ("ipc://*", "cannot connect to a wildcard path", "ok"),
            ("ipc://@name", "ok", "ok"),
            ("ipc:///tmp/a b", "ok", "ok"),
        ];
        for (endpoint, connect, bind) in table {
            assert_eq!(
                verdict(endpoint, Role::Connect),
                connect,
                "connect {endpoint}"
            );
            assert_eq!(verdict(endpoint, Role::Bind), bind, "bind {endpoint}");
        }
    }

    #[test]
    fn malformed_endpoints_are_refused_in_both_roles() {
        let endpoints = [
            "",
            "tcp",
            "tcp:",
            "tcp:/",
            "tcp://",
            "://",
            "://127.0.0.1:1",
            "TCP://127.0.0.1:1",
            "no://such",
            "tcp://[::1:1",
            "tcp://[localhost]:1",
            "tcp://[]:1",
            "tcp://[::1]",
            "tcp://[::1]1",
            "tcp://::1",
            "tcp://a:b:1",
            "tcp://a b:1",
            "tcp://host:1/path",
            "tcp://host:",
            "tcp://host:-1",
            "tcp://host:+1",
            "tcp://host: 1",
            "tcp://host:1 ",
            "tcp://host:1;",
            "tcp://;host:1",
            "tcp://a:1;b:2;c:3",
            "tcp://a;b:1",
            "tcp://fe80::1%:1",
            "tcp://host%1:1",
            "tcp://*x:1",
            "tcp://host:99999999999999999999",
            "ipc://@",
            "ipc://a\0b",
        ];
        for endpoint in endpoints {
            assert_ne!(
                verdict(endpoint, Role::Connect),
                "ok",
                "connect {endpoint:?}"
            );
            assert_ne!(verdict(endpoint, Role::Bind), "ok", "bind {endpoint:?}");
        }
    }

    #[test]
    fn schemes_end_at_the_first_separator() {
        assert_eq!(split_endpoint("ipc://a://b"), Ok(("ipc", "a://b")));
        assert_eq!(split_endpoint("://b"), Err(EndpointError::NoScheme));
        assert_eq!(split_endpoint("b"), Err(EndpointError::NoScheme));
        assert_eq!(split_endpoint("b://"), Err(EndpointError::NoAddress));
    }

    fn host() -> impl Strategy<Value = String> {
        prop_oneof![
            Just("*".to_owned()),
            any::<Ipv4Addr>().prop_map(|address| address.to_string()),
            any::<Ipv6Addr>().prop_map(|address| format!("[{address}]")),
            (any::<Ipv6Addr>(), "[a-z][a-z0-9]{0,8}")
                .prop_map(|(address, zone)| format!("[{address}%{zone}]")),
            "[a-z][a-z0-9.-]{0,20}",
        ]
    }

    fn written() -> impl Strategy<Value = String> {
        let port = prop_oneof![
            Just("*".to_owned()),
            any::<u16>().prop_map(|port| port.to_string())
        ];
        (host(), port).prop_map(|(host, port)| format!("{host}:{port}"))
    }

    proptest! {
        #[test]
        fn a_good_address_is_shown_as_it_was_written(source in proptest::option::of(written()), target in written()) {
            let address = source.map_or(target.clone(), |source| format!("{source};{target}"));
            let parsed = tcp_address(&address);
            prop_assert_eq!(parsed.map(|parsed| parsed.to_string()), Ok(address));
        }

        #[test]
        fn no_endpoint_makes_the_parser_panic(endpoint in "(tcp|ipc|x)?(://)?[*@0-9a-f.:;%/\\[\\]é\\PC]{0,40}") {
            crate::fuzzing::endpoint(endpoint.as_bytes());
        }

        #[test]
        fn faults_lie_within_the_address(address in "[*0-9a-f.:;%\\[\\]é]{0,20}") {
            if let Err(AddressError::Unexpected { at, met, .. }) = tcp_address(&address) {
                prop_assert_eq!(address[at..].chars().next(), met);
            }
        }
    }
}
