//! Peers that say and expect octets: over in-memory streams ([`SimPeer`]) and over tcp ([`TcpPeer`]).
//!
//! Both know the two halves of every conversation: `say` and `expect`. What is expected and does not come fails the test with
//! both texts in hexadecimal.

use std::io::{self, IoSlice, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use zmq_transport::ByteStream;

use crate::net::SimStream;
use crate::octets::{GREETING, opening};
use crate::world::World;

/// How long a tcp peer waits for what it expects. Only a failing test waits that long.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// A peer in memory.
#[derive(Debug)]
pub struct SimPeer {
    stream: SimStream,
}

impl SimPeer {
    /// Dials an address that a socket of the world is bound to.
    ///
    /// # Panics
    /// If nobody listens there.
    #[must_use]
    pub fn dial(world: &World, address: &str) -> SimPeer {
        let stream = world.net.dial(address).expect("somebody listens there");
        SimPeer { stream }
    }

    /// The number of its connection.
    #[must_use]
    pub fn connection(&self) -> usize {
        self.stream.connection()
    }

    /// Says everything, letting the world go on where there is no room.
    ///
    /// # Errors
    /// When the stream is closed or broken before all of it was taken.
    pub fn say(&mut self, world: &mut World, octets: &[u8]) -> io::Result<()> {
        let mut left = octets;
        while !left.is_empty() {
            match self.stream.try_write(&[IoSlice::new(left)]) {
                Ok(part) => left = &left[part..],
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    if !world.go_on() {
                        return Err(error);
                    }
                }
                Err(error) => return Err(error),
            }
        }
        world.settle();
        Ok(())
    }

    /// Says everything without letting the world go on.
    ///
    /// # Errors
    /// When there is no room for all of it, or the stream is closed or broken.
    pub fn say_at_once(&mut self, octets: &[u8]) -> io::Result<()> {
        let mut left = octets;
        while !left.is_empty() {
            let part = self.stream.try_write(&[IoSlice::new(left)])?;
            left = &left[part..];
        }
        Ok(())
    }

    /// What has come, without waiting; the end of the stream, broken or closed, is an error.
    ///
    /// # Errors
    /// [`UnexpectedEof`](io::ErrorKind::UnexpectedEof) at the end; `WouldBlock` while there is nothing.
    pub fn hear(&mut self) -> io::Result<Vec<u8>> {
        let mut buffer = vec![0; 4096];
        let count = self.stream.try_read(&mut buffer)?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        buffer.truncate(count);
        Ok(buffer)
    }

    /// Waits for exactly these octets.
    ///
    /// # Panics
    /// If others come, or none.
    pub fn expect(&mut self, world: &mut World, expected: &[u8]) {
        let met = self.take(world, expected.len());
        compare(expected, &met);
    }

    /// Waits for this many octets; gives fewer at the end of the stream or when nothing happens any more.
    pub fn take(&mut self, world: &mut World, count: usize) -> Vec<u8> {
        let mut met = Vec::new();
        let mut buffer = vec![0; 4096];
        while met.len() < count {
            let most = (count - met.len()).min(buffer.len());
            match self.stream.try_read(&mut buffer[..most]) {
                Ok(0) => break,
                Ok(part) => met.extend_from_slice(&buffer[..part]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    if !world.go_on() {
                        break;
                    }
                }
                Err(_) => break,
            }
        }
        met
    }

    /// Waits for the end of the stream and gives what came before it; `None` if the world rests and it has not ended.
    pub fn until_end(&mut self, world: &mut World) -> Option<Vec<u8>> {
        let mut met = Vec::new();
        loop {
            match self.hear() {
                Ok(part) => met.extend(part),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    if !world.go_on() {
                        return None;
                    }
                }
                Err(_) => return Some(met),
            }
        }
    }
}

/// A peer over tcp.
#[derive(Debug)]
pub struct TcpPeer {
    stream: TcpStream,
}

impl TcpPeer {
    /// Connects to `tcp://address:port`.
    ///
    /// # Errors
    /// When nobody listens there.
    pub fn dial(endpoint: &str) -> io::Result<TcpPeer> {
        let address = endpoint.strip_prefix("tcp://").unwrap_or(endpoint);
        let stream = TcpStream::connect(address)?;
        TcpPeer::from_stream(stream)
    }

    /// Wraps a stream that was accepted.
    ///
    /// # Errors
    /// When the system refuses a setting of the stream.
    pub fn from_stream(stream: TcpStream) -> io::Result<TcpPeer> {
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(TcpPeer { stream })
    }

    /// The stream itself.
    #[must_use]
    pub fn stream(&self) -> &TcpStream {
        &self.stream
    }

    /// Says everything. A peer that has closed already is no error: what it makes of the octets shows elsewhere.
    pub fn say(&mut self, octets: &[u8]) {
        // The other end may close in the middle of it, which is what many a test wants.
        let _ = self.stream.write_all(octets);
    }

    /// Greets and says READY as a peer of this type, and waits until the other end has done so.
    ///
    /// # Panics
    /// If the other end closes instead.
    pub fn shake(&mut self, socket_type: &str) {
        self.say(&opening(socket_type));
        let mut greeting = [0; GREETING];
        self.stream
            .read_exact(&mut greeting)
            .expect("the other end greets");
        let ready = self.frame().expect("the other end says READY");
        assert_eq!(ready.0 & 4, 4, "a command");
        assert_eq!(&ready.1[..6], b"\x05READY");
    }

    /// The next frame: its flags and its body.
    ///
    /// # Errors
    /// The stream has ended or nothing came in time.
    pub fn frame(&mut self) -> io::Result<(u8, Vec<u8>)> {
        let mut flags = [0];
        self.stream.read_exact(&mut flags)?;
        let length = if flags[0] & 2 == 0 {
            let mut short = [0];
            self.stream.read_exact(&mut short)?;
            u64::from(short[0])
        } else {
            let mut long = [0; 8];
            self.stream.read_exact(&mut long)?;
            u64::from_be_bytes(long)
        };
        let length = usize::try_from(length).map_err(io::Error::other)?;
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body)?;
        Ok((flags[0], body))
    }

    /// Waits for exactly these octets.
    ///
    /// # Panics
    /// If others come, or none.
    pub fn expect(&mut self, expected: &[u8]) {
        let mut met = vec![0; expected.len()];
        if let Err(error) = self.stream.read_exact(&mut met) {
            panic!("expected {}, met {error}", hex(expected));
        }
        compare(expected, &met);
    }

    /// Says no more; what the other end says can still be read.
    pub fn finish(&self) {
        // A stream that is gone already has finished too.
        let _ = self.stream.shutdown(Shutdown::Write);
    }

    /// Reads until the other end closes or breaks the stream, and gives what came before.
    ///
    /// # Panics
    /// If it stays open.
    pub fn until_end(&mut self) -> Vec<u8> {
        let mut met = Vec::new();
        let mut buffer = [0; 4096];
        loop {
            match self.stream.read(&mut buffer) {
                Ok(0) => return met,
                Ok(part) => met.extend_from_slice(&buffer[..part]),
                Err(error)
                    if matches!(
                        error.kind(),
                        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
                    ) =>
                {
                    panic!("the other end stays open; it said {}", hex(&met))
                }
                Err(_) => return met,
            }
        }
    }
}

fn compare(expected: &[u8], met: &[u8]) {
    if expected != met {
        let at = expected
            .iter()
            .zip(met)
            .take_while(|(one, other)| one == other)
            .count();
        panic!(
            "they differ from octet {at} on\nexpected {}\n     met {}",
            hex(expected),
            hex(met)
        );
    }
}

/// Octets in hexadecimal, in groups of eight.
#[must_use]
pub fn hex(octets: &[u8]) -> String {
    let groups: Vec<String> = octets
        .chunks(8)
        .map(|group| group.iter().map(|octet| format!("{octet:02x}")).collect())
        .collect();
    groups.join(" ")
}
