//! pyzmq on our C library: built from its source package against our header, its own tests run on our library and on libzmq.
//!
//! It is linked without a path to the library, so that `LD_LIBRARY_PATH` says which one it runs on.

use crate::{Result, conformance, dist, flags::Flags, process, tree};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// The release that is checked with.
const VERSION: &str = "27.1.0";

/// What its tests need.
const TOOLS: &[&str] = &[
    "pytest",
    "pytest-asyncio",
    "pytest-rerunfailures",
    "tornado",
];

/// How long one file of tests may take.
const LIMIT: Duration = Duration::from_secs(180);

/// What pytest answers when every test of a file was skipped.
const NOTHING_RUN: i32 = 5;

struct Place {
    root: PathBuf,
    python: PathBuf,
    tests: PathBuf,
}

fn told<T>(path: &Path, result: std::io::Result<T>) -> Result<T> {
    result.map_err(|error| format!("{}: {error}", path.display()))
}

/// `cargo xtask pyzmq`.
pub(crate) fn run(arguments: &[String]) -> Result {
    let mut flags = Flags::new(arguments);
    let mut only = Vec::new();
    while let Some(name) = flags.value("--only")? {
        only.push(name);
    }
    let control = !flags.switch("--no-control");
    let profile = flags.value("--profile")?.unwrap_or("release".to_owned());
    flags.finish()?;
    let target = tree::metadata()?.target_directory.into_std_path_buf();
    let prefix = target.join("pyzmq/prefix");
    dist::lay_out(&prefix, &profile)?;
    let place = install(&target.join("pyzmq"), &prefix)?;
    let mut columns = vec![("ours", prefix.join("lib"))];
    if control {
        columns.push(("libzmq", conformance::their_folder()?));
    }
    let files = test_files(&place, &only)?;
    let mut failed = Vec::new();
    let mut counts = Vec::new();
    for (name, library) in &columns {
        let mut passed = 0;
        for file in &files {
            let outcome = attempt(&place, file, library)?;
            println!("{name:<8}{file:<28}{}", outcome.said);
            passed += outcome.passed;
            if !outcome.ended_well && *name == "ours" {
                failed.push(file.clone());
            }
        }
        counts.push(passed);
        println!("{name}: {passed} tests passed");
    }
    if let [ours, theirs] = counts[..]
        && ours < theirs
    {
        failed.push(format!("{} tests that pass on libzmq", theirs - ours));
    }
    if failed.is_empty() {
        return Ok(());
    }
    Err(format!("failed: {}", failed.join(", ")))
}

/// A Python of its own with pyzmq in it, and the tests of the source package.
fn install(root: &Path, prefix: &Path) -> Result<Place> {
    told(root, fs::create_dir_all(root))?;
    let python = root.join("python/bin/python");
    if !python.is_file() {
        let mut command = Command::new("python3");
        command.args(["-m", "venv"]).arg(root.join("python"));
        process::run(command)?;
    }
    let wanted = format!("pyzmq=={VERSION}");
    let pip = |words: &[&str]| {
        let mut command = Command::new(&python);
        command
            .args(["-m", "pip", "--disable-pip-version-check", "-q"])
            .args(words)
            .env("ZMQ_PREFIX", prefix)
            .env("PKG_CONFIG_PATH", prefix.join("lib/pkgconfig"));
        command
    };
    let mut tools = pip(&["install"]);
    tools.args(TOOLS);
    process::run(tools)?;
    process::run(pip(&[
        "install",
        "--force-reinstall",
        "--no-deps",
        "--no-cache-dir",
        "--no-binary",
        "pyzmq",
        "--config-settings=cmake.define.PYZMQ_LIBZMQ_RPATH=OFF",
        &wanted,
    ]))?;
    let mut source = pip(&["download", "--no-deps", "--no-binary", "pyzmq", &wanted]);
    source.current_dir(root);
    process::run(source)?;
    let mut unpack = Command::new("tar");
    unpack
        .arg("xzf")
        .arg(format!("pyzmq-{VERSION}.tar.gz"))
        .current_dir(root);
    process::run(unpack)?;
    // Away from the package's own sources, which Python would take for the installed ones.
    let tests = root.join("suite");
    let unpacked = root.join(format!("pyzmq-{VERSION}"));
    let mut copy = Command::new("cp");
    told(&tests, fs::create_dir_all(&tests))?;
    copy.arg("-r")
        .args([unpacked.join("tests"), unpacked.join("pytest.ini")])
        .arg(&tests);
    process::run(copy)?;
    Ok(Place {
        root: root.to_owned(),
        python: told(&python, std::path::absolute(&python))?,
        tests,
    })
}

fn test_files(place: &Place, only: &[String]) -> Result<Vec<String>> {
    let folder = place.tests.join("tests");
    let mut names: Vec<String> = told(&folder, fs::read_dir(&folder))?
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name.starts_with("test_") && name.ends_with(".py"))
        .filter(|name| only.is_empty() || only.iter().any(|one| name.contains(one.as_str())))
        .collect();
    names.sort();
    Ok(names)
}

struct Outcome {
    ended_well: bool,
    passed: usize,
    said: String,
}

/// One file of tests in a process of its own.
fn attempt(place: &Place, file: &str, library: &Path) -> Result<Outcome> {
    let log = place.root.join(format!("{file}.log"));
    let output = told(&log, fs::File::create(&log))?;
    let errors = told(&log, output.try_clone())?;
    let mut command = Command::new(&place.python);
    command
        .args(["-m", "pytest", "-q", "-p", "no:cacheprovider"])
        .arg(format!("tests/{file}"))
        .current_dir(&place.tests)
        .env("LD_LIBRARY_PATH", library)
        .stdin(Stdio::null())
        .stdout(output)
        .stderr(errors);
    let line = process::line(&command);
    let began = Instant::now();
    let mut child = command
        .spawn()
        .map_err(|error| format!("`{line}` did not start: {error}"))?;
    let status = loop {
        if let Some(status) = told(&log, child.try_wait())? {
            break Some(status);
        }
        if began.elapsed() > LIMIT {
            told(&log, child.kill())?;
            told(&log, child.wait())?;
            break None;
        }
        std::thread::park_timeout(Duration::from_millis(20));
    };
    let text = told(&log, fs::read(&log))?;
    let text = String::from_utf8_lossy(&text);
    let last = text.lines().rfind(|line| !line.is_empty()).unwrap_or("");
    let code = status.and_then(|status| status.code());
    Ok(Outcome {
        ended_well: matches!(code, Some(0 | NOTHING_RUN)),
        passed: passed(last),
        said: match status {
            None => format!("still running after {LIMIT:?}"),
            Some(status) if status.code().is_none() => format!("crashed: {status}"),
            Some(_) => last.to_owned(),
        },
    })
}

/// How many tests passed, from pytest's last line: `2 failed, 75 passed in 3.1s`.
fn passed(line: &str) -> usize {
    let words: Vec<&str> = line.split([' ', ',']).collect();
    words
        .windows(2)
        .find(|pair| pair[1] == "passed")
        .and_then(|pair| pair[0].parse().ok())
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_says_how_many_passed() {
        assert_eq!(passed("2 failed, 75 passed, 4 skipped in 32.15s"), 75);
        assert_eq!(passed("31 passed, 2 warnings in 4.40s"), 31);
        assert_eq!(passed("14 skipped in 0.17s"), 0);
    }
}
