//! What strangers at a CURVE server cost others: they have so many turns, and those who come from elsewhere have as many.
#![cfg(feature = "curve")]

mod support;

use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use rustix::net::{AddressFamily, SocketType as Kind, bind, connect, ipproto, socket};
use support::stranger::{Sealed, client_keys, metadata, server_keys};
use support::{open, open_with};
use zmq_engine::{Admission, Context, ContextOptions, DriverMode, Security, Socket, SocketType};
use zmq_testkit::octets::{frame, greeting, opening};
use zmq_testkit::script::TcpPeer;

/// Handshakes that go on in one turn.
const AT_ONCE: usize = 2;

/// Strangers of one place.
const MANY: usize = 40;

/// Who reaches it waits in vain.
const TURNS: usize = 1_000;

fn context() -> Context {
    let mut options = ContextOptions::default();
    options.driver = DriverMode::Manual;
    options.handshakes_at_once = AT_ONCE;
    Context::with(options).expect("a context")
}

fn guarded(context: &Context) -> (Socket, String) {
    let socket = open_with(context, SocketType::Pull, |options| {
        options.security = Security::curve_server(server_keys());
        options.admission = Admission::AnyKey;
        options.stream.backlog = 1_024;
    });
    let endpoint = socket.bind("tcp://127.0.0.1:0").expect("a free port");
    (socket, endpoint)
}

/// Turns until it is so; gives the number of turns.
fn turn_until(context: &Context, mut done: impl FnMut() -> bool) -> usize {
    for turns in 0..TURNS {
        if done() {
            return turns;
        }
        context.turn(Duration::from_millis(100));
    }
    panic!("waited in vain");
}

/// A connection from another address of this machine.
fn dial_from(place: [u8; 4], endpoint: &str) -> TcpPeer {
    let to: SocketAddr = endpoint
        .strip_prefix("tcp://")
        .and_then(|address| address.parse().ok())
        .expect("an address");
    let stream = socket(AddressFamily::INET, Kind::STREAM, Some(ipproto::TCP)).expect("a socket");
    bind(&stream, &SocketAddr::from((place, 0))).expect("all of 127 is ours");
    connect(&stream, &to).expect("the socket accepts");
    TcpPeer::from_stream(TcpStream::from(stream)).expect("a stream")
}

fn client() -> Sealed {
    let metadata = metadata("PUSH", 0);
    Sealed::new(client_keys(), server_keys().public(), &metadata)
}

/// Strangers that have said all they can say before they have to listen: each makes the server work.
fn flood(endpoint: &str) -> Vec<TcpPeer> {
    let stranger = |_| {
        let mut peer = TcpPeer::dial(endpoint).expect("the socket accepts");
        peer.say(&[greeting(1, "CURVE", false), client().next()].concat());
        peer
    };
    (0..MANY).map(stranger).collect()
}

/// Octets that have come for a peer and that it has not read.
fn heard(peer: &TcpPeer) -> usize {
    let stream = peer.stream();
    stream.set_nonblocking(true).expect("a socket can");
    let heard = stream.peek(&mut [0; 1024]).unwrap_or_default();
    stream.set_nonblocking(false).expect("a socket can");
    heard
}

fn served(strangers: &[TcpPeer]) -> usize {
    strangers.iter().filter(|peer| heard(peer) > 0).count()
}

#[test]
fn an_established_peer_is_served_before_strangers_and_between_them() {
    let context = context();
    let pull = open(&context, SocketType::Pull);
    let meeting = pull.bind("tcp://127.0.0.1:0").expect("a free port");
    let mut friend = TcpPeer::dial(&meeting).expect("the socket accepts");
    friend.say(&opening("PUSH"));
    turn_until(&context, || pull.connected_peers() == 1);
    let (_guarded, endpoint) = guarded(&context);
    let strangers = flood(&endpoint);
    // Each turn of the driver brings what the friend has said, and lets a few strangers on.
    let mut turns = 0;
    while served(&strangers) < MANY {
        friend.say(&frame(0, b"hello"));
        let before = pull.counters().arrived;
        context.turn(Duration::from_millis(100));
        turns += 1;
        assert_eq!(pull.counters().arrived, before + 1, "in turn {turns}");
        assert!(served(&strangers) <= turns * AT_ONCE, "in turn {turns}");
        assert!(turns < TURNS, "strangers are served as well");
    }
}

#[test]
fn who_comes_from_elsewhere_does_not_wait_for_all_of_a_crowd() {
    let context = context();
    let (guarded, endpoint) = guarded(&context);
    let strangers = flood(&endpoint);
    let mut honest = dial_from([127, 0, 0, 2], &endpoint);
    let mut client = client();
    honest.say(&[greeting(1, "CURVE", false), client.next()].concat());
    // Its greeting and WELCOME.
    let mut turns = turn_until(&context, || heard(&honest) >= 64 + 170);
    honest.expect(&greeting(1, "CURVE", true));
    client.hear(&mut honest);
    honest.say(&client.next());
    turns += turn_until(&context, || guarded.connected_peers() == 1);
    assert!(turns <= 4, "{turns} turns");
    assert!(served(&strangers) <= turns * AT_ONCE);
}
