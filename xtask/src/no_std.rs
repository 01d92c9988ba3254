//! What "no_std" promises, shown by linkers: zmtp-wire without an allocator, the pure crates without std.

use crate::{
    Result,
    process::{self, cargo},
    tree,
};
use cargo_metadata::{Message, Package};
use std::{
    io::Cursor,
    path::{Path, PathBuf},
    process::Command,
};

/// A `no_std` static library of zmtp-wire without `alloc`: own panic handler, no global allocator.
const FLOOR_PROOF: &str = "crates/zmtp-wire/no-std-proof/Cargo.toml";
/// A `no_std` static library of every pure crate with `alloc`, and a global allocator of its own.
const ALLOC_PROOF: &str = "xtask/alloc-proof/Cargo.toml";

/// Targets without std that rustup may have installed, the first one found is built for.
const BARE_TARGETS: &[&str] = &[
    "thumbv7m-none-eabi",
    "thumbv7em-none-eabi",
    "thumbv7em-none-eabihf",
    "x86_64-unknown-none",
];
/// Built from source, where no target is installed but a distribution's compiler comes with the library's source.
const BUILT_TARGET: &str = "thumbv7m-none-eabi";
const DISTRIBUTION_CARGO: &str = "/usr/bin/cargo";
const DISTRIBUTION_RUSTC: &str = "/usr/bin/rustc";
const DISTRIBUTION_PACKAGES: &str = "cargo-web rustc-web rust-web-src";

/// What a compiler may call in the freest of environments, and the name of the unwinder's door, which the compiled core mentions
/// and a program that aborts never opens.
const GRANTED: &[&str] = &[
    "memcpy",
    "memmove",
    "memset",
    "memcmp",
    "bcmp",
    "strlen",
    "rust_eh_personality",
    "_Unwind_Resume",
];

/// Symbols an allocator answers to.
const ALLOCATION: &[&str] = &[
    "__rust_alloc",
    "__rust_realloc",
    "__rust_dealloc",
    "malloc",
    "realloc",
    "calloc",
    "free",
];

pub(crate) fn run_floor() -> Result {
    let archive = static_library(FLOOR_PROOF)?;
    let symbols = [
        symbols(&archive, "--undefined-only")?,
        symbols(&archive, "--defined-only")?,
    ]
    .concat();
    let met: Vec<&str> = ALLOCATION
        .iter()
        .copied()
        .filter(|name| symbols.iter().any(|symbol| is(symbol, name)))
        .collect();
    if !met.is_empty() {
        return Err(format!(
            "{FLOOR_PROOF} refers to an allocator: {}",
            met.join(", ")
        ));
    }
    link(&archive)?;
    println!("no-std: zmtp-wire without alloc links with no allocator and no C library");
    Ok(())
}

pub(crate) fn run() -> Result {
    process::all([run_floor(), run_alloc()])
}

fn run_alloc() -> Result {
    let metadata = tree::metadata()?;
    let packages: Vec<&Package> = metadata
        .workspace_packages()
        .into_iter()
        .filter(|package| is_pure(&package.name))
        .collect();
    let proof = tree::read(ALLOC_PROOF)?;
    for package in &packages {
        if !proof.contains(&format!("\n{} = ", package.name)) {
            return Err(format!("{ALLOC_PROOF} does not link {}", package.name));
        }
        declares_no_std(package)?;
        process::run(host_build(package))?;
    }
    let archive = static_library(ALLOC_PROOF)?;
    link(&archive)?;
    println!(
        "no-std: the pure crates with alloc link with an allocator of their own and no C library"
    );
    bare(&packages)
}

fn is_pure(name: &str) -> bool {
    ["zmtp-wire", "zap", "zmq-patterns", "zpl"].contains(&name) || name.starts_with("zmtp-mech-")
}

fn declares_no_std(package: &Package) -> Result {
    let library = package.targets.iter().find(|target| target.is_lib());
    let path = library
        .ok_or_else(|| format!("{} has no library", package.name))?
        .src_path
        .as_str();
    let text = tree::read(path)?;
    let declared = text
        .lines()
        .any(|line| ["#![no_std]", "#![cfg_attr(not(test), no_std)]"].contains(&line.trim()));
    if declared {
        Ok(())
    } else {
        Err(format!("{path} lacks `#![no_std]`"))
    }
}

fn build_arguments(package: &Package) -> Vec<String> {
    let mut arguments: Vec<String> = [
        "build",
        "-p",
        package.name.as_str(),
        "--no-default-features",
    ]
    .map(str::to_owned)
    .into();
    if package.features.contains_key("alloc") {
        arguments.extend(["--features", "alloc"].map(str::to_owned));
    }
    arguments
}

fn host_build(package: &Package) -> Command {
    let mut command = cargo(&[]);
    command.args(build_arguments(package));
    command
}

/// The pure crates for a target that has no std at all, so that nothing of it can be used by mistake.
fn bare(packages: &[&Package]) -> Result {
    let listed = process::capture(cargo_targets()).unwrap_or_default();
    let installed = BARE_TARGETS
        .iter()
        .find(|target| listed.lines().any(|line| line == **target));
    for package in packages {
        let mut command = if let Some(target) = installed {
            let mut command = host_build(package);
            command.args(["--target", target]);
            command
        } else if Path::new(DISTRIBUTION_CARGO).is_file() && Path::new(DISTRIBUTION_RUSTC).is_file()
        {
            let mut command = distribution_cargo();
            command.args(build_arguments(package));
            command.args(["-Zbuild-std=core,alloc", "--target", BUILT_TARGET]);
            command
        } else {
            return Err(format!(
                "no target without std is here, get one by `rustup target add {}` or `apt-get install {DISTRIBUTION_PACKAGES}`",
                BARE_TARGETS[0]
            ));
        };
        command.arg("--quiet");
        process::run(command)?;
    }
    println!(
        "no-std: {} pure crates build for {}",
        packages.len(),
        installed.unwrap_or(&BUILT_TARGET)
    );
    Ok(())
}

fn cargo_targets() -> Command {
    let mut command = Command::new("rustup");
    command.args(["target", "list", "--installed"]);
    command
}

/// A stable compiler builds its library only when told that it may.
fn distribution_cargo() -> Command {
    let mut command = Command::new(DISTRIBUTION_CARGO);
    for name in ["CARGO", "RUSTDOC", "RUSTUP_TOOLCHAIN", "LD_LIBRARY_PATH"] {
        command.env_remove(name);
    }
    command
        .env("RUSTC", DISTRIBUTION_RUSTC)
        .env("RUSTC_BOOTSTRAP", "1");
    command
}

/// Builds the proof and returns the archive that came of it.
fn static_library(manifest: &str) -> Result<PathBuf> {
    if !Path::new(manifest).is_file() {
        return Err(format!("{manifest} is missing: not implemented"));
    }
    let mut command = cargo(&[
        "build",
        "--release",
        "--manifest-path",
        manifest,
        "--message-format=json-render-diagnostics",
    ]);
    command.stderr(std::process::Stdio::inherit());
    println!("$ {}", process::line(&command));
    let output = process::capture(command)?;
    for message in Message::parse_stream(Cursor::new(output)) {
        let message = message.map_err(|error| format!("{manifest}: {error}"))?;
        let Message::CompilerArtifact(artifact) = message else {
            continue;
        };
        if let Some(archive) = artifact
            .filenames
            .iter()
            .find(|name| name.extension() == Some("a"))
        {
            return Ok(archive.clone().into_std_path_buf());
        }
    }
    Err(format!(
        "{manifest} builds no static library (crate-type = [\"staticlib\"])"
    ))
}

/// Names in the archive: `--defined-only` or `--undefined-only`.
fn symbols(archive: &Path, which: &str) -> Result<Vec<String>> {
    let mut command = Command::new("nm");
    command
        .args(["--format=posix", "--extern-only", which])
        .arg(archive);
    let listed = process::capture(command)?;
    // Lines that head an object of the archive are not `name kind ...`.
    Ok(listed
        .lines()
        .filter(|line| !line.ends_with(':'))
        .filter_map(|line| line.split_whitespace().next())
        .map(str::to_owned)
        .collect())
}

/// The allocator's name, plain or as the compiler mangles its own (`_RNvCs..._7___rustc12___rust_alloc`).
fn is(symbol: &str, name: &str) -> bool {
    symbol == name || (name.starts_with("__rust") && symbol.ends_with(name))
}

/// Links the whole archive into a program without C library and start files: any name left open is an error.
fn link(archive: &Path) -> Result {
    let defined = symbols(archive, "--defined-only")?;
    // An archive that the compiler left empty would link and prove nothing.
    if !defined.iter().any(|symbol| symbol.contains("zmtp_wire")) {
        return Err(format!("{} holds nothing of zmtp-wire", archive.display()));
    }
    let out = archive.with_extension("linked");
    let mut command = Command::new("cc");
    command.args([
        "-nostdlib",
        "-nostartfiles",
        "-static",
        "-Wl,--no-undefined",
        "-Wl,--entry=0",
    ]);
    let granted = GRANTED
        .iter()
        .filter(|name| !defined.iter().any(|symbol| symbol == *name));
    command.args(granted.map(|name| format!("-Wl,--defsym={name}=0")));
    command
        .arg("-Wl,--whole-archive")
        .arg(archive)
        .arg("-Wl,--no-whole-archive")
        .arg("-o")
        .arg(&out);
    process::run(command)
}
