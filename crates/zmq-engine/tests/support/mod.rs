//! What the tests of the engine share: sockets, endpoints, and a bound on every wait.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test program uses a part of it"
)]

pub mod held;
pub mod stranger;

use std::time::Duration;

use zmq_engine::{
    Context, Happening, Message, Monitor, MonitorItem, Socket, SocketOptions, SocketType,
};

/// Long enough for a slow machine; a wait that reaches it has failed.
pub const PATIENCE: Duration = Duration::from_secs(20);

pub fn open(context: &Context, socket_type: SocketType) -> Socket {
    open_with(context, socket_type, |_| {})
}

pub fn open_with(
    context: &Context,
    socket_type: SocketType,
    change: impl FnOnce(&mut SocketOptions),
) -> Socket {
    let mut options = SocketOptions::default();
    options.linger = Some(Duration::ZERO);
    change(&mut options);
    Socket::open(context, socket_type, options).expect("a socket opens")
}

/// An endpoint to bind for each transport; the name keeps tests apart.
pub fn endpoints(name: &str) -> [String; 3] {
    [
        "tcp://127.0.0.1:0".to_owned(),
        format!("ipc://@zmq-engine-{}-{name}", std::process::id()),
        format!("inproc://{name}"),
    ]
}

pub fn send(socket: &Socket, message: impl Into<Message>) {
    socket
        .send(message.into(), Some(PATIENCE))
        .expect("the message is accepted");
}

pub fn recv(socket: &Socket) -> Message {
    socket.recv(Some(PATIENCE)).expect("a message comes")
}

pub fn frames(parts: &[&str]) -> Message {
    parts.iter().copied().collect()
}

pub fn text(message: &Message) -> Vec<String> {
    message
        .frames()
        .iter()
        .map(|frame| String::from_utf8_lossy(frame).into_owned())
        .collect()
}

/// Waits until `done` holds, woken by changes of the socket.
pub fn until(socket: &Socket, mut done: impl FnMut(&Socket) -> bool) {
    let mut waiter = socket.waiter();
    let deadline = std::time::Instant::now() + PATIENCE;
    loop {
        let _ = socket.events();
        if done(socket) {
            return;
        }
        let left = deadline.saturating_duration_since(std::time::Instant::now());
        assert!(!left.is_zero(), "waited in vain");
        poll(&waiter.descriptor(), left);
        waiter.look();
    }
}

pub fn poll(fd: &std::os::fd::BorrowedFd<'_>, timeout: Duration) {
    use rustix::event::{PollFd, PollFlags};
    let timeout = rustix::time::Timespec {
        tv_sec: i64::try_from(timeout.as_secs()).unwrap(),
        tv_nsec: i64::from(timeout.subsec_nanos()),
    };
    let mut fds = [PollFd::new(fd, PollFlags::IN)];
    let _ = rustix::event::poll(&mut fds, Some(&timeout));
}

pub fn until_connected(socket: &Socket, peers: usize) {
    until(socket, |socket| socket.connected_peers() >= peers);
}

pub fn until_subscribed(socket: &Socket, subscribers: usize) {
    until(socket, |socket| socket.subscriber_count() >= subscribers);
}

/// The next event that `pick` wants.
pub fn await_event<T>(monitor: &Monitor, mut pick: impl FnMut(&Happening) -> Option<T>) -> T {
    loop {
        match monitor.next_timeout(Some(PATIENCE)) {
            MonitorItem::Event(event) => {
                if let Some(picked) = pick(&event.what) {
                    return picked;
                }
            }
            MonitorItem::Pending => panic!("the event did not come"),
            MonitorItem::Ended => panic!("the socket ended first"),
        }
    }
}
