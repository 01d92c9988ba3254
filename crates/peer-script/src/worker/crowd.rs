//! Thousands of connections to one REP.
//!
//! The crowd is made of plain streams that speak ZMTP 3.0 with NULL as REQ sockets do: the same load for every
//! implementation, and cheap, so that what is measured is the one that answers.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Instant;

use super::{Ends, Watch, nanoseconds};
use crate::contender::{Contender, Result};
use crate::{Job, Measurement, allow_descriptors, resident_octets};

/// Connections that are under way at a time: within what a listener lets wait (libzmq's backlog is 100).
const WINDOW: usize = 50;
/// Descriptors a process needs besides those of the connections.
const SPARE: u64 = 200;
/// Octets of a greeting (RFC 23).
const GREETING: usize = 64;

/// Serves one message of each, then `count`.
pub(super) async fn answer<C: Contender>(ends: &Ends<'_, C, impl Write>) -> Result<Measurement> {
    let Ends { contender, job, .. } = ends;
    allow_descriptors(job.peers + SPARE)?;
    let mut socket = contender.open("REP", false).await?;
    let endpoint = contender.bind(&mut socket, &job.endpoint).await?;
    let before = resident_octets()?;
    ends.announce(&endpoint)?;
    for _ in 0..job.peers {
        contender.echo(&mut socket).await?;
    }
    let grown = resident_octets()?.saturating_sub(before);
    let watch = Watch::start();
    for _ in 0..job.count {
        contender.echo(&mut socket).await?;
    }
    let mut measurement = watch.stop(job.count);
    measurement.octets_each = grown / job.peers.max(1);
    contender.close(socket).await?;
    Ok(measurement)
}

/// A greeting of version 3.0 with NULL, not as server.
fn greeting() -> [u8; GREETING] {
    let mut octets = [0; GREETING];
    let parts: [(usize, &[u8]); 4] = [(0, &[0xff]), (9, &[0x7f]), (10, &[3]), (12, b"NULL")];
    for (at, part) in parts {
        octets[at..at + part.len()].copy_from_slice(part);
    }
    octets
}

/// READY of a REQ (RFC 23): a short command frame, its name, one property.
fn ready() -> Vec<u8> {
    let mut body = b"\x05READY\x0bSocket-Type\x00\x00\x00\x03REQ".to_vec();
    let mut frame = vec![0x04, u8::try_from(body.len()).unwrap_or(u8::MAX)];
    frame.append(&mut body);
    frame
}

/// The empty delimiter, and a body in a short or a long frame.
fn request(size: usize) -> Vec<u8> {
    let mut octets = vec![0x01, 0x00];
    match u8::try_from(size) {
        Ok(short) => octets.extend([0x00, short]),
        Err(_) => {
            octets.push(0x02);
            octets.extend((size as u64).to_be_bytes());
        }
    }
    octets.resize(octets.len() + size, b'x');
    octets
}

/// Reads the peer's greeting and its READY.
fn welcome(stream: &mut TcpStream) -> Result<()> {
    let mut head = [0; GREETING + 2];
    stream.read_exact(&mut head)?;
    let [.., flags, size] = head;
    if flags != 0x04 {
        return Err(format!("expected a short command, met flags {flags:#x}").into());
    }
    let mut body = vec![0; usize::from(size)];
    Ok(stream.read_exact(&mut body)?)
}

fn address(endpoint: &str) -> Result<SocketAddr> {
    let address = endpoint.strip_prefix("tcp://");
    Ok(address.ok_or("a crowd needs a tcp endpoint")?.parse()?)
}

fn connect(address: SocketAddr) -> Result<TcpStream> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.write_all(&greeting())?;
    stream.write_all(&ready())?;
    Ok(stream)
}

/// Asks `count` times, some connections at a time.
fn ask(streams: &mut [TcpStream], size: usize, count: u64) -> Result<()> {
    let request = request(size);
    let mut reply = request.clone();
    let mut left = usize::try_from(count)?;
    while left > 0 {
        for window in streams.chunks_mut(WINDOW) {
            let here = left.min(window.len());
            for stream in window.iter_mut().take(here) {
                stream.write_all(&request)?;
            }
            for stream in window.iter_mut().take(here) {
                stream.read_exact(&mut reply)?;
            }
            left -= here;
        }
    }
    Ok(())
}

/// Connects all, has each of them ask once, and then `count` times altogether.
pub(super) fn load(job: &Job) -> Result<Measurement> {
    allow_descriptors(job.peers + SPARE)?;
    let address = address(&job.endpoint)?;
    let mut streams = Vec::new();
    let begin = Instant::now();
    let mut left = usize::try_from(job.peers)?;
    while left > 0 {
        let here = left.min(WINDOW);
        let first = streams.len();
        for _ in 0..here {
            streams.push(connect(address)?);
        }
        for stream in &mut streams[first..] {
            welcome(stream)?;
        }
        left -= here;
    }
    let setup = nanoseconds(begin.elapsed()) / job.peers.max(1);
    ask(&mut streams, job.size, job.peers)?;
    let watch = Watch::start();
    ask(&mut streams, job.size, job.count)?;
    let mut measurement = watch.stop(job.count);
    measurement.setup_each = setup;
    Ok(measurement)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_crowd_says_what_the_rfc_wants() {
        let greeting = greeting();
        assert_eq!(
            (greeting[0], greeting[9], greeting[10], greeting[32]),
            (0xff, 0x7f, 3, 0)
        );
        assert_eq!(&greeting[12..17], b"NULL\0");
        assert_eq!(ready().len(), 2 + 6 + 12 + 4 + 3);
        assert_eq!(request(2), [1, 0, 0, 2, b'x', b'x']);
        assert_eq!(request(300).len(), 2 + 9 + 300);
    }
}
