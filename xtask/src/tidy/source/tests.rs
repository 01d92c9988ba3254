use super::*;

fn code(text: &str) -> String {
    Source::new("crates/x/src/y.rs", text).code
}

#[test]
fn comments_and_literals_are_blank_and_lines_stay() {
    let text = "let a = \"fn {\"; // fn {\n/* fn { /* } */ */ let b = '{';\nlet c = r#\"\"fn {\"#; let d = b'\\''; let e = b\"}\";\nfn f<'a>(x: &'a str) {}\n";
    let met = code(text);
    assert_eq!(met.len(), text.len());
    assert_eq!(met.lines().count(), text.lines().count());
    assert_eq!(find_word(&met, "fn").count(), 1, "{met}");
    assert_eq!(met.matches(['{', '}']).count(), 2, "{met}");
    assert!(
        met.contains("let d") && met.contains("let e") && met.contains("<'a>"),
        "{met}"
    );
}

#[test]
fn division_and_escapes_do_not_open_comments_or_strings() {
    let met =
        code("let a = b / c; let q = \"\\\"\"; let slash = '/'; let back = '\\\\'; async_word();");
    assert!(
        met.contains("b / c") && met.contains("async_word()"),
        "{met}"
    );
}

#[test]
fn test_items_are_not_shipped() {
    let text = "fn a() {}\n#[cfg(test)]\nmod tests {\n    fn b() { Instant::now(); }\n}\n";
    let source = Source::new("crates/x/src/y.rs", text);
    assert_eq!(source.shipped_lines, 1);
    assert!(!source.shipped.contains("Instant"));
    assert!(source.code.contains("Instant"));
    let declared = Source::new("crates/x/src/y.rs", "#[cfg(test)]\nmod tests;\nfn a() {}\n");
    assert!(declared.shipped.contains("fn a"));
    assert_eq!(
        Source::new("crates/x/tests/y.rs", "fn a() {}").shipped_lines,
        0
    );
}

#[test]
fn functions_are_measured_without_their_receiver() {
    let text = "impl X {\n    pub fn a<F: Fn(u8, u8) -> u8>(&mut self, f: F, (b, c): (u8, u8), d: [u8; 2]) -> u8 {\n        1\n    }\n}\nfn g() {}\nfn h(x: fn(u8) -> u8);\nfn i(self: Arc<Self>, map: HashMap<u8, u8>) {\n}\n";
    let met: Vec<(String, usize, usize, usize)> = functions(text)
        .into_iter()
        .map(|f| (f.name, f.line, f.lines, f.parameters))
        .collect();
    let expected = [("a", 2, 3, 3), ("g", 6, 1, 0), ("i", 8, 2, 1)];
    assert_eq!(
        met,
        expected.map(|(name, line, lines, parameters)| (name.to_owned(), line, lines, parameters))
    );
}

#[test]
fn words_are_whole() {
    assert_eq!(
        find_word(
            "Instant InstantLike my_Instant std::time::Instant",
            "Instant"
        )
        .count(),
        2
    );
}
