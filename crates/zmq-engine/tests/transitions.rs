//! No wake-up is lost: with marks of one, every message fills an empty queue and empties a full one, and both ends wait
//! without a timeout, so that one that is not called stays where it is.
//!
//! `ZMQ_TRANSITIONS` says how many messages; `cargo xtask transitions` sends a million of each kind in a release build.

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::task::{Wake, Waker};
use std::thread::{self, Thread};

use support::*;
use zmq_engine::{Context, Message, RecvError, Socket, SocketType};

/// Few enough for a debug build in the ordinary test run.
const USUALLY: u64 = 10_000;

fn transitions() -> u64 {
    std::env::var("ZMQ_TRANSITIONS").map_or(USUALLY, |count| {
        count.parse().expect("ZMQ_TRANSITIONS is a number")
    })
}

/// Two sockets that are joined, each with marks of one.
struct Pair {
    sockets: [Arc<Socket>; 2],
    /// How far each thread has come.
    came: [Arc<AtomicU64>; 2],
    _context: Context,
}

impl Pair {
    fn new(endpoint: &str, types: [SocketType; 2]) -> Pair {
        let context = Context::new().expect("a context opens");
        let [one, two] = types.map(|socket_type| {
            Arc::new(open_with(&context, socket_type, |options| {
                options.send_hwm = Some(1);
                options.recv_hwm = Some(1);
            }))
        });
        let bound = one.bind(endpoint).expect("it binds");
        two.connect(&bound).expect("it connects");
        Pair {
            sockets: [one, two],
            came: Default::default(),
            _context: context,
        }
    }

    /// Runs both ends to their end. Fails with what is known when neither has moved for long.
    fn run(&self, ends: [fn(&Socket, &AtomicU64); 2]) {
        let (done, waiting) = channel();
        for ((socket, came), end) in self.sockets.iter().zip(&self.came).zip(ends) {
            let (socket, came, done) = (Arc::clone(socket), Arc::clone(came), done.clone());
            thread::spawn(move || {
                end(&socket, &came);
                let _ = done.send(());
            });
        }
        drop(done);
        let mut left = self.sockets.len();
        let mut before = [u64::MAX; 2];
        while left > 0 {
            match waiting.recv_timeout(PATIENCE) {
                Ok(()) => left -= 1,
                Err(RecvTimeoutError::Timeout) => {
                    let now = [0, 1].map(|end| self.came[end].load(Ordering::Relaxed));
                    assert_ne!(now, before, "nobody moves: {}", self.state());
                    before = now;
                }
                Err(RecvTimeoutError::Disconnected) => panic!("an end failed: {}", self.state()),
            }
        }
        let count = self.sockets.iter().map(|socket| socket.counters());
        let (sent, delivered) = count.fold((0, 0), |(sent, delivered), counters| {
            (sent + counters.accepted, delivered + counters.delivered)
        });
        assert_eq!(sent, delivered, "{}", self.state());
    }

    fn state(&self) -> String {
        let mut text = String::new();
        for (socket, came) in self.sockets.iter().zip(&self.came) {
            text.push_str(&format!(
                "\n{} after {} messages: {:?} {:?}",
                socket.socket_type().name(),
                came.load(Ordering::Relaxed),
                socket.counters(),
                socket.peers()
            ));
        }
        text
    }
}

fn number(message: &Message) -> u64 {
    let frame = message.frames().first().expect("it has a frame");
    u64::from_le_bytes(frame.as_ref().try_into().expect("eight octets"))
}

fn give(socket: &Socket, came: &AtomicU64) {
    for count in 0..transitions() {
        let message = Message::from(&count.to_le_bytes()[..]);
        socket.send(message, None).expect("it is accepted");
        came.store(count, Ordering::Relaxed);
    }
}

fn take(socket: &Socket, came: &AtomicU64) {
    for count in 0..transitions() {
        let message = socket.recv(None).expect("it comes");
        assert_eq!(number(&message), count);
        came.store(count, Ordering::Relaxed);
    }
}

/// Begins with a message, and answers each by one.
fn ask(socket: &Socket, came: &AtomicU64) {
    for count in 0..transitions() {
        let message = Message::from(&count.to_le_bytes()[..]);
        socket.send(message, None).expect("it is accepted");
        let message = socket.recv(None).expect("it comes");
        assert_eq!(number(&message), count);
        came.store(count, Ordering::Relaxed);
    }
}

fn answer(socket: &Socket, came: &AtomicU64) {
    for count in 0..transitions() {
        let message = socket.recv(None).expect("it comes");
        socket.send(message, None).expect("it is accepted");
        came.store(count, Ordering::Relaxed);
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// As a task does: a waker, an attempt, and nothing else.
fn take_as_task(socket: &Socket, came: &AtomicU64) {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    for count in 0..transitions() {
        let watcher = socket.watcher();
        let message = loop {
            watcher.set_waker(&waker);
            match socket.try_recv() {
                Err(RecvError::WouldBlock) => thread::park(),
                done => break done.expect("it comes"),
            }
        };
        assert_eq!(number(&message), count);
        came.store(count, Ordering::Relaxed);
    }
}

#[test]
fn a_sender_and_a_receiver_in_one_context_call_each_other() {
    let pair = Pair::new("inproc://transitions", [SocketType::Push, SocketType::Pull]);
    pair.run([give, take]);
}

#[test]
fn a_sender_and_a_receiver_over_tcp_call_each_other() {
    let pair = Pair::new("tcp://127.0.0.1:0", [SocketType::Push, SocketType::Pull]);
    pair.run([give, take]);
}

#[test]
fn each_answer_in_one_context_is_heard() {
    let pair = Pair::new("inproc://answers", [SocketType::Pair, SocketType::Pair]);
    pair.run([ask, answer]);
}

#[test]
fn each_answer_over_tcp_is_heard() {
    let pair = Pair::new("tcp://127.0.0.1:0", [SocketType::Pair, SocketType::Pair]);
    pair.run([ask, answer]);
}

#[test]
fn a_task_is_called_by_a_sender_in_its_context() {
    let pair = Pair::new("inproc://tasks", [SocketType::Push, SocketType::Pull]);
    pair.run([give, take_as_task]);
}
