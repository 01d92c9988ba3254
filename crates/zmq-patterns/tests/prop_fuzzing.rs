//! The fuzz targets' entry points under random octets, and under the committed corpora.

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use zmq_patterns::fuzzing;

fn replay(name: &str, target: fn(&[u8])) {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fuzz/corpus")
        .join(name);
    let files = fs::read_dir(&corpus).unwrap();
    let mut replayed = 0;
    for file in files {
        target(&fs::read(file.unwrap().path()).unwrap());
        replayed += 1;
    }
    assert!(replayed > 0, "{} is empty", corpus.display());
}

#[test]
fn the_corpora_break_no_promise() {
    replay("patterns_topics", fuzzing::topics);
    replay("patterns_machine", fuzzing::machine);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn no_order_of_calls_breaks_a_promise(octets in proptest::collection::vec(any::<u8>(), 0..400)) {
        fuzzing::machine(&octets);
    }

    #[test]
    fn no_order_of_subscriptions_breaks_a_promise(octets in proptest::collection::vec(any::<u8>(), 0..200)) {
        fuzzing::topics(&octets);
    }
}
