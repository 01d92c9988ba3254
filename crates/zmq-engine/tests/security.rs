//! Who is let in, by whom, and what both sides hear of it.

mod support;

use std::io::{Read, Write};
use std::time::Duration;

use support::*;
use zmq_engine::curve::KeyPair;
use zmq_engine::zap::{Envelope, Reply, Request, Status};
use zmq_engine::{
    Admission, CloseReason, Context, Happening, Message, Monitor, Security, Socket, SocketOption,
    SocketOptions, SocketType, Unasked, wire,
};

fn key_pair() -> KeyPair {
    let mut octets = [0; 32];
    rand(&mut octets);
    KeyPair::new(zmq_engine::curve::SecretKey::from_octets(octets))
}

/// Key material of a test need not be hard to guess; it must differ from call to call.
fn rand(octets: &mut [u8]) {
    use std::hash::{BuildHasher, RandomState};
    for part in octets.chunks_mut(8) {
        let number = RandomState::new().hash_one(0).to_ne_bytes();
        part.copy_from_slice(&number[..part.len()]);
    }
}

fn secured(
    context: &Context,
    socket_type: SocketType,
    security: Security,
    change: impl FnOnce(&mut SocketOptions),
) -> (Socket, Monitor) {
    let socket = open_with(context, socket_type, |options| {
        options.security = security;
        options.attach_properties = true;
        change(options);
    });
    let monitor = socket.monitor().unwrap();
    (socket, monitor)
}

/// Answers `count` questions; `judge` makes frames of each.
fn handle(
    rep: Socket,
    count: usize,
    judge: impl Fn(&Request) -> Message + Send + 'static,
) -> std::thread::JoinHandle<Socket> {
    std::thread::spawn(move || {
        for _ in 0..count {
            let asked = recv(&rep);
            let (envelope, frames) = if rep.socket_type() == SocketType::Rep {
                (None, asked.frames())
            } else {
                let (envelope, frames) = Envelope::split(&asked).expect("an envelope");
                (Some(envelope), frames)
            };
            let reply = judge(&Request::parse(frames).expect("a request"));
            send(
                &rep,
                match envelope {
                    None => reply,
                    Some(envelope) => envelope.wrap(reply),
                },
            );
        }
        rep
    })
}

fn handler(context: &Context, socket_type: SocketType) -> Socket {
    let handler = open(context, socket_type);
    handler.bind("inproc://zeromq.zap.01").unwrap();
    handler
}

fn refusal(monitor: &Monitor) -> CloseReason {
    await_event(monitor, |what| match what {
        Happening::Closed {
            reason,
            was_ready: false,
            ..
        } => Some(reason.clone()),
        _ => None,
    })
}

#[test]
fn a_handler_of_either_type_lets_in_and_says_who_it_is() {
    for socket_type in [SocketType::Rep, SocketType::Router] {
        let context = Context::new().unwrap();
        let answers = handle(handler(&context, socket_type), 1, |request| {
            assert_eq!(request.domain, "test");
            assert_eq!(request.address, "127.0.0.1");
            assert_eq!(request.identity, "SRV");
            let mut reply = Reply::accept(request, "joe");
            reply.metadata.push("Hello", "World");
            reply.to_message()
        });
        let (pull, _) = secured(
            &context,
            SocketType::Pull,
            Security::plain_server(),
            |options| {
                options.zap_domain = "test".into();
                options.routing_id = "SRV".into();
            },
        );
        let real = pull.bind("tcp://127.0.0.1:0").unwrap();
        let client = Security::plain_client(b"admin", b"secret").unwrap();
        let (push, _) = secured(&context, SocketType::Push, client, |_| {});
        push.connect(&real).unwrap();
        send(&push, "hello");
        let got = recv(&pull);
        let properties = got.properties().expect("they were asked for");
        assert_eq!(properties.get("User-Id").unwrap(), "joe");
        assert_eq!(properties.get("Hello").unwrap(), "World");
        assert_eq!(properties.get("Peer-Address").unwrap(), "127.0.0.1");
        answers.join().unwrap();
    }
}

#[test]
fn a_status_other_than_200_keeps_out_and_is_told_to_those_it_concerns() {
    for (status, told) in [
        (Status::Denied, Some(400)),
        (Status::Internal, Some(500)),
        (Status::Temporary, None),
    ] {
        let context = Context::new().unwrap();
        let answers = handle(handler(&context, SocketType::Rep), 1, move |request| {
            Reply::refuse(request, status, "not today").to_message()
        });
        let keys = key_pair();
        let public = keys.public();
        let (pull, server) = secured(
            &context,
            SocketType::Pull,
            Security::curve_server(keys),
            |_| {},
        );
        let real = pull.bind("tcp://127.0.0.1:0").unwrap();
        let (push, client) = secured(
            &context,
            SocketType::Push,
            Security::curve_client(public, key_pair()),
            |options| {
                options.reconnect.initial = None;
            },
        );
        push.connect(&real).unwrap();
        let why = "not today".to_owned();
        assert_eq!(
            refusal(&server),
            CloseReason::Denied {
                status: status.code(),
                why
            }
        );
        let theirs = refusal(&client);
        match told {
            Some(status) => assert_eq!(
                theirs,
                CloseReason::Protocol(wire::Error::Refused(wire::Refused::ByPeer(Some(status))))
            ),
            None => assert!(
                matches!(theirs, CloseReason::LeftHandshake { answered: true, .. }),
                "{theirs:?}"
            ),
        }
        assert!(pull.peers().is_empty());
        answers.join().unwrap();
    }
}

#[test]
fn a_client_with_another_server_key_is_told_apart_at_both_ends() {
    let context = Context::new().unwrap();
    let (pull, server) = secured(
        &context,
        SocketType::Pull,
        Security::curve_server(key_pair()),
        |_| {},
    );
    let real = pull.bind("tcp://127.0.0.1:0").unwrap();
    let wrong = Security::curve_client(key_pair().public(), key_pair());
    let (push, client) = secured(&context, SocketType::Push, wrong, |_| {});
    push.connect(&real).unwrap();
    assert_eq!(refusal(&server), CloseReason::OtherServerKey);
    let theirs = refusal(&client);
    assert!(
        matches!(
            theirs,
            CloseReason::LeftHandshake {
                answered: false,
                ..
            }
        ),
        "{theirs:?}"
    );
}

#[test]
fn without_anybody_to_ask_the_rule_decides() {
    use Admission::{AnyKey, AsLibzmq, Asked};
    type Row = (Admission, &'static str, bool, bool);
    // Admission, domain, enforced: is a CURVE client let in?
    let curve: [Row; 7] = [
        (AsLibzmq, "", false, true),
        (AsLibzmq, "d", false, true),
        (AsLibzmq, "d", true, false),
        (AsLibzmq, "", true, true),
        (Asked, "", false, false),
        (Asked, "d", false, false),
        (AnyKey, "d", true, true),
    ];
    let null: [Row; 5] = [
        (AsLibzmq, "", true, true),
        (AsLibzmq, "d", false, true),
        (AsLibzmq, "d", true, false),
        (Asked, "", false, true),
        (Asked, "d", false, false),
    ];
    let plain: [Row; 3] = [
        (AsLibzmq, "", false, false),
        (Asked, "", false, false),
        (AnyKey, "", false, false),
    ];
    let keys = key_pair();
    let roles = [
        (
            Security::curve_server(keys.clone()),
            Security::curve_client(keys.public(), key_pair()),
            &curve[..],
        ),
        (Security::none(), Security::none(), &null[..]),
        (
            Security::plain_server(),
            Security::plain_client(b"u", b"p").unwrap(),
            &plain[..],
        ),
    ];
    for (ours, theirs, rows) in roles {
        for (admission, domain, enforce, let_in) in rows {
            let context = Context::new().unwrap();
            let (pull, server) = secured(&context, SocketType::Pull, ours.clone(), |options| {
                options.admission = *admission;
                options.zap_domain = (*domain).into();
                options.zap_enforce_domain = *enforce;
            });
            let real = pull.bind("tcp://127.0.0.1:0").unwrap();
            let (push, _) = secured(&context, SocketType::Push, theirs.clone(), |_| {});
            push.connect(&real).unwrap();
            let row = format!("{ours:?} {admission:?} {domain:?} {enforce}");
            if *let_in {
                send(&push, "in");
                assert_eq!(text(&recv(&pull)), ["in"], "{row}");
            } else {
                assert_eq!(
                    refusal(&server),
                    CloseReason::Unasked(Unasked::NoHandler),
                    "{row}"
                );
            }
        }
    }
}

#[test]
fn a_handler_that_cannot_answer_lets_nobody_in() {
    let context = Context::new().unwrap();
    let _handler = handler(&context, SocketType::Pull);
    let (pull, server) = secured(&context, SocketType::Pull, Security::plain_server(), |_| {});
    let real = pull.bind("tcp://127.0.0.1:0").unwrap();
    let client = Security::plain_client(b"u", b"p").unwrap();
    let (push, _) = secured(&context, SocketType::Push, client, |_| {});
    push.connect(&real).unwrap();
    let reason = refusal(&server);
    assert_eq!(
        reason,
        CloseReason::Unasked(Unasked::HandlerType(SocketType::Pull))
    );
}

#[test]
fn a_handler_that_leaves_ends_the_handshakes_that_wait_and_its_successor_is_asked_next() {
    let context = Context::new().unwrap();
    let first = handler(&context, SocketType::Rep);
    let (pull, server) = secured(&context, SocketType::Pull, Security::plain_server(), |_| {});
    let real = pull.bind("tcp://127.0.0.1:0").unwrap();
    let client = Security::plain_client(b"u", b"p").unwrap();
    let (push, _) = secured(&context, SocketType::Push, client, |_| {});
    push.connect(&real).unwrap();
    recv(&first);
    first.close(None);
    assert_eq!(refusal(&server), CloseReason::Unasked(Unasked::HandlerLeft));
    let answers = handle(handler(&context, SocketType::Rep), 1, |request| {
        Reply::accept(request, "").to_message()
    });
    send(&push, "in after all");
    assert_eq!(text(&recv(&pull)), ["in after all"]);
    answers.join().unwrap();
}

#[test]
fn versions_without_mechanisms_are_refused_where_something_is_to_be_proved() {
    let context = Context::new().unwrap();
    let domain = |options: &mut SocketOptions| options.zap_domain = "d".into();
    let sockets = [
        secured(&context, SocketType::Pull, Security::plain_server(), |_| {}),
        secured(
            &context,
            SocketType::Pull,
            Security::curve_server(key_pair()),
            |_| {},
        ),
        secured(&context, SocketType::Pull, Security::none(), domain),
    ];
    for (pull, monitor) in sockets {
        let real = pull.bind("tcp://127.0.0.1:0").unwrap();
        // The signature, revision 1, PUSH, an empty identity: ZMTP 2.0.
        for hello in [
            &b"\xff\0\0\0\0\0\0\0\x01\x7f\x01\x08\0\0\0\x05hello"[..],
            b"\x01\0\x06\0hello",
        ] {
            let mut stream =
                std::net::TcpStream::connect(real.strip_prefix("tcp://").unwrap()).unwrap();
            stream.set_read_timeout(Some(PATIENCE)).unwrap();
            stream.write_all(hello).unwrap();
            let reason = refusal(&monitor);
            assert!(
                matches!(reason, CloseReason::Protocol(wire::Error::Incompatible(_))),
                "{reason:?}"
            );
            let _ = stream.read_to_end(&mut Vec::new());
        }
        assert!(pull.recv(Some(Duration::ZERO)).is_err());
    }
}

#[test]
fn a_mechanism_talks_to_its_like_alone() {
    let context = Context::new().unwrap();
    let keys = key_pair();
    let all = [
        (Security::none(), Security::none()),
        (
            Security::plain_server(),
            Security::plain_client(b"u", b"p").unwrap(),
        ),
        (
            Security::curve_server(keys.clone()),
            Security::curve_client(keys.public(), key_pair()),
        ),
    ];
    for (place, (ours, _)) in all.iter().enumerate() {
        for (other, (_, theirs)) in all.iter().enumerate() {
            if place == other {
                continue;
            }
            let (pull, server) = secured(&context, SocketType::Pull, ours.clone(), |_| {});
            let real = pull.bind("tcp://127.0.0.1:0").unwrap();
            let (push, client) = secured(&context, SocketType::Push, theirs.clone(), |_| {});
            push.connect(&real).unwrap();
            for monitor in [server, client] {
                let reason = refusal(&monitor);
                let mismatch = matches!(
                    reason,
                    CloseReason::Protocol(wire::Error::Incompatible(
                        wire::Incompatible::Mechanism { .. }
                    ))
                );
                assert!(mismatch, "{ours:?} and {theirs:?}: {reason:?}");
            }
            assert!(pull.peers().is_empty());
        }
    }
}

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
