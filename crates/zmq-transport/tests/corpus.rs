//! What fuzzing has found worth keeping.

use std::path::Path;

#[test]
fn the_corpus_of_endpoints_passes() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/transport_endpoint");
    let inputs: Vec<_> = std::fs::read_dir(corpus)
        .unwrap()
        .map(|entry| std::fs::read(entry.unwrap().path()))
        .collect();
    assert!(inputs.len() >= 10);
    for input in inputs {
        zmq_transport::fuzzing::endpoint(&input.unwrap());
    }
}
