//! Links are cut at every octet of a conversation. What was accepted is delivered, or counted as lost, or reported by close;
//! nothing comes twice, out of order, or in part.

use std::time::Duration;

use zmq_engine::{Frame, Loss, Message, Reconnect, SocketOptions, SocketType};
use zmq_testkit::books::{Compose, Ledger, compose, compose_small};
use zmq_testkit::{Cut, InFlight, Side, SocketId, Weather, World};

/// Messages sent before the first look, and again after it.
const BATCH: u64 = 3;

const DEALER_ID: &[u8] = b"dealer";

/// Larger than a read, a write and what the session copies.
const LARGE: usize = 150_000;

fn compose_large(sender: u32, number: u64) -> Message {
    let name = Frame::from(format!("{sender}.{number}").as_str());
    let octet = u8::try_from(number).unwrap_or(0);
    Message::from(vec![name, Frame::from(vec![octet; LARGE])])
}

/// Two sockets, who dials, and what they say.
#[derive(Clone, Copy, Debug)]
struct Pair {
    scheme: &'static str,
    bound: SocketType,
    dialer: SocketType,
    compose: Compose,
}

struct Run {
    world: World,
    pair: Pair,
    /// The bound one, the dialer.
    ids: [SocketId; 2],
    ledgers: [Ledger; 2],
    sent: [u64; 2],
}

impl Run {
    fn begin(pair: Pair, cut: Option<Cut>, logging: bool) -> Run {
        let mut world = World::new(11);
        if !logging {
            world.be_quiet();
        }
        if let Some(cut) = cut {
            world.net.plan(cut);
        }
        let mut options = SocketOptions::default();
        // Short waits: time is virtual, but its steps are not.
        options.reconnect.initial = Some(Duration::from_millis(10));
        let bound = world.open(pair.bound, "bound", options.clone());
        if pair.dialer == SocketType::Dealer {
            options.routing_id = DEALER_ID.into();
        }
        let dialer = world.open(pair.dialer, "dialer", options);
        for id in [bound, dialer] {
            if world.socket(id).socket_type() == SocketType::Sub {
                world.socket(id).subscribe(b"").expect("a SUB subscribes");
            }
        }
        let endpoint = format!("{}://hall", pair.scheme);
        world.bind(bound, &endpoint);
        world.connect(dialer, &endpoint);
        Run {
            world,
            pair,
            ids: [bound, dialer],
            ledgers: [(); 2].map(|()| Ledger::of_messages(pair.compose)),
            sent: [0, 0],
        }
    }

    fn kind(&self, who: usize) -> SocketType {
        [self.pair.bound, self.pair.dialer][who]
    }

    fn send_batch(&mut self) {
        for who in [0, 1] {
            if matches!(self.kind(who), SocketType::Pull | SocketType::Sub) {
                continue;
            }
            for _ in 0..BATCH {
                let sender = u32::try_from(who).expect("0 or 1") + 1;
                let mut message = (self.pair.compose)(sender, self.sent[who]);
                if self.kind(who) == SocketType::Router {
                    message.push_front(Frame::from(DEALER_ID));
                }
                if self.world.send(self.ids[who], message).is_ok() {
                    self.sent[who] += 1;
                }
            }
        }
    }

    fn drain(&mut self, who: usize) {
        for mut message in self.world.drain(self.ids[who]) {
            if self.kind(who) == SocketType::Router {
                let envelope = message.pop_front().expect("a ROUTER gives an id");
                assert_eq!(&*envelope, DEALER_ID);
            }
            self.ledgers[who].enter(who, &message);
        }
    }

    /// Time passes, and whatever comes is taken.
    fn pass(&mut self, time: Duration) {
        for _ in 0..3 {
            self.world.run_for(time / 3);
            self.drain(0);
            self.drain(1);
        }
    }

    fn faults(&self) -> Vec<String> {
        let mut faults: Vec<String> = self.ledgers.iter().flat_map(Ledger::faults).collect();
        let [bound, dialer] = self.ids;
        faults.extend(self.world.books("hall", &[bound], &[dialer]).faults());
        faults
    }

    /// The whole conversation: two batches each way with time between, then both close. Gives what is wrong, if anything.
    fn converse(&mut self) -> Vec<String> {
        for _ in 0..2 {
            self.send_batch();
            self.world.run_for(Duration::from_millis(1));
            self.drain(0);
            self.drain(1);
            self.pass(Duration::from_millis(45));
            let faults = self.faults();
            if !faults.is_empty() {
                return faults;
            }
        }
        let [bound, dialer] = self.ids;
        if self.world.socket(dialer).connected_peers() != 1 {
            return vec!["after the only cut there is no connection".to_owned()];
        }
        self.world.close(dialer, Some(Duration::from_secs(1)));
        self.world.run_for(Duration::from_millis(10));
        self.drain(0);
        self.world.close(bound, Some(Duration::from_secs(1)));
        self.faults()
    }
}

fn converse(pair: Pair, cut: Option<Cut>) -> Run {
    let mut run = Run::begin(pair, cut, false);
    if !run.converse().is_empty() {
        // Once more, with a log.
        let mut run = Run::begin(pair, cut, true);
        let faults = run.converse();
        panic!(
            "{pair:?} {cut:?}\n{}\n{}",
            faults.join("\n"),
            run.world.log().join("\n")
        );
    }
    run
}

fn cut_everywhere(pair: Pair, step: usize) {
    let whole = converse(pair, None);
    for who in [0, 1] {
        assert_eq!(
            whole.ledgers[who].count(),
            whole.sent[1 - who],
            "{pair:?}: without a cut, all comes"
        );
    }
    for writer in [Side::Dialer, Side::Acceptor] {
        let length = whole.world.net.tally(0, writer).written;
        // The shortest is a READY that names PULL, on a stream that keeps frames: 27 octets. The others begin with 64 of greeting.
        let least = if pair.scheme == "simf" { 27 } else { 64 };
        assert!(
            length >= least,
            "{pair:?}: {length} octets are no handshake"
        );
        for in_flight in [InFlight::Arrives, InFlight::Lost] {
            for octets in (0..length).step_by(step) {
                let cut = Cut {
                    writer,
                    octets,
                    in_flight,
                };
                converse(pair, Some(cut));
            }
        }
    }
}

macro_rules! cut_everywhere {
    ($($name:ident: $scheme:literal $bound:ident <- $dialer:ident;)*) => {
        $(#[test]
        fn $name() {
            cut_everywhere(
                Pair {
                    scheme: $scheme,
                    bound: SocketType::$bound,
                    dialer: SocketType::$dialer,
                    compose: compose_small,
                },
                1,
            );
        })*
    };
}

cut_everywhere! {
    a_push_that_dials_is_cut_at_every_octet: "sim" Pull <- Push;
    a_push_that_is_bound_is_cut_at_every_octet: "sim" Push <- Pull;
    dealer_and_router_are_cut_at_every_octet: "sim" Router <- Dealer;
    a_pub_that_is_bound_is_cut_at_every_octet: "sim" Pub <- Sub;
    a_pub_that_dials_is_cut_at_every_octet: "sim" Sub <- Pub;
    a_pair_is_cut_at_every_octet: "sim" Pair <- Pair;
    a_push_that_dials_is_cut_at_every_unit: "simf" Pull <- Push;
    dealer_and_router_are_cut_at_every_unit: "simf" Router <- Dealer;
}

#[test]
fn large_frames_are_cut_inside_their_header_and_their_body() {
    for (bound, dialer) in [
        (SocketType::Pull, SocketType::Push),
        (SocketType::Router, SocketType::Dealer),
        (SocketType::Sub, SocketType::Pub),
    ] {
        let pair = Pair {
            scheme: "sim",
            bound,
            dialer,
            compose: compose_large,
        };
        // A prime, so that every part of a header is met sooner or later.
        cut_everywhere(pair, 44_987);
    }
}

#[test]
fn a_failed_write_does_not_lose_what_the_peer_had_sent() {
    let mut world = World::new(1);
    let mut options = SocketOptions::default();
    options.recv_hwm = Some(2);
    let slow = world.open(SocketType::Dealer, "slow", options);
    let quick = world.open(SocketType::Dealer, "quick", SocketOptions::default());
    world.bind(slow, "sim://hall");
    world.connect(quick, "sim://hall");
    for number in 0..20 {
        world
            .send(quick, compose(1, number))
            .expect("below the mark");
    }
    world.run_for(Duration::from_millis(10));
    assert_eq!(world.close(quick, None).unsent, 0);
    world.run_for(Duration::from_millis(10));
    // The other end is gone, which this write is told.
    let _ = world.send(slow, "are you there?".into());
    world.run_for(Duration::from_millis(10));
    let mut ledger = Ledger::default();
    for _ in 0..20 {
        for message in world.drain(slow) {
            ledger.enter(0, &message);
        }
        world.run_for(Duration::from_millis(10));
    }
    assert_eq!(ledger.count(), 20, "{}", world.tail());
    assert_eq!(ledger.faults(), Vec::<String>::new());
}

fn return_while_messages_wait(bound: SocketType, dialer: SocketType) {
    let mut world = World::new(5);
    let mut options = SocketOptions::default();
    let bound = world.open(bound, "bound", options.clone());
    options.routing_id = DEALER_ID.into();
    let dialer = world.open(dialer, "dialer", options);
    world.bind(bound, "sim://hall");
    world.connect(dialer, "sim://hall");
    world.send(dialer, compose(1, 0)).expect("below the mark");
    world.run_for(Duration::from_millis(10));
    world.net.cut_all(InFlight::Arrives);
    world.send(dialer, compose(1, 1)).expect("below the mark");
    world.run_for(Duration::from_secs(1));
    let mut met = Vec::new();
    for _ in 0..4 {
        for message in world.drain(bound) {
            met.push(message.frames()[message.len() - compose(1, met.len() as u64).len()].clone());
        }
        world.run_for(Duration::from_millis(400));
    }
    assert_eq!(
        met,
        [Frame::from("1.0"), Frame::from("1.1")],
        "{}",
        world.tail()
    );
}

#[test]
fn a_router_takes_a_returning_peer_while_its_old_messages_wait() {
    return_while_messages_wait(SocketType::Router, SocketType::Dealer);
}

#[test]
fn a_pair_takes_a_returning_peer_while_its_old_messages_wait() {
    return_while_messages_wait(SocketType::Pair, SocketType::Pair);
}

/// One PUSH, three PULLs, a storm: what waits at the mark, what is refused, what is cut.
fn storm(seed: u64) -> (Vec<String>, World) {
    let mut world = World::new(seed);
    world.net.set_weather(Weather::storm());
    let mut options = SocketOptions::default();
    options.send_hwm = Some(7);
    options.recv_hwm = Some(5);
    options.reconnect = Reconnect {
        initial: Some(Duration::from_millis(20)),
        ..Reconnect::default()
    };
    let push = world.open(SocketType::Push, "push", options.clone());
    let pulls: Vec<SocketId> = (0..3)
        .map(|index| world.open(SocketType::Pull, &format!("pull-{index}"), options.clone()))
        .collect();
    world.bind(push, "sim://hall");
    for pull in &pulls {
        world.connect(*pull, "sim://hall");
    }
    let mut ledger = Ledger::default();
    let mut number = 0;
    for _ in 0..120 {
        while world.send(push, compose(1, number)).is_ok() {
            number += 1;
        }
        world.run_for(Duration::from_millis(4));
        for (index, pull) in pulls.iter().enumerate() {
            for message in world.drain(*pull) {
                ledger.enter(index, &message);
            }
        }
    }
    // What was accepted leaves while its peers are there to take it.
    let report = world.close(push, Some(Duration::from_millis(500)));
    for _ in 0..50 {
        world.run_for(Duration::from_millis(20));
        for (index, pull) in pulls.iter().enumerate() {
            for message in world.drain(*pull) {
                ledger.enter(index, &message);
            }
        }
    }
    let mut faults = ledger.faults();
    faults.extend(ledger.shared());
    faults.extend(world.books("hall", &[push], &pulls).faults());
    let lingered = world.counters(push).lost(Loss::Lingered);
    if lingered != report.unsent {
        faults.push(format!(
            "close reported {report:?}, the counters say {lingered}"
        ));
    }
    if world.counters(push).accepted != number {
        faults.push(format!("{number} accepted, counted otherwise"));
    }
    (faults, world)
}

#[test]
fn a_storm_loses_nothing_that_is_not_counted() {
    let mut cuts = 0;
    for seed in 0..12 {
        let (faults, world) = storm(seed);
        assert!(
            faults.is_empty(),
            "seed {seed}\n{}\n{}",
            faults.join("\n"),
            world.tail()
        );
        cuts += world.net.connections();
    }
    assert!(cuts > 12 * 4, "the weather was too fair: {cuts}");
}
