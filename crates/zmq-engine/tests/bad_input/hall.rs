//! A socket that strangers come to, and an honest peer of it.

use std::time::Duration;

use zmq_engine::{
    CloseReason, Context, Happening, Limits, Message, Monitor, MonitorItem, Socket, SocketOptions,
    SocketType,
};
use zmq_testkit::script::TcpPeer;

pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) const TYPES: [SocketType; 11] = [
    SocketType::Pair,
    SocketType::Pub,
    SocketType::Sub,
    SocketType::Req,
    SocketType::Rep,
    SocketType::Dealer,
    SocketType::Router,
    SocketType::Pull,
    SocketType::Push,
    SocketType::XPub,
    SocketType::XSub,
];

/// A type that talks to this one.
pub(crate) fn partner(kind: SocketType) -> SocketType {
    match kind {
        SocketType::Pub => SocketType::Sub,
        SocketType::Sub => SocketType::Pub,
        SocketType::Req => SocketType::Rep,
        SocketType::Rep => SocketType::Req,
        SocketType::Router => SocketType::Dealer,
        SocketType::Pull => SocketType::Push,
        SocketType::Push => SocketType::Pull,
        SocketType::XPub => SocketType::XSub,
        SocketType::XSub => SocketType::XPub,
        other => other,
    }
}

/// A bound socket, and an honest peer of it.
pub(crate) struct Hall {
    pub(crate) kind: SocketType,
    pub(crate) socket: Socket,
    monitor: Monitor,
    endpoint: String,
    honest: Socket,
    /// What the honest peer has sent.
    sent: u64,
    _context: Context,
}

fn wait_until(socket: &Socket, mut done: impl FnMut(&Socket) -> bool) {
    let waiter = socket.waiter();
    while !done(socket) {
        let fd = waiter.descriptor();
        let mut fds = [rustix::event::PollFd::new(
            &fd,
            rustix::event::PollFlags::IN,
        )];
        let limit = rustix::event::Timespec {
            tv_sec: 20,
            tv_nsec: 0,
        };
        let found = rustix::event::poll(&mut fds, Some(&limit)).expect("poll");
        assert!(found > 0, "nothing happens any more");
        let _ = socket.events();
    }
}

impl Hall {
    pub(crate) fn open(kind: SocketType, options: SocketOptions) -> Hall {
        let context = Context::new().expect("a context");
        let socket = Socket::open(&context, kind, options).expect("a socket");
        let monitor = socket.monitor().expect("a monitor");
        let endpoint = socket.bind("tcp://127.0.0.1:0").expect("a free port");
        let honest = Socket::open(&context, partner(kind), SocketOptions::default());
        let honest = honest.expect("a socket");
        for one in [&socket, &honest] {
            if matches!(one.socket_type(), SocketType::Sub | SocketType::XSub) {
                one.subscribe(b"").expect("it subscribes");
            }
        }
        honest.connect(&endpoint).expect("a good endpoint");
        wait_until(&honest, |honest| honest.connected_peers() == 1);
        wait_until(&socket, |socket| socket.connected_peers() == 1);
        let hall = Hall {
            kind,
            socket,
            monitor,
            endpoint,
            honest,
            sent: 0,
            _context: context,
        };
        hall.await_subscriptions();
        hall
    }

    fn await_subscriptions(&self) {
        for one in [&self.socket, &self.honest] {
            if matches!(one.socket_type(), SocketType::Pub | SocketType::XPub) {
                wait_until(one, |one| one.subscriber_count() == 1);
            }
        }
    }

    pub(crate) fn stranger(&self) -> TcpPeer {
        TcpPeer::dial(&self.endpoint).expect("the socket accepts")
    }

    /// Waits for the end of a connection, and says whether it was ready, and why it ended.
    pub(crate) fn end(&self, what: &str) -> (bool, CloseReason) {
        loop {
            match self.monitor.next_timeout(Some(PATIENCE)) {
                MonitorItem::Event(event) => {
                    if let Happening::Closed {
                        reason, was_ready, ..
                    } = event.what
                    {
                        return (was_ready, reason);
                    }
                }
                other => panic!("{what} against {}: {other:?}", self.kind.name()),
            }
        }
    }

    /// Everything still works for the honest peer, and nothing else was delivered.
    pub(crate) fn assert_unharmed(&mut self) {
        let what = self.kind.name();
        wait_until(&self.socket, |socket| socket.connected_peers() == 1);
        let (from, to) = match self.kind {
            SocketType::Push | SocketType::Pub | SocketType::XPub | SocketType::Req => {
                (&self.socket, &self.honest)
            }
            _ => (&self.honest, &self.socket),
        };
        from.send("a good word".into(), Some(PATIENCE)).expect(what);
        let mut met = to.recv(Some(PATIENCE)).expect(what);
        while to.socket_type() == SocketType::XPub {
            met = to.recv(Some(PATIENCE)).expect(what);
        }
        assert_eq!(last(&met), b"a good word", "{what}");
        if matches!(to.socket_type(), SocketType::Rep) {
            to.send("and a good answer".into(), Some(PATIENCE))
                .expect(what);
            let answer = from.recv(Some(PATIENCE)).expect(what);
            assert_eq!(last(&answer), b"and a good answer", "{what}");
        }
        self.sent += u64::from(!std::ptr::eq(from, &raw const self.socket));
        let extra = u64::from(self.kind == SocketType::Req);
        let counters = self.socket.counters();
        assert_eq!(counters.arrived, self.sent + extra, "{what}: {counters:?}");
    }
}

fn last(message: &Message) -> &[u8] {
    message.frames().last().map_or(&[], |frame| frame)
}

pub(crate) fn narrow() -> SocketOptions {
    let mut options = SocketOptions::default();
    options.limits = Limits {
        max_frame: Some(5_000),
        max_message: 20_000,
        max_parts: 64,
        ..Limits::default()
    };
    options
}
