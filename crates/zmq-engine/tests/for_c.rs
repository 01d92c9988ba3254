//! What the C library needs of a socket beyond what the facade does.

use std::sync::Arc;
use std::time::{Duration, Instant};

use zmq_engine::{
    AcceptFilter, Context, ContextOptions, Message, RecvError, Socket, SocketOption, SocketOptions,
    SocketType,
};

fn open(context: &Context, kind: SocketType) -> Socket {
    Socket::open(context, kind, SocketOptions::default()).unwrap()
}

const SOON: Option<Duration> = Some(Duration::from_secs(10));

/// Waits until something holds, which it does soon unless it is broken.
fn until(mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(10));
        std::thread::yield_now();
    }
}

#[test]
fn unbinding_and_parting_leaves_nobody_to_send_to() {
    let context = Context::new().unwrap();
    let push = open(&context, SocketType::Push);
    let endpoint = push.bind("tcp://127.0.0.1:0").unwrap();
    let pull = open(&context, SocketType::Pull);
    pull.connect(&endpoint).unwrap();
    push.send("one".into(), SOON).unwrap();
    pull.recv(SOON).unwrap();
    push.unbind_and_part(&endpoint).unwrap();
    until(|| push.connected_peers() == 0);
    assert!(push.try_send("two".into()).unwrap_err().is_would_block());
}

#[test]
fn disconnecting_unread_delivers_nothing_of_what_had_come() {
    let context = Context::new().unwrap();
    for endpoint in ["tcp://127.0.0.1:0", "inproc://unread"] {
        let push = open(&context, SocketType::Push);
        let endpoint = push.bind(endpoint).unwrap();
        let pull = open(&context, SocketType::Pull);
        pull.connect(&endpoint).unwrap();
        for _ in 0..3 {
            push.send("old".into(), SOON).unwrap();
        }
        until(|| pull.events().readable);
        pull.disconnect_unread(&endpoint).unwrap();
        assert_eq!(pull.try_recv().unwrap_err(), RecvError::WouldBlock);
        until(|| push.connected_peers() == 0);
        pull.connect(&endpoint).unwrap();
        push.send("new".into(), SOON).unwrap();
        assert_eq!(pull.recv(SOON).unwrap().first(), b"new", "{endpoint}");
    }
}

#[derive(Debug)]
struct Nobody;

impl AcceptFilter for Nobody {
    fn admits(&self, address: &str) -> bool {
        assert_eq!(address, "127.0.0.1");
        false
    }
}

#[test]
fn whom_the_filter_turns_away_never_becomes_a_peer() {
    let context = Context::new().unwrap();
    let pull = open(&context, SocketType::Pull);
    let filter: Arc<dyn AcceptFilter> = Arc::new(Nobody);
    pull.set(SocketOption::AcceptFilter(Some(filter))).unwrap();
    let endpoint = pull.bind("tcp://127.0.0.1:0").unwrap();
    let push = open(&context, SocketType::Push);
    push.connect(&endpoint).unwrap();
    until(|| push.last_failure().is_some());
    assert_eq!(push.connected_peers(), 0);
    pull.set(SocketOption::AcceptFilter(None)).unwrap();
    push.send("late".into(), SOON).unwrap();
    assert_eq!(pull.recv(SOON).unwrap().first(), b"late");
}

#[test]
fn types_that_do_not_fit_meet_within_a_context_that_lets_them() {
    for mixes in [false, true] {
        let mut options = ContextOptions::default();
        options.inproc_mixes = mixes;
        let context = Context::with(options).unwrap();
        let pull = open(&context, SocketType::Pull);
        pull.bind("inproc://mixed").unwrap();
        let pair = open(&context, SocketType::Pair);
        assert_eq!(pair.connect("inproc://mixed").is_ok(), mixes);
        if mixes {
            pair.send("hello".into(), SOON).unwrap();
            assert_eq!(pull.recv(SOON).unwrap().first(), b"hello");
        }
    }
}

#[test]
#[cfg_attr(
    feature = "portable-poll",
    ignore = "without epoll the driver makes a descriptor that was handed out readable, a moment later, and C programs get ours with epoll"
)]
fn a_registered_descriptor_tells_of_every_change_until_somebody_looks() {
    let context = Context::new().unwrap();
    let pull = open(&context, SocketType::Pull);
    pull.bind("inproc://told").unwrap();
    let push = open(&context, SocketType::Push);
    push.connect("inproc://told").unwrap();
    let readable = || {
        let mut fds = [rustix::event::PollFd::from_borrowed_fd(
            pull.descriptor(),
            rustix::event::PollFlags::IN,
        )];
        let now = rustix::time::Timespec::default();
        rustix::event::poll(&mut fds, Some(&now)).unwrap() > 0
    };
    let mut registration = pull.register();
    let _ = pull.events();
    pull.look(&mut registration);
    assert!(!readable());
    push.send(Message::from("news"), SOON).unwrap();
    assert!(readable());
    pull.look(&mut registration);
    assert!(pull.events().readable);
    assert!(!readable());
    pull.unregister(registration);
    assert_eq!(pull.recv(SOON).unwrap().first(), b"news");
}

/// A SOCKS5 proxy for one connection: checks what it is asked and passes octets on.
fn proxy(listener: std::net::TcpListener, wanted: Vec<u8>, to: String) {
    use std::io::{Read, Write};
    let (mut client, _) = listener.accept().unwrap();
    let mut met = [0; 3];
    client.read_exact(&mut met).unwrap();
    assert_eq!(met, [5, 1, 2]);
    client.write_all(&[5, 2]).unwrap();
    let mut told = [0; 9];
    client.read_exact(&mut told).unwrap();
    assert_eq!(&told, b"\x01\x03joe\x03pwd");
    client.write_all(&[1, 0]).unwrap();
    let mut asked = vec![0; wanted.len()];
    client.read_exact(&mut asked).unwrap();
    assert_eq!(asked, wanted);
    let mut peer = std::net::TcpStream::connect(to).unwrap();
    client.write_all(&[5, 0, 0, 3, 1, b'x', 0, 1]).unwrap();
    let (mut from, mut back) = (client.try_clone().unwrap(), peer.try_clone().unwrap());
    std::thread::spawn(move || std::io::copy(&mut from, &mut peer));
    let _ = std::io::copy(&mut back, &mut client);
}

#[test]
fn a_message_goes_through_a_proxy_that_looks_the_name_up() {
    let context = Context::new().unwrap();
    let pull = open(&context, SocketType::Pull);
    let endpoint = pull.bind("tcp://127.0.0.1:0").unwrap();
    let behind = endpoint.strip_prefix("tcp://").unwrap().to_owned();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut options = SocketOptions::default();
    options.stream.proxy = Some(zmq_engine::transport::Proxy {
        address: listener.local_addr().unwrap().to_string(),
        username: "joe".into(),
        password: "pwd".into(),
    });
    let wanted = [&[5, 1, 0, 3, 4][..], b"name", &[0, 7]].concat();
    std::thread::spawn(move || proxy(listener, wanted, behind));
    let push = Socket::open(&context, SocketType::Push, options).unwrap();
    push.connect("tcp://name:7").unwrap();
    push.send("through".into(), SOON).unwrap();
    assert_eq!(pull.recv(SOON).unwrap().first(), b"through");
}
