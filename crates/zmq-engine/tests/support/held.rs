//! A transport whose next write can be held up, and made to fail, and whose writes can be counted.

use std::io::{self, IoSlice};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Waker;

use zmq_engine::Context;
use zmq_engine::transport::{
    AddressError, ByteStream, Connection, Listener, Role, Source, StreamOptions, Tcp, Transport,
};

#[derive(Default)]
pub struct Hold {
    pub armed: AtomicBool,
    pub held: AtomicBool,
    pub release: AtomicBool,
    pub fail: AtomicBool,
    /// Whatever is read is empty messages, and there are always more.
    pub endless: AtomicBool,
    /// Whatever is written is thrown away, and this tells how many octets at once.
    pub swallowed: Mutex<Option<Vec<usize>>>,
}

struct HeldListener(Box<dyn Listener>, String, Arc<Hold>);
impl Listener for HeldListener {
    fn try_accept(&mut self) -> io::Result<Connection> {
        let Connection::Bytes(stream) = self.0.try_accept()? else {
            unreachable!()
        };
        Ok(Connection::Bytes(Box::new(HeldStream(
            stream,
            Arc::clone(&self.2),
        ))))
    }
    fn endpoint(&self) -> &str {
        &self.1
    }
    fn source(&self) -> Source<'_> {
        self.0.source()
    }
}

struct Held(Tcp, Arc<Hold>);
struct HeldStream(Box<dyn ByteStream>, Arc<Hold>);

impl Transport for Held {
    fn schemes(&self) -> &[&'static str] {
        &["held"]
    }
    fn check(&self, address: &str, role: Role) -> Result<(), AddressError> {
        self.0.check(address, role)
    }
    fn resolve_blocks(&self, _: &str) -> bool {
        false
    }
    fn connect(&self, target: &str, options: &StreamOptions) -> io::Result<Connection> {
        let Connection::Bytes(stream) = self.0.connect(target, options)? else {
            unreachable!("tcp is a stream")
        };
        Ok(Connection::Bytes(Box::new(HeldStream(
            stream,
            Arc::clone(&self.1),
        ))))
    }
    fn listen(&self, address: &str, options: &StreamOptions) -> io::Result<Box<dyn Listener>> {
        let listener = self.0.listen(address, options)?;
        let endpoint = listener.endpoint().replace("tcp", "held");
        Ok(Box::new(HeldListener(
            listener,
            endpoint,
            Arc::clone(&self.1),
        )))
    }
}

impl ByteStream for HeldStream {
    fn try_connected(&mut self) -> io::Result<bool> {
        self.0.try_connected()
    }
    fn try_read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.1.endless.load(Ordering::SeqCst) {
            buffer.fill(0);
            return Ok(buffer.len());
        }
        self.0.try_read(buffer)
    }
    fn try_read_spare(&mut self, buffer: &mut Vec<u8>) -> io::Result<usize> {
        self.0.try_read_spare(buffer)
    }
    fn try_write(&mut self, chunks: &[IoSlice<'_>]) -> io::Result<usize> {
        if self.1.armed.swap(false, Ordering::SeqCst) {
            self.1.held.store(true, Ordering::SeqCst);
            while !self.1.release.load(Ordering::SeqCst) {
                std::thread::yield_now();
            }
            if self.1.fail.load(Ordering::SeqCst) {
                return Err(io::ErrorKind::BrokenPipe.into());
            }
        }
        if let Some(swallowed) = &mut *self.1.swallowed.lock().unwrap() {
            let octets = chunks.iter().map(|chunk| chunk.len()).sum();
            swallowed.push(octets);
            return Ok(octets);
        }
        self.0.try_write(chunks)
    }
    fn source(&self) -> Source<'_> {
        self.0.source()
    }
    fn set_waker(&mut self, waker: &Waker) {
        self.0.set_waker(waker);
    }
    fn peer_address(&self) -> &str {
        self.0.peer_address()
    }
    fn local_endpoint(&self) -> String {
        self.0.local_endpoint()
    }
    fn remote_endpoint(&self) -> String {
        self.0.remote_endpoint()
    }
}

pub fn held(context: &Context) -> Arc<Hold> {
    let hold = Arc::new(Hold::default());
    context
        .register_transport(Arc::new(Held(Tcp::new(), Arc::clone(&hold))))
        .unwrap();
    hold
}
