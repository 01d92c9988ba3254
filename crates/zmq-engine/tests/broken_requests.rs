//! A REQ whose peer has broken off finds another, whatever that peer has said before.
#![cfg(unix)]

mod support;

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::fd::AsFd;
use std::os::unix::net::{UnixListener, UnixStream};

use support::*;
use zmq_engine::{Context, SocketType};

/// Unasked replies: more than are read before the mark is seen, and more octets than are read at once.
const UNASKED: usize = 2000;

/// A REP in the flesh: it says what it likes.
struct Rep(UnixStream);

impl Rep {
    fn accept(listener: &UnixListener) -> Rep {
        poll(&listener.as_fd(), PATIENCE);
        let (stream, _) = listener.accept().expect("it dials");
        stream.set_nonblocking(false).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut rep = Rep(stream);
        let mut greeting = vec![0xFF, 0, 0, 0, 0, 0, 0, 0, 0, 0x7F, 3, 1];
        greeting.extend_from_slice(b"NULL");
        greeting.resize(64, 0);
        rep.say(&greeting);
        rep.say(b"\x04\x19\x05READY\x0bSocket-Type\0\0\0\x03REP");
        rep.hear(64);
        let [_, size] = rep.hear(2)[..] else {
            unreachable!()
        };
        rep.hear(usize::from(size));
        rep
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

#[test]
fn unasked_replies_do_not_keep_a_broken_peer() {
    let place = std::env::temp_dir().join(format!("zmq-broken-requests-{}", std::process::id()));
    let _ = std::fs::remove_file(&place);
    let listener = UnixListener::bind(&place).unwrap();
    let context = Context::new().unwrap();
    let req = open_with(&context, SocketType::Req, |options| {
        options.recv_hwm = Some(1);
    });
    req.connect(&format!("ipc://{}", place.display())).unwrap();
    listener.set_nonblocking(true).unwrap();
    let mut rep = Rep::accept(&listener);
    send(&req, "first");
    assert_eq!(rep.hear(9), b"\x01\0\0\x05first");
    rep.reply(b'a');
    assert_eq!(recv(&req).first(), &[b'a'; 100]);
    let mut talking = rep.0.try_clone().map(Rep).unwrap();
    let talker = std::thread::spawn(move || {
        for _ in 0..UNASKED {
            talking.reply(b'u');
        }
    });
    until(&req, |req| req.peers()[0].queued_in > 0);
    // It hears nothing any more, and is heard still.
    rep.0.shutdown(Shutdown::Read).unwrap();
    send(&req, "second");
    assert_eq!(recv(&req).first(), &[b'u'; 100]);
    let mut other = Rep::accept(&listener);
    talker.join().unwrap();
    // Nobody has heard it, so it waits for whoever comes next.
    assert_eq!(other.hear(10), b"\x01\0\0\x06second");
    std::fs::remove_file(&place).unwrap();
}
