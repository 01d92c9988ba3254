//! The fuzz corpus, replayed.

#[test]
fn the_corpus_holds() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/corpus/zpl");
    let mut files = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let octets = std::fs::read(entry.unwrap().path()).unwrap();
        zpl::fuzzing::zpl(&octets);
        files += 1;
    }
    assert!(files >= 6);
}
