//! `zmq::blocking` mirrors the async names of the facade one for one.
//!
//! Read from the text, so macros count by what they spell: types are compared where both sides name them, names always.

use super::{
    Finding,
    source::{Function, Source, closing, find_word, functions},
};
use std::collections::{BTreeMap, BTreeSet};

const FACADE: &str = "crates/zmq/src/";

/// Names that exist only on one side, with the reason.
const ONE_SIDED: &[(&str, &str)] = &[
    ("incoming", "a Stream has no blocking form: iterate instead"),
    ("outgoing", "a Sink has no blocking form"),
];

#[derive(Default)]
struct Side {
    /// Type -> public functions that wait.
    waiting: BTreeMap<String, BTreeSet<String>>,
    /// Type -> all public functions.
    all: BTreeMap<String, BTreeSet<String>>,
}

pub(crate) fn check(sources: &[Source]) -> Vec<Finding> {
    let (mut asynchronous, mut blocking) = (Side::default(), Side::default());
    for source in sources
        .iter()
        .filter(|source| source.path.starts_with(FACADE))
    {
        let inner = &source.path[FACADE.len()..];
        let is_blocking = inner == "blocking.rs" || inner.starts_with("blocking/");
        if is_blocking {
            &mut blocking
        } else {
            &mut asynchronous
        }
        .add(&source.shipped);
    }
    let mut findings = compare(&asynchronous, &blocking);
    if asynchronous.waiting.is_empty() {
        // Nothing to mirror would pass, whatever the blocking side holds.
        findings.push(Finding::new(
            FACADE,
            "no `pub async fn` was found, so the mirror was not checked",
        ));
    }
    findings
}

fn compare(asynchronous: &Side, blocking: &Side) -> Vec<Finding> {
    let one_sided = |name: &String| ONE_SIDED.iter().any(|(known, _)| known == name);
    let mut findings = Vec::new();
    let mut missing = |from: &BTreeMap<String, BTreeSet<String>>,
                       other: &BTreeMap<String, BTreeSet<String>>,
                       side: &str| {
        let everywhere: BTreeSet<&String> = other.values().flatten().collect();
        for (of, names) in from {
            for name in names.iter().filter(|name| !one_sided(name)) {
                let there = other
                    .get(of)
                    .map_or_else(|| everywhere.contains(name), |names| names.contains(name));
                if !there {
                    findings.push(Finding::new(
                        "crates/zmq",
                        format!("`{of}::{name}` has no {side} twin"),
                    ));
                }
            }
        }
    };
    missing(&asynchronous.waiting, &blocking.all, "blocking");
    missing(&blocking.all, &asynchronous.all, "async");
    findings
}

impl Side {
    fn add(&mut self, text: &str) {
        let functions = functions(text);
        for at in find_word(text, "impl") {
            let Some(open) = text[at..].find('{').map(|length| at + length) else {
                continue;
            };
            let Some(of) = inherent_type(&text[at + 4..open]) else {
                continue;
            };
            let end = closing(text, open);
            for function in functions
                .iter()
                .filter(|function| (open..end).contains(&function.at))
            {
                self.add_function(text, &of, function);
            }
        }
    }

    fn add_function(&mut self, text: &str, of: &str, function: &Function) {
        // The qualifiers stand between the end of the last item or attribute and `fn`.
        let before = text[..function.at]
            .rsplit(['{', '}', ';', ']'])
            .next()
            .unwrap_or_default();
        let words: Vec<&str> = before.split_whitespace().collect();
        if !words.contains(&"pub") {
            return;
        }
        let waits = words.contains(&"async") || function.signature.contains("impl Future");
        self.all
            .entry(of.to_owned())
            .or_default()
            .insert(function.name.clone());
        if waits {
            self.waiting
                .entry(of.to_owned())
                .or_default()
                .insert(function.name.clone());
        }
    }
}

/// The type of `impl<T> Type<T> `; none for a trait's implementation or an `impl Trait` in a type.
fn inherent_type(head: &str) -> Option<String> {
    let head = match head.strip_prefix('<') {
        Some(generics) => generics.split_once("> ")?.1,
        None => head.strip_prefix(' ')?,
    };
    if find_word(head, "for").next().is_some() || head.contains(['(', ')', ';', '=']) {
        return None;
    }
    let path = head.split(['<', ' ']).next()?;
    path.rsplit("::")
        .next()
        .map(str::to_owned)
        .filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(asynchronous: &str, blocking: &str) -> Vec<String> {
        let sources = [
            Source::new("crates/zmq/src/push.rs", asynchronous),
            Source::new("crates/zmq/src/blocking.rs", blocking),
        ];
        check(&sources)
            .into_iter()
            .map(|finding| finding.what)
            .collect()
    }

    #[test]
    fn twins_pass_and_a_lone_one_is_named() {
        let push = "impl Push { pub fn new() {} pub async fn send(&self) {} async fn inner() {} }";
        assert_eq!(
            findings(push, "impl Push { pub fn new() {} pub fn send(&self) {} }"),
            [""; 0]
        );
        assert_eq!(
            findings(push, "impl Push { pub fn new() {} }"),
            ["`Push::send` has no blocking twin"]
        );
        assert_eq!(
            findings(
                push,
                "impl Push { pub fn send(&self) {} pub fn poke(&self) {} }"
            ),
            ["`Push::poke` has no async twin"]
        );
    }

    #[test]
    fn a_name_in_a_macro_counts_for_every_type() {
        let push = "impl Push { pub async fn send(&self) {} }";
        assert_eq!(
            findings(
                push,
                "macro_rules! m { () => { impl $name { pub fn send(&self) {} } } }"
            ),
            [""; 0]
        );
    }

    #[test]
    fn futures_count_as_async_and_traits_do_not_count() {
        let push = "impl Push { pub fn recv(&self) -> impl Future<Output = u8> { a() } }\nimpl Drop for Push { fn drop(&mut self) {} }";
        assert_eq!(findings(push, ""), ["`Push::recv` has no blocking twin"]);
    }
}
