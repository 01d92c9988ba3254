//! Greetings in stages, and the old versions: the exchanges recorded in the digest of the RFCs, octet for octet.

mod scripted;

use scripted::*;
use zmtp_wire::{Error, Event, Incompatible, Misbehaved, SessionConfig, SocketType, Version};

fn dealer_me() -> SessionConfig {
    SessionConfig {
        routing_id: "ME".into(),
        ..SessionConfig::new(SocketType::Dealer)
    }
}

// spec: 37/greeting, 23/greeting
#[test]
fn a_current_peer_is_greeted_one_decision_at_a_time() {
    let mut script = Script::new(dealer_me());
    script.expect("ff 00 00 00 00 00 00 00 03 7f");
    assert!(
        script
            .say(&wire("ff 00 00 00 00 00 00 00 00 7f"))
            .is_empty()
    );
    script.expect("03");
    script.say(&wire("03"));
    script.expect(&format!(
        "01 'NULL' {} 00 {}",
        "00".repeat(16),
        "00".repeat(31)
    ));
    assert_eq!(script.session.version(), None);
    script.say(&[wire("01 'NULL'"), vec![0; 16 + 32]].concat());
    script
        .expect("04 2b 05 'READY' 0b 'Socket-Type' 00000006 'DEALER' 08 'Identity' 00000002 'ME'");
    assert_eq!(script.session.version(), Some(Version::V3_1));
    let events = script.say(&ready("ROUTER"));
    let [Event::Ready(peer)] = &events[..] else {
        panic!("{events:?}")
    };
    assert_eq!(peer.socket_type, Some(SocketType::Router));
    assert!(peer.filters_upstream);
}

// spec: 15/greeting
#[test]
fn a_2_0_peer_gets_type_and_routing_id() {
    let mut script = Script::new(dealer_me());
    script.heard();
    script.say(&wire("ff 00 00 00 00 00 00 00 00 7f"));
    script.expect("03");
    script.say(&wire("01"));
    script.expect("05");
    script.say(&wire("06"));
    script.expect("00 02 'ME'");
    let events = script.say(&wire("00 03 'BOB'"));
    let [Event::Ready(peer)] = &events[..] else {
        panic!("{events:?}")
    };
    assert_eq!(
        (peer.version, peer.socket_type),
        (Version::V2, Some(SocketType::Router))
    );
    assert_eq!(peer.routing_id, "BOB");
    script.send(&[b"", b"hi"]);
    script.expect("01 00 00 02 'hi'");
    assert_eq!(
        messages(&script.say(&wire("01 00 00 02 'hi'"))),
        [[b"".to_vec(), b"hi".to_vec()]]
    );
}

#[test]
fn a_peer_of_revision_0_gets_1_0_frames_after_the_type() {
    let mut script = Script::new(dealer_me());
    script.heard();
    script.say(&wire("ff 00 00 00 00 00 00 00 00 7f 00"));
    script.expect("03 05");
    assert_eq!(script.say(&wire("06 01 00")).len(), 1);
    script.expect("03 00 'ME'");
    script.send(&[b"hi"]);
    script.expect("03 00 'hi'");
}

// spec: 13/connection, 13/frames
#[test]
fn a_1_0_peer_takes_the_signature_for_a_frame_header() {
    let mut script = Script::new(dealer_me());
    script.expect("ff 00 00 00 00 00 00 00 03 7f");
    let events = script.say(&wire("01 00"));
    let [Event::Ready(peer)] = &events[..] else {
        panic!("{events:?}")
    };
    assert_eq!(
        (peer.version, peer.socket_type, peer.filters_upstream),
        (Version::V1, None, false)
    );
    script.expect("'ME'");
    script.send(&[b"", b"hi"]);
    script.expect("01 01 03 00 'hi'");
    script.send(&[&[7; 253]]);
    script.expect(&format!("fe 00 {}", "07".repeat(253)));
    script.send(&[&[7; 254]]);
    script.expect(&format!("ff 00000000000000ff 00 {}", "07".repeat(254)));
    assert_eq!(
        messages(&script.say(&wire("01 01 ff 0000000000000003 00 'hi'"))),
        [[b"".to_vec(), b"hi".to_vec()]]
    );
}

#[test]
fn a_1_0_peer_may_send_its_routing_id_in_the_long_form() {
    let mut script = Script::new(dealer_me());
    script.heard();
    let events = script.say(&wire("ff 0000000000000004 00 'BOB' 03 00 'hi'"));
    let [Event::Ready(peer), Event::Message(message)] = &events[..] else {
        panic!("{events:?}")
    };
    assert_eq!(peer.routing_id, "BOB");
    assert_eq!(message.first(), b"hi");
}

#[test]
fn a_socket_held_to_an_old_version_speaks_it_from_the_start() {
    let held = |max_version| {
        Script::new(SessionConfig {
            max_version,
            ..dealer_me()
        })
    };

    let mut script = held(Version::V1);
    script.expect("03 00 'ME'");
    // What libzmq sends to it: a signature whose end is the flags octet, then the routing id.
    let events = script.say(&wire("ff 0000000000000004 7f 'BOB'"));
    assert!(
        matches!(&events[..], [Event::Ready(peer)] if peer.routing_id == "BOB" && peer.version == Version::V1)
    );

    let mut script = held(Version::V2);
    script.expect("ff 00 00 00 00 00 00 00 03 7f");
    script.say(&wire("ff 00 00 00 00 00 00 00 01 7f"));
    script.expect("01 05");
    let events = script.say(&wire("03 06 00 00"));
    script.expect("00 02 'ME'");
    assert!(matches!(&events[..], [Event::Ready(peer)] if peer.version == Version::V2));

    let mut script = held(Version::V3_0);
    script.say(&greeting(1));
    assert_eq!(script.heard()[11], 0);
    assert_eq!(script.session.version(), Some(Version::V3_0));
}

// spec: 37/version-negotiation
#[test]
fn higher_versions_are_accepted_as_our_own() {
    for (major, minor, version) in [
        (3, 0, Version::V3_0),
        (3, 1, Version::V3_1),
        (3, 9, Version::V3_1),
        (4, 0, Version::V3_1),
        (0xff, 0, Version::V3_1),
    ] {
        let mut script = Script::of(SocketType::Dealer);
        let mut theirs = greeting(minor);
        theirs[10] = major;
        script.say(&theirs);
        assert_eq!(script.session.version(), Some(version), "{major}.{minor}");
    }
}

#[test]
fn old_peers_with_bad_routing_ids_or_the_wrong_type_are_turned_away() {
    let cases: &[(&str, Error)] = &[
        (
            "ff 00 00 00 00 00 00 00 00 7f 01 06 00 02 00 41",
            Misbehaved::RoutingId { length: 2 }.into(),
        ),
        (
            "ff 00 00 00 00 00 00 00 00 7f 01 06 02 0000000000000100",
            Misbehaved::RoutingId { length: 256 }.into(),
        ),
        (
            "ff 0000000000000101 00",
            Misbehaved::RoutingId { length: 256 }.into(),
        ),
        (
            "ff 00 00 00 00 00 00 00 00 7f 01 01 00 00",
            Incompatible::SocketType(Some(SocketType::Pub)).into(),
        ),
        ("00 00", Misbehaved::FrameLength(0).into()),
        (
            "ff ffffffffffffffff 00",
            Misbehaved::FrameLength(u64::MAX).into(),
        ),
    ];
    for (said, error) in cases {
        assert_eq!(
            Script::new(dealer_me()).try_say(&wire(said)),
            Err(*error),
            "{said}"
        );
    }
}

// threats A: CVE-2014-7202, CVE-2014-9721
// spec: 37/assertive-security
#[test]
fn nothing_old_is_spoken_or_delivered_where_it_is_not_allowed() {
    for said in [
        "01 00 06 00 'hello'",
        "ff 00 00 00 00 00 00 00 01 7f 01 05 00 00 00 05 'hello'",
        "ff 00 00 00 00 00 00 00 01 7f 00",
    ] {
        let config = SessionConfig {
            legacy_allowed: false,
            ..dealer_me()
        };
        let error = Script::new(config).try_say(&wire(said)).unwrap_err();
        assert!(
            matches!(
                error,
                Error::Incompatible(Incompatible::Version(Version::V1 | Version::V2))
            ),
            "{error:?}"
        );
        assert!(!error.is_transient());
    }
}

#[test]
fn a_session_can_move_to_another_thread() {
    const fn movable<T: Send>() {}
    movable::<zmtp_wire::Session>();
    movable::<Event>();
}
