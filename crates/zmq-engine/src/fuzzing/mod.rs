//! What must hold for a socket whatever its application does, whatever its peers say, and however their streams carry it; called by
//! the fuzz target and by the property tests.
//!
//! It panics where a promise is broken, and nowhere else.
#![allow(
    clippy::panic,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "the judge, not the judged: it runs in fuzz targets and tests only"
)]

mod acts;
mod choices;
mod judge;
mod peer;
mod speech;
mod wires;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use zmq_patterns::PatternOption;
use zmq_transport::Registry;
use zmtp_wire::SocketType;

use crate::clock::{Clock, VirtualClock};
use crate::context::Context;
use crate::driver::DriverMode;
use crate::options::{ContextOptions, Heartbeat, SocketOptions};
use crate::socket::Socket;
use choices::Choices;
use peer::Peer;
use wires::{Answer, Pit, Wires};

/// Acts of one run at most.
const ACTS: usize = 400;

/// Octets of messages that the application sends in one run, at most.
const OCTETS: usize = 1 << 20;

/// Connections of one run at most.
const CONNECTIONS: usize = 100;

/// Turns of the driver after which it is taken to spin.
const RESTLESS: usize = 20_000;

/// Types that are judged.
const TYPES: [SocketType; 11] = [
    SocketType::Push,
    SocketType::Pull,
    SocketType::Dealer,
    SocketType::Router,
    SocketType::Pub,
    SocketType::Sub,
    SocketType::Pair,
    SocketType::XPub,
    SocketType::XSub,
    SocketType::Req,
    SocketType::Rep,
];

const MARKS: [Option<u32>; 8] = [
    Some(1000),
    Some(1),
    Some(2),
    Some(3),
    Some(10),
    Some(64),
    Some(300),
    None,
];

/// One socket of a context of its own, and its peers.
///
/// All happens in one thread: the context has no driver but the turns that it is given, the clock stands until it is moved, and
/// streams are memory, or pairs of streams that the kernel holds in memory. So a run is what its octets say, and takes a fraction
/// of a millisecond unless much is sent. What only threads show is left to the models and to `tests/transitions.rs`, and what shows between two
/// of our sockets to the simulation.
///
/// The first octets choose the type, its marks and options, and how it ends; all others what is done next, by the application (send, receive, ask
/// for events, subscribe, bind, connect, leave, change marks, close), by its peers (say messages, floods, large ones, commands,
/// garbage, or nothing; end), by the streams (in which pieces octets arrive and leave, and when there is no room), by the driver and the clock.
///
/// # Panics
/// If messages of a peer come out of order, twice, or in part; if what leaves is no ZMTP, or not what was sent; if a message is neither delivered nor
/// queued nor counted, or a queue passes its mark; if what has arrived is not received, or what could leave does not; if closing does not end.
pub fn socket(octets: &[u8]) {
    let mut run = Run::new(octets);
    for _ in 0..ACTS {
        if run.choices.is_over() {
            break;
        }
        run.act();
    }
    run.end();
}

struct Run<'a> {
    choices: Choices<'a>,
    context: Context,
    clock: VirtualClock,
    wires: Wires,
    socket: Socket,
    own: SocketType,
    peers: Vec<Peer>,
    /// The highest marks that there were.
    send_mark: Option<u32>,
    recv_mark: Option<u32>,
    conflate: bool,
    /// Messages that were accepted from the application.
    sent: u32,
    received: u64,
    /// Those that have reached a peer, where each is for one.
    reached: BTreeSet<u32>,
    /// Octets that may still be sent.
    budget: usize,
    /// The application has left peers.
    parted: bool,
    /// And does not want to hear them any more.
    unheard: bool,
    closing: bool,
    ends: u8,
}

impl<'a> Run<'a> {
    fn new(octets: &'a [u8]) -> Run<'a> {
        let mut choices = Choices::new(octets);
        let own = choices.of(&TYPES);
        let options = options(own, &mut choices);
        let (clock, hand) = Clock::simulated();
        let wires = Wires::default();
        let mut registry = Registry::standard();
        registry
            .register(Arc::new(Pit(wires.clone())))
            .expect("nobody else serves the scheme");
        let context = Context::with(ContextOptions {
            clock,
            driver: DriverMode::Manual,
            seed: Some(7),
            transports: registry,
            ..ContextOptions::default()
        })
        .expect("the system gives descriptors");
        let (send_mark, recv_mark) = (options.send_hwm, options.recv_hwm);
        let conflate = options.conflate;
        let socket = Socket::open(&context, own, options).expect("the options fit the type");
        let ends = choices.octet();
        let mut run = Run {
            choices,
            context,
            clock: hand,
            wires,
            socket,
            own,
            peers: Vec::new(),
            send_mark,
            recv_mark,
            conflate,
            sent: 0,
            received: 0,
            reached: BTreeSet::new(),
            budget: OCTETS,
            parted: false,
            unheard: false,
            closing: false,
            ends,
        };
        run.begin();
        run
    }

    /// Brings the first peers, and has them shake hands if they want to.
    fn begin(&mut self) {
        let first = self.choices.octet();
        self.wires.set_descriptors(first & 0x10 != 0);
        self.socket.bind("pit://hall").expect("a free place");
        if matches!(self.own, SocketType::Sub | SocketType::XSub) && first & 0x20 == 0 {
            self.socket.subscribe(b"").expect("it subscribes");
        }
        self.settle();
        for _ in 0..first & 3 {
            self.wires.dial("hall");
            self.settle();
        }
        for _ in 0..first >> 2 & 3 {
            // Some types connect once.
            self.socket.connect("pit://there").expect("a good endpoint");
            self.settle();
        }
    }

    // ---- time ----

    /// One turn of the driver. Says whether anything happened.
    fn turn(&mut self) -> bool {
        let did = self.context.turn(Duration::ZERO);
        self.look() | did
    }

    /// Looks at what has come over the wires, and at new ones. Says whether anything moved.
    fn look(&mut self) -> bool {
        let mut moved = false;
        for wire in self.peers.len()..self.wires.count() {
            let traits = self.choices.octet();
            let mut peer = Peer::new(wire, self.own, traits);
            if traits & 0x80 == 0 {
                peer.greet(&self.wires);
            }
            self.peers.push(peer);
            moved = true;
        }
        let shared = self.fans_out();
        let (reached, sent) = (&mut self.reached, self.sent);
        for peer in &mut self.peers {
            if peer.swift {
                moved |= self.wires.release(peer.wire, usize::MAX);
                moved |= self.wires.take(peer.wire, usize::MAX);
            }
            peer.look(&self.wires, |number| {
                // The one that is being sent is on its way before it is known to be accepted.
                assert!(number <= sent, "nobody has sent {number}");
                assert!(
                    reached.insert(number) || shared,
                    "{number} reached two peers, or one twice"
                );
            });
        }
        moved
    }

    /// Lets everything happen that can without the clock moving on.
    fn settle(&mut self) {
        for _ in 0..RESTLESS {
            if !self.turn() {
                return;
            }
        }
        panic!("the driver does not come to rest");
    }

    fn advance(&mut self, by: Duration) {
        self.clock.advance(by);
        self.turn();
    }

    /// Settles, and lets this much time pass, if timers are due in it.
    fn rest(&mut self, most: Duration) {
        let end = self.clock.now() + most;
        self.settle();
        while let Some(next) = self.context.next_timer() {
            if self.clock.now() + next > end {
                break;
            }
            self.clock.advance(next.max(Duration::from_micros(1)));
            self.settle();
        }
    }
}

fn options(own: SocketType, choices: &mut Choices<'_>) -> SocketOptions {
    let flags = choices.octet();
    let pattern = match (own, flags & 3) {
        (SocketType::Router, 1) => vec![PatternOption::RouterMandatory(true)],
        (SocketType::Router, 2) => vec![PatternOption::RouterHandover(true)],
        (SocketType::Req, 1) => vec![PatternOption::ReqRelaxed(true)],
        (SocketType::Req, 2) => vec![
            PatternOption::ReqRelaxed(true),
            PatternOption::ReqCorrelate(true),
        ],
        (SocketType::Pub | SocketType::XPub, 1) => vec![PatternOption::XPubNoDrop(true)],
        (SocketType::XPub, 2) => vec![PatternOption::XPubVerboser(true)],
        (SocketType::Pub | SocketType::Sub, 3) => vec![PatternOption::InvertMatching(true)],
        _ => Vec::new(),
    };
    let heartbeat = (flags & 0x80 != 0).then_some(Heartbeat {
        interval: Duration::from_millis(20),
        timeout: Duration::from_millis(10),
        ttl: Duration::from_millis(100),
    });
    let mut options = SocketOptions {
        send_hwm: choices.of(&MARKS),
        recv_hwm: choices.of(&MARKS),
        conflate: flags & 0x0C == 0x0C,
        immediate: flags & 0x10 != 0,
        attach_properties: flags & 0x20 != 0,
        queue_octets: (flags & 0x40 != 0).then_some(10_000),
        heartbeat,
        pattern,
        ..SocketOptions::default()
    };
    options.reconnect.stop_when_refused = flags & 0x14 == 0x04;
    options
}

impl Run<'_> {
    /// Brings all wires to carry everything at once.
    fn heal(&mut self) {
        self.wires.set_answer(Answer::Yes);
        for peer in &mut self.peers {
            peer.swift = true;
            self.wires.answer(peer.wire, Answer::Yes);
            self.wires.with(peer.wire, |wire| {
                wire.read_piece = usize::MAX;
                wire.write_piece = usize::MAX;
            });
        }
    }
}
