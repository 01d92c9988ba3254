//! Programs that are not part of the toolchain: installed from the registry when they are missing.

use crate::{Result, process};

/// A cargo subcommand of the registry, at the version this repository is checked with.
pub(crate) struct Tool {
    pub(crate) package: &'static str,
    pub(crate) version: &'static str,
}

impl Tool {
    /// Installs the program unless one of that name is there already.
    pub(crate) fn ensure(&self) -> Result {
        if process::found(self.package) || self.in_cargo_home() {
            return Ok(());
        }
        println!(
            "{} is missing: installing {} (minutes)",
            self.package, self.version
        );
        process::run(process::cargo(&[
            "install",
            "--locked",
            "--quiet",
            self.package,
            "--version",
            self.version,
        ]))
        .map_err(|why| {
            let Tool { package, version } = self;
            format!("{why}; {package} is missing, get it by `cargo install --locked {package} --version {version}`")
        })
    }

    /// Cargo finds its subcommands there although the shell's path may not name the folder.
    fn in_cargo_home(&self) -> bool {
        let home = std::env::var("CARGO_HOME")
            .or_else(|_| std::env::var("HOME").map(|home| format!("{home}/.cargo")))
            .unwrap_or_default();
        process::found(&format!("{home}/bin/{}", self.package))
    }
}
