//! An in-memory network: deterministic, driven by one seed, on a virtual clock.
//!
//! It serves two schemes: `sim` yields byte streams, `simf` framed messages. An address is any name without a slash.
//! Nothing has a descriptor: whoever waits is called through a waker, now or when the clock has come to the time.

mod stream;
mod transport;
mod weather;
mod wire;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::Duration;

use zmq_engine::VirtualClock;
use zmq_transport::Listener;

use crate::dice::Dice;
pub use stream::SimStream;
use stream::{End, SimListener};
pub use transport::{SimFramedTransport, SimTransport};
pub use weather::Weather;
use wire::{After, Wire};

/// An end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// The one that dialed.
    Dialer,
    /// The one that was bound.
    Acceptor,
}

impl Side {
    fn index(self) -> usize {
        match self {
            Side::Dialer => 0,
            Side::Acceptor => 1,
        }
    }

    /// The other end.
    #[must_use]
    pub fn other(self) -> Side {
        match self {
            Side::Dialer => Side::Acceptor,
            Side::Acceptor => Side::Dialer,
        }
    }
}

/// What a cut does to octets that were written and not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InFlight {
    /// They can still be read.
    Arrives,
    /// They are gone.
    Lost,
}

/// Where a connection is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    /// Whose writing is counted.
    pub writer: Side,
    /// After this many octets.
    pub octets: u64,
    /// What becomes of what is under way.
    pub in_flight: InFlight,
}

/// The octets of one direction of one connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Handed to the network.
    pub written: u64,
    /// Taken from it by the other end.
    pub read: u64,
}

impl Tally {
    /// Handed over and not taken.
    #[must_use]
    pub fn unread(self) -> u64 {
        self.written.saturating_sub(self.read)
    }
}

struct Later {
    at: Duration,
    order: u64,
    waker: Waker,
}

impl PartialEq for Later {
    fn eq(&self, other: &Later) -> bool {
        (self.at, self.order) == (other.at, other.order)
    }
}

impl Eq for Later {}

impl PartialOrd for Later {
    fn partial_cmp(&self, other: &Later) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Later {
    fn cmp(&self, other: &Later) -> std::cmp::Ordering {
        (self.at, self.order).cmp(&(other.at, other.order))
    }
}

#[derive(Default)]
struct Place {
    waiting: VecDeque<(usize, bool)>,
    waker: Option<Waker>,
}

struct State {
    dice: Dice,
    weather: Weather,
    wires: Vec<Wire>,
    places: BTreeMap<String, Place>,
    later: BinaryHeap<Reverse<Later>>,
    order: u64,
    names: u64,
    /// Cuts for the connections to come, in their order.
    planned: VecDeque<Cut>,
}

/// The network. Clones are the same network.
#[derive(Clone)]
pub struct Net {
    state: Arc<Mutex<State>>,
    clock: VirtualClock,
}

impl std::fmt::Debug for Net {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Net").finish_non_exhaustive()
    }
}

impl Net {
    /// A network with fair weather.
    #[must_use]
    pub fn new(seed: u64, clock: VirtualClock) -> Net {
        Net {
            state: Arc::new(Mutex::new(State {
                dice: Dice::new(seed),
                weather: Weather::default(),
                wires: Vec::new(),
                places: BTreeMap::new(),
                later: BinaryHeap::new(),
                order: 0,
                names: 0,
                planned: VecDeque::new(),
            })),
            clock,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the weather for connections made from now on.
    pub fn set_weather(&self, weather: Weather) {
        self.lock().weather = weather;
    }

    /// Cuts the next connection to be made; several plans serve several connections.
    pub fn plan(&self, cut: Cut) {
        self.lock().planned.push_back(cut);
    }

    /// Cuts every connection there is, now.
    pub fn cut_all(&self, in_flight: InFlight) {
        let mut after = After::default();
        let mut state = self.lock();
        for wire in &mut state.wires {
            wire.break_off(in_flight, &mut after);
        }
        drop(state);
        self.follow(after);
    }

    /// How many connections there have been.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.lock().wires.len()
    }

    /// What passed through connection number `connection` in the direction of `writer`.
    #[must_use]
    pub fn tally(&self, connection: usize, writer: Side) -> Tally {
        let state = self.lock();
        let Some(wire) = state.wires.get(connection) else {
            return Tally::default();
        };
        let course = &wire.courses[writer.index()];
        Tally {
            written: course.written,
            read: course.read,
        }
    }

    /// Octets written and not read, over all connections to `address`, in the direction of `writer`; how many directions
    /// have such octets.
    #[must_use]
    pub fn unread(&self, address: &str, writer: Side) -> (u64, u64) {
        let state = self.lock();
        let mut total = (0, 0);
        for wire in state.wires.iter().filter(|wire| wire.address == address) {
            let unread = wire.courses[writer.index()].unread();
            total.0 += unread;
            total.1 += u64::from(unread > 0);
        }
        total
    }

    /// How long until something happens by itself.
    #[must_use]
    pub fn next_event(&self) -> Option<Duration> {
        let state = self.lock();
        let at = state.later.peek()?.0.at;
        Some(at.saturating_sub(self.clock.now()))
    }

    /// Does what is due by the clock. Says whether anything was.
    pub fn run_due(&self) -> bool {
        let now = self.clock.now();
        let mut due = Vec::new();
        let mut state = self.lock();
        while state
            .later
            .peek()
            .is_some_and(|Reverse(first)| first.at <= now)
        {
            due.extend(state.later.pop());
        }
        drop(state);
        let any = !due.is_empty();
        for Reverse(later) in due {
            later.waker.wake();
        }
        any
    }

    /// Dials as a peer of no engine would.
    ///
    /// # Errors
    /// Nobody listens there, or the weather refused.
    pub fn dial(&self, address: &str) -> io::Result<SimStream> {
        let end = self.connect_end(address, false)?;
        Ok(SimStream::new(end))
    }

    /// Listens as a peer of no engine would; accepted streams come from [`Listener::try_accept`].
    ///
    /// # Errors
    /// The address is taken.
    pub fn listen_raw(&self, address: &str) -> io::Result<Box<dyn Listener>> {
        self.bind(address, false)
    }

    // ---- what the streams do ----

    fn follow(&self, after: After) {
        if !after.later.is_empty() {
            let mut state = self.lock();
            for (at, waker) in after.later {
                state.later(at, waker);
            }
        }
        for waker in after.wake {
            waker.wake();
        }
    }

    /// Does something with a wire, and then wakes whom it woke. Nothing is locked while they are called.
    fn on_wire<T>(
        &self,
        wire: usize,
        act: impl FnOnce(&mut Wire, Times<'_>, &mut After) -> T,
    ) -> T {
        let mut after = After::default();
        let mut state = self.lock();
        let State { dice, wires, .. } = &mut *state;
        let times = Times {
            now: self.clock.now(),
            dice,
        };
        let result = act(&mut wires[wire], times, &mut after);
        drop(state);
        self.follow(after);
        result
    }

    fn connect_end(&self, address: &str, framed: bool) -> io::Result<End> {
        let now = self.clock.now();
        let mut state = self.lock();
        let weather = state.weather.clone();
        if !state.places.contains_key(address) {
            return Err(io::ErrorKind::ConnectionRefused.into());
        }
        let number = state.wires.len();
        let mut wire = Wire::new(address, weather.clone());
        wire.refused = state.dice.chance(weather.refused);
        wire.answered_at = now + state.delay(weather.delay);
        match state.planned.pop_front() {
            Some(cut) => wire.cut_after(cut.writer, cut.octets, cut.in_flight),
            None if state.dice.chance(weather.cut) => {
                let writer = [Side::Dialer, Side::Acceptor][state.dice.index(2)];
                let in_flight = [InFlight::Arrives, InFlight::Lost][state.dice.index(2)];
                let octets = state.dice.below(weather.cut_within);
                wire.cut_after(writer, octets, in_flight);
            }
            None => {}
        }
        let mut waker = None;
        if !wire.refused
            && let Some(place) = state.places.get_mut(address)
        {
            place.waiting.push_back((number, framed));
            waker = place.waker.clone();
        }
        state.wires.push(wire);
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
        Ok(End {
            net: self.clone(),
            wire: number,
            side: Side::Dialer,
            address: address.to_owned(),
        })
    }

    fn bind(&self, address: &str, framed: bool) -> io::Result<Box<dyn Listener>> {
        let mut state = self.lock();
        let mut name = address.to_owned();
        if name == "*" {
            state.names += 1;
            name = format!("place-{}", state.names);
        }
        if state.places.contains_key(&name) {
            return Err(io::ErrorKind::AddrInUse.into());
        }
        state.places.insert(name.clone(), Place::default());
        Ok(Box::new(SimListener::new(self.clone(), &name, framed)))
    }

    fn accept(&self, address: &str) -> io::Result<(End, bool)> {
        let mut state = self.lock();
        let waiting = state
            .places
            .get_mut(address)
            .and_then(|place| place.waiting.pop_front());
        let (wire, framed) = waiting.ok_or(io::ErrorKind::WouldBlock)?;
        let end = End {
            net: self.clone(),
            wire,
            side: Side::Acceptor,
            address: address.to_owned(),
        };
        Ok((end, framed))
    }

    fn set_accept_waker(&self, address: &str, waker: &Waker) {
        if let Some(place) = self.lock().places.get_mut(address) {
            place.waker = Some(waker.clone());
        }
    }

    /// Stops listening; who waited to be accepted finds the connection closed.
    fn leave(&self, address: &str) {
        let mut after = After::default();
        let mut state = self.lock();
        let now = self.clock.now();
        let waiting = state
            .places
            .remove(address)
            .map(|place| place.waiting)
            .unwrap_or_default();
        for (wire, _) in waiting {
            let closed = state.wires[wire].close(Side::Acceptor, now, now);
            after.wake.extend(closed.wake);
            after.later.extend(closed.later);
        }
        drop(state);
        self.follow(after);
    }
}

/// The time, and the dice to throw for delays and parts.
struct Times<'a> {
    now: Duration,
    dice: &'a mut Dice,
}

impl Times<'_> {
    /// When something that leaves now arrives.
    fn arrival(&mut self, wire: &Wire) -> (Duration, Duration) {
        (self.now, self.now + delay(self.dice, wire.weather.delay))
    }

    fn part(&mut self, wire: &Wire, most: Option<usize>, offered: usize) -> usize {
        match most {
            None => offered,
            Some(most) if wire.weather.random_parts => offered.min(self.dice.up_to(most)),
            Some(most) => offered.min(most),
        }
    }
}

fn delay(dice: &mut Dice, longest: Duration) -> Duration {
    let nanos = u64::try_from(longest.as_nanos()).unwrap_or(u64::MAX);
    // Whole microseconds, so that a log can be read.
    Duration::from_micros(dice.below(nanos) / 1_000)
}

impl State {
    fn delay(&mut self, longest: Duration) -> Duration {
        delay(&mut self.dice, longest)
    }

    fn later(&mut self, at: Duration, waker: Waker) {
        self.order += 1;
        let order = self.order;
        self.later.push(Reverse(Later { at, order, waker }));
    }
}
