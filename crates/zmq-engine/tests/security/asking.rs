//! Whoever is asked about a peer decides, and a rule where nobody can be asked.

use zmq_engine::zap::{Envelope, Reply, Request, Status};
use zmq_engine::{
    Admission, CloseReason, Context, Message, Security, Socket, SocketType, Unasked, wire,
};

use crate::support::{open, recv, send, text};
use crate::{key_pair, refusal, secured};

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
