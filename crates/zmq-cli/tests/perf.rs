//! The measuring programs: the same lines as libzmq's, from either end.

mod shell;

use shell::{PATIENCE, run, start_open};

/// The words of an output with every number replaced, so that only the form is compared.
fn form(output: &str) -> String {
    let number = |word: &str| word.parse::<f64>().is_ok();
    let line = |line: &str| {
        let words: Vec<&str> = line
            .split(' ')
            .map(|word| if number(word) { "N" } else { word })
            .collect();
        words.join(" ")
    };
    output.lines().map(|text| line(text) + "\n").collect()
}

#[test]
fn throughput_has_the_lines_of_local_thr() {
    let mut local = start_open(&[
        "perf",
        "thr",
        "local",
        "tcp://127.0.0.1:*",
        "64",
        "10000",
        "-t",
        PATIENCE,
    ]);
    let endpoint = local.endpoint();
    assert_eq!(
        run(
            &[
                "perf", "thr", "remote", &endpoint, "64", "10000", "-t", PATIENCE
            ],
            b""
        )
        .output(),
        ""
    );
    let output = local.end().output();
    assert!(
        output.starts_with("message size: 64 [B]\nmessage count: 10000\n"),
        "{output}"
    );
    assert_eq!(
        form(&output),
        "message size: N [B]\nmessage count: N\nmean throughput: N [msg/s]\nmean throughput: N [Mb/s]\n"
    );
}

#[test]
fn latency_has_the_lines_of_remote_lat() {
    let mut local = start_open(&[
        "perf",
        "lat",
        "local",
        "tcp://127.0.0.1:*",
        "1",
        "500",
        "-t",
        PATIENCE,
    ]);
    let endpoint = local.endpoint();
    let output = run(
        &[
            "perf", "lat", "remote", &endpoint, "1", "500", "-t", PATIENCE,
        ],
        b"",
    )
    .output();
    assert!(
        output.starts_with("message size: 1 [B]\nroundtrip count: 500\n"),
        "{output}"
    );
    assert_eq!(
        form(&output),
        "message size: N [B]\nroundtrip count: N\naverage latency: N [us]\n"
    );
    assert_eq!(local.end().output(), "");
}

#[test]
fn ends_that_disagree_about_the_size_say_so() {
    let mut local = start_open(&[
        "perf",
        "thr",
        "local",
        "tcp://127.0.0.1:*",
        "64",
        "1",
        "-t",
        PATIENCE,
    ]);
    let endpoint = local.endpoint();
    run(
        &[
            "perf", "thr", "remote", &endpoint, "65", "1", "-t", PATIENCE,
        ],
        b"",
    )
    .output();
    let stderr = local.end().failed(1);
    assert!(stderr.contains("64") && stderr.contains("65"), "{stderr}");
}
