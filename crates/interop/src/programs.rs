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

/// The archive of Debian's package `libjeromq-java`.
const JEROMQ: &str = "/usr/share/java/jeromq.jar";

/// The program that plays JeroMQ's side, compiled into `folder`.
///
/// # Errors
/// Why there is none: no Java, no JeroMQ.
pub fn jeromq(folder: &Path) -> Result<Program> {
    if !Path::new(JEROMQ).exists() {
        return Err(format!(
            "no {JEROMQ}: the package libjeromq-java is missing"
        ));
    }
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("java/JeroPeer.java");
    let mut compiler = Command::new("javac");
    compiler
        .args(["-nowarn", "-cp", JEROMQ, "-d"])
        .arg(folder)
        .arg(source);
    match compiler.output() {
        Ok(output) if output.status.success() => {}
        Ok(output) => {
            return Err(format!(
                "javac: {}",
                String::from_utf8_lossy(&output.stderr)
            ));
        }
        Err(error) => return Err(format!("javac: {error}")),
    }
    let classes = format!("{JEROMQ}:{}", folder.display());
    // The peer is killed and started many times and never runs long: a quick start counts for more than speed.
    let arguments = [
        "-XX:TieredStopAtLevel=1",
        "-XX:+UseSerialGC",
        "-Xshare:auto",
        "-cp",
        &classes,
        "JeroPeer",
    ];
    Ok(Program {
        path: "java".into(),
        arguments: arguments.map(str::to_owned).to_vec(),
    })
}
