//! Attacks on ZMTP engines that concern the wire; letters and numbers are those of the digest of threats.

mod scripted;

use scripted::*;
use zmtp_wire::{Event, Incompatible, Limits, Misbehaved, SessionConfig, SocketType, Version};

fn pull() -> Script {
    Script::ready(SessionConfig::new(SocketType::Pull), Version::V3_1, "PUSH")
}

// A: CVE-2019-6250; D: JeroMQ #1005, #440, NetMQ #1168, zmq.rs reserve
#[test]
fn lengths_near_the_end_of_the_number_line_end_the_session() {
    for length in [u64::MAX, u64::MAX - 1, 1 << 63, (1 << 63) - 1] {
        let octets = [&[2][..], &length.to_be_bytes(), &[0; 8183]].concat();
        assert!(pull().try_say(&octets).is_err(), "{length:x}");
        let mut old = Script::of(SocketType::Pull);
        old.say(&wire("01 00"));
        let octets = [&[0xff][..], &length.to_be_bytes(), &[0; 8183]].concat();
        assert!(old.try_say(&octets).is_err(), "1.0 {length:x}");
    }
}

// A: CVE-2021-20235
#[test]
fn two_1_0_frames_beyond_8192_octets_are_two_messages() {
    let mut script = Script::of(SocketType::Pull);
    script.say(&wire("01 00"));
    let one = [wire("ff 0000000000002002 00"), vec![7; 8193]].concat();
    let events = script.say(&[&one[..], &one].concat());
    assert_eq!(messages(&events), [[vec![7; 8193]], [vec![7; 8193]]]);
}

// C7: libzmq buffers a handshake command of any length.
#[test]
fn before_ready_a_peer_can_make_us_keep_one_bounded_command() {
    let mut script = Script::of(SocketType::Dealer);
    script.say(&greeting(1));
    let error = script.try_say(&wire("06 0000000004000000")).unwrap_err();
    assert_eq!(error, Misbehaved::CommandTooLarge(64 << 20).into());

    let mut script = Script::of(SocketType::Dealer);
    script.say(&greeting(1));
    let error = script
        .try_say(&ready_with(&[("X", b"".as_slice()); 300]))
        .unwrap_err();
    assert_eq!(error, Misbehaved::TooManyProperties(256).into());
}

// C7, for peers that speak before the verdict.
#[test]
fn what_arrives_before_the_verdict_is_kept_within_bounds() {
    let config = SessionConfig::new(SocketType::Pull);
    let mut script = Script::asking(config);
    assert!(matches!(
        script.say(&greeting(1))[..],
        [Event::Authenticate(_)]
    ));
    assert!(
        script
            .say(&[ready("PUSH"), wire("00 02 'hi'")].concat())
            .is_empty()
    );
    let error = script.try_say(&[0; 8192]).unwrap_err();
    assert!(matches!(
        error,
        zmtp_wire::Error::Misbehaved(Misbehaved::TooEager(_))
    ));
}

// D: zmq.rs #286 and C11
#[test]
fn ready_cut_at_any_octet_is_refused_or_waited_for() {
    let body = &ready_with(&[("Socket-Type", b"PUSH"), ("Identity", b"ME")])[2..];
    let ends = [6, 6 + 1 + 11 + 4 + 4, body.len()];
    for cut in 0..=body.len() {
        let mut script = Script::of(SocketType::Pull);
        let said = [greeting(1), command(&body[..cut])].concat();
        assert_eq!(
            script.try_say(&said).is_ok(),
            ends.contains(&cut),
            "command ends at {cut}"
        );
        let mut script = Script::of(SocketType::Pull);
        let said = [greeting(1), command(body)[..2 + cut].to_vec()].concat();
        assert_eq!(
            script.try_say(&said).map(|events| events.len()),
            Ok(usize::from(cut == body.len()))
        );
    }
}

// C11: libzmq accepts names that occur twice, empty names, and control characters.
#[test]
fn metadata_that_contradicts_itself_is_refused() {
    for properties in [
        &[("Socket-Type", &b"PUSH"[..]), ("Socket-Type", b"PUB")][..],
        &[
            ("Socket-Type", b"PUSH"),
            ("identity", b"A"),
            ("Identity", b"B"),
        ],
        &[("", b"x")],
        &[("X-\u{7}", b"x")],
    ] {
        let mut script = Script::of(SocketType::Pull);
        let error = script
            .try_say(&[greeting(1), ready_with(properties)].concat())
            .unwrap_err();
        assert_eq!(
            error,
            Misbehaved::MalformedMetadata.into(),
            "{properties:?}"
        );
    }
}

// C10
#[test]
fn other_protocols_are_turned_away_before_anything_is_delivered() {
    let cases: [&[u8]; 6] = [
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x16\x03\x01\x00\xc8\x01\x00\x00\xc4\x03\x03",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"EHLO me\r\n",
        b"\xff\xfb\x18\xff\xfb\x1f\xff\xfb\x20\xff\xfb\x21",
        b"\xfb\x18\xff\xfb\x1f\xff\xfb\x20",
    ];
    for octets in cases {
        for chunk in [1, 3, octets.len()] {
            let mut script = Script::of(SocketType::Pull);
            let outcome = octets.chunks(chunk).try_for_each(|part| {
                script
                    .try_say(part)
                    .map(|events| assert!(events.is_empty()))
            });
            assert!(
                matches!(
                    outcome,
                    Err(zmtp_wire::Error::Incompatible(Incompatible::LooksLike(_)))
                ),
                "{outcome:?}"
            );
        }
    }
}

// D: zmq.rs recursion; E: amplification by small frames
#[test]
fn a_million_empty_frames_are_cut_off_at_the_bound_on_parts() {
    let mut script = pull();
    let octets = [1, 0].repeat(1_000_000);
    assert_eq!(
        script.try_say(&octets),
        Err(Misbehaved::TooManyParts(Limits::DEFAULT.max_parts).into())
    );
}

// E: slowloris
#[test]
fn dripping_octets_does_not_move_the_handshake_deadline() {
    let mut script = Script::of(SocketType::Pull);
    for octet in greeting(1).iter().take(63) {
        script.say(&[*octet]);
        assert_eq!(script.session.poll_timeout(), Some(at(30_000)));
        script.now += 400;
        script.session.handle_timeout(at(script.now)).unwrap();
    }
    script.now = 30_000;
    assert!(script.session.handle_timeout(at(30_000)).is_err());
}
