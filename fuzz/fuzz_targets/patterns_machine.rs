#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| zmq_patterns::fuzzing::machine(octets));
