//! Sockets of the engine in one thread: the driver turns by hand, and the clock stands until it is moved.

use std::time::Duration;

use zmq_engine::{
    Clock, Context, ContextOptions, DriverMode, Message, RecvError, Socket, SocketOptions,
    SocketType, VirtualClock,
};

use crate::{Case, Run};

const ROUNDS: u64 = 100;

/// Messages that follow each other.
const BURST: u64 = 64;

/// Longer than any message waits for others.
const LATER: Duration = Duration::from_millis(1);

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (name, endpoint) in [("inproc", "inproc://budgets"), ("tcp", "tcp://127.0.0.1:0")] {
        for size in [16, 64, 1024] {
            cases.push(Case::new(
                format!("engine/{name}/single/{size}"),
                ROUNDS,
                move || single(endpoint, size),
            ));
            cases.push(Case::new(
                format!("engine/{name}/burst/{size}"),
                ROUNDS * BURST,
                move || burst(endpoint, size),
            ));
            cases.push(Case::new(
                format!("engine/{name}/list/{size}"),
                ROUNDS * BURST,
                move || list(endpoint, size),
            ));
        }
        cases.push(Case::new(
            format!("engine/{name}/req-rep/64"),
            ROUNDS,
            move || req_rep(endpoint),
        ));
    }
    cases.push(Case::new("engine/inproc/pub/10/64", ROUNDS, || {
        publish("inproc://budgets")
    }));
    cases
}

struct Joined {
    context: Context,
    clock: VirtualClock,
    bound: Socket,
    connected: Vec<Socket>,
}

impl Joined {
    fn new(endpoint: &str, bound: SocketType, connected: SocketType, count: usize) -> Joined {
        let (clock, hand) = Clock::simulated();
        let mut options = ContextOptions::default();
        options.driver = DriverMode::Manual;
        options.clock = clock;
        options.seed = Some(7);
        let context = Context::with(options).expect("a context opens");
        let open = |socket_type| {
            let mut options = SocketOptions::default();
            options.linger = Some(Duration::ZERO);
            Socket::open(&context, socket_type, options).expect("a socket opens")
        };
        let bound = open(bound);
        let endpoint = bound.bind(endpoint).expect("it binds");
        let connected: Vec<Socket> = (0..count).map(|_| open(connected)).collect();
        for socket in &connected {
            socket.connect(&endpoint).expect("it connects");
            if connected_type_subscribes(socket) {
                socket.subscribe(b"").expect("it subscribes");
            }
        }
        let joined = Joined {
            context,
            clock: hand,
            bound,
            connected,
        };
        joined.settle(count);
        joined
    }

    /// Until all are joined and have said what they had to say.
    fn settle(&self, count: usize) {
        let subscribers = match self.bound.socket_type() {
            SocketType::Pub => count,
            _ => 0,
        };
        while self.bound.connected_peers() < count
            || self.bound.subscriber_count() < subscribers
            || self
                .connected
                .iter()
                .any(|socket| socket.connected_peers() == 0)
        {
            self.context.turn(Duration::from_millis(1));
            let _ = self.bound.events();
        }
        self.pass();
    }

    /// Nothing is in a burst any more.
    fn pass(&self) {
        for _ in 0..2 {
            self.clock.advance(LATER);
            self.context.turn(Duration::ZERO);
        }
    }

    fn recv(&self, socket: &Socket) -> Message {
        loop {
            match socket.try_recv() {
                Err(RecvError::WouldBlock) => {
                    self.context.turn(Duration::ZERO);
                }
                done => return done.expect("it comes"),
            }
        }
    }
}

fn connected_type_subscribes(socket: &Socket) -> bool {
    socket.socket_type() == SocketType::Sub
}

fn send(socket: &Socket, message: Message) {
    socket.try_send(message).expect("it is accepted");
}

/// Each message is received before the next is sent.
fn single(endpoint: &str, size: usize) -> Run {
    let joined = Joined::new(endpoint, SocketType::Pull, SocketType::Push, 1);
    let content = vec![7_u8; size];
    Box::new(move || {
        for _ in 0..ROUNDS {
            joined.clock.advance(LATER);
            send(&joined.connected[0], Message::from(&content[..]));
            assert_eq!(joined.recv(&joined.bound).byte_len(), content.len());
        }
        joined.pass();
    })
}

fn burst(endpoint: &str, size: usize) -> Run {
    let joined = Joined::new(endpoint, SocketType::Pull, SocketType::Push, 1);
    let content = vec![7_u8; size];
    Box::new(move || {
        for _ in 0..ROUNDS {
            let push = &joined.connected[0];
            for _ in 0..BURST {
                send(push, Message::from(&content[..]));
            }
            // Its owner is about to wait.
            let _ = push.events();
            for _ in 0..BURST {
                assert_eq!(joined.recv(&joined.bound).byte_len(), content.len());
            }
            joined.pass();
        }
    })
}

/// A burst that is sent and received many messages a call.
fn list(endpoint: &str, size: usize) -> Run {
    let joined = Joined::new(endpoint, SocketType::Pull, SocketType::Push, 1);
    let content = vec![7_u8; size];
    let mut list = Vec::new();
    Box::new(move || {
        for _ in 0..ROUNDS {
            let push = &joined.connected[0];
            list.extend((0..BURST).map(|_| Message::from(&content[..])));
            let mut sent = 0;
            while sent < list.len() {
                let mut accepted = 0;
                let met = push.try_send_many(&mut list[sent..], &mut accepted);
                met.expect("there is room");
                sent += accepted;
            }
            list.clear();
            let _ = push.events();
            while (list.len() as u64) < BURST {
                if joined.bound.try_recv_many(&mut list, 64).is_err() {
                    joined.context.turn(Duration::ZERO);
                }
            }
            for message in list.drain(..) {
                assert_eq!(message.byte_len(), content.len());
            }
            joined.pass();
        }
    })
}

fn req_rep(endpoint: &str) -> Run {
    let joined = Joined::new(endpoint, SocketType::Rep, SocketType::Req, 1);
    let content = [7_u8; 64];
    Box::new(move || {
        for _ in 0..ROUNDS {
            joined.clock.advance(LATER);
            send(&joined.connected[0], Message::from(&content[..]));
            let question = joined.recv(&joined.bound);
            send(&joined.bound, question);
            assert_eq!(joined.recv(&joined.connected[0]).byte_len(), content.len());
        }
        joined.pass();
    })
}

fn publish(endpoint: &str) -> Run {
    let joined = Joined::new(endpoint, SocketType::Pub, SocketType::Sub, 10);
    let content = [7_u8; 64];
    Box::new(move || {
        for _ in 0..ROUNDS {
            joined.clock.advance(LATER);
            send(&joined.bound, Message::from(&content[..]));
            for socket in &joined.connected {
                assert_eq!(joined.recv(socket).byte_len(), content.len());
            }
        }
        joined.pass();
    })
}
