//! Options do what they say.

use std::time::Duration;

use futures_lite::future::{self, FutureExt};
use zmq::{
    Context, Dealer, EndpointFault, Frame, Message, Pub, Pull, Push, Rep, Req, Router, RoutingId,
    Sub, Verbosity, XPub, XPubEvent,
};

use crate::runtimes::{Outcome, endpoints, on_a_bare_loop, on_every_executor, poll_at_most};

#[test]
fn a_conflating_socket_keeps_the_newest_message() {
    on_a_bare_loop(|| async {
        let context = Context::new();
        let (push, pull) = (
            Push::options().conflate(true).open(&context),
            Pull::new(&context),
        );
        push.connect("inproc://newest")?;
        for text in ["old", "older still", "new"] {
            push.send(text).await?;
        }
        pull.bind("inproc://newest").await?;
        assert_eq!(pull.recv().await?, Message::from("new"));
        assert!(pull.try_recv().is_err());
        Ok(())
    });
}

#[test]
fn an_immediate_socket_queues_for_nobody_who_is_not_there() {
    on_a_bare_loop(|| async {
        let context = Context::new();
        let push = Push::options().immediate(true).open(&context);
        let pull = Pull::new(&context);
        let endpoint = pull.bind("tcp://127.0.0.1:0").await?;
        push.connect("ipc:///nobody/is/here")?;
        assert!(
            push.try_send("x")
                .is_err_and(|error| error.is_would_block())
        );
        push.connect(&endpoint)?;
        push.send("x").await?;
        assert_eq!(pull.recv().await?, Message::from("x"));
        Ok(())
    });
}

#[test]
fn properties_are_told_and_attached() {
    on_a_bare_loop(|| async {
        let context = Context::new();
        let push = Push::options().property("X-Name", "anna").open(&context);
        let pull = Pull::options().attach_properties(true).open(&context);
        push.connect(pull.bind("tcp://127.0.0.1:0").await?)?;
        push.send("x").await?;
        let message = pull.recv().await?;
        let properties = message.properties().ok_or("they were asked for")?;
        assert_eq!(
            properties.get("x-name").map(|name| &name[..]),
            Some(&b"anna"[..])
        );
        Ok(())
    });
}

#[test]
fn a_router_hands_a_name_over_only_if_told_to() {
    on_a_bare_loop(|| async {
        for handover in [false, true] {
            let context = Context::new();
            let router = Router::options().handover(handover).open(&context);
            let endpoint = router.bind("tcp://127.0.0.1:0").await?;
            let named = || Dealer::options().routing_id("anna").open(&context);
            let (old, new) = (named(), named());
            old.connect(&endpoint)?;
            old.send("from the old one").await?;
            router.recv().await?;
            new.connect(&endpoint)?;
            if handover {
                new.send("from the new one").await?;
                router.recv().await?;
                router.send_to(&"anna".into(), "for the new one").await?;
                assert_eq!(new.recv().await?, Message::from("for the new one"));
            } else {
                let mut events = router.monitor()?;
                loop {
                    let event = events.next().await.ok_or("the socket lives")?;
                    if matches!(event.what, zmq::monitor::Happening::Closed { .. }) {
                        break;
                    }
                }
                router.send_to(&"anna".into(), "for the old one").await?;
                assert_eq!(old.recv().await?, Message::from("for the old one"));
            }
        }
        Ok(())
    });
}

#[test]
fn a_router_that_need_not_route_drops_and_counts() {
    on_a_bare_loop(|| async {
        let context = Context::new();
        let router = Router::options().mandatory(false).open(&context);
        router.send_to(&"nobody".into(), "x").await?;
        let lost: u64 = router
            .counters()
            .losses()
            .iter()
            .map(|(_, count)| count)
            .sum();
        assert_eq!(lost, 1);
        Ok(())
    });
}

#[test]
fn a_name_must_be_one() {
    on_a_bare_loop(|| async {
        let context = Context::new();
        assert!(
            Dealer::options()
                .routing_id([0, 1])
                .try_open(&context)
                .is_err()
        );
        assert!(
            Dealer::options()
                .routing_id([1; 256])
                .try_open(&context)
                .is_err()
        );
        assert!(
            Dealer::options()
                .routing_id([1; 255])
                .try_open(&context)
                .is_ok()
        );
        let router = Router::new(&context);
        let error = router
            .connect_as("tcp://127.0.0.1:1", &RoutingId::from([0, 1]))
            .expect_err("made-up names are not for applications");
        assert_eq!(error.fault(), EndpointFault::BadName, "{error}");
        Ok(())
    });
}

#[test]
fn a_router_sees_the_plain_envelope_of_an_uncorrelated_request() {
    on_a_bare_loop(|| async {
        let context = Context::new();
        for (correlate, frames) in [(false, 2), (true, 3)] {
            let req = Req::options().correlate(correlate).open(&context);
            let router = Router::new(&context);
            req.connect(router.bind("tcp://127.0.0.1:0").await?)?;
            let answering = async {
                let (peer, request) = router.recv().await?;
                assert_eq!(request.len(), frames);
                router.send_to(&peer, request).await?;
                Outcome::Ok(())
            };
            let asking = async {
                assert_eq!(req.request("?").await?, Message::from("?"));
                Outcome::Ok(())
            };
            let (answered, asked) = future::zip(answering, asking).await;
            answered.and(asked)?;
        }
        Ok(())
    });
}

#[test]
fn a_dealer_can_make_itself_known_first() {
    on_a_bare_loop(|| async {
        let context = Context::new();
        let dealer = Dealer::options().probe_router(true).open(&context);
        let router = Router::new(&context);
        dealer.connect(router.bind("tcp://127.0.0.1:0").await?)?;
        let (peer, probe) = router.recv().await?;
        assert_eq!(probe, Message::from(""));
        assert!(peer.is_made_up());
        router.send_to(&peer, "task").await?;
        assert_eq!(dealer.recv().await?, Message::from("task"));
        Ok(())
    });
}

#[test]
fn a_publisher_that_must_not_drop_waits_for_the_slowest() {
    on_every_executor(|| async {
        for place in endpoints() {
            let context = Context::new();
            let publisher = XPub::options().no_drop(true).send_hwm(4).open(&context);
            let subscriber = Sub::options().recv_hwm(4).open(&context);
            subscriber.subscribe("")?;
            subscriber.connect(publisher.bind(&place).await?)?;
            publisher.subscribers(1).await?;
            let publishing = async {
                for number in 0..2_000_u32 {
                    publisher.send_to_all(number.to_be_bytes()).await?;
                }
                Outcome::Ok(())
            };
            let receiving = async {
                for number in 0..2_000_u32 {
                    assert_eq!(
                        subscriber.recv().await?,
                        Message::from(number.to_be_bytes())
                    );
                }
                Outcome::Ok(())
            };
            let (published, received) = future::zip(publishing, receiving).await;
            published.and(received)?;
        }
        Ok(())
    });
}

#[test]
fn a_publisher_drops_for_the_slowest_and_counts() {
    on_a_bare_loop(|| async {
        let context = Context::new();
        let publisher = Pub::options().send_hwm(4).open(&context);
        let subscriber = Sub::options().recv_hwm(4).open(&context);
        subscriber.subscribe("")?;
        publisher.bind("inproc://slow").await?;
        subscriber.connect("inproc://slow")?;
        publisher.subscribers(1).await?;
        for _ in 0..100 {
            publisher.send("x")?;
        }
        let lost: u64 = publisher
            .counters()
            .losses()
            .iter()
            .map(|(_, count)| count)
            .sum();
        assert_eq!(lost, 92, "a lane holds what both sides allow");
        for _ in 0..8 {
            subscriber.recv().await?;
        }
        assert!(subscriber.try_recv().is_err());
        Ok(())
    });
}

#[test]
fn an_xpub_tells_as_much_as_it_is_asked_to() {
    on_a_bare_loop(|| async {
        for (verbosity, expected) in [
            (Verbosity::Changes, "+"),
            (Verbosity::AllSubscriptions, "++"),
            (Verbosity::Everything, "++-"),
        ] {
            let context = Context::new();
            let publisher = XPub::options().verbosity(verbosity).open(&context);
            let endpoint = publisher.bind("tcp://127.0.0.1:0").await?;
            let mut met = String::new();
            let (first, second) = (Sub::new(&context), Sub::new(&context));
            for subscriber in [&first, &second] {
                subscriber.subscribe("topic")?;
                subscriber.connect(&endpoint)?;
                // One after the other, so that the order is known.
                publisher
                    .subscribers(1 + usize::from(std::ptr::eq(subscriber, &second)))
                    .await?;
            }
            first.unsubscribe("topic")?;
            // The end of the story: whatever came before it has been told by then.
            first.subscribe("end")?;
            loop {
                match publisher.recv().await? {
                    XPubEvent::Subscribed(topic) if topic == "end" => break,
                    XPubEvent::Subscribed(_) => met.push('+'),
                    XPubEvent::Unsubscribed(_) => met.push('-'),
                    other => return Err(format!("{other:?}").into()),
                }
            }
            assert_eq!(met, expected, "{verbosity:?}");
        }
        Ok(())
    });
}

#[test]
fn a_manual_xpub_decides_about_subscriptions() {
    on_a_bare_loop(|| async {
        let context = Context::new();
        let publisher = XPub::options().manual(true).open(&context);
        let subscriber = Sub::new(&context);
        subscriber.subscribe("")?;
        subscriber.connect(publisher.bind("tcp://127.0.0.1:0").await?)?;
        let everything = Frame::from("");
        assert_eq!(publisher.recv().await?, XPubEvent::Subscribed(everything));
        publisher.subscribe("public")?;
        publisher.send("secret")?;
        publisher.send("public")?;
        assert_eq!(subscriber.recv().await?, Message::from("public"));
        assert!(
            XPub::new(&context).subscribe("x").is_err(),
            "it is not manual"
        );
        Ok(())
    });
}

#[test]
fn a_welcome_comes_first() {
    on_a_bare_loop(|| async {
        let context = Context::new();
        let publisher = XPub::options().welcome("welcome").open(&context);
        let subscriber = Sub::new(&context);
        subscriber.subscribe("")?;
        subscriber.connect(publisher.bind("tcp://127.0.0.1:0").await?)?;
        assert_eq!(subscriber.recv().await?, Message::from("welcome"));
        Ok(())
    });
}

#[test]
fn a_peer_that_says_too_much_is_left() {
    on_a_bare_loop(|| async {
        let context = Context::new();
        let pull = Pull::options().max_message_octets(10).open(&context);
        let push = Push::options()
            .reconnect(zmq::Reconnect {
                initial: None,
                ..Default::default()
            })
            .open(&context);
        let mut events = pull.monitor()?;
        push.connect(pull.bind("tcp://127.0.0.1:0").await?)?;
        push.send("small").await?;
        push.send("much too large").await?;
        assert_eq!(pull.recv().await?, Message::from("small"));
        loop {
            let event = events.next().await.ok_or("the socket lives")?;
            if let zmq::monitor::Happening::Closed { reason, .. } = event.what {
                assert!(matches!(reason, zmq::CloseReason::Protocol(_)), "{reason}");
                break;
            }
        }
        Ok(())
    });
}

#[test]
fn a_late_reply_is_not_taken_for_the_next_one() {
    on_every_executor(|| async {
        let context = Context::new();
        let (req, router) = (Req::new(&context), Router::new(&context));
        req.connect(router.bind("tcp://127.0.0.1:0").await?)?;
        let answering = async {
            // Both replies leave together, the late one first.
            let (peer, early) = router.recv().await?;
            let (_, late) = router.recv().await?;
            router.send_to(&peer, early).await?;
            router.send_to(&peer, late).await?;
            future::pending::<Outcome>().await
        };
        let asking = async {
            let given_up = poll_at_most(req.request("given up"), 1).await;
            assert!(given_up.is_none());
            assert_eq!(req.request("asked").await?, Message::from("asked"));
            Ok(())
        };
        asking.or(answering).await
    });
}

#[test]
fn a_blocking_receiver_may_spin() {
    on_a_bare_loop(|| async {
        let context = Context::new();
        let rep = Rep::new(&context);
        let req = zmq::blocking::Req::options()
            .spin(Duration::from_micros(50))
            .open(&context);
        req.connect(rep.bind("tcp://127.0.0.1:0").await?)?;
        let asking =
            std::thread::spawn(move || req.request("?").map_err(|error| error.to_string()));
        rep.recv().await?.reply("!")?;
        assert_eq!(
            asking.join().map_err(|_| "panicked")?,
            Ok(Message::from("!"))
        );
        Ok(())
    });
}
