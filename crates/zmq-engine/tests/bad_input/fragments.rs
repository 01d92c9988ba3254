//! Garbage, and what breaks off in the middle.

use std::time::Duration;

use zmq_engine::wire::Error;
use zmq_engine::{CloseReason, SocketOptions, SocketType, Version};
use zmq_testkit::Dice;
use zmq_testkit::octets::{GREETING, frame, greeting, opening, property, ready};

use crate::hall::{Hall, TYPES, narrow, partner};

#[test]
fn garbage_is_never_delivered() {
    for kind in TYPES {
        // The old versions have no magic: almost anything could be one of their greetings.
        let mut options = narrow();
        options.min_version = Version::V3_0;
        let mut hall = Hall::open(kind, options);
        for seed in 0..20 {
            let mut dice = Dice::new(seed);
            let length = dice.up_to(2_000);
            let octets: Vec<u8> = (0..length)
                .map(|_| u8::try_from(dice.below(256)).expect("an octet"))
                .collect();
            let mut stranger = hall.stranger();
            stranger.say(&octets);
            stranger.finish();
            let (was_ready, _) = hall.end("garbage");
            assert!(!was_ready, "seed {seed}");
            stranger.until_end();
        }
        hall.assert_unharmed();
    }
}

#[test]
fn garbage_behind_a_good_greeting_is_never_delivered() {
    for kind in TYPES {
        let mut hall = Hall::open(kind, narrow());
        for seed in 0..20 {
            let mut dice = Dice::new(seed);
            let mut octets = greeting(1, "NULL", false);
            // Bits, so that flags are met that make sense.
            octets.extend((0..400).map(|_| u8::try_from(dice.below(9)).expect("an octet")));
            let mut stranger = hall.stranger();
            stranger.say(&octets);
            stranger.finish();
            let (was_ready, _) = hall.end("garbage");
            assert!(!was_ready, "seed {seed}");
            stranger.until_end();
        }
        hall.assert_unharmed();
    }
}

#[test]
fn an_opening_that_stops_at_any_octet_ends_with_the_stream() {
    for kind in [SocketType::Pull, SocketType::Router, SocketType::Sub] {
        let mut hall = Hall::open(kind, narrow());
        let whole = opening(partner(kind).name());
        for length in 0..whole.len() {
            let mut stranger = hall.stranger();
            stranger.say(&whole[..length]);
            stranger.finish();
            let (was_ready, reason) = hall.end("a short opening");
            assert!(!was_ready, "{length} octets");
            assert_eq!(reason, CloseReason::ByPeer, "{length} octets");
            stranger.until_end();
        }
        hall.assert_unharmed();
    }
}

#[test]
fn a_ready_that_lacks_its_end_is_refused() {
    for kind in [SocketType::Pull, SocketType::Router, SocketType::XPub] {
        let mut hall = Hall::open(kind, narrow());
        let body = ready(partner(kind).name())[2..].to_vec();
        let typed = 6 + property("Socket-Type", partner(kind).name().as_bytes()).len();
        for length in 0..body.len() {
            let mut stranger = hall.stranger();
            stranger.say(&greeting(1, "NULL", false));
            stranger.say(&frame(4, &body[..length]));
            if length == typed || length == b"\x05READY".len() {
                // Nothing is missing: no property needs to be told.
                stranger.finish();
                let (was_ready, reason) = hall.end("a short READY");
                assert!(was_ready, "{reason:?}");
                continue;
            }
            let (was_ready, reason) = hall.end("a short READY");
            assert!(!was_ready, "{length} octets");
            assert!(
                matches!(reason, CloseReason::Protocol(_)),
                "{length} octets: {reason:?}"
            );
            stranger.until_end();
        }
        hall.assert_unharmed();
    }
}

#[test]
fn half_a_message_is_not_delivered() {
    for kind in [SocketType::Pull, SocketType::Router, SocketType::Rep] {
        let mut hall = Hall::open(kind, SocketOptions::default());
        let whole = [
            frame(1, b""),
            frame(1, b"one part"),
            frame(1, &[3; 300]),
            frame(0, b"the last"),
        ]
        .concat();
        for length in (0..whole.len()).step_by(7) {
            let mut stranger = hall.stranger();
            stranger.shake(partner(kind).name());
            stranger.say(&whole[..length]);
            stranger.finish();
            let (was_ready, reason) = hall.end("half a message");
            assert!(was_ready, "{length} octets");
            assert_eq!(reason, CloseReason::ByPeer, "{length} octets");
        }
        hall.assert_unharmed();
    }
}

#[test]
fn a_slow_handshake_is_ended_in_time_however_far_it_came() {
    let whole = opening("PUSH");
    let mut options = narrow();
    options.handshake_timeout = Some(Duration::from_millis(50));
    let mut hall = Hall::open(SocketType::Pull, options);
    for length in [0, 1, 9, 11, 12, GREETING, GREETING + 1, whole.len() - 1] {
        let mut stranger = hall.stranger();
        stranger.say(&whole[..length]);
        let (was_ready, reason) = hall.end("a slow handshake");
        assert!(!was_ready, "{length} octets");
        assert_eq!(
            reason,
            CloseReason::Protocol(Error::HandshakeTimeout),
            "{length} octets"
        );
        stranger.until_end();
    }
    hall.assert_unharmed();
}
