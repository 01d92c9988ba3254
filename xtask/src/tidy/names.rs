//! Names that say nothing, and paths of somebody's machine.

use super::{
    Finding,
    source::{Source, find_word, line_at},
};
use crate::Result;

/// Rooms that collect whatever found no home.
const HOMELESS: &[&str] = &[
    "util", "utils", "common", "helper", "helpers", "manager", "managers", "misc",
];

/// Top folders that exist on a developer's machine and nowhere else.
const MACHINE_FOLDERS: &[&str] = &["work", "root", "farm", "home"];

/// Lock files hold no paths; their size would drown the rest.
const UNREAD: &str = "Cargo.lock";

pub(crate) fn check(files: &[String], sources: &[Source]) -> Result<Vec<Finding>> {
    let mut findings: Vec<Finding> = files.iter().filter_map(|path| homeless(path)).collect();
    findings.extend(sources.iter().flat_map(homeless_modules));
    for path in files.iter().filter(|path| !path.ends_with(UNREAD)) {
        let octets = std::fs::read(path).map_err(|error| format!("{path}: {error}"))?;
        // What is not text (a corpus, a picture) names no folder on purpose.
        let Ok(text) = String::from_utf8(octets) else {
            continue;
        };
        for (index, line) in text.lines().enumerate() {
            if let Some(met) = machine_path(line) {
                findings.push(Finding::new(
                    format!("{path}:{}", index + 1),
                    format!("a machine's path: `{met}`"),
                ));
            }
        }
    }
    Ok(findings)
}

fn homeless(path: &str) -> Option<Finding> {
    let module = path.strip_suffix(".rs")?;
    let name = module.split('/').find(|part| HOMELESS.contains(part))?;
    Some(Finding::new(
        path,
        format!("`{name}` says nothing about what is inside"),
    ))
}

/// Modules written out within a file.
fn homeless_modules(source: &Source) -> Vec<Finding> {
    let named = HOMELESS.iter().flat_map(|name| {
        let declared = find_word(&source.code, name)
            .filter(|&at| source.code[..at].trim_end().ends_with("mod"));
        declared.map(move |at| (name, at))
    });
    named
        .map(|(name, at)| {
            let place = format!("{}:{}", source.path, line_at(&source.code, at));
            Finding::new(
                place,
                format!("`mod {name}` says nothing about what is inside"),
            )
        })
        .collect()
}

fn machine_path(line: &str) -> Option<&str> {
    for folder in MACHINE_FOLDERS {
        for (at, _) in line.match_indices(&format!("/{folder}/")) {
            let before = line[..at].chars().next_back();
            let inside_longer_path = before
                .is_some_and(|letter| letter.is_alphanumeric() || "_-.~*/})>".contains(letter));
            let after = line[at + folder.len() + 2..].chars().next();
            if !inside_longer_path
                && after.is_some_and(|letter| letter.is_ascii_lowercase() || letter == '.')
            {
                return line[at..].split_whitespace().next();
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn machine_paths_are_met_and_longer_paths_are_not() {
        let folder = MACHINE_FOLDERS[0];
        assert_eq!(
            machine_path(&format!("see /{folder}/x.md now")),
            Some(&*format!("/{folder}/x.md"))
        );
        assert_eq!(
            machine_path(&format!("see docs/{folder}/x.md and /{folder}/ alone")),
            None
        );
    }

    #[test]
    fn a_module_named_for_nothing_is_met() {
        let [name, ..] = HOMELESS else { unreachable!() };
        assert!(homeless(&format!("crates/zmq/src/{name}.rs")).is_some());
        assert!(homeless(&format!("crates/zmq/src/{name}/a.rs")).is_some());
        assert!(homeless("crates/zmq/src/utility_belt.rs").is_none());
        let inline = format!("mod {name} {{}} fn {name}() {{}}");
        assert_eq!(
            homeless_modules(&Source::new("crates/zmq/src/a.rs", &inline)).len(),
            1
        );
    }
}
