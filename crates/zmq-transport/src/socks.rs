//! tcp through a SOCKS5 proxy (RFC 1928), with a user name and a password where the proxy wants them (RFC 1929).
//!
//! ```text
//! TCP open -> versions and methods -> [name and password] -> CONNECT -> reply -> the stream is the peer's
//! ```
//! The proxy looks names up. Nothing is read beyond the reply, so that the peer's first octets stay where they are.

use std::io::{self, IoSlice};

use crate::grammar::{Host, tcp_address};
use crate::tcp::Tcp;
use crate::{ByteStream, Connection, Source, StreamOptions, Transport};

/// A SOCKS5 proxy.
#[derive(Clone, PartialEq, Eq)]
pub struct Proxy {
    /// `host:port`.
    pub address: String,
    /// Who asks; empty for a proxy that does not want to know. At most 255 octets.
    pub username: String,
    /// The password that belongs to it. At most 255 octets.
    pub password: String,
}

impl std::fmt::Debug for Proxy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Proxy")
            .field("address", &self.address)
            .field("username", &self.username)
            .finish_non_exhaustive()
    }
}

const VERSION: u8 = 5;
const NO_AUTHENTICATION: u8 = 0;
const PASSWORD: u8 = 2;
const PASSWORD_VERSION: u8 = 1;
const CONNECT: u8 = 1;
const V4: u8 = 1;
const NAME: u8 = 3;
const V6: u8 = 4;

/// Octets of a reply up to the first one of its address, which for a name is its length.
const REPLY: usize = 5;

/// What stands between the proxy and the target in the text of a resolved address.
const THROUGH: char = '/';

fn without(options: &StreamOptions) -> StreamOptions {
    StreamOptions {
        proxy: None,
        ..options.clone()
    }
}

/// The addresses of the proxy, each with the target behind it as it was written.
pub(crate) fn resolve(
    tcp: &Tcp,
    target: &str,
    proxy: &Proxy,
    options: &StreamOptions,
) -> io::Result<Vec<String>> {
    let found = tcp.resolve(&proxy.address, &without(options))?;
    Ok(found
        .into_iter()
        .map(|via| format!("{via}{THROUGH}{target}"))
        .collect())
}

/// Starts to connect to the target of a resolved address.
pub(crate) fn connect(
    tcp: &Tcp,
    resolved: &str,
    proxy: &Proxy,
    options: &StreamOptions,
) -> io::Result<Connection> {
    let (via, target) = resolved
        .split_once(THROUGH)
        .ok_or_else(|| broken("an address that was not resolved for a proxy"))?;
    let request = request(target)?;
    let opening = opening(proxy)?;
    Ok(match tcp.connect(via, &without(options))? {
        Connection::Bytes(stream) => Connection::Bytes(Box::new(Proxied {
            stream,
            awaited: Awaited::Open,
            unsent: Vec::new(),
            met: Vec::new(),
            opening,
            request,
        })),
        other => other,
    })
}

fn broken(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("SOCKS5: {why}"))
}

/// The greeting, and name and password if the proxy is to be told.
fn opening(proxy: &Proxy) -> io::Result<(Vec<u8>, Option<Vec<u8>>)> {
    if proxy.username.is_empty() {
        return Ok((vec![VERSION, 1, NO_AUTHENTICATION], None));
    }
    let mut told = vec![PASSWORD_VERSION];
    for text in [&proxy.username, &proxy.password] {
        told.push(u8::try_from(text.len()).map_err(|_| broken("a name or password too long"))?);
        told.extend(text.as_bytes());
    }
    Ok((vec![VERSION, 1, PASSWORD], Some(told)))
}

fn request(target: &str) -> io::Result<Vec<u8>> {
    let parsed = tcp_address(target)?.target;
    let mut request = vec![VERSION, CONNECT, 0];
    match parsed.host {
        Host::V4(address) => {
            request.push(V4);
            request.extend(address.octets());
        }
        Host::V6(address, _) => {
            request.push(V6);
            request.extend(address.octets());
        }
        Host::Name(name) => {
            request.push(NAME);
            request.push(u8::try_from(name.len()).map_err(|_| broken("a name too long"))?);
            request.extend(name.as_bytes());
        }
        Host::Any => return Err(broken("no host to connect to")),
    }
    request.extend(parsed.port.unwrap_or(0).to_be_bytes());
    Ok(request)
}

/// What comes next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Awaited {
    /// The stream to the proxy.
    Open,
    /// The method the proxy has chosen.
    Method,
    /// Its word on name and password.
    Admission,
    /// Its word on the target, up to where the length of the rest is known.
    Reply,
    /// The rest of it.
    Rest(usize),
    /// The stream is the peer's.
    Nothing,
}

struct Proxied {
    stream: Box<dyn ByteStream>,
    awaited: Awaited,
    unsent: Vec<u8>,
    met: Vec<u8>,
    opening: (Vec<u8>, Option<Vec<u8>>),
    request: Vec<u8>,
}

impl Proxied {
    fn step(&mut self) -> io::Result<()> {
        let met = std::mem::take(&mut self.met);
        self.awaited = match (self.awaited, met.as_slice()) {
            (Awaited::Open, _) => {
                self.unsent.append(&mut self.opening.0);
                Awaited::Method
            }
            (Awaited::Method, [VERSION, NO_AUTHENTICATION]) if self.opening.1.is_none() => {
                self.unsent.append(&mut self.request);
                Awaited::Reply
            }
            (Awaited::Method, [VERSION, PASSWORD]) => {
                let told = self.opening.1.take();
                self.unsent =
                    told.ok_or_else(|| broken("the proxy wants a name and a password"))?;
                Awaited::Admission
            }
            (Awaited::Admission, [PASSWORD_VERSION, 0]) => {
                self.unsent.append(&mut self.request);
                Awaited::Reply
            }
            (Awaited::Admission, _) => return Err(broken("the proxy refuses name or password")),
            (Awaited::Reply, [VERSION, 0, _, kind, first]) => {
                let address = match *kind {
                    V4 => 3,
                    V6 => 15,
                    NAME => usize::from(*first),
                    _ => return Err(broken("a reply with an address of an unknown kind")),
                };
                // And the port.
                Awaited::Rest(address + 2)
            }
            (Awaited::Reply, [VERSION, 5, ..]) => {
                let why = "SOCKS5: the target refused the proxy's connection";
                return Err(io::Error::new(io::ErrorKind::ConnectionRefused, why));
            }
            (Awaited::Reply, [VERSION, code, ..]) => {
                let why = format!("SOCKS5: the proxy cannot connect (reply {code})");
                return Err(io::Error::new(io::ErrorKind::HostUnreachable, why));
            }
            (Awaited::Rest(_), _) => Awaited::Nothing,
            _ => {
                return Err(broken(
                    "an answer that is none, or a method nobody asked for",
                ));
            }
        };
        Ok(())
    }

    fn wanted(&self) -> usize {
        match self.awaited {
            Awaited::Method | Awaited::Admission => 2,
            Awaited::Reply => REPLY,
            Awaited::Rest(octets) => octets,
            Awaited::Open | Awaited::Nothing => 0,
        }
    }
}

impl ByteStream for Proxied {
    fn try_connected(&mut self) -> io::Result<bool> {
        if !self.stream.try_connected()? {
            return Ok(false);
        }
        loop {
            while !self.unsent.is_empty() {
                match self.stream.try_write(&[IoSlice::new(&self.unsent)]) {
                    Ok(sent) => drop(self.unsent.drain(..sent)),
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                    Err(error) => return Err(error),
                }
            }
            if self.awaited == Awaited::Nothing {
                return Ok(true);
            }
            while self.met.len() < self.wanted() {
                let mut room = vec![0; self.wanted() - self.met.len()];
                match self.stream.try_read(&mut room) {
                    Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                    Ok(read) => self.met.extend(&room[..read]),
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                    Err(error) => return Err(error),
                }
            }
            self.step()?;
        }
    }

    fn connects_by_reading(&self) -> bool {
        self.unsent.is_empty() && self.wanted() > 0
    }

    fn try_read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.try_read(buffer)
    }

    fn try_read_spare(&mut self, buffer: &mut Vec<u8>) -> io::Result<usize> {
        self.stream.try_read_spare(buffer)
    }

    fn try_write(&mut self, chunks: &[IoSlice<'_>]) -> io::Result<usize> {
        self.stream.try_write(chunks)
    }

    fn source(&self) -> Source<'_> {
        self.stream.source()
    }

    fn peer_address(&self) -> &str {
        self.stream.peer_address()
    }

    fn local_endpoint(&self) -> String {
        self.stream.local_endpoint()
    }

    fn remote_endpoint(&self) -> String {
        self.stream.remote_endpoint()
    }
}

/// A proxy that says any octets, in any pieces.
#[doc(hidden)]
pub(crate) mod fuzzing {
    use super::*;

    /// What the proxy says, and how much has been read. A zero octet is a pause.
    struct Said {
        octets: Vec<u8>,
        read: usize,
        written: usize,
        pause: bool,
    }

    impl ByteStream for Said {
        fn try_connected(&mut self) -> io::Result<bool> {
            Ok(true)
        }

        fn try_read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.pause = !self.pause;
            if self.pause {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            let left = self.octets.get(self.read..).unwrap_or_default();
            let piece = left.len().min(buffer.len()).min(3);
            buffer[..piece].copy_from_slice(&left[..piece]);
            self.read += piece;
            Ok(piece)
        }

        fn try_read_spare(&mut self, _buffer: &mut Vec<u8>) -> io::Result<usize> {
            Ok(0)
        }

        fn try_write(&mut self, chunks: &[IoSlice<'_>]) -> io::Result<usize> {
            let octets = chunks.iter().map(|chunk| chunk.len()).sum();
            self.written += octets;
            Ok(octets)
        }

        fn source(&self) -> Source<'_> {
            Source::Waker
        }

        fn peer_address(&self) -> &str {
            ""
        }

        fn local_endpoint(&self) -> String {
            String::new()
        }

        fn remote_endpoint(&self) -> String {
            String::new()
        }
    }

    /// Opens a stream through a proxy that says these octets. It ends, with a stream or an error, and reads no octet of the peer's.
    ///
    /// # Panics
    /// When it does not: that is what the fuzzer looks for.
    pub fn answers(octets: &[u8]) {
        for username in ["", "joe"] {
            let proxy = Proxy {
                address: String::new(),
                username: username.to_owned(),
                password: "pwd".to_owned(),
            };
            let mut proxied = Proxied {
                stream: Box::new(Said {
                    octets: octets.to_vec(),
                    read: 0,
                    written: 0,
                    pause: false,
                }),
                awaited: Awaited::Open,
                unsent: Vec::new(),
                met: Vec::new(),
                opening: opening(&proxy).expect("short names"),
                request: request("name:7").expect("a name"),
            };
            let mut tries = 0;
            let open = loop {
                tries += 1;
                assert!(tries <= 2 * octets.len() + 16, "it never ends");
                match proxied.try_connected() {
                    Ok(false) => assert!(proxied.connects_by_reading()),
                    done => break done,
                }
            };
            if open.is_ok() {
                // Method, admission, and the longest reply there is.
                let longest = 2 + 2 + REPLY + 255 + 2;
                assert!(proxied.met.is_empty() && octets.len() >= 2 + REPLY);
                let mut rest = vec![0; octets.len() + 1];
                let mut left = 0;
                loop {
                    match proxied.try_read(&mut rest) {
                        Ok(0) => break,
                        Ok(piece) => left += piece,
                        // It pauses after each piece.
                        Err(_) => {}
                    }
                }
                assert!(octets.len() - left <= longest);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_names_the_target_as_it_was_written() {
        for (target, octets) in [
            ("1.2.3.4:258", &[5, 1, 0, 1, 1, 2, 3, 4, 1, 2][..]),
            ("ab:1", &[5, 1, 0, 3, 2, b'a', b'b', 0, 1]),
            (
                "[::1]:2",
                &[
                    5, 1, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 2,
                ],
            ),
        ] {
            assert_eq!(request(target).unwrap(), octets, "{target}");
        }
        assert!(request("*:1").is_err());
    }

    #[test]
    fn any_answers_end_and_the_peers_octets_stay() {
        let good = [5, 0, 5, 0, 0, 3, 1, b'x', 0, 1, b'p', b'e', b'e', b'r'];
        let told = [5, 2, 1, 0, 5, 0, 0, 1, 1, 2, 3, 4, 0, 1, b'p'];
        for octets in [&good[..], &told[..]] {
            for end in 0..octets.len() {
                fuzzing::answers(&octets[..=end]);
            }
            for place in 0..octets.len() {
                let mut other = octets.to_vec();
                other[place] ^= 0xFF;
                fuzzing::answers(&other);
            }
        }
    }

    #[test]
    fn a_password_is_in_no_log() {
        let proxy = Proxy {
            address: "localhost:1080".into(),
            username: "joe".into(),
            password: "secret".into(),
        };
        assert!(!format!("{proxy:?}").contains("secret"));
    }
}
