//! Keys made on the command line.
#![cfg(unix)]

mod shell;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use shell::run;
use zmq::Certificate;

/// A folder of a test's own, gone with it.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let name = format!("keygen-{name}-{}", std::process::id());
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_pair_of_files_is_written_and_the_public_key_printed() {
    let folder = Folder::new("pair");
    let (name, secret) = (folder.path("ann"), folder.path("ann_secret"));
    let ended = run(
        &["keygen", &name, "--meta", "name=Ann", "--meta", "motto=a=b"],
        b"",
    );
    assert!(ended.stderr.contains(&secret), "{ended:?}");
    let printed = ended.output();

    let public = Certificate::load(&name).unwrap();
    assert_eq!(printed, format!("{}\n", public.public_key()));
    assert_eq!(public.get("motto"), Some("a=b"));
    let both = Certificate::load(&secret).unwrap();
    assert_eq!(both.keys().unwrap().public(), public.public_key());
    let mode = fs::metadata(&secret).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);

    for file in [&name, &secret] {
        assert_eq!(run(&["keygen", "--public", file], b"").output(), printed);
    }
}

#[test]
fn files_that_are_there_stay_unless_force_is_given() {
    let folder = Folder::new("force");
    let name = folder.path("ann");
    let first = run(&["keygen", &name], b"").output();
    let stderr = run(&["keygen", &name], b"").failed(1);
    assert!(
        stderr.contains("exists") && stderr.contains("--force"),
        "{stderr}"
    );
    let kept = Certificate::load(&name).unwrap().public_key();
    assert_eq!(format!("{kept}\n"), first);

    let second = run(&["keygen", &name, "--force"], b"").output();
    assert_ne!(second, first);
    let both = Certificate::load(folder.path("ann_secret")).unwrap();
    assert_eq!(format!("{}\n", both.public_key()), second);
}

#[test]
fn show_prints_a_pair_that_belongs_together_and_another_each_time() {
    let shown = || run(&["keygen", "--show"], b"").output();
    let (one, other) = (shown(), shown());
    assert_ne!(one, other);
    let lines: String = one.lines().map(|line| format!("    {line}\n")).collect();
    let certificate: Certificate = format!("curve\n{lines}").parse().unwrap();
    assert!(certificate.keys().is_some(), "{one}");
}

#[test]
fn what_makes_no_sense_is_code_2_and_what_cannot_be_done_code_1() {
    let folder = Folder::new("wrong");
    let name = folder.path("ann");
    for (words, told) in [
        (&["keygen"][..], "NAME"),
        (&["keygen", &name, "--show"], "cannot be used with"),
        (&["keygen", "--show", "--force"], "cannot be used with"),
        (&["keygen", &name, "--meta", "name"], "NAME=VALUE"),
        (&["keygen", &name, "--meta", "na me=x"], "na me"),
    ] {
        let stderr = run(words, b"").failed(2);
        assert!(stderr.contains(told), "{words:?}: {stderr}");
    }
    assert!(!Path::new(&name).exists());
    let nowhere = folder.path("none/ann");
    for words in [["keygen", "--public", &name], ["keygen", "--", &nowhere]] {
        let stderr = run(&words, b"").failed(1);
        assert!(stderr.contains("No such file"), "{words:?}: {stderr}");
    }
}
