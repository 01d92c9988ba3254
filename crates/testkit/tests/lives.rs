//! Single stories of links that come and go.

use std::time::Duration;

use zmq_engine::{Heartbeat, Reconnect, SocketOptions, SocketType};
use zmq_testkit::books::{Ledger, compose};
use zmq_testkit::octets::{message, opening, ping};
use zmq_testkit::script::SimPeer;
use zmq_testkit::{InFlight, Weather, World};

#[test]
fn a_disconnected_endpoint_gets_nothing_new_even_after_its_link_was_lost() {
    let mut world = World::new(2);
    // No room, so that messages stay queued.
    world.net.set_weather(Weather {
        room: 400,
        ..Weather::default()
    });
    let mut options = SocketOptions::default();
    options.recv_hwm = Some(1);
    let pull = world.open(SocketType::Pull, "pull", options);
    let push = world.open(SocketType::Push, "push", SocketOptions::default());
    world.bind(pull, "sim://hall");
    world.connect(push, "sim://hall");
    for number in 0..20 {
        world
            .send(push, compose(1, number))
            .expect("below the mark");
    }
    world.run_for(Duration::from_millis(10));
    world
        .socket(push)
        .disconnect("sim://hall")
        .expect("it is connected");
    world.settle();
    assert!(world.send(push, compose(1, 20)).is_err(), "nobody is left");
    world.net.cut_all(InFlight::Arrives);
    world.settle();
    assert!(
        world.send(push, compose(1, 21)).is_err(),
        "still nobody is left"
    );
    world.run_for(Duration::from_millis(300));
    assert!(
        world.send(push, compose(1, 22)).is_err(),
        "nor after the old endpoint was dialed again to let the queue out"
    );
}

#[test]
fn a_peer_at_its_mark_is_not_taken_for_dead() {
    // Both ends ask for signs of life. One stops reading for minutes because its application is slow.
    let mut options = SocketOptions::default();
    options.heartbeat = Some(Heartbeat {
        interval: Duration::from_secs(10),
        timeout: Duration::from_secs(30),
        ttl: Duration::ZERO,
    });
    options.recv_hwm = Some(3);
    for scheme in ["sim", "simf"] {
        let mut world = World::new(2);
        let pull = world.open(SocketType::Pull, "pull", options.clone());
        let push = world.open(SocketType::Push, "push", options.clone());
        world.bind(pull, &format!("{scheme}://hall"));
        world.connect(push, &format!("{scheme}://hall"));
        for number in 0..30 {
            world
                .send(push, compose(1, number))
                .expect("below the mark");
        }
        world.run_for(Duration::from_secs(300));
        let mut ledger = Ledger::default();
        for _ in 0..30 {
            for message in world.drain(pull) {
                ledger.enter(0, &message);
            }
            world.run_for(Duration::from_millis(10));
        }
        assert_eq!(ledger.count(), 30, "{}", world.tail());
        assert_eq!(ledger.faults(), Vec::<String>::new());
        assert_eq!(world.net.connections(), 1, "{}", world.tail());
    }
}

#[test]
fn a_silent_peer_is_found_out_by_the_virtual_clock() {
    let mut options = SocketOptions::default();
    options.heartbeat = Some(Heartbeat {
        interval: Duration::from_secs(1),
        timeout: Duration::from_secs(3),
        ttl: Duration::ZERO,
    });
    let mut world = World::new(2);
    let pull = world.open(SocketType::Pull, "pull", options);
    world.bind(pull, "sim://hall");
    let mut peer = SimPeer::dial(&world, "hall");
    peer.say(&mut world, &opening("PUSH"))
        .expect("there is room");
    world.until("the peer is ready", |world| {
        world.socket(pull).connected_peers() == 1
    });
    let began = world.clock.now();
    let heard = peer.until_end(&mut world).expect("it is closed");
    let lasted = world.clock.now() - began;
    assert!(
        heard.ends_with(&ping(0, b"")),
        "it was asked for a sign of life"
    );
    assert!(
        (Duration::from_secs(4)..=Duration::from_secs(5)).contains(&lasted),
        "{lasted:?}"
    );
}

#[test]
fn a_dripping_handshake_is_ended_at_its_one_deadline() {
    // Each octet comes in time; all of them together do not.
    let mut options = SocketOptions::default();
    options.handshake_timeout = Some(Duration::from_secs(2));
    let mut world = World::new(2);
    let pull = world.open(SocketType::Pull, "pull", options);
    world.bind(pull, "sim://hall");
    let mut peer = SimPeer::dial(&world, "hall");
    let began = world.clock.now();
    for octet in opening("PUSH").iter().chain(&[0; 100]) {
        if peer.say(&mut world, &[*octet]).is_err() {
            break;
        }
        world.run_for(Duration::from_millis(50));
    }
    assert_eq!(world.clock.now() - began, Duration::from_secs(2));
    assert_eq!(world.counters(pull).handshakes_failed, 1);
    assert!(
        world.tail().contains("closed: Protocol(HandshakeTimeout)"),
        "{}",
        world.tail()
    );
}

#[test]
fn a_trickle_gets_through_beside_a_flood() {
    let mut world = World::new(2);
    world.net.set_weather(Weather {
        room: 8 << 20,
        ..Weather::default()
    });
    let pull = world.open(SocketType::Pull, "pull", SocketOptions::default());
    world.bind(pull, "sim://hall");
    let mut flood = SimPeer::dial(&world, "hall");
    let mut trickle = SimPeer::dial(&world, "hall");
    for peer in [&mut flood, &mut trickle] {
        peer.say(&mut world, &opening("PUSH"))
            .expect("there is room");
    }
    world.until("both are ready", |world| {
        world.socket(pull).connected_peers() == 2
    });
    // Said without a turn of the engine between.
    flood
        .say_at_once(&message(b"flood").repeat(200_000))
        .expect("there is room");
    trickle
        .say_at_once(&message(b"trickle"))
        .expect("there is room");
    let mut before = 0;
    loop {
        match world.receive(pull).expect("it receives") {
            Some(met) if met.first() == b"trickle" => break,
            Some(_) => before += 1,
            None => world.settle(),
        }
    }
    // A turn of 128 KiB, and as much as waits at the mark.
    assert!(before < 20_000, "{before} came first");
}

#[test]
fn a_refused_dialer_waits_longer_each_time() {
    let mut options = SocketOptions::default();
    options.reconnect = Reconnect {
        initial: Some(Duration::from_millis(100)),
        max: Some(Duration::from_secs(2)),
        jitter: false,
        ..Reconnect::default()
    };
    let mut world = World::new(2);
    let push = world.open(SocketType::Push, "push", options);
    world.connect(push, "sim://nobody");
    world.run_for(Duration::from_secs(10));
    let waits: Vec<&str> = world
        .log()
        .iter()
        .filter_map(|line| line.split_once("Retrying { after: "))
        .map(|(_, wait)| wait.trim_end_matches(" }"))
        .collect();
    assert_eq!(
        waits[..7],
        ["100ms", "200ms", "400ms", "800ms", "1.6s", "2s", "2s"]
    );
    // Once somebody is there, it is found, and what was sent meanwhile comes.
    world.send(push, compose(1, 0)).expect("below the mark");
    let pull = world.open(SocketType::Pull, "pull", SocketOptions::default());
    world.bind(pull, "sim://nobody");
    assert_eq!(world.recv_soon(pull).frames(), compose(1, 0).frames());
}
