//! Connecting, losing, queueing, closing.

mod support;

use std::time::Duration;

use support::*;
use zmq_engine::{
    CloseReason, Context, EndpointProblem, Happening, Loss, RecvError, SendFailure, SocketOption,
    SocketType,
};

#[test]
fn connect_before_bind_keeps_what_was_sent() {
    let context = Context::new().unwrap();
    let path = format!("ipc://@zmq-engine-{}-early", std::process::id());
    for endpoint in [path, "inproc://early".to_owned()] {
        let push = open_with(&context, SocketType::Push, |options| {
            options.reconnect.initial = Some(Duration::from_millis(5));
        });
        push.connect(&endpoint).unwrap();
        send(&push, "first");
        let pull = open(&context, SocketType::Pull);
        pull.bind(&endpoint).unwrap();
        assert_eq!(text(&recv(&pull)), ["first"]);
    }
}

#[test]
fn the_mark_of_an_unconnected_socket_is_exact() {
    let context = Context::new().unwrap();
    let push = open_with(&context, SocketType::Push, |options| {
        options.send_hwm = Some(5);
    });
    assert_eq!(
        push.try_send("nobody".into()).unwrap_err().reason,
        SendFailure::WouldBlock
    );
    push.connect("tcp://127.0.0.1:1").unwrap();
    for _ in 0..5 {
        push.try_send("queued".into()).unwrap();
    }
    assert!(push.try_send("one too many".into()).is_err());
}

#[test]
fn the_marks_of_inproc_add_up() {
    let context = Context::new().unwrap();
    let pull = open_with(&context, SocketType::Pull, |options| {
        options.recv_hwm = Some(4);
    });
    pull.bind("inproc://sum").unwrap();
    let push = open_with(&context, SocketType::Push, |options| {
        options.send_hwm = Some(3);
    });
    push.connect("inproc://sum").unwrap();
    let mut accepted = 0;
    while push.try_send("x".into()).is_ok() {
        accepted += 1;
    }
    assert_eq!(accepted, 7);
    for _ in 0..7 {
        recv(&pull);
    }
    assert_eq!(pull.try_recv().unwrap_err(), RecvError::WouldBlock);
    push.try_send("room again".into()).unwrap();
}

/// However a reader takes its messages, one by one or many at once, the writer is given room by half the sum of the marks.
#[test]
fn room_comes_back_by_the_half_of_the_marks_of_inproc() {
    let context = Context::new().unwrap();
    for (mark, read) in (1..=5).flat_map(|mark| (0..=11).map(move |read| (mark, read))) {
        let pull = open_with(&context, SocketType::Pull, |options| {
            options.recv_hwm = Some(mark);
        });
        let endpoint = format!("inproc://half-{mark}-{read}");
        pull.bind(&endpoint).unwrap();
        let push = open_with(&context, SocketType::Push, |options| {
            options.send_hwm = Some(mark);
        });
        push.connect(&endpoint).unwrap();
        for _ in 0..read {
            push.try_send("x".into()).unwrap();
            recv(&pull);
        }
        let mut accepted = read;
        while push.try_send("x".into()).is_ok() {
            accepted += 1;
        }
        assert_eq!(
            accepted,
            2 * mark + read / mark * mark,
            "{read} read at a mark of {mark}"
        );
        for _ in read..accepted {
            recv(&pull);
        }
        send(&push, "room again");
    }
}

#[test]
fn a_full_peer_blocks_its_sender_until_it_reads() {
    let context = Context::new().unwrap();
    let pull = open_with(&context, SocketType::Pull, |options| {
        options.recv_hwm = Some(10);
    });
    let endpoint = pull.bind("tcp://127.0.0.1:0").unwrap();
    let push = open_with(&context, SocketType::Push, |options| {
        options.send_hwm = Some(10);
    });
    push.connect(&endpoint).unwrap();
    let body = vec![1_u8; 100_000];
    let mut accepted = 0;
    loop {
        match push.send(body.as_slice().into(), Some(Duration::from_millis(300))) {
            Ok(()) => accepted += 1,
            Err(error) => {
                assert_eq!(error.reason, SendFailure::TimedOut);
                break;
            }
        }
        assert!(accepted < 5_000, "nothing held the sender back");
    }
    let reader = std::thread::spawn(move || {
        for _ in 0..=accepted {
            assert_eq!(recv(&pull).byte_len(), 100_000);
        }
        pull
    });
    send(&push, body);
    drop(reader.join().unwrap());
}

#[test]
fn a_lost_peer_is_dialed_again_and_the_queue_survives() {
    let context = Context::new().unwrap();
    let pull = open(&context, SocketType::Pull);
    let endpoint = pull.bind("tcp://127.0.0.1:0").unwrap();
    let push = open_with(&context, SocketType::Push, |options| {
        options.reconnect.initial = Some(Duration::from_millis(5));
    });
    let monitor = push.monitor().unwrap();
    push.connect(&endpoint).unwrap();
    send(&push, "one");
    assert_eq!(text(&recv(&pull)), ["one"]);
    pull.close(None);
    let reason = await_event(&monitor, |what| match what {
        Happening::Closed {
            reason,
            was_ready: true,
            ..
        } => Some(reason.clone()),
        _ => None,
    });
    assert!(
        matches!(reason, CloseReason::ByPeer | CloseReason::Io { .. }),
        "{reason}"
    );
    send(&push, "two");
    let pull = open(&context, SocketType::Pull);
    pull.bind(&endpoint).unwrap();
    assert_eq!(text(&recv(&pull)), ["two"]);
}

#[test]
fn close_reports_what_could_not_leave() {
    let context = Context::new().unwrap();
    let push = open(&context, SocketType::Push);
    push.connect("tcp://127.0.0.1:1").unwrap();
    for _ in 0..3 {
        send(&push, "nobody listens");
    }
    let report = push.close(Some(Duration::from_millis(20)));
    assert_eq!(report.unsent, 3);
    assert_eq!(push.counters().lost(Loss::Lingered), 3);
    assert_eq!(
        push.try_send("late".into()).unwrap_err().reason,
        SendFailure::Closed
    );
}

#[test]
fn lingering_lets_everything_out() {
    let context = Context::new().unwrap();
    for endpoint in endpoints("linger") {
        let pull = open(&context, SocketType::Pull);
        let endpoint = pull.bind(&endpoint).unwrap();
        let push = open(&context, SocketType::Push);
        push.connect(&endpoint).unwrap();
        for n in 0..900 {
            send(&push, n.to_string());
        }
        let receiver = std::thread::spawn(move || {
            for n in 0..900 {
                assert_eq!(text(&recv(&pull)), [n.to_string()]);
            }
        });
        assert_eq!(push.close(None).unsent, 0);
        receiver.join().unwrap();
    }
}

#[test]
fn shutdown_ends_every_wait() {
    let context = Context::new().unwrap();
    let pull = open(&context, SocketType::Pull);
    pull.bind("tcp://127.0.0.1:0").unwrap();
    let push = open(&context, SocketType::Push);
    std::thread::scope(|scope| {
        let receiver = scope.spawn(|| pull.recv(None).unwrap_err());
        let sender = scope.spawn(|| push.send("x".into(), None).unwrap_err().reason);
        context.shutdown();
        assert_eq!(receiver.join().unwrap(), RecvError::Terminated);
        assert_eq!(sender.join().unwrap(), SendFailure::Terminated);
    });
    drop((pull, push));
    assert!(context.terminate(Some(PATIENCE)).unwrap());
}

#[test]
fn endpoints_are_taken_back() {
    let context = Context::new().unwrap();
    for endpoint in endpoints("unbind") {
        let pull = open(&context, SocketType::Pull);
        let real = pull.bind(&endpoint).unwrap();
        let push = open(&context, SocketType::Push);
        push.connect(&real).unwrap();
        send(&push, "x");
        recv(&pull);
        push.disconnect(&real).unwrap();
        until(&pull, |pull| pull.connected_peers() == 0);
        assert!(matches!(
            push.disconnect(&real).unwrap_err().problem,
            EndpointProblem::Unknown
        ));
        pull.unbind(&real).unwrap();
        assert!(pull.bound_endpoints().is_empty());
        let other = open(&context, SocketType::Pull);
        let monitor = pull.monitor().unwrap();
        drop(monitor);
        // Free again at once for inproc, and for the others as soon as the driver has let go.
        let mut tries = 0;
        while let Err(error) = other.bind(&real) {
            tries += 1;
            assert!(tries < 1_000_000, "{error}");
            std::thread::yield_now();
        }
    }
}

#[test]
fn a_bad_endpoint_says_what_is_wrong() {
    let context = Context::new().unwrap();
    let socket = open(&context, SocketType::Push);
    for endpoint in [
        "nonsense",
        "tcp://",
        "carrier://pigeon",
        "tcp://host",
        "inproc://",
    ] {
        let error = socket.connect(endpoint).unwrap_err();
        assert!(
            matches!(error.problem, EndpointProblem::Address(_)),
            "{error}"
        );
        assert!(error.to_string().contains(endpoint), "{error}");
    }
    let taken = open(&context, SocketType::Pull);
    taken.bind("inproc://taken").unwrap();
    let error = open(&context, SocketType::Pull)
        .bind("inproc://taken")
        .unwrap_err();
    assert!(matches!(error.problem, EndpointProblem::InUse), "{error}");
    let error = open(&context, SocketType::Req)
        .connect("inproc://taken")
        .unwrap_err();
    assert!(
        matches!(error.problem, EndpointProblem::Incompatible { .. }),
        "{error}"
    );
}

#[test]
fn marks_change_while_a_socket_lives() {
    let context = Context::new().unwrap();
    let push = open_with(&context, SocketType::Push, |options| {
        options.send_hwm = Some(2);
    });
    push.connect("tcp://127.0.0.1:1").unwrap();
    push.try_send("1".into()).unwrap();
    push.try_send("2".into()).unwrap();
    assert!(push.try_send("3".into()).is_err());
    push.set(SocketOption::SendHwm(Some(3))).unwrap();
    push.try_send("3".into()).unwrap();
    assert!(push.try_send("4".into()).is_err());
}

#[test]
fn heartbeats_keep_a_quiet_link_and_end_a_dead_one() {
    let context = Context::new().unwrap();
    let beat = zmq_engine::Heartbeat {
        interval: Duration::from_millis(20),
        timeout: Duration::from_millis(200),
        ttl: Duration::ZERO,
    };
    let pull = open_with(&context, SocketType::Pull, |options| {
        options.heartbeat = Some(beat);
    });
    let monitor = pull.monitor().unwrap();
    let endpoint = pull.bind("tcp://127.0.0.1:0").unwrap();
    let push = open(&context, SocketType::Push);
    push.connect(&endpoint).unwrap();
    until_connected(&pull, 1);
    // Many intervals pass without a message, and the link stays.
    assert_eq!(
        pull.recv(Some(Duration::from_millis(500))).unwrap_err(),
        RecvError::TimedOut
    );
    assert_eq!(pull.connected_peers(), 1);
    drop(push);
    await_event(&monitor, |what| {
        matches!(
            what,
            Happening::Closed {
                was_ready: true,
                ..
            }
        )
        .then_some(())
    });
}

#[test]
fn conflate_keeps_the_newest() {
    let context = Context::new().unwrap();
    let pull = open_with(&context, SocketType::Pull, |options| {
        options.conflate = true
    });
    pull.bind("inproc://newest").unwrap();
    let push = open(&context, SocketType::Push);
    push.connect("inproc://newest").unwrap();
    for n in 0..10 {
        send(&push, n.to_string());
    }
    assert_eq!(text(&recv(&pull)), ["9"]);
    assert_eq!(pull.counters().lost(Loss::Conflated), 9);
}
