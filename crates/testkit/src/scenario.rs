//! A random day: every pattern at once, in weather that changes, with links cut, endpoints taken back, and sockets that come
//! and go. One seed, one day.

use std::time::Duration;

use zmq_engine::{Frame, Heartbeat, Message, PatternOption, Reconnect, SocketOptions, SocketType};

use crate::books::{Ledger, compose};
use crate::dice::Dice;
use crate::net::{InFlight, Weather};
use crate::world::{SocketId, World};

/// How a day went.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// A line for everything that happened.
    pub log: Vec<String>,
    /// A number that stands for the log.
    pub hash: u64,
    /// Messages that were received.
    pub received: u64,
    /// Connections that were made or tried.
    pub connections: usize,
    /// Everything that is not as it should be.
    pub faults: Vec<String>,
}

/// Which types meet: the bound one, the dialing ones, and how many of these there may be.
const MEETINGS: [(SocketType, SocketType, usize); 12] = [
    (SocketType::Pull, SocketType::Push, 3),
    (SocketType::Push, SocketType::Pull, 3),
    (SocketType::Router, SocketType::Dealer, 3),
    (SocketType::Dealer, SocketType::Router, 1),
    (SocketType::Dealer, SocketType::Dealer, 2),
    (SocketType::Rep, SocketType::Req, 3),
    (SocketType::Router, SocketType::Req, 2),
    (SocketType::Pub, SocketType::Sub, 3),
    (SocketType::Sub, SocketType::Pub, 2),
    (SocketType::XPub, SocketType::XSub, 2),
    (SocketType::XSub, SocketType::XPub, 2),
    (SocketType::Pair, SocketType::Pair, 1),
];

/// One socket and what it remembers.
struct Actor {
    id: SocketId,
    kind: SocketType,
    /// What its peers are, which decides how messages are wrapped.
    peers: SocketType,
    number: u64,
    sender: u32,
    /// Routing ids it has heard from (ROUTER).
    known: Vec<Frame>,
    topics: Vec<Vec<u8>>,
    gone: bool,
}

/// An address and who meets there.
struct Stage {
    address: String,
    endpoint: String,
    meeting: (SocketType, SocketType, usize),
    actors: Vec<Actor>,
    ledger: Ledger,
    /// Everybody ever, for the books; the first is the bound one.
    ids: Vec<SocketId>,
}

struct Day {
    world: World,
    dice: Dice,
    stages: Vec<Stage>,
    senders: u32,
    /// Links are cut and endpoints taken back.
    rough: bool,
    faults: Vec<String>,
}

/// Lives the day of this seed, with so many things done in it.
#[must_use]
pub fn run(seed: u64, steps: u64) -> Outcome {
    let mut day = Day {
        world: World::with_contexts(seed, 2),
        dice: Dice::new(seed ^ 0x5EED),
        stages: Vec::new(),
        senders: 0,
        rough: !seed.is_multiple_of(4),
        faults: Vec::new(),
    };
    for index in 0..MEETINGS.len() {
        day.set_stage(index);
    }
    for _ in 0..steps {
        day.act();
    }
    day.end()
}

impl Day {
    // ---- the morning ----

    fn set_stage(&mut self, index: usize) {
        let meeting = MEETINGS[index];
        let scheme = ["sim", "sim", "sim", "simf", "simf", "inproc"][self.dice.index(6)];
        let address = format!("stage-{index}");
        let endpoint = format!("{scheme}://{address}");
        let mut stage = Stage {
            address,
            endpoint: endpoint.clone(),
            meeting,
            actors: Vec::new(),
            ledger: Ledger::default(),
            ids: Vec::new(),
        };
        let bound = self.actor(&mut stage, meeting.0, meeting.1);
        self.world.bind(bound, &endpoint);
        for _ in 0..self.dice.up_to(meeting.2) {
            let dialer = self.actor(&mut stage, meeting.1, meeting.0);
            self.world.connect(dialer, &endpoint);
        }
        self.stages.push(stage);
    }

    fn actor(&mut self, stage: &mut Stage, kind: SocketType, peers: SocketType) -> SocketId {
        let options = self.options(kind);
        self.senders += 1;
        let name = format!("{}-{}", kind.name().to_lowercase(), self.senders);
        let id = if stage.endpoint.starts_with("inproc") {
            self.world.open_in(0, (kind, &name), options)
        } else {
            self.world.open(kind, &name, options)
        };
        let mut actor = Actor {
            id,
            kind,
            peers,
            number: 0,
            sender: self.senders,
            known: Vec::new(),
            topics: Vec::new(),
            gone: false,
        };
        if kind == SocketType::Sub || kind == SocketType::XSub {
            actor.topics.push(Vec::new());
            if self.world.socket(id).subscribe(b"").is_err() {
                self.faults.push(format!("{name} cannot subscribe"));
            }
        }
        if matches!(kind, SocketType::Pub | SocketType::XPub) {
            self.world.topics_differ(id);
        }
        stage.actors.push(actor);
        stage.ids.push(id);
        id
    }

    fn options(&mut self, kind: SocketType) -> SocketOptions {
        let mut options = SocketOptions::default();
        options.send_hwm = Some([1, 2, 5, 1000][self.dice.index(4)]);
        options.recv_hwm = Some([1, 3, 7, 1000][self.dice.index(4)]);
        options.handshake_timeout = Some(Duration::from_secs(1));
        options.reconnect = Reconnect {
            initial: Some(Duration::from_millis(5 + self.dice.below(60))),
            max: self.dice.chance(50).then_some(Duration::from_millis(200)),
            ..Reconnect::default()
        };
        // A peer that stops reading may be taken for dead, which is rough.
        if self.rough && self.dice.chance(40) {
            options.heartbeat = Some(Heartbeat {
                interval: Duration::from_millis(30 + self.dice.below(200)),
                timeout: Duration::from_millis(300),
                ttl: Duration::ZERO,
            });
        }
        if kind == SocketType::Req {
            // Replies get lost; a strict REQ would wait for its own for ever.
            options.pattern.push(PatternOption::ReqRelaxed(true));
            options.pattern.push(PatternOption::ReqCorrelate(true));
        }
        options
    }

    // ---- the day ----

    fn act(&mut self) {
        let stage = self.dice.index(self.stages.len());
        match self.dice.below(100) {
            0..45 => self.send(stage),
            45..75 => self.receive(stage),
            75..90 => {
                let time = Duration::from_micros(self.dice.below(20_000));
                self.world.run_for(time);
            }
            90..93 => self.change_topics(stage),
            93..95 => self.change_weather(),
            95..97 if self.rough => self.cut(),
            97..99 if self.rough => self.leave_and_return(stage),
            99 if self.rough => self.replace(stage),
            _ => self.world.settle(),
        }
    }

    fn pick(&mut self, stage: usize) -> Option<usize> {
        let actor = self.dice.index(self.stages[stage].actors.len());
        (!self.stages[stage].actors[actor].gone).then_some(actor)
    }

    fn send(&mut self, stage: usize) {
        let Some(index) = self.pick(stage) else {
            return;
        };
        let to = self.dice.roll();
        let actor = &mut self.stages[stage].actors[index];
        if matches!(actor.kind, SocketType::Pull | SocketType::Sub) {
            return;
        }
        let mut message = compose(actor.sender, actor.number);
        if actor.kind == SocketType::Router {
            if actor.known.is_empty() {
                return;
            }
            let place = usize::try_from(to % actor.known.len() as u64).unwrap_or(0);
            if actor.peers == SocketType::Req {
                // A REQ takes replies behind an empty frame only, and this one none that it did not ask for.
                message.push_front(Frame::from(""));
            }
            message.push_front(actor.known[place].clone());
        }
        if self.world.send(actor.id, message).is_ok() {
            actor.number += 1;
        }
    }

    fn receive(&mut self, stage: usize) {
        let Some(index) = self.pick(stage) else {
            return;
        };
        for _ in 0..self.dice.up_to(5) {
            if !self.receive_one(stage, index) {
                return;
            }
        }
    }

    fn receive_one(&mut self, stage: usize, index: usize) -> bool {
        let Stage { actors, ledger, .. } = &mut self.stages[stage];
        let actor = &mut actors[index];
        let Ok(Some(message)) = self.world.receive(actor.id) else {
            return false;
        };
        if let Some(message) = actor.unwrap(message) {
            ledger.enter(index, &message);
        }
        if actor.kind == SocketType::Rep {
            // Without an answer it would take no more.
            let answer = compose(actor.sender, actor.number);
            actor.number += u64::from(self.world.send(actor.id, answer).is_ok());
        }
        true
    }

    fn change_topics(&mut self, stage: usize) {
        let Some(index) = self.pick(stage) else {
            return;
        };
        let actor = &mut self.stages[stage].actors[index];
        if !matches!(actor.kind, SocketType::Sub | SocketType::XSub) {
            return;
        }
        let socket = self.world.socket(actor.id);
        let changed = if self.dice.chance(50) && !actor.topics.is_empty() {
            let topic = actor
                .topics
                .swap_remove(self.dice.index(actor.topics.len()));
            socket.unsubscribe(&topic)
        } else {
            let topic = [&b""[..], b"1", b"2", b"3.1", b"9"][self.dice.index(5)].to_vec();
            actor.topics.push(topic.clone());
            socket.subscribe(&topic)
        };
        if let Err(error) = changed {
            self.faults.push(format!("topics: {error}"));
        }
    }

    fn change_weather(&mut self) {
        let weather = match (self.dice.index(4), self.rough) {
            (0, _) => Weather::default(),
            (1, _) => Weather::rough(),
            (2, true) => Weather::storm(),
            _ => Weather {
                delay: Duration::from_millis(20),
                room: 300,
                ..Weather::rough()
            },
        };
        self.world.remark("the weather changes");
        self.world.net.set_weather(weather);
    }

    fn cut(&mut self) {
        let in_flight = [InFlight::Arrives, InFlight::Lost][self.dice.index(2)];
        self.world.remark("everything is cut");
        self.world.net.cut_all(in_flight);
    }

    /// A dialer takes its endpoint back and connects anew.
    fn leave_and_return(&mut self, stage: usize) {
        let Some(index) = self.pick(stage).filter(|index| *index > 0) else {
            return;
        };
        if self.stages[stage].meeting.2 == 1 {
            // Its place would be taken by itself until it is gone.
            return;
        }
        let id = self.stages[stage].actors[index].id;
        let endpoint = self.stages[stage].endpoint.clone();
        if let Err(error) = self.world.socket(id).disconnect(&endpoint) {
            self.faults.push(error.to_string());
        }
        self.world.remark("a dialer leaves and returns");
        self.world.settle();
        self.world.connect(id, &endpoint);
    }

    /// A dialer is closed and another comes.
    fn replace(&mut self, stage: usize) {
        let Some(index) = self.pick(stage).filter(|index| *index > 0) else {
            return;
        };
        let (kind, peers, most) = self.stages[stage].meeting;
        if most == 1 {
            return;
        }
        let linger = Duration::from_millis(self.dice.below(100));
        self.stages[stage].actors[index].gone = true;
        self.world
            .close(self.stages[stage].actors[index].id, Some(linger));
        let mut place = std::mem::replace(
            &mut self.stages[stage],
            Stage {
                address: String::new(),
                endpoint: String::new(),
                meeting: (kind, peers, most),
                actors: Vec::new(),
                ledger: Ledger::default(),
                ids: Vec::new(),
            },
        );
        let id = self.actor(&mut place, peers, kind);
        let endpoint = place.endpoint.clone();
        self.stages[stage] = place;
        self.world.connect(id, &endpoint);
    }

    // ---- the evening ----

    fn end(mut self) -> Outcome {
        self.world.net.set_weather(Weather::default());
        self.drain_all(20);
        // The dialers first, so that the bound ones see all that was sent; then these.
        for round in [false, true] {
            for stage in 0..self.stages.len() {
                for index in 0..self.stages[stage].actors.len() {
                    let actor = &mut self.stages[stage].actors[index];
                    if actor.gone || (index == 0) != round {
                        continue;
                    }
                    actor.gone = true;
                    let id = actor.id;
                    self.world.close(id, Some(Duration::from_millis(300)));
                }
            }
            self.drain_all(5);
        }
        self.judge()
    }

    fn drain_all(&mut self, rounds: usize) {
        for _ in 0..rounds {
            for stage in 0..self.stages.len() {
                for index in 0..self.stages[stage].actors.len() {
                    while !self.stages[stage].actors[index].gone && self.receive_one(stage, index) {
                    }
                }
            }
            self.world.run_for(Duration::from_millis(150));
        }
    }

    fn judge(mut self) -> Outcome {
        for stage in &self.stages {
            let mut faults = stage.ledger.doubles();
            if !self.rough {
                faults.extend(stage.ledger.faults());
            }
            if !matches!(
                stage.meeting.0,
                SocketType::Pub | SocketType::XPub | SocketType::XSub
            ) {
                faults.extend(stage.ledger.shared());
            }
            let (bound, dialed) = stage.ids.split_at(1);
            let mut books = self.world.books(&stage.address, bound, dialed);
            // A peer that comes back before its old link was missed is turned away, with what it said behind its READY.
            let turned_away = format!("{} closed: Pattern(SecondPeer)", stage.endpoint);
            if self
                .world
                .log()
                .iter()
                .any(|line| line.contains(&turned_away))
            {
                books.unread_from_dialers = (u64::MAX / 2, 1);
            }
            faults.extend(books.faults());
            let place = format!("{} {:?}", stage.endpoint, stage.meeting);
            self.faults
                .extend(faults.into_iter().map(|fault| format!("{place}: {fault}")));
        }
        Outcome {
            hash: self.world.log_hash(),
            received: self.stages.iter().map(|stage| stage.ledger.count()).sum(),
            connections: self.world.net.connections(),
            log: self.world.log().to_vec(),
            faults: self.faults,
        }
    }
}

impl Actor {
    /// Takes the envelope off and remembers the address on it; a subscription is not a message.
    fn unwrap(&mut self, mut message: Message) -> Option<Message> {
        match self.kind {
            SocketType::Router => {
                let id = message.pop_front()?;
                if !self.known.contains(&id) {
                    self.known.push(id);
                }
                if self.peers == SocketType::Req {
                    // The number of the request, then an empty frame.
                    while !message.first().is_empty() {
                        message.pop_front()?;
                    }
                    message.pop_front()?;
                }
                Some(message)
            }
            SocketType::XPub if matches!(message.first().first(), Some(0 | 1)) => None,
            _ => Some(message),
        }
    }
}
