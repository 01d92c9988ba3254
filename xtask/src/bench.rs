//! `cargo xtask bench`: builds what the bench program compares, and runs it.

use crate::{
    Result,
    conformance::{built_libraries, name_library, their_folder, vendor},
    flags::Flags,
    process,
    programs::BENCH,
    tree,
};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where plots belong, and the page of the book that shows them.
const PLOTS: &str = "docs/bench";
const PAGE: &str = "docs/bench.md";
/// What stands around them on that page.
const BEGIN: &str = "<!-- plots -->\n";
const END: &str = "<!-- end of plots -->";

/// libzmq's own measuring programs.
const PERF: &[&str] = &[
    "local_thr",
    "remote_thr",
    "local_lat",
    "remote_lat",
    "inproc_thr",
    "inproc_lat",
];

/// What is not said here goes to the program as it is.
pub(crate) fn run(arguments: &[String]) -> Result {
    let mut flags = Flags::new(arguments);
    if let Some(file) = flags.value("--plot")? {
        flags.finish()?;
        BENCH.run(&["plot".to_owned(), file, PLOTS.to_owned()])?;
        return show_plots();
    }
    let (capi, rivals) = (flags.switch("--capi"), flags.switch("--rivals"));
    let mut arguments = flags.rest();
    if capi {
        let folder = lay_out_capi()?;
        arguments.splice(0..0, ["--capi".to_owned(), folder.display().to_string()]);
    }
    if rivals {
        let folder = build_rivals()?;
        arguments.splice(0..0, ["--rivals".to_owned(), folder.display().to_string()]);
    }
    BENCH.run(&arguments)
}

/// Writes all plots there are onto the page, in place of those it shows.
fn show_plots() -> Result {
    let entries = fs::read_dir(PLOTS).map_err(|error| format!("{PLOTS}: {error}"))?;
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name.ends_with(".svg"))
        .collect();
    names.sort();
    let page = with_plots(&tree::read(PAGE)?, &names)?;
    fs::write(PAGE, page).map_err(|error| format!("{PAGE}: {error}"))
}

fn with_plots(page: &str, names: &[String]) -> Result<String> {
    let missing = || format!("{PAGE} has no place for plots: {BEGIN}{END}");
    let (before, rest) = page.split_once(BEGIN).ok_or_else(missing)?;
    let (_, after) = rest.split_once(END).ok_or_else(missing)?;
    let shown = names.iter().map(|name| {
        let title = name.trim_end_matches(".svg").replace('-', " ");
        format!("\n![{title}](bench/{name})\n")
    });
    let shown: String = shown.collect();
    Ok(format!("{before}{BEGIN}{shown}\n{END}{after}"))
}

/// The workspace of the other libraries; nothing else builds it.
const RIVALS: &str = "bench-rivals/Cargo.toml";

/// Gives the folder with their programs.
fn build_rivals() -> Result<PathBuf> {
    let target = tree::metadata()?.target_directory.join("bench-rivals");
    let mut command = process::cargo(&["build", "--release", "--locked"]);
    command.args(["--manifest-path", RIVALS]);
    command.env("CARGO_TARGET_DIR", &target);
    process::run(command)?;
    Ok(target.join("release").into_std_path_buf())
}

/// A folder with both libraries by the same name, and programs that run on either.
fn lay_out_capi() -> Result<PathBuf> {
    let folder = tree::metadata()?.target_directory.join("bench-capi");
    let folder = folder.into_std_path_buf();
    let theirs = their_folder()?;
    name_library(&folder.join("ours"), &built_libraries("release")?.0)?;
    name_library(&folder.join("libzmq"), &theirs.join("libzmq.so.5"))?;
    let programs = folder.join("programs");
    fs::create_dir_all(&programs).map_err(|error| format!("{}: {error}", programs.display()))?;
    let vendor = vendor()?;
    for name in PERF {
        compile(&vendor, &theirs, &programs, name)?;
    }
    Ok(folder)
}

/// Compiled once, with libzmq's header: which library it finds is decided when it runs.
fn compile(vendor: &Path, library: &Path, programs: &Path, name: &str) -> Result {
    let mut command = Command::new("g++");
    command
        .args(["-std=c++11", "-O3", "-DNDEBUG", "-w"])
        .arg("-DZMQ_CUSTOM_PLATFORM_HPP")
        .arg("-I")
        .arg(library)
        .arg("-I")
        .arg(vendor.join("src"))
        .arg(vendor.join("perf").join(name).with_extension("cpp"))
        .arg("-o")
        .arg(programs.join(name))
        .arg("-L")
        .arg(library)
        .args(["-lzmq", "-lpthread"]);
    process::capture(command).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plots_take_the_place_of_those_shown_before() {
        let page = format!("# Head\n\n{BEGIN}\n![old](bench/old.svg)\n\n{END}\n\nTail\n");
        let names = ["a-b.svg".to_owned()];
        let once = with_plots(&page, &names).unwrap();
        assert!(once.contains("![a b](bench/a-b.svg)") && !once.contains("old"));
        assert!(once.starts_with("# Head\n") && once.ends_with("\n\nTail\n"));
        assert_eq!(with_plots(&once, &names).unwrap(), once);
        assert!(with_plots("nothing", &names).is_err());
    }
}
