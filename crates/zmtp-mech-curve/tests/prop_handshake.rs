//! Somebody on the line, and text that may be keys.

use proptest::collection::vec;
use proptest::prelude::*;
use zmtp_mech_curve::{PublicKey, fuzzing, z85};

proptest! {
    #[test]
    fn nothing_forged_gets_through(untouched in 0_usize..8, mut script in vec(any::<u8>(), 0..12)) {
        // The first octet says what is done to the next command; the others are where and how.
        if let Some(first) = script.first_mut() {
            *first %= 6;
        }
        script.splice(0..0, vec![0; untouched]);
        fuzzing::curve(&script);
    }

    #[test]
    fn what_z85_writes_it_reads(octets in vec(any::<[u8; 4]>(), 0..20)) {
        let octets = octets.concat();
        let text = z85::encode(&octets).unwrap();
        prop_assert_eq!(text.len(), octets.len() / 4 * 5);
        prop_assert_eq!(z85::decode(&text), Ok(octets));
    }

    #[test]
    fn any_text_is_read_or_refused(text in "[0-~]{0,45}") {
        fuzzing::keys(text.as_bytes());
    }

    #[test]
    fn every_public_key_prints_and_parses(octets: [u8; 32]) {
        let key = PublicKey::from_octets(octets);
        prop_assert_eq!(key.to_string().parse(), Ok(key));
    }
}
