//! The fuzz target's entry point under random octets, and under the committed corpus.

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use zmq_engine::fuzzing;

#[test]
fn the_corpus_breaks_no_promise() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/engine_socket");
    let mut replayed = 0;
    for file in fs::read_dir(&corpus).unwrap() {
        fuzzing::socket(&fs::read(file.unwrap().path()).unwrap());
        replayed += 1;
    }
    assert!(replayed > 0, "{} is empty", corpus.display());
}

proptest! {
    // The same in each run: it is the fuzz target that looks for new ones.
    #![proptest_config(ProptestConfig { cases: 300, rng_seed: RngSeed::Fixed(1), ..ProptestConfig::default() })]

    #[test]
    fn no_order_of_acts_breaks_a_promise(octets in proptest::collection::vec(any::<u8>(), 0..300)) {
        fuzzing::socket(&octets);
    }
}
