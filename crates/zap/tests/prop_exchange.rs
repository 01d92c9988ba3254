//! What is written comes back as it was, whatever is in it.

use bytes::Bytes;
use proptest::collection::vec;
use proptest::prelude::*;
use zap::{Claim, Reply, Request, Status};
use zmtp_wire::{Credentials, Properties};

fn string() -> impl Strategy<Value = Bytes> {
    vec(any::<u8>(), 0..=255).prop_map(Bytes::from)
}

fn claim() -> impl Strategy<Value = Claim> {
    let short = || vec(any::<u8>(), 0..=255);
    prop_oneof![
        Just(Credentials::Null.into()),
        (short(), short()).prop_map(|(username, password)| Credentials::Plain {
            username,
            password
        }
        .into()),
        any::<[u8; 32]>().prop_map(|public_key| Credentials::Curve { public_key }.into()),
        short().prop_map(|principal| Credentials::Gssapi { principal }.into()),
        ("X-[A-Z]{1,10}", vec(string(), 0..4)).prop_map(|(mechanism, credentials)| {
            Claim::Other {
                mechanism: mechanism.into(),
                credentials,
            }
        }),
    ]
}

proptest! {
    #[test]
    fn requests_come_back(
        (id, domain, address, identity) in (string(), string(), string(), string()),
        credentials in claim(),
    ) {
        let request = Request { id, domain, address, identity, credentials };
        prop_assert_eq!(Request::parse(request.to_message().frames()), Ok(request));
    }

    #[test]
    fn replies_that_let_in_come_back(
        (id, text, user_id) in (string(), string(), string()),
        properties in vec(("[A-Za-z][A-Za-z0-9_.+-]{0,20}", string()), 0..5),
    ) {
        let metadata = Properties::from_iter(properties);
        let reply = Reply { id: id.clone(), status: Status::Success, text, user_id, metadata };
        prop_assert_eq!(Reply::parse(reply.to_message().frames(), &id), Ok(reply));
    }

    #[test]
    fn no_frames_at_all_do_harm(octets in vec(any::<u8>(), 0..300)) {
        zap::fuzzing::zap(&octets);
    }

    #[test]
    fn nearly_good_replies_do_no_harm(status in "[0-9]{2,4}", metadata in vec(any::<u8>(), 0..40)) {
        let mut octets = Vec::new();
        for frame in [b"1.0", &b"1"[..], status.as_bytes(), b"", b"joe", &metadata] {
            octets.push(frame.len() as u8);
            octets.extend_from_slice(frame);
        }
        zap::fuzzing::zap(&octets);
    }
}
