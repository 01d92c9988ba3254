//! Contexts, sockets, a network and a clock, all moved by one hand.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use zmq_engine::{
    Clock, CloseReport, Context, ContextOptions, Counters, DriverMode, Happening, Message, Monitor,
    MonitorItem, RecvError, SendError, Socket, SocketOptions, SocketType, VirtualClock,
};
use zmq_transport::Registry;

use crate::books::{Books, Statement};
use crate::net::{Net, SimFramedTransport, SimTransport};

/// Turns without rest after which a world is taken to spin.
const RESTLESS: usize = 100_000;

/// How far a world is moved on while something is waited for.
const PATIENCE: Duration = Duration::from_secs(600);

/// A socket of a world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SocketId(usize);

struct Held {
    name: String,
    socket: Option<Socket>,
    monitor: Option<Monitor>,
    /// Peers a fan-out was meant for, over all messages; `None` where that cannot be told.
    meant: Option<u64>,
    /// What the books said when the socket was closed.
    last: Option<Statement>,
    closed: Option<CloseReport>,
}

/// Sockets over an in-memory network and a virtual clock.
pub struct World {
    /// The network.
    pub net: Net,
    /// The hand of the clock.
    pub clock: VirtualClock,
    contexts: Vec<Context>,
    held: Vec<Held>,
    log: Vec<String>,
    quiet: bool,
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("World")
            .field("now", &self.clock.now())
            .field("sockets", &self.held.len())
            .finish_non_exhaustive()
    }
}

impl World {
    /// A world with one context.
    #[must_use]
    pub fn new(seed: u64) -> World {
        World::with_contexts(seed, 1)
    }

    /// A world with several contexts; sockets are opened in them in turn.
    ///
    /// # Panics
    /// If the system gives no descriptors.
    #[must_use]
    pub fn with_contexts(seed: u64, count: usize) -> World {
        let (clock, hand) = Clock::simulated();
        let net = Net::new(seed, hand.clone());
        let mut registry = Registry::standard();
        registry
            .register(Arc::new(SimTransport(net.clone())))
            .expect("nobody else serves the scheme");
        registry
            .register(Arc::new(SimFramedTransport(net.clone())))
            .expect("nobody else serves the scheme");
        let contexts = (0..count.max(1) as u64).map(|index| {
            let mut options = ContextOptions::default();
            options.clock = clock.clone();
            options.driver = DriverMode::Manual;
            options.seed = Some(seed.wrapping_add(index));
            options.transports = registry.clone();
            Context::with(options).expect("the system gives descriptors")
        });
        World {
            contexts: contexts.collect(),
            net,
            clock: hand,
            held: Vec::new(),
            log: Vec::new(),
            quiet: false,
        }
    }

    /// Keeps no log from now on.
    pub fn be_quiet(&mut self) {
        self.quiet = true;
    }

    // ---- sockets ----

    /// Opens a socket.
    ///
    /// # Panics
    /// If the options do not fit the type.
    pub fn open(&mut self, kind: SocketType, name: &str, options: SocketOptions) -> SocketId {
        self.open_in(self.held.len(), (kind, name), options)
    }

    /// Opens a socket in a context of choice; numbers beyond the last go round.
    ///
    /// # Panics
    /// If the options do not fit the type.
    pub fn open_in(
        &mut self,
        context: usize,
        (kind, name): (SocketType, &str),
        options: SocketOptions,
    ) -> SocketId {
        let context = &self.contexts[context % self.contexts.len()];
        let socket = Socket::open(context, kind, options).expect("the options fit the type");
        let monitor = socket.monitor().expect("the system gives descriptors");
        self.held.push(Held {
            name: name.to_owned(),
            socket: Some(socket),
            monitor: Some(monitor),
            meant: (kind != SocketType::XSub).then_some(0),
            last: None,
            closed: None,
        });
        SocketId(self.held.len() - 1)
    }

    /// The socket itself.
    ///
    /// # Panics
    /// If it was dropped.
    #[must_use]
    pub fn socket(&self, id: SocketId) -> &Socket {
        self.held[id.0]
            .socket
            .as_ref()
            .expect("the socket was not dropped")
    }

    /// Its name in the log.
    #[must_use]
    pub fn name(&self, id: SocketId) -> &str {
        &self.held[id.0].name
    }

    /// Binds.
    ///
    /// # Panics
    /// If the endpoint is taken.
    pub fn bind(&mut self, id: SocketId, endpoint: &str) -> String {
        let real = self.socket(id).bind(endpoint).expect("a free endpoint");
        self.note(id, &format!("bound to {real}"));
        self.settle();
        real
    }

    /// Connects.
    ///
    /// # Panics
    /// If the endpoint makes no sense.
    pub fn connect(&mut self, id: SocketId, endpoint: &str) {
        self.socket(id).connect(endpoint).expect("a good endpoint");
        self.note(id, &format!("connecting to {endpoint}"));
        self.settle();
    }

    /// Sends without waiting.
    ///
    /// # Errors
    /// As [`Socket::try_send`].
    pub fn send(&mut self, id: SocketId, message: Message) -> Result<(), SendError> {
        let shown = (!self.quiet).then(|| show(&message));
        let before = self.subscribers(id);
        let result = self.socket(id).try_send(message);
        if let Some(shown) = shown {
            match &result {
                Ok(()) => self.note(id, &format!("sent {shown}")),
                Err(error) => self.note(id, &format!("did not send {shown}: {}", error.reason)),
            }
        }
        if result.is_ok()
            && let Some(meant) = &mut self.held[id.0].meant
        {
            *meant += before;
        }
        result
    }

    fn subscribers(&self, id: SocketId) -> u64 {
        let socket = self.socket(id);
        if !matches!(socket.socket_type(), SocketType::Pub | SocketType::XPub) {
            return 0;
        }
        // Asking does what is due, after the count: asked again, nobody comes or goes before the sending.
        for _ in 0..4 {
            let _ = socket.subscriber_count();
        }
        socket.subscriber_count() as u64
    }

    /// The subscribers of this publisher want different things, so that nobody can tell how many a message is for.
    pub fn topics_differ(&mut self, id: SocketId) {
        self.held[id.0].meant = None;
    }

    /// Receives without waiting.
    ///
    /// # Errors
    /// As [`Socket::try_recv`], save that an empty queue is `Ok(None)`.
    pub fn receive(&mut self, id: SocketId) -> Result<Option<Message>, RecvError> {
        match self.socket(id).try_recv() {
            Ok(message) => {
                if !self.quiet {
                    self.note(id, &format!("received {}", show(&message)));
                }
                Ok(Some(message))
            }
            Err(RecvError::WouldBlock) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Receives a message, letting the world go on until one is there.
    ///
    /// # Panics
    /// If none comes.
    pub fn recv_soon(&mut self, id: SocketId) -> Message {
        let deadline = self.clock.now() + PATIENCE;
        loop {
            match self.receive(id) {
                Ok(Some(message)) => return message,
                Ok(None) => {}
                Err(error) => panic!("{} cannot receive: {error}", self.name(id)),
            }
            if self.clock.now() > deadline || !self.go_on() {
                panic!("no message for {}\n{}", self.name(id), self.tail());
            }
        }
    }

    /// Everything there is to receive now.
    pub fn drain(&mut self, id: SocketId) -> Vec<Message> {
        let mut all = Vec::new();
        while let Ok(Some(message)) = self.receive(id) {
            all.push(message);
        }
        all
    }

    /// Closes the socket and lets the world go on until it is gone.
    ///
    /// # Panics
    /// If it does not end within its linger time.
    pub fn close(&mut self, id: SocketId, linger: Option<Duration>) -> CloseReport {
        self.socket(id).begin_close(linger);
        self.note(id, "closing");
        self.until("it is closed", |world| {
            world.socket(id).poll_closed().is_some()
        });
        let statement = self.statement(id);
        let report = self.socket(id).poll_closed().unwrap_or_default();
        self.note(id, &format!("closed: {report:?}"));
        let held = &mut self.held[id.0];
        held.last = Some(statement);
        held.closed = Some(report);
        held.socket = None;
        held.monitor = None;
        report
    }

    /// What the socket was asked to do and what became of it.
    #[must_use]
    pub fn statement(&self, id: SocketId) -> Statement {
        let held = &self.held[id.0];
        match &held.last {
            Some(statement) => statement.clone(),
            None => Statement::of(&held.name, self.socket(id), held.meant),
        }
    }

    /// The numbers of a socket.
    #[must_use]
    pub fn counters(&self, id: SocketId) -> Counters {
        self.statement(id).counters
    }

    /// The books of one bound socket and those that dial it.
    #[must_use]
    pub fn books(&self, address: &str, bound: &[SocketId], dialed: &[SocketId]) -> Books {
        Books {
            bound: bound.iter().map(|id| self.statement(*id)).collect(),
            dialed: dialed.iter().map(|id| self.statement(*id)).collect(),
            unread_from_dialers: self.net.unread(address, crate::Side::Dialer),
            unread_from_bound: self.net.unread(address, crate::Side::Acceptor),
        }
    }

    // ---- time ----

    /// Lets everything happen that can happen without the clock moving on.
    ///
    /// # Panics
    /// If that never ends: somebody spins.
    pub fn settle(&mut self) {
        for _ in 0..RESTLESS {
            let mut did = self.net.run_due();
            for context in &self.contexts {
                did |= context.turn(Duration::ZERO);
            }
            self.listen();
            if !did {
                return;
            }
        }
        panic!("the world does not come to rest\n{}", self.tail());
    }

    /// Settles, and moves the clock to the next thing that is due. Says no when there is none.
    pub fn go_on(&mut self) -> bool {
        self.settle();
        let Some(next) = self.next() else {
            return false;
        };
        self.clock.advance(next);
        self.settle();
        true
    }

    fn next(&self) -> Option<Duration> {
        let timers = self.contexts.iter().filter_map(Context::next_timer);
        timers.chain(self.net.next_event()).min()
    }

    /// Lets this much time pass.
    pub fn run_for(&mut self, time: Duration) {
        let end = self.clock.now() + time;
        loop {
            self.settle();
            let left = end.saturating_sub(self.clock.now());
            if left.is_zero() {
                return;
            }
            self.clock
                .advance(self.next().map_or(left, |next| next.min(left)));
        }
    }

    /// Lets the world go on until `done`.
    ///
    /// # Panics
    /// If that does not happen, however long the clock runs.
    pub fn until(&mut self, what: &str, mut done: impl FnMut(&mut World) -> bool) {
        let deadline = self.clock.now() + PATIENCE;
        self.settle();
        while !done(self) {
            if self.clock.now() > deadline || !self.go_on() {
                panic!("never came: {what}\n{}", self.tail());
            }
        }
    }

    // ---- the log ----

    fn note(&mut self, id: SocketId, what: &str) {
        if !self.quiet {
            let line = format!("{:?} {}: {what}", self.clock.now(), self.held[id.0].name);
            self.log.push(line);
        }
    }

    /// Writes a line of the test's own.
    pub fn remark(&mut self, what: &str) {
        if !self.quiet {
            self.log.push(format!("{:?} {what}", self.clock.now()));
        }
    }

    /// Reads what the monitors have to say.
    fn listen(&mut self) {
        let mut lines = Vec::new();
        for held in &self.held {
            let Some(monitor) = &held.monitor else {
                continue;
            };
            while let MonitorItem::Event(event) = monitor.try_next() {
                if self.quiet {
                    continue;
                }
                let mut line = format!("{:?} {}: ", self.clock.now(), held.name);
                let _ = write!(line, "{} {}", event.endpoint, describe(&event.what));
                if let Some(peer) = &event.peer {
                    let _ = write!(line, " ({peer})");
                }
                lines.push(line);
            }
        }
        self.log.extend(lines);
    }

    /// Everything that has happened, a line each.
    #[must_use]
    pub fn log(&self) -> &[String] {
        &self.log
    }

    /// A number that stands for the log.
    #[must_use]
    pub fn log_hash(&self) -> u64 {
        // FNV-1a: short, and the same on every machine.
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        for octet in self.log.iter().flat_map(|line| line.bytes().chain([b'\n'])) {
            hash = (hash ^ u64::from(octet)).wrapping_mul(0x0000_0100_0000_01B3);
        }
        hash
    }

    /// The end of the log, for the words of a failure.
    #[must_use]
    pub fn tail(&self) -> String {
        let from = self.log.len().saturating_sub(40);
        self.log[from..].join("\n")
    }
}

impl Drop for World {
    fn drop(&mut self) {
        for held in &mut self.held {
            if let Some(socket) = held.socket.take() {
                socket.begin_close(Some(Duration::ZERO));
            }
        }
        if !std::thread::panicking() {
            self.settle();
        }
    }
}

fn describe(what: &Happening) -> String {
    match what {
        Happening::Closed {
            reason, was_ready, ..
        } => format!("closed: {reason:?} (was ready: {was_ready})"),
        other => format!("{other:?}"),
    }
}

/// A message in one line: short frames as text, long ones as their length and a sum.
#[must_use]
pub fn show(message: &Message) -> String {
    let frames: Vec<String> = message
        .frames()
        .iter()
        .map(|frame| {
            if frame.len() <= 24 {
                frame.escape_ascii().to_string()
            } else {
                let sum = frame.iter().fold(0_u32, |sum, octet| {
                    sum.wrapping_mul(31).wrapping_add(u32::from(*octet))
                });
                format!("<{} octets, {sum:08x}>", frame.len())
            }
        })
        .collect();
    format!("[{}]", frames.join("|"))
}
