//! Every pattern between two sockets of the engine, over every transport.

mod support;

use support::*;
use zmq_engine::{Context, PatternOption, RecvError, SendFailure, Socket, SocketType};

#[test]
fn push_reaches_pull_in_order() {
    let context = Context::new().unwrap();
    for endpoint in endpoints("push-pull") {
        let pull = open(&context, SocketType::Pull);
        let endpoint = pull.bind(&endpoint).unwrap();
        let push = open(&context, SocketType::Push);
        push.connect(&endpoint).unwrap();
        for n in 0..5000_u32 {
            if n == 500 {
                until_connected(&push, 1);
            }
            // The marks are lower than the number of messages, so both ends must move on.
            while let Err(error) = push.try_send(n.to_string().into()) {
                assert!(error.is_would_block(), "{error}");
                assert_eq!(text(&recv(&pull)).len(), 1);
                drop(error);
            }
        }
    }
}

#[test]
fn a_thread_pushes_while_another_pulls_everything() {
    let context = Context::new().unwrap();
    for endpoint in endpoints("push-thread") {
        let pull = open(&context, SocketType::Pull);
        let endpoint = pull.bind(&endpoint).unwrap();
        let push = open(&context, SocketType::Push);
        push.connect(&endpoint).unwrap();
        let sender = std::thread::spawn(move || {
            for n in 0..50_000_u32 {
                send(&push, n.to_string());
            }
            push.close(Some(PATIENCE))
        });
        for n in 0..50_000_u32 {
            assert_eq!(text(&recv(&pull)), [n.to_string()]);
        }
        assert_eq!(sender.join().unwrap().unsent, 0);
    }
}

#[test]
fn request_and_reply_take_turns() {
    let context = Context::new().unwrap();
    for endpoint in endpoints("req-rep") {
        let rep = open(&context, SocketType::Rep);
        let endpoint = rep.bind(&endpoint).unwrap();
        let req = open(&context, SocketType::Req);
        req.connect(&endpoint).unwrap();
        for round in 0..20 {
            send(&req, frames(&["question", &round.to_string()]));
            assert_eq!(
                req.try_send("again".into()).unwrap_err().reason,
                SendFailure::WrongState(SocketType::Req)
            );
            assert_eq!(text(&recv(&rep)), ["question", &round.to_string()]);
            assert_eq!(
                rep.try_recv().unwrap_err(),
                RecvError::WrongState(SocketType::Rep)
            );
            send(&rep, "answer");
            assert_eq!(text(&recv(&req)), ["answer"]);
        }
    }
}

#[test]
fn router_knows_its_dealers_by_name() {
    let context = Context::new().unwrap();
    for endpoint in endpoints("router") {
        let router = open_with(&context, SocketType::Router, |options| {
            options.pattern.push(PatternOption::RouterMandatory(true));
        });
        let endpoint = router.bind(&endpoint).unwrap();
        let dealer = |name: &'static str| {
            let dealer = open_with(&context, SocketType::Dealer, |options| {
                options.routing_id = name.into();
            });
            dealer.connect(&endpoint).unwrap();
            dealer
        };
        let (anna, bert) = (dealer("anna"), dealer("bert"));
        until_connected(&router, 2);
        send(&router, frames(&["bert", "to bert"]));
        send(&router, frames(&["anna", "to", "anna"]));
        assert_eq!(text(&recv(&anna)), ["to", "anna"]);
        assert_eq!(text(&recv(&bert)), ["to bert"]);
        send(&anna, "from anna");
        assert_eq!(text(&recv(&router)), ["anna", "from anna"]);
        let refused = router.try_send(frames(&["carl", "x"])).unwrap_err();
        assert_eq!(refused.reason, SendFailure::Unroutable);
        assert_eq!(text(&refused.message), ["carl", "x"]);
    }
}

#[test]
fn subscribers_get_what_they_asked_for() {
    let context = Context::new().unwrap();
    for endpoint in endpoints("pub-sub") {
        let publisher = open(&context, SocketType::Pub);
        let endpoint = publisher.bind(&endpoint).unwrap();
        let fruit = open(&context, SocketType::Sub);
        fruit.subscribe(b"fruit.").unwrap();
        fruit.connect(&endpoint).unwrap();
        let all = open(&context, SocketType::Sub);
        all.connect(&endpoint).unwrap();
        all.subscribe(b"").unwrap();
        until_subscribed(&publisher, 2);
        send(&publisher, frames(&["fruit.apple", "1"]));
        send(&publisher, frames(&["tool.saw", "2"]));
        send(&publisher, frames(&["fruit.pear", "3"]));
        assert_eq!(text(&recv(&fruit)), ["fruit.apple", "1"]);
        assert_eq!(text(&recv(&fruit)), ["fruit.pear", "3"]);
        for expected in ["fruit.apple", "tool.saw", "fruit.pear"] {
            assert_eq!(text(&recv(&all))[0], expected);
        }
        assert_eq!(
            publisher.try_recv().unwrap_err(),
            RecvError::WrongDirection(SocketType::Pub)
        );
        fruit.unsubscribe(b"fruit.").unwrap();
        until(&publisher, |publisher| publisher.subscriber_count() == 1);
    }
}

/// A SUB that has left a topic after messages had come: all of `topics`, or as many as its mark lets in.
fn leaver(context: &Context, endpoint: &str, mark: u32, topics: &[&str]) -> (Socket, Socket) {
    let publisher = open(context, SocketType::Pub);
    let endpoint = publisher.bind(endpoint).unwrap();
    let subscriber = open_with(context, SocketType::Sub, |options| {
        options.recv_hwm = Some(mark);
    });
    subscriber.subscribe(b"left").unwrap();
    subscriber.subscribe(b"kept").unwrap();
    subscriber.connect(&endpoint).unwrap();
    until_subscribed(&publisher, 1);
    for topic in topics {
        send(&publisher, *topic);
    }
    let come = topics.len().min(mark as usize);
    until(&subscriber, |subscriber| {
        let peers = subscriber.peers();
        peers.iter().any(|peer| peer.queued_in >= come)
    });
    subscriber.unsubscribe(b"left").unwrap();
    (publisher, subscriber)
}

#[test]
fn what_a_subscriber_has_left_is_not_said_to_be_there() {
    let context = Context::new().unwrap();
    for endpoint in endpoints("left-topic") {
        let topics = ["left 1", "left 2", "kept", "left 3"];
        let (_publisher, subscriber) = leaver(&context, &endpoint, 1000, &topics);
        assert!(subscriber.events().readable, "{endpoint}");
        assert_eq!(text(&recv(&subscriber)), ["kept"]);
        assert!(!subscriber.events().readable, "{endpoint}");
        assert_eq!(subscriber.try_recv(), Err(RecvError::WouldBlock));
    }
}

#[test]
fn what_a_subscriber_has_left_does_not_hide_what_is_behind_it() {
    let context = Context::new().unwrap();
    for endpoint in endpoints("left-before") {
        let topics = [["left"; 8].as_slice(), &["kept"]].concat();
        let (_publisher, subscriber) = leaver(&context, &endpoint, 4, &topics);
        until(&subscriber, |subscriber| subscriber.events().readable);
        assert_eq!(text(&subscriber.try_recv().unwrap()), ["kept"]);
    }
}

#[test]
fn xpub_hears_of_subscriptions_and_xsub_makes_them() {
    let context = Context::new().unwrap();
    for endpoint in endpoints("xpub-xsub") {
        let xpub = open(&context, SocketType::XPub);
        let endpoint = xpub.bind(&endpoint).unwrap();
        let xsub = open(&context, SocketType::XSub);
        xsub.connect(&endpoint).unwrap();
        send(&xsub, "\u{1}news");
        assert_eq!(recv(&xpub).first(), b"\x01news");
        send(&xpub, frames(&["news", "of today"]));
        assert_eq!(text(&recv(&xsub)), ["news", "of today"]);
        send(&xsub, "upstream");
        assert_eq!(text(&recv(&xpub)), ["upstream"]);
        send(&xsub, "\0news");
        assert_eq!(recv(&xpub).first(), b"\0news");
    }
}

#[test]
fn a_pair_talks_both_ways_and_has_no_third() {
    let context = Context::new().unwrap();
    for endpoint in endpoints("pair") {
        let one = open(&context, SocketType::Pair);
        let endpoint = one.bind(&endpoint).unwrap();
        let two = open(&context, SocketType::Pair);
        two.connect(&endpoint).unwrap();
        send(&two, "ping");
        assert_eq!(text(&recv(&one)), ["ping"]);
        send(&one, "pong");
        assert_eq!(text(&recv(&two)), ["pong"]);
        let third = open(&context, SocketType::Pair);
        let monitor = third.monitor().unwrap();
        third.connect(&endpoint).unwrap();
        await_event(&monitor, |what| {
            matches!(what, zmq_engine::Happening::Closed { .. }).then_some(())
        });
        send(&two, "still here");
        assert_eq!(text(&recv(&one)), ["still here"]);
    }
}

#[test]
fn empty_and_large_frames_pass_unchanged() {
    let context = Context::new().unwrap();
    let large: Vec<u8> = (0..1_048_576_u32).map(|n| (n % 251) as u8).collect();
    for endpoint in endpoints("sizes") {
        let one = open(&context, SocketType::Dealer);
        let endpoint = one.bind(&endpoint).unwrap();
        let two = open(&context, SocketType::Dealer);
        two.connect(&endpoint).unwrap();
        let message: zmq_engine::Message = [
            zmq_engine::Frame::from(""),
            large.clone().into(),
            "".into(),
            vec![9; 255].into(),
            vec![9; 256].into(),
            vec![9; 8192].into(),
            "end".into(),
        ]
        .into();
        send(&two, message.clone());
        let echoed = recv(&one);
        assert_eq!(echoed, message);
        send(&one, echoed);
        assert_eq!(recv(&two), message);
    }
}
