//! Child processes: their output as it comes, and their test totals.

use crate::{Result, totals::Totals};
use std::{
    io::{BufRead, BufReader, Write},
    process::{Command, Stdio},
};

/// The cargo that runs us.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments);
    command
}

/// The cargo of another toolchain, through rustup.
pub(crate) fn cargo_of(toolchain: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new("rustup");
    command.args(["run", toolchain, "cargo"]).args(arguments);
    // Set by the toolchain that runs us; they would point the other one at its programs and libraries.
    for name in [
        "CARGO",
        "RUSTC",
        "RUSTDOC",
        "RUSTUP_TOOLCHAIN",
        "LD_LIBRARY_PATH",
    ] {
        command.env_remove(name);
    }
    command
}

/// The command as a reader would type it.
pub(crate) fn line(command: &Command) -> String {
    let program = command.get_program().to_string_lossy().into_owned();
    let program = program.rsplit('/').next().unwrap_or_default().to_owned();
    let words = command
        .get_args()
        .map(|word| word.to_string_lossy().into_owned());
    std::iter::once(program)
        .chain(words)
        .collect::<Vec<_>>()
        .join(" ")
}

/// Runs to the end, output passed through.
pub(crate) fn run(mut command: Command) -> Result {
    let line = line(&command);
    println!("$ {line}");
    let status = command
        .status()
        .map_err(|error| format!("`{line}` did not start: {error}"))?;
    ended(&line, status.success(), status.code())
}

/// Runs to the end, output passed through, test totals of the output added to `totals`.
pub(crate) fn run_counted(mut command: Command, totals: &mut Totals) -> Result {
    let line = line(&command);
    println!("$ {line}");
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("`{line}` did not start: {error}"))?;
    let output = child.stdout.take().ok_or("the child has no output")?;
    let mut reader = BufReader::new(output);
    let mut met = Vec::new();
    loop {
        met.clear();
        let read = reader.read_until(b'\n', &mut met);
        if read.map_err(|error| format!("`{line}`: {error}"))? == 0 {
            break;
        }
        let written = std::io::stdout().write_all(&met);
        written.map_err(|error| format!("standard output: {error}"))?;
        totals.read_line(&String::from_utf8_lossy(&met));
    }
    let status = child.wait().map_err(|error| format!("`{line}`: {error}"))?;
    ended(&line, status.success(), status.code())
}

/// Runs quietly and returns what it printed on standard output.
pub(crate) fn capture(mut command: Command) -> Result<String> {
    let line = line(&command);
    let output = command
        .output()
        .map_err(|error| format!("`{line}` did not start: {error}"))?;
    ended(&line, output.status.success(), output.status.code())
        .map_err(|why| format!("{why}\n{}", String::from_utf8_lossy(&output.stderr)))?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Fails if any did, with what each has to say.
pub(crate) fn all<const N: usize>(outcomes: [Result; N]) -> Result {
    let failed: Vec<String> = outcomes.into_iter().filter_map(Result::err).collect();
    if failed.is_empty() {
        Ok(())
    } else {
        Err(failed.join("\n"))
    }
}

/// Whether a program can be started at all.
pub(crate) fn found(program: &str) -> bool {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    program.contains('/') && std::path::Path::new(program).is_file()
        || std::env::split_paths(&paths).any(|folder| folder.join(program).is_file())
}

fn ended(line: &str, success: bool, code: Option<i32>) -> Result {
    match (success, code) {
        (true, _) => Ok(()),
        (false, Some(code)) => Err(format!("`{line}` ended with {code}")),
        (false, None) => Err(format!("`{line}` was ended by a signal")),
    }
}
