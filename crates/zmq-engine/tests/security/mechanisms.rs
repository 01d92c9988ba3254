//! Ends that do not fit each other: another key, another mechanism, none at all.

use std::io::{Read, Write};
use std::time::Duration;

use zmq_engine::{CloseReason, Context, Security, SocketOptions, SocketType, wire};

use crate::support::PATIENCE;
use crate::{key_pair, refusal, secured};

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
