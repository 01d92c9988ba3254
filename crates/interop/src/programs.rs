//! The programs that play the sides.

use std::env;
use std::path::Path;
use std::process::Command;

use crate::arena::Program;

/// The argument that makes the runner itself play our side.
pub const PLAY: &str = "--play-ours";

type Result<T> = std::result::Result<T, String>;

/// This program, playing our side.
///
/// # Errors
/// When it does not know where it is.
pub fn ours() -> Result<Program> {
    let path = env::current_exe().map_err(|error| error.to_string())?;
    Ok(Program {
        path,
        arguments: vec![PLAY.to_owned()],
    })
}

/// The program that plays libzmq's side, built if need be beside this one and with the same profile.
///
/// # Errors
/// When it cannot be built.
pub fn libzmq() -> Result<Program> {
    let this = env::current_exe().map_err(|error| error.to_string())?;
    let folder = this.parent().ok_or("this program is in no folder")?;
    let target = folder
        .parent()
        .ok_or("this program is in no target folder")?;
    build(target, folder.ends_with("release"))?;
    Ok(Program {
        path: folder.join("libzmq-peer"),
        arguments: Vec::new(),
    })
}

fn build(target: &Path, release: bool) -> Result<()> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args([
        "build",
        "--quiet",
        "-p",
        "libzmq-ref",
        "--bin",
        "libzmq-peer",
    ]);
    command
        .args(release.then_some("--release"))
        .arg("--target-dir")
        .arg(target);
    let status = command.current_dir(env!("CARGO_MANIFEST_DIR")).status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("building libzmq-peer: {status}")),
        Err(error) => Err(format!("building libzmq-peer: {error}")),
    }
}
