//! Sockets of the command line that prove who they are and ask who the others are.

mod shell;

use std::fs;
use std::path::{Path, PathBuf};

use shell::{ANY, PATIENCE, run, start, start_open};
use zmq::Certificate;
use zmq::curve::generate;

/// How long those wait who will not be let in.
const SHORT: &str = "700";

/// Keys of a server, of ann whom it knows and of bob whom it does not, and passwords. Gone with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let name = format!("secured-{name}-{}", std::process::id());
        let folder = Folder(Path::new(env!("CARGO_TARGET_TMPDIR")).join(name));
        fs::create_dir_all(folder.0.join("allowed")).unwrap();
        for name in ["server", "allowed/ann", "bob"] {
            let certificate = Certificate::new(generate().unwrap());
            certificate.save(folder.path(name)).unwrap();
        }
        fs::write(
            folder.path("users"),
            "# who may come in\n\nann=x=yzzy\nbob = y\n",
        )
        .unwrap();
        fs::write(folder.path("password"), "x=yzzy\n").unwrap();
        folder
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }

    /// The options of a CURVE server that lets in ann, all that verbs take together.
    fn server(&self) -> Vec<String> {
        let (secret, allowed) = (self.path("server_secret"), self.path("allowed"));
        let who = ["--curve-server", &secret, "--allow-dir", &allowed];
        let domain = ["--zap-domain", "office"];
        who.into_iter().chain(domain).map(str::to_owned).collect()
    }

    /// The options of a client with this certificate.
    fn client(&self, name: &str) -> Vec<String> {
        let (server, secret) = (self.path("server"), self.path(&format!("{name}_secret")));
        ["--curve", &server, "--curve-cert", &secret]
            .map(str::to_owned)
            .to_vec()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// These words with those options.
fn with<'a>(words: &[&'a str], options: &'a [String]) -> Vec<&'a str> {
    let options = options.iter().map(String::as_str);
    words.iter().copied().chain(options).collect()
}

#[test]
fn a_curve_server_hears_those_it_knows_and_nobody_else() {
    let folder = Folder::new("curve");
    let (server, ann, bob) = (
        folder.server(),
        folder.client("allowed/ann"),
        folder.client("bob"),
    );
    let mut pull = start_open(&with(&["pull", ANY, "-n", "1", "-t", PATIENCE], &server));
    let endpoint = pull.endpoint();
    let push = |wait: &str, options: &[String]| {
        let words = ["push", endpoint.as_str(), "-m", "hello", "-t", wait];
        run(&with(&words, options), b"")
    };
    // Refused for good, so there is nothing to wait for.
    push(PATIENCE, &[]).failed(1);
    push(PATIENCE, &bob).failed(1);
    // Somebody new, whom nobody can know.
    push(PATIENCE, &bob[..2]).failed(1);
    // The right client, of another server.
    let wrong = [&["--curve".to_owned(), folder.path("bob")][..], &ann[2..]].concat();
    push(SHORT, &wrong).failed(3);
    push(PATIENCE, &ann).output();
    assert_eq!(pull.end().output(), "hello\n");
}

#[test]
fn any_key_lets_in_whoever_knows_the_servers() {
    let folder = Folder::new("any");
    let secret = folder.path("server_secret");
    let server = ["--curve-server", &secret, "--any-key"].map(str::to_owned);
    let mut rep = start_open(&with(
        &["rep", ANY, "--echo", "-n", "1", "-t", PATIENCE],
        &server,
    ));
    let endpoint = rep.endpoint();
    let client = folder.client("bob");
    let words = ["req", endpoint.as_str(), "-m", "hello", "-t", PATIENCE];
    assert_eq!(run(&with(&words, &client[..2]), b"").output(), "hello\n");
    rep.end().output();
}

#[test]
fn a_plain_server_hears_its_users_and_nobody_else() {
    let folder = Folder::new("plain");
    let server = ["--plain-server", "--users", &folder.path("users")].map(str::to_owned);
    let mut pull = start_open(&with(&["pull", ANY, "-n", "2", "-t", PATIENCE], &server));
    let endpoint = pull.endpoint();
    let push = |wait: &str, options: &[&str]| {
        let words = ["push", endpoint.as_str(), "-m", "hello", "-t", wait];
        run(&[&words[..], options].concat(), b"")
    };
    // Refused for good, so there is nothing to wait for.
    push(PATIENCE, &["--plain", "ann:wrong"]).failed(1);
    push(PATIENCE, &["--plain", "eve:y"]).failed(1);
    push(PATIENCE, &["--plain", "ann:x=yzzy"]).output();
    let file = folder.path("password");
    push(
        PATIENCE,
        &["--plain-user", "ann", "--plain-password-file", &file],
    )
    .output();
    assert_eq!(pull.end().output(), "hello\nhello\n");
}

/// A verb that forgot its options would not be let in, or would let in without asking.
#[test]
fn every_pair_of_verbs_is_secured() {
    let folder = Folder::new("verbs");
    let (server, ann) = (folder.server(), folder.client("allowed/ann"));
    for (bound, connected) in [
        (&["pull"][..], &["push"][..]),
        (&["push", "-m", "hello"], &["pull", "-n", "1"]),
        (&["sub", "-n", "1"], &["pub", "-m", "hello"]),
        (&["pub", "-m", "hello"], &["sub", "-n", "1"]),
        (
            &["xpub", "-m", "hello", "-n", "1"],
            &["xsub", "-S", "", "-n", "1"],
        ),
        (
            &["xsub", "-S", "", "-n", "1"],
            &["xpub", "-m", "hello", "-n", "1"],
        ),
        (&["rep", "--echo", "-n", "1"], &["req", "-m", "hello"]),
        (&["pair", "-n", "1"], &["pair", "-m", "hello", "-n", "0"]),
        (
            &["dealer", "-n", "1"],
            &["dealer", "-m", "hello", "-n", "0"],
        ),
        (
            &["router", "-n", "1"],
            &["dealer", "-m", "hello", "-n", "0"],
        ),
    ] {
        let listening = [&bound[..1], &[ANY, "-t", PATIENCE], &bound[1..]].concat();
        let listening = match bound[0] {
            "pull" => [&listening[..], &["-n", "1"]].concat(),
            _ => listening,
        };
        let mut first = start(&with(&listening, &server), b"");
        let endpoint = first.endpoint();
        let words = |wait| [&connected[..1], &[&endpoint, "-t", wait], &connected[1..]].concat();
        let words_with_message = |wait| match connected {
            ["push"] => [&words(wait)[..], &["-m", "hello"]].concat(),
            _ => words(wait),
        };
        // Without proof nothing comes through.
        let refused = run(&words_with_message(SHORT), b"");
        assert!(
            !String::from_utf8_lossy(&refused.stdout).contains("hello"),
            "{bound:?} {refused:?}"
        );
        let second = run(&with(&words_with_message(PATIENCE), &ann), b"");
        let heard = [second.octets(), first.end().octets()].concat();
        let heard = String::from_utf8_lossy(&heard).into_owned();
        assert!(
            heard.contains("hello"),
            "{bound:?} {connected:?}: {heard:?}"
        );
    }
}

#[test]
fn a_proxy_is_the_server_of_both_sides() {
    let folder = Folder::new("proxy");
    let (server, ann) = (folder.server(), folder.client("allowed/ann"));
    let words = ["proxy", ANY, ANY, "--type", "streamer"];
    let mut proxy = start_open(&with(&words, &server));
    let (front, back) = (proxy.endpoint(), proxy.endpoint());
    let pull = start_open(&with(&["pull", &back, "-n", "1", "-t", PATIENCE], &ann));
    run(&["push", &front, "-m", "no", "-t", PATIENCE], b"").failed(1);
    run(
        &with(&["push", &front, "-m", "hello", "-t", PATIENCE], &ann),
        b"",
    )
    .output();
    assert_eq!(pull.end().output(), "hello\n");
}

#[test]
fn measurements_are_secured() {
    let folder = Folder::new("perf");
    let (server, ann) = (folder.server(), folder.client("allowed/ann"));
    // The measuring programs say nothing of where they are bound: a path of our own.
    for measure in ["thr", "lat"] {
        let path = std::env::temp_dir().join(format!("zmq-s{}-{measure}", std::process::id()));
        let endpoint = format!("ipc://{}", path.display());
        let words = |end| ["perf", measure, end, &endpoint, "64", "100", "-t", PATIENCE];
        let local = start_open(&with(&words("local"), &server));
        let remote = run(&with(&words("remote"), &ann), b"").output();
        let told = [remote, local.end().output()].concat();
        assert!(told.contains("message size: 64 [B]"), "{told}");
    }
}

#[test]
fn the_doctor_agrees_with_what_sockets_do() {
    let folder = Folder::new("doctor");
    let mut pull = start_open(&with(&["pull", ANY, "-t", PATIENCE], &folder.server()));
    let endpoint = pull.endpoint();
    let ann = folder.client("allowed/ann");
    let told = run(&with(&["doctor", &endpoint], &ann), b"").output();
    assert!(told.contains("lets us in"), "{told}");
    let bob = folder.client("bob");
    let told = run(&with(&["doctor", &endpoint], &bob), b"").failed(1);
    assert!(told.contains("400"), "{told}");
}

#[test]
fn contradictions_are_code_2_and_bad_files_code_1() {
    let folder = Folder::new("wrong");
    let (server, secret) = (folder.path("server"), folder.path("server_secret"));
    let (users, allowed) = (folder.path("users"), folder.path("allowed"));
    let (bad, long) = (folder.path("bad"), "d".repeat(256));
    fs::write(&bad, "ann=x\nnonsense\n").unwrap();
    for (options, code, told) in [
        (&["--plain-server"][..], 2, "--users"),
        (&["--users", &users], 2, "--plain-server"),
        (&["--curve-server", &secret], 2, "--any-key"),
        (&["--any-key"], 2, "--curve-server"),
        (&["--allow-dir", &allowed], 2, "--curve-server"),
        (
            &[
                "--curve-server",
                &secret,
                "--any-key",
                "--allow-dir",
                &allowed,
            ],
            2,
            "cannot be used with",
        ),
        (
            &["--curve-server", &secret, "--any-key", "--curve", &server],
            2,
            "cannot be used with",
        ),
        (
            &["--plain-server", "--users", &users, "--plain", "a:b"],
            2,
            "cannot be used with",
        ),
        (
            &[
                "--plain-server",
                "--users",
                &users,
                "--curve-server",
                &secret,
                "--any-key",
            ],
            2,
            "cannot be used with",
        ),
        (
            &["--curve-server", &server, "--any-key"],
            1,
            "no secret key",
        ),
        (
            &["--curve-server", &secret, "--allow-dir", &bad],
            1,
            "folder",
        ),
        (&["--zap-domain", "office"], 2, "--plain-server"),
        (
            &["--zap-domain", "office", "--curve", &server],
            2,
            "--curve-server",
        ),
        (
            &[
                "--curve-server",
                &secret,
                "--any-key",
                "--zap-domain",
                &long,
            ],
            2,
            "255 octets",
        ),
        (&["--plain-server", "--users", &bad], 1, "line 2"),
        (&["--plain-server", "--users", "none"], 1, "No such file"),
    ] {
        let words = [&["pull", ANY, "-t", SHORT], options].concat();
        let stderr = run(&words, b"").failed(code);
        assert!(stderr.contains(told), "{options:?}: {stderr}");
    }
}
