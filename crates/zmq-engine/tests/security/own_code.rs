//! What decides is changed while peers come, and code of the application panics.

use zmq_engine::{
    Admission, CloseReason, Context, Happening, Security, Socket, SocketOption, SocketType,
    Unasked, wire,
};

use crate::support::{await_event, open, recv, send, text};
use crate::{refusal, secured};

#[test]
fn changing_what_a_socket_asks_for_acts_on_the_next_peer() {
    let context = Context::new().unwrap();
    let (pull, server) = secured(&context, SocketType::Pull, Security::none(), |_| {});
    pull.set(SocketOption::Admission(Admission::Asked)).unwrap();
    pull.set(SocketOption::ZapDomain("d".into())).unwrap();
    let real = pull.bind("tcp://127.0.0.1:0").unwrap();
    let push = open(&context, SocketType::Push);
    push.connect(&real).unwrap();
    assert_eq!(refusal(&server), CloseReason::Unasked(Unasked::NoHandler));
}

/// Takes a name for text, as nobody should.
#[derive(Debug)]
struct Careless;

impl zmq_engine::Authenticator for Careless {
    fn authenticate(&self, question: zmq_engine::Question<'_>, answer: zmq_engine::Answer) {
        let wire::Credentials::Plain { username, .. } = question.credentials else {
            return;
        };
        assert_eq!(std::str::from_utf8(username).unwrap(), "joe");
        answer.give(wire::Verdict::Accept(wire::Properties::new()));
    }
}

#[test]
fn a_stranger_who_makes_an_authenticator_panic_keeps_nobody_out_but_itself() {
    let context = Context::new().unwrap();
    let (pull, server) = secured(
        &context,
        SocketType::Pull,
        Security::plain_server(),
        |options| options.authenticator = Some(std::sync::Arc::new(Careless)),
    );
    let real = pull.bind("tcp://127.0.0.1:0").unwrap();
    let stranger = Security::plain_client(b"\xff", b"").unwrap();
    let (push, _) = secured(&context, SocketType::Push, stranger, |_| {});
    push.connect(&real).unwrap();
    let reason = refusal(&server);
    assert!(
        matches!(reason, CloseReason::Denied { status: 500, .. }),
        "{reason:?}"
    );
    let joe = Security::plain_client(b"joe", b"").unwrap();
    let (push, _) = secured(&context, SocketType::Push, joe, |_| {});
    push.connect(&real).unwrap();
    send(&push, "hello");
    assert_eq!(text(&recv(&pull)), ["hello"]);
}

/// Lets nobody in, and looks at the socket it belonged to when it goes.
#[derive(Debug, Default)]
struct Attached(std::sync::Mutex<Option<std::sync::Arc<Socket>>>);

impl zmq_engine::Authenticator for Attached {
    fn authenticate(&self, _: zmq_engine::Question<'_>, answer: zmq_engine::Answer) {
        answer.deny(400, "nobody");
    }
}

impl Drop for Attached {
    fn drop(&mut self) {
        if let Some(socket) = self.0.get_mut().unwrap().take() {
            assert_eq!(socket.counters().links_made, 0);
        }
    }
}

#[test]
fn an_authenticator_that_is_replaced_may_use_the_socket_when_it_goes() {
    let context = Context::new().unwrap();
    let (pull, server) = secured(&context, SocketType::Pull, Security::none(), |_| {});
    let pull = std::sync::Arc::new(pull);
    let real = pull.bind("tcp://127.0.0.1:0").unwrap();
    for meets_somebody in [false, true] {
        let attached = Attached(std::sync::Mutex::new(Some(std::sync::Arc::clone(&pull))));
        let attached = std::sync::Arc::new(attached);
        pull.set(SocketOption::Authenticator(Some(attached)))
            .unwrap();
        if meets_somebody {
            let push = open(&context, SocketType::Push);
            push.connect(&real).unwrap();
            assert_eq!(
                refusal(&server),
                CloseReason::Denied {
                    status: 400,
                    why: "nobody".to_owned()
                }
            );
        }
        pull.set(SocketOption::Authenticator(None)).unwrap();
    }
}

#[test]
fn a_connection_is_judged_by_the_options_it_began_under() {
    let context = Context::new().unwrap();
    let (pull, server) = secured(&context, SocketType::Pull, Security::none(), |options| {
        options.authenticator = Some(std::sync::Arc::new(Attached::default()));
    });
    let real = pull.bind("tcp://127.0.0.1:0").unwrap();
    let mut stranger = zmq_testkit::script::TcpPeer::dial(&real).unwrap();
    await_event(&server, |what| {
        matches!(what, Happening::Accepted { .. }).then_some(())
    });
    pull.set(SocketOption::Authenticator(None)).unwrap();
    stranger.say(&zmq_testkit::octets::opening("PUSH"));
    let reason = refusal(&server);
    assert!(
        matches!(reason, CloseReason::Denied { status: 400, .. }),
        "{reason:?}"
    );
    // The next one begins under the new options.
    let push = open(&context, SocketType::Push);
    push.connect(&real).unwrap();
    send(&push, "hello");
    assert_eq!(text(&recv(&pull)), ["hello"]);
}

/// Makes no mechanism but panics: at once, or over what the peer says.
struct Clumsy {
    at_once: std::sync::atomic::AtomicBool,
}

struct Falling;

impl wire::Mechanism for Falling {
    fn name(&self) -> [u8; 20] {
        *b"NULL\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
    }

    fn as_server(&self) -> bool {
        false
    }

    fn start(&mut self, _: &[u8]) {}

    fn handle_verdict(&mut self, _: &wire::Verdict) {}

    fn poll(&mut self, _: &mut Vec<u8>) -> wire::Step {
        wire::Step::Wait
    }

    fn handle_command(&mut self, _: &[u8]) -> Result<(), wire::Error> {
        panic!("over a command")
    }
}

impl zmq_engine::MechanismFactory for Clumsy {
    fn mechanism(&self) -> std::io::Result<Box<dyn wire::Mechanism>> {
        assert!(
            !self
                .at_once
                .swap(false, std::sync::atomic::Ordering::SeqCst),
            "at once"
        );
        Ok(Box::new(Falling))
    }
}

#[test]
fn a_mechanism_that_panics_ends_its_connection_and_no_other() {
    let context = Context::new().unwrap();
    let factory = Clumsy {
        at_once: true.into(),
    };
    let security = Security::with(std::sync::Arc::new(factory));
    let (pull, server) = secured(&context, SocketType::Pull, security, |_| {});
    let real = pull.bind("tcp://127.0.0.1:0").unwrap();
    for _ in 0..2 {
        let mut stranger = zmq_testkit::script::TcpPeer::dial(&real).unwrap();
        stranger.say(&zmq_testkit::octets::opening("PUSH"));
        let reason = refusal(&server);
        let told = reason.to_string();
        assert!(told.contains("the mechanism panicked"), "{told}");
        stranger.until_end();
    }
    let (other, push) = (
        open(&context, SocketType::Pull),
        open(&context, SocketType::Push),
    );
    push.connect(&other.bind("tcp://127.0.0.1:0").unwrap())
        .unwrap();
    send(&push, "hello");
    assert_eq!(text(&recv(&other)), ["hello"]);
}
