//! The ends of a connection, and where they come in.

use std::io::{self, IoSlice};
use std::task::Waker;
use std::time::Duration;

use zmq_transport::{ByteStream, Connection, FramedStream, Listener, Source};

use super::{Net, Side};

/// One end of a wire. Dropping it closes it.
#[derive(Debug)]
pub(super) struct End {
    pub(super) net: Net,
    pub(super) wire: usize,
    pub(super) side: Side,
    pub(super) address: String,
}

impl End {
    fn try_connected(&mut self) -> io::Result<bool> {
        let side = self.side;
        self.net.on_wire(self.wire, |wire, times, _| {
            if side == Side::Acceptor {
                return Ok(true);
            }
            if times.now < wire.answered_at {
                return Ok(false);
            }
            if wire.refused {
                return Err(io::ErrorKind::ConnectionRefused.into());
            }
            if wire.is_broken() {
                return Err(io::ErrorKind::ConnectionReset.into());
            }
            Ok(true)
        })
    }

    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        let side = self.side;
        self.net.on_wire(self.wire, |wire, mut times, after| {
            let part = times.part(wire, wire.weather.write, octets.len());
            let arrival = times.arrival(wire);
            let written = wire.write(side, &octets[..part], arrival, after)?;
            if written < octets.len() && !wire.weather.edges_only {
                after.wake.extend(wire.courses[side.index()].writer.clone());
            }
            Ok(written)
        })
    }

    fn read(&mut self, most: usize) -> io::Result<Vec<u8>> {
        let side = self.side;
        self.net.on_wire(self.wire, |wire, mut times, after| {
            let part = times.part(wire, wire.weather.read, most);
            wire.read(side, part, times.now, after)
        })
    }

    fn set_waker(&mut self, waker: &Waker) {
        let side = self.side;
        let mut state = self.net.lock();
        let now = self.net.clock.now();
        let wire = &mut state.wires[self.wire];
        wire.courses[side.index()].writer = Some(waker.clone());
        wire.courses[side.other().index()].reader = Some(waker.clone());
        let answered_at = wire.answered_at;
        // Whoever sets a waker tries afterwards, so only what comes later has to be told.
        let arrivals = wire.arrivals(side, now);
        if side == Side::Dialer && answered_at > now {
            state.later(answered_at, waker.clone());
        }
        for at in arrivals {
            state.later(at, waker.clone());
        }
    }

    fn local(&self) -> String {
        format!("sim://{}-{}", self.address, self.wire)
    }

    fn remote(&self) -> String {
        format!("sim://{}-{}", self.address, self.wire)
    }
}

impl super::wire::Wire {
    /// When what is under way towards `side` arrives, as far as that is later than `now`.
    fn arrivals(&self, side: Side, now: Duration) -> Vec<Duration> {
        self.courses[side.other().index()].arrivals_after(now)
    }
}

impl Drop for End {
    fn drop(&mut self) {
        let side = self.side;
        self.net.on_wire(self.wire, |wire, mut times, after| {
            let (now, at) = times.arrival(wire);
            *after = wire.close(side, now, at);
        });
    }
}

/// One end of a byte stream.
#[derive(Debug)]
pub struct SimStream {
    end: End,
}

impl SimStream {
    pub(super) fn new(end: End) -> SimStream {
        SimStream { end }
    }

    /// The number of its connection, for [`Net::tally`].
    #[must_use]
    pub fn connection(&self) -> usize {
        self.end.wire
    }
}

impl ByteStream for SimStream {
    fn try_connected(&mut self) -> io::Result<bool> {
        self.end.try_connected()
    }

    fn try_read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let octets = self.end.read(buffer.len())?;
        if let Some(front) = buffer.get_mut(..octets.len()) {
            front.copy_from_slice(&octets);
        }
        Ok(octets.len())
    }

    fn try_read_spare(&mut self, buffer: &mut Vec<u8>) -> io::Result<usize> {
        let spare = buffer.capacity() - buffer.len();
        if spare == 0 {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let octets = self.end.read(spare)?;
        buffer.extend_from_slice(&octets);
        Ok(octets.len())
    }

    fn try_write(&mut self, chunks: &[IoSlice<'_>]) -> io::Result<usize> {
        match chunks {
            [chunk] => self.end.write(chunk),
            _ => {
                let slices: Vec<&[u8]> = chunks.iter().map(|chunk| &**chunk).collect();
                self.end.write(&slices.concat())
            }
        }
    }

    fn source(&self) -> Source<'_> {
        Source::Waker
    }

    fn set_waker(&mut self, waker: &Waker) {
        self.end.set_waker(waker);
    }

    fn peer_address(&self) -> &'static str {
        "sim"
    }

    fn local_endpoint(&self) -> String {
        self.end.local()
    }

    fn remote_endpoint(&self) -> String {
        self.end.remote()
    }
}

/// One end of a stream of units.
#[derive(Debug)]
pub(super) struct SimFramed {
    end: End,
}

impl SimFramed {
    pub(super) fn new(end: End) -> SimFramed {
        SimFramed { end }
    }
}

impl FramedStream for SimFramed {
    fn try_connected(&mut self) -> io::Result<bool> {
        self.end.try_connected()
    }

    fn try_receive(&mut self) -> io::Result<Vec<u8>> {
        let side = self.end.side;
        self.end.net.on_wire(self.end.wire, |wire, times, after| {
            wire.receive(side, times.now, after)
        })
    }

    fn try_transmit(&mut self, unit: &[u8]) -> io::Result<()> {
        let side = self.end.side;
        self.end
            .net
            .on_wire(self.end.wire, |wire, mut times, after| {
                let arrival = times.arrival(wire);
                wire.transmit(side, unit, arrival, after)
            })
    }

    fn source(&self) -> Source<'_> {
        Source::Waker
    }

    fn set_waker(&mut self, waker: &Waker) {
        self.end.set_waker(waker);
    }

    fn peer_address(&self) -> &'static str {
        "sim"
    }

    fn local_endpoint(&self) -> String {
        self.end.local()
    }

    fn remote_endpoint(&self) -> String {
        self.end.remote()
    }
}

/// Where peers come in. Dropping it frees the address.
pub(super) struct SimListener {
    net: Net,
    address: String,
    endpoint: String,
}

impl SimListener {
    pub(super) fn new(net: Net, address: &str, framed: bool) -> SimListener {
        let scheme = if framed { "simf" } else { "sim" };
        SimListener {
            net,
            address: address.to_owned(),
            endpoint: format!("{scheme}://{address}"),
        }
    }
}

impl Listener for SimListener {
    fn try_accept(&mut self) -> io::Result<Connection> {
        let (end, framed) = self.net.accept(&self.address)?;
        Ok(if framed {
            Connection::Framed(Box::new(SimFramed::new(end)))
        } else {
            Connection::Bytes(Box::new(SimStream::new(end)))
        })
    }

    fn endpoint(&self) -> &str {
        &self.endpoint
    }

    fn source(&self) -> Source<'_> {
        Source::Waker
    }

    fn set_waker(&mut self, waker: &Waker) {
        self.net.set_accept_waker(&self.address, waker);
    }
}

impl Drop for SimListener {
    fn drop(&mut self) {
        self.net.leave(&self.address);
    }
}
