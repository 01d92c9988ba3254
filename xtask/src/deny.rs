//! Licences, bans and sources of every dependency, by cargo-deny and `deny.toml`.

use crate::{Result, process, tools::Tool};

const CARGO_DENY: Tool = Tool {
    package: "cargo-deny",
    version: "0.20.2",
};

/// Workspaces with a lock file of their own; each that exists is checked.
const MANIFESTS: &[&str] = &["Cargo.toml", "fuzz/Cargo.toml"];

pub(crate) fn run() -> Result {
    CARGO_DENY.ensure()?;
    for manifest in MANIFESTS {
        process::run(process::cargo(&[
            "deny",
            "--manifest-path",
            manifest,
            "check",
            "--config",
            "deny.toml",
            "licenses",
            "bans",
            "sources",
        ]))?;
    }
    Ok(())
}
