//! A peer without a library: octets written and read on a stream of its own, each wait bounded.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use crate::arena::{Arena, Outcome, Sock, Verdict, WAIT, fail};

/// One end of a connection to a socket under test.
#[derive(Debug)]
pub(crate) struct Wire {
    stream: TcpStream,
    /// Write in segments of one octet each.
    pub(crate) spelling: bool,
}

fn failed(what: &str, error: &std::io::Error) -> Verdict {
    Verdict::Failed(format!("raw peer {what}: {error}"))
}

impl Wire {
    /// Binds `sock` and connects to it, or listens and lets it connect.
    pub(crate) fn join(arena: &mut Arena, sock: &Sock, sock_binds: bool) -> Outcome<Wire> {
        if !sock_binds {
            return Wire::listen(arena, sock).map(|(wire, _)| wire);
        }
        let endpoint = arena.bind(sock, "tcp://127.0.0.1:0")?;
        let address = endpoint.trim_start_matches("tcp://");
        Wire::over(TcpStream::connect(address).map_err(|error| failed("connect", &error))?)
    }

    /// Listens and lets `sock` connect.
    pub(crate) fn listen(arena: &mut Arena, sock: &Sock) -> Outcome<(Wire, TcpListener)> {
        let listener = TcpListener::bind("127.0.0.1:0").and_then(|listener| {
            listener.set_nonblocking(true)?;
            Ok((listener.local_addr()?, listener))
        });
        let (address, listener) = listener.map_err(|error| failed("bind", &error))?;
        arena.connect(sock, &format!("tcp://{address}"))?;
        Ok((Wire::accept(&listener)?, listener))
    }

    /// Waits for the next connection.
    pub(crate) fn accept(listener: &TcpListener) -> Outcome<Wire> {
        let started = Instant::now();
        loop {
            match listener.accept() {
                Ok((stream, _)) => return Wire::over(stream),
                Err(error) if error.kind() == ErrorKind::WouldBlock && started.elapsed() < WAIT => {
                    std::thread::sleep(Duration::from_millis(1));
                }
                Err(error) => return Err(failed("accept", &error)),
            }
        }
    }

    fn over(stream: TcpStream) -> Outcome<Wire> {
        let set = stream
            .set_nonblocking(false)
            .and_then(|()| stream.set_nodelay(true));
        set.and_then(|()| stream.set_read_timeout(Some(WAIT)))
            .map_err(|error| failed("setup", &error))?;
        Ok(Wire {
            stream,
            spelling: false,
        })
    }

    /// Writes.
    pub(crate) fn say(&mut self, octets: &[u8]) -> Outcome {
        let segment = if self.spelling {
            1
        } else {
            octets.len().max(1)
        };
        let mut segments = octets.chunks(segment);
        let written = segments.try_for_each(|segment| self.stream.write_all(segment));
        written.map_err(|error| failed("write", &error))
    }

    /// Whether something comes within this time.
    pub(crate) fn hears(&mut self, wait: Duration) -> Outcome<bool> {
        let heard = self.stream.set_read_timeout(Some(wait)).and_then(|()| {
            let heard = self.stream.peek(&mut [0]);
            self.stream.set_read_timeout(Some(WAIT))?;
            heard
        });
        match heard {
            Ok(_) => Ok(true),
            Err(error) if [ErrorKind::WouldBlock, ErrorKind::TimedOut].contains(&error.kind()) => {
                Ok(false)
            }
            Err(error) => Err(failed("read", &error)),
        }
    }

    /// The octet that is to be read next.
    pub(crate) fn next(&mut self) -> Outcome<u8> {
        let mut octet = [0];
        match self.stream.peek(&mut octet) {
            Ok(1) => Ok(octet[0]),
            Ok(_) => fail("raw peer: closed instead of the next octet"),
            Err(error) => Err(failed("read", &error)),
        }
    }

    /// Reads this many octets.
    pub(crate) fn read(&mut self, count: usize) -> Outcome<Vec<u8>> {
        let mut octets = vec![0; count];
        let mut met = 0;
        while met < count {
            match self.stream.read(&mut octets[met..]) {
                Ok(0) => return fail(format!("raw peer: closed after {}", hex(&octets[..met]))),
                Ok(more) => met += more,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => {
                    return fail(format!("raw peer: {error} after {}", hex(&octets[..met])));
                }
            }
        }
        Ok(octets)
    }

    /// Ends this direction of the stream.
    pub(crate) fn finish(&self) -> Outcome {
        let ended = self.stream.shutdown(Shutdown::Write);
        ended.map_err(|error| failed("shutdown", &error))
    }

    /// Reads until the stream ends, as it must.
    pub(crate) fn hear_end(&mut self) -> Outcome {
        let started = Instant::now();
        let mut octets = [0; 256];
        loop {
            match self.stream.read(&mut octets) {
                Ok(0) => return Ok(()),
                Err(error) if error.kind() == ErrorKind::ConnectionReset => return Ok(()),
                Ok(_) if started.elapsed() < WAIT => {}
                Ok(_) => return fail("raw peer: more and more comes instead of the end"),
                Err(error) => return fail(format!("raw peer: {error} instead of the end")),
            }
        }
    }

    /// Reads exactly these octets.
    pub(crate) fn hear(&mut self, what: &str, octets: &[u8]) -> Outcome {
        match self.read(octets.len()) {
            Ok(met) if met == octets => Ok(()),
            Ok(met) => fail(format!(
                "{what}: heard {} instead of {}",
                hex(&met),
                hex(octets)
            )),
            Err(Verdict::Failed(why)) => fail(format!("{what}: {why} instead of {}", hex(octets))),
            Err(other) => Err(other),
        }
    }
}

/// Octets for people; of many only the first.
pub(crate) fn hex(octets: &[u8]) -> String {
    let words: Vec<String> = octets
        .iter()
        .take(80)
        .map(|octet| format!("{octet:02x}"))
        .collect();
    let rest = if octets.len() > 80 {
        format!(" ... ({} octets)", octets.len())
    } else {
        String::new()
    };
    format!("`{}{rest}`", words.join(" "))
}
