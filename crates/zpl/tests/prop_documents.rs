//! Any octets, any cuts, any documents.

use proptest::prelude::*;
use zpl::{Dialect, Document, Limits, Parser};

fn dialects() -> impl Strategy<Value = Dialect> {
    prop_oneof![Just(Dialect::Rfc), Just(Dialect::Czmq)]
}

/// Texts of the pieces that the language is made of.
fn texts() -> impl Strategy<Value = Vec<u8>> {
    let pieces = prop_oneof![
        Just("\n".to_owned()),
        Just("\r\n".to_owned()),
        Just("\r".to_owned()),
        Just("    ".to_owned()),
        Just(" = ".to_owned()),
        "[\"'#=/ \t]",
        "[a-z$/+]{1,3}",
        "\\PC{1,3}",
    ];
    let text = prop::collection::vec(pieces, 0..40).prop_map(|pieces| pieces.concat().into_bytes());
    prop_oneof![8 => text, 1 => prop::collection::vec(any::<u8>(), 0..64)]
}

/// Properties that every dialect can print: levels as wished, values of any kind but those with quotes of both kinds.
fn properties() -> impl Strategy<Value = Vec<(usize, String, Option<String>)>> {
    let value = prop_oneof!["[ -!#-~]{0,12}", "[ -&(-~]{0,12}"];
    let property = (0_usize..4, "[a-z0-9][a-z.-]{0,5}", prop::option::of(value));
    prop::collection::vec(property, 0..20)
}

proptest! {
    #[test]
    fn cuts_make_no_difference(text in texts(), dialect in dialects(), cuts in prop::collection::vec(0_usize..9, 0..64)) {
        let whole = Document::parse(&text, dialect);
        let mut parser = Parser::new(dialect, Limits::DEFAULT);
        let mut rest = &text[..];
        let mut fed = Ok(());
        for cut in cuts {
            let (part, behind) = rest.split_at(cut.min(rest.len()));
            fed = fed.and(parser.feed(part));
            rest = behind;
        }
        fed = fed.and(parser.feed(rest));
        prop_assert_eq!(whole, fed.and(parser.finish()));
    }

    #[test]
    fn what_is_read_is_read_again_when_printed(text in texts(), dialect in dialects()) {
        if let Ok(document) = Document::parse(&text, dialect) {
            let printed = document.to_text(dialect).unwrap();
            prop_assert_eq!(Document::parse(printed.as_bytes(), dialect).unwrap(), document);
        }
    }

    #[test]
    fn what_a_program_builds_is_read_when_printed(properties in properties(), dialect in dialects()) {
        let mut document = Document::new();
        // The path to the last property of each level, made of names that occur once.
        let mut path: Vec<String> = Vec::new();
        let mut expected = Vec::new();
        for (number, (level, name, value)) in properties.into_iter().enumerate() {
            path.truncate(level);
            let name = format!("{name}{number}");
            document.add(&path.join("/"), name.clone(), value.as_deref());
            path.push(name);
            expected.push((path.join("/"), value));
        }
        let printed = document.to_text(dialect).unwrap();
        let read = Document::parse(printed.as_bytes(), dialect).unwrap();
        prop_assert_eq!(&read, &document);
        for (path, value) in expected {
            let property = read.find(&path).unwrap();
            prop_assert_eq!(property.value(), value.as_deref());
        }
    }
}
