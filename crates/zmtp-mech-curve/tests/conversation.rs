//! Whole conversations of two sessions: what applications say arrives, and nobody in between can read it.

mod fixed;
mod wired;

use bytes::Bytes;
use fixed::{client, key, server};
use proptest::collection::vec;
use proptest::prelude::*;
use wired::{NOW, carry, config, heard, joined, said};
use zmtp_wire::{
    Credentials, Error, Event, Frame, Heartbeat, Incompatible, Message, Misbehaved, Properties,
    Refused, Session, SocketType, Time, Verdict, Version,
};

fn multipart(parts: &[&[u8]]) -> Message {
    parts.iter().copied().map(Frame::from).collect()
}

#[test]
fn messages_of_one_and_of_many_frames_go_both_ways() {
    let (mut dealer, mut router) = joined(config(SocketType::Dealer), config(SocketType::Router));
    let messages = [
        Message::from("hello"),
        multipart(&[b"a", b"", &[7; 300], b"\x04PING"]),
        Message::from(""),
    ];
    for message in &messages {
        dealer.send(message);
        router.send(message);
    }
    let expected = messages.map(Event::Message);
    assert_eq!(carry(&mut dealer, &mut router), expected);
    assert_eq!(carry(&mut router, &mut dealer), expected);
}

#[test]
fn a_frame_of_a_mebibyte_goes_through_in_pieces() {
    let (mut push, mut pull) = joined(config(SocketType::Push), config(SocketType::Pull));
    let large: Vec<u8> = (0..1 << 20).map(|at: u32| (at % 251) as u8).collect();
    let message = multipart(&[b"first", &large, b"last"]);
    push.send(&message);
    let octets = said(&mut push);
    assert!(octets.windows(32).all(|part| part != &large[1000..1032]));
    let mut events = Vec::new();
    for piece in octets.chunks(10_007) {
        events.extend(heard(&mut pull, piece).unwrap());
    }
    assert_eq!(events, [Event::Message(message)]);
}

#[test]
fn subscriptions_travel_sealed_in_both_encodings() {
    for version in [Version::V3_1, Version::V3_0] {
        let mut of_client = config(SocketType::Sub);
        of_client.max_version = version;
        let (mut subscriber, mut publisher) = joined(of_client, config(SocketType::Pub));
        subscriber.subscribe(b"weather");
        subscriber.subscribe(b"");
        subscriber.cancel(b"weather");
        let octets = said(&mut subscriber);
        assert!(!octets.windows(7).any(|part| part == b"weather"));
        let topic = Bytes::from_static(b"weather");
        assert_eq!(
            heard(&mut publisher, &octets).unwrap(),
            [
                Event::Subscribe(topic.clone()),
                Event::Subscribe(Bytes::new()),
                Event::Cancel(topic),
            ],
            "{version:?}"
        );
    }
}

#[test]
fn heartbeats_travel_sealed() {
    let mut of_client = config(SocketType::Push);
    of_client.heartbeat = Some(Heartbeat {
        interval_ms: 1000,
        timeout_ms: 500,
        ttl_ms: 0,
    });
    let (mut push, mut pull) = joined(of_client, config(SocketType::Pull));
    let due = Time::from_millis(1000);
    push.handle_timeout(due).unwrap();
    let ping = said(&mut push);
    assert_eq!(ping.len(), 2 + 33 + 7);
    assert_eq!(ping[..10], *b"\x00\x28\x07MESSAGE");
    assert_eq!(pull.handle_input(due, &mut &ping[..]), Ok(None));
    let pong = said(&mut pull);
    assert_eq!(pong.len(), 2 + 33 + 5);
    assert_eq!(push.handle_input(due, &mut &pong[..]), Ok(None));
    assert_eq!(push.handle_timeout(Time::from_millis(1500)), Ok(()));

    // Without answers the peer is given up.
    let end = (0..4).find_map(|_| {
        let due = push.poll_timeout().unwrap();
        let end = push.handle_timeout(due).err();
        said(&mut push);
        end
    });
    assert_eq!(end, Some(Error::HeartbeatTimeout));
}

// spec: 25/greeting
#[test]
fn the_server_says_in_its_greeting_that_it_is_one() {
    let mut server = Session::new(config(SocketType::Pull), Box::new(server()), NOW);
    let mut client = Session::new(config(SocketType::Push), Box::new(client()), NOW);
    let (mut of_client, mut of_server) = (Vec::new(), Vec::new());
    while of_client.len() < 64 || of_server.len() < 64 {
        let octets = said(&mut client);
        heard(&mut server, &octets).unwrap();
        of_client.extend(octets);
        let octets = said(&mut server);
        heard(&mut client, &octets).unwrap();
        of_server.extend(octets);
    }
    for (greeting, as_server) in [(of_server, 1), (of_client, 0)] {
        assert_eq!(greeting[12..32], *b"CURVE\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
        assert_eq!(greeting[32], as_server);
    }
}

/// A client, and a server that has asked about it.
fn asked() -> (Session, Session) {
    let mut client = Session::new(config(SocketType::Push), Box::new(client()), NOW);
    let mechanism = server().with_authentication(true);
    let mut server = Session::new(config(SocketType::Pull), Box::new(mechanism), NOW);
    for _ in 0..10 {
        let events = carry(&mut client, &mut server);
        if let [Event::Authenticate(credentials)] = &events[..] {
            let public_key = *key(0x20).public().as_octets();
            assert_eq!(*credentials, Credentials::Curve { public_key });
            return (client, server);
        }
        carry(&mut server, &mut client);
    }
    panic!("nobody asked")
}

#[test]
fn an_accepted_client_comes_in_with_what_the_authenticator_knows() {
    let (mut client, mut server) = asked();
    let vouched = Properties::from_iter([("User-Id", "joe")]);
    let ready = server.handle_verdict(Verdict::Accept(vouched), NOW);
    let Ok(Some(Event::Ready(peer))) = ready else {
        panic!("{ready:?}")
    };
    assert_eq!(peer.properties.get("User-Id").unwrap(), "joe");
    assert_eq!(peer.socket_type, Some(SocketType::Push));
    let events = carry(&mut server, &mut client);
    assert!(matches!(&events[..], [Event::Ready(_)]));
    client.send(&Message::from("in"));
    assert_eq!(
        carry(&mut client, &mut server),
        [Event::Message(Message::from("in"))]
    );
}

#[test]
fn a_refused_client_learns_why_unless_it_may_try_again() {
    for (status, told) in [(400, true), (500, true), (300, false)] {
        let (mut client, mut server) = asked();
        let refused = Err(Refused::ByVerdict(status).into());
        assert_eq!(server.handle_verdict(Verdict::Refuse(status), NOW), refused);
        let octets = said(&mut server);
        assert_eq!(!octets.is_empty(), told);
        if told {
            let refused = Err(Refused::ByPeer(Some(status)).into());
            assert_eq!(heard(&mut client, &octets), refused);
        }
        assert!(!client.in_traffic() && !server.in_traffic());
    }
}

#[test]
fn peers_without_this_mechanism_are_not_spoken_to() {
    let greeting = |mechanism: &[u8]| {
        let mut octets = b"\xff\0\0\0\0\0\0\0\x01\x7f\x03\x01".to_vec();
        octets.extend_from_slice(mechanism);
        octets.resize(64, 0);
        octets
    };
    for octets in [
        greeting(b"NULL"),
        greeting(b"PLAIN"),
        greeting(b"CURVEX"),
        greeting(b"curve"),
        b"\xff\0\0\0\0\0\0\0\x01\x7f\x01\x05\0\0\0\x05hello".to_vec(),
        b"\x01\0\x06\0hello".to_vec(),
    ] {
        let mut session = Session::new(config(SocketType::Pull), Box::new(server()), NOW);
        let met = heard(&mut session, &octets);
        assert!(matches!(met, Err(Error::Incompatible(_))), "{met:?}");
        assert!(!session.in_traffic());
    }
    let mut session = Session::new(config(SocketType::Pull), Box::new(server()), NOW);
    let theirs = *b"NULL\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
    let met = heard(&mut session, &greeting(b"NULL"));
    assert_eq!(
        met,
        Err(Incompatible::Mechanism {
            ours: zmtp_wire::MechanismKind::Curve,
            theirs
        }
        .into())
    );
}

#[test]
fn an_oversized_initiate_is_refused_by_its_header() {
    let mut session = Session::new(config(SocketType::Pull), Box::new(server()), NOW);
    let mut octets = b"\xff\0\0\0\0\0\0\0\x01\x7f\x03\x01CURVE".to_vec();
    octets.resize(64, 0);
    octets.extend_from_slice(b"\x04\xc8");
    octets.extend_from_slice(&fixed::octets(fixed::HELLO));
    octets.extend_from_slice(b"\x06\0\0\0\0\x7f\xff\xff\xff");
    let refused = Misbehaved::CommandTooLarge(0x7fff_ffff).into();
    assert_eq!(heard(&mut session, &octets), Err(refused));
}

#[test]
fn two_clients_or_two_servers_do_not_come_together() {
    let session = |of_server: bool| {
        let config = config(SocketType::Pair);
        if of_server {
            Session::new(config, Box::new(server()), NOW)
        } else {
            Session::new(config, Box::new(client()), NOW)
        }
    };
    let (mut one, mut other) = (session(true), session(true));
    for _ in 0..4 {
        assert_eq!(carry(&mut one, &mut other), []);
        assert_eq!(carry(&mut other, &mut one), []);
    }
    assert!(!one.in_traffic());
    let late = one.poll_timeout().unwrap();
    assert_eq!(one.handle_timeout(late), Err(Error::HandshakeTimeout));

    let (mut one, mut other) = (session(false), session(false));
    let end = (0..4).find_map(|_| {
        let octets = said(&mut one);
        let end = heard(&mut other, &octets).err();
        let octets = said(&mut other);
        heard(&mut one, &octets).err().or(end)
    });
    assert_eq!(end, Some(Misbehaved::UnexpectedCommand.into()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn messages_arrive_as_they_were_however_the_wire_cuts_them(
        messages in vec(vec(vec(any::<u8>(), 0..600), 1..4), 1..6),
        pieces in vec(1_usize..700, 1..40),
    ) {
        let (mut push, mut pull) = joined(config(SocketType::Push), config(SocketType::Pull));
        let messages: Vec<Message> = messages
            .into_iter()
            .map(|frames| frames.into_iter().map(Frame::from).collect())
            .collect();
        for message in &messages {
            push.send(message);
        }
        let octets = said(&mut push);
        let (mut rest, mut events) = (&octets[..], Vec::new());
        for piece in pieces.into_iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (now, later) = rest.split_at(piece.min(rest.len()));
            events.extend(heard(&mut pull, now).unwrap());
            rest = later;
        }
        let expected: Vec<Event> = messages.into_iter().map(Event::Message).collect();
        prop_assert_eq!(events, expected);
    }

    #[test]
    fn a_changed_octet_delivers_a_prefix_of_what_was_said_and_nothing_else(
        at: proptest::sample::Index,
        change in 1_u8..,
    ) {
        let (mut push, mut pull) = joined(config(SocketType::Push), config(SocketType::Pull));
        let messages = ["one", "two", "three"].map(Message::from);
        for message in &messages {
            push.send(message);
        }
        let mut octets = said(&mut push);
        let at = at.index(octets.len());
        octets[at] ^= change;
        let (mut input, mut met) = (&octets[..], Vec::new());
        while let Ok(Some(event)) = pull.handle_input(NOW, &mut input) {
            met.push(event);
        }
        let honest = messages.map(Event::Message);
        prop_assert!(met.len() <= 3 && met[..] == honest[..met.len()], "{:?}", met);
    }
}
