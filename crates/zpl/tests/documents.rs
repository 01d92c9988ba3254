//! Whole texts: what is read from them, where they are wrong, and how documents are built and printed.

use zpl::{Dialect, Document, Error, Limits, Parser, Problem, Unfit};

const CONFIGURATION: &str = "\
#   What a device is to do
context
    iothreads = 1
    verbose = 1      #   Ask for a trace

main
    type = queue
    frontend
        option
            hwm = 1000
            subscribe = \"#2\"
        bind = tcp://eth0:5555
        bind = ipc:///tmp/front.sock
    # where workers are
    backend
        bind = tcp://eth0:5556
# the end
";

// spec: 4/hierarchy
#[test]
fn a_path_leads_to_the_first_property_of_that_name() {
    for dialect in [Dialect::Rfc, Dialect::Czmq] {
        let document = Document::parse(CONFIGURATION.as_bytes(), dialect).unwrap();
        for (path, value) in [
            ("context/iothreads", Some("1")),
            ("/context/verbose", Some("1")),
            ("main/frontend/option/subscribe", Some("#2")),
            ("main/frontend/bind", Some("tcp://eth0:5555")),
            ("main/backend/bind", Some("tcp://eth0:5556")),
            ("main/backend/option/hwm", None),
            ("main/frontend", None),
            ("iothreads", None),
            ("", None),
        ] {
            assert_eq!(document.get(path), value, "{path}");
        }
        let frontend = document.find("main/frontend").unwrap();
        let children: Vec<_> = frontend
            .children()
            .map(|child| (child.name(), child.value()))
            .collect();
        assert_eq!(
            children,
            [
                ("option", None),
                ("bind", Some("tcp://eth0:5555")),
                ("bind", Some("ipc:///tmp/front.sock")),
            ]
        );
        let top: Vec<_> = document
            .properties()
            .map(|property| property.name())
            .collect();
        assert_eq!(top, ["context", "main"]);
    }
}

#[test]
fn comments_keep_their_places() {
    let document = Document::parse(CONFIGURATION.as_bytes(), Dialect::Rfc).unwrap();
    assert_eq!(document.banner(), ["   What a device is to do"]);
    let verbose = document.find("context/verbose").unwrap();
    assert_eq!(verbose.comment(), Some("   Ask for a trace"));
    let backend = document.find("main/backend").unwrap();
    assert_eq!(backend.comments_above(), [" where workers are"]);
    let printed = document.to_text(Dialect::Rfc).unwrap();
    let expected = "\
#   What a device is to do

context
    iothreads = 1
    verbose = 1 #   Ask for a trace
main
    type = queue
    frontend
        option
            hwm = 1000
            subscribe = \"#2\"
        bind = tcp://eth0:5555
        bind = ipc:///tmp/front.sock
    # where workers are
    backend
        bind = tcp://eth0:5556
# the end
";
    assert_eq!(printed.as_str(), expected);
}

#[test]
fn czmq_prints_every_value_in_quotes() {
    let mut document = Document::new();
    document.push_banner("   A certificate");
    document.section("metadata");
    document.put("curve/public-key", "Yne@");
    document.put("metadata/said", "\"well\"");
    document.put("metadata/empty", "");
    let printed = document.to_text(Dialect::Czmq).unwrap();
    let expected = "\
#   A certificate

metadata
    said = '\"well\"'
    empty = \"\"
curve
    public-key = \"Yne@\"
";
    assert_eq!(printed.as_str(), expected);
}

#[test]
fn put_replaces_and_add_appends() {
    let mut document = Document::new();
    document.put("a/b", "1");
    document.put("c", "2");
    document.put("/a/b/", "3");
    document.add("a", "b", Some("4"));
    document.add("", "c", None);
    let printed = document.to_text(Dialect::Rfc).unwrap();
    assert_eq!(printed.as_str(), "a\n    b = 3\n    b = 4\nc = 2\nc\n");
    assert_eq!(document.len(), 5);
}

// spec: 4/line-endings
#[test]
fn every_line_ending_of_the_rfc_ends_a_line() {
    for text in [
        "a\n    b\nc",
        "a\r    b\rc",
        "a\r\n    b\r\nc\r\n",
        "a\n\r    b\r\nc",
    ] {
        let document = Document::parse(text.as_bytes(), Dialect::Rfc).unwrap();
        assert_eq!(document.len(), 3, "{text:?}");
        assert!(document.find("a/b").is_some(), "{text:?}");
    }
    let error = Document::parse(b"a\r    b", Dialect::Czmq).unwrap_err();
    assert_eq!(error.problem, Problem::Character('\r'));
}

#[test]
fn errors_say_where_and_what() {
    for (text, line, column, told) in [
        ("a\r\n\r\n  b", 3, 3, "met 2 spaces, expected four"),
        (
            "a\n        b",
            2,
            9,
            "met a property of level 2, expected level 1 at most",
        ),
        ("    a", 1, 5, "expected level 0 at most"),
        ("a\nb c", 2, 3, "met 'c', expected '='"),
        (
            "\n-a = 1",
            2,
            1,
            "met '-', expected '#', a letter or a digit",
        ),
        (
            "a = \"b\nc = \x01",
            2,
            5,
            "met '\\u{1}', expected a printable",
        ),
    ] {
        let error = Document::parse(text.as_bytes(), Dialect::Rfc).unwrap_err();
        assert_eq!(
            (error.line, error.column),
            (line, column),
            "{text:?}: {error}"
        );
        assert!(error.to_string().contains(told), "{text:?}: {error}");
    }
    assert!(Document::parse(b"# first\n-a = 1", Dialect::Rfc).is_ok());
    assert!(Document::parse(b"-a = 1", Dialect::Czmq).is_ok());
}

#[test]
fn every_bound_holds_at_its_edge() {
    let limits = Limits {
        line: 8,
        depth: 2,
        nodes: 3,
    };
    let read = |text: &str| {
        let mut parser = Parser::new(Dialect::Rfc, limits);
        parser.feed(text.as_bytes())?;
        parser.finish()
    };
    for good in [
        "a = 5678\r\nb",
        "a\n    b\nc",
        "a #x\nb",
        "# x\n\n\n\n\na\nb",
    ] {
        assert!(read(good).is_ok(), "{good:?}");
    }
    for (bad, line, problem) in [
        ("a\na = 56789", 2, Problem::LineTooLong(8)),
        ("a = 5678 \nb", 1, Problem::LineTooLong(8)),
        ("a\n    b\n        c", 3, Problem::LineTooLong(8)),
        ("a\nb\nc\nd", 4, Problem::TooMany(3)),
        ("a #x\nb #y", 2, Problem::TooMany(3)),
        ("#\n#\n#\n#", 4, Problem::TooMany(3)),
    ] {
        let error = read(bad).unwrap_err();
        assert_eq!((error.line, error.problem), (line, problem), "{bad:?}");
    }
    let mut parser = Parser::new(Dialect::Rfc, Limits { line: 99, ..limits });
    let error = parser.feed(b"a\n    b\n        c\n").unwrap_err();
    let expected = Error {
        line: 3,
        column: 9,
        problem: Problem::TooDeep(2),
    };
    assert_eq!(error, expected);
    assert_eq!(parser.feed(b"good"), Err(expected));
    assert_eq!(parser.finish(), Err(expected));
}

#[test]
fn what_cannot_be_written_is_refused_and_its_value_is_not_told() {
    for (name, value, expected) in [
        ("a b", "1", Unfit::Name),
        ("a\nb", "1", Unfit::Name),
        ("a", "secret\nb = 2", Unfit::Value),
        ("a", "\"secret'\"", Unfit::Value),
        ("a", "secret\u{7f}", Unfit::Value),
        ("+a", "1", Unfit::Beginning),
    ] {
        let mut document = Document::new();
        document.add("", name, Some(value));
        let error = document.to_text(Dialect::Rfc).unwrap_err();
        assert_eq!((error.name.as_str(), error.unfit), (name, expected));
        assert!(!error.to_string().contains("secret"), "{error}");
    }
    let mut document = Document::new();
    document.push_banner("a\nb = 1");
    let error = document.to_text(Dialect::Czmq).unwrap_err();
    assert_eq!(error.unfit, Unfit::Comment);
    let zoe = Document::parse("a = Zoë".as_bytes(), Dialect::Czmq).unwrap();
    assert_eq!(zoe.to_text(Dialect::Rfc).unwrap_err().unfit, Unfit::Value);
}

#[test]
fn values_are_not_in_what_debug_shows() {
    let document = Document::parse(b"curve\n    secret-key = xyzzy", Dialect::Czmq).unwrap();
    let shown = format!(
        "{document:?} {:?} {:?}",
        document.properties(),
        document.find("curve/secret-key")
    );
    assert!(!shown.contains("xyzzy"), "{shown}");
    let mut parser = Parser::new(Dialect::Czmq, Limits::DEFAULT);
    parser.feed(b"a = xyzzy").unwrap();
    assert!(!format!("{parser:?}").contains("xyzzy"));
}

#[test]
fn a_deep_text_needs_no_stack() {
    let limits = Limits {
        line: usize::MAX,
        depth: usize::MAX,
        nodes: usize::MAX,
    };
    let mut parser = Parser::new(Dialect::Rfc, limits);
    for level in 0..1000 {
        parser.feed(" ".repeat(4 * level).as_bytes()).unwrap();
        parser.feed(b"a\n").unwrap();
    }
    let document = parser.finish().unwrap();
    assert!(document.find(&"a/".repeat(1000)).is_some());
    assert!(document.find(&"a/".repeat(1001)).is_none());
}
