#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| zpl::fuzzing::zpl(octets));
