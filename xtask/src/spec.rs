//! Spec coverage: clauses of `docs/spec-clauses.txt` against the `// spec:` marks of tests.

use crate::{Result, flags::Flags, tree};
use std::collections::{BTreeMap, BTreeSet};

const CLAUSES: &str = "docs/spec-clauses.txt";
const MARK: &str = "// spec:";

pub(crate) fn run(arguments: &[String]) -> Result {
    let mut flags = Flags::new(arguments);
    let strict = flags.switch("--strict");
    flags.finish()?;

    let clauses = parse(&tree::read(CLAUSES)?)?;
    let mut shown = BTreeSet::new();
    let mut unknown = Vec::new();
    for path in tree::files()?
        .iter()
        .filter(|path| path.ends_with(".rs") && path.starts_with("crates/"))
    {
        for (line, clause) in marks(&tree::read(path)?) {
            if clauses.contains_key(&clause) {
                shown.insert(clause);
            } else {
                unknown.push(format!(
                    "{path}:{line}: `{clause}` is no clause of {CLAUSES}"
                ));
            }
        }
    }
    for (clause, text) in clauses
        .iter()
        .filter(|(clause, _)| !shown.contains(*clause))
    {
        println!("no test: {clause:<32} {text}");
    }
    println!(
        "spec: {} of {} clauses have a test",
        shown.len(),
        clauses.len()
    );
    if !unknown.is_empty() {
        return Err(unknown.join("\n"));
    }
    match clauses.len() - shown.len() {
        0 => Ok(()),
        missing if strict => Err(format!("{missing} clauses without a test")),
        _ => Ok(()),
    }
}

/// Clause -> what it says. A line is `RFC/clause text`.
fn parse(text: &str) -> Result<BTreeMap<String, String>> {
    let mut clauses = BTreeMap::new();
    for line in text
        .lines()
        .filter(|line| !line.trim().is_empty() && !line.starts_with('#'))
    {
        let (clause, says) = line
            .split_once(char::is_whitespace)
            .ok_or_else(|| format!("{CLAUSES}: `{line}` is not `RFC/clause text`"))?;
        if !clause.contains('/') {
            return Err(format!("{CLAUSES}: `{clause}` names no RFC"));
        }
        if clauses
            .insert(clause.to_owned(), says.trim().to_owned())
            .is_some()
        {
            return Err(format!("{CLAUSES}: `{clause}` stands there twice"));
        }
    }
    Ok(clauses)
}

/// Clauses a file is marked with; several may share a mark: `// spec: 37/ping-ttl, 37/ping-context`.
fn marks(text: &str) -> Vec<(usize, String)> {
    let mut met = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let Some(rest) = line.trim_start().strip_prefix(MARK) else {
            continue;
        };
        let names = rest
            .split([',', ' '])
            .map(str::trim)
            .filter(|name| name.contains('/'));
        met.extend(names.map(|name| (index + 1, name.to_owned())));
    }
    met
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_comments_of_their_own() {
        let text = "// spec: 37/ping-ttl, 23/greeting\n    // spec: 28/rep-envelope (why)\nlet a = \"// spec: 1/no\";\n";
        let names: Vec<String> = marks(text).into_iter().map(|(_, name)| name).collect();
        assert_eq!(names, ["37/ping-ttl", "23/greeting", "28/rep-envelope"]);
    }

    #[test]
    fn a_clause_stands_once_and_names_its_rfc() {
        assert_eq!(
            parse("# x\n\n37/a says so\n").map(|clauses| clauses.len()),
            Ok(1)
        );
        for wrong in ["37/a x\n37/a y\n", "greeting x\n", "37/a\n"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
