#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| zmq_engine::fuzzing::socket(octets));
