//! Programs of the workspace that do a command's work; arguments go to them as they are.

use crate::{
    Result,
    process::{cargo, run_counted},
    totals::Totals,
    tree,
};

/// A binary of a workspace package.
pub(crate) struct Program {
    package: &'static str,
    binary: &'static str,
}

pub(crate) const SIM: Program = Program {
    package: "zmq-testkit",
    binary: "sim",
};
pub(crate) const INTEROP: Program = Program {
    package: "zmq-interop",
    binary: "interop",
};
pub(crate) const SOAK: Program = Program {
    package: "zmq-testkit",
    binary: "soak",
};
pub(crate) const BENCH: Program = Program {
    package: "zmq-bench",
    binary: "bench",
};

impl Program {
    pub(crate) fn run(&self, arguments: &[String]) -> Result {
        self.run_with(arguments, &mut Totals::default())
    }

    /// Fails in one line where the program is not written, rather than let cargo guess at the reason.
    pub(crate) fn run_with(&self, arguments: &[String], totals: &mut Totals) -> Result {
        let Program { package, binary } = self;
        let metadata = tree::metadata()?;
        let written = metadata.packages.iter().any(|met| {
            met.name.as_str() == *package
                && met
                    .targets
                    .iter()
                    .any(|target| target.is_bin() && target.name == *binary)
        });
        if !written {
            return Err(format!(
                "package {package} has no program `{binary}`: not implemented"
            ));
        }
        let mut command = cargo(&[
            "run",
            "--release",
            "--quiet",
            "-p",
            package,
            "--bin",
            binary,
            "--",
        ]);
        command.args(arguments);
        run_counted(command, totals)
    }
}
