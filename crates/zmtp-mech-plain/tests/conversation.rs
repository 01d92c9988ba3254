//! Whole conversations of two sessions that met by PLAIN: in the clear, as if by NULL.

use bytes::Bytes;
use zmtp_mech_plain::{Client, Server};
use zmtp_wire::{
    Credentials, Error, Event, Frame, Heartbeat, Message, Properties, Refused, Session,
    SessionConfig, SocketType, Time, Verdict, Version,
};

const NOW: Time = Time::from_millis(0);

fn config(socket_type: SocketType) -> SessionConfig {
    let mut config = SessionConfig::new(socket_type);
    config.legacy_allowed = false;
    config
}

fn said(session: &mut Session) -> Vec<u8> {
    let octets: Vec<u8> = session.output_chunks().flatten().copied().collect();
    session.output_written(octets.len());
    octets
}

fn heard(session: &mut Session, mut octets: &[u8]) -> Result<Vec<Event>, Error> {
    let mut events = Vec::new();
    while let Some(event) = session.handle_input(NOW, &mut octets)? {
        events.push(event);
    }
    Ok(events)
}

fn carry(from: &mut Session, to: &mut Session) -> Result<Vec<Event>, Error> {
    let octets = said(from);
    heard(to, &octets)
}

/// The authenticator: one user.
fn judge(credentials: &Credentials) -> Verdict {
    let Credentials::Plain { username, password } = credentials else {
        panic!("{credentials:?}")
    };
    match (&username[..], &password[..]) {
        (b"admin", b"secret") => Verdict::Accept(Properties::from_iter([("User-Id", "admin")])),
        _ => Verdict::Refuse(400),
    }
}

/// A client with this password and a server, until both are in traffic or one has ended.
fn join(
    password: &[u8],
    of_client: SessionConfig,
    of_server: SessionConfig,
) -> (Session, Session, Result<(), Error>) {
    let mechanism = Client::new(b"admin", password).unwrap();
    let mut client = Session::new(of_client, Box::new(mechanism), NOW);
    let mut server = Session::new(of_server, Box::new(Server::new()), NOW);
    for _ in 0..6 {
        for event in carry(&mut client, &mut server).unwrap() {
            if let Event::Authenticate(credentials) = event {
                // What the verdict ends is seen by the client.
                let _ended = server.handle_verdict(judge(&credentials), NOW);
            }
        }
        if let Err(error) = carry(&mut server, &mut client) {
            return (client, server, Err(error));
        }
    }
    assert!(client.in_traffic() && server.in_traffic());
    (client, server, Ok(()))
}

fn joined(of_client: SessionConfig, of_server: SessionConfig) -> (Session, Session) {
    let (client, server, outcome) = join(b"secret", of_client, of_server);
    assert_eq!(outcome, Ok(()));
    (client, server)
}

#[test]
fn a_wrong_password_gets_error_and_nothing_else() {
    for password in [&b"Secret"[..], b"", b"secre", b"secret\0"] {
        let (client, server, outcome) =
            join(password, config(SocketType::Push), config(SocketType::Pull));
        assert_eq!(outcome, Err(Refused::ByPeer(Some(400)).into()));
        assert!(!client.in_traffic() && !server.in_traffic());
    }
}

#[test]
fn messages_of_one_and_of_many_frames_go_both_ways() {
    let (mut dealer, mut router) = joined(config(SocketType::Dealer), config(SocketType::Router));
    let large = vec![9; 1 << 20];
    let messages = [
        Message::from("hello"),
        [&b"a"[..], b"", &[7; 300]]
            .into_iter()
            .map(Frame::from)
            .collect(),
        Message::from(large),
        Message::from(""),
    ];
    for message in &messages {
        dealer.send(message);
        router.send(message);
    }
    let expected = messages.map(Event::Message);
    assert_eq!(carry(&mut dealer, &mut router).unwrap(), expected);
    assert_eq!(carry(&mut router, &mut dealer).unwrap(), expected);
    let known = &router.peer().unwrap().properties;
    assert_eq!(known.get("User-Id").unwrap(), "admin");
}

#[test]
fn subscriptions_travel_in_both_encodings() {
    for version in [Version::V3_1, Version::V3_0] {
        let mut of_client = config(SocketType::Sub);
        of_client.max_version = version;
        let (mut subscriber, mut publisher) = joined(of_client, config(SocketType::Pub));
        subscriber.subscribe(b"weather");
        subscriber.cancel(b"weather");
        let topic = Bytes::from_static(b"weather");
        assert_eq!(
            carry(&mut subscriber, &mut publisher).unwrap(),
            [Event::Subscribe(topic.clone()), Event::Cancel(topic)]
        );
    }
}

#[test]
fn heartbeats_are_answered() {
    let mut of_client = config(SocketType::Push);
    of_client.heartbeat = Some(Heartbeat {
        interval_ms: 1000,
        timeout_ms: 500,
        ttl_ms: 0,
    });
    let (mut push, mut pull) = joined(of_client, config(SocketType::Pull));
    push.handle_timeout(Time::from_millis(1000)).unwrap();
    assert_eq!(carry(&mut push, &mut pull).unwrap(), []);
    assert_eq!(said(&mut pull), b"\x04\x05\x04PONG");
}
