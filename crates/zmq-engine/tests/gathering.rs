//! What gathers for an inproc peer reaches it without anything else being done.

mod support;

use std::thread;
use std::time::Duration;

use support::*;
use zmq_engine::{Context, Loss, Socket, SocketOption, SocketType};

const SOON: Option<Duration> = Some(Duration::from_secs(5));

fn pair(context: &Context, name: &str) -> (Socket, Socket) {
    let pull = open(context, SocketType::Pull);
    pull.bind(&format!("inproc://{name}")).unwrap();
    let push = open(context, SocketType::Push);
    push.connect(&format!("inproc://{name}")).unwrap();
    (push, pull)
}

#[test]
fn everything_sent_is_there_to_receive_at_once() {
    let context = Context::new().unwrap();
    let (push, pull) = pair(&context, "at-once");
    for count in [1, 2, 3, 63, 64, 65, 66, 200, 1000] {
        for n in 0..count {
            send(&push, n.to_string());
        }
        assert!(pull.events().readable, "{count}");
        for n in 0..count {
            let got = pull.try_recv().map(|message| text(&message));
            assert_eq!(got, Ok(vec![n.to_string()]), "of {count}");
        }
        assert!(!pull.events().readable, "{count}");
        assert!(pull.try_recv().is_err(), "{count}");
    }
}

#[test]
fn bursts_of_any_length_reach_a_reader_that_waits() {
    let context = Context::new().unwrap();
    let (push, pull) = pair(&context, "bursts");
    let (back, answers) = pair(&context, "answers");
    thread::scope(|scope| {
        scope.spawn(|| {
            for round in 0..20_000_usize {
                for n in 0..=round % 7 {
                    send(&push, n.to_string());
                }
                // Silent from here on: whatever has gathered must be fetched by the reader.
                answers.recv(SOON).expect("an answer");
            }
        });
        for round in 0..20_000_usize {
            for n in 0..=round % 7 {
                let got = pull.recv(SOON).expect("a message");
                assert_eq!(text(&got), [n.to_string()]);
            }
            send(&back, "done");
        }
    });
}

#[test]
fn the_first_message_to_a_peer_that_has_changed_its_marks_is_received() {
    let context = Context::new().unwrap();
    let pull = open(&context, SocketType::Pull);
    let push = open(&context, SocketType::Push);
    push.bind("inproc://changed").unwrap();
    pull.connect("inproc://changed").unwrap();
    // The writer counts its room anew before it has sent anything, and its first message gathers.
    pull.set(SocketOption::RecvHwm(Some(10))).unwrap();
    send(&push, "first");
    assert_eq!(text(&pull.recv(SOON).expect("a message")), ["first"]);
}

#[test]
fn a_peer_that_fell_silent_is_heard_beside_one_that_never_does() {
    let context = Context::new().unwrap();
    let (busy, pull) = pair(&context, "beside");
    let quiet = open(&context, SocketType::Push);
    quiet.connect("inproc://beside").unwrap();
    let mut quiet_ones = 0;
    for n in 0..5 {
        send(&quiet, format!("quiet {n}"));
    }
    for _ in 0..1000 {
        send(&busy, "busy");
        send(&busy, "busy");
        quiet_ones += usize::from(text(&recv(&pull))[0].starts_with("quiet"));
    }
    assert_eq!(quiet_ones, 5);
}

#[test]
fn what_has_gathered_is_not_lost_when_either_end_closes() {
    let context = Context::new().unwrap();
    for count in [1, 5, 64, 100] {
        let (push, pull) = pair(&context, &format!("sender-closes-{count}"));
        for n in 0..count {
            send(&push, n.to_string());
        }
        assert_eq!(push.close(None).unsent, 0);
        for n in 0..count {
            assert_eq!(text(&pull.recv(SOON).unwrap()), [n.to_string()]);
        }

        let (push, pull) = pair(&context, &format!("reader-closes-{count}"));
        for n in 0..count {
            send(&push, n.to_string());
        }
        let unread = pull.counters();
        pull.close(None);
        until(&push, |push| push.connected_peers() == 0);
        let sent = push.counters();
        assert_eq!(sent.accepted, count);
        assert_eq!(sent.transmitted + sent.lost(Loss::PeerLeft), count);
        assert_eq!(unread.delivered, 0);
    }
}

#[test]
fn marks_hold_for_what_has_gathered() {
    let context = Context::new().unwrap();
    for mark in [1, 2, 7, 63, 64, 65, 150] {
        let name = format!("inproc://marks-{mark}");
        let pull = open_with(&context, SocketType::Pull, |options| {
            options.recv_hwm = Some(mark);
        });
        pull.bind(&name).unwrap();
        let push = open_with(&context, SocketType::Push, |options| {
            options.send_hwm = Some(mark);
        });
        push.connect(&name).unwrap();
        for round in 0..3 {
            let mut sent = 0;
            while push.try_send("x".into()).is_ok() {
                sent += 1;
            }
            assert_eq!(sent, 2 * mark, "mark {mark}, round {round}");
            for _ in 0..sent {
                pull.try_recv().expect("all that was sent");
            }
        }
    }
}
