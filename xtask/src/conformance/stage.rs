//! Where programs are compiled, and with what.

use super::list::Program;
use super::run::Runner;
use crate::{Result, process, tree};
use cargo_metadata::Message;
use std::fs;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// Folders that everything here starts from.
pub(super) struct Place {
    pub(super) vendor: PathBuf,
    pub(super) target: PathBuf,
}

impl Place {
    pub(super) fn find() -> Result<Place> {
        Ok(Place {
            vendor: super::vendor()?,
            target: tree::metadata()?
                .target_directory
                .join("conformance")
                .into_std_path_buf(),
        })
    }
}

/// Whose header a program is compiled with.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Headers {
    Ours,
    Theirs,
    /// Theirs, and what libzmq was configured with.
    Control,
    /// Ours, compiled with the address sanitizer.
    Sanitized,
}

/// What a program asks about the library's build. Ours is always the same.
const OUR_PLATFORM: &str = "#define ZMQ_HAVE_LINUX
#define ZMQ_HAVE_IPC
#define ZMQ_HAVE_UIO
#define ZMQ_HAVE_PPOLL
#define ZMQ_HAVE_NOEXCEPT
#define ZMQ_HAVE_IFADDRS
#define ZMQ_HAVE_SO_PEERCRED
#define ZMQ_HAVE_STRUCT_SOCKADDR_UN
#define ZMQ_HAVE_CLOCK_GETTIME
#define HAVE_CLOCK_GETTIME
#define HAVE_FORK
#define HAVE_MKDTEMP
#define ZMQ_HAVE_CURVE
#define ZMQ_USE_LIBSODIUM
";

fn io<T>(path: &Path, result: std::io::Result<T>) -> Result<T> {
    result.map_err(|error| format!("{}: {error}", path.display()))
}

/// Builds what a package's build scripts and library are, and says where: the folders of build scripts by package.
fn build(arguments: &[&str]) -> Result<Vec<Message>> {
    let mut command = process::cargo(&["build"]);
    command.args(arguments);
    read_build(command)
}

/// What cargo says of its build.
fn read_build(mut command: Command) -> Result<Vec<Message>> {
    command.arg("--message-format=json-render-diagnostics");
    command.stdout(Stdio::piped());
    let line = process::line(&command);
    let mut child = command
        .spawn()
        .map_err(|error| format!("`{line}` did not start: {error}"))?;
    let output = child.stdout.take().ok_or("the child has no output")?;
    let messages: std::io::Result<Vec<_>> = Message::parse_stream(BufReader::new(output)).collect();
    let status = child.wait().map_err(|error| format!("`{line}`: {error}"))?;
    if !status.success() {
        return Err(format!("`{line}` failed"));
    }
    messages.map_err(|error| format!("`{line}`: {error}"))
}

/// Gives a library its names in a folder of its own.
pub(crate) fn name_library(folder: &Path, library: &Path) -> Result {
    io(folder, fs::create_dir_all(folder))?;
    let real = folder.join("libzmq.so.5");
    // A running program may still have the old one mapped.
    let _ = fs::remove_file(&real);
    io(library, fs::copy(library, &real))?;
    let short = folder.join("libzmq.so");
    let _ = fs::remove_file(&short);
    io(&short, std::os::unix::fs::symlink("libzmq.so.5", &short))
}

/// Builds our library: the shared one and the static one.
pub(crate) fn built_libraries(profile: &str) -> Result<(PathBuf, PathBuf)> {
    let command = process::cargo(&["build", "-p", "zmq-capi", "--lib", "--profile", profile]);
    libraries_of(command)
}

/// The shared and the static library that this command builds.
fn libraries_of(command: Command) -> Result<(PathBuf, PathBuf)> {
    let messages = read_build(command)?;
    let files = messages
        .iter()
        .find_map(|message| match message {
            Message::CompilerArtifact(artifact) if artifact.target.name == "zmq_capi" => {
                Some(artifact.filenames.clone())
            }
            _ => None,
        })
        .ok_or("zmq-capi was not built")?;
    let find = |extension: &str| {
        files
            .iter()
            .find(|name| name.extension() == Some(extension))
            .map(|name| name.clone().into_std_path_buf())
            .ok_or(format!("no .{extension} was built"))
    };
    Ok((find("so")?, find("a")?))
}

/// Builds our library; gives the folder it is in.
pub(super) fn our_library(place: &Place, profile: &str) -> Result<PathBuf> {
    let folder = place.target.join("ours");
    name_library(&folder, &built_libraries(profile)?.0)?;
    Ok(folder)
}

/// Gives what this command builds a folder of its own.
pub(super) fn special_library(place: &Place, name: &str, command: Command) -> Result<PathBuf> {
    let folder = place.target.join(name);
    name_library(&folder, &libraries_of(command)?.0)?;
    Ok(folder)
}

/// The folder of a package's build script.
fn out_folder(messages: &[Message], package: &str) -> Result<PathBuf> {
    messages
        .iter()
        .find_map(|message| match message {
            Message::BuildScriptExecuted(script) if script.package_id.repr.contains(package) => {
                Some(script.out_dir.clone().into_std_path_buf())
            }
            _ => None,
        })
        .ok_or(format!("{package} has no build script"))
}

/// Libsodium, which one test program uses itself.
fn sodium() -> Result<PathBuf> {
    let messages = build(&["-p", "libzmq-ref", "--lib", "--release"])?;
    Ok(out_folder(&messages, "libsodium-sys-stable")?.join("installed"))
}

/// Builds libzmq; gives the folder it is in.
pub(super) fn their_library(place: &Place) -> Result<PathBuf> {
    let messages = build(&["-p", "libzmq-ref", "--lib", "--release"])?;
    let out = out_folder(&messages, "libzmq-ref")?;
    let folder = place.target.join("theirs");
    io(&folder, fs::create_dir_all(&folder))?;
    let exports = folder.join("exports");
    io(
        &exports,
        fs::write(&exports, "{ global: zmq_*; local: *; };\n"),
    )?;
    let linked = folder.join("linked.so");
    let mut command = Command::new("g++");
    command
        .args(["-shared", "-Wl,-soname,libzmq.so.5", "-o"])
        .arg(&linked)
        .arg(format!("-Wl,--version-script={}", exports.display()))
        .arg("-Wl,--whole-archive")
        .arg(out.join("libzmq_reference.a"))
        .arg("-Wl,--no-whole-archive")
        .arg(out.join("libzmq_sha1.a"))
        .arg("-L")
        .arg(sodium()?.join("lib"))
        .args(["-lsodium", "-lpthread", "-lrt", "-ldl"]);
    process::capture(command)?;
    name_library(&folder, &linked)?;
    io(
        &out,
        fs::copy(out.join("platform.hpp"), folder.join("platform.hpp")),
    )?;
    Ok(folder)
}

/// A folder laid out as the sources are, with one choice of headers.
pub(super) struct Stage {
    root: PathBuf,
    headers: Headers,
    /// Built when the first program wants it.
    sodium: OnceLock<Result<PathBuf>>,
    /// What the programs are linked with.
    library: PathBuf,
    runs_on: PathBuf,
}

impl Stage {
    /// Runs what is built here on another library than that it was linked with.
    pub(super) fn run_on(mut self, library: PathBuf) -> Stage {
        self.runs_on = library;
        self
    }

    pub(super) fn runner(&self) -> Runner {
        Runner {
            library: self.runs_on.clone(),
            ..Runner::default()
        }
    }

    pub(super) fn prepare(place: &Place, headers: Headers, library: PathBuf) -> Result<Stage> {
        let root = place.target.join(match headers {
            Headers::Ours => "with-our-header",
            Headers::Theirs => "with-their-header",
            Headers::Control => "control",
            Headers::Sanitized => "sanitized",
        });
        for (from, to) in [
            (place.vendor.join("tests"), "tests"),
            (place.vendor.join("src"), "src"),
            (place.vendor.join("external/unity"), "unity"),
        ] {
            copy_folder(&from, &root.join(to))?;
        }
        let include = match headers {
            Headers::Ours | Headers::Sanitized => PathBuf::from("crates/zmq-capi/include"),
            Headers::Theirs | Headers::Control => place.vendor.join("include"),
        };
        copy_folder(&include, &root.join("include"))?;
        let platform = match headers {
            Headers::Control => {
                let path = library.join("platform.hpp");
                io(&path, fs::read_to_string(&path))?
            }
            _ => OUR_PLATFORM.to_owned(),
        };
        write_changed(&root.join("platform.hpp"), &platform)?;
        io(&root, fs::create_dir_all(root.join("bin")))?;
        let stage = Stage {
            root,
            headers,
            sodium: OnceLock::new(),
            runs_on: library.clone(),
            library,
        };
        for draft in [false, true] {
            for name in [
                "testutil",
                "testutil_unity",
                "testutil_monitoring",
                "testutil_security",
            ] {
                stage.object(&format!("tests/{name}.cpp"), draft)?;
            }
            stage.object("unity/unity.c", draft)?;
        }
        Ok(stage)
    }

    fn sodium(&self) -> Result<PathBuf> {
        self.sodium.get_or_init(sodium).clone()
    }

    fn object(&self, source: &str, draft: bool) -> Result<PathBuf> {
        let kind = if draft { "draft" } else { "stable" };
        let from = self.root.join(source);
        let stem = from.file_stem().unwrap_or_default().to_string_lossy();
        let to = self.root.join(format!("bin/{stem}.{kind}.o"));
        let newest = self.newest_header(&from);
        if modified(&to) > newest {
            return Ok(to);
        }
        let mut command = self.compiler(draft);
        if fs::read_to_string(&from)
            .is_ok_and(|text| text.contains("curve_client_tools.hpp") || text.contains("sodium.h"))
        {
            command.arg("-I").arg(self.sodium()?.join("include"));
        }
        command.arg("-c").arg(&from).arg("-o").arg(&to);
        process::capture(command)?;
        Ok(to)
    }

    fn newest_header(&self, source: &Path) -> Option<std::time::SystemTime> {
        let header = modified(&self.root.join("include/zmq.h"));
        let platform = modified(&self.root.join("platform.hpp"));
        modified(source).max(header).max(platform)
    }

    fn compiler(&self, draft: bool) -> Command {
        let mut command = Command::new("g++");
        command
            .args(["-x", "c++", "-std=c++11", "-O1", "-w", "-fpermissive"])
            .args(["-DUNITY_USE_COMMAND_LINE_ARGS", "-DUNITY_EXCLUDE_FLOAT"])
            .arg("-DZMQ_CUSTOM_PLATFORM_HPP");
        // libzmq was built with drafts, and says so when it is asked.
        if draft || self.headers == Headers::Control {
            command.arg("-DZMQ_BUILD_DRAFT_API");
        }
        for folder in ["", "unity", "src", "include"] {
            command.arg("-I").arg(self.root.join(folder));
        }
        command.args(self.instrumented());
        command
    }

    /// What is said besides to the compiler and the linker.
    fn instrumented(&self) -> &'static [&'static str] {
        match self.headers {
            Headers::Sanitized => &["-fsanitize=address", "-fno-omit-frame-pointer", "-g1"],
            _ => &[],
        }
    }

    /// Adds a program that does not come with the package.
    pub(super) fn plant(&self, name: &str, source: &str) -> Result {
        write_changed(&self.root.join(format!("tests/{name}.cpp")), source)
    }

    /// Compiles a program; gives the binary.
    pub(super) fn build(&self, program: &Program) -> Result<PathBuf> {
        let mut sources = vec![format!("tests/{}.cpp", program.name)];
        let own_cipher = program.name == "test_security_curve";
        if own_cipher {
            sources.extend(["err", "random", "clock"].map(|name| format!("src/{name}.cpp")));
        }
        sources.extend(
            [
                "testutil",
                "testutil_unity",
                "testutil_monitoring",
                "testutil_security",
            ]
            .map(|name| format!("tests/{name}.cpp")),
        );
        sources.push("unity/unity.c".to_owned());
        let mut command = Command::new("g++");
        for source in &sources {
            command.arg(self.object(source, program.draft)?);
        }
        let binary = self.root.join("bin").join(&program.name);
        command.args(self.instrumented());
        command.arg("-o").arg(&binary).arg("-L").arg(&self.library);
        command.args(["-lzmq", "-lpthread", "-lrt"]);
        if own_cipher {
            command
                .arg("-L")
                .arg(self.sodium()?.join("lib"))
                .arg("-lsodium");
        }
        process::capture(command)?;
        Ok(binary)
    }
}

fn modified(path: &Path) -> Option<std::time::SystemTime> {
    fs::metadata(path).and_then(|met| met.modified()).ok()
}

/// An unchanged file keeps its time, so that nothing is compiled anew because of it.
fn write_changed(path: &Path, text: &str) -> Result {
    if fs::read_to_string(path).ok().as_deref() == Some(text) {
        return Ok(());
    }
    io(path, fs::write(path, text))
}

fn copy_folder(from: &Path, to: &Path) -> Result {
    io(to, fs::create_dir_all(to))?;
    for entry in io(from, fs::read_dir(from))? {
        let path = io(from, entry)?.path();
        let name = path.file_name().unwrap_or_default();
        if path.is_file()
            && let Ok(text) = fs::read_to_string(&path)
        {
            write_changed(&to.join(name), &text)?;
        }
    }
    Ok(())
}
