//! Waiting for sockets, and connected pairs.
#![allow(dead_code, unreachable_pub)] // Each test binary uses a part of it.

use std::io;
use std::path::PathBuf;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use zmq_transport::{ByteStream, Connection, Listener, Registry, Role, Source, StreamOptions};

/// How long anything may take before a test fails, seconds.
const PATIENCE: i64 = 20;

pub fn wait(source: Source<'_>, flags: PollFlags) {
    let Source::Descriptor(descriptor) = source else {
        panic!("a source without descriptor")
    };
    let patience = Timespec {
        tv_sec: PATIENCE,
        tv_nsec: 0,
    };
    let ready = poll(
        &mut [PollFd::from_borrowed_fd(descriptor, flags)],
        Some(&patience),
    );
    assert_eq!(ready, Ok(1), "nothing happened for {PATIENCE} s");
}

pub fn listen_with(endpoint: &str, options: &StreamOptions) -> io::Result<Box<dyn Listener>> {
    let registry = Registry::standard();
    let parsed = registry.parse(endpoint, Role::Bind)?;
    parsed.transport.listen(parsed.address, options)
}

pub fn listen(endpoint: &str) -> io::Result<Box<dyn Listener>> {
    listen_with(endpoint, &StreamOptions::default())
}

/// Tries all addresses until one stands.
pub fn dial_with(endpoint: &str, options: &StreamOptions) -> io::Result<Box<dyn ByteStream>> {
    let registry = Registry::standard();
    let parsed = registry.parse(endpoint, Role::Connect)?;
    let mut failure = io::Error::from(io::ErrorKind::NotFound);
    for target in parsed.transport.resolve(parsed.address, options)? {
        match parsed
            .transport
            .connect(&target, options)
            .and_then(|started| established(bytes(started)))
        {
            Ok(stream) => return Ok(stream),
            Err(error) => failure = error,
        }
    }
    Err(failure)
}

pub fn established(mut stream: Box<dyn ByteStream>) -> io::Result<Box<dyn ByteStream>> {
    while !stream.try_connected()? {
        wait(stream.source(), PollFlags::OUT);
    }
    Ok(stream)
}

pub fn dial(endpoint: &str) -> io::Result<Box<dyn ByteStream>> {
    dial_with(endpoint, &StreamOptions::default())
}

pub fn bytes(connection: Connection) -> Box<dyn ByteStream> {
    match connection {
        Connection::Bytes(stream) => stream,
        other => panic!("{other:?} is not a byte stream"),
    }
}

pub fn accept(listener: &mut dyn Listener) -> Box<dyn ByteStream> {
    wait(listener.source(), PollFlags::IN);
    bytes(listener.try_accept().unwrap())
}

/// Reads one piece.
pub fn read(stream: &mut dyn ByteStream) -> Vec<u8> {
    wait(stream.source(), PollFlags::IN);
    let mut buffer = Vec::with_capacity(64);
    stream.try_read_spare(&mut buffer).unwrap();
    buffer
}

pub fn port_of(endpoint: &str) -> u16 {
    endpoint.rsplit(':').next().unwrap().parse().unwrap()
}

/// What an operation that must fail has to say.
pub fn failure<T>(outcome: io::Result<T>) -> io::Error {
    outcome.err().expect("this must fail")
}

/// A directory that vanishes with the test.
pub struct Scratch(PathBuf);

impl Scratch {
    pub fn new(name: &str) -> Scratch {
        let path = std::env::temp_dir().join(format!("zt-{}-{name}", std::process::id()));
        std::fs::create_dir(&path).unwrap();
        Scratch(path)
    }

    pub fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }

    /// The names of the files in it.
    pub fn files(&self) -> Vec<String> {
        let names = std::fs::read_dir(&self.0)
            .unwrap()
            .map(|entry| entry.unwrap().file_name());
        names.map(|name| name.into_string().unwrap()).collect()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
