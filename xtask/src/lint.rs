//! rustfmt and clippy, warnings as errors, over the workspace and the fuzz targets.

use crate::{
    Result,
    process::{self, cargo},
};

const FUZZ: &str = "fuzz/Cargo.toml";

pub(crate) fn run_format() -> Result {
    process::run(cargo(&["fmt", "--all", "--check"]))?;
    process::run(cargo(&["fmt", "--manifest-path", FUZZ, "--check"]))
}

pub(crate) fn run_clippy() -> Result {
    let deny = ["--", "--deny", "warnings"];
    process::run(cargo(
        &[
            &["clippy", "--workspace", "--all-targets", "--quiet"][..],
            &deny,
        ]
        .concat(),
    ))?;
    process::run(cargo(
        &[
            &[
                "clippy",
                "--manifest-path",
                FUZZ,
                "--all-targets",
                "--quiet",
            ][..],
            &deny,
        ]
        .concat(),
    ))
}

pub(crate) fn run() -> Result {
    run_format()?;
    run_clippy()
}
