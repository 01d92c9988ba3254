//! The documentation: rustdoc without warnings, and the book's layout, links and length.

use crate::{
    Result,
    process::{self, cargo},
    tree,
};
use std::{
    path::{Component, Path, PathBuf},
    process::Command,
};

const BOOK: &str = "docs";
const SUMMARY: &str = "docs/SUMMARY.md";
/// Everybody reads the map, so it has to stay short (lines).
const ARCHITECTURE: (&str, usize) = ("docs/architecture.md", 300);

pub(crate) fn run() -> Result {
    let mut command = cargo(&["doc", "--workspace", "--no-deps", "--quiet"]);
    command.env("RUSTDOCFLAGS", "--deny warnings");
    let rustdoc = process::run(command);
    process::all([rustdoc, book()])
}

fn book() -> Result {
    let mut wrong = Vec::new();
    let pages: Vec<String> = tree::files()?
        .into_iter()
        .filter(|path| path.ends_with(".md"))
        .collect();
    for page in &pages {
        wrong.extend(broken_links(page, &tree::read(page)?));
    }
    let listed: Vec<PathBuf> = links(&tree::read(SUMMARY)?)
        .iter()
        .map(|link| resolve(SUMMARY, link))
        .collect();
    for page in pages
        .iter()
        .filter(|page| page.starts_with("docs/") && *page != SUMMARY)
    {
        if !listed.iter().any(|path| path == Path::new(page)) {
            wrong.push(format!("{page}: no chapter of {SUMMARY}"));
        }
    }
    let (path, bound) = ARCHITECTURE;
    let lines = tree::read(path).unwrap_or_default().lines().count();
    if lines > bound {
        wrong.push(format!("{path}: {lines} lines, bound {bound}"));
    }
    if !wrong.is_empty() {
        return Err(format!("{}\n{} findings", wrong.join("\n"), wrong.len()));
    }
    println!("docs: {} pages, links whole", pages.len());
    if process::found("mdbook") {
        let mut command = Command::new("mdbook");
        command.args(["build", BOOK]);
        return process::run(command);
    }
    println!(
        "mdbook is missing, the book was not built; get it by `cargo install --locked mdbook`"
    );
    Ok(())
}

/// Links of a page to files that do not exist.
fn broken_links(page: &str, text: &str) -> Vec<String> {
    let local = links(text).into_iter().filter(|link| {
        !link.contains("://") && !link.starts_with(['#', '<']) && !link.starts_with("mailto:")
    });
    local
        .filter(|link| !resolve(page, link).exists())
        .map(|link| format!("{page}: links to `{link}`, which does not exist"))
        .collect()
}

/// Targets of `[text](target)`, code blocks left out.
fn links(text: &str) -> Vec<String> {
    let mut fenced = false;
    let mut met = Vec::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            // Every second piece between backticks is code.
            for prose in line.split('`').step_by(2) {
                let tails = prose.split("](").skip(1);
                met.extend(
                    tails
                        .filter_map(|tail| tail.split_once(')'))
                        .map(|(link, _)| link.to_owned()),
                );
            }
        }
    }
    met
}

/// Where a link of a page leads, without the part of the page it names.
fn resolve(page: &str, link: &str) -> PathBuf {
    let file = link.split('#').next().unwrap_or_default();
    let mut path = PathBuf::new();
    let folder = Path::new(page).parent().unwrap_or_else(|| Path::new(""));
    for part in folder.join(file).components() {
        match part {
            Component::ParentDir => {
                path.pop();
            }
            Component::CurDir => {}
            part => path.push(part),
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_read_from_prose_only() {
        let text = "see [a](b.md) and [c](../d.md#e), not `[x](y)`\n```\n[no](no.md)\n```\n";
        assert_eq!(links(text), ["b.md", "../d.md#e"]);
        assert_eq!(
            resolve("docs/guide/start.md", "../d.md#e"),
            Path::new("docs/d.md")
        );
    }

    #[test]
    fn a_link_to_nothing_is_met() {
        assert_eq!(
            broken_links("docs/x.md", "[a](no-such-page.md) [b](https://example.org)").len(),
            1
        );
    }
}
