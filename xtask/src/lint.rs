//! rustfmt and clippy, warnings as errors, over the workspace and the fuzz targets.

use crate::{
    Result, fuzz,
    process::{self, cargo},
};

/// What a cargo command is told to cover: the workspace, then the fuzz targets, which are a workspace of their own.
pub(crate) fn covered() -> Result<Vec<[&'static str; 2]>> {
    let mut covered = vec![["--manifest-path", "Cargo.toml"]];
    // A manifest without a single target is no package to cargo.
    if !fuzz::targets()?.is_empty() {
        covered.push(["--manifest-path", fuzz::MANIFEST]);
    }
    Ok(covered)
}

pub(crate) fn run_format() -> Result {
    for manifest in covered()? {
        let mut command = cargo(&["fmt", "--all", "--check"]);
        command.args(manifest);
        process::run(command)?;
    }
    Ok(())
}

pub(crate) fn run_clippy() -> Result {
    for manifest in covered()? {
        let mut command = cargo(&["clippy", "--workspace", "--all-targets", "--quiet"]);
        command.args(manifest).args(["--", "--deny", "warnings"]);
        process::run(command)?;
    }
    // What is only there with a feature that nobody in the workspace asks for.
    let mut command = cargo(&["clippy", "-p", "zmq", "--features", "tokio", "--quiet"]);
    command.args(["--", "--deny", "warnings"]);
    process::run(command)
}

pub(crate) fn run() -> Result {
    process::all([run_format(), run_clippy()])
}
