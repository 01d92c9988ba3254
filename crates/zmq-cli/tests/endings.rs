//! How the program ends: exit codes, and words that say what was wrong.

mod shell;

use shell::{ANY, PATIENCE, run, start_open};

#[test]
fn nothing_in_time_is_code_3() {
    for words in [
        &["pull", ANY, "--timeout", "20"][..],
        &["push", ANY, "--timeout", "20", "-m", "a"],
        &["pub", ANY, "--timeout", "20", "-m", "a"],
        &["req", ANY, "--timeout", "20", "-m", "a"],
        &["pair", ANY, "--timeout", "20"],
    ] {
        let stderr = run(words, b"").failed(3);
        assert!(stderr.contains("timed out: "), "{words:?}: {stderr}");
    }
}

#[test]
fn a_command_line_that_makes_no_sense_is_code_2() {
    for (words, told) in [
        (&["pull"][..], "ENDPOINT"),
        (&["pull", "5555"], "tcp://"),
        (&["pull", "inproc://a"], "ipc://"),
        (&["pull", ANY, "--timeout", "soon"], "milliseconds"),
        (&["pull", ANY, "--format", "xml"], "json"),
        (
            &["push", ANY, "--message", "a", "--file", "b"],
            "cannot be used with",
        ),
        (
            &["rep", ANY, "--echo", "--reply", "a"],
            "cannot be used with",
        ),
        (&["tour", "--only", "the beach"], "the beach"),
        (&["fly"], "fly"),
    ] {
        let stderr = run(words, b"").failed(2);
        assert!(stderr.contains(told), "{words:?}: {stderr}");
    }
}

#[test]
fn a_bad_endpoint_is_named_with_what_is_wrong() {
    for (endpoint, told) in [
        ("@nosuch://127.0.0.1:5555", "nosuch"),
        ("@tcp://127.0.0.1:notaport", "notaport"),
        ("tcp://127.0.0.1:99999", "99999"),
    ] {
        let stderr = run(&["pull", endpoint, "-t", "20"], b"").failed(2);
        assert!(stderr.contains(told), "{endpoint}: {stderr}");
    }
}

#[test]
fn an_endpoint_that_is_taken_is_code_1() {
    let mut first = start_open(&["pull", ANY, "-t", PATIENCE]);
    let taken = format!("@{}", first.endpoint());
    let stderr = run(&["pull", &taken, "-t", PATIENCE], b"").failed(1);
    assert!(stderr.contains(taken.trim_start_matches('@')), "{stderr}");
}

#[test]
fn bad_input_is_named_with_its_line() {
    let mut pull = start_open(&["pull", ANY, "--count", "1", "-t", PATIENCE]);
    let endpoint = pull.endpoint();
    let stderr = run(
        &["push", &endpoint, "--format", "json", "-t", PATIENCE],
        b"\"good\"\n{}\n",
    )
    .failed(1);
    assert!(stderr.contains("line 2"), "{stderr}");
}

#[test]
fn verbose_tells_what_happens_to_connections() {
    let mut pull = start_open(&["pull", ANY, "--count", "1", "--verbose", "-t", PATIENCE]);
    let endpoint = pull.endpoint();
    run(&["push", &endpoint, "-m", "a", "-t", PATIENCE], b"").output();
    let stderr = pull.end().failed(0);
    for told in ["listening", "ready, a PUSH", "ZMTP 3.1"] {
        assert!(stderr.contains(told), "{told}: {stderr}");
    }
}

#[test]
fn help_has_examples_and_exit_codes() {
    let help = run(&["--help"], b"").output();
    assert!(
        help.contains("Examples:") && help.contains("Exit codes:"),
        "{help}"
    );
    for verb in [
        "push", "pull", "pub", "sub", "req", "rep", "dealer", "router", "pair", "xpub", "xsub",
        "proxy", "perf", "tour", "keygen", "doctor",
    ] {
        let help = run(&[verb, "--help"], b"").output();
        assert!(
            help.contains(&format!("\n  zmq {verb} "))
                || help.contains(&format!("| zmq {verb} "))
                || help.contains(&format!("\n  zmq {verb}\n")),
            "zmq {verb} --help has no example of it: {help}"
        );
    }
}
