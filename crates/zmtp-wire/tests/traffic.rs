//! Messages, subscriptions and bounds after the handshake.

mod scripted;

use bytes::Bytes;
use scripted::*;
use zmtp_wire::{
    Event, Limits, Message, Misbehaved, SessionConfig, SocketType, SubscriptionFrames, Version,
};

fn of(kind: SocketType, version: Version, peer: &str) -> Script {
    Script::ready(SessionConfig::new(kind), version, peer)
}

fn limited(limits: Limits) -> Script {
    let config = SessionConfig {
        limits,
        ..SessionConfig::new(SocketType::Dealer)
    };
    Script::ready(config, Version::V3_1, "ROUTER")
}

// spec: 37/subscribe, 23/subscriptions, 15/subscriptions
#[test]
fn subscriptions_are_encoded_as_the_peers_version_wants() {
    let mut script = of(SocketType::Sub, Version::V3_1, "PUB");
    script.session.subscribe(b"A");
    script.expect("04 0b 09 'SUBSCRIBEA'");
    script.session.cancel(b"A");
    script.expect("04 08 06 'CANCELA'");
    script.session.subscribe(b"");
    script.expect("04 0a 09 'SUBSCRIBE'");
    script.session.subscribe(&[b'x'; 246]);
    script.expect(&format!(
        "06 0000000000000100 09 'SUBSCRIBE' {}",
        "78".repeat(246)
    ));

    let mut script = of(SocketType::Sub, Version::V3_0, "PUB");
    script.session.subscribe(b"A");
    script.session.cancel(b"A");
    script.expect("00 02 01 'A' 00 02 00 'A'");
    // libzmq forgets the LONG bit for a prefix of 255 octets; the stream is garbage from there.
    script.session.subscribe(&[b'x'; 255]);
    script.expect(&format!("02 0000000000000100 01 {}", "78".repeat(255)));

    let mut script = Script::of(SocketType::Sub);
    script.say(&wire("ff 00 00 00 00 00 00 00 01 7f 00 01 01 00"));
    script.heard();
    script.session.subscribe(b"A");
    script.session.cancel(b"A");
    script.expect("03 00 01 'A' 03 00 00 'A'");

    let mut script = Script::of(SocketType::Sub);
    script.say(&wire("01 00"));
    script.heard();
    script.session.subscribe(b"A");
    script.expect("");
}

// spec: 37/subscribe-both-forms
#[test]
fn publishers_take_subscriptions_in_both_forms_from_every_version() {
    for version in [Version::V3_0, Version::V3_1] {
        let mut script = of(SocketType::Pub, version, "SUB");
        let said =
            wire("04 0b 09 'SUBSCRIBEA' 00 02 01 'B' 04 08 06 'CANCELA' 00 01 00 00 02 'hi'");
        let events = script.say(&said);
        assert_eq!(
            events,
            [
                Event::Subscribe("A".into()),
                Event::Subscribe("B".into()),
                Event::Cancel("A".into()),
                Event::Cancel("".into()),
                Event::Message(Message::from("hi")),
            ]
        );
    }
}

#[test]
fn which_frames_are_subscriptions_is_the_owners_choice() {
    let said = wire("01 01 'x' 01 02 01 'A' 00 02 01 'B' 01 02 01 'C' 00 01 'y'");
    let events = |subscriptions| {
        let config = SessionConfig {
            subscriptions,
            ..SessionConfig::new(SocketType::XPub)
        };
        Script::ready(config, Version::V3_1, "XSUB").say(&said)
    };
    let subscribe = |topic: &'static str| Event::Subscribe(topic.into());
    let one = |frames: &[&[u8]]| Event::Message(message(frames));
    assert_eq!(
        events(SubscriptionFrames::EveryFrame),
        [
            subscribe("A"),
            subscribe("B"),
            one(&[b"x"]),
            subscribe("C"),
            one(&[b"y"])
        ]
    );
    assert_eq!(
        events(SubscriptionFrames::FirstFrame),
        [
            one(&[b"x", b"\x01A", b"\x01B"]),
            subscribe("C"),
            one(&[b"y"])
        ]
    );
    assert_eq!(
        events(SubscriptionFrames::Never),
        [one(&[b"x", b"\x01A", b"\x01B"]), one(&[b"\x01C", b"y"])]
    );
}

// threats C4: libzmq hands the command to the application as a message.
#[test]
fn subscription_and_group_commands_are_passed_over_where_they_have_no_place() {
    let mut script = of(SocketType::Pull, Version::V3_1, "PUSH");
    let said = wire(
        "04 0b 09 'SUBSCRIBEA' 04 08 06 'CANCELA' 04 07 04 'JOINTV' 04 08 05 'LEAVETV' 00 01 01",
    );
    assert_eq!(script.say(&said), [Event::Message(Message::from([1]))]);
}

// spec: 37/join-leave
#[test]
fn groups_are_joined_and_left() {
    let mut script = of(SocketType::Dish, Version::V3_1, "RADIO");
    script.session.join(b"TV");
    script.session.leave(b"TV");
    script.expect("04 07 04 'JOINTV' 04 08 05 'LEAVETV'");
    let mut script = of(SocketType::Radio, Version::V3_1, "DISH");
    let events = script.say(&wire("04 07 04 'JOINTV' 04 08 05 'LEAVETV'"));
    assert_eq!(
        events,
        [Event::Join("TV".into()), Event::Leave("TV".into())]
    );
    script.send(&[b"TV", b"hello"]);
    script.expect("01 02 'TV' 00 05 'hello'");
}

// spec: 23/command-not-more
#[test]
fn a_command_that_says_more_follows_ends_it() {
    let mut script = of(SocketType::Dealer, Version::V3_1, "ROUTER");
    assert_eq!(
        script.try_say(&wire("05 05 04 'PONG'")),
        Err(Misbehaved::CommandWithMore.into())
    );
}

// threats C8: libzmq counts neither parts nor octets of a message under way.
#[test]
fn a_message_that_never_ends_is_bounded_in_parts_and_octets() {
    let mut script = limited(Limits {
        max_parts: 3,
        ..Limits::DEFAULT
    });
    assert_eq!(script.say(&wire("01 00 01 00 00 00")).len(), 1);
    assert_eq!(
        script.try_say(&wire("01 00 01 00 01 00 01 00")),
        Err(Misbehaved::TooManyParts(3).into())
    );

    let mut script = limited(Limits {
        max_message: 10,
        ..Limits::DEFAULT
    });
    assert_eq!(script.say(&wire("01 05 'aaaaa' 00 05 'bbbbb'")).len(), 1);
    let error = script
        .try_say(&wire("01 05 'aaaaa' 01 05 'bbbbb' 00 01 'c'"))
        .unwrap_err();
    assert_eq!(error, Misbehaved::MessageTooLarge(1).into());
}

#[test]
fn topics_and_commands_are_bounded() {
    let limits = Limits {
        topic: 4,
        traffic_command: 32,
        ..Limits::DEFAULT
    };
    let publisher = || {
        Script::ready(
            SessionConfig {
                limits,
                ..SessionConfig::new(SocketType::Pub)
            },
            Version::V3_1,
            "SUB",
        )
    };
    assert_eq!(publisher().say(&command(b"\x09SUBSCRIBEabcd")).len(), 1);
    assert_eq!(
        publisher().try_say(&command(b"\x09SUBSCRIBEabcde")),
        Err(Misbehaved::TopicTooLong(5).into())
    );
    assert_eq!(
        publisher().try_say(&wire("00 06 01 'abcde'")),
        Err(Misbehaved::TopicTooLong(5).into())
    );
    let error = publisher()
        .try_say(&command(&[&b"\x03FOO"[..], &[0; 29]].concat()))
        .unwrap_err();
    assert_eq!(error, Misbehaved::CommandTooLarge(33).into());
}

#[test]
fn a_large_frame_is_read_into_its_own_buffer() {
    let mut script = of(SocketType::Pull, Version::V3_1, "PUSH");
    let body: Vec<u8> = (0..1_000_000_u32).map(|index| index as u8).collect();
    let encoded = [frame(0, &body), frame(0, b"next")].concat();
    let mut rest = &encoded[..];
    assert!(script.session.body_buffer().is_none());
    let (head, tail) = rest.split_at(100);
    assert!(script.say(head).is_empty());
    rest = tail;
    let mut arrived = 91;
    let mut got = None;
    assert_eq!(script.session.body_size(), body.len());
    while let Some(buffer) = script.session.body_buffer() {
        let spare = buffer.capacity() - buffer.len();
        assert!(spare > 0 && spare <= body.len() - arrived);
        assert!(
            buffer.capacity() <= (2 * arrived).max(2 * Limits::DEFAULT.grow_step),
            "grows by what has arrived"
        );
        let (part, behind) = rest.split_at(spare.min(10_000));
        buffer.extend_from_slice(part);
        rest = behind;
        arrived += part.len();
        got = script.session.handle_body(at(0)).unwrap();
    }
    let mut events = got.into_iter().collect::<Vec<_>>();
    events.extend(script.say(rest));
    assert_eq!(script.session.body_size(), 0);
    assert_eq!(messages(&events), [vec![body], vec![b"next".to_vec()]]);
}

#[test]
fn large_bodies_leave_without_being_copied() {
    let mut script = of(SocketType::Push, Version::V3_1, "PULL");
    let body = Bytes::from(vec![7; 100_000]);
    script.session.send(&Message::from([
        b"head".as_slice().into(),
        zmtp_wire::Frame::from(body.clone()),
    ]));
    let chunks: Vec<&[u8]> = script.session.output_chunks().collect();
    assert_eq!(chunks.len(), 2);
    assert_eq!(chunks[1].as_ptr(), body.as_ptr());
    assert_eq!(chunks[0], wire("01 04 'head' 02 00000000000186a0"));
}

#[test]
fn messages_are_counted_when_their_last_octet_has_left() {
    let mut script = of(SocketType::Dealer, Version::V3_1, "ROUTER");
    script.send(&[b"abc"]);
    script.send(&[b"a", b"b"]);
    script.say(&wire("04 07 04 'PING' 00 00"));
    script.send(&[b"xyz"]);
    assert!(!script.session.output_cut());
    assert_eq!(script.session.output_written(4), 0);
    assert!(script.session.output_cut());
    assert_eq!(script.session.output_written(1), 1);
    assert!(!script.session.output_cut());
    assert_eq!(script.session.output_written(5), 0);
    assert_eq!(
        script.session.output_written(2),
        1,
        "a PONG in part is no message"
    );
    assert!(!script.session.output_cut());
    assert_eq!(script.session.output_written(100), 1);
    assert_eq!(script.session.output_len(), 0);
}

#[test]
fn an_idle_session_holds_no_output_buffer() {
    let mut script = of(SocketType::Dealer, Version::V3_1, "ROUTER");
    script.session.reclaim_buffer();
    assert!(script.session.reclaim_buffer().is_none());
    script.session.lend_buffer(Vec::with_capacity(65_536));
    script.send(&[b"abc"]);
    assert!(
        script.session.reclaim_buffer().is_none(),
        "octets wait in it"
    );
    script.expect("00 03 'abc'");
    assert!(
        script
            .session
            .reclaim_buffer()
            .is_some_and(|buffer| buffer.capacity() >= 65_536 && buffer.is_empty())
    );
}

#[test]
fn application_properties_and_the_resource_travel_in_ready() {
    let config = SessionConfig {
        properties: vec![("X-Foo".into(), "bar".into())],
        resource: Some("api/v1".into()),
        ..SessionConfig::new(SocketType::Dealer)
    };
    let mut script = Script::new(config);
    script.heard();
    script.say(&greeting(1));
    let expected: &[(&str, &[u8])] = &[
        ("Socket-Type", b"DEALER"),
        ("Identity", b""),
        ("Resource", b"api/v1"),
        ("X-Foo", b"bar"),
    ];
    assert!(script.heard().ends_with(&ready_with(expected)));
    let events = script.say(&ready_with(&[
        ("Socket-Type", b"ROUTER"),
        ("X-Hello", b"World"),
        ("x-hello", b"2nd"),
    ]));
    let [Event::Ready(peer)] = &events[..] else {
        panic!("{events:?}")
    };
    assert_eq!(peer.properties.get("X-HELLO").unwrap(), "World");
    assert_eq!(peer.properties.len(), 3);
}

// spec: 37/socket-type-compatibility
#[test]
fn ready_announces_every_socket_type_as_libzmq_does() {
    let sizes: &[(SocketType, u8)] = &[
        (SocketType::Req, 0x26),
        (SocketType::Router, 0x29),
        (SocketType::Sub, 0x19),
        (SocketType::Pub, 0x19),
        (SocketType::Pair, 0x1a),
        (SocketType::Dealer, 0x29),
        (SocketType::Channel, 0x1d),
        (SocketType::Scatter, 0x1d),
        (SocketType::Gather, 0x1c),
        (SocketType::Client, 0x1c),
        (SocketType::Server, 0x1c),
        (SocketType::Radio, 0x1b),
        (SocketType::Dish, 0x1a),
        (SocketType::Peer, 0x1a),
    ];
    for (kind, size) in sizes {
        let mut script = Script::of(*kind);
        script.say(&greeting(1));
        let said = script.heard();
        assert_eq!(said[64..66], [4, *size], "{kind:?}");
        let properties: &[(&str, &[u8])] =
            &[("Socket-Type", kind.name().as_bytes()), ("Identity", b"")];
        assert_eq!(
            said[64..],
            ready_with(&properties[..if kind.sends_routing_id() { 2 } else { 1 }])
        );
    }
}

#[test]
fn a_publisher_serves_a_1_0_peer_which_is_subscribed_to_everything() {
    let mut script = Script::of(SocketType::Pub);
    script.heard();
    let events = script.say(&wire("01 00"));
    assert!(matches!(&events[..], [Event::Ready(peer)] if !peer.filters_upstream));
    script.send(&[b"topic data"]);
    script.expect("0b 00 'topic data'");
}
