//! Builds libzmq 4.3.5 from the sources inside the `zeromq-src` package.
//!
//! The package's own build function is not used: it leaves out eventfd, `accept4` and most socket options, which its
//! CMake and autotools builds find on Linux, and it takes the optimisation level of the Rust profile. A reference must
//! be the library people have, so the feature checks here answer as CMake's would with drafts and libsodium on.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What CMake finds on any Linux with glibc or musl (`ENABLE_DRAFTS`, `WITH_LIBSODIUM`, no TLS, no NSS).
const LINUX: &[&str] = &[
    "ZMQ_USE_CV_IMPL_STL11",
    "ZMQ_IOTHREAD_POLLER_USE_EPOLL",
    "ZMQ_IOTHREAD_POLLER_USE_EPOLL_CLOEXEC",
    "ZMQ_HAVE_PPOLL",
    "ZMQ_POLL_BASED_ON_POLL",
    "HAVE_POSIX_MEMALIGN 1",
    "ZMQ_CACHELINE_SIZE 64",
    "HAVE_FORK",
    "HAVE_CLOCK_GETTIME",
    "HAVE_MKDTEMP",
    "ZMQ_HAVE_UIO",
    "ZMQ_HAVE_NOEXCEPT",
    "ZMQ_HAVE_EVENTFD",
    "ZMQ_HAVE_EVENTFD_CLOEXEC",
    "ZMQ_HAVE_IFADDRS",
    "ZMQ_HAVE_SO_BINDTODEVICE",
    "ZMQ_HAVE_SO_PEERCRED",
    "ZMQ_HAVE_BUSY_POLL",
    "ZMQ_HAVE_O_CLOEXEC",
    "ZMQ_HAVE_SOCK_CLOEXEC",
    "ZMQ_HAVE_SO_KEEPALIVE",
    "ZMQ_HAVE_SO_PRIORITY",
    "ZMQ_HAVE_TCP_KEEPCNT",
    "ZMQ_HAVE_TCP_KEEPIDLE",
    "ZMQ_HAVE_TCP_KEEPINTVL",
    "ZMQ_HAVE_PTHREAD_SETNAME_2",
    "ZMQ_HAVE_PTHREAD_SET_AFFINITY",
    "HAVE_ACCEPT4",
    "HAVE_STRNLEN",
    "ZMQ_HAVE_IPC",
    "ZMQ_HAVE_STRUCT_SOCKADDR_UN",
    "ZMQ_USE_BUILTIN_SHA1",
    "ZMQ_HAVE_WS",
    "ZMQ_HAVE_CURVE",
    "ZMQ_USE_LIBSODIUM",
    "SODIUM_STATIC",
    "ZMQ_USE_RADIX_TREE",
    "HAVE_IF_NAMETOINDEX",
    "ZMQ_HAVE_LINUX",
];

/// Command-line definitions of CMake's build.
const DEFINITIONS: &[&str] = &[
    "_REENTRANT",
    "_THREAD_SAFE",
    "ZMQ_CUSTOM_PLATFORM_HPP",
    "ZMQ_BUILD_DRAFT_API",
    "ZMQ_STATIC",
    "NDEBUG",
];

const PERF: &[&str] = &[
    "local_thr",
    "remote_thr",
    "local_lat",
    "remote_lat",
    "inproc_thr",
    "inproc_lat",
];

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let target = env::var("CARGO_CFG_TARGET_OS").unwrap();
    assert!(
        target == "linux",
        "the reference build knows the features of Linux only, not of {target}"
    );
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap());
    let vendor = vendor_dir();
    write_platform(&out);
    compile_library(&vendor, &out);
    link_perf_programs(&vendor, &out);
    println!("cargo:rustc-env=LIBZMQ_PERF_DIR={}", out.display());
    println!("cargo:rustc-env=LIBZMQ_SOURCE_DIR={}", vendor.display());
    println!("cargo:rustc-link-lib=stdc++");
}

/// The folder `vendor` of the package `zeromq-src`, which has no constant or key for it.
fn vendor_dir() -> PathBuf {
    let cargo = env::var_os("CARGO").unwrap();
    let manifest = Path::new(&env::var_os("CARGO_MANIFEST_DIR").unwrap()).join("Cargo.toml");
    let mut failures = String::new();
    for network in [Some("--offline"), None] {
        let output = Command::new(&cargo)
            .args(["metadata", "--format-version", "1", "--filter-platform"])
            .arg(env::var_os("TARGET").unwrap())
            .args(network)
            .arg("--manifest-path")
            .arg(&manifest)
            .output()
            .expect("cargo metadata runs");
        if !output.status.success() {
            failures.push_str(&String::from_utf8_lossy(&output.stderr));
            continue;
        }
        let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let packages = metadata["packages"].as_array().unwrap();
        let package = packages.iter().find(|p| p["name"] == "zeromq-src");
        let path = package.unwrap()["manifest_path"].as_str().unwrap();
        return Path::new(path).parent().unwrap().join("vendor");
    }
    panic!("cargo metadata does not find zeromq-src:\n{failures}");
}

fn write_platform(out: &Path) {
    let mut text = String::from(
        "#ifndef __ZMQ_PLATFORM_HPP_INCLUDED__\n#define __ZMQ_PLATFORM_HPP_INCLUDED__\n",
    );
    for name in LINUX {
        text.push_str(&format!("#define {name}\n"));
    }
    if has_strlcpy(out) {
        text.push_str("#define ZMQ_HAVE_STRLCPY\n");
    }
    text.push_str("#endif\n");
    // An unchanged file keeps its time, so that nothing is compiled anew because of it.
    let path = out.join("platform.hpp");
    if fs::read_to_string(&path).ok().as_deref() != Some(&text) {
        fs::write(path, text).unwrap();
    }
}

/// glibc has `strlcpy` since 2.38, musl always had it.
fn has_strlcpy(out: &Path) -> bool {
    let source = out.join("strlcpy.c");
    fs::write(
        &source,
        "#include <string.h>\nint main(void) { char b[2]; return (int)strlcpy(b, \"a\", sizeof b) - 1; }\n",
    )
    .unwrap();
    let mut command = cc::Build::new().get_compiler().to_command();
    command
        .arg("-Werror")
        .arg(&source)
        .arg("-o")
        .arg(out.join("strlcpy"));
    command.output().is_ok_and(|output| output.status.success())
}

fn compiler(vendor: &Path, out: &Path) -> cc::Build {
    let mut build = cc::Build::new();
    build
        .opt_level(3)
        .debug(false)
        .warnings(false)
        .flag_if_supported("-w")
        .include(out)
        .include(vendor.join("include"))
        .include(vendor.join("src"))
        .include(vendor.join("external/sha1"));
    for directory in env::split_paths(&env::var_os("DEP_SODIUM_INCLUDE").unwrap_or_default()) {
        build.include(directory);
    }
    for name in DEFINITIONS {
        build.define(name, None);
    }
    build
}

fn compile_library(vendor: &Path, out: &Path) {
    let mut sources: Vec<PathBuf> = fs::read_dir(vendor.join("src"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "cpp"))
        // Secure WebSockets need GnuTLS.
        .filter(|path| {
            !path
                .file_name()
                .unwrap()
                .to_string_lossy()
                .starts_with("wss_")
        })
        .collect();
    sources.sort();
    compiler(vendor, out)
        .file(vendor.join("external/sha1/sha1.c"))
        .compile("zmq_sha1");
    compiler(vendor, out)
        .cpp(true)
        .cpp_link_stdlib(None)
        .std("c++11")
        .files(sources)
        .compile("zmq_reference");
    // Its order on the linker's command line matters: libzmq needs it.
    println!("cargo:rustc-link-lib=static=zmq_sha1");
}

fn link_perf_programs(vendor: &Path, out: &Path) {
    let compiler = compiler(vendor, out).cpp(true).std("c++11").get_compiler();
    for name in PERF {
        let mut command = compiler.to_command();
        command
            .arg(vendor.join("perf").join(name).with_extension("cpp"))
            .args(["-o".as_ref(), out.join(name).as_os_str()])
            .arg(out.join("libzmq_reference.a"))
            .arg(out.join("libzmq_sha1.a"));
        for directory in env::split_paths(&env::var_os("DEP_SODIUM_LIB").unwrap_or_default()) {
            command.arg("-L").arg(directory);
        }
        command.args(["-lsodium", "-lpthread", "-lrt", "-ldl"]);
        let status = command.status().expect("the C++ compiler runs");
        assert!(status.success(), "cannot link libzmq's {name}");
    }
}
