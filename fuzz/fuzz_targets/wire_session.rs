#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| {
    zmtp_wire::fuzzing::session(octets, || Box::new(zmtp_mech_null::Null::new()));
    zmtp_wire::fuzzing::session(octets, || {
        Box::new(zmtp_mech_null::Null::new().with_authentication(true))
    });
});
