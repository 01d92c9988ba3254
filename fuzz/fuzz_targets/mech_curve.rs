#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| {
    zmtp_mech_curve::fuzzing::curve(octets);
    zmtp_mech_curve::fuzzing::keys(octets);
});
