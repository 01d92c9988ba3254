//! A transport in memory: streams whose other end is a peer of the judge's, with or without a descriptor.

use std::collections::{BTreeMap, VecDeque};
use std::io::{self, IoSlice, Read as _};
use std::net::Shutdown;
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use zmq_transport::{
    AddressError, ByteStream, Connection, Listener, Role, Source, StreamOptions, Transport,
};

/// What an attempt to connect meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Yes,
    No,
    /// Nothing, for as long as the judge likes.
    Silence,
}

/// How the peer's end of a wire ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// What was said arrives, and nothing after it.
    Finished,
    /// Nothing is read any more, and what is written fails.
    Broken,
    /// What is written fails; what was said can be read.
    Deaf,
}

/// One connection. Its peer is the judge.
pub(super) struct Wire {
    /// Said by the peer, and not yet there.
    pub(super) under_way: VecDeque<u8>,
    /// There to be read.
    arrived: VecDeque<u8>,
    pub(super) end: Option<End>,
    /// Octets that are taken before there is no more room.
    pub(super) room: usize,
    /// Most octets read and written at once.
    pub(super) read_piece: usize,
    pub(super) write_piece: usize,
    /// What the socket has written and read since the judge looked.
    pub(super) written: Vec<u8>,
    pub(super) read: Vec<u8>,
    /// The socket has closed its end.
    pub(super) closed: bool,
    pub(super) answer: Answer,
    waker: Option<Waker>,
    /// The peer's end, where there are descriptors.
    kernel: Option<UnixStream>,
}

#[derive(Default)]
struct Place {
    waiting: VecDeque<usize>,
    waker: Option<Waker>,
}

#[derive(Default)]
struct State {
    wires: Vec<Wire>,
    /// The sockets' ends that the listener has not handed out.
    ends: BTreeMap<usize, Connection>,
    places: BTreeMap<String, Place>,
    answer: Option<Answer>,
    descriptors: bool,
}

/// All wires of a run.
#[derive(Clone, Default)]
pub(super) struct Wires(Arc<Mutex<State>>);

impl Wires {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn count(&self) -> usize {
        self.lock().wires.len()
    }

    pub(super) fn with<T>(&self, wire: usize, work: impl FnOnce(&mut Wire) -> T) -> T {
        work(&mut self.lock().wires[wire])
    }

    /// What the attempts to come meet, and whether their streams have descriptors.
    pub(super) fn set_answer(&self, answer: Answer) {
        self.lock().answer = Some(answer);
    }

    pub(super) fn set_descriptors(&self, descriptors: bool) {
        self.lock().descriptors = descriptors;
    }

    /// A peer dials a place. Says whether somebody listens.
    pub(super) fn dial(&self, address: &str) -> bool {
        let mut state = self.lock();
        if !state.places.contains_key(address) {
            return false;
        }
        let (wire, connection) = self.lay(&mut state, Answer::Yes);
        state.ends.insert(wire, connection);
        let waker = state.places.get_mut(address).and_then(|place| {
            place.waiting.push_back(wire);
            place.waker.clone()
        });
        drop(state);
        waker.iter().for_each(Waker::wake_by_ref);
        true
    }

    fn lay(&self, state: &mut State, answer: Answer) -> (usize, Connection) {
        let number = state.wires.len();
        let pair = if state.descriptors {
            UnixStream::pair().ok()
        } else {
            None
        };
        let (own, kernel) = pair.unzip();
        for stream in own.iter().chain(&kernel) {
            stream
                .set_nonblocking(true)
                .expect("a stream that does not block");
        }
        state.wires.push(Wire {
            under_way: VecDeque::new(),
            arrived: VecDeque::new(),
            end: None,
            room: usize::MAX,
            read_piece: usize::MAX,
            write_piece: usize::MAX,
            written: Vec::new(),
            read: Vec::new(),
            closed: false,
            answer,
            waker: None,
            kernel,
        });
        let stream = Stream {
            wires: self.clone(),
            number,
            own,
        };
        (number, Connection::Bytes(Box::new(stream)))
    }

    pub(super) fn wake(&self, wire: usize) {
        let waker = self.with(wire, |wire| wire.waker.clone());
        waker.iter().for_each(Waker::wake_by_ref);
    }

    /// Lets so many of the octets under way arrive. Says whether any did.
    pub(super) fn release(&self, wire: usize, most: usize) -> bool {
        let moved = self.with(wire, |wire| wire.release(most));
        if moved {
            self.wake(wire);
        }
        moved
    }

    /// The peer takes so many octets more.
    pub(super) fn take(&self, wire: usize, most: usize) -> bool {
        let moved = self.with(wire, |wire| {
            let blocked = wire.room == 0;
            wire.room = wire.room.saturating_add(most);
            blocked | wire.empty(most)
        });
        if moved {
            self.wake(wire);
        }
        moved
    }

    pub(super) fn end(&self, wire: usize, end: End) {
        self.with(wire, |wire| {
            wire.end = Some(end);
            if end != End::Finished {
                wire.under_way.clear();
            }
            if end == End::Broken {
                wire.kernel = None;
            }
            wire.finish();
        });
        self.wake(wire);
    }

    /// Whoever dialed and heard nothing hears this.
    pub(super) fn answer(&self, wire: usize, answer: Answer) {
        self.with(wire, |wire| wire.answer = answer);
        self.wake(wire);
    }
}

impl Wire {
    fn release(&mut self, most: usize) -> bool {
        let count = most.min(self.under_way.len());
        if count == 0 {
            return false;
        }
        let Some(kernel) = &mut self.kernel else {
            // Block by block: the fuzzer's own counting makes each step dear.
            let (first, rest) = self.under_way.as_slices();
            let (near, far) = (first.len().min(count), count.saturating_sub(first.len()));
            self.arrived.extend(&first[..near]);
            self.arrived.extend(&rest[..far]);
            self.under_way.drain(..count);
            return true;
        };
        let (first, _) = self.under_way.as_slices();
        let taken = match send(kernel, &first[..first.len().min(count)]) {
            Ok(taken) => taken,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => 0,
            // The socket has closed.
            Err(_) => self.under_way.len(),
        };
        self.under_way.drain(..taken);
        self.finish();
        taken > 0
    }

    /// Says with the kernel that nothing more will come, once all is there.
    fn finish(&mut self) {
        let over = matches!(self.end, Some(End::Finished)) && self.under_way.is_empty();
        if let (true, Some(kernel)) = (over, &self.kernel) {
            // The other end may be closed.
            let _ = kernel.shutdown(Shutdown::Write);
        }
        if let (Some(End::Deaf), Some(kernel)) = (self.end, &self.kernel) {
            let _ = kernel.shutdown(Shutdown::Read);
        }
    }

    /// Takes out of the kernel what waits there.
    fn empty(&mut self, most: usize) -> bool {
        let Some(kernel) = &mut self.kernel else {
            return false;
        };
        let mut left = most;
        let mut buffer = [0; 16 * 1024];
        while left > 0 {
            let part = left.min(buffer.len());
            match kernel.read(&mut buffer[..part]) {
                Ok(count @ 1..) => left -= count,
                _ => break,
            }
        }
        left < most
    }

    /// Whether all that was said was read.
    pub(super) fn is_read(&self) -> bool {
        self.under_way.is_empty() && self.arrived.is_empty()
    }
}

/// Writes, and raises no SIGPIPE where the other end is closed: the fuzzer's own program does not ignore it.
fn send(stream: &UnixStream, octets: &[u8]) -> io::Result<usize> {
    let flags = rustix::net::SendFlags::NOSIGNAL;
    rustix::net::send(stream, octets, flags).map_err(io::Error::from)
}

/// The socket's end.
struct Stream {
    wires: Wires,
    number: usize,
    own: Option<UnixStream>,
}

impl Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let own = &mut self.own;
        self.wires.with(self.number, |wire| {
            let part = buffer.len().min(wire.read_piece);
            let buffer = &mut buffer[..part];
            let count = match own {
                Some(stream) => stream.read(buffer)?,
                None => wire.hand_out(buffer)?,
            };
            wire.read.extend_from_slice(&buffer[..count]);
            Ok(count)
        })
    }
}

impl Wire {
    fn hand_out(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.end == Some(End::Broken) {
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        if self.arrived.is_empty() {
            let over = self.end.is_some() && self.under_way.is_empty();
            return if over {
                Ok(0)
            } else {
                Err(io::ErrorKind::WouldBlock.into())
            };
        }
        self.arrived.read(buffer)
    }

    fn accept(&mut self, chunks: &[IoSlice<'_>]) -> io::Result<usize> {
        if matches!(self.end, Some(End::Broken | End::Deaf)) {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        if self.room == 0 {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let mut most = self.room.min(self.write_piece);
        let mut count = 0;
        for chunk in chunks {
            let part = chunk.len().min(most);
            self.written.extend_from_slice(&chunk[..part]);
            count += part;
            most -= part;
        }
        if self.room != usize::MAX {
            self.room -= count;
        }
        Ok(count)
    }
}

impl ByteStream for Stream {
    fn try_connected(&mut self) -> io::Result<bool> {
        match self.wires.with(self.number, |wire| wire.answer) {
            Answer::Yes => Ok(true),
            Answer::No => Err(io::ErrorKind::ConnectionRefused.into()),
            Answer::Silence => Ok(false),
        }
    }

    fn try_read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.read(buffer)
    }

    fn try_read_spare(&mut self, buffer: &mut Vec<u8>) -> io::Result<usize> {
        let spare = buffer.capacity() - buffer.len();
        if spare == 0 {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let piece = self.wires.with(self.number, |wire| wire.read_piece);
        let mut part = vec![0; spare.min(piece).min(64 * 1024)];
        let count = self.read(&mut part)?;
        buffer.extend_from_slice(&part[..count]);
        Ok(count)
    }

    fn try_write(&mut self, chunks: &[IoSlice<'_>]) -> io::Result<usize> {
        let own = &mut self.own;
        self.wires.with(self.number, |wire| {
            let Some(stream) = own else {
                return wire.accept(chunks);
            };
            let mut count = 0;
            for chunk in chunks {
                let part = &chunk[..chunk.len().min(wire.write_piece)];
                match send(stream, part) {
                    Ok(taken) => {
                        wire.written.extend_from_slice(&part[..taken]);
                        count += taken;
                        if taken < chunk.len() {
                            break;
                        }
                    }
                    Err(_) if count > 0 => break,
                    Err(error) => return Err(error),
                }
            }
            Ok(count)
        })
    }

    fn source(&self) -> Source<'_> {
        match &self.own {
            Some(stream) => Source::Descriptor(stream.as_fd()),
            None => Source::Waker,
        }
    }

    fn set_waker(&mut self, waker: &Waker) {
        self.wires
            .with(self.number, |wire| wire.waker = Some(waker.clone()));
    }

    fn peer_address(&self) -> &'static str {
        "peer"
    }

    fn local_endpoint(&self) -> String {
        format!("pit://here-{}", self.number)
    }

    fn remote_endpoint(&self) -> String {
        format!("pit://there-{}", self.number)
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.wires.with(self.number, |wire| {
            wire.closed = true;
            wire.waker = None;
        });
    }
}

struct Door {
    wires: Wires,
    address: String,
    endpoint: String,
}

impl Listener for Door {
    fn try_accept(&mut self) -> io::Result<Connection> {
        let mut state = self.wires.lock();
        let place = state.places.get_mut(&self.address);
        let next = place.and_then(|place| place.waiting.pop_front());
        next.and_then(|wire| state.ends.remove(&wire))
            .ok_or_else(|| io::ErrorKind::WouldBlock.into())
    }

    fn endpoint(&self) -> &str {
        &self.endpoint
    }

    fn source(&self) -> Source<'_> {
        Source::Waker
    }

    fn set_waker(&mut self, waker: &Waker) {
        if let Some(place) = self.wires.lock().places.get_mut(&self.address) {
            place.waker = Some(waker.clone());
        }
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        let mut state = self.wires.lock();
        let place = state.places.remove(&self.address).unwrap_or_default();
        let unaccepted: Vec<_> = place
            .waiting
            .iter()
            .filter_map(|wire| state.ends.remove(wire))
            .collect();
        drop(state);
        // Their ends lock the wires.
        drop(unaccepted);
    }
}

/// The transport of the scheme `pit`.
pub(super) struct Pit(pub(super) Wires);

impl Transport for Pit {
    fn schemes(&self) -> &[&'static str] {
        &["pit"]
    }

    fn check(&self, _: &str, _: Role) -> Result<(), AddressError> {
        Ok(())
    }

    fn resolve_blocks(&self, _: &str) -> bool {
        false
    }

    fn connect(&self, _: &str, _: &StreamOptions) -> io::Result<Connection> {
        let mut state = self.0.lock();
        let mut answer = state.answer.unwrap_or(Answer::Yes);
        if answer == Answer::No && !state.descriptors {
            return Err(io::ErrorKind::ConnectionRefused.into());
        }
        if answer == Answer::Silence && state.descriptors {
            // The kernel says at once that such a stream can be written to.
            answer = Answer::Yes;
        }
        Ok(self.0.lay(&mut state, answer).1)
    }

    fn listen(&self, address: &str, _: &StreamOptions) -> io::Result<Box<dyn Listener>> {
        let mut state = self.0.lock();
        if state.places.contains_key(address) {
            return Err(io::ErrorKind::AddrInUse.into());
        }
        state.places.insert(address.to_owned(), Place::default());
        Ok(Box::new(Door {
            wires: self.0.clone(),
            address: address.to_owned(),
            endpoint: format!("pit://{address}"),
        }))
    }
}
