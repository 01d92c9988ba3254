//! A secured socket that strangers come to, and the handler that is asked about them.

use std::time::Duration;

use zmq_engine::{
    CloseReason, Context, Happening, Message, Monitor, MonitorItem, Security, Socket, SocketType,
};
use zmq_testkit::octets::{command, message};
use zmq_testkit::script::TcpPeer;

use crate::support::stranger::{greet, metadata, plain_hello};
use crate::support::{PATIENCE, await_event, open, open_with, recv, send};

/// A secured PULL, whose ZAP handler the test plays, and two plain sockets of the same context.
pub(crate) struct Hall {
    pub(crate) server: Socket,
    pub(crate) monitor: Monitor,
    endpoint: String,
    pub(crate) handler: Socket,
    plain: (Socket, Socket),
    pub(crate) context: Context,
}

pub(crate) fn hall(security: Security, timeout: Duration) -> Hall {
    let context = Context::new().expect("a context");
    let handler = open_handler(&context);
    let server = open_with(&context, SocketType::Pull, |options| {
        options.security = security;
        options.handshake_timeout = Some(timeout);
    });
    let monitor = server.monitor().expect("a monitor");
    let endpoint = server.bind("tcp://127.0.0.1:0").expect("a free port");
    let (pull, push) = (
        open(&context, SocketType::Pull),
        open(&context, SocketType::Push),
    );
    let meeting = pull.bind("tcp://127.0.0.1:0").expect("a free port");
    push.connect(&meeting).expect("a good endpoint");
    Hall {
        server,
        monitor,
        endpoint,
        handler,
        plain: (pull, push),
        context,
    }
}

fn open_handler(context: &Context) -> Socket {
    let handler = open(context, SocketType::Router);
    handler
        .bind(zmq_engine::zap::ENDPOINT)
        .expect("the name is free");
    handler
}

pub(crate) fn plain() -> Hall {
    hall(Security::plain_server(), PATIENCE)
}

/// A question as the handler meets it.
pub(crate) struct Question {
    way: Vec<u8>,
    pub(crate) number: u64,
}

impl Hall {
    pub(crate) fn stranger(&self) -> TcpPeer {
        TcpPeer::dial(&self.endpoint).expect("the socket accepts")
    }

    /// A PLAIN stranger that has said who it is.
    pub(crate) fn asking(&self) -> TcpPeer {
        let mut stranger = self.stranger();
        greet(&mut stranger, "PLAIN");
        stranger.say(&plain_hello(b"eve", b"guess"));
        stranger
    }

    pub(crate) fn asked(&self) -> Question {
        let question = recv(&self.handler);
        let frames = question.frames();
        let number = std::str::from_utf8(&frames[3]).expect("digits");
        Question {
            way: frames[0].to_vec(),
            number: number.parse().expect("a number"),
        }
    }

    pub(crate) fn answer(&self, question: &Question, number: u64, status: &str) {
        let number = number.to_string();
        let frames: [&[u8]; 6] = [
            b"1.0",
            number.as_bytes(),
            status.as_bytes(),
            b"words",
            b"",
            b"",
        ];
        self.say(question, b"", &frames);
    }

    pub(crate) fn say(&self, question: &Question, delimiter: &[u8], frames: &[&[u8]]) {
        let head: [&[u8]; 2] = [&question.way, delimiter];
        let all: Message = head.into_iter().chain(frames.iter().copied()).collect();
        send(&self.handler, all);
    }

    /// Waits for the end of a handshake; nobody may have come in.
    pub(crate) fn ends(&self) -> CloseReason {
        await_event(&self.monitor, |what| match what {
            Happening::Ready { .. } => panic!("a stranger came in"),
            Happening::Closed { reason, .. } => Some(reason.clone()),
            _ => None,
        })
    }

    /// Others are served, and no stranger has left a trace.
    pub(crate) fn assert_unharmed(&self) {
        let (pull, push) = &self.plain;
        send(push, "a good word");
        assert_eq!(recv(pull).first(), b"a good word");
        assert!(self.server.peers().is_empty(), "a stranger has a pipe");
        let counters = self.server.counters();
        assert_eq!((counters.links_made, counters.arrived), (0, 0));
        while let MonitorItem::Event(event) = self.monitor.try_next() {
            assert!(!matches!(event.what, Happening::Ready { .. }), "{event:?}");
        }
    }

    /// Somebody whom the handler knows comes in, and its message arrives.
    pub(crate) fn assert_open_to_friends(&self) {
        let mut friend = self.asking();
        let question = self.asked();
        self.answer(&question, question.number, "200");
        let (_, welcome) = friend.frame().expect("WELCOME");
        assert_eq!(welcome, b"\x07WELCOME");
        friend.say(&command("INITIATE", &metadata("PUSH", 0)));
        friend.say(&message(b"hello"));
        assert_eq!(recv(&self.server).first(), b"hello");
    }

    /// As `assert_unharmed`, but the events stay.
    pub(crate) fn assert_unharmed_so_far(&self) {
        let (pull, push) = &self.plain;
        send(push, "meanwhile");
        assert_eq!(recv(pull).first(), b"meanwhile");
        assert!(self.server.peers().is_empty());
    }
}
