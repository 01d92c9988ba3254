//! Nothing is lost, stuck or kept when links, peers and endpoints change hands.

mod support;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Wake, Waker};
use std::time::{Duration, Instant};

use support::held::held;
use support::*;
use zmq_engine::{
    Answer, Authenticator, Clock, CloseReport, Context, ContextOptions, DriverMode, Happening,
    Heartbeat, MechanismFactory, PatternOption, Question, Security, Socket, SocketOption,
    SocketType, wire,
};

/// Waits while nothing happens, so that the driver ends its rounds after the last turn of a caller and nothing but what is tested
/// turns it.
fn fall_idle(closing: &Socket) {
    poll(&closing.closed_descriptor(), Duration::from_millis(100));
}

fn close_within(
    socket: &Socket,
    linger: Option<Duration>,
    patience: Duration,
) -> Option<CloseReport> {
    socket.begin_close(linger);
    poll(&socket.closed_descriptor(), patience);
    socket.poll_closed()
}

/// Greeting and READY of a 3.1 peer with NULL, and what it says next.
fn greet(stream: &mut (impl Read + Write), socket_type: &str, extra: &[u8]) {
    let mut hello = vec![0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 3, 1];
    hello.extend_from_slice(b"NULL");
    hello.resize(64, 0);
    let mut ready = b"\x05READY\x0bSocket-Type".to_vec();
    ready.extend_from_slice(&u32::try_from(socket_type.len()).unwrap().to_be_bytes());
    ready.extend_from_slice(socket_type.as_bytes());
    hello.extend_from_slice(&[4, u8::try_from(ready.len()).unwrap()]);
    hello.extend_from_slice(&ready);
    hello.extend_from_slice(extra);
    stream.write_all(&hello).unwrap();
}
fn read_greeting(stream: &mut impl Read) {
    let mut theirs = [0; 66];
    stream.read_exact(&mut theirs).unwrap();
    let mut rest = vec![0; usize::from(theirs[65])];
    stream.read_exact(&mut rest).unwrap();
}

struct Flag(AtomicU64);
impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn close_reports_what_waits_for_a_peer_in_its_handshake() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let context = Context::new().unwrap();
    let push = open(&context, SocketType::Push);
    let monitor = push.monitor().unwrap();
    push.connect(&format!("tcp://{}", silent.local_addr().unwrap()))
        .unwrap();
    await_event(&monitor, |what| {
        matches!(what, Happening::Connected { .. }).then_some(())
    });
    for _ in 0..5 {
        push.try_send("waits".into()).unwrap();
    }
    let report = close_within(&push, Some(Duration::from_millis(100)), PATIENCE).unwrap();
    assert_eq!(report.unsent, 5);
}

#[test]
fn what_arrived_before_the_link_was_lost_is_delivered_though_nobody_dials_again() {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let context = Context::new().unwrap();
    let pull = open_with(&context, SocketType::Pull, |options| {
        options.reconnect.initial = None;
    });
    let monitor = pull.monitor().unwrap();
    pull.connect(&format!("tcp://{}", server.local_addr().unwrap()))
        .unwrap();
    let (mut stream, _) = server.accept().unwrap();
    greet(&mut stream, "PUSH", b"");
    read_greeting(&mut stream);
    for _ in 0..10 {
        stream.write_all(b"\x00\x05hello").unwrap();
    }
    drop(stream);
    await_event(&monitor, |what| {
        matches!(what, Happening::GaveUp).then_some(())
    });
    for turn in 0..10 {
        assert!(pull.try_recv().is_ok(), "only {turn} of 10");
    }
}

#[test]
fn what_arrived_before_disconnect_is_delivered() {
    let context = Context::new().unwrap();
    for endpoint in endpoints("disconnect") {
        let push = open(&context, SocketType::Push);
        let real = push.bind(&endpoint).unwrap();
        let pull = open(&context, SocketType::Pull);
        pull.connect(&real).unwrap();
        for _ in 0..10 {
            send(&push, "hello");
        }
        until(&pull, |pull| {
            pull.peers().iter().any(|peer| peer.queued_in == 10)
        });
        pull.disconnect(&real).unwrap();
        for turn in 0..10 {
            let got = pull.recv(Some(Duration::from_secs(2)));
            assert!(got.is_ok(), "{endpoint}: only {turn} of 10");
        }
    }
}

#[test]
fn a_peer_that_was_replaced_is_forgotten() {
    let context = Context::new().unwrap();
    let router = open(&context, SocketType::Router);
    router
        .set(SocketOption::Pattern(PatternOption::RouterHandover(true)))
        .unwrap();
    let real = router.bind("tcp://127.0.0.1:0").unwrap();
    let dealer = |_| {
        let dealer = open_with(&context, SocketType::Dealer, |options| {
            options.routing_id = "x".into();
            options.reconnect.initial = None;
        });
        dealer.connect(&real).unwrap();
        dealer
    };
    let old = dealer(0);
    for _ in 0..5 {
        send(&old, "unread");
    }
    until(&router, |router| {
        router.peers().iter().any(|peer| peer.queued_in == 5)
    });
    let monitor = router.monitor().unwrap();
    let new = dealer(1);
    await_event(&monitor, |what| {
        matches!(what, Happening::Closed { .. }).then_some(())
    });
    send(&new, "fresh");
    while recv(&router).frames()[1] != b"fresh"[..] {}
    let deadline = Instant::now() + Duration::from_secs(2);
    while router.peers().len() > 1 && Instant::now() < deadline {
        let _ = router.events();
        std::thread::yield_now();
    }
    assert_eq!(
        router.peers().len(),
        1,
        "the old pipe is still there: {:?}",
        router.peers()
    );
}

#[test]
fn nothing_new_is_queued_for_an_endpoint_that_was_disconnected() {
    let context = Context::new().unwrap();
    let push = open_with(&context, SocketType::Push, |options| options.linger = None);
    push.connect("tcp://127.0.0.1:1").unwrap();
    push.try_send("stays".into()).unwrap();
    push.disconnect("tcp://127.0.0.1:1").unwrap();
    assert!(push.try_send("refused".into()).is_err());
    push.set(SocketOption::Linger(Some(Duration::ZERO)))
        .unwrap();
    assert!(push.try_send("refused as well".into()).is_err());
}

#[test]
fn terminating_does_not_wait_for_an_inproc_peer_that_can_never_come() {
    let context = Context::new().unwrap();
    let push = open(&context, SocketType::Push);
    push.connect("inproc://nobody").unwrap();
    push.try_send("waits".into()).unwrap();
    push.begin_close(None);
    assert!(context.terminate(Some(Duration::from_secs(3))).unwrap());
}

#[test]
fn what_a_peer_sent_before_it_left_is_received_though_it_cannot_be_answered() {
    const COUNT: usize = 2_000;
    let context = Context::new().unwrap();
    let router = open_with(&context, SocketType::Router, |options| {
        options.recv_hwm = Some(10);
    });
    let real = router.bind("tcp://127.0.0.1:0").unwrap();
    let mut stream = TcpStream::connect(real.strip_prefix("tcp://").unwrap()).unwrap();
    greet(&mut stream, "DEALER", b"");
    read_greeting(&mut stream);
    stream.write_all(&b"\x00\x05hello".repeat(COUNT)).unwrap();
    drop(stream);
    let mut received = 0;
    while let Ok(request) = router.recv(Some(Duration::from_secs(1))) {
        received += 1;
        if received <= 5 {
            let _ = router.try_send(request);
        }
    }
    assert_eq!(received, COUNT);
}

#[test]
fn close_ends_when_a_caller_and_not_the_driver_writes_the_last_message() {
    let context = Context::new().unwrap();
    let hold = held(&context);
    let pull = open(&context, SocketType::Pull);
    let real = pull.bind("tcp://127.0.0.1:0").unwrap();
    let push = Arc::new(open(&context, SocketType::Push));
    push.connect(&real.replace("tcp", "held")).unwrap();
    until_connected(&push, 1);
    let idle = context.clone();
    fall_idle(&push);
    hold.armed.store(true, Ordering::SeqCst);
    let sender = {
        let push = Arc::clone(&push);
        std::thread::spawn(move || send(&push, "last"))
    };
    while !hold.held.load(Ordering::SeqCst) {
        std::thread::yield_now();
    }
    push.begin_close(None);
    fall_idle(&push);
    hold.release.store(true, Ordering::SeqCst);
    sender.join().unwrap();
    assert_eq!(text(&recv(&pull)), ["last"]);
    // pull is quiet from now on, so nothing else turns the driver.
    poll(&push.closed_descriptor(), Duration::from_secs(3));
    assert!(
        push.poll_closed().is_some(),
        "everything has left, and still it is closing"
    );
    drop(idle);
}

#[test]
fn a_pong_that_waits_in_the_kernel_is_a_sign_of_life() {
    let (clock, hand) = Clock::simulated();
    let mut options = ContextOptions::default();
    options.clock = clock;
    options.driver = DriverMode::Manual;
    let context = Context::with(options).unwrap();
    let pull = open_with(&context, SocketType::Pull, |options| {
        options.heartbeat = Some(Heartbeat {
            interval: Duration::from_millis(100),
            timeout: Duration::from_millis(100),
            ttl: Duration::ZERO,
        });
    });
    let real = pull.bind("tcp://127.0.0.1:0").unwrap();
    context.turn(Duration::ZERO);
    let mut stream = TcpStream::connect(real.strip_prefix("tcp://").unwrap()).unwrap();
    greet(&mut stream, "PUSH", b"");
    let end = Instant::now() + Duration::from_secs(2);
    while pull.connected_peers() == 0 {
        assert!(Instant::now() < end);
        context.turn(Duration::from_millis(1));
    }
    read_greeting(&mut stream);
    for _ in 0..20 {
        context.turn(Duration::from_millis(1));
    }
    // A caller that will come: it is registered, and busy.
    let _waiter = pull.waiter();
    hand.advance(Duration::from_millis(101));
    for _ in 0..5 {
        context.turn(Duration::from_millis(1));
    }
    let mut ping = [0; 9];
    stream.read_exact(&mut ping).unwrap();
    stream.write_all(b"\x04\x05\x04PONG").unwrap();
    // The process was stopped for a while, say.
    hand.advance(Duration::from_secs(1));
    for _ in 0..3 {
        context.turn(Duration::from_millis(1));
    }
    assert_eq!(
        pull.connected_peers(),
        1,
        "closed although the PONG is here"
    );
}

#[test]
fn a_task_that_waits_for_subscriptions_hears_of_the_second_one_of_a_peer() {
    let context = Context::new().unwrap();
    let xpub = open(&context, SocketType::XPub);
    let real = xpub.bind("tcp://127.0.0.1:0").unwrap();
    let sub = open(&context, SocketType::Sub);
    sub.subscribe(b"a").unwrap();
    sub.connect(&real).unwrap();
    assert_eq!(recv(&xpub).frames()[0], b"\x01a"[..]);
    fall_idle(&xpub);
    let flag = Arc::new(Flag(AtomicU64::new(0)));
    let watcher = xpub.watcher();
    watcher.set_waker(&Waker::from(Arc::clone(&flag)));
    assert!(xpub.try_recv().is_err());
    watcher.set_waker(&Waker::from(Arc::clone(&flag)));
    let before = flag.0.load(Ordering::SeqCst);
    sub.subscribe(b"b").unwrap();
    // Another user of the socket does the reading.
    let end = Instant::now() + Duration::from_secs(2);
    while !xpub.events().readable {
        assert!(Instant::now() < end);
    }
    assert!(
        flag.0.load(Ordering::SeqCst) > before,
        "there is a message and the task was not woken"
    );
}

/// Keeps the question until the test answers it.
#[derive(Debug, Default)]
struct Later(std::sync::Mutex<Option<Answer>>);
impl Authenticator for Later {
    fn authenticate(&self, _: Question<'_>, answer: Answer) {
        *self.0.lock().unwrap() = Some(answer);
    }
}
struct Asking;
impl MechanismFactory for Asking {
    fn mechanism(&self) -> std::io::Result<Box<dyn wire::Mechanism>> {
        Ok(Box::new(
            zmtp_mech_null::Null::new().with_authentication(true),
        ))
    }
}
#[test]
fn what_came_before_a_late_verdict_is_delivered() {
    let mut options = ContextOptions::default();
    options.driver = DriverMode::Manual;
    let context = Context::with(options).unwrap();
    let later = Arc::new(Later::default());
    let pull = open_with(&context, SocketType::Pull, |options| {
        options.security = Security::with(Arc::new(Asking));
        options.authenticator = Some(later.clone());
    });
    let real = pull.bind("tcp://127.0.0.1:0").unwrap();
    context.turn(Duration::ZERO);
    let mut stream = TcpStream::connect(real.strip_prefix("tcp://").unwrap()).unwrap();
    greet(&mut stream, "PUSH", b"\x00\x05hello");
    // Everything was read when the driver has nothing left to do.
    while context.turn(Duration::from_millis(20)) || later.0.lock().unwrap().is_none() {}
    let answer = later.0.lock().unwrap().take().unwrap();
    answer.give(wire::Verdict::Accept(wire::Properties::new()));
    while context.turn(Duration::ZERO) {}
    assert_eq!(text(&pull.try_recv().unwrap()), ["hello"]);
}

#[test]
fn try_recv_does_not_wait_for_another_thread_that_writes() {
    let context = Context::new().unwrap();
    let hold = held(&context);
    let peer = open(&context, SocketType::Dealer);
    let real = peer.bind("tcp://127.0.0.1:0").unwrap();
    let dealer = Arc::new(open(&context, SocketType::Dealer));
    dealer.connect(&real.replace("tcp", "held")).unwrap();
    until_connected(&dealer, 1);
    until_connected(&peer, 1);
    fall_idle(&peer);
    hold.armed.store(true, Ordering::SeqCst);
    let sender = {
        let dealer = Arc::clone(&dealer);
        std::thread::spawn(move || send(&dealer, "out"))
    };
    while !hold.held.load(Ordering::SeqCst) {
        std::thread::yield_now();
    }
    send(&peer, "in");
    poll(&dealer.descriptor(), PATIENCE);
    let (told, tells) = std::sync::mpsc::channel();
    let receiver = {
        let dealer = Arc::clone(&dealer);
        std::thread::spawn(move || {
            let _ = dealer.try_recv();
            let _ = told.send(());
        })
    };
    let returned = tells.recv_timeout(PATIENCE).is_ok();
    hold.release.store(true, Ordering::SeqCst);
    receiver.join().unwrap();
    sender.join().unwrap();
    assert!(returned, "it waited for the thread that writes");
}

#[test]
fn close_ends_when_a_caller_finds_the_last_link_broken() {
    let context = Context::new().unwrap();
    let hold = held(&context);
    let peer = open(&context, SocketType::Pull);
    peer.connect("tcp://127.0.0.1:1").unwrap();
    let push = Arc::new(open(&context, SocketType::Push));
    let real = push.bind("held://127.0.0.1:0").unwrap();
    peer.connect(&real.replace("held", "tcp")).unwrap();
    until_connected(&push, 1);
    peer.disconnect("tcp://127.0.0.1:1").unwrap();
    fall_idle(&push);
    hold.fail.store(true, Ordering::SeqCst);
    hold.armed.store(true, Ordering::SeqCst);
    let sender = {
        let push = Arc::clone(&push);
        std::thread::spawn(move || {
            let _ = push.try_send("last".into());
        })
    };
    while !hold.held.load(Ordering::SeqCst) {
        std::thread::yield_now();
    }
    push.begin_close(None);
    fall_idle(&push);
    hold.release.store(true, Ordering::SeqCst);
    sender.join().unwrap();
    poll(&push.closed_descriptor(), Duration::from_secs(3));
    assert!(
        push.poll_closed().is_some(),
        "nothing is left to send, and still it is closing"
    );
}

#[test]
fn what_is_sent_while_a_link_comes_up_arrives() {
    let context = Context::new().unwrap();
    let pull = open(&context, SocketType::Pull);
    let path = format!("ipc://@handing-over-{}", std::process::id());
    pull.bind(&path).unwrap();
    let end = Instant::now() + Duration::from_secs(2);
    let mut seed = 12345_u64;
    let mut rounds = 0;
    while Instant::now() < end {
        rounds += 1;
        let push = open(&context, SocketType::Push);
        push.connect(&path).unwrap();
        while push.connected_peers() == 0 {
            std::hint::spin_loop();
        }
        seed = seed
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        for _ in 0..(seed >> 33) % 3000 {
            std::hint::spin_loop();
        }
        push.try_send("x".into()).unwrap();
        let got = pull.recv(Some(Duration::from_secs(2)));
        assert!(got.is_ok(), "round {rounds}: {:?}", push.peers());
    }
}
