//! Messages whose parts are given one by one.

mod support;

use std::time::Duration;

use support::*;
use zmq_engine::{Context, Frame, PatternOption, SendFailure, SocketOption, SocketType};

#[test]
fn the_peer_is_chosen_with_the_first_part_and_gets_the_message_whole() {
    let context = Context::new().unwrap();
    for (place, endpoint) in endpoints("parts").into_iter().enumerate() {
        let push = open(&context, SocketType::Push);
        let pulls = [
            open(&context, SocketType::Pull),
            open(&context, SocketType::Pull),
        ];
        let real = push.bind(&endpoint).unwrap();
        for pull in &pulls {
            pull.connect(&real).unwrap();
        }
        until_connected(&push, 2);
        for parts in [["a", "1"], ["b", "2"]] {
            let chosen = push.begin(&Frame::from(parts[0]), None).unwrap();
            push.commit(chosen, frames(&parts)).unwrap();
        }
        let mut got: Vec<_> = pulls.iter().map(|pull| text(&recv(pull))).collect();
        got.sort();
        assert_eq!(got, [["a", "1"], ["b", "2"]], "endpoint {place}");
    }
}

#[test]
fn what_would_be_refused_is_refused_with_the_first_part() {
    let context = Context::new().unwrap();
    let push = open(&context, SocketType::Push);
    let refused = push.try_begin(&Frame::from("a"));
    assert!(matches!(refused, Err(SendFailure::WouldBlock)));
    let refused = push.begin(&Frame::from("a"), Some(Duration::from_millis(10)));
    assert!(matches!(refused, Err(SendFailure::TimedOut)));
    let rep = open(&context, SocketType::Rep);
    let refused = rep.try_begin(&Frame::from("a"));
    assert!(matches!(refused, Err(SendFailure::WrongState(_))));
    let router = open(&context, SocketType::Router);
    let mandatory = SocketOption::Pattern(PatternOption::RouterMandatory(true));
    router.set(mandatory).unwrap();
    let refused = router.try_begin(&Frame::from("nobody"));
    assert!(matches!(refused, Err(SendFailure::Unroutable)));
    context.shutdown();
    let refused = push.try_begin(&Frame::from("a"));
    assert!(matches!(refused, Err(SendFailure::Terminated)));
}

#[test]
fn a_choice_that_is_given_up_sends_nothing() {
    let context = Context::new().unwrap();
    let req = open(&context, SocketType::Req);
    let rep = open(&context, SocketType::Rep);
    let real = rep.bind("inproc://given-up").unwrap();
    req.connect(&real).unwrap();
    let _ = req.begin(&Frame::from("a"), None).unwrap();
    send(&req, "b");
    assert_eq!(text(&recv(&rep)), ["b"]);
}

/// What it had sent is still to be received, so its queues are still there.
#[test]
fn a_peer_that_left_meanwhile_and_was_not_heard_out_keeps_nobody_from_closing() {
    let context = Context::new().unwrap();
    for endpoint in endpoints("not-heard-out") {
        let pair = open(&context, SocketType::Pair);
        let real = pair.bind(&endpoint).unwrap();
        let other = open(&context, SocketType::Pair);
        other.connect(&real).unwrap();
        for _ in 0..2 {
            send(&other, "unread");
        }
        let choice = pair.begin(&Frame::from("a"), None).unwrap();
        recv(&pair);
        assert_eq!(other.close(None).unsent, 0);
        until(&pair, |pair| pair.connected_peers() == 0);
        pair.commit(choice, frames(&["a", "1"])).unwrap();
        let lost: u64 = pair
            .counters()
            .losses()
            .iter()
            .map(|(_, count)| count)
            .sum();
        assert_eq!(lost, 1, "{endpoint}: {:?}", pair.counters());
        assert_eq!(text(&recv(&pair)), ["unread"]);
        assert_eq!(pair.close(Some(PATIENCE)).unsent, 0, "{endpoint}");
    }
}

#[test]
fn a_peer_that_left_meanwhile_is_counted_not_awaited() {
    let context = Context::new().unwrap();
    let push = open(&context, SocketType::Push);
    let real = push.bind("inproc://left-meanwhile").unwrap();
    let pull = open(&context, SocketType::Pull);
    pull.connect(&real).unwrap();
    let choice = push.begin(&Frame::from("a"), None).unwrap();
    pull.close(None);
    until(&push, |push| push.connected_peers() == 0);
    push.commit(choice, frames(&["a", "1"])).unwrap();
    let lost: u64 = push
        .counters()
        .losses()
        .iter()
        .map(|(_, count)| count)
        .sum();
    assert_eq!(lost, 1);
}
