//! The same on threads, without any executor.

use std::thread;
use std::time::Duration;

use zmq::blocking::{Dealer, Pair, Pub, Pull, Push, Rep, Req, Router, Sub, XPub, XSub};
use zmq::{Context, Message, RecvError, RequestError, RoutingId, SendFailure, XPubEvent};

use crate::runtimes::{endpoints, within_patience};

#[test]
fn every_pattern_works_on_threads() {
    within_patience("threads", || {
        for place in endpoints() {
            let context = Context::new();

            let (push, pull) = (Push::new(&context), Pull::new(&context));
            push.connect(pull.bind(&place)?)?;
            push.send("work")?;
            assert_eq!(pull.recv()?, Message::from("work"));
            pull.close();

            let (left, right) = (Pair::new(&context), Pair::new(&context));
            left.connect(right.bind(other(&place))?)?;
            left.send("ping")?;
            assert_eq!(right.recv()?, Message::from("ping"));
            right.close();

            let (router, dealer) = (
                Router::new(&context),
                Dealer::options().routing_id("dealer").open(&context),
            );
            dealer.connect(router.bind(another(&place))?)?;
            router.ready(1)?;
            router.send_to(&"dealer".into(), "hello")?;
            assert_eq!(dealer.recv()?, Message::from("hello"));
            dealer.send("hello")?;
            let id = RoutingId::from("dealer");
            assert_eq!(router.recv()?, (id, Message::from("hello")));
        }
        Ok(())
    });
}

/// A second place like the first; tcp ports are chosen anew anyhow.
fn other(place: &str) -> String {
    if place.starts_with("tcp") {
        place.to_owned()
    } else {
        format!("{place}-other")
    }
}

fn another(place: &str) -> String {
    other(&other(place))
}

#[test]
fn publications_reach_subscribers_on_threads() {
    within_patience("threads", || {
        for place in endpoints() {
            let context = Context::new();
            let (publisher, subscriber) = (Pub::new(&context), Sub::new(&context));
            subscriber.connect(publisher.bind(&place)?)?;
            subscriber.subscribe("b")?;
            publisher.subscribers(1)?;
            publisher.send("a")?;
            publisher.send("b")?;
            assert_eq!(subscriber.recv()?, Message::from("b"));

            let (publisher, subscriber) = (XPub::new(&context), XSub::new(&context));
            subscriber.connect(publisher.bind(other(&place))?)?;
            subscriber.subscribe("c")?;
            assert_eq!(publisher.recv()?, XPubEvent::Subscribed("c".into()));
            publisher.send("c")?;
            assert_eq!(subscriber.recv()?, Message::from("c"));
        }
        Ok(())
    });
}

/// However many subscribers keep it, a message that was published takes memory once.
#[test]
fn subscribers_of_one_process_share_what_was_published() {
    within_patience("threads", || {
        let context = Context::new();
        let publisher = Pub::new(&context);
        let endpoint = publisher.bind("inproc://shared")?;
        let (one, other) = (Sub::new(&context), Sub::new(&context));
        for subscriber in [&one, &other] {
            subscriber.connect(&endpoint)?;
            subscriber.subscribe("")?;
        }
        publisher.subscribers(2)?;
        for length in [65, 500, 1024, 5000] {
            for _ in 0..5 {
                publisher.send(vec![7; 5000].get(..length).unwrap())?;
            }
            for _ in 0..5 {
                let copies = [one.recv()?, other.recv()?];
                assert_eq!(copies[0], copies[1]);
                let places = copies.map(|message| message.first().as_ptr());
                assert_eq!(places[0], places[1], "{length} octets");
            }
        }
        Ok(())
    });
}

#[test]
fn requests_work_on_threads_and_after_giving_up() {
    within_patience("threads", || {
        for place in endpoints() {
            let context = Context::new();
            let (req, rep) = (Req::new(&context), Rep::new(&context));
            req.connect(rep.bind(&place)?)?;
            let early = req.request_timeout("nobody works yet", Duration::from_millis(1));
            assert!(matches!(early, Err(RequestError::NoReply(_))), "{early:?}");
            thread::scope(|scope| {
                scope.spawn(|| {
                    for request in 0..41 {
                        let (message, responder) = rep.recv().expect("a request").into_parts();
                        responder.reply(message).expect("the context lives");
                        assert!(request < 41);
                    }
                });
                for asker in ["a", "b"] {
                    let req = &req;
                    scope.spawn(move || {
                        for _ in 0..20 {
                            let reply = req.request(asker).expect("a reply");
                            assert_eq!(reply, Message::from(asker));
                        }
                    });
                }
            });
        }
        Ok(())
    });
}

#[test]
fn time_limits_hold() {
    within_patience("threads", || {
        let context = Context::new();
        let (push, pull) = (Push::new(&context), Pull::new(&context));
        let short = Duration::from_millis(1);
        assert!(matches!(pull.recv_timeout(short), Err(RecvError::TimedOut)));
        assert!(matches!(pull.try_recv(), Err(RecvError::WouldBlock)));
        let error = push.send_timeout("kept", short).expect_err("nobody");
        assert!(matches!(error.reason(), SendFailure::TimedOut));
        assert_eq!(error.into_message(), Message::from("kept"));
        let error = push.ready_timeout(1, short).expect_err("nobody");
        assert_eq!(error.found(), 0);
        Ok(())
    });
}

#[test]
fn a_receiver_that_sleeps_is_woken_by_a_message_and_by_the_end() {
    within_patience("threads", || {
        for place in endpoints() {
            let context = Context::new();
            let (push, pull) = (Push::new(&context), Pull::new(&context));
            push.connect(pull.bind(&place)?)?;
            thread::scope(|scope| {
                let receiver = scope.spawn(|| {
                    let received = pull.incoming().map(|message| message.expect("one"));
                    received.count()
                });
                for _ in 0..100 {
                    push.send("x").expect("the context lives");
                }
                // The socket that has received them all is the only one that knows.
                while pull.counters().delivered < 100 {
                    thread::yield_now();
                }
                context.shutdown();
                assert_eq!(receiver.join().expect("no panic"), 100);
            });
        }
        Ok(())
    });
}

#[test]
fn a_sender_that_waits_for_room_goes_on_when_there_is_some() {
    within_patience("threads", || {
        for place in endpoints() {
            let context = Context::new();
            let push = Push::options().send_hwm(2).open(&context);
            let pull = Pull::options().recv_hwm(2).open(&context);
            push.connect(pull.bind(&place)?)?;
            thread::scope(|scope| {
                scope.spawn(|| {
                    for number in 0..5_000_u32 {
                        push.send(number.to_be_bytes()).expect("the context lives");
                    }
                });
                for number in 0..5_000_u32 {
                    let message = pull.recv().expect("the context lives");
                    assert_eq!(message, Message::from(number.to_be_bytes()));
                }
            });
        }
        Ok(())
    });
}

#[test]
fn a_socket_can_change_sides() {
    within_patience("a bare loop", || {
        let context = Context::new();
        let (push, pull) = (Push::new(&context), zmq::Pull::new(&context));
        push.connect(crate::runtimes::block_on(pull.bind("tcp://127.0.0.1:0"))?)?;
        push.send("x")?;
        let pull = Pull::from(pull);
        assert_eq!(pull.recv()?, Message::from("x"));
        Ok(())
    });
}
