//! What must hold for any octets at all; called by the fuzz target.

use crate::{Dialect, Document, Error, Limits, Parser};

/// Bounds that a fuzzer reaches.
const SMALL: Limits = Limits {
    line: 64,
    depth: 4,
    nodes: 24,
};

/// Nothing in the way: a printed line may be longer than the one that was read.
const UNBOUNDED: Limits = Limits {
    line: usize::MAX,
    depth: usize::MAX,
    nodes: usize::MAX,
};

/// Any octets, in both dialects: however they are cut the outcome is the same, it is within the bounds, and what was read is read again
/// when printed.
pub fn zpl(data: &[u8]) {
    let Some((cut, text)) = data.split_first() else {
        return;
    };
    for dialect in [Dialect::Rfc, Dialect::Czmq] {
        let whole = read([text], dialect, SMALL);
        let cut = text.chunks(usize::from(cut % 16).saturating_add(1));
        assert_eq!(whole, read(cut, dialect, SMALL));
        let Ok(document) = whole else { continue };
        assert!(document.len() <= SMALL.nodes);
        assert!(document.deepest_child() <= SMALL.depth);
        match document.to_text(dialect) {
            Ok(printed) => {
                assert_eq!(read([printed.as_bytes()], dialect, UNBOUNDED), Ok(document));
            }
            Err(error) => unreachable!("what was read can be printed: {error}"),
        }
    }
}

fn read<'a>(
    parts: impl IntoIterator<Item = &'a [u8]>,
    dialect: Dialect,
    limits: Limits,
) -> Result<Document, Error> {
    let mut parser = Parser::new(dialect, limits);
    for part in parts {
        parser.feed(part)?;
    }
    parser.finish()
}
