#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| zmq_transport::fuzzing::socks(octets));
