//! Whether what `dist` lays out is found and used by those it is for: pkg-config, CMake, and the configure scripts that
//! autoconf writes.

use crate::{Result, process};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const MAIN: &str = include_str!("installed/main.c");
const PROJECT: &str = include_str!("installed/CMakeLists.txt");

/// What the program says when all is well.
const SAID: &str = "4.3.5 moin";

/// What `AC_CHECK_LIB (zmq, zmq_ctx_new)` compiles and links: it declares the function as it likes.
const CONFTEST: &str = "char zmq_ctx_new ();
int main (void) { return zmq_ctx_new () != 0; }
";

struct Checks<'a> {
    prefix: &'a Path,
    /// Where programs are built.
    room: PathBuf,
}

fn told<T>(path: &Path, result: std::io::Result<T>) -> Result<T> {
    result.map_err(|error| format!("{}: {error}", path.display()))
}

/// Builds programs with what lies under `prefix`, and runs them.
pub(crate) fn check(prefix: &Path) -> Result {
    let prefix = told(prefix, fs::canonicalize(prefix))?;
    let room = prefix.with_extension("check");
    // Left behind by the last check.
    let _ = fs::remove_dir_all(&room);
    told(&room, fs::create_dir_all(&room))?;
    for (name, text) in [
        ("main.c", MAIN),
        ("CMakeLists.txt", PROJECT),
        ("conftest.c", CONFTEST),
    ] {
        let path = room.join(name);
        told(&path, fs::write(&path, text))?;
    }
    let checks = Checks {
        prefix: &prefix,
        room,
    };
    process::all([
        checks.exports(),
        checks.configure(),
        checks.pkg_config(),
        checks.cmake(),
    ])
}

/// Whether a program is here; says what is left undone without it.
fn is_here(program: &str, what: &str) -> bool {
    let here = process::found(program);
    if !here {
        println!("{program} is missing: not checked: {what}");
    }
    here
}

impl Checks<'_> {
    fn lib(&self) -> PathBuf {
        self.prefix.join("lib")
    }

    fn compile(&self, source: &str, flags: &[String], name: &str) -> Result<PathBuf> {
        let program = self.room.join(name);
        let mut command = Command::new("cc");
        command.arg(self.room.join(source)).arg("-o").arg(&program);
        command.args(flags);
        process::capture(command)?;
        Ok(program)
    }

    /// Runs a program, which finds the library by `path` or needs none.
    fn run(&self, program: &Path, path: Option<PathBuf>) -> Result<String> {
        let mut command = Command::new(program);
        command.env_remove("LD_LIBRARY_PATH");
        if let Some(path) = path {
            command.env("LD_LIBRARY_PATH", path);
        }
        process::capture(command)
    }

    fn expect(&self, program: &Path, path: Option<PathBuf>) -> Result {
        let said = self.run(program, path)?;
        if said.trim() == SAID {
            return Ok(());
        }
        Err(format!("{} said {said:?}", program.display()))
    }

    /// The library exports what the headers declare and nothing else, under its name.
    fn exports(&self) -> Result {
        let mut declared = BTreeSet::new();
        for name in ["zmq.h", "zmq_utils.h"] {
            let path = self.prefix.join("include").join(name);
            declared.extend(functions(&told(&path, fs::read_to_string(&path))?));
        }
        let mut command = Command::new("nm");
        command
            .args(["-D", "--defined-only", "--format=just-symbols"])
            .arg(self.lib().join("libzmq.so.5"));
        let exported: BTreeSet<String> = process::capture(command)?
            .lines()
            .map(|line| line.split('@').next().unwrap_or(line).to_owned())
            .collect();
        let list = |one: &BTreeSet<String>, other: &BTreeSet<String>| {
            let names: Vec<&str> = one.difference(other).map(String::as_str).collect();
            names.join(", ")
        };
        let (missing, foreign) = (list(&declared, &exported), list(&exported, &declared));
        if !missing.is_empty() || !foreign.is_empty() {
            return Err(format!(
                "declared and not exported: [{missing}]; exported and not declared: [{foreign}]"
            ));
        }
        let mut command = Command::new("readelf");
        command.arg("-d").arg(self.lib().join("libzmq.so"));
        let dynamic = process::capture(command)?;
        if !dynamic.contains("soname: [libzmq.so.5]") || !dynamic.contains("NODELETE") {
            return Err(format!("no soname libzmq.so.5, or unloadable:\n{dynamic}"));
        }
        println!("exports: {} functions, all declared", exported.len());
        Ok(())
    }

    /// As a configure script looks for it, told by CPPFLAGS and LDFLAGS.
    fn configure(&self) -> Result {
        let flags = [
            format!("-I{}", self.prefix.join("include").display()),
            format!("-L{}", self.lib().display()),
            "-lzmq".to_owned(),
        ];
        self.compile("conftest.c", &flags, "conftest")?;
        let program = self.compile("main.c", &flags, "configured")?;
        self.expect(&program, Some(self.lib()))?;
        println!("configure: found by -lzmq");
        Ok(())
    }

    fn pkg_config(&self) -> Result {
        if !is_here("pkg-config", "libzmq.pc") {
            return Ok(());
        }
        let ask = |words: &[&str]| -> Result<Vec<String>> {
            let mut command = Command::new("pkg-config");
            command
                .args(words)
                .arg("libzmq")
                .env("PKG_CONFIG_PATH", self.lib().join("pkgconfig"));
            let said = process::capture(command)?;
            Ok(said.split_whitespace().map(str::to_owned).collect())
        };
        let version = ask(&["--modversion"])?;
        if version != ["4.3.5"] {
            return Err(format!("libzmq.pc has the version {version:?}"));
        }
        let shared = self.compile("main.c", &ask(&["--cflags", "--libs"])?, "by_pkg_config")?;
        self.expect(&shared, Some(self.lib()))?;
        // Both kinds lie in one folder, so the linker is told which of them is meant.
        let mut flags = vec!["-Wl,-Bstatic".to_owned()];
        for flag in ask(&["--static", "--cflags", "--libs"])? {
            let is_ours = flag == "-lzmq";
            flags.push(flag);
            if is_ours {
                flags.push("-Wl,-Bdynamic".to_owned());
            }
        }
        let fixed = self.compile("main.c", &flags, "static_by_pkg_config")?;
        self.expect(&fixed, None)?;
        println!("pkg-config: found, shared and static");
        Ok(())
    }

    fn cmake(&self) -> Result {
        if !is_here("cmake", "ZeroMQConfig.cmake") {
            return Ok(());
        }
        let build = self.room.join("cmake");
        let mut configure = Command::new("cmake");
        configure.arg("-S").arg(&self.room).arg("-B").arg(&build);
        configure.arg(format!("-DCMAKE_PREFIX_PATH={}", self.prefix.display()));
        process::capture(configure)?;
        let mut make = Command::new("cmake");
        make.arg("--build").arg(&build);
        process::capture(make)?;
        // It writes the library's folder into the programs that it builds.
        for program in ["shared", "static", "by_variable"] {
            self.expect(&build.join(program), None)?;
        }
        println!("CMake: found, shared and static");
        Ok(())
    }
}

/// The functions that a header declares.
fn functions(header: &str) -> impl Iterator<Item = String> + '_ {
    header.split("ZMQ_EXPORT ").skip(1).filter_map(|after| {
        let before = after.split('(').next()?;
        let name = before
            .rsplit([' ', '*', '\n'])
            .find(|word| !word.is_empty())?;
        name.starts_with("zmq_").then(|| name.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_functions_of_a_header_are_found_by_the_word_before() {
        let header = "#define ZMQ_EXPORT extern\nZMQ_EXPORT int zmq_errno (void);\nZMQ_EXPORT void *zmq_ctx_new (void);";
        let found: Vec<String> = functions(header).collect();
        assert_eq!(found, ["zmq_errno", "zmq_ctx_new"]);
    }
}
