//! The work tree: its root, its tracked files, its packages.

use crate::{Result, process};
use cargo_metadata::{Metadata, MetadataCommand};
use std::{path::Path, process::Command};

/// Makes the repository root the current folder; every path below is relative to it.
pub(crate) fn enter_root() -> Result {
    let here = std::env::var("CARGO_MANIFEST_DIR")
        .map_err(|_| "run it as `cargo xtask`: CARGO_MANIFEST_DIR is not set".to_owned())?;
    let root = Path::new(&here).parent().ok_or("xtask lies in no folder")?;
    std::env::set_current_dir(root).map_err(|error| format!("{}: {error}", root.display()))
}

/// The workspace with its whole dependency graph.
pub(crate) fn metadata() -> Result<Metadata> {
    MetadataCommand::new()
        .exec()
        .map_err(|error| format!("cargo metadata: {error}"))
}

/// Files git tracks or would track (so that a rule speaks before the commit), sorted; deleted ones left out.
pub(crate) fn files() -> Result<Vec<String>> {
    let mut command = Command::new("git");
    command.args([
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ]);
    let listed = process::capture(command)?;
    let mut files: Vec<String> = listed
        .split('\0')
        .filter(|path| !path.is_empty() && Path::new(path).is_file())
        .map(str::to_owned)
        .collect();
    files.sort();
    files.dedup();
    Ok(files)
}

/// A file's text.
pub(crate) fn read(path: &str) -> Result<String> {
    std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))
}
