//! Two transports of an application's own, in memory and without descriptors: `memory` carries octets, `units` carries
//! whole units. Whoever listens or waits is told through a waker.
#![allow(dead_code, unreachable_pub)] // Each test binary uses a part of it.

use std::collections::{HashMap, VecDeque};
use std::io::{self, IoSlice};
use std::sync::{Arc, Mutex};
use std::task::Waker;

use zmq_transport::{
    AddressError, ByteStream, Connection, FramedStream, Listener, Role, Source, StreamOptions,
    Transport,
};

/// What fits in one direction: small, so that tests meet a full stream.
pub const ROOM: usize = 4;

/// One direction: octets of `memory`, units of `units`.
struct Lane<T> {
    queue: VecDeque<T>,
    closed: bool,
    /// Whom to tell when anything changes: the reader and the writer.
    wakers: [Option<Waker>; 2],
}

impl<T> Lane<T> {
    fn new() -> Arc<Mutex<Lane<T>>> {
        Arc::new(Mutex::new(Lane {
            queue: VecDeque::new(),
            closed: false,
            wakers: [None, None],
        }))
    }

    fn wake(&mut self) {
        self.wakers
            .iter_mut()
            .filter_map(Option::take)
            .for_each(Waker::wake);
    }
}

/// One end.
pub struct End<T> {
    incoming: Arc<Mutex<Lane<T>>>,
    outgoing: Arc<Mutex<Lane<T>>>,
    name: String,
}

impl<T> End<T> {
    fn pair(name: &str) -> (End<T>, End<T>) {
        let (there, back) = (Lane::new(), Lane::new());
        let one = End {
            incoming: Arc::clone(&back),
            outgoing: Arc::clone(&there),
            name: name.to_owned(),
        };
        (
            one,
            End {
                incoming: there,
                outgoing: back,
                name: name.to_owned(),
            },
        )
    }

    fn listen_for_changes(&self, waker: &Waker) {
        self.incoming.lock().unwrap().wakers[0] = Some(waker.clone());
        self.outgoing.lock().unwrap().wakers[1] = Some(waker.clone());
    }

    /// Takes at most `most`; an empty answer is the end.
    fn take(&self, most: usize) -> io::Result<Vec<T>> {
        let mut lane = self.incoming.lock().unwrap();
        if lane.queue.is_empty() && !lane.closed {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let count = most.min(lane.queue.len());
        let taken = lane.queue.drain(..count).collect();
        lane.wake();
        Ok(taken)
    }

    /// Puts as much as there is room for and says how much that was.
    fn put(&self, items: impl Iterator<Item = T>) -> io::Result<usize> {
        let mut lane = self.outgoing.lock().unwrap();
        if lane.closed {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let room = ROOM - lane.queue.len();
        if room == 0 {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let before = lane.queue.len();
        lane.queue.extend(items.take(room));
        lane.wake();
        Ok(lane.queue.len() - before)
    }
}

impl<T> Drop for End<T> {
    fn drop(&mut self) {
        for lane in [&self.incoming, &self.outgoing] {
            let mut lane = lane.lock().unwrap();
            lane.closed = true;
            lane.wake();
        }
    }
}

impl ByteStream for End<u8> {
    fn try_connected(&mut self) -> io::Result<bool> {
        Ok(true)
    }
    fn try_read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let taken = self.take(buffer.len())?;
        buffer[..taken.len()].copy_from_slice(&taken);
        Ok(taken.len())
    }
    fn try_read_spare(&mut self, buffer: &mut Vec<u8>) -> io::Result<usize> {
        let taken = self.take(buffer.capacity() - buffer.len())?;
        buffer.extend_from_slice(&taken);
        Ok(taken.len())
    }
    fn try_write(&mut self, chunks: &[IoSlice<'_>]) -> io::Result<usize> {
        self.put(chunks.iter().flat_map(|chunk| chunk.iter().copied()))
    }
    fn source(&self) -> Source<'_> {
        Source::Waker
    }
    fn set_waker(&mut self, waker: &Waker) {
        self.listen_for_changes(waker);
    }
    fn peer_address(&self) -> &str {
        "memory"
    }
    fn local_endpoint(&self) -> String {
        format!("memory://{}", self.name)
    }
    fn remote_endpoint(&self) -> String {
        self.local_endpoint()
    }
}

impl FramedStream for End<Vec<u8>> {
    fn try_connected(&mut self) -> io::Result<bool> {
        Ok(true)
    }
    fn try_receive(&mut self) -> io::Result<Vec<u8>> {
        self.take(1)?
            .pop()
            .ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }
    fn try_transmit(&mut self, unit: &[u8]) -> io::Result<()> {
        self.put(std::iter::once(unit.to_vec())).map(drop)
    }
    fn source(&self) -> Source<'_> {
        Source::Waker
    }
    fn set_waker(&mut self, waker: &Waker) {
        self.listen_for_changes(waker);
    }
    fn peer_address(&self) -> &str {
        "memory"
    }
    fn local_endpoint(&self) -> String {
        format!("units://{}", self.name)
    }
    fn remote_endpoint(&self) -> String {
        self.local_endpoint()
    }
}

/// Connections that wait to be accepted.
#[derive(Default)]
struct Queue {
    waiting: VecDeque<Connection>,
    waker: Option<Waker>,
}

type Names = Arc<Mutex<HashMap<String, Arc<Mutex<Queue>>>>>;

/// The transport, of either kind.
pub struct Memory {
    schemes: [&'static str; 1],
    names: Names,
}

impl Memory {
    pub fn of_octets() -> Memory {
        Memory {
            schemes: ["memory"],
            names: Names::default(),
        }
    }

    pub fn of_units() -> Memory {
        Memory {
            schemes: ["units"],
            names: Names::default(),
        }
    }

    fn pair(&self, name: &str) -> (Connection, Connection) {
        if self.schemes == ["memory"] {
            let (one, other) = End::<u8>::pair(name);
            return (
                Connection::Bytes(Box::new(one)),
                Connection::Bytes(Box::new(other)),
            );
        }
        let (one, other) = End::<Vec<u8>>::pair(name);
        (
            Connection::Framed(Box::new(one)),
            Connection::Framed(Box::new(other)),
        )
    }
}

impl Transport for Memory {
    fn schemes(&self) -> &[&'static str] {
        &self.schemes
    }

    fn check(&self, address: &str, _: Role) -> Result<(), AddressError> {
        match address.find(|c: char| !c.is_ascii_lowercase()) {
            None => Ok(()),
            at => Err(AddressError::Unexpected {
                at: at.unwrap(),
                met: address[at.unwrap()..].chars().next(),
                expected: "a lower-case letter",
            }),
        }
    }

    /// A name `both` stands for two targets, the first of which nobody listens on.
    fn resolve(&self, address: &str, _: &StreamOptions) -> io::Result<Vec<String>> {
        match address {
            "both" => Ok(vec!["nobody".to_owned(), "somebody".to_owned()]),
            _ => Ok(vec![address.to_owned()]),
        }
    }

    fn connect(&self, target: &str, _: &StreamOptions) -> io::Result<Connection> {
        let names = self.names.lock().unwrap();
        let mut queue = names
            .get(target)
            .ok_or(io::ErrorKind::ConnectionRefused)?
            .lock()
            .unwrap();
        let (ours, theirs) = self.pair(target);
        queue.waiting.push_back(theirs);
        if let Some(waker) = queue.waker.take() {
            waker.wake();
        }
        Ok(ours)
    }

    fn listen(&self, address: &str, _: &StreamOptions) -> io::Result<Box<dyn Listener>> {
        let queue = Arc::<Mutex<Queue>>::default();
        self.names
            .lock()
            .unwrap()
            .insert(address.to_owned(), Arc::clone(&queue));
        Ok(Box::new(MemoryListener {
            queue,
            endpoint: format!("{}://{address}", self.schemes[0]),
        }))
    }
}

struct MemoryListener {
    queue: Arc<Mutex<Queue>>,
    endpoint: String,
}

impl Listener for MemoryListener {
    fn try_accept(&mut self) -> io::Result<Connection> {
        self.queue
            .lock()
            .unwrap()
            .waiting
            .pop_front()
            .ok_or_else(|| io::ErrorKind::WouldBlock.into())
    }
    fn endpoint(&self) -> &str {
        &self.endpoint
    }
    fn source(&self) -> Source<'_> {
        Source::Waker
    }
    fn set_waker(&mut self, waker: &Waker) {
        self.queue.lock().unwrap().waker = Some(waker.clone());
    }
}
