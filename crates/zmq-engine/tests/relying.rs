//! Tasks that leave the streams to the context's driver are called whenever there is something for them.

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::task::{Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use support::*;
use zmq_engine::{Context, Message, RecvError, Socket, SocketType};

/// A task that is a thread: it parks until its waker is called.
struct Parked {
    thread: Thread,
    called: AtomicBool,
}

impl Wake for Parked {
    fn wake(self: Arc<Self>) {
        self.called.store(true, Ordering::SeqCst);
        self.thread.unpark();
    }
}

impl Parked {
    fn here() -> Arc<Parked> {
        Arc::new(Parked {
            thread: thread::current(),
            called: AtomicBool::new(false),
        })
    }

    fn wait(&self) {
        let began = Instant::now();
        while !self.called.swap(false, Ordering::SeqCst) {
            assert!(began.elapsed() < PATIENCE, "nobody called");
            thread::park_timeout(PATIENCE);
        }
    }
}

/// Receives as a task does that has nothing but its waker.
fn recv_relying(socket: &Socket) -> Message {
    match socket.try_recv_queued() {
        Err(RecvError::WouldBlock) => {}
        done => return done.unwrap(),
    }
    let parked = Parked::here();
    let waker = Waker::from(Arc::clone(&parked));
    let mut watcher = socket.watcher();
    watcher.rely_on_driver();
    loop {
        watcher.set_waker(&waker);
        match socket.try_recv() {
            Err(RecvError::WouldBlock) => {}
            done => return done.unwrap(),
        }
        watcher.rest();
        parked.wait();
    }
}

fn pairs(name: &str) -> impl Iterator<Item = (Socket, Socket)> {
    let context = Context::new().unwrap();
    endpoints(name).into_iter().map(move |endpoint| {
        let (left, right) = (
            open(&context, SocketType::Pair),
            open(&context, SocketType::Pair),
        );
        right.connect(&left.bind(&endpoint).unwrap()).unwrap();
        until_connected(&left, 1);
        until_connected(&right, 1);
        (left, right)
    })
}

#[test]
fn messages_that_come_one_by_one_are_read_before_the_task_is_called() {
    for (left, right) in pairs("one-by-one") {
        let parked = Parked::here();
        let waker = Waker::from(Arc::clone(&parked));
        let mut watcher = right.watcher();
        watcher.rely_on_driver();
        for _ in 0..100 {
            watcher.set_waker(&waker);
            assert_eq!(right.try_recv(), Err(RecvError::WouldBlock));
            watcher.rest();
            send(&left, "x");
            let began = Instant::now();
            while right.try_recv_queued().is_err() {
                assert!(began.elapsed() < PATIENCE, "it was not read");
                parked.wait();
                watcher.set_waker(&waker);
            }
        }
    }
}

#[test]
fn two_tasks_that_answer_each_other_are_never_left_waiting() {
    const TRIPS: u32 = 5_000;
    for (left, right) in pairs("trips") {
        let began = Instant::now();
        thread::scope(|scope| {
            scope.spawn(|| {
                for _ in 0..TRIPS {
                    let message = recv_relying(&right);
                    send(&right, message);
                }
            });
            for trip in 0..TRIPS {
                send(&left, trip.to_string());
                assert_eq!(text(&recv_relying(&left)), [trip.to_string()]);
            }
        });
        // The driver looks after forgotten sockets every few milliseconds. None of these is.
        assert!(began.elapsed() < PATIENCE);
    }
}

#[test]
fn floods_with_pauses_between_them_arrive_whole() {
    const FLOODS: u32 = 50;
    for (left, right) in pairs("floods") {
        thread::scope(|scope| {
            scope.spawn(|| {
                for flood in 0..FLOODS {
                    for nth in 0..flood * 20 {
                        send(&left, nth.to_string());
                    }
                    assert_eq!(text(&recv_relying(&left)), ["go on"]);
                }
            });
            for flood in 0..FLOODS {
                for nth in 0..flood * 20 {
                    assert_eq!(text(&recv_relying(&right)), [nth.to_string()]);
                }
                send(&right, "go on");
            }
        });
    }
}

#[test]
fn a_thread_and_a_task_that_wait_for_one_socket_leave_nothing_to_each_other() {
    const MESSAGES: u32 = 5_000;
    for (left, right) in pairs("both") {
        let received = AtomicU32::new(0);
        let took = |message: &Message| {
            received.fetch_add(1, Ordering::SeqCst);
            // To each message there is an answer, so that both fall asleep again and again.
            send(&right, "got it");
            text(message) != ["end"]
        };
        thread::scope(|scope| {
            scope.spawn(|| while took(&recv_relying(&right)) {});
            scope.spawn(|| {
                loop {
                    // It leaves now and then, and comes back.
                    match right.recv(Some(Duration::from_micros(300))) {
                        Ok(message) if took(&message) => {}
                        Ok(_) => break,
                        Err(RecvError::TimedOut) => {}
                        Err(error) => panic!("{error}"),
                    }
                }
            });
            for _ in 0..MESSAGES {
                send(&left, "x");
                recv(&left);
            }
            send(&left, "end");
            send(&left, "end");
        });
        assert_eq!(received.load(Ordering::SeqCst), MESSAGES + 2);
    }
}
