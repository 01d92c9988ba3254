//! The C library as it is installed: a folder that pkg-config, CMake and autotools projects find it in.
//!
//! cargo-c would name the library after the crate's lib target, which must not be `zmq` (it would collide with the facade),
//! so the folder is laid out here.

use crate::{Result, conformance::built_libraries, flags::Flags, installed, tree};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

/// The library's file, as libzmq 4.3.5 calls it, and the names that lead to it.
const FILE: &str = "libzmq.so.5.2.5";
const LINKS: &[&str] = &["libzmq.so.5", "libzmq.so"];

const PACKAGING: &[(&str, &str)] = &[
    ("libzmq.pc", "lib/pkgconfig"),
    ("ZeroMQConfig.cmake", "lib/cmake/ZeroMQ"),
    ("ZeroMQConfigVersion.cmake", "lib/cmake/ZeroMQ"),
];

fn told<T>(path: &Path, result: std::io::Result<T>) -> Result<T> {
    result.map_err(|error| format!("{}: {error}", path.display()))
}

/// `cargo xtask dist`.
pub(crate) fn run(arguments: &[String]) -> Result {
    let mut flags = Flags::new(arguments);
    let prefix = flags.value("--prefix")?;
    let profile = flags.value("--profile")?.unwrap_or("release".to_owned());
    let check = flags.switch("--check");
    flags.finish()?;
    let prefix = match prefix {
        Some(prefix) => PathBuf::from(prefix),
        None => tree::metadata()?
            .target_directory
            .join("dist")
            .into_std_path_buf(),
    };
    lay_out(&prefix, &profile)?;
    println!("{}", prefix.display());
    if check {
        installed::check(&prefix)?;
    }
    Ok(())
}

/// Builds the library and lays it out under `prefix`.
pub(crate) fn lay_out(prefix: &Path, profile: &str) -> Result {
    let (shared, fixed) = built_libraries(profile)?;
    let crate_folder = Path::new("crates/zmq-capi");
    for header in ["zmq.h", "zmq_utils.h"] {
        copy(
            &crate_folder.join("include").join(header),
            &prefix.join("include"),
            header,
        )?;
    }
    let lib = prefix.join("lib");
    copy(&shared, &lib, FILE)?;
    copy(&fixed, &lib, "libzmq.a")?;
    for name in LINKS {
        let link = lib.join(name);
        // It may be there from before.
        let _ = fs::remove_file(&link);
        told(&link, symlink(FILE, &link))?;
    }
    for (name, folder) in PACKAGING {
        let from = crate_folder.join("packaging").join(name);
        copy(&from, &prefix.join(folder), name)?;
    }
    Ok(())
}

fn copy(from: &Path, folder: &Path, name: &str) -> Result {
    told(folder, fs::create_dir_all(folder))?;
    let to = folder.join(name);
    // A running program may still have the old one mapped.
    let _ = fs::remove_file(&to);
    told(from, fs::copy(from, &to)).map(|_| ())
}
