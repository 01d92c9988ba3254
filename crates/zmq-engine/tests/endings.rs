//! What must end, ends, and with the right numbers.

mod support;

use std::io::{Read, Write};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use support::*;
use zmq_engine::{Context, ContextOptions, DriverMode, Happening, Loss, MonitorItem, SocketType};

#[test]
fn a_name_bound_after_the_close_still_gets_what_was_sent() {
    let context = Context::new().unwrap();
    let push = open(&context, SocketType::Push);
    push.connect("inproc://late").unwrap();
    send(&push, "last words");
    push.begin_close(None);
    let pull = open(&context, SocketType::Pull);
    pull.bind("inproc://late").unwrap();
    assert_eq!(text(&recv(&pull)), ["last words"]);
    assert_eq!(push.close(None).unsent, 0);
}

#[test]
fn a_name_that_nobody_will_bind_does_not_hold_up_the_end() {
    let context = Context::new().unwrap();
    let push = open_with(&context, SocketType::Push, |options| options.linger = None);
    push.connect("inproc://never").unwrap();
    send(&push, "nobody");
    drop(push);
    assert!(context.terminate(Some(PATIENCE)).unwrap());
}

#[test]
fn disconnecting_a_name_that_nobody_bound_leaves_nothing() {
    let context = Context::new().unwrap();
    let push = open(&context, SocketType::Push);
    for _ in 0..3 {
        push.connect("inproc://nobody").unwrap();
        push.disconnect("inproc://nobody").unwrap();
    }
    assert!(push.peers().is_empty());
    assert!(push.try_send("x".into()).is_err());
}

#[test]
fn disconnecting_a_binder_that_left_harms_no_other_peer() {
    let context = Context::new().unwrap();
    let dealer = open(&context, SocketType::Dealer);
    let binder = open(&context, SocketType::Dealer);
    binder.bind("inproc://first").unwrap();
    dealer.connect("inproc://first").unwrap();
    binder.close(None);
    until(&dealer, |dealer| dealer.peers().is_empty());
    let other = open(&context, SocketType::Dealer);
    let endpoint = other.bind("tcp://127.0.0.1:0").unwrap();
    dealer.connect(&endpoint).unwrap();
    until_connected(&dealer, 1);
    assert!(dealer.disconnect("inproc://first").is_err());
    send(&dealer, "still here");
    assert_eq!(text(&recv(&other)), ["still here"]);
}

#[test]
fn what_waits_behind_a_handshake_is_in_the_report() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let context = Context::new().unwrap();
    let push = open(&context, SocketType::Push);
    let monitor = push.monitor().unwrap();
    let endpoint = format!("tcp://{}", silent.local_addr().unwrap());
    push.connect(&endpoint).unwrap();
    for _ in 0..3 {
        send(&push, "waits");
    }
    await_event(&monitor, |what| {
        matches!(what, Happening::Connected { .. }).then_some(())
    });
    assert_eq!(push.close(Some(Duration::from_millis(20))).unsent, 3);
    assert_eq!(push.counters().lost(Loss::Lingered), 3);
    loop {
        match monitor.next_timeout(Some(PATIENCE)) {
            MonitorItem::Event(event) => assert_ne!(event.what, Happening::GaveUp),
            MonitorItem::Ended => break,
            MonitorItem::Pending => panic!("the monitor does not end"),
        }
    }
}

#[test]
fn a_context_without_a_driver_ends_its_sockets() {
    let mut options = ContextOptions::default();
    options.driver = DriverMode::Manual;
    let context = Context::with(options).unwrap();
    let push = open(&context, SocketType::Push);
    push.connect("tcp://127.0.0.1:1").unwrap();
    push.try_send("queued".into()).unwrap();
    drop(context);
    assert_eq!(push.close(None).unsent, 1);
}

#[test]
fn every_thread_that_terminates_hears_of_the_end() {
    let context = Context::new().unwrap();
    let socket = open(&context, SocketType::Pull);
    std::thread::scope(|scope| {
        let waiting: Vec<_> = (0..3)
            .map(|_| scope.spawn(|| context.terminate(Some(PATIENCE)).unwrap()))
            .collect();
        drop(socket);
        for waits in waiting {
            assert!(waits.join().unwrap());
        }
    });
}

#[test]
fn a_monitor_of_a_closed_socket_has_ended() {
    let context = Context::new().unwrap();
    let socket = open(&context, SocketType::Pull);
    socket.close(None);
    let monitor = socket.monitor().unwrap();
    assert_eq!(monitor.next_timeout(Some(PATIENCE)), MonitorItem::Ended);
}

#[test]
fn a_peer_that_takes_nothing_and_sends_without_end_holds_up_nobody() {
    let context = Context::new().unwrap();
    let hold = held::held(&context);
    let push = Arc::new(open(&context, SocketType::Push));
    let monitor = push.monitor().unwrap();
    let real = push.bind("held://127.0.0.1:0").unwrap();
    let mut stranger = std::net::TcpStream::connect(real.strip_prefix("held://").unwrap()).unwrap();
    stranger
        .write_all(&zmq_testkit::octets::opening("PULL"))
        .unwrap();
    until_connected(&push, 1);
    // The driver has come to rest when the socket's part of the handshake is here.
    stranger.read_exact(&mut [0; 64]).unwrap();
    hold.release.store(true, Ordering::SeqCst);
    hold.fail.store(true, Ordering::SeqCst);
    hold.endless.store(true, Ordering::SeqCst);
    hold.armed.store(true, Ordering::SeqCst);
    let (tell, told) = std::sync::mpsc::channel();
    let sender = Arc::clone(&push);
    std::thread::spawn(move || {
        let _ = sender.send("x".into(), Some(PATIENCE));
        let _ = tell.send(());
    });
    told.recv_timeout(Duration::from_secs(5))
        .expect("the sender comes back");
    // The stream's end is still the end of the link.
    hold.endless.store(false, Ordering::SeqCst);
    drop(stranger);
    await_event(&monitor, |what| {
        matches!(
            what,
            Happening::Closed {
                was_ready: true,
                ..
            }
        )
        .then_some(())
    });
}
