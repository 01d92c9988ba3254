#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| zmtp_mech_plain::fuzzing::plain(octets));
