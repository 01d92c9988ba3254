//! The tour shows what it promises, and ends.

mod shell;

use shell::run;

#[test]
fn every_stop_goes_as_it_should() {
    let listed = run(&["tour", "--list"], b"").output();
    let stops = listed.lines().count();
    let ended = run(&["tour"], b"");
    assert_eq!(
        ended.code,
        Some(0),
        "{}\n{}",
        String::from_utf8_lossy(&ended.stdout),
        ended.stderr
    );
    let output = ended.output();
    assert!(
        output.contains(&format!("{stops} of {stops} stops went as they should")),
        "{output}"
    );
    for transport in ["tcp", "ipc", "inproc"] {
        assert!(output.contains(transport), "{transport}: {output}");
    }
    assert!(
        !output.contains('\u{1b}'),
        "colour where there is no terminal"
    );
}

#[test]
fn a_single_stop_can_be_made() {
    let output = run(&["tour", "--only", "marks"], b"").output();
    assert!(output.contains("1 of 1 stops"), "{output}");
}
