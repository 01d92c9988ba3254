//! Licences, bans and sources of every dependency, by cargo-deny and `deny.toml`.

use crate::{
    Result, lint,
    process::{self, cargo},
    tools::Tool,
};

const CARGO_DENY: Tool = Tool {
    package: "cargo-deny",
    version: "0.20.2",
};

pub(crate) fn run() -> Result {
    CARGO_DENY.ensure()?;
    for manifest in lint::covered()? {
        let mut command = cargo(&["deny", "--config", "deny.toml"]);
        command.args(manifest);
        command.args([
            "check",
            "--hide-inclusion-graph",
            "licenses",
            "bans",
            "sources",
        ]);
        process::run(command)?;
    }
    Ok(())
}
