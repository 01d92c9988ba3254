//! The fuzz corpora, replayed.

use std::path::Path;
use zmtp_mech_null::{BorrowedNull, Null};
use zmtp_wire::fuzzing;

/// Hands every file of a corpus to `check`.
fn replay(target: &str, check: impl Fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fuzz/corpus")
        .join(target);
    let files: Vec<_> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    assert!(!files.is_empty(), "{target} has a corpus");
    for file in files {
        check(&std::fs::read(file).unwrap());
    }
}

#[test]
fn corpora_of_the_parsers_hold() {
    replay("wire_greeting", fuzzing::greeting);
    replay("wire_command", fuzzing::command);
    replay("wire_metadata", fuzzing::metadata);
}

#[test]
fn corpora_of_the_machines_hold() {
    replay("wire_session", |octets| {
        fuzzing::session(octets, || Box::new(Null::new()))
    });
    replay("wire_borrowed", |octets| {
        fuzzing::borrowed(octets, BorrowedNull::new)
    });
    replay("mech_null", zmtp_mech_null::fuzzing::null);
}
