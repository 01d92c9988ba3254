//! Every octet of a conversation with fixed keys, both roles.

mod fixed;

use fixed::{
    CLIENT_METADATA, CLIENT_PUBLIC, CLIENT_SHORT, COOKIE, HELLO, INITIATE, MESSAGE_EMPTY,
    MESSAGE_HELLO, MESSAGE_PART, MESSAGE_PING, MESSAGE_SUBSCRIBE, PRINTED, READY, SERVER_METADATA,
    SERVER_PUBLIC, SERVER_SHORT, WELCOME, client, client_keys, key, octets, server, server_keys,
};
use zmtp_mech_curve::{PublicKey, SecretKey};
use zmtp_wire::{Credentials, Established, Mechanism, Step, Transform, Verdict};

const MORE: u8 = 1;
const COMMAND: u8 = 4;

fn said(mechanism: &mut dyn Mechanism) -> Vec<u8> {
    let mut out = Vec::new();
    assert!(matches!(mechanism.poll(&mut out), Step::Command));
    out
}

fn established(mechanism: &mut dyn Mechanism) -> (Vec<u8>, Box<dyn Transform>) {
    let Step::Established(Established {
        metadata,
        transform: Some(transform),
    }) = mechanism.poll(&mut Vec::new())
    else {
        panic!("not established")
    };
    (metadata, transform)
}

/// The client after READY.
fn client_in_traffic() -> Box<dyn Transform> {
    let mut client = client();
    client.start(&octets(CLIENT_METADATA));
    said(&mut client);
    client.handle_command(&octets(WELCOME)).unwrap();
    said(&mut client);
    client.handle_command(&octets(READY)).unwrap();
    established(&mut client).1
}

/// The server after INITIATE.
fn server_in_traffic() -> Box<dyn Transform> {
    let mut server = server();
    server.start(&octets(SERVER_METADATA));
    server.handle_command(&octets(HELLO)).unwrap();
    said(&mut server);
    server.handle_command(&octets(INITIATE)).unwrap();
    said(&mut server);
    established(&mut server).1
}

fn sealed(transform: &mut dyn Transform, flags: u8, body: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    transform.seal(flags, body, &mut out).unwrap();
    assert_eq!(out.len(), body.len() + transform.overhead());
    out
}

fn opened(transform: &mut dyn Transform, body: &str) -> (u8, Vec<u8>) {
    let mut out = Vec::new();
    let flags = transform.open(&octets(body), &mut out).unwrap();
    (flags, out)
}

#[test]
fn keys_are_the_same_in_octets_and_in_print() {
    for (first, secret, public) in PRINTED {
        assert_eq!(secret.parse(), Ok(key(first)));
        assert_eq!(*key(first).to_z85(), secret);
        if let Some(public) = public {
            assert_eq!(key(first).public().to_string(), public);
            assert_eq!(public.parse(), Ok(key(first).public()));
        }
    }
    for (first, public) in [
        (0x00, SERVER_PUBLIC),
        (0x20, CLIENT_PUBLIC),
        (0x40, SERVER_SHORT),
        (0x60, CLIENT_SHORT),
    ] {
        assert_eq!(&key(first).public().as_octets()[..], octets(public));
    }
}

// spec: 26/hello, 26/initiate, 26/vouch, 25/one-nonce-a-direction
#[test]
fn a_client_says_and_understands_every_octet() {
    let mut client = client();
    client.start(&octets(CLIENT_METADATA));
    assert!(!client.as_server());
    assert_eq!(said(&mut client), octets(HELLO));
    assert!(matches!(client.poll(&mut Vec::new()), Step::Wait));
    client.handle_command(&octets(WELCOME)).unwrap();
    assert_eq!(said(&mut client), octets(INITIATE));
    assert!(matches!(client.poll(&mut Vec::new()), Step::Wait));
    client.handle_command(&octets(READY)).unwrap();
    let (metadata, mut transform) = established(&mut client);
    assert_eq!(metadata, octets(SERVER_METADATA));
    assert_eq!(
        opened(&mut *transform, MESSAGE_PART),
        (MORE, b"part1".to_vec())
    );
    assert_eq!(opened(&mut *transform, MESSAGE_EMPTY), (0, Vec::new()));
}

// spec: 26/welcome, 26/cookie, 26/ready
#[test]
fn a_server_says_and_understands_every_octet() {
    let mut server = server().with_authentication(true);
    server.start(&octets(SERVER_METADATA));
    assert!(server.as_server());
    assert!(matches!(server.poll(&mut Vec::new()), Step::Wait));
    server.handle_command(&octets(HELLO)).unwrap();
    assert_eq!(said(&mut server), octets(WELCOME));
    assert!(matches!(server.poll(&mut Vec::new()), Step::Wait));
    assert_eq!(octets(INITIATE)[9..][..96], octets(COOKIE));
    server.handle_command(&octets(INITIATE)).unwrap();
    let Step::Authenticate(Credentials::Curve { public_key }) = server.poll(&mut Vec::new()) else {
        panic!("nobody asked")
    };
    assert_eq!(&public_key, client_keys().public().as_octets());
    assert!(matches!(server.poll(&mut Vec::new()), Step::Wait));
    server.handle_verdict(&Verdict::accept());
    assert_eq!(said(&mut server), octets(READY));
    let (metadata, mut transform) = established(&mut server);
    assert_eq!(metadata, octets(CLIENT_METADATA));
    let expected = [
        (MESSAGE_HELLO, 0, &b"hello"[..]),
        (MESSAGE_PING, COMMAND, b"\x04PING\0\0"),
        (MESSAGE_SUBSCRIBE, COMMAND, b"\x09SUBSCRIBEA"),
    ];
    for (message, flags, body) in expected {
        assert_eq!(opened(&mut *transform, message), (flags, body.to_vec()));
    }
}

// spec: 26/message, libzmq/curve-inner-command, libzmq/curve-outer-flags
#[test]
fn frames_are_sealed_octet_by_octet_as_libsodium_seals_them() {
    let mut client = client_in_traffic();
    assert_eq!(client.overhead(), 33);
    assert_eq!(client.outer_flags(), 0);
    assert_eq!(sealed(&mut *client, 0, b"hello"), octets(MESSAGE_HELLO));
    assert_eq!(
        sealed(&mut *client, COMMAND, b"\x04PING\0\0"),
        octets(MESSAGE_PING)
    );
    assert_eq!(
        sealed(&mut *client, COMMAND, b"\x09SUBSCRIBEA"),
        octets(MESSAGE_SUBSCRIBE)
    );
    let mut server = server_in_traffic();
    assert_eq!(sealed(&mut *server, MORE, b"part1"), octets(MESSAGE_PART));
    assert_eq!(sealed(&mut *server, 0, b""), octets(MESSAGE_EMPTY));
}

#[test]
fn secrets_are_not_printed() {
    let printed = format!(
        "{:?} {:?} {:?} {:?}",
        server_keys(),
        key(0x20),
        client(),
        server()
    );
    for first in [0x00, 0x20, 0x40, 0x60, 0x80] {
        let secret = key(first);
        assert!(!printed.contains(&*secret.to_z85()), "{printed}");
        assert!(!printed.contains(&format!("{:?}", secret.as_octets())[1..40]));
    }
    assert!(printed.contains("SecretKey(..)"));
}

#[test]
fn keys_that_are_no_keys_are_refused() {
    for text in [
        "",
        "009c6",
        "K3HW^WVq.zo69t)(umF>:XvwTj:QGN^yKlWaVH(",
        "K3HW WVq.zo69t)(umF>:XvwTj:QGN^yKlWaVH(S",
    ] {
        assert!(text.parse::<PublicKey>().is_err(), "{text}");
        assert!(text.parse::<SecretKey>().is_err(), "{text}");
    }
}
