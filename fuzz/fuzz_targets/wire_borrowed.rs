#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| zmtp_wire::fuzzing::borrowed(
    octets,
    zmtp_mech_null::BorrowedNull::new
));
