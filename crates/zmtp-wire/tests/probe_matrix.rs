//! What a raw peer meets, row by row of the probe matrix recorded against libzmq 4.3.5. G is a whole 3.1 NULL greeting, R(t) is READY
//! with Socket-Type t. Where we differ from libzmq, the comment says why. Rows 33 and 34 (who dials again) show in
//! `Error::is_transient`; row 29 belongs to the socket, row 35 to the pattern.

mod scripted;

use scripted::*;
use zmtp_wire::{
    CommandName, Error, Event, Foreign, Incompatible, Limits, Misbehaved, Refused, SessionConfig,
    SocketType, Version,
};

fn dealer() -> Script {
    Script::of(SocketType::Dealer)
}

fn in_traffic() -> Script {
    Script::ready(
        SessionConfig::new(SocketType::Dealer),
        Version::V3_1,
        "ROUTER",
    )
}

/// G and what follows it, to a DEALER.
fn after_greeting(more: &[u8]) -> Result<Vec<Event>, Error> {
    dealer().try_say(&[greeting(1), more.to_vec()].concat())
}

// spec: 37/handshake-timeout
#[test]
fn row_1_a_silent_peer_gets_ten_octets_and_the_handshake_timer() {
    let mut script = dealer();
    script.expect("ff 00 00 00 00 00 00 00 01 7f");
    assert_eq!(script.session.poll_timeout(), Some(at(30_000)));
    assert_eq!(script.wait(29_999), Ok(()));
    assert_eq!(script.wait(1), Err(Error::HandshakeTimeout));
    assert_eq!(
        script.try_say(b"\xff"),
        Err(Error::HandshakeTimeout),
        "the end is final"
    );
    assert!(Error::HandshakeTimeout.is_transient());
}

#[test]
fn rows_2_and_3_the_greeting_follows_the_peers() {
    let mut script = dealer();
    script.heard();
    script.say(&wire("ff 00 00 00 00 00 00 00 00 7f"));
    script.expect("03");
    script.say(&wire("03"));
    assert_eq!(script.heard().len(), 53);
}

// spec: 23/signature-padding, 23/filler-ignored
#[test]
fn rows_4_to_6_padding_filler_and_as_server_are_not_looked_at() {
    let mut garbled = greeting(1);
    garbled[1..9].copy_from_slice(b"\xde\xad\xbe\xef\x00\x01\x02\x03");
    let mut bare_bit = greeting(1);
    bare_bit[9] = 1;
    let mut server = greeting(1);
    server[32] = 7;
    server[33..].fill(0xaa);
    for theirs in [garbled, bare_bit, server] {
        let events = dealer().say(&[theirs, ready("ROUTER")].concat());
        assert!(matches!(events[..], [Event::Ready(_)]));
    }
}

// spec: 23/mechanism-match
#[test]
fn row_7_another_mechanism_ends_it() {
    for field in [&b"NULL\0X"[..], b"PLAIN"] {
        let mut theirs = greeting(1);
        theirs[12..32].fill(0);
        theirs[12..12 + field.len()].copy_from_slice(field);
        let error = dealer().try_say(&theirs).unwrap_err();
        assert!(matches!(
            error,
            Error::Incompatible(Incompatible::Mechanism { .. })
        ));
        assert_eq!(error.protocol_code(), Some(0x1100_0002));
    }
}

// spec: 23/null-ready
#[test]
fn row_8_ready_is_answered_by_ready() {
    let mut script = dealer();
    script.heard();
    let events = script.say(&[greeting(1), ready("ROUTER")].concat());
    assert!(matches!(events[..], [Event::Ready(_)]));
    assert!(script.heard().ends_with(&ready_with(&[
        ("Socket-Type", b"DEALER"),
        ("Identity", b"")
    ])));
    assert_eq!(
        script.session.poll_timeout(),
        None,
        "the handshake timer is off"
    );
}

// libzmq only closes. RFC 37 wants ERROR first, and a libzmq peer passes it over, so we send it.
// spec: 37/socket-type-compatibility
#[test]
fn row_9_an_incompatible_socket_type_gets_error_and_the_end() {
    for (theirs, kind) in [
        ("PUB", Some(SocketType::Pub)),
        ("FOO", None),
        ("router", None),
    ] {
        let mut script = dealer();
        let error = script
            .try_say(&[greeting(1), ready(theirs)].concat())
            .unwrap_err();
        assert_eq!(error, Incompatible::SocketType(kind).into());
        assert!(
            script
                .heard()
                .ends_with(&command(b"\x05ERROR\x18Incompatible socket type"))
        );
        assert!(!error.is_transient());
    }
}

#[test]
fn row_10_ready_without_properties_is_accepted() {
    let events = after_greeting(&command(b"\x05READY")).unwrap();
    assert!(matches!(&events[..], [Event::Ready(peer)] if peer.socket_type.is_none()));
}

// libzmq takes it for an unknown property and lets PUB talk to DEALER; names are case-insensitive by RFC 37.
#[test]
fn row_11_property_names_are_known_in_any_case() {
    let error = after_greeting(&ready_with(&[("socket-type", b"PUB")])).unwrap_err();
    assert_eq!(
        error,
        Incompatible::SocketType(Some(SocketType::Pub)).into()
    );
}

#[test]
fn row_12_truncated_or_overlong_metadata_ends_it() {
    let whole = ready("ROUTER");
    let cut = command(&whole[2..whole.len() - 2]);
    let long = command(&[&whole[2..], b"\0"].concat());
    for said in [cut, long] {
        assert_eq!(
            after_greeting(&said),
            Err(Misbehaved::MalformedMetadata.into())
        );
    }
}

#[test]
fn row_13_handshake_commands_are_accepted_whatever_their_flags() {
    for flags in [0, 5] {
        let mut said = ready("ROUTER");
        said[0] = flags;
        assert!(
            matches!(after_greeting(&said).unwrap()[..], [Event::Ready(_)]),
            "flags {flags}"
        );
    }
}

#[test]
fn row_14_a_message_before_ready_ends_it() {
    let error = after_greeting(&wire("00 02 'hi'")).unwrap_err();
    assert_eq!(error, Misbehaved::MalformedCommand.into());
    let error = after_greeting(&command(b"\x03FOO")).unwrap_err();
    assert_eq!(error, Misbehaved::UnexpectedCommand.into());
    assert_eq!(error.protocol_code(), Some(0x1000_0001));
}

// libzmq still sends READY and leaves the connection open until its timer ends it: an idle connection helps nobody.
// spec: 37/error-reason, 23/null-error
#[test]
fn rows_15_and_16_error_ends_it_for_good() {
    let error = after_greeting(&command(b"\x05ERROR\x03400")).unwrap_err();
    assert_eq!(error, Refused::ByPeer(Some(400)).into());
    assert!(!error.is_transient());
    assert_eq!(
        after_greeting(&command(b"\x05ERROR\x05oops!")),
        Err(Refused::ByPeer(None).into())
    );
}

#[test]
fn row_17_an_error_whose_reason_is_cut_is_malformed() {
    let error = after_greeting(&command(b"\x05ERROR\x09oops!")).unwrap_err();
    assert_eq!(error, Misbehaved::Malformed(CommandName::Error).into());
    assert_eq!(error.protocol_code(), Some(0x1000_0015));
}

// libzmq closes on a message that comes right behind READY (row 18); there is no reason to.
#[test]
fn rows_18_and_19_messages_right_behind_ready_are_delivered() {
    let events =
        after_greeting(&[ready("ROUTER"), wire("00 02 'hi' 01 01 'a' 00 01 'b'")].concat())
            .unwrap();
    assert_eq!(
        messages(&events),
        [vec![b"hi".to_vec()], vec![b"a".to_vec(), b"b".to_vec()]]
    );
}

// libzmq also passes over commands without a proper name; what sends them is no ZMTP peer any more, so we close.
#[test]
fn row_20_unknown_commands_and_a_second_ready_are_passed_over() {
    let mut script = in_traffic();
    assert!(script.say(&wire("04 07 03 'FOO' 00 00 00")).is_empty());
    assert!(script.say(&ready("PUB")).is_empty());
    assert_eq!(script.say(&wire("00 00")).len(), 1);
    for said in ["04 00", "04 04 20 'FOO'"] {
        assert_eq!(
            in_traffic().try_say(&wire(said)),
            Err(Misbehaved::MalformedCommand.into())
        );
    }
}

#[test]
fn rows_21_and_22_reserved_bits_and_long_headers_are_accepted() {
    let mut script = in_traffic();
    assert_eq!(messages(&script.say(&wire("f8 02 'hi'"))), [[b"hi"]]);
    assert_eq!(
        messages(&script.say(&wire("02 0000000000000003 'abc'"))),
        [[b"abc"]]
    );
}

// libzmq tries to allocate what the header says. We grow with what arrives; the bound on a message is what ends this one.
#[test]
fn row_23_a_huge_length_costs_nothing() {
    let mut script = in_traffic();
    let error = script.try_say(&wire("02 4000000000000000")).unwrap_err();
    assert_eq!(error, Misbehaved::MessageTooLarge(1 << 62).into());

    let limits = Limits {
        max_message: u64::MAX,
        ..Limits::DEFAULT
    };
    let config = SessionConfig {
        limits,
        ..SessionConfig::new(SocketType::Dealer)
    };
    let mut script = Script::ready(config, Version::V3_1, "ROUTER");
    assert!(script.say(&wire("02 4000000000000000 'a'")).is_empty());
    assert!(script.session.body_buffer().unwrap().capacity() <= 2 * Limits::DEFAULT.grow_step);
}

#[test]
fn row_24_the_largest_frame_bounds_the_handshake_too() {
    let limits = Limits {
        max_frame: Some(10),
        ..Limits::DEFAULT
    };
    let config = SessionConfig {
        limits,
        ..SessionConfig::new(SocketType::Dealer)
    };
    let error = Script::new(config)
        .try_say(&[greeting(1), ready("ROUTER")].concat())
        .unwrap_err();
    assert_eq!(error, Misbehaved::CommandTooLarge(28).into());
}

#[test]
fn row_25_a_frame_above_the_limit_ends_it_before_its_body() {
    let limits = Limits {
        max_frame: Some(9999),
        ..Limits::DEFAULT
    };
    let config = SessionConfig {
        limits,
        ..SessionConfig::new(SocketType::Dealer)
    };
    let mut script = Script::ready(config.clone(), Version::V3_1, "ROUTER");
    let error = script.try_say(&wire("02 ffffffffffffffff")).unwrap_err();
    assert_eq!(error, Misbehaved::FrameLength(u64::MAX).into());
    let mut script = Script::ready(config, Version::V3_1, "ROUTER");
    let error = script.try_say(&wire("02 0000000000002710")).unwrap_err();
    assert_eq!(error, Misbehaved::FrameTooLarge(10_000).into());
    assert!(!error.is_transient());
}

// spec: 37/heartbeat-ttl
#[test]
fn row_26_silence_beyond_the_announced_time_to_live_ends_it() {
    let mut script = in_traffic();
    script.say(&wire("04 07 04 'PING' 00 03"));
    script.expect("04 05 04 'PONG'");
    assert_eq!(script.wait(299), Ok(()));
    assert_eq!(script.wait(1), Err(Error::TtlExpired));
    assert!(Error::TtlExpired.is_transient());
}

// libzmq computes in 16 bits and gives up after 64 ms.
#[test]
fn row_27_a_long_time_to_live_does_not_wrap() {
    let mut script = in_traffic();
    script.say(&wire("04 07 04 'PING' 02 90"));
    assert_eq!(script.session.poll_timeout(), Some(at(65_600)));
    script.say(&wire("04 07 04 'PING' ff ff"));
    assert_eq!(script.session.poll_timeout(), Some(at(6_553_500)));
}

// The rest of row 28 is in `heartbeat.rs`.

// spec: 23/identity
#[test]
fn row_30_a_routing_id_that_is_too_long_or_reserved_is_refused() {
    for (routing_id, length) in [(&[b'x'; 300][..], 300), (b"\0abc", 4)] {
        let said = ready_with(&[("Socket-Type", b"ROUTER"), ("Identity", routing_id)]);
        assert_eq!(
            after_greeting(&said),
            Err(Misbehaved::RoutingId { length }.into())
        );
    }
    let said = ready_with(&[("Socket-Type", b"ROUTER"), ("Identity", &[b'x'; 255])]);
    assert!(
        matches!(&after_greeting(&said).unwrap()[..], [Event::Ready(peer)] if peer.routing_id.len() == 255)
    );
}

// spec: 23/message-atomic
#[test]
fn row_31_half_a_message_is_not_delivered() {
    assert!(in_traffic().say(&wire("01 01 'a'")).is_empty());
}

// libzmq takes it for a 1.0 peer and delivers its lines as messages.
#[test]
fn row_32_http_is_recognised() {
    let error = dealer()
        .try_say(b"GET / HTTP/1.1\r\nHost: example.org\r\n\r\n")
        .unwrap_err();
    assert_eq!(error, Incompatible::LooksLike(Foreign::Http).into());
    assert_eq!(error.to_string(), "not ZMTP (looks like HTTP)");
}
