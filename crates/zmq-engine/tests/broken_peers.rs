//! A peer that can only be heard any more, and has said more than anybody will receive, keeps nobody.
#![cfg(unix)]

mod support;

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::fd::AsFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::mpsc::{self, RecvTimeoutError};

use support::*;
use zmq_engine::{Context, Happening, SocketType};

/// Unasked replies: more than may wait, by more than the turns in which a broken link is read.
const UNASKED: usize = 50;

/// Octets that nobody reads of a peer at its mark, unless it is broken.
const DRAINED: usize = 2 * 1024 * 1024;

/// Says what it likes.
struct Peer(UnixStream);

impl Peer {
    fn accept(listener: &UnixListener, socket_type: &str) -> Peer {
        poll(&listener.as_fd(), PATIENCE);
        let (stream, _) = listener.accept().expect("it dials");
        stream.set_nonblocking(false).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut peer = Peer(stream);
        let mut greeting = vec![0xFF, 0, 0, 0, 0, 0, 0, 0, 0, 0x7F, 3, 1];
        greeting.extend_from_slice(b"NULL");
        greeting.resize(64, 0);
        peer.say(&greeting);
        let mut ready = b"\x04\0\x05READY\x0bSocket-Type\0\0\0".to_vec();
        ready.push(u8::try_from(socket_type.len()).unwrap());
        ready.extend_from_slice(socket_type.as_bytes());
        ready[1] = u8::try_from(ready.len() - 2).unwrap();
        peer.say(&ready);
        peer.hear(64);
        let [_, size] = peer.hear(2)[..] else {
            unreachable!()
        };
        peer.hear(usize::from(size));
        peer
    }

    fn say(&mut self, octets: &[u8]) {
        self.0.write_all(octets).unwrap();
    }

    fn hear(&mut self, count: usize) -> Vec<u8> {
        let mut octets = vec![0; count];
        self.0.read_exact(&mut octets).unwrap();
        octets
    }

    fn reply(&mut self, body: u8) {
        self.say(&[1, 0, 0, 100]);
        self.say(&[body; 100]);
    }
}

/// A place to listen at, which is gone with it.
struct Hall {
    path: std::path::PathBuf,
    listener: UnixListener,
}

impl Hall {
    fn open(name: &str) -> Hall {
        let name = format!("zmq-broken-{name}-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        let _ = std::fs::remove_file(&path);
        let listener = UnixListener::bind(&path).unwrap();
        listener.set_nonblocking(true).unwrap();
        Hall { path, listener }
    }

    fn endpoint(&self) -> String {
        format!("ipc://{}", self.path.display())
    }
}

impl Drop for Hall {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

#[test]
fn unasked_replies_do_not_keep_a_broken_peer() {
    // With room for one the queue is empty after each that is received; with room for more it is not read on from then.
    for mark in [1, 10] {
        let hall = Hall::open("req");
        let context = Context::new().unwrap();
        let req = open_with(&context, SocketType::Req, |options| {
            options.recv_hwm = Some(mark);
        });
        req.connect(&hall.endpoint()).unwrap();
        let mut rep = Peer::accept(&hall.listener, "REP");
        send(&req, "first");
        assert_eq!(rep.hear(9), b"\x01\0\0\x05first");
        rep.reply(b'a');
        assert_eq!(recv(&req).first(), &[b'a'; 100]);
        for _ in 0..UNASKED {
            rep.reply(b'u');
        }
        until(&req, |req| req.peers()[0].queued_in > 0);
        // It hears nothing any more, and is heard still.
        rep.0.shutdown(Shutdown::Read).unwrap();
        send(&req, "second");
        assert_eq!(recv(&req).first(), &[b'u'; 100]);
        let mut other = Peer::accept(&hall.listener, "REP");
        // Nobody has heard it, so it waits for whoever comes next.
        assert_eq!(other.hear(10), b"\x01\0\0\x06second");
    }
}

#[test]
fn unasked_replies_without_end_hold_up_nobody_else() {
    let (hall, other) = (Hall::open("flood"), Hall::open("calm"));
    let context = Context::new().unwrap();
    let req = open_with(&context, SocketType::Req, |options| {
        options.recv_hwm = Some(1);
        // Where it was let go of nothing is to wait for it to come back.
        options.immediate = true;
    });
    req.connect(&hall.endpoint()).unwrap();
    let mut rep = Peer::accept(&hall.listener, "REP");
    until_connected(&req, 1);
    rep.0.shutdown(Shutdown::Read).unwrap();
    // The answer to this cannot be written.
    rep.say(b"\x04\x07\x04PING\0\0");
    let (drained, is_drained) = mpsc::channel();
    let flood = std::thread::spawn(move || {
        let octets = [0; 64 * 1024];
        let mut said = 0;
        while rep.0.write_all(&octets).is_ok() {
            said += octets.len();
            if said >= DRAINED {
                let _ = drained.send(());
            }
        }
    });
    // So much was read, or it paused and was let go of: either way it is known for what it is.
    let waited = is_drained.recv_timeout(PATIENCE);
    assert_ne!(waited, Err(RecvTimeoutError::Timeout));
    req.connect(&other.endpoint()).unwrap();
    let mut calm = Peer::accept(&other.listener, "REP");
    until(&req, |req| {
        let mut peers = req.peers().into_iter();
        peers.any(|peer| peer.ready && peer.endpoint == other.endpoint())
    });
    for _ in 0..100 {
        send(&req, "ask");
        assert_eq!(calm.hear(7), b"\x01\0\0\x03ask");
        calm.reply(b'r');
        // What floods has no empty frame in front, and is no reply.
        assert_eq!(recv(&req).first(), &[b'r'; 100]);
    }
    req.close(None);
    flood.join().unwrap();
}

#[test]
fn a_closing_socket_does_not_wait_for_a_broken_peer_to_be_received() {
    let hall = Hall::open("pair");
    let context = Context::new().unwrap();
    let pair = open_with(&context, SocketType::Pair, |options| {
        options.recv_hwm = Some(1);
    });
    pair.connect(&hall.endpoint()).unwrap();
    let mut peer = Peer::accept(&hall.listener, "PAIR");
    drop(hall);
    until_connected(&pair, 1);
    for _ in 0..3 {
        peer.say(&[0, 1, b'u']);
    }
    until(&pair, |pair| pair.peers()[0].queued_in > 0);
    peer.0.shutdown(Shutdown::Read).unwrap();
    let monitor = pair.monitor().unwrap();
    send(&pair, "into the void");
    pair.begin_close(Some(2 * PATIENCE));
    // It is read to its end, which is the end of the link, and not of the time that is given.
    await_event(&monitor, |event| {
        matches!(
            event,
            Happening::Closed {
                was_ready: true,
                ..
            }
        )
        .then_some(())
    });
}
