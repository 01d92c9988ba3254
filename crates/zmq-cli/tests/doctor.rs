//! What `zmq doctor` says of peers, in words, as JSON and as exit code.

mod shell;

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use shell::{ANY, Ended, PATIENCE, run, start_open};
use zmq::{Certificate, Context, blocking};
use zmq_testkit::speaker::{curve_server, keys, plain_server, saying, serve};
use zmtp_wire::{SocketType, Verdict};

/// Runs `zmq doctor` with these words.
fn doctor(words: &[&str]) -> Ended {
    run(&[&["doctor"], words].concat(), b"")
}

/// A folder of a test's own, gone with it.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let name = format!("doctor-{name}-{}", std::process::id());
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
fn a_socket_is_described_in_words_and_as_json() {
    let mut pull = start_open(&["pull", ANY, "-t", PATIENCE]);
    let endpoint = pull.endpoint();
    let words = doctor(&[&endpoint]).output();
    for told in [
        "ZMTP 3.1",
        "mechanism  NULL\n",
        "PULL",
        "a ZeroMQ socket answers",
    ] {
        assert!(words.contains(told), "{told}: {words}");
    }
    let line = doctor(&[&endpoint, "--json"]).output();
    let met: Value = serde_json::from_str(&line).unwrap();
    let expected = json!({
        "endpoint": endpoint,
        "address": endpoint.trim_start_matches("tcp://"),
        "version": "3.1",
        "mechanism": "NULL",
        "as_server": false,
        "socket_type": "PULL",
        "well": true,
        "finding": "zmtp",
        "words": "a ZeroMQ socket answers",
        "detail": null,
    });
    assert_eq!(met, expected);
    assert_eq!(line.lines().count(), 1);
}

#[test]
fn whoever_else_is_there_is_code_1_and_silence_code_3() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody = format!("tcp://{}", closed.local_addr().unwrap());
    drop(closed);
    // A whole greeting, and then a command that has no place there.
    let mut broken = b"\xff\0\0\0\0\0\0\0\x01\x7f\x03\x01NULL".to_vec();
    broken.resize(64, 0);
    broken.extend(b"\x04\x06\x05HELLO");
    let no_path = format!("ipc:///tmp/zmq-doctor-{}.none", std::process::id());
    for (endpoint, code, told, finding) in [
        (
            saying(b"HTTP/1.1 400 Bad Request\r\n\r\n"),
            1,
            "HTTP",
            "http",
        ),
        (saying(b"SSH-2.0-OpenSSH_9.2\r\n"), 1, "SSH", "ssh"),
        (saying(b"\x15\x03\x03\0\x02\x02\x46"), 1, "TLS", "tls"),
        (saying(broken), 1, "breaks its rules", "broken"),
        (serve(drop), 1, "closed before a greeting", "closed"),
        (nobody, 1, "nothing listens", "nothing-listens"),
        (no_path, 1, "nothing listens", "nothing-listens"),
        (
            "tcp://no-such-host.invalid:5555".to_owned(),
            1,
            "could not be resolved",
            "not-resolved",
        ),
        (saying(b""), 3, "nothing is said", "silent"),
    ] {
        let wait = if code == 3 { "200" } else { PATIENCE };
        let stderr = doctor(&[&endpoint, "-t", wait]).failed(code);
        assert!(stderr.contains(told), "{finding}: {stderr}");
        assert!(stderr.contains(&endpoint), "{stderr}");
        let ended = doctor(&[&endpoint, "-t", wait, "--json"]);
        assert_eq!(ended.code, Some(code));
        let met: Value = serde_json::from_slice(&ended.stdout).unwrap();
        assert_eq!(met["finding"], finding, "{met}");
        assert_eq!(met["well"], false);
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_path_that_may_not_be_used_is_told() {
    use std::os::unix::fs::PermissionsExt as _;
    use std::os::unix::process::CommandExt as _;
    use std::process::Command;

    let folder = std::env::temp_dir().join(format!("zmq-doctor-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let path = folder.join("a.sock");
    let endpoint = format!("ipc://{}", path.display());
    let context = Context::new();
    let pull = blocking::Pull::new(&context);
    pull.bind(&endpoint).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
    // A copy that any user may run. Made by another process: the programs that other tests start meanwhile would inherit what we write to,
    // and a file that somebody writes to cannot be run.
    let program = folder.join("zmq");
    let mut copying = Command::new("cp");
    copying.arg(env!("CARGO_BIN_EXE_zmq")).arg(&program);
    assert!(copying.status().unwrap().success());
    let mut command = Command::new(&program);
    command.args(["doctor", &endpoint]);
    // Nothing is forbidden to root: be nobody, if we are allowed to become that.
    let ended = match command.uid(65534).gid(65534).output() {
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
            Command::new(&program).args(["doctor", &endpoint]).output()
        }
        other => other,
    };
    drop(pull);
    let _ = fs::remove_dir_all(&folder);
    let ended = ended.unwrap();
    let stderr = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("permission denied"), "{stderr}");
}

#[test]
fn credentials_of_plain_are_tried() {
    let folder = Folder::new("plain");
    let file = folder.path("password");
    fs::write(&file, "xyzzy\nsecond line\n").unwrap();
    let by_file = ["--plain-user", "ann", "--plain-password-file", &file];
    let good = plain_server(Some(Verdict::accept()));
    for words in [&["--plain", "ann:x:y"][..], &by_file] {
        let told = doctor(&[&[good.as_str()], words].concat()).output();
        assert!(told.contains("lets us in"), "{told}");
    }
    let told = doctor(&[&good]).output();
    assert!(
        told.contains("PLAIN") && told.contains("--plain-user"),
        "{told}"
    );

    let bad = plain_server(Some(Verdict::Refuse(400)));
    let stderr = doctor(&[&[bad.as_str()][..], &by_file].concat()).failed(1);
    assert!(stderr.contains("400"), "{stderr}");
    assert!(!stderr.contains("xyzzy"), "{stderr}");
    assert!(stderr.contains("chmod 600"), "{stderr}");
}

#[test]
fn keys_of_curve_are_tried() {
    let folder = Folder::new("curve");
    let (server, ann) = (folder.path("server"), folder.path("ann"));
    let (server_secret, ann_secret) = (folder.path("server_secret"), folder.path("ann_secret"));
    Certificate::new(keys(1)).save(&server).unwrap();
    Certificate::new(keys(2)).save(&ann).unwrap();
    let key = keys(1).public().to_z85();

    let good = curve_server(SocketType::Rep, Some(Verdict::accept()));
    for words in [
        &["--curve", &server][..],
        &["--curve", &key],
        &["--curve", &server_secret, "--curve-cert", &ann_secret],
    ] {
        let ended = doctor(&[&[good.as_str()], words].concat());
        assert!(!ended.stderr.contains("chmod"), "{ended:?}");
        let told = ended.output();
        for expected in ["CURVE, and says that it is the server", "REP", "lets us in"] {
            assert!(told.contains(expected), "{expected}: {told}");
        }
    }
    let told = doctor(&[&good]).output();
    assert!(told.contains("--curve-cert"), "{told}");

    let wrong = keys(9).public().to_z85();
    let stderr = doctor(&[&good, "--curve", &wrong]).failed(1);
    assert!(stderr.contains("the server key is not its key"), "{stderr}");
    let stderr = doctor(&[&good, "--plain", "a:b"]).failed(1);
    assert!(stderr.contains("another mechanism"), "{stderr}");
    let denying = curve_server(SocketType::Rep, Some(Verdict::Refuse(400)));
    let stderr = doctor(&[&denying, "--curve", &key]).failed(1);
    assert!(stderr.contains("400"), "{stderr}");

    let stderr = doctor(&[&good, "--curve", &key, "--curve-cert", &ann]).failed(1);
    assert!(stderr.contains("no secret key"), "{stderr}");
}

#[test]
fn what_makes_no_sense_is_code_2() {
    let key = keys(1).public().to_z85();
    for (words, told) in [
        (&["5555"][..], "tcp://"),
        (&["@tcp://127.0.0.1:5555"], "@"),
        (&["tcp://127.0.0.1:*"], "wildcard"),
        (&["quic://127.0.0.1:1"], "quic"),
        (&["tcp://h:1", "--plain", "ann"], "USER:PASSWORD"),
        (
            &["tcp://h:1", "--plain-user", "ann"],
            "--plain-password-file",
        ),
        (
            &["tcp://h:1", "--plain", "a:b", "--curve", &key],
            "cannot be used with",
        ),
        (&["tcp://h:1", "--curve-cert", "a_secret"], "--curve"),
        (&["tcp://h:1", "--curve", "nonsense"], "40 letters"),
    ] {
        let stderr = doctor(words).failed(2);
        assert!(stderr.contains(told), "{words:?}: {stderr}");
    }
}
