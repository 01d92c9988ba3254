//! The verbs whose sockets do more than pass messages on.

mod shell;

use shell::{ANY, PATIENCE, run, start, start_open};

#[test]
fn a_publisher_waits_for_its_subscribers() {
    let lines = b"weather.oslo -3\nsports.chess 1-0\nweather.rome 18\n";
    let mut publisher = start(&["pub", ANY, "--subscribers", "2", "-t", PATIENCE], lines);
    let endpoint = publisher.endpoint();
    let weather = start_open(&[
        "sub", &endpoint, "-S", "weather.", "--count", "2", "-t", PATIENCE,
    ]);
    let all = run(&["sub", &endpoint, "--count", "3", "-t", PATIENCE], b"").octets();
    assert_eq!(all, lines);
    assert_eq!(weather.end().output(), "weather.oslo -3\nweather.rome 18\n");
    publisher.end().output();
}

#[test]
fn a_topic_is_a_frame_of_its_own() {
    let mut publisher = start(
        &["pub", ANY, "--topic", "t", "-m", "body", "-t", PATIENCE],
        b"",
    );
    let endpoint = publisher.endpoint();
    let got = run(
        &[
            "sub", &endpoint, "-S", "t", "-n", "1", "-f", "json", "-t", PATIENCE,
        ],
        b"",
    )
    .output();
    assert_eq!(got, "[\"t\",\"body\"]\n");
    publisher.end().output();
}

#[test]
fn an_xpub_shows_subscriptions() {
    let words = [
        "xpub",
        ANY,
        "--subscribers",
        "0",
        "--count",
        "1",
        "-f",
        "hex",
        "-t",
        PATIENCE,
    ];
    let mut publisher = start_open(&words);
    let endpoint = publisher.endpoint();
    let _subscriber = start_open(&["xsub", &endpoint, "-S", "abc", "-t", PATIENCE]);
    assert_eq!(publisher.end().output(), "01616263\n");
}

#[test]
fn requests_get_their_replies() {
    for (answer, expected) in [
        (&["--echo"][..], "one\ntwo\n"),
        (&["--reply", "pong"], "pong\npong\n"),
        (&["--exec", "tr a-z A-Z"], "ONE\nTWO\n"),
    ] {
        let mut rep =
            start_open(&[&["rep", ANY, "--count", "2", "-t", PATIENCE][..], answer].concat());
        let endpoint = rep.endpoint();
        let replies = run(&["req", &endpoint, "-t", PATIENCE], b"one\ntwo\n").output();
        assert_eq!(replies, expected);
        rep.end().output();
    }
}

#[test]
fn a_service_answers_from_its_input() {
    let mut rep = start(&["rep", ANY, "--count", "1", "-t", PATIENCE], b"42\n");
    let endpoint = rep.endpoint();
    let reply = run(
        &["req", &endpoint, "-m", "the answer?", "-t", PATIENCE],
        b"",
    )
    .output();
    assert_eq!(reply, "42\n");
    assert_eq!(rep.end().output(), "the answer?\n");
}

#[test]
fn a_router_names_its_peers() {
    let mut router = start(&["router", ANY, "--count", "1", "-t", PATIENCE], b"");
    let endpoint = router.endpoint();
    let words = [
        "dealer",
        &endpoint,
        "--routing-id",
        "worker-7",
        "-m",
        "ready",
        "-t",
        "300",
    ];
    let dealer = start_open(&words);
    assert_eq!(router.end().output(), "worker-7\tready\n");
    dealer.end().failed(3);
}

#[test]
fn a_router_answers_by_name() {
    let words = [
        "dealer",
        ANY,
        "--routing-id",
        "a",
        "--count",
        "1",
        "-t",
        PATIENCE,
    ];
    let mut dealer = start_open(&words);
    let endpoint = dealer.endpoint();
    // It cannot answer before it has met the peer, and `-v` tells when it has.
    let mut router = start_open(&["router", &endpoint, "--verbose", "-t", PATIENCE]);
    router.line("ready, a DEALER");
    router.say("a\thello\n");
    assert_eq!(dealer.end().output(), "hello\n");
}

#[test]
fn a_message_for_an_unknown_peer_is_an_error() {
    let stderr = run(&["router", ANY, "-m", "nobody\thello", "-t", PATIENCE], b"").failed(1);
    assert!(stderr.contains("routing id"), "{stderr}");
}

#[test]
fn a_pair_talks_both_ways_at_once() {
    let mut here = start(&["pair", ANY, "--count", "2", "-t", PATIENCE], b"a\nb\n");
    let endpoint = here.endpoint();
    let there = run(
        &["pair", &endpoint, "--count", "2", "-t", PATIENCE],
        b"c\nd\n",
    )
    .output();
    assert_eq!(there, "a\nb\n");
    assert_eq!(here.end().output(), "c\nd\n");
}

#[test]
fn a_conversation_ends_when_its_input_has_ended_too() {
    let mut here = start_open(&["pair", ANY, "--count", "1", "-t", PATIENCE]);
    let endpoint = here.endpoint();
    let words = [
        "pair", &endpoint, "--count", "1", "-m", "first", "-t", PATIENCE,
    ];
    let there = start_open(&words);
    here.heard("first\n");
    here.say("second\n");
    assert_eq!(there.end().output(), "second\n");
    here.end().output();
}

#[test]
fn an_input_that_does_not_end_is_waited_for_no_longer_than_asked() {
    let mut here = start_open(&["pair", ANY, "--count", "1", "-t", "300"]);
    let endpoint = here.endpoint();
    let there = start_open(&["pair", &endpoint, "-m", "hello", "-t", PATIENCE]);
    here.heard("hello\n");
    here.line("the input has not ended");
    drop(there);
}

#[test]
fn a_proxy_carries_requests_and_replies() {
    let mut proxy = start_open(&["proxy", ANY, ANY]);
    let (front, back) = (proxy.endpoint(), proxy.endpoint());
    let rep = start_open(&["rep", &back, "--echo", "--count", "2", "-t", PATIENCE]);
    let replies = run(&["req", &front, "-t", PATIENCE], b"one\ntwo\n").output();
    assert_eq!(replies, "one\ntwo\n");
    rep.end().output();
}

#[test]
fn a_proxy_carries_subscriptions_upstream() {
    let mut proxy = start_open(&["proxy", ANY, ANY, "--type", "forwarder"]);
    let (front, back) = (proxy.endpoint(), proxy.endpoint());
    let publisher = start(&["pub", &front, "-t", PATIENCE], b"b no\na yes\n");
    let got = run(
        &["sub", &back, "-S", "a", "--count", "1", "-t", PATIENCE],
        b"",
    )
    .output();
    assert_eq!(got, "a yes\n");
    publisher.end().output();
}
