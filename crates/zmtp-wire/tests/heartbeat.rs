//! PING, PONG and the clocks behind them.

mod scripted;

use scripted::*;
use zmtp_wire::{Error, Heartbeat, Misbehaved, SessionConfig, SocketType, Version};

fn beating(heartbeat: Heartbeat, version: Version, peer: &str) -> Script {
    let kind = if peer == "DISH" {
        SocketType::Radio
    } else {
        SocketType::Dealer
    };
    Script::ready(
        SessionConfig {
            heartbeat: Some(heartbeat),
            ..SessionConfig::new(kind)
        },
        version,
        peer,
    )
}

const BEAT: Heartbeat = Heartbeat {
    interval_ms: 200,
    timeout_ms: 500,
    ttl_ms: 10_000,
};

/// Lets time pass as an owner does: to each moment the session asks for, writing what there is.
fn run_until(script: &mut Script, end: u64) -> Result<Vec<(u64, Vec<u8>)>, Error> {
    let mut said = Vec::new();
    while let Some(due) = script
        .session
        .poll_timeout()
        .filter(|due| due.as_millis() <= end)
    {
        script.now = script.now.max(due.as_millis());
        script.session.handle_timeout(at(script.now))?;
        let octets = script.heard();
        if !octets.is_empty() {
            said.push((script.now, octets));
        }
    }
    script.now = end;
    Ok(said)
}

// Row 28 of the probe matrix.
// spec: 37/ping-pong
#[test]
fn a_silent_peer_gets_pings_and_the_end_half_a_second_after_the_first() {
    let mut script = beating(BEAT, Version::V3_1, "ROUTER");
    let said = run_until(&mut script, 699).unwrap();
    let ping = wire("04 07 04 'PING' 00 64");
    assert_eq!(
        said,
        [(200, ping.clone()), (400, ping.clone()), (600, ping)]
    );
    assert_eq!(run_until(&mut script, 700), Err(Error::HeartbeatTimeout));
    assert_eq!(script.now, 700);
    assert!(Error::HeartbeatTimeout.is_transient());
}

// spec: 37/heartbeat-any-traffic
#[test]
fn anything_that_arrives_is_a_sign_of_life_even_part_of_a_frame() {
    let mut script = beating(BEAT, Version::V3_1, "ROUTER");
    for octet in [
        &b"\x00"[..],
        b"\x02",
        b"h",
        b"i",
        b"\x04",
        b"\x05",
        b"\x04",
        b"P",
        b"O",
        b"N",
        b"G",
    ] {
        let now = script.now;
        run_until(&mut script, now + 600).unwrap();
        script.say(octet);
    }
}

#[test]
fn the_clock_of_a_ping_starts_when_it_has_left() {
    let mut script = beating(BEAT, Version::V3_1, "ROUTER");
    script.wait(200).unwrap();
    assert_eq!(script.session.output_len(), 9);
    script.session.output_written(8);
    script.wait(5000).unwrap();
    assert_eq!(
        script.session.output_len(),
        1,
        "no PING is queued behind one that has not left"
    );
    script.session.output_written(1);
    assert_eq!(
        script.session.poll_timeout(),
        Some(at(5200)),
        "at once, so that the clock can start"
    );
    script.wait(0).unwrap();
    assert_eq!(script.wait(499), Ok(()));
    assert_eq!(script.wait(1), Err(Error::HeartbeatTimeout));
}

#[test]
fn the_clocks_stand_while_we_do_not_read() {
    let mut script = beating(BEAT, Version::V3_1, "ROUTER");
    script.say(&wire("04 07 04 'PING' 00 03"));
    run_until(&mut script, 250).unwrap();
    script.session.handle_reading(at(250), false);
    let said = run_until(&mut script, 100_000).unwrap();
    assert!(
        said.len() > 400,
        "our own PINGs go on: the peer may count on them"
    );
    script.session.handle_reading(at(100_000), true);
    assert_eq!(run_until(&mut script, 100_299).map(|_| ()), Ok(()));
    assert_eq!(
        run_until(&mut script, 100_300).map(|_| ()),
        Err(Error::TtlExpired)
    );
}

#[test]
fn pings_go_to_3_1_peers_only_and_never_to_dish() {
    for (version, peer) in [(Version::V3_0, "ROUTER"), (Version::V3_1, "DISH")] {
        let script = beating(BEAT, version, peer);
        assert_eq!(script.session.poll_timeout(), None, "{version:?} {peer}");
    }
}

#[test]
fn a_ping_from_a_3_0_peer_is_answered_all_the_same() {
    let mut script = Script::ready(
        SessionConfig::new(SocketType::Dealer),
        Version::V3_0,
        "ROUTER",
    );
    script.say(&wire("04 07 04 'PING' 00 00"));
    script.expect("04 05 04 'PONG'");
}

// libzmq multiplies in 16 bits: 656 would make it give up after 64 ms.
#[test]
fn the_time_to_live_we_announce_is_one_libzmq_computes_right() {
    for (ttl_ms, octets) in [
        (0, "00 00"),
        (99, "00 00"),
        (10_000, "00 64"),
        (65_599, "02 8f"),
        (u64::MAX, "02 8f"),
    ] {
        let mut script = beating(Heartbeat { ttl_ms, ..BEAT }, Version::V3_1, "ROUTER");
        script.wait(200).unwrap();
        script.expect(&format!("04 07 04 'PING' {octets}"));
    }
}

// spec: 37/ping-context
#[test]
fn pong_repeats_at_most_sixteen_octets_of_context() {
    let mut script = beating(BEAT, Version::V3_1, "ROUTER");
    script.say(&wire("04 0a 04 'PING' 00 00 'ctx'"));
    script.expect("04 08 04 'PONG' 'ctx'");
    script.say(&wire("04 1b 04 'PING' 00 00 '0123456789abcdefghij'"));
    script.expect("04 15 04 'PONG' '0123456789abcdef'");
}

// threats C2: libzmq answers with stale memory.
#[test]
fn a_ping_without_time_to_live_ends_it_and_discloses_nothing() {
    for said in ["04 05 04 'PING'", "04 06 04 'PING' 00"] {
        let mut script = beating(BEAT, Version::V3_1, "ROUTER");
        let error = script.try_say(&wire(said)).unwrap_err();
        assert!(matches!(error, Error::Misbehaved(Misbehaved::Malformed(_))));
        script.expect("");
    }
}

// threats E: output flood.
#[test]
fn a_flood_of_pings_leaves_one_answer_waiting_and_then_the_latest() {
    let mut script = beating(BEAT, Version::V3_1, "ROUTER");
    for context in 0..10_000_u32 {
        let mut body = b"\x04PING\0\0".to_vec();
        body.extend_from_slice(&context.to_be_bytes());
        script.say(&command(&body));
    }
    assert_eq!(script.session.output_len(), 11);
    script.expect("04 09 04 'PONG' 00 00 00 00");
    script.expect("04 09 04 'PONG' 00 00 27 0f");
    script.expect("");
}

#[test]
fn a_ping_between_the_frames_of_a_message_is_answered_and_leaves_the_message_whole() {
    let mut script = beating(BEAT, Version::V3_1, "ROUTER");
    let events = script.say(&wire("01 01 'a' 04 07 04 'PING' 00 00 00 01 'b'"));
    assert_eq!(messages(&events), [[b"a".to_vec(), b"b".to_vec()]]);
    script.expect("04 05 04 'PONG'");
}
