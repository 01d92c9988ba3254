//! Properties of sessions over generated conversations.

mod scripted;

use proptest::prelude::*;
use scripted::*;
use zmtp_mech_null::{BorrowedNull, Null};
use zmtp_wire::command::Command;
use zmtp_wire::header::{FrameHeader, Framing};
use zmtp_wire::metadata::Property;
use zmtp_wire::{Event, Message, Session, SessionConfig, SocketType, Version, fuzzing};

/// Bodies around the sizes where something changes.
fn body() -> impl Strategy<Value = Vec<u8>> {
    let length = prop_oneof![
        4 => 0_usize..50,
        1 => prop::sample::select(vec![252, 253, 254, 255, 256, 257, 4095, 4096, 8191, 8192, 70_000, 200_000]),
    ];
    (length, any::<u8>()).prop_map(|(length, fill)| vec![fill; length])
}

fn a_message() -> impl Strategy<Value = Message> {
    prop::collection::vec(body(), 1..5).prop_map(|frames| frames.into_iter().collect())
}

/// Frames as a peer of 3.x might send them, good and bad.
fn peer_octets() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        6 => (0_u8..2, body()).prop_map(|(flags, body)| frame(flags, &body)),
        1 => body().prop_map(|topic| command(&[b"\x09SUBSCRIBE", &topic[..]].concat())),
        1 => body().prop_map(|topic| frame(0, &[b"\x01", &topic[..]].concat())),
        1 => (0_u8..4, body()).prop_map(|(ttl, context)| command(&[b"\x04PING\0", &[ttl][..], &context].concat())),
        1 => (any::<u8>(), prop::collection::vec(any::<u8>(), 0..20)).prop_map(|(flags, body)| frame(flags & !2, &body)),
        1 => prop::collection::vec(any::<u8>(), 0..12),
    ];
    prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

fn fuzz_session(data: &[u8]) {
    fuzzing::session(data, || Box::new(Null::new()));
    fuzzing::session(data, || Box::new(Null::new().with_authentication(true)));
}

/// Two sessions that have shaken hands.
fn pair(max_version: Version) -> (Session, Session) {
    let new = |kind| {
        Session::new(
            SessionConfig {
                max_version,
                ..SessionConfig::new(kind)
            },
            Box::new(Null::new()),
            at(0),
        )
    };
    let (mut left, mut right) = (new(SocketType::Dealer), new(SocketType::Router));
    while !(left.in_traffic() && right.in_traffic()) {
        carry(&mut left, &mut right, usize::MAX);
        carry(&mut right, &mut left, usize::MAX);
    }
    (left, right)
}

/// Carries what waits in `from` to `to`, in steps.
fn carry(from: &mut Session, to: &mut Session, step: usize) -> Vec<Event> {
    let mut events = Vec::new();
    while from.output_len() > 0 {
        let octets: Vec<u8> = from.output_chunks().flatten().copied().take(step).collect();
        from.output_written(octets.len());
        let mut input = &octets[..];
        while let Some(event) = to.handle_input(at(0), &mut input).unwrap() {
            events.push(event);
        }
    }
    events
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn any_cut_of_a_conversation_leads_to_the_same_events(
        head in prop::array::uniform6(any::<u8>()),
        octets in peer_octets(),
    ) {
        fuzz_session(&[&head[..], &octets].concat());
    }

    #[test]
    fn any_octets_at_all_are_borne(octets in prop::collection::vec(any::<u8>(), 0..600)) {
        fuzz_session(&octets);
        fuzzing::greeting(&octets);
        fuzzing::borrowed(&octets, BorrowedNull::new);
        fuzzing::command(&octets);
        fuzzing::metadata(&octets);
    }

    #[test]
    fn any_cut_leads_to_the_same_events_without_an_allocator(
        head in prop::array::uniform5(any::<u8>()),
        octets in peer_octets(),
    ) {
        let said = [&head[..], &greeting(1), &ready("ROUTER"), &octets].concat();
        fuzzing::borrowed(&said, BorrowedNull::new);
    }

    #[test]
    fn what_one_session_sends_the_other_delivers(
        sent in prop::collection::vec(a_message(), 1..6),
        version in prop::sample::select(vec![Version::V1, Version::V2, Version::V3_0, Version::V3_1]),
        step in prop_oneof![1_usize..40, 1000_usize..100_000],
    ) {
        let (mut left, mut right) = pair(version);
        sent.iter().for_each(|message| left.send(message));
        let got: Vec<Message> = carry(&mut left, &mut right, step)
            .into_iter()
            .map(|event| match event {
                Event::Message(message) => message,
                other => panic!("{other:?}"),
            })
            .collect();
        prop_assert_eq!(got, sent);
    }

    #[test]
    fn headers_come_back_as_they_went(
        flags in prop::sample::select(vec![0_u8, 1, 4]),
        size in prop_oneof![0_u64..300, 0_u64..(1 << 63) - 1],
    ) {
        for framing in [Framing::V1, Framing::V2, Framing::V3] {
            let kept = match framing { Framing::V3 => flags, _ => flags & 1 };
            let header = FrameHeader { flags: kept, size };
            let mut out = Vec::new();
            header.emit(framing, &mut out);
            prop_assert_eq!(FrameHeader::parse(framing, &out), Ok(Some((header, out.len()))));
        }
    }

    #[test]
    fn metadata_and_commands_come_back_as_they_went(
        name in "[A-Za-z0-9_.+-]{1,255}",
        value in body(),
        ttl in any::<u16>(),
    ) {
        let mut out = Vec::new();
        let property = Property { name: &name, value: &value };
        property.emit(&mut out);
        let back: Result<Vec<Property<'_>>, _> = zmtp_wire::metadata::Metadata::new(&out).collect();
        prop_assert_eq!(back, Ok(vec![property]));
        for command in [Command::Ready(&out), Command::Ping { ttl, context: &value }, Command::Subscribe(&value)] {
            let mut out = Vec::new();
            command.emit(&mut out);
            prop_assert_eq!(Command::parse(&out), Ok(command));
        }
    }
}
