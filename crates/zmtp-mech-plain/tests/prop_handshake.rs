//! Any commands in any order.

use proptest::collection::vec;
use proptest::prelude::*;
use zmtp_mech_plain::fuzzing;

fn command() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        Just(b"\x05HELLO\x05admin\x06secret".to_vec()),
        Just(b"\x07WELCOME".to_vec()),
        Just(b"\x08INITIATE\x0bSocket-Type\0\0\0\x04PUSH".to_vec()),
        Just(b"\x05READY\x0bSocket-Type\0\0\0\x04PUSH".to_vec()),
        Just(b"\x5eRROR\x03400".to_vec()),
        vec(any::<u8>(), 0..40),
    ]
}

proptest! {
    #[test]
    fn nobody_comes_in_without_a_verdict(choice: u8, commands in vec(command(), 0..6)) {
        let mut script = vec![choice];
        for command in commands {
            script.push(command.len() as u8);
            script.extend_from_slice(&command);
        }
        fuzzing::plain(&script);
    }
}
