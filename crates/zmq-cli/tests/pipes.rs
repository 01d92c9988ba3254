//! Messages through pipes: what goes in at one end comes out at the other.

mod shell;

use shell::{ANY, PATIENCE, run, start, start_open};

/// Receives `count` messages with `options` on both sides; gives what was written for this input.
fn piped(options: &[&str], count: &str, input: &[u8]) -> Vec<u8> {
    let common = [&["--timeout", PATIENCE], options].concat();
    let mut pull = start_open(&[&["pull", ANY, "--count", count][..], &common].concat());
    let endpoint = pull.endpoint();
    run(&[&["push", &endpoint][..], &common].concat(), input).octets();
    pull.end().octets()
}

#[test]
fn lines_arrive_in_order() {
    assert_eq!(
        piped(&[], "4", b"one\n\nthree \xff\nlast"),
        b"one\n\nthree \xff\nlast\n"
    );
}

#[test]
fn many_lines_arrive_complete() {
    let lines: String = (0..50_000).map(|number| format!("{number}\n")).collect();
    assert!(
        piped(&[], "50000", lines.as_bytes()) == lines.as_bytes(),
        "lines were lost or changed"
    );
}

#[test]
fn a_separator_makes_frames() {
    assert_eq!(
        piped(&["--separator", "|"], "2", b"a|b||c\nd\n"),
        b"a|b||c\nd\n"
    );
    let mut pull = start_open(&[
        "pull", ANY, "--count", "1", "--format", "json", "-t", PATIENCE,
    ]);
    let endpoint = pull.endpoint();
    run(
        &[
            "push",
            &endpoint,
            "--separator",
            "::",
            "-m",
            "a::b:c",
            "-t",
            PATIENCE,
        ],
        b"",
    )
    .output();
    assert_eq!(pull.end().output(), "[\"a\",\"b:c\"]\n");
}

#[test]
fn hex_and_json_carry_any_octets() {
    assert_eq!(
        piped(&["--format", "hex"], "2", b"00ff 0a\nAB\n"),
        b"00ff 0a\nab\n"
    );
    let json = b"[\"a\",{\"hex\":\"ff00\"}]\n\"b\"\n";
    assert_eq!(
        piped(&["--format", "json"], "2", json),
        b"[\"a\",{\"hex\":\"ff00\"}]\n[\"b\"]\n"
    );
}

#[test]
fn raw_is_one_message_whatever_is_in_it() {
    let octets: Vec<u8> = (0..=255).cycle().take(300_000).collect();
    assert!(
        piped(&["--format", "raw"], "1", &octets) == octets,
        "octets were lost or changed"
    );
}

#[test]
fn ipc_reaches_other_processes() {
    let file = std::env::temp_dir().join(format!("zmq-cli-{}.sock", std::process::id()));
    let endpoint = format!("ipc://{}", file.display());
    let pull = start_open(&[
        "pull",
        &format!("@{endpoint}"),
        "--count",
        "1",
        "-t",
        PATIENCE,
    ]);
    run(&["push", &endpoint, "-m", "hello", "-t", PATIENCE], b"").output();
    assert_eq!(pull.end().output(), "hello\n");
}

#[test]
fn either_side_may_bind() {
    let mut push = start(&["push", ANY, "-t", PATIENCE], b"hello\n");
    let endpoint = push.endpoint();
    let pulled = run(&["pull", &endpoint, "--count", "1", "-t", PATIENCE], b"").output();
    assert_eq!(pulled, "hello\n");
    push.end().output();
}

#[test]
fn count_ends_the_sender_too() {
    let mut pull = start_open(&["pull", ANY, "--count", "2", "-t", PATIENCE]);
    let endpoint = pull.endpoint();
    // Its input stays open: only the count can end it.
    let push = start_open(&[
        "push", &endpoint, "--count", "2", "-m", "a", "-m", "b", "-m", "c", "-t", PATIENCE,
    ]);
    assert_eq!(pull.end().output(), "a\nb\n");
    push.end().output();
}

#[test]
fn files_arrive_whole() {
    let folder = std::env::temp_dir().join(format!("zmq-cli-files-{}", std::process::id()));
    let (from, into) = (folder.join("from"), folder.join("into"));
    std::fs::create_dir_all(&from).unwrap();
    let octets: Vec<u8> = (0..1_500_000_u32).flat_map(u32::to_le_bytes).collect();
    std::fs::write(from.join("large.bin"), &octets).unwrap();
    std::fs::write(from.join("empty"), b"").unwrap();
    let into_text = into.to_str().unwrap();
    let mut pull = start_open(&[
        "pull", ANY, "--into", into_text, "--count", "2", "-t", PATIENCE,
    ]);
    let endpoint = pull.endpoint();
    let paths =
        [from.join("large.bin"), from.join("empty")].map(|path| path.to_str().unwrap().to_owned());
    let sent = run(
        &[
            "push", &endpoint, "--file", &paths[0], "--file", &paths[1], "-t", PATIENCE,
        ],
        b"",
    );
    assert_eq!(sent.output(), "");
    pull.end().output();
    assert!(
        std::fs::read(into.join("large.bin")).unwrap() == octets,
        "the file was changed"
    );
    assert_eq!(std::fs::read(into.join("empty")).unwrap(), b"");
    assert_eq!(
        std::fs::read_dir(&into).unwrap().count(),
        2,
        "something unfinished was left"
    );
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn a_reader_that_leaves_ends_the_receiver_quietly() {
    let mut pull = start_open(&["pull", ANY, "-t", PATIENCE]);
    let endpoint = pull.endpoint();
    pull.stop_reading();
    run(&["push", &endpoint, "-m", "hello", "-t", PATIENCE], b"").output();
    let stderr = pull.end().failed(0);
    assert!(!stderr.contains("pipe"), "{stderr}");
}
